package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrations embed.FS

// OpenSQLite opens the store in a file or makes a new one, brings its tables up to date and begins a new
// epoch. A file of a later version is refused.
func OpenSQLite(ctx context.Context, cfg Config) (s *Store, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.QuarantineItems == 0 {
		cfg.QuarantineItems = DefaultQuarantineItems
	}
	if cfg.QuarantineBytes == 0 {
		cfg.QuarantineBytes = DefaultQuarantineBytes
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := prepareFile(cfg.Path); err != nil {
		return nil, err
	}
	s = &Store{cfg: cfg, log: cfg.Logger, hot: map[string]*sql.Stmt{}, commit: (*sql.Tx).Commit}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open store %s: %w", cfg.Path, err), s.Close())
			s = nil
		}
	}()
	pragmas := []string{"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(67108864)"}
	if cfg.MaxBytes > 0 {
		pragmas = append(pragmas, "max_page_count("+strconv.FormatInt(max(cfg.MaxBytes/4096, 1), 10)+")")
	}
	if s.write, err = openDB(cfg.Path, 1, pragmas...); err != nil {
		return s, err
	}
	if err := s.migrate(ctx); err != nil {
		return s, err
	}
	if s.read, err = openDB(cfg.Path, 8, "query_only(1)"); err != nil {
		return s, err
	}
	for _, q := range hotStatements() {
		if s.hot[q], err = s.write.PrepareContext(ctx, q); err != nil { //nolint:sqlclosecheck // closed with the store
			return s, wrap("prepare", err)
		}
	}
	return s, s.begin(ctx)
}

func openDB(path string, conns int, pragmas ...string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	q := url.Values{"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	if conns == 1 {
		q.Set("_txlock", "immediate")
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// prepareFile makes the file with mode 0600 before SQLite would make it readable by all: it holds plates.
func prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("folder for the store: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("store: %w; check that the centre's user owns the file and may write to it", err)
	}
	st, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("store %s has mode %04o: it holds plates and others may read or write it; run: chmod 600 %s", path, st.Mode().Perm(), path)
	}
	return nil
}

// migration is one numbered step of the schema.
type migration struct {
	version int
	text    string
}

func readMigrations() ([]migration, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var out []migration
	for i, n := range names {
		num, _, ok := strings.Cut(filepath.Base(n), "_")
		v, err := strconv.Atoi(num)
		if !ok || err != nil || v != i+1 {
			return nil, fmt.Errorf("migration %s: want number %04d", n, i+1)
		}
		text, err := migrations.ReadFile(n)
		if err != nil {
			return nil, err
		}
		out = append(out, migration{version: v, text: string(text)})
	}
	return out, nil
}

// migrate applies the steps that the file has not seen, each in a transaction of its own.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := readMigrations()
	if err != nil {
		return err
	}
	version, err := schemaVersion(ctx, s.write)
	if err != nil {
		return err
	}
	if version > len(steps) {
		return fmt.Errorf("it has schema version %d, this build knows %d; run the build that wrote it, or a later one", version, len(steps))
	}
	for _, m := range steps[version:] {
		err := s.transact(ctx, fmt.Sprintf("migrate to version %d", m.version), func(t *tx) error {
			if m.version == 1 {
				if err := t.run(ctx, `CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied INTEGER NOT NULL) STRICT`); err != nil {
					return err
				}
			}
			if err := t.run(ctx, m.text); err != nil {
				return err
			}
			return t.run(ctx, `INSERT INTO schema_version (version, applied) VALUES (?, ?)`, m.version, int64(s.now()))
		})
		if err != nil {
			return err
		}
		s.log.Info("store: schema brought up to date", "path", s.cfg.Path, "version", m.version)
	}
	return nil
}

// schemaVersion is 0 for an empty file. A database of something else is refused.
func schemaVersion(ctx context.Context, db *sql.DB) (v int, err error) {
	var tables, own int
	if err := db.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE name = 'schema_version') FROM sqlite_schema WHERE type = 'table'`).Scan(&tables, &own); err != nil {
		return 0, wrap("read its schema", err)
	}
	switch {
	case tables == 0:
		return 0, nil
	case own == 0:
		return 0, errors.New("it is a database of something else; name another path")
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM schema_version`).Scan(&v)
	return v, wrap("read its version", err)
}
