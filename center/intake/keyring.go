package intake

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// KeyStore keeps the keys that were enrolled.
type KeyStore interface {
	SiteKeys(ctx context.Context) ([]center.SiteKey, error)
	// Enrol enrols a key with the digest of a one-time code, which is used up. before are the site's keys so far.
	Enrol(ctx context.Context, code [32]byte, k center.SiteKey, before []string) error
	// KeysHint gives a hint that a key may have come or ended.
	KeysHint() (hint <-chan struct{}, cancel func())
}

// Keyring knows which keys are believed for which site: those of the configuration and those that were enrolled, less
// those that have ended. It looks again on a hint of the store, which other centres give too, when a signature does not hold,
// and every refreshEvery, since a hint may be lost.
type Keyring struct {
	store      KeyStore
	configured map[wim.SiteID][]*seal.Verifier

	reading sync.Mutex // held while the keys are read again, so that older ones do not take the place of newer

	mu     sync.Mutex
	sites  map[wim.SiteID]*siteKeys
	looked time.Time
}

// refreshEvery is how often the keys are read again by themselves, refreshLeast how often signatures that do not hold
// may have them read.
const (
	refreshEvery = 15 * time.Second
	refreshLeast = time.Second
)

type siteKeys struct {
	verifiers []*seal.Verifier          // also of keys that have ended, for what they signed before
	enrolled  map[string]center.SiteKey // by id; a key of the configuration that holds is not among them
}

// NewKeyring makes a Keyring. configured names every site that may send, with the keys of the configuration.
func NewKeyring(keys KeyStore, configured map[wim.SiteID][]*seal.Verifier) *Keyring {
	k := &Keyring{store: keys, configured: configured}
	k.sites = k.join(nil)
	return k
}

// join puts the keys of the configuration and those that were enrolled together.
func (k *Keyring) join(enrolled []center.SiteKey) map[wim.SiteID]*siteKeys {
	sites := map[wim.SiteID]*siteKeys{}
	for site, verifiers := range k.configured {
		sites[site] = &siteKeys{verifiers: append([]*seal.Verifier(nil), verifiers...), enrolled: map[string]center.SiteKey{}}
	}
	for _, e := range enrolled {
		s := sites[e.Site]
		if s == nil {
			continue // a site that the configuration does not name any more may not send
		}
		s.enrolled[e.ID] = e
		if len(e.DER) == 0 {
			continue // of the configuration, ended
		}
		if v, err := seal.ParseVerifier(e.DER); err == nil && v.ID == e.ID && !hasKey(s.verifiers, e.ID) {
			s.verifiers = append(s.verifiers, v)
		}
	}
	return sites
}

func hasKey(in []*seal.Verifier, id string) bool {
	for _, v := range in {
		if v.ID == id {
			return true
		}
	}
	return false
}

// Refresh reads what was enrolled.
func (k *Keyring) Refresh(ctx context.Context) error {
	k.reading.Lock()
	defer k.reading.Unlock()
	enrolled, err := k.store.SiteKeys(ctx)
	if err != nil {
		return fmt.Errorf("keys of sites: %w", err)
	}
	sites := k.join(enrolled)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sites, k.looked = sites, time.Now()
	return nil
}

// Run keeps the keys fresh until ctx ends.
func (k *Keyring) Run(ctx context.Context) error {
	t := time.NewTicker(refreshEvery)
	defer t.Stop()
	hint, cancel := k.store.KeysHint()
	defer cancel()
	for {
		k.Refresh(ctx) //nolint:errcheck // who needs a key reads again and says what is wrong
		select {
		case <-ctx.Done():
			return nil
		case <-hint:
		case <-t.C:
		}
	}
}

// stale tells whether a signature that does not hold may have the keys read again now.
func (k *Keyring) stale() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Since(k.looked) >= refreshLeast
}

func (k *Keyring) of(site wim.SiteID) (*siteKeys, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.sites[site]
	return s, ok
}

// Of gives the keys under which a site's segments may be believed; ok is false for a site that is not known.
func (k *Keyring) Of(site wim.SiteID) (keys []*seal.Verifier, ok bool) {
	s, ok := k.of(site)
	if !ok {
		return nil, false
	}
	return s.verifiers, true
}

// Now gives the keys that hold now: for grants, which are of the moment.
func (k *Keyring) Now(site wim.SiteID) (keys []*seal.Verifier, ok bool) {
	s, ok := k.of(site)
	if !ok {
		return nil, false
	}
	for _, v := range s.verifiers {
		if e, there := s.enrolled[v.ID]; !there || e.Ended == 0 {
			keys = append(keys, v)
		}
	}
	return keys, true
}

// errEnded says that a key has ended before what it signed.
var errEnded = errors.New("the key that signed it has ended; if the site has lost its key, enrol a new one")

// judge tells whether a segment that a key signed is believed, and what it does to the site's keys.
//
// A rotation that the new key did not countersign is a record like any other, with an alarm: whoever has the old key
// can write it, and the chain must not stand still for it.
func (k *Keyring) judge(seg *seal.Segment, key string, records []*wim.Record) (r *store.Rotation, e *store.Ending, err error) {
	s, ok := k.of(seg.Site)
	if !ok {
		return nil, nil, errors.New("its site is not known")
	}
	own, enrolled := s.enrolled[key]
	if enrolled && !own.Believes(seg.Chain, seg.To()) {
		return nil, nil, errEnded
	}
	// The first record behind the rotation that the new key signs ends the old one.
	if enrolled && own.How == center.KeyByRotation && own.Ended == 0 && (seg.Chain != own.Chain || seg.From > own.Seq) {
		if old, there := s.enrolled[own.By]; !there || old.Ended == 0 {
			e = &store.Ending{Old: own.By, Chain: own.Chain, Seq: own.Seq}
		}
	}
	for _, rec := range records {
		if rec.Rotation == nil {
			continue
		}
		next, err := seal.VerifyRotation(rec, key)
		if err != nil {
			r = &store.Rotation{Seq: rec.Seq, Refused: err.Error()}
			continue
		}
		der, err := next.MarshalDER()
		if err != nil {
			return nil, nil, err
		}
		r = &store.Rotation{Seq: rec.Seq, New: center.SiteKey{Site: seg.Site, ID: next.ID, DER: der, How: center.KeyByRotation, By: key, Chain: seg.Chain, Seq: rec.Seq}}
	}
	return r, e, nil
}
