package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
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
	// MaxBytes bounds the database file; 0 means only the disk does. What does not fit is ErrFull.
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
	if c.Path == "" {
		return errors.New("store: a path is needed")
	}
	if c.MaxBytes < 0 || c.QuarantineItems < 0 || c.QuarantineBytes < 0 {
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
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// Store is an open store. All methods may be called from any goroutine; writes take turns.
type Store struct {
	dialect dialect
	place   string // for messages: no secret in it

	cfg   Config
	log   *slog.Logger
	epoch uint64

	write *sql.DB // one connection
	read  *sql.DB // readers see the last commit and never wait for a writer
	hot   map[string]*sql.Stmt

	// commit is (*sql.Tx).Commit; tests put faults before and after it.
	commit func(*sql.Tx) error

	changed hints // events were written
	stored  hints // records were stored
}

func (s *Store) now() wim.Time { return wim.TimeOf(s.cfg.Now()) }

// Epoch names this opening of the store. It is higher than that of every earlier opening, and after a
// restored backup too unless the clock was set back as well.
func (s *Store) Epoch() uint64 { return s.epoch }

// Changed gives a hint that events may have been written; the table is the truth. Hints that nobody has
// taken yet become one. The caller calls cancel when it is done.
func (s *Store) Changed() (hint <-chan struct{}, cancel func()) { return s.changed.subscribe() }

// StoredHint is the same for records.
func (s *Store) StoredHint() (hint <-chan struct{}, cancel func()) { return s.stored.subscribe() }

// Close waits for running writes and closes the file.
func (s *Store) Close() error {
	var errs []error
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

// begin takes a new epoch, above every one before.
func (s *Store) begin(ctx context.Context) error {
	return s.transact(ctx, "begin a new epoch", func(t *tx) error {
		err := t.row(ctx, `UPDATE counter SET value = CASE WHEN value >= ? THEN value + 1 ELSE ? END WHERE name = 'epoch' RETURNING value`,
			s.cfg.Now().UnixMilli(), s.cfg.Now().UnixMilli()).Scan(&s.epoch)
		if err != nil {
			return fmt.Errorf("epoch: %w", err)
		}
		return nil
	})
}
