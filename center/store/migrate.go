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

// migrate applies the steps that the store has not seen, each in a transaction of its own.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := readMigrations(s.dialect)
	if err != nil {
		return err
	}
	version, err := schemaVersion(ctx, s.write, s.dialect)
	if err != nil {
		return err
	}
	if version > len(steps) {
		return fmt.Errorf("it has schema version %d, this build knows %d; run the build that wrote it, or a later one", version, len(steps))
	}
	for _, m := range steps[version:] {
		err := s.transact(ctx, fmt.Sprintf("migrate to version %d", m.version), func(t *tx) error {
			if m.version == 1 {
				if err := t.run(ctx, `CREATE TABLE schema_version (version BIGINT PRIMARY KEY, applied BIGINT NOT NULL)`); err != nil {
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
		s.log.Info("store: schema brought up to date", "place", s.place, "version", m.version)
	}
	return nil
}

// schemaVersion is 0 for an empty database. A database of something else is refused.
func schemaVersion(ctx context.Context, db *sql.DB, d dialect) (v int, err error) {
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
