package profile

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/wim"
)

func shipped(t testing.TB) Page {
	t.Helper()
	text, err := configs.Device("dimensions-open")
	if err != nil {
		t.Fatal(err)
	}
	p, err := LoadPage("dimensions-open", text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAMessageIsASizeOrIsRefusedWhole(t *testing.T) {
	p := shipped(t)
	for name, c := range map[string]struct {
		message string
		want    []wim.Dimensions
		alive   int
		err     string
	}{
		"the example of the page": {`{"id":"1-204","lane":"1","length_mm":12140,"width_mm":2530,"height_mm":3985}`, []wim.Dimensions{{Event: "1-204", Length: 12140, Width: 2530, Height: 3985}}, 0, ""},
		"height alone":            {`{"id":"a","lane":"1","height_mm":4100}`, []wim.Dimensions{{Event: "a", Height: 4100}}, 0, ""},
		"zero is not measured":    {`{"id":"a","lane":"1","length_mm":0,"height_mm":4100}`, []wim.Dimensions{{Event: "a", Height: 4100}}, 0, ""},
		"a sign of life":          {`{"alive":true}`, nil, 1, ""},
		"another lane's":          {`{"id":"a","lane":"2","height_mm":4100}`, nil, 1, ""},
		"nothing measured":        {`{"id":"a","lane":"1"}`, nil, 0, "no length, width or height"},
		"a bird":                  {`{"id":"a","lane":"1","height_mm":120}`, nil, 0, "120 mm is no vehicle's"},
		"a sign above the road":   {`{"id":"a","lane":"1","height_mm":12000}`, nil, 0, "12000 mm is no vehicle's"},
		"no number":               {`{"id":"a","lane":"1","height_mm":"high"}`, nil, 0, "is no number"},
		"below zero":              {`{"id":"a","lane":"1","height_mm":-4000}`, nil, 0, "below zero"},
		"no name":                 {`{"lane":"1","height_mm":4000}`, nil, 0, "id"},
		"half a message":          {`{"id":"a","lane":"1","heig`, nil, 0, "JSON"},
		"a good and a bad one":    {`[{"id":"a","lane":"1","height_mm":4000},{"id":"b","lane":"1","height_mm":1}]`, nil, 0, "record 2"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []wim.Dimensions
			alive, err := p.Decode([]byte(c.message), "1", func(s wim.Dimensions) { got = append(got, s) })
			if !slices.Equal(got, c.want) || alive != c.alive || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%+v, %d alive, %v", got, alive, err)
			}
		})
	}
}

func TestAPageThatCannotWorkIsRefusedWithItsPlace(t *testing.T) {
	const good = "kind: dimensions\nname: x\nformat: json\nheight: {at: h, unit: cm}\n"
	if _, err := LoadPage("x.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for want, text := range map[string]string{
		"x.yaml:1":              strings.Replace(good, "dimensions", "dimension", 1),
		"x.yaml:4":              strings.Replace(good, "unit: cm", "unit: kg", 1),
		"no path":               strings.Replace(good, "at: h,", `at: "..",`, 1),
		"measures nothing":      "kind: dimensions\nname: x\nformat: json\n",
		"hight":                 good + "hight: {at: h, unit: cm}\n",
		"want json, csv or xml": strings.Replace(good, "json", "yaml", 1),
	} {
		if _, err := LoadPage("x.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// heard runs a unit and gathers what it hands on.
type heard struct {
	unit *Unit
	mu   sync.Mutex
	got  []wim.Dimensions
}

func hear(t *testing.T, cfg Config) *heard {
	t.Helper()
	cfg.Device, cfg.Page = "laser-1", shipped(t)
	u, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := &heard{unit: u}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- u.Run(ctx, func(d wim.Dimensions) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.got = append(h.got, d)
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *heard) events() (out []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range h.got {
		if d.Arrival == 0 {
			out = append(out, "at no time")
		}
		out = append(out, d.Event)
	}
	return out
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func line(id string) string {
	return fmt.Sprintf(`{"id":%q,"lane":"1","length_mm":12140,"width_mm":2530,"height_mm":3985}`+"\n", id)
}

func TestAUnitIsHeardOverGarbageCutsAndItsOwnRestart(t *testing.T) {
	address, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := hear(t, Config{Address: address, Code: "1", Silence: time.Minute})
	until(t, "the unit to be down", func() bool { u := h.unit.Health(); return !u.Up && strings.Contains(u.Reason, "cannot be reached") })
	open := func() (net.Listener, net.Conn) {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return l, c
	}
	say := func(c net.Conn, text string) {
		if _, err := c.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	l, c := open()
	say(c, `mm":2530}`+"\n"+line("a")+"\x00\xff garbage\n"+line("b"))
	for _, b := range []byte(line("c")) { // every split of a message
		say(c, string(b))
	}
	until(t, "three sizes", func() bool { return len(h.events()) == 3 })
	if u := h.unit.Health(); !u.Up || u.Messages != 3 || u.Bad != 2 {
		t.Errorf("%+v", u)
	}
	say(c, line("half")[:20])
	c.Close() //nolint:errcheck // a cable that is pulled
	l.Close() //nolint:errcheck // as above
	until(t, "the loss", func() bool { return !h.unit.Health().Up })
	l, c = open()
	say(c, line("d"))
	until(t, "a size after it", func() bool { return len(h.events()) == 4 })
	say(c, strings.Repeat("x", 80<<10))
	until(t, "a line without end to be cut off", func() bool { u := h.unit.Health(); return strings.Contains(u.Reason, "longer than") })
	c.Close() //nolint:errcheck // as above
	l.Close() //nolint:errcheck // as above
	if got := h.events(); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
		t.Errorf("%q", got)
	}
}

func TestAUnitThatIsSilentIsLost(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // taken down with the test
	h := hear(t, Config{Address: l.Addr().String(), Silence: 100 * time.Millisecond})
	for range 2 { // and is connected to anew
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() //nolint:errcheck // as above
		until(t, "the silence", func() bool { u := h.unit.Health(); return !u.Up && strings.Contains(u.Reason, "timeout") })
	}
}

func TestAUnitPushes(t *testing.T) {
	address, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := hear(t, Config{Listen: address, Secret: "a-secret-of-the-tests"})
	until(t, "the port", func() bool { return h.unit.Health().Up })
	for body, want := range map[string]int{line("a"): 200, "{": 422, `{"alive":true}`: 200} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/a-secret-of-the-tests", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode/100 != want/100 {
			t.Errorf("%q: %s, %v", body, resp.Status, err)
		}
	}
	if got := h.events(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q", got)
	}
}

func TestTheSimulatorsUnitIsUnderstood(t *testing.T) {
	address, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sim, err := simulator.New(simulator.Scenario{Site: "north-1", Seed: 3, Traffic: simulator.Traffic{PerMinute: 600, Vehicles: 8, Speedup: 50},
		Lanes: []simulator.Lane{{Lane: 1, Scale: t.TempDir() + "/scale", Laser: address}}}, simulator.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h := hear(t, Config{Address: address, Code: "1", Silence: 10 * time.Second})
	until(t, "the unit", func() bool { return h.unit.Health().Up })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sim.Run(ctx) }()
	until(t, "all vehicles", func() bool { return len(h.events()) >= 8 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, d := range h.got {
		if d.Length < 4000 || d.Width < 2400 || d.Width > 2700 || d.Height < 2800 {
			t.Errorf("%+v", d)
		}
	}
}

func FuzzDecode(f *testing.F) {
	p := shipped(f)
	f.Add([]byte(line("a")), "1")
	f.Add([]byte(`[{"alive":1},{"id":"x","lane":"1","height_mm":4000.4}]`), "")
	f.Fuzz(func(t *testing.T, message []byte, code string) {
		n := 0
		_, err := p.Decode(message, code, func(d wim.Dimensions) {
			n++
			if d.Length|d.Width|d.Height == 0 || d.Length < 0 || d.Width < 0 || d.Height < 0 || d.Length > longest || d.Width > widest || d.Height > highest {
				t.Errorf("%+v", d)
			}
		})
		if err != nil && n > 0 {
			t.Errorf("%d sizes of a message that is refused: %v", n, err)
		}
	})
}
