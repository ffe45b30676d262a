package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// migration is one numbered step of the schema.
type migration struct {
	version int
	text    string
}

func readMigrations(d dialect) ([]migration, error) {
	names, err := fs.Glob(migrations, "migrations/"+string(d)+"/*.sql")
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

// migrate applies the steps that the store has not seen, each in a transaction of its own. Of several
// processes that find the same to do one does it and the others wait.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := readMigrations(s.dialect)
	if err != nil {
		return err
	}
	for {
		version := 0
		err := s.transact(ctx, "bring the schema up to date", func(t *tx) error {
			if s.dialect == postgresDialect {
				// Filling a new column of a large table takes its time, and so does waiting for who does it.
				for _, q := range []string{`SET LOCAL statement_timeout = 0`, `SET LOCAL lock_timeout = 0`} {
					if err := t.run(ctx, q); err != nil {
						return err
					}
				}
				if err := t.run(ctx, `SELECT pg_advisory_xact_lock(?)`, int64(lockSchema)); err != nil {
					return err
				}
			}
			var err error
			if version, err = schemaVersion(ctx, t.t, s.dialect); err != nil || version >= len(steps) {
				return err
			}
			return s.step(ctx, t, steps[version])
		})
		switch {
		case err != nil:
			return err
		case version > len(steps):
			return fmt.Errorf("it has schema version %d, this build knows %d; run the build that wrote it, or a later one", version, len(steps))
		case version == len(steps):
			return nil
		}
		s.log.Info("store: schema brought up to date", "place", s.place, "version", version+1)
	}
}

// step applies one migration.
func (s *Store) step(ctx context.Context, t *tx, m migration) error {
	if m.version == 1 {
		if err := t.run(ctx, `CREATE TABLE schema_version (version BIGINT PRIMARY KEY, applied BIGINT NOT NULL)`); err != nil {
			return err
		}
	}
	// As it stands: no parameters, and several statements at once.
	if _, err := t.t.ExecContext(ctx, m.text); err != nil {
		return fmt.Errorf("version %d: %w", m.version, err)
	}
	return t.run(ctx, `INSERT INTO schema_version (version, applied) VALUES (?, ?)`, m.version, int64(s.now()))
}

// querier is a pool or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row
}

// schemaVersion is 0 for an empty database. A database of something else is refused.
func schemaVersion(ctx context.Context, db querier, d dialect) (v int, err error) {
	q := `SELECT count(*), count(*) FILTER (WHERE name = 'schema_version') FROM sqlite_schema WHERE type = 'table'`
	if d == postgresDialect {
		q = `SELECT count(*), count(*) FILTER (WHERE tablename = 'schema_version') FROM pg_catalog.pg_tables WHERE schemaname = current_schema()`
	}
	var tables, own int
	if err := db.QueryRowContext(ctx, q).Scan(&tables, &own); err != nil {
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
