package store

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Rotation is what a segment's key rotation record does: New takes over behind record Seq. It counts when the record is
// stored.
type Rotation struct {
	Seq uint64
	New center.SiteKey
	// Refused says why no key takes over although the record says so; New is empty then.
	Refused string
}

// Ending says that a segment was signed by a key that has taken over, so that Old ends: what it signed of Chain up to
// Seq stays believed.
type Ending struct {
	Old   string
	Chain wim.ChainID
	Seq   uint64
}

const keyColumns = `site, id, der, how, login, since, chain, seq, ended, end_chain, end_seq`

// SiteKeys lists all keys that were enrolled, and those of the configuration that have ended, by site and time.
func (s *Store) SiteKeys(ctx context.Context) (out []center.SiteKey, err error) {
	err = s.look(ctx, "read keys of sites", func(t *tx) error {
		out = nil
		return t.each(ctx, `SELECT `+keyColumns+` FROM site_key ORDER BY site, since, id`, func(scan func(...any) error) error {
			var k center.SiteKey
			if err := scan(&k.Site, &k.ID, &k.DER, &k.How, &k.By, &k.Since, chainID{&k.Chain}, &k.Seq, &k.Ended, chainID{&k.EndChain}, &k.EndSeq); err != nil {
				return err
			}
			out = append(out, k)
			return nil
		})
	})
	return out, err
}

// addKey enrols a key. One that is there stays as it is: a key that has ended does not come back.
func (s *Store) addKey(ctx context.Context, t *tx, k *center.SiteKey) (fresh bool, err error) {
	n, err := t.count(ctx, `INSERT INTO site_key (`+keyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (site, id) DO NOTHING`,
		string(k.Site), k.ID, k.DER, string(k.How), k.By, int64(k.Since), k.Chain[:], int64(k.Seq), int64(k.Ended), k.EndChain[:], int64(k.EndSeq))
	return n > 0, err
}

// endKey ends a key that holds. One of the configuration gets a line that says so.
func (s *Store) endKey(ctx context.Context, t *tx, site wim.SiteID, id string, chain wim.ChainID, seq uint64) error {
	now := int64(s.now())
	return t.run(ctx, `INSERT INTO site_key (`+keyColumns+`) VALUES (?, ?, ?, ?, '', 0, ?, 0, ?, ?, ?)
		ON CONFLICT (site, id) DO UPDATE SET ended = CASE WHEN site_key.ended = 0 THEN excluded.ended ELSE site_key.ended END,
			end_chain = CASE WHEN site_key.ended = 0 THEN excluded.end_chain ELSE site_key.end_chain END,
			end_seq = CASE WHEN site_key.ended = 0 THEN excluded.end_seq ELSE site_key.end_seq END`,
		string(site), id, []byte{}, string(center.KeyConfigured), make([]byte, len(chain)), now, chain[:], int64(seq))
}

// rotate enrols what a segment's rotation brings, where its record was stored now, and ends what has been taken over.
func (s *Store) rotate(ctx context.Context, t *tx, seg *Segment, fresh bool) error {
	if r := seg.Rotation; r != nil && fresh && r.Refused != "" {
		return s.raiseAlarm(ctx, t, center.Alarm{Kind: center.AlarmRotation, Site: seg.Site,
			Subject: fmt.Sprintf("chain %s, record %d", seg.Chain, r.Seq), Detail: clip(clean(r.Refused), 400)})
	}
	if r := seg.Rotation; r != nil && fresh {
		k := r.New
		k.Since = s.now()
		added, err := s.addKey(ctx, t, &k)
		if err != nil {
			return err
		}
		if added {
			if err := s.trace(ctx, t, center.Trace{Action: "rotate-key", Subject: string(seg.Site),
				Detail: fmt.Sprintf("key %s takes over from %s behind record %d of chain %s", k.ID, k.By, r.Seq, seg.Chain)}, ""); err != nil {
				return err
			}
		}
	}
	if e := seg.Ending; e != nil {
		return s.endKey(ctx, t, seg.Site, e.Old, e.Chain, e.Seq)
	}
	return nil
}

// PutCode notes a one-time code for a site of an administrator's region, in place of an earlier one. lost says that
// the site's keys so far are to end when it is used.
func (s *Store) PutCode(ctx context.Context, v center.Viewer, site wim.SiteID, digest [32]byte, lost bool) error {
	if !v.Manages() {
		return center.ErrNotYours
	}
	return s.transact(ctx, "put enrolment code", func(t *tx) error {
		if err := seesSite(ctx, t, v, site); err != nil {
			return err
		}
		if err := t.run(ctx, `INSERT INTO enrolment_code (site, code, expires, tries, lost, login) VALUES (?, ?, ?, 0, ?, ?)
			ON CONFLICT (site) DO UPDATE SET code = excluded.code, expires = excluded.expires, tries = 0, lost = excluded.lost, login = excluded.login`,
			string(site), digest[:], int64(s.now())+int64(center.CodeLife), lost, v.Login); err != nil {
			return err
		}
		detail := "for another key"
		if lost {
			detail = "in place of all keys so far"
		}
		return s.trace(ctx, t, center.Trace{Login: v.Login, Action: "put-enrolment-code", Subject: string(site), Detail: detail}, v.Region)
	})
}

// Enrol enrols a key with a one-time code, which is then used up. before are the keys that are believed for the site now;
// they end if the code says so. A code that does not hold is center.ErrCode, and counted.
func (s *Store) Enrol(ctx context.Context, code [32]byte, k center.SiteKey, before []string) error {
	var wrong bool
	err := s.transact(ctx, "enrol a key", func(t *tx) error {
		wrong = false
		var held []byte
		var expires, tries int64
		var lost bool
		var login string
		err := t.row(ctx, `SELECT code, expires, tries, lost, login FROM enrolment_code WHERE site = ? FOR UPDATE`, string(k.Site)).Scan(&held, &expires, &tries, &lost, &login)
		if errors.Is(err, sql.ErrNoRows) {
			wrong = true
			return nil
		}
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare(held, code[:]) != 1 || expires < int64(s.now()) || tries >= center.CodeTries {
			wrong = true
			return t.run(ctx, `UPDATE enrolment_code SET tries = tries + 1 WHERE site = ?`, string(k.Site))
		}
		if err := t.run(ctx, `DELETE FROM enrolment_code WHERE site = ?`, string(k.Site)); err != nil {
			return err
		}
		if lost {
			for _, id := range before {
				if id == k.ID {
					return fmt.Errorf("%w: the key is enrolled already, and was to end; make a new one", ErrRefused)
				}
				if err := s.endKey(ctx, t, k.Site, id, wim.ChainID{}, 0); err != nil {
					return err
				}
			}
		}
		k.How, k.By, k.Since = center.KeyByCode, login, s.now()
		fresh, err := s.addKey(ctx, t, &k)
		if err != nil {
			return err
		}
		if !fresh {
			var ended int64
			if err := t.row(ctx, `SELECT ended FROM site_key WHERE site = ? AND id = ?`, string(k.Site), k.ID).Scan(&ended); err != nil {
				return err
			}
			if ended != 0 {
				return fmt.Errorf("%w: the key was ended and does not come back; make a new one", ErrRefused)
			}
		}
		detail := "key " + k.ID
		if lost {
			detail += ", in place of all keys so far"
		}
		return s.trace(ctx, t, center.Trace{Login: login, Action: "enrol-key", Subject: string(k.Site), Detail: detail}, "")
	})
	if err == nil && wrong {
		err = center.ErrCode
	}
	if err != nil {
		return fmt.Errorf("enrol a key of %s: %w", k.Site, err)
	}
	s.gaveKeys()
	return nil
}

// gaveKeys hints at keys that came or ended, here and at the other centres.
func (s *Store) gaveKeys() {
	s.keys.give()
	s.announce(keysChanged)
}
