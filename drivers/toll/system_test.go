package toll

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/drivers/inbox"
	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/wim"
)

var errNever = errors.New("it cannot be meant")

// site takes transactions as a site does: each once by its name; some never, some not now.
type site struct {
	mu    sync.Mutex
	taken []string
	full  bool
}

func (s *site) take(_ context.Context, t wim.Transaction) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case strings.HasPrefix(t.ID, "never"):
		return fmt.Errorf("%w: as it says", errNever)
	case s.full:
		return errors.New("the disk is full")
	case !slices.Contains(s.taken, t.ID):
		s.taken = append(s.taken, t.ID)
	}
	return nil
}

func (s *site) have() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.taken, " ")
}

func (s *site) set(full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = full
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%s did not come", what)
		}
	}
}

func run(t *testing.T, cfg Config, s *site) *System {
	t.Helper()
	cfg.System, cfg.Never, cfg.Poll = "toll", errNever, 5*time.Millisecond
	sys, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sys.Run(ctx, s.take) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	until(t, "the way to the system", func() bool { return sys.Health().Up })
	return sys
}

func told(ids ...string) string {
	var out []string
	for _, id := range ids {
		out = append(out, fmt.Sprintf(`{"id":%q,"type":"toll-entry","time":"2031-05-06T07:08:09Z"}`, id))
	}
	return "[" + strings.Join(out, ",") + "]"
}

func TestAPushIsAnsweredWhenItsTransactionsAreCommitted(t *testing.T) {
	addr, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{}
	sys := run(t, Config{Page: shipped(t, "toll-open"), Listen: addr, Secret: "s3cret"}, s)
	for _, c := range []struct {
		name   string
		full   bool
		body   string
		status int
		says   string
		taken  string
	}{
		{"two at once", false, told("1", "2"), 204, "", "1 2"},
		{"one of them again", false, told("2"), 204, "", "1 2"},
		{"while the site cannot write", true, told("3"), 503, "send it again", "1 2"},
		{"again when it can", false, told("3"), 204, "", "1 2 3"},
		{"one that can never be taken between others", false, told("4", "never-1", "5"), 422, "never-1", "1 2 3 4 5"},
		{"one of a type that the page does not name", false, strings.Replace(told("6"), "toll-entry", "parking", 1), 422, `transaction 6: type is "parking"`, "1 2 3 4 5"},
		{"what is no message", false, "{", 400, "not JSON", "1 2 3 4 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.set(c.full)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/s3cret", strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close() //nolint:errcheck // read whole below
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != c.status || !strings.Contains(string(body), c.says) || s.have() != c.taken {
				t.Errorf("%d %q %v, taken %s", res.StatusCode, body, err, s.have())
			}
		})
	}
	if h := sys.Health(); h.Messages != 6 || h.Bad != 3 {
		t.Errorf("health %+v", h)
	}
}

func TestAFileIsSetAsideWhenItsTransactionsAreCommitted(t *testing.T) {
	dir, s := t.TempDir(), &site{full: true}
	run(t, Config{Page: shipped(t, "toll-open"), Folder: dir}, s)
	for name, body := range map[string]string{"1.json": told("1"), "2.json": told("2", "never-2", "3")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	there := func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	}
	until(t, "the folders", func() bool { return there("refused") })
	if !there("1.json") || !there("2.json") {
		t.Error("a file was set aside that was not taken")
	}
	s.set(false)
	until(t, "both files", func() bool { return there("taken/1.json") && there("refused/2.json") })
	why, err := os.ReadFile(filepath.Join(dir, "refused", "2.json.why"))
	if err != nil || !strings.Contains(string(why), "never-2") || s.have() != "1 2 3" {
		t.Errorf("%s %v, taken %s", why, err, s.have())
	}
}

// fakeQueue gives each message until it is taken.
type fakeQueue []string

func (q fakeQueue) Run(ctx context.Context, watch inbox.Watch, take inbox.Take) error {
	watch.Up()
	for _, m := range q {
		for ctx.Err() == nil {
			err := take(ctx, []byte(m))
			var unreadable *inbox.Unreadable
			var refused *inbox.Refused
			if err == nil || errors.As(err, &unreadable) || errors.As(err, &refused) {
				break
			}
		}
	}
	<-ctx.Done()
	return nil
}

func TestAQueuesMessagesAreTakenOneAfterTheOther(t *testing.T) {
	s := &site{}
	run(t, Config{Page: shipped(t, "toll-open"), Queue: fakeQueue{told("1"), "{", told("never-1"), told("2", "3")}}, s)
	until(t, "all messages", func() bool { return s.have() == "1 2 3" })
}

func TestWhatCannotBeASystemIsRefused(t *testing.T) {
	good := Config{System: "toll", Page: shipped(t, "toll-open"), Folder: "x", Never: errNever}
	for name, change := range map[string]func(*Config){
		"no name":                 func(c *Config) { c.System = "" },
		"no way":                  func(c *Config) { c.Folder = "" },
		"two ways":                func(c *Config) { c.Listen = "127.0.0.1:1" },
		"a port without a secret": func(c *Config) { c.Folder, c.Listen = "", "127.0.0.1:1" },
		"a folder without files":  func(c *Config) { c.Page.Files = "" },
		"a page that is none":     func(c *Config) { c.Page = Page{} },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}
