package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// PostgresInstance is a private PostgreSQL server.
type PostgresInstance struct {
	// Port is on 127.0.0.1; it stays over restarts.
	Port int
	// Data is the folder of the cluster.
	Data string

	bin  string // folder of the server's programs
	as   *syscall.Credential
	dog  *watchdog
	proc *process
	n    atomic.Int64
}

// shared is the server of all tests of a process: starting one for each would take most of their time.
//
//nolint:gochecknoglobals // a test process has no other place that all its tests reach
var shared struct {
	mu sync.Mutex
	p  *PostgresInstance
}

// Postgres gives the connection string of a fresh, empty database on a server that all tests of this process
// share and that ends with the process.
func Postgres(tb testing.TB) (url string) {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.p == nil {
		shared.p = newPostgres(tb)
	}
	return shared.p.Database(tb)
}

// NewPostgres starts a server of the test's own, which the test may stop, kill and start again.
func NewPostgres(tb testing.TB) *PostgresInstance {
	tb.Helper()
	p := newPostgres(tb)
	tb.Cleanup(func() {
		if err := p.dog.end(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

func newPostgres(tb testing.TB) *PostgresInstance {
	tb.Helper()
	initdb := program(tb, postgresTool())
	p := &PostgresInstance{Port: freePort(tb), bin: filepath.Dir(initdb), as: servant("postgres")}
	var dir string
	dir, p.dog = folder(tb, p.as)
	p.Data = filepath.Join(dir, "data")
	cmd := exec.CommandContext(tb.Context(), initdb, "-D", p.Data, "-A", "trust", "-U", "axlegate", "--no-locale", "-E", "UTF8", "--no-sync")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("initdb: %v\n%s", err, out)
	}
	p.Start(tb)
	return p
}

// Start starts a server that was stopped or killed, with the data that it left.
func (p *PostgresInstance) Start(tb testing.TB) {
	tb.Helper()
	var err error
	p.proc, err = start(p.dog, p.as, filepath.Join(p.bin, "postgres"), "-D", p.Data, "-p", strconv.Itoa(p.Port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "max_connections=200")
	if err == nil {
		err = p.proc.answers(func() error { return p.psql(context.WithoutCancel(tb.Context()), "postgres", "SELECT 1") })
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// Stop stops the server in order: clients are disconnected, everything is written.
func (p *PostgresInstance) Stop(tb testing.TB) { tb.Helper(); p.end(tb, syscall.SIGINT) }

// Kill stops the server as a crash would.
func (p *PostgresInstance) Kill(tb testing.TB) { tb.Helper(); p.end(tb, syscall.SIGQUIT) }

func (p *PostgresInstance) end(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	if err := p.proc.signal(s); err != nil {
		tb.Fatal(err)
	}
}

// URL is the connection string of a database of the server.
func (p *PostgresInstance) URL(database string) string {
	return fmt.Sprintf("postgres://axlegate@127.0.0.1:%d/%s?sslmode=disable", p.Port, database)
}

// Database makes an empty database and gives its connection string.
func (p *PostgresInstance) Database(tb testing.TB) (url string) {
	tb.Helper()
	name := fmt.Sprintf("test_%d", p.n.Add(1))
	if err := p.psql(context.WithoutCancel(tb.Context()), "postgres", "CREATE DATABASE "+name); err != nil {
		tb.Fatal(err)
	}
	return p.URL(name)
}

// Dump writes a database to a file, as an operator's backup does.
func (p *PostgresInstance) Dump(tb testing.TB, url, file string) {
	tb.Helper()
	p.run(tb, "pg_dump", "-Fc", "-f", file, url)
}

// Restore reads a dump into an empty database.
func (p *PostgresInstance) Restore(tb testing.TB, file, url string) {
	tb.Helper()
	p.run(tb, "pg_restore", "--exit-on-error", "-d", url, file)
}

func (p *PostgresInstance) run(tb testing.TB, program string, args ...string) {
	tb.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), filepath.Join(p.bin, program), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", program, err, out)
	}
}

func (p *PostgresInstance) psql(ctx context.Context, database, statement string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, p.URL(database))
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("psql: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
