package camera

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// streamer is a camera that is asked: it writes what it is given to whoever holds its stream open.
type streamer struct {
	t    *testing.T
	auth Auth
	n    *nonces
	say  chan []byte
	cut  chan struct{} // ends the stream that is open

	mu      sync.Mutex
	streams int
}

func (s *streamer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != alertStream || r.Method != http.MethodGet {
		s.t.Errorf("%s %s", r.Method, r.URL)
	}
	if ok, challenge := s.n.admitted(r, s.auth, "admin", "12345"); !ok {
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	s.streams++
	s.mu.Unlock()
	w.Header().Set("Content-Type", "multipart/mixed; boundary=boundary")
	w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(w)
	for {
		if err := out.Flush(); err != nil {
			return
		}
		select {
		case b := <-s.say:
			if _, err := w.Write(b); err != nil {
				return
			}
		case <-s.cut:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// part is one part of a stream, with its length or without.
func part(ctype, body string, length bool) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "--boundary\r\nContent-Type: %s\r\n", ctype)
	if length {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	fmt.Fprintf(&b, "\r\n%s\r\n", body)
	return b.Bytes()
}

type asked struct {
	*streamer
	cam  *Camera
	mu   sync.Mutex
	got  []taken
	deaf int // so many reads are not taken
}

func (a *asked) reads() []taken {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]taken(nil), a.got...)
}

func (a *asked) opened() int {
	a.streamer.mu.Lock()
	defer a.streamer.mu.Unlock()
	return a.streams
}

// ask runs a camera that is asked against a streamer.
func ask(t *testing.T, auth Auth, password string) *asked {
	t.Helper()
	return askFor(t, auth, password, func(*Camera) {})
}

func askFor(t *testing.T, auth Auth, password string, change func(*Camera)) *asked {
	t.Helper()
	a := &asked{streamer: &streamer{t: t, auth: auth, n: newNonces(time.Now), say: make(chan []byte), cut: make(chan struct{})}}
	srv := httptest.NewServer(a.streamer)
	t.Cleanup(srv.Close)
	cam, err := New(Config{Device: "cam-1", Lane: 2, End: wim.Front, Address: srv.URL, Username: "admin", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	change(cam)
	a.cam = cam
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- cam.Run(ctx, func(p wim.PlateRead, j []byte) bool {
			a.mu.Lock()
			defer a.mu.Unlock()
			if a.deaf > 0 {
				a.deaf--
				return false
			}
			a.got = append(a.got, taken{p, j})
			return true
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return a
}

func heartbeat(t *testing.T) string {
	return strings.NewReplacer(">ANPR<", ">videoloss<", ">active<", ">inactive<").Replace(anpr(t))
}

func TestAStreamBecomesReadsWithTheirPictures(t *testing.T) {
	for _, auth := range []Auth{NoAuth, Digest} {
		t.Run("auth "+string(auth), func(t *testing.T) {
			a := ask(t, auth, "12345")
			jpg := string(photo(t, 64, 48))
			a.say <- part("application/xml", heartbeat(t), true)
			a.say <- append(part("application/xml", anpr(t), true), part("image/jpeg", jpg, true)...)
			until(t, "the read", func() bool { return len(a.reads()) == 1 })
			if got := a.reads()[0]; got.read.Text != "川A12345" || got.read.Event != "example-0001" || got.read.Picture != wim.DigestOf([]byte(jpg)) || !a.cam.Health().Up {
				t.Errorf("%+v, %+v", got.read, a.cam.Health())
			}
			a.say <- part("application/xml", anpr(t), false) // the same without its picture, then a heartbeat
			a.say <- part("application/xml", heartbeat(t), false)
			a.say <- part("application/xml", strings.NewReplacer("example-0001", "e2", "<picNum>1</picNum>", "<picNum>0</picNum>").Replace(anpr(t)), true)
			until(t, "the next read", func() bool { r := a.reads(); return r[len(r)-1].read.Event == "e2" })
		})
	}
}

func TestAStreamThatEndsIsOpenedAgain(t *testing.T) {
	a := ask(t, Digest, "12345")
	a.say <- part("application/xml", "<broken", true)
	a.cut <- struct{}{}
	until(t, "the camera to be down", func() bool { return !a.cam.Health().Up && a.cam.Health().Reconnects == 1 })
	until(t, "the stream to be opened again", func() bool { return a.opened() == 2 && a.cam.Health().Up })
	a.say <- append(part("application/xml", anpr(t), true), part("image/jpeg", string(photo(t, 8, 8)), true)...)
	until(t, "the read", func() bool { return len(a.reads()) == 1 })
	if h := a.cam.Health(); h.Bad != 1 || h.Messages != 1 || h.Reason != "" {
		t.Errorf("%+v", h)
	}
}

func TestAStreamThatFallsSilentIsOpenedAgain(t *testing.T) {
	a := askFor(t, NoAuth, "12345", func(c *Camera) { c.idle = 20 * time.Millisecond })
	until(t, "the stream to be opened again", func() bool { return a.opened() == 2 })
	if h := a.cam.Health(); h.Reconnects == 0 {
		t.Errorf("%+v", h)
	}
}

func TestAWrongPasswordIsSaid(t *testing.T) {
	a := ask(t, Digest, "guess")
	until(t, "the reason", func() bool { return strings.Contains(a.cam.Health().Reason, "401") })
	if a.cam.Health().Up {
		t.Error("it is up")
	}
}

func TestAPasswordIsNotShownOnAnOpenLine(t *testing.T) {
	a := ask(t, Basic, "12345")
	until(t, "the reason", func() bool { return strings.Contains(a.cam.Health().Reason, "an https address") })
	if a.opened() != 0 {
		t.Error("it was shown")
	}
}

func TestAReadThatTheSiteCannotTakeIsOfferedAgain(t *testing.T) {
	a := ask(t, NoAuth, "12345")
	a.mu.Lock()
	a.deaf = 2
	a.mu.Unlock()
	a.say <- part("application/xml", strings.Replace(anpr(t), "<picNum>1</picNum>", "<picNum>0</picNum>", 1), true)
	until(t, "the read", func() bool { return len(a.reads()) == 1 })
}

func TestPartsOfAStream(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []string
		err  string
	}{
		"with lengths":                     {string(part("a", "one", true)) + string(part("b", "two", true)), []string{"one", "two"}, "EOF"},
		"without lengths":                  {string(part("a", "one", false)) + string(part("b", "two", false)), []string{"one", "two"}, "EOF"},
		"without carriage returns":         {"--boundary\nContent-Type: a\n\none\n--boundary\nContent-Type: a\n\ntwo\n", []string{"one", "two"}, "EOF"},
		"blank lines around boundaries":    {"\r\n\r\n--boundary\r\n\r\nContent-Type: a\r\n\r\none\r\n\r\n--boundary\r\nX: y\r\n\r\ntwo\r\n", []string{"one\r\n", "two"}, "EOF"},
		"a boundary within a part":         {string(part("a", "--boundary\r\n", true)), []string{"--boundary\r\n"}, "EOF"},
		"too large a part":                 {"--boundary\r\nContent-Length: 1000\r\n\r\n", nil, "at most 100"},
		"a part without an end":            {"--boundary\r\nA: b\r\n\r\n" + strings.Repeat("x\n", 200), nil, "more than 100"},
		"a header without an end":          {"--boundary\r\n" + strings.Repeat("A: b\r\n", 2000), nil, "no end to its header"},
		"one that is cut off in a picture": {"--boundary\r\nContent-Length: 10\r\n\r\nabc", nil, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartReader(strings.NewReader(c.in), "boundary", 100)
			var got []string
			for {
				part, err := p.next()
				if err != nil {
					if !strings.Contains(err.Error(), c.err) {
						t.Errorf("%v, want %q", err, c.err)
					}
					break
				}
				got = append(got, string(part.data))
			}
			if strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func FuzzStream(f *testing.F) {
	f.Add("boundary", append(part("application/xml", anpr(f), true), part("image/jpeg", "jpeg", false)...))
	f.Fuzz(func(t *testing.T, boundary string, b []byte) {
		p := newPartReader(bytes.NewReader(b), boundary, 1<<10)
		for n := 0; ; n++ {
			part, err := p.next()
			if err != nil {
				return
			}
			if len(part.data) > 1<<10 || n > len(b) {
				t.Fatalf("%d bytes in part %d", len(part.data), n)
			}
		}
	})
}
