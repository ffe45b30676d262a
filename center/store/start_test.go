package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// server is the PostgreSQL server of this test run, started when the first test asks for it.
type server struct {
	mu   sync.Mutex
	dir  string
	port int
	cmd  *exec.Cmd
	n    int
}

var private server // one server for all tests of the run

func TestMain(m *testing.M) {
	code := m.Run()
	if err := private.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// postgres makes a new database and returns its connection string.
func postgres(tb testing.TB) string {
	tb.Helper()
	url, err := private.database(context.WithoutCancel(tb.Context()))
	if err != nil {
		tb.Fatal(err)
	}
	return url
}

func (s *server) database(ctx context.Context) (url string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		if err := s.start(ctx); err != nil {
			return "", fmt.Errorf("start PostgreSQL: %w", err)
		}
	}
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s.n++
	name := fmt.Sprintf("t%d", s.n)
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+name)
	return s.url(name), err
}

func (s *server) url(db string) string {
	return fmt.Sprintf("postgres://axle@127.0.0.1:%d/%s", s.port, db)
}

func (s *server) start(ctx context.Context) error {
	if s.dir == "" {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.port = l.Addr().(*net.TCPAddr).Port
		dir, err := os.MkdirTemp("", "axlegate-pg")
		if err = errors.Join(err, l.Close()); err != nil {
			return err
		}
		s.dir = dir
		if u := s.user(); u != nil {
			if err := os.Chown(dir, int(u.Uid), int(u.Gid)); err != nil {
				return err
			}
		}
		if out, err := s.command(ctx, "initdb", "-D", filepath.Join(dir, "data"), "-A", "trust", "-U", "axle", "--no-locale", "-E", "UTF8", "-N").CombinedOutput(); err != nil {
			return fmt.Errorf("initdb: %w: %s", err, out)
		}
	}
	s.cmd = s.command(ctx, "postgres", "-D", filepath.Join(s.dir, "data"), "-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(s.port),
		"-c", "unix_socket_directories=", "-c", "max_connections=200")
	s.cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT // with a test run that is killed
	if err := s.cmd.Start(); err != nil {
		return err
	}
	db, err := sql.Open("pgx", s.url("postgres"))
	for end := time.Now().Add(30 * time.Second); err == nil; {
		perr := db.PingContext(ctx)
		if perr == nil {
			return db.Close()
		}
		if time.Now().After(end) {
			return perr
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// user is the one under whom the server runs, who must not be root.
func (s *server) user() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil
	}
	uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
	if uerr != nil || gerr != nil {
		return nil
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// tool finds a program of PostgreSQL, where Debian puts them or on the path.
func tool(name string) string {
	if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); err == nil && len(found) > 0 {
		return found[len(found)-1]
	}
	return name
}

func (s *server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, tool(name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user()}
	return cmd
}

func (s *server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		if err := s.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
			return err
		}
		var exit *exec.ExitError
		if err := s.cmd.Wait(); err != nil && !errors.As(err, &exit) {
			return err
		}
		s.cmd = nil
	}
	return os.RemoveAll(s.dir)
}

// restart kills the server as a crash would and starts it again on what it left.
func (s *server) restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		return err
	}
	var exit *exec.ExitError
	if err := s.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	s.cmd = nil
	return s.start(ctx)
}
