package inbox

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/freeport"
)

// taker answers messages by their text and keeps those that it took.
type taker struct {
	mu    sync.Mutex
	taken []string
}

func (x *taker) take(_ context.Context, message []byte) error {
	text := strings.TrimSpace(string(message))
	switch {
	case strings.HasPrefix(text, "broken"):
		return &Unreadable{errors.New("it is broken")}
	case strings.HasPrefix(text, "wrong"):
		return &Refused{errors.New("7 is wrong")}
	case strings.HasPrefix(text, "busy"):
		return errors.New("the disk is full")
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.taken = append(x.taken, text)
	return nil
}

func (x *taker) have() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.taken)
}

func quiet() Watch {
	return Watch{Up: func() {}, Down: func(error) {}, Bad: func(string, error) {}, Log: slog.New(slog.DiscardHandler), Now: time.Now}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come", what)
		}
	}
}

func TestAPushIsAnsweredByWhatBecameOfIt(t *testing.T) {
	x := &taker{}
	ctx, cancel := context.WithCancel(t.Context())
	up := make(chan struct{}, 8)
	w := quiet()
	w.Up = func() { up <- struct{}{} }
	addr, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := &Push{Listen: addr, Secret: "s3cret", Take: x.take, Watch: w}
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	<-up
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"one that was taken", http.MethodPost, "/s3cret", "a", 204, ""},
		{"one that cannot be read", http.MethodPost, "/s3cret", "broken", 400, "it is broken"},
		{"one of which a part is refused", http.MethodPost, "/s3cret", "wrong", 422, "7 is wrong"},
		{"one that cannot be taken now does not tell why", http.MethodPost, "/s3cret", "busy", 503, "send it again"},
		{"one that is too large", http.MethodPost, "/s3cret", strings.Repeat(" ", MaxPush+1), 413, "too large"},
		{"one to another path", http.MethodPost, "/other", "b", 404, ""},
		{"a question", http.MethodGet, "/s3cret", "", 405, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+p.Listen+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close() //nolint:errcheck // read whole below
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != c.status || !strings.Contains(string(body), c.says) || strings.Contains(string(body), "disk") {
				t.Errorf("%d %q, %v", res.StatusCode, body, err)
			}
		})
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := x.have(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("taken %q", got)
	}
}

func TestAFileIsSetAsideByWhatBecameOfIt(t *testing.T) {
	dir, x := t.TempDir(), &taker{}
	var mu sync.Mutex
	now := time.Now()
	w := quiet()
	w.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	f := &Folder{Dir: dir, Files: "*.txt", Lines: true, Poll: 5 * time.Millisecond, Take: x.take, Watch: w}
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	there := func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	}
	for name, text := range map[string]string{"1.txt": "one\n", "2.txt": "half", "3.txt": "broken\n", "4.txt": "wrong\n", "5.dat": "none of ours\n", ".6.txt": "hidden\n", "7.txt": "seven\n"} {
		put(name, text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	until(t, "the last file", func() bool { return there("taken/7.txt") })
	for name, want := range map[string]bool{"taken/1.txt": true, "2.txt": true, "3.txt": true, "refused/4.txt": true, "refused/4.txt.why": true, "5.dat": true, ".6.txt": true} {
		if there(name) != want {
			t.Errorf("%s is there: %v", name, !want)
		}
	}
	put("1.txt", "one again\n")
	until(t, "a second file of that name", func() bool { return there("taken/2-1.txt") })
	mu.Lock()
	now = now.Add(2 * patience)
	mu.Unlock()
	until(t, "the broken file, no longer young", func() bool { return there("refused/3.txt") && there("taken/2.txt") })
	mu.Lock()
	now = now.Add(keepTaken + sweep)
	mu.Unlock()
	until(t, "the sweep", func() bool { return !there("taken/1.txt") })
	if !there("refused/4.txt") {
		t.Error("a refused file was deleted")
	}
	put("8.txt", "busy\n")
	until(t, "a look that fails", func() bool { return there("8.txt") })
	cancel()
	<-done
	if got := x.have(); !slices.Equal(got, []string{"one", "seven", "one again", "half"}) {
		t.Errorf("taken %q", got)
	}
}

func TestPatterns(t *testing.T) {
	for text, want := range map[string]bool{"*.json": true, "a?.csv": true, "[": false, "a/b": false, `a\b`: false} {
		if IsPattern(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
