package simulator

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	_ "image/jpeg" // pictures are decoded
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/wim"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestTheBytesOfAFrameAreFixed(t *testing.T) {
	p := passage{speed: 652, length: 9800, total: 18100, indicated: make([]axle, 2)}
	var b strings.Builder
	for _, f := range [][]byte{
		af1Frame('H', 0x0A0B0C0D, 7, af1Heartbeat(1000)),
		af1Frame('A', 0x0A0B0C0D, 1, af1Axle(2000, 1, axle{Load: 6900, Left: 3400, Right: 3500}, 652)),
		af1Frame('E', 0x0A0B0C0D, 3, af1End(2400, &p)),
	} {
		b.WriteString(strings.ToUpper(hex.EncodeToString(f)) + "\n")
	}
	golden := filepath.Join("testdata", "af1.hex")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("have\n%swant\n%s", b.String(), want)
	}
}

func TestThePictureShowsThePlate(t *testing.T) {
	for _, front := range []bool{true, false} {
		b, box, err := newPainter(front).overview("川A12345", "north-1", 1, time.Unix(0, 0).UTC(), 9)
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := image.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		yellow, dark := 0, 0
		for y := box.Min.Y; y < box.Max.Y; y++ {
			for x := box.Min.X; x < box.Max.X; x++ {
				r, g, bl, _ := m.At(x, y).RGBA()
				switch {
				case r>>8 > 200 && g>>8 > 150 && bl>>8 < 110:
					yellow++
				case r>>8 < 90 && g>>8 < 90:
					dark++
				}
			}
		}
		all := box.Dx() * box.Dy()
		if yellow < all/2 || dark < all/20 || len(b) > 120<<10 {
			t.Errorf("front %v: of %d pixels %d are yellow and %d dark; %d bytes", front, all, yellow, dark, len(b))
		}
	}
}

// collector is the site that cameras push to. It refuses the first push.
type collector struct {
	mu     sync.Mutex
	events []string // XML
	refuse int
	got    chan struct{}
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse > 0 {
		c.refuse--
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	m := multipart.NewReader(r.Body, params["boundary"])
	for n := 0; ; n++ {
		p, err := m.NextPart()
		if err != nil {
			break
		}
		b, err := io.ReadAll(p)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if n == 0 {
			c.events = append(c.events, string(b))
		}
	}
	select {
	case c.got <- struct{}{}:
	default:
	}
}

func (c *collector) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.events...)
}

// stand runs a scenario until the test ends.
func stand(t *testing.T, s Scenario, shown func(wim.LaneID, SignState)) (*Simulator, *lockedWriter) {
	t.Helper()
	truth := &lockedWriter{}
	sim, err := New(s, Config{Dir: t.TempDir(), Truth: truth, Shown: shown})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if _, err := os.Lstat(sim.lanes[0].Scale); err == nil {
			t.Error("the line was left behind")
		}
	})
	return sim, truth
}

type lockedWriter struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *lockedWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

func (w *lockedWriter) vehicles(t *testing.T) []Truth {
	t.Helper()
	var out []Truth
	for line := range strings.Lines(w.String()) {
		var v Truth
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		if v.EndSeq != 0 {
			out = append(out, v)
		}
	}
	return out
}

func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !cond() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestALaneOfTrafficOnRealDevices(t *testing.T) {
	col := &collector{refuse: 1, got: make(chan struct{}, 1)}
	srv := httptest.NewServer(col)
	t.Cleanup(srv.Close)
	s := Scenario{Site: "t-1", Seed: 5, Control: "127.0.0.1:0", Traffic: Traffic{PerMinute: 1200, Vehicles: 6, Speedup: 50},
		Lanes:  []Lane{{Lane: 1, Scale: "dev/scale", FrontCamera: srv.URL, RearCamera: srv.URL, Sign: "127.0.0.1:0"}},
		Faults: []Fault{{Lane: 1, After: 1, Kind: DropFrame}, {Lane: 1, After: 2, Kind: Garbage}, {Lane: 1, After: 3, Kind: NoPlate}, {Lane: 1, After: 4, Kind: Restart}}}
	sim, truth := stand(t, s, nil)
	until(t, "six vehicles and twelve events", func() bool { return len(truth.vehicles(t)) == 6 && len(col.all()) == 12 })

	v := truth.vehicles(t)
	for i := 1; i < len(v); i++ {
		same := v[i].Boot == v[i-1].Boot
		if same != (i != 4) {
			t.Errorf("vehicle %d: boot %d after %d", i, v[i].Boot, v[i-1].Boot)
		}
		if same && v[i].FirstSeq != v[i-1].EndSeq+1 || !same && v[i].FirstSeq != 1 || int(v[i].EndSeq-v[i].FirstSeq) != len(v[i].Axles) {
			t.Errorf("vehicle %d has messages %d to %d after %d, with %d axles", i, v[i].FirstSeq, v[i].EndSeq, v[i-1].EndSeq, len(v[i].Axles))
		}
	}
	seen, unread, uuids := map[string]bool{}, 0, map[string]bool{}
	for _, e := range col.all() {
		text := between(e, "<licensePlate>", "<")
		seen[text] = true
		if text == "unknown" {
			unread++
		}
		if id := between(e, "<UUID>", "<"); uuids[id] {
			t.Errorf("event %s twice, though it was taken", id)
		} else {
			uuids[id] = true
		}
	}
	for i, x := range v {
		if i != 3 && (!seen[x.Plates.Front] || !seen[x.Plates.Rear]) {
			t.Errorf("the plates %+v were not seen", x.Plates)
		}
	}
	if unread != 2 {
		t.Errorf("%d events without a plate, want both of one vehicle", unread)
	}
	checkSign(t, sim)
	checkControl(t, sim, truth)
}

func between(s, a, b string) string {
	_, s, _ = strings.Cut(s, a)
	s, _, _ = strings.Cut(s, b)
	return s
}

// checkSign gives an order as another maker's client and reads it back until it has blanked itself.
func checkSign(t *testing.T, sim *Simulator) {
	t.Helper()
	c, err := modbus.NewClient(&modbus.ClientConfiguration{URL: "tcp://" + sim.SignAddr(1), Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Open(); err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // the test is over
	if err := c.WriteRegisters(0, []uint16{signEnter, 9, 2, '川', 'A', '1'}); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteCoil(0, true); err != nil {
		t.Fatal(err)
	}
	if s, ok := sim.Sign(1); !ok || s.Message != "enter" || s.Number != 9 || s.Plate != "川A1" || !s.Light {
		t.Errorf("sign shows %+v", s)
	}
	until(t, "the sign to blank itself", func() bool {
		r, err := c.ReadRegisters(0, 3, modbus.INPUT_REGISTER)
		if err != nil {
			t.Fatal(err)
		}
		return r[0] == signBlank && r[1] == 9
	})
	if s, _ := sim.Sign(1); s.Light || s.Plate != "" {
		t.Errorf("after its time it shows %+v", s)
	}
}

func checkControl(t *testing.T, sim *Simulator, truth *lockedWriter) {
	t.Helper()
	call := func(method, path string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+sim.ControlAddr()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() //nolint:errcheck // read to its end
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	until(t, "the lane to be done", func() bool { _, s := call("GET", "/state"); return strings.Contains(s, `"done":true`) })
	link := sim.lanes[0].Scale
	if code, s := call("POST", "/lanes/1/pull"); code != 200 {
		t.Errorf("pull: %d %s", code, s)
	}
	if _, err := os.Lstat(link); err == nil {
		t.Error("the line is still there")
	}
	if code, s := call("POST", "/lanes/1/plug"); code != 200 {
		t.Errorf("plug: %d %s", code, s)
	}
	if _, err := os.Stat(link); err != nil {
		t.Error(err)
	}
	if code, s := call("GET", "/truth"); code != 200 || s != truth.String() {
		t.Errorf("truth: %d %s", code, s)
	}
	boot, seq := sim.lanes[0].scale.numbers()
	if code, s := call("GET", "/lanes/1/boot"); code != 200 || s != fmt.Sprintf("{\"boot\":%d,\"seq\":%d}\n", boot, seq) {
		t.Errorf("boot: %d %s", code, s)
	}
	for path, want := range map[string]int{"/lanes/7/pull": 404, "/lanes/1/fault/earthquake": 400, "/lanes/1/fault/garbage": 200} {
		if code, s := call("POST", path); code != want {
			t.Errorf("%s: %d %s", path, code, s)
		}
	}
}

func TestAScenarioWithAMistakeIsRefused(t *testing.T) {
	good := "site: a\nlanes: [{lane: 1, scale: x}]\n"
	for _, c := range []struct{ name, yaml, want string }{
		{"no lanes", "site: a\n", "lanes is missing"},
		{"a lane twice", "site: a\nlanes: [{lane: 1, scale: x}, {lane: 1, scale: y}]\n", "used twice"},
		{"a fault on no lane", good + "faults: [{lane: 2, kind: garbage}]\n", "there is no lane 2"},
		{"an unknown fault", good + "faults: [{lane: 1, kind: meteor}]\n", "there are garbage"},
		{"an unknown key", good + "trffic: {}\n", `did you mean "traffic"`},
		{"shares above one together", good + "traffic: {overloaded_permille: 600, over_limit_permille: 500}\n", "at most 1000"},
		{"licences for none", good + "traffic: {fleet: 3, over_limit_permille: 50}\n", "at least 4 vehicles"},
		{"two scales on one line", "site: a\nlanes: [{lane: 1, scale: x}, {lane: 2, scale: ./x}]\n", "another lane's line"},
		{"a lane without a scale", "site: a\nlanes: [{lane: 1}]\n", "want one of scale"},
		{"a lane with two scales", "site: a\nlanes: [{lane: 1, scale: x, scale_modbus: 127.0.0.1:5021}]\n", "want one of scale"},
		{"a scale without a port", "site: a\nlanes: [{lane: 1, scale_modbus: 127.0.0.1}]\n", "write it as 127.0.0.1:5021"},
		{"a camera of an unknown format", "site: a\nlanes: [{lane: 1, scale: x, front_format: morse}]\n", "there are hikvision dahua"},
		{"a fault of the other kind of scale", good + "faults: [{lane: 1, kind: torn-ring}]\n", "lane 1 has a serial one"},
		{"a camera that pushes nowhere", "site: a\nlanes: [{lane: 1, scale: x, front_camera: 127.0.0.1:80}]\n", "write it as http://"},
		{"a sign without a port", "site: a\nlanes: [{lane: 1, scale: x, sign: 127.0.0.1}]\n", "write it as 127.0.0.1:5020"},
		{"a fault by count and by time", good + "faults: [{lane: 1, kind: garbage, after: 2, at: 3s}]\n", "not both"},
		{"a share above one", good + "traffic: {overloaded_permille: 1200}\n", "between 0 and 1000"},
		{"a control port for everybody", good + "control: 0.0.0.0:1\n", "127.0.0.1 only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s.yaml")
			if err := os.WriteFile(path, []byte(c.yaml), 0o644); err != nil {
				t.Fatal(err)
			}
			s, err := Load(path)
			if err == nil {
				_, err = New(s, Config{})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
