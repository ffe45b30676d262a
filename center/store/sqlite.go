package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
)

// OpenSQLite opens the store in a file or makes a new one, brings its tables up to date and begins a new
// epoch. A file of a later version is refused.
func OpenSQLite(ctx context.Context, cfg Config) (s *Store, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Path == "" {
		return nil, errors.New("store: a path is needed")
	}
	cfg.fill()
	if err := prepareFile(cfg.Path); err != nil {
		return nil, err
	}
	s = newStore(sqliteDialect, cfg.Path, cfg)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open store %s: %w", cfg.Path, err), s.Close())
			s = nil
		}
	}()
	pragmas := []string{"auto_vacuum(2)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(67108864)"}
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
		if s.hot[q], err = s.write.PrepareContext(ctx, s.dialect.text(q)); err != nil { //nolint:sqlclosecheck // closed with the store
			return s, wrap("prepare", err)
		}
	}
	return s, s.transact(ctx, "begin a new epoch", func(t *tx) error { return s.raiseEpoch(ctx, t) })
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
