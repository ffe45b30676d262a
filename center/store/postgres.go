package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// DefaultConns is the default of Config.Conns.
const DefaultConns = 16

// Open opens the store that the configuration names: a PostgreSQL database by URL, else the SQLite file of Path.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.URL != "" {
		return OpenPostgres(ctx, cfg)
	}
	return OpenSQLite(ctx, cfg)
}

// isURL tells a connection string from a path.
func isURL(place string) bool {
	return strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// OpenPostgres opens the store in a PostgreSQL database, brings its tables up to date and joins the centres
// that work on it, if any; the first begins a new epoch. A database of a later version, or of something else,
// is refused.
func OpenPostgres(ctx context.Context, cfg Config) (s *Store, err error) {
	if cfg.URL == "" {
		return nil, errors.New("store: a connection string is needed")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.fill()
	pc, err := connConfig(cfg.URL)
	if err != nil {
		return nil, err
	}
	s = newStore(postgresDialect, placeOf(pc), cfg)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open store %s: %w", s.place, err), s.Close())
			s = nil
		}
	}()
	// Two pools, so that readers never take the last connection from a writer.
	s.write, s.read = pool(pc, max(cfg.Conns/2, 1)), pool(pc, max(cfg.Conns/2, 1))
	if err := s.migrate(ctx); err != nil {
		return s, err
	}
	if err := s.makeMonths(ctx); err != nil {
		return s, err
	}
	return s, s.join(ctx, pc)
}

func pool(c *pgx.ConnConfig, conns int) *sql.DB {
	db := stdlib.OpenDB(*c, stdlib.OptionAfterConnect(compressFast))
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour) // so that a server that was replaced is found
	return db
}

// compressFast has the server compress records by LZ4, where it was built with it: a record is larger than a page
// takes as it is, and the older way costs more than all else that is done to store it.
func compressFast(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `SELECT set_config(name, 'lz4', false) FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)`)
	return err
}

// connConfig reads a connection string and adds what it leaves open. No error of it quotes the password.
func connConfig(url string) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("store: connection string: %w", err)
	}
	if err := inClear(c); err != nil {
		return nil, err
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	for k, v := range map[string]string{
		"application_name":                    "axlegate-center",
		"statement_timeout":                   "120s",
		"lock_timeout":                        "60s",
		"idle_in_transaction_session_timeout": "120s",
		"tcp_user_timeout":                    "30s", // a server that was unplugged is noticed
		// Every statement here finds its rows by an index. A plan made while a month's partition was empty must
		// not read all of it once it is full.
		"enable_seqscan": "off",
		"jit":            "off",
	} {
		if c.RuntimeParams[k] == "" {
			c.RuntimeParams[k] = v
		}
	}
	// These are promises, not defaults: a receipt says durable, and statements are written for these.
	for k, v := range map[string]string{
		"synchronous_commit":            "on",
		"default_transaction_isolation": "read committed",
		"default_transaction_read_only": "off",
		"standard_conforming_strings":   "on",
		"client_encoding":               "UTF8",
		"timezone":                      "UTC",
	} {
		c.RuntimeParams[k] = v
	}
	return c, nil
}

// inClear refuses a connection that could cross a network without TLS: records hold plates. The library tries
// each of a list of hosts, and under sslmode=prefer, its default, each again in clear.
func inClear(c *pgx.ConnConfig) error {
	refuse := func(host string, encrypted bool) error {
		if encrypted || strings.HasPrefix(host, "/") || host == "localhost" {
			return nil
		}
		if a, err := netip.ParseAddr(host); err == nil && a.Unmap().IsLoopback() {
			return nil
		}
		return fmt.Errorf("store: the connection to %s could be in clear; add sslmode=verify-full to the connection string, and sslrootcert for an authority of your own", host)
	}
	if err := refuse(c.Host, c.TLSConfig != nil); err != nil {
		return err
	}
	for _, f := range c.Fallbacks {
		if err := refuse(f.Host, f.TLSConfig != nil); err != nil {
			return err
		}
	}
	return nil
}

// placeOf names a database without its secrets.
func placeOf(c *pgx.ConnConfig) string {
	host := c.Host
	if !strings.HasPrefix(host, "/") {
		host = net.JoinHostPort(host, strconv.Itoa(int(c.Port)))
	}
	return "postgres " + host + " database " + c.Database
}
