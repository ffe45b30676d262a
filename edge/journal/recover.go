package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/axlegate/axlegate/wim"
)

// Salvage is what became of a damaged journal.
type Salvage struct {
	// Aside is where the damaged file lies now, its log beside it. It is evidence: nothing deletes it.
	Aside string
	Saved int // records
	// Missing names what the damaged file does not give up. What it held behind its last known record is not told.
	Missing []Range
	// Untold are messages that lost records accounted for; a gap for each is the new chain's to say.
	Untold []wim.Gap
	Chain  wim.ChainID // the one that was started
}

// Range names records of a chain, From to To inclusive.
type Range struct {
	Chain    wim.ChainID
	From, To uint64
}

const (
	savedSuffix = ".salvaged" // complete, not yet in its place
	halfSuffix  = ".salvage"  // being written
)

// Recover sets a damaged journal aside, as its path and ".damaged-" with the time, and opens a new one in its
// place with every record that can be read and proven by its digest, the cursors and pictures, and a new chain
// whose start names the damaged one. Cursors that are ahead of every saved record are kept, so that nothing
// counts twice, and the messages between are sealed as gaps. cause is the ErrDamaged that made it necessary.
//
// It may be killed at any point: the next Open finds either the damaged journal or the salvaged one.
func Recover(ctx context.Context, cfg Config, cause error) (j *Journal, s Salvage, err error) {
	if !errors.Is(cause, ErrDamaged) {
		return nil, Salvage{}, fmt.Errorf("recover journal %s: nothing says that it is damaged: %w", cfg.Path, cause)
	}
	if err := cfg.fill(); err != nil {
		return nil, Salvage{}, err
	}
	cfg.Logger.Error("journal: it is damaged; what can be read of it is taken over into a new one", "path", cfg.Path, "err", cause)
	held, err := lock(cfg.Path)
	if err != nil {
		return nil, Salvage{}, err
	}
	s, err = replace(ctx, cfg, cause)
	if err = errors.Join(err, held.Close()); err != nil {
		return nil, s, fmt.Errorf("recover journal %s: %w", cfg.Path, err)
	}
	if j, err = Open(ctx, cfg); err != nil {
		return nil, s, fmt.Errorf("after its recovery: %w", err)
	}
	s.Chain = j.Chain()
	cfg.Logger.Error("journal: the damaged file was set aside; keep it, it is evidence", "aside", s.Aside, "saved", s.Saved, "missing", s.Missing, "chain", s.Chain)
	return j, s, nil
}

// replace writes the salvaged journal beside the damaged one, then puts it in its place. The lock is held.
func replace(ctx context.Context, cfg Config, cause error) (Salvage, error) {
	found, err := salvage(cfg.Path, cfg.Site)
	if err != nil {
		return Salvage{}, err
	}
	s := Salvage{Untold: found.untold, Aside: cfg.Path + ".damaged-" + stamp(cfg.Now())}
	for _, c := range found.chains {
		s.Saved += len(c.records)
		s.Missing = append(s.Missing, c.missing()...)
	}
	half := cfg.Path + halfSuffix
	if err := removeAll(half, half+"-wal", half+"-shm", half+".lock"); err != nil {
		return s, err
	}
	if err := found.writeTo(ctx, cfg, half); err != nil {
		return s, err
	}
	if err := begin(ctx, cfg, half, found, cause); err != nil {
		return s, err
	}
	if err := syncFile(half); err != nil {
		return s, err
	}
	if err := os.Rename(half, cfg.Path+savedSuffix); err != nil {
		return s, fmt.Errorf("salvaged journal: %w", err)
	}
	if err := syncFile(filepath.Dir(cfg.Path)); err != nil {
		return s, err
	}
	return s, swap(cfg.Path, s.Aside)
}

// swap sets the damaged files aside and puts the salvaged journal in their place. The journal goes before its log
// does: were they parted the other way round the log's tail would be missed, and a salvaged journal never stands
// beside a log that is not its own.
func swap(path, aside string) error {
	for _, suffix := range []string{"", "-wal"} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("set the damaged journal aside: %w", err)
		}
	}
	if err := removeAll(path+"-shm", path+"-journal"); err != nil {
		return err
	}
	if err := syncFile(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Rename(path+savedSuffix, path); err != nil {
		return fmt.Errorf("put the salvaged journal in its place: %w", err)
	}
	return syncFile(filepath.Dir(path))
}

// finishRecovery ends a recovery that was broken off between its renames. The lock is held.
func finishRecovery(cfg *Config) error {
	if _, err := os.Stat(cfg.Path + savedSuffix); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("salvaged journal: %w", err)
	}
	return swap(cfg.Path, cfg.Path+".damaged-"+stamp(cfg.Now()))
}

func removeAll(paths ...string) error {
	for _, p := range paths {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("recover journal: %w", err)
		}
	}
	return nil
}

// syncFile syncs a file or a folder by its name.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}

// writeTo makes a journal of what was saved, without a chain to write to.
func (s *salvaged) writeTo(ctx context.Context, cfg Config, path string) (err error) {
	if err := prepareFile(path); err != nil {
		return err
	}
	name, err := cfg.engine.dsn(path, "journal_mode(MEMORY)", "synchronous(FULL)")
	if err != nil {
		return err
	}
	db, err := sql.Open(cfg.engine.driver, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	j := &Journal{cfg: cfg, log: cfg.Logger, write: db}
	if err := j.migrate(ctx); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return wrap("take over", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	if err := s.rows(ctx, tx); err != nil {
		return wrap("take over", err)
	}
	if err := s.records(ctx, tx, cfg.Path); err != nil {
		return wrap("take over", err)
	}
	return wrap("take over", tx.Commit())
}

// rows takes over everything but the records.
func (s *salvaged) rows(ctx context.Context, tx *sql.Tx) error {
	for _, c := range s.chains {
		if _, err := tx.ExecContext(ctx, `INSERT INTO chain (ordinal, id, predecessor, cause, started, head_seq, head_digest,
				receipted_seq, receipted_digest, receipted_epoch, pruned_seq, pruned_digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			c.ordinal, c.id[:], c.predecessor, c.cause, int64(c.started), int64(c.head), c.headDigest[:],
			int64(c.receipted), c.receipt[:], int64(c.epoch), int64(c.pruned), c.prunedLink[:]); err != nil {
			return err
		}
	}
	for _, c := range s.cursors {
		if _, err := tx.ExecContext(ctx, `INSERT INTO cursor (device, boot, seq, time) VALUES (?, ?, ?, 0)`, c.Device, c.Boot, c.Seq); err != nil {
			return err
		}
	}
	for d, p := range s.pictures {
		if _, err := tx.ExecContext(ctx, `INSERT INTO picture (digest, size, added, uploaded, refused, found) VALUES (?, ?, ?, ?, ?, ?)`,
			d[:], p.size, p.added, p.uploaded, p.refused, p.found); err != nil {
			return err
		}
	}
	unsent, err := json.Marshal(s.unsent())
	if err != nil {
		return err
	}
	for key, text := range map[string]string{"configuration": s.configuration, "rotations": s.rotations, "unsent": string(unsent)} {
		if text == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES (?, ?)`, key, text); err != nil {
			return err
		}
	}
	return nil
}

// records reads the damaged file a second time and takes over the bytes of the records that were chosen.
func (s *salvaged) records(ctx context.Context, tx *sql.Tx, from string) (err error) {
	type place struct {
		ordinal int64
		savedRecord
	}
	wanted := map[wim.Digest]place{}
	for _, c := range s.chains {
		for _, r := range c.records {
			wanted[r.digest] = place{c.ordinal, r}
		}
	}
	p, err := openPages(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	insert, err := tx.PrepareContext(ctx, `INSERT INTO record (id, digest, kind, lane, time, urgent, device, boot, seq, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, insert.Close()) }()
	var failed error
	p.each(func(row tableRow) {
		raw, ok := rawOf(row)
		if !ok || failed != nil {
			return
		}
		d := wim.DigestOf(raw)
		r, ok := wanted[d]
		if !ok {
			return
		}
		delete(wanted, d)
		var device, boot, seq any
		if r.source.Device != "" {
			device, boot, seq = r.source.Device, int64(r.source.Boot), int64(r.source.Seq)
		}
		_, failed = insert.ExecContext(ctx, rowID(r.ordinal, r.seq), d[:], string(r.kind), int64(r.lane), int64(r.time), r.urgent, device, boot, seq, raw)
		if failed == nil && r.known != "" {
			_, failed = tx.ExecContext(ctx, `INSERT OR IGNORE INTO known (device, key) VALUES (?, ?)`, r.knownBy, r.known)
		}
	})
	if failed == nil && len(wanted) > 0 {
		failed = fmt.Errorf("%d records that could be read a moment ago cannot be read now", len(wanted))
	}
	return failed
}

// begin starts the new chain and seals the gaps in it.
func begin(ctx context.Context, cfg Config, path string, s *salvaged, cause error) error {
	cfg.Path, cfg.MaxBytes = path, 0
	j, err := openWith(ctx, cfg, causeDamaged)
	if err != nil {
		return err
	}
	var drafts []Draft
	for i := range s.untold {
		drafts = append(drafts, Draft{Kind: wim.KindGap, Lane: s.untold[i].Lane, Time: wim.TimeOf(cfg.Now()), Clock: cfg.Clock(), Gap: &s.untold[i]})
	}
	if _, err := j.Append(ctx, drafts); err != nil {
		return errors.Join(fmt.Errorf("after %w: %w", cause, err), j.Close())
	}
	return j.Close()
}
