package store

import (
	"database/sql"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// The defaults of Config's bounds.
const (
	DefaultQuarantineItems = 1000
	DefaultQuarantineBytes = 64 << 20
)

// Config says where the store lies and what it may take.
type Config struct {
	Path string // of the SQLite file; its folder is made with mode 0700
	// URL is a PostgreSQL connection string, with its password, in place of a Path. It never stands in a
	// message.
	URL string
	// Conns bounds the connections to PostgreSQL of this process, half of them for reading; 0 means
	// DefaultConns. One more listens.
	Conns int
	// MaxBytes bounds the SQLite file; 0 means only the disk does. What does not fit is ErrFull.
	MaxBytes int64
	// QuarantineItems and QuarantineBytes bound what is kept of input that could not be believed; 0 means
	// the default. The oldest makes room.
	QuarantineItems int
	QuarantineBytes int64
	Now             func() time.Time // nil means time.Now
	Logger          *slog.Logger     // nil discards
}

// Validate checks what can be told without touching the disk.
func (c *Config) Validate() error {
	if c.Path == "" && c.URL == "" {
		return errors.New("store: a path is needed, or the connection string of a PostgreSQL database")
	}
	if c.Path != "" && c.URL != "" {
		return errors.New("store: it lies in a file or in a PostgreSQL database, not in both")
	}
	if c.MaxBytes < 0 || c.Conns < 0 || c.QuarantineItems < 0 || c.QuarantineBytes < 0 {
		return errors.New("store: a bound must not be negative")
	}
	return nil
}

// fill sets what was left out.
func (c *Config) fill() {
	if c.QuarantineItems == 0 {
		c.QuarantineItems = DefaultQuarantineItems
	}
	if c.QuarantineBytes == 0 {
		c.QuarantineBytes = DefaultQuarantineBytes
	}
	if c.Conns == 0 {
		c.Conns = DefaultConns
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// Store is an open store. All methods may be called from any goroutine; writes take turns where they must.
type Store struct {
	dialect dialect
	place   string // for messages: no secret in it

	cfg   Config
	log   *slog.Logger
	epoch atomic.Uint64 // as last read
	made  atomic.Int64  // the month up to which partitions were made

	write *sql.DB // of SQLite one connection
	read  *sql.DB // readers see the last commit and never wait for a writer
	hot   map[string]*sql.Stmt
	peers *peers // PostgreSQL only: what ties the centres on one database together

	// commit is (*sql.Tx).Commit; tests put faults before and after it.
	commit func(*sql.Tx) error

	changed hints // events were written
	stored  hints // records were stored
	keys    hints // a key of a site came or ended
}

func newStore(d dialect, place string, cfg Config) *Store {
	return &Store{dialect: d, place: place, cfg: cfg, log: cfg.Logger, hot: map[string]*sql.Stmt{}, commit: (*sql.Tx).Commit}
}

func (s *Store) now() wim.Time { return wim.TimeOf(s.cfg.Now()) }

// Changed gives a hint that events may have been written; the table is the truth. Hints that nobody has
// taken yet become one. The caller calls cancel when it is done.
func (s *Store) Changed() (hint <-chan struct{}, cancel func()) { return s.changed.subscribe() }

// KeysHint gives a hint that a key of a site may have come or ended, here or at another centre.
func (s *Store) KeysHint() (hint <-chan struct{}, cancel func()) { return s.keys.subscribe() }

// StoredHint is the same .
func (s *Store) StoredHint() (hint <-chan struct{}, cancel func()) { return s.stored.subscribe() }

// Close waits for running writes and closes the file, or leaves the database.
func (s *Store) Close() error {
	var errs []error
	if s.peers != nil {
		s.peers.close()
	}
	for _, st := range s.hot {
		errs = append(errs, st.Close())
	}
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
