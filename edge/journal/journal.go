package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// DefaultKeep is how long a record stays after its receipt: at least the interval at which a centre backs up
// its store, so that a restored centre can be sent again what it lost.
const DefaultKeep = 7 * 24 * time.Hour

// tailChecked is how many records Open re-proves at the end of the chain. Audit proves all.
const tailChecked = 256

// Causes of a chain start.
const (
	causeNew  = "new-journal"
	causeFork = "fork"
	// causeDamaged: the file could not be read whole, and what it held last is uncertain.
	causeDamaged = "damaged-journal"
	// causeRestored: the centre holds more of the chain than the journal, so its disk was restored.
	causeRestored = "restored"
	// causeUnknown stands in the table, never in a record, for a chain whose start is lost.
	causeUnknown = "unknown"
)

// Config says where the journal lies and whose it is.
type Config struct {
	Path string     // of the SQLite file; its folder is made with mode 0700
	Site wim.SiteID // a journal of another site is refused
	// Key is the id of the key that signs the chain's segments; it stands in every chain start.
	Key      string
	Software wim.Software
	Keep     time.Duration // after the receipt; 0 means DefaultKeep
	// MaxBytes bounds the database file; 0 means only the disk does. What does not fit is ErrFull.
	MaxBytes int64
	Now      func() time.Time      // nil means time.Now
	Clock    func() wim.ClockState // for chain starts; nil means unknown
	Logger   *slog.Logger          // nil discards
	// Commit runs what makes a write last; nil does nothing but that. Benches put a slow disk there.
	Commit func(last func() error) error

	engine *engine // nil means production
}

// Validate checks what can be told without touching the disk.
func (c *Config) Validate() error {
	if c.Path == "" {
		return errors.New("journal: a path is needed")
	}
	if err := c.Site.Valid(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if c.Key == "" {
		return errors.New("journal: the id of the signing key is needed")
	}
	if c.Keep < 0 || c.MaxBytes < 0 {
		return errors.New("journal: keep and the size bound must not be negative")
	}
	return nil
}

func (c *Config) commit() func(last func() error) error {
	if c.Commit != nil {
		return c.Commit
	}
	return func(last func() error) error { return last() }
}

// Journal is an open journal. All methods may be called from any goroutine; writes take turns.
type Journal struct {
	cfg  Config
	log  *slog.Logger
	lock *os.File

	write *sql.DB // one connection, used under mu
	read  *sql.DB // readers see the last commit and never wait for a writer

	insert, setCursor, setHead, addPicture *sql.Stmt
	after                                  *sql.Stmt // on read

	// commit runs what makes a write last; tests put faults before and after it.
	commit func(last func() error) error

	mu      sync.Mutex
	closed  bool
	unclear bool   // a commit failed and may have been kept: state must be read again first
	active  chain  // owned by mu
	folded  uint64 // head of the active chain at the last fold, owned by mu
	old     []link // earlier chains, oldest first, owned by mu
	cursors map[string]wim.DeviceCursor
}

// chain is a row of the table chain.
type chain struct {
	link
	headDigest wim.Digest
	epoch      uint64
	receipt    wim.Digest
	pruned     uint64
	prunedLink wim.Digest
}

// link is what is needed of a chain that is written to no more.
type link struct {
	ordinal   int64
	id        wim.ChainID
	head      uint64
	receipted uint64
	sendTo    uint64 // of a chain that was saved from a damaged journal: the last record that can be sent
}

// Open opens the journal or makes a new one, whose first record is a chain start. It checks that the file is
// the site's own and that the chain's tail proves its head; the error says what to do.
func Open(ctx context.Context, cfg Config) (*Journal, error) {
	return openWith(ctx, cfg, "")
}

// fill checks the configuration and sets what is left out.
func (c *Config) fill() error {
	if err := c.Validate(); err != nil {
		return err
	}
	if c.Keep == 0 {
		c.Keep = DefaultKeep
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Clock == nil {
		c.Clock = func() wim.ClockState { return wim.ClockUnknown }
	}
	if c.engine == nil {
		c.engine = production()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// openWith opens a journal and, where a cause is given, starts a chain for it at once, whatever the last one's
// tail proves.
func openWith(ctx context.Context, cfg Config, cause string) (*Journal, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	if err := prepareFolder(cfg.Path); err != nil {
		return nil, err
	}
	held, err := lock(cfg.Path)
	if err != nil {
		return nil, err
	}
	j := &Journal{cfg: cfg, log: cfg.Logger, lock: held, commit: cfg.commit(), cursors: map[string]wim.DeviceCursor{}}
	err = finishRecovery(&cfg)
	if err == nil {
		err = prepareFile(cfg.Path)
	}
	if err == nil {
		err = proveLog(cfg.Path)
	}
	if err == nil {
		err = j.open(ctx, cause)
	}
	if err != nil {
		j.release() //nolint:errcheck // the open error says more
		return nil, fmt.Errorf("open journal %s: %w", cfg.Path, err)
	}
	return j, nil
}

func prepareFolder(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("folder for the journal: %w", err)
	}
	return nil
}

// prepareFile makes the file with mode 0600 before SQLite would make it readable by all: it holds plates.
func prepareFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("journal: %w; check that the daemon's user owns the file and may write to it", err)
	}
	st, err := f.Stat()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("journal %s has mode %04o: it holds plates and others may read or write it; run: chmod 600 %s", path, st.Mode().Perm(), path)
	}
	return nil
}

func (j *Journal) open(ctx context.Context, cause string) error {
	pragmas := []string{"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(16777216)"}
	if j.cfg.MaxBytes > 0 {
		pragmas = append(pragmas, "max_page_count("+strconv.FormatInt(max(j.cfg.MaxBytes/4096, 1), 10)+")")
	}
	w, err := j.cfg.engine.dsn(j.cfg.Path, pragmas...)
	if err != nil {
		return err
	}
	if j.write, err = sql.Open(j.cfg.engine.driver, w); err != nil {
		return err
	}
	j.write.SetMaxOpenConns(1)
	if err := j.migrate(ctx); err != nil {
		return err
	}
	r, err := j.cfg.engine.dsn(j.cfg.Path, "query_only(1)")
	if err != nil {
		return err
	}
	if j.read, err = sql.Open(j.cfg.engine.driver, r); err != nil {
		return err
	}
	j.read.SetMaxOpenConns(4)
	for _, s := range []struct {
		into **sql.Stmt
		text string
	}{
		{&j.insert, `INSERT INTO record (id, digest, kind, lane, time, urgent, device, boot, seq, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&j.setCursor, `INSERT INTO cursor (device, boot, seq, time) VALUES (?, ?, ?, ?)
			ON CONFLICT (device) DO UPDATE SET boot = excluded.boot, seq = excluded.seq, time = excluded.time`},
		{&j.setHead, `UPDATE chain SET head_seq = ?, head_digest = ? WHERE ordinal = ?`},
		{&j.addPicture, `INSERT INTO picture (digest, size, added, found) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET found = max(found, excluded.found)`},
	} {
		if *s.into, err = j.write.PrepareContext(ctx, s.text); err != nil { //nolint:sqlclosecheck // closed with the connection that they are prepared on
			return wrap("prepare", err)
		}
	}
	if j.after, err = j.read.PrepareContext(ctx, `SELECT id, digest, kind, time, urgent, raw FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`); err != nil {
		return wrap("prepare", err)
	}
	if err := j.load(ctx); err != nil {
		return err
	}
	if j.active.ordinal == 0 && cause == "" {
		cause = causeNew
	}
	if cause != "" {
		j.mu.Lock()
		defer j.mu.Unlock()
		if _, err := j.startChain(ctx, cause); err != nil {
			return err
		}
		j.log.Info("journal: started a chain", "path", j.cfg.Path, "chain", j.active.id, "cause", cause)
		return nil
	}
	return j.proveTail(ctx)
}

func (j *Journal) migrate(ctx context.Context) error {
	var version int
	if err := j.write.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return wrap("read its version", err)
	}
	switch version {
	case schemaVersion:
		return j.ownSite(ctx)
	case 1:
		return j.upgrade(ctx, fromVersion1, knownTable)
	case 2:
		return j.upgrade(ctx, knownTable)
	case 0:
		var tables int
		if err := j.write.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
			return wrap("read its schema", err)
		}
		if tables != 0 {
			return fmt.Errorf("%w: it is a database of something else; name another path", ErrDamaged)
		}
	default:
		return fmt.Errorf("it has schema version %d, this build reads %d; run the build that wrote it", version, schemaVersion)
	}
	tx, err := j.write.BeginTx(ctx, nil)
	if err != nil {
		return wrap("make its tables", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return wrap("make its tables", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('site', ?)`, string(j.cfg.Site)); err != nil {
		return wrap("make its tables", err)
	}
	if _, err := tx.ExecContext(ctx, `PRAGMA user_version = `+strconv.Itoa(schemaVersion)); err != nil {
		return wrap("make its tables", err)
	}
	return wrap("make its tables", tx.Commit())
}

// ownSite checks whose journal it is.
func (j *Journal) ownSite(ctx context.Context) error {
	var site string
	if err := j.write.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'site'`).Scan(&site); errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: it does not say whose it is; %s", ErrDamaged, setAside)
	} else if err != nil {
		return wrap("read its site", err)
	}
	if site != string(j.cfg.Site) {
		return fmt.Errorf("%w: it is site %s's, the configuration says %s; give each site its own data folder", ErrSite, site, j.cfg.Site)
	}
	return nil
}

// upgrade brings a journal of an earlier schema version to this one.
func (j *Journal) upgrade(ctx context.Context, steps ...string) error {
	if err := j.ownSite(ctx); err != nil {
		return err
	}
	what := "bring it to schema version " + strconv.Itoa(schemaVersion)
	j.log.Info("journal: bringing it to this build's schema version; this takes a while for a large one", "path", j.cfg.Path, "version", schemaVersion)
	tx, err := j.write.BeginTx(ctx, nil)
	if err != nil {
		return wrap(what, err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	for _, s := range append(steps, `PRAGMA user_version = `+strconv.Itoa(schemaVersion)) {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return wrap(what, err)
		}
	}
	return wrap(what, tx.Commit())
}

// load reads the state that is held in memory.
func (j *Journal) load(ctx context.Context) error {
	chains, err := readChains(ctx, j.write)
	if err != nil {
		return err
	}
	cursors, err := readCursors(ctx, j.write)
	if err != nil {
		return err
	}
	unsent, err := readUnsent(ctx, j.write)
	if err != nil {
		return err
	}
	j.active, j.old, j.folded = chain{}, nil, 0
	for i, c := range chains {
		if i == len(chains)-1 {
			j.active, j.folded = c, c.head
		} else {
			c.sendTo = unsent[c.id.String()]
			j.old = append(j.old, c.link)
		}
	}
	j.cursors = map[string]wim.DeviceCursor{}
	for _, c := range cursors {
		j.cursors[c.Device] = c
	}
	if j.active.ordinal == 0 {
		return nil
	}
	return sinceFold(ctx, j.write, &j.active, func(c wim.DeviceCursor) { j.cursors[c.Device] = c })
}

// sinceFold moves a chain's head to its last row and hands on the cursors of the rows after the fold, in order.
func sinceFold(ctx context.Context, db *sql.DB, c *chain, moved func(wim.DeviceCursor)) error {
	rows, err := db.QueryContext(ctx, `SELECT id, digest, device, boot, seq FROM record WHERE id > ? AND id < ? ORDER BY id`,
		rowID(c.ordinal, c.head), rowID(c.ordinal+1, 0))
	if err != nil {
		return wrap("read what came after the last fold", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	for rows.Next() {
		var id int64
		var digest []byte
		var device sql.NullString
		var boot, seq sql.NullInt64
		if err := rows.Scan(&id, &digest, &device, &boot, &seq); err != nil {
			return wrap("read what came after the last fold", err)
		}
		if len(digest) != wim.DigestSize || seqOf(id) != c.head+1 {
			return fmt.Errorf("%w: after record %d of chain %s comes record %d with a digest of %d bytes; %s", ErrDamaged, c.head, c.id, seqOf(id), len(digest), setAside)
		}
		c.head, c.headDigest = seqOf(id), wim.Digest(digest)
		if device.Valid {
			moved(wim.DeviceCursor{Device: device.String, Boot: uint32(boot.Int64), Seq: uint32(seq.Int64)})
		}
	}
	return wrap("read what came after the last fold", rows.Err())
}

func readChains(ctx context.Context, db *sql.DB) ([]chain, error) {
	rows, err := db.QueryContext(ctx, `SELECT ordinal, id, head_seq, head_digest, receipted_seq, receipted_digest, receipted_epoch,
		pruned_seq, pruned_digest FROM chain ORDER BY ordinal`)
	if err != nil {
		return nil, wrap("read chains", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	var out []chain
	for rows.Next() {
		var c chain
		var id, head, receipt, pruned []byte
		if err := rows.Scan(&c.ordinal, &id, &c.head, &head, &c.receipted, &receipt, &c.epoch, &c.pruned, &pruned); err != nil {
			return nil, wrap("read chains", err)
		}
		if len(id) != len(c.id) || len(head) != wim.DigestSize || len(receipt) != wim.DigestSize || len(pruned) != wim.DigestSize {
			return nil, fmt.Errorf("%w: chain %d has an id or digest of the wrong length; %s", ErrDamaged, c.ordinal, setAside)
		}
		c.id, c.headDigest, c.receipt, c.prunedLink = wim.ChainID(id), wim.Digest(head), wim.Digest(receipt), wim.Digest(pruned)
		out = append(out, c)
	}
	return out, wrap("read chains", rows.Err())
}

func readCursors(ctx context.Context, db *sql.DB) ([]wim.DeviceCursor, error) {
	rows, err := db.QueryContext(ctx, `SELECT device, boot, seq FROM cursor ORDER BY device`)
	if err != nil {
		return nil, wrap("read cursors", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	var out []wim.DeviceCursor
	for rows.Next() {
		var c wim.DeviceCursor
		if err := rows.Scan(&c.Device, &c.Boot, &c.Seq); err != nil {
			return nil, wrap("read cursors", err)
		}
		out = append(out, c)
	}
	return out, wrap("read cursors", rows.Err())
}

// proveTail re-proves the last records of the active chain and that they end in the head.
func (j *Journal) proveTail(ctx context.Context) error {
	c := &j.active
	from, link := c.pruned, c.prunedLink
	if c.head > tailChecked && c.head-tailChecked > from {
		from = c.head - tailChecked
		d, err := digestAt(ctx, j.read, c.ordinal, from)
		if err != nil {
			return err
		}
		link = d
	}
	a := seal.NewAuditor(j.cfg.Site, c.id)
	a.Resume(from, link)
	if err := proveRecords(ctx, j.read, c.ordinal, from, a, nil); err != nil {
		return fmt.Errorf("%w: %w; %s", ErrDamaged, err, setAside)
	}
	if a.Seq() != c.head || a.Head() != c.headDigest {
		return fmt.Errorf("%w: its records end at %d (%s), its head says %d (%s); %s", ErrDamaged,
			a.Seq(), a.Head().Short(), c.head, c.headDigest.Short(), setAside)
	}
	return nil
}

// ready is called under mu before anything is written.
func (j *Journal) ready(ctx context.Context) error {
	if j.closed {
		return errors.New("journal is closed")
	}
	if j.unclear {
		if err := j.load(ctx); err != nil {
			return fmt.Errorf("read again after a commit whose result is unclear: %w", err)
		}
		j.unclear = false
	}
	return nil
}

// Chain is the chain that is written to.
func (j *Journal) Chain() wim.ChainID {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.active.id
}

// Head is the last record of the active chain.
func (j *Journal) Head() (seq uint64, digest wim.Digest) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.active.head, j.active.headDigest
}

// Receipted is the last record of the active chain that the centre holds for certain, and the epoch of the
// store that said so.
func (j *Journal) Receipted() (seq, epoch uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.active.receipted, j.active.epoch
}

// Stranded counts the records of earlier chains that no receipt covers and that have no turn in the Outbox. After a
// fork they are kept and never pruned, but not sent any more: the centre holds another record under their first
// name, so it could never receipt them. A person settles them from an export.
func (j *Journal) Stranded() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	var n uint64
	for _, c := range j.old {
		n += c.head - max(c.receipted, min(c.sendTo, c.head)) // what can be sent has its turn
	}
	return n
}

// Owed counts the records of earlier chains that are still to be sent: their turn in the Outbox comes whenever all of
// the active chain is receipted.
func (j *Journal) Owed() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	var n uint64
	for _, c := range j.old {
		n += max(c.receipted, min(c.sendTo, c.head)) - c.receipted
	}
	return n
}

// Cursor is how far a device's messages have been taken into account; ok is false for a device never seen.
func (j *Journal) Cursor(device string) (c wim.DeviceCursor, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c, ok = j.cursors[device]
	return c, ok
}

// Cursors are all devices' cursors by device.
func (j *Journal) Cursors() map[string]wim.DeviceCursor {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.cursors)
}

// Close waits for a running write, then closes the file and gives the lock back.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	if !j.unclear {
		// The next Open then sees at once whether rows are missing, and reads fewer.
		if err := j.fold(context.Background()); err != nil {
			j.log.Warn("journal: could not fold heads and cursors; the next start reads them from the records", "err", err)
		}
	}
	j.closed = true
	return j.release()
}

func (j *Journal) release() error {
	var errs []error
	for _, s := range []*sql.Stmt{j.insert, j.setCursor, j.setHead, j.addPicture, j.after} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	for _, db := range []*sql.DB{j.read, j.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, j.lock.Close())...)
}
