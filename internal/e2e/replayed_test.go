package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"log/slog"

	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/drivers/camera"
	"github.com/axlegate/axlegate/drivers/serial"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/audit"
	"github.com/axlegate/axlegate/internal/capture"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// A site in a bubble of its own time: real drivers, journal and law; its lines lie in memory.

// deafLink takes everything, and no receipt ever comes.
type deafLink struct{ up chan struct{} }

func (deafLink) Publish(context.Context, []byte) error { return nil }
func (l deafLink) Up() <-chan struct{}                 { return l.up }

// memoryLine is a serial line in memory.
type memoryLine struct {
	pieces chan []byte
	rest   []byte
}

func (l *memoryLine) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		t := time.NewTimer(time.Second)
		defer t.Stop()
		select {
		case l.rest = <-l.pieces:
		case <-t.C:
			return 0, nil
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func (*memoryLine) Close() error { return nil }

// pushed gathers what a camera says on each connection and hands whole requests to the site's camera.
type pushed struct {
	t      *testing.T
	camera *camera.Camera
	parts  map[int][]byte
}

func (p *pushed) take(e capture.Entry) {
	switch {
	case e.From == capture.Device:
		p.parts[e.Conn] = append(p.parts[e.Conn], e.Bytes...)
	case e.Event == capture.Close:
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(p.parts[e.Conn])))
		if err != nil {
			p.t.Error(err)
			return
		}
		delete(p.parts, e.Conn)
		answer := httptest.NewRecorder()
		p.camera.ServeHTTP(answer, req)
		if answer.Code != http.StatusOK {
			p.t.Errorf("at %s the site answered a push with %d: %s", e.At, answer.Code, answer.Body)
		}
	}
}

// rehearsal is a site of one lane with two cameras.
type rehearsal struct {
	takes map[string]func(capture.Entry) // by device: what came at once
	stop  func()
	path  string // of its journal, to be read after stop
}

const taped = "lane-1-"

func rehearse(t *testing.T) *rehearsal {
	t.Helper()
	law, err := configs.Rules("cn")
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Load("cn", law)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := seal.NewSigner(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	r := &rehearsal{takes: map[string]func(capture.Entry){}, path: filepath.Join(t.TempDir(), "journal.db")}
	line := &memoryLine{pieces: make(chan []byte, 1024)}
	scale, err := serial.New(serial.Config{Device: "scale-1", Open: func(context.Context) (io.ReadCloser, error) { return line, nil }})
	if err != nil {
		t.Fatal(err)
	}
	r.takes["scale-1"] = func(e capture.Entry) {
		if e.From == capture.Device {
			line.pieces <- e.Bytes
		}
	}
	lane := edge.LaneConfig{Lane: 1, Purpose: wim.Enforcement, Device: "scale-1", Scale: scale, Instrument: wim.Instrument{ID: "scale-1"}}
	for _, end := range []wim.End{wim.Front, wim.Rear} {
		c, err := camera.New(camera.Config{Device: taped + string(end), Lane: 1, End: end, Secret: "a-secret-of-the-tests-only", Format: camera.Hikvision})
		if err != nil {
			t.Fatal(err)
		}
		lane.Cameras = append(lane.Cameras, edge.CameraConfig{Device: taped + string(end), Camera: c})
		r.takes[taped+string(end)] = (&pushed{t, c, map[int][]byte{}}).take
	}
	synchronised := func() wim.ClockState { return wim.ClockSynchronised }
	began := time.Now()
	keeper := edge.OpenTimekeeper(edge.TimekeeperConfig{System: synchronised, Elapsed: func() time.Duration { return time.Since(began) }})
	j, err := journal.Open(t.Context(), journal.Config{Path: r.path, Site: "north-1", Key: signer.ID, Clock: synchronised})
	if err != nil {
		t.Fatal(err)
	}
	site, err := edge.New(edge.Config{
		Site: "north-1", Road: wim.Road{Name: "G1", Class: "expressway"}, Lanes: []edge.LaneConfig{lane}, Journal: j, Signer: signer,
		CenterKeys: []*seal.Verifier{signer.Verifier()}, Link: deafLink{make(chan struct{})}, Rules: set, Clock: synchronised, Timekeeper: keeper,
		Pictures: edge.PictureConfig{Dir: filepath.Join(t.TempDir(), "pictures")}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- site.Run(ctx) }()
	synctest.Wait()
	r.stop = func() {
		t.Helper()
		cancel()
		if err := errors.Join(<-done, j.Close()); err != nil {
			t.Error(err)
		}
	}
	return r
}

// records are all that the journal holds, byte by byte.
func (r *rehearsal) records(t *testing.T) (raw [][]byte, passages int) {
	t.Helper()
	if _, err := journal.Audit(t.Context(), r.path, func(rec *wim.Record, content []byte) error {
		raw = append(raw, slices.Clone(content))
		if rec.Passage != nil {
			passages++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return raw, passages
}

// teed is a tape's file that also plays at once, as the line itself would.
type teed struct {
	bytes.Buffer
	live func(capture.Entry)
}

func (f *teed) Write(p []byte) (int, error) {
	n, err := f.Buffer.Write(p)
	if bytes.Contains(p, []byte("axlegate_capture")) {
		return n, err
	}
	head, _ := json.Marshal(capture.Head{Version: capture.Version})
	r, rerr := capture.NewReader(io.MultiReader(bytes.NewReader(head), bytes.NewReader([]byte{'\n'}), bytes.NewReader(p)))
	if rerr != nil {
		return n, errors.Join(err, rerr)
	}
	e, rerr := r.Next()
	if rerr == nil {
		f.live(e)
	}
	return n, errors.Join(err, rerr)
}

// A day at a site is recorded at its devices' lines while the site works, and played to another site: its journal holds the same
// bytes. Keys and chance are fixed, and time is the bubble's.
func TestADayThatIsReplayedGivesTheSameRecordsByteByByte(t *testing.T) {
	tapes := map[string]*teed{}
	var truth bytes.Buffer
	run := func(name string, feed func(t *testing.T, r *rehearsal)) (raw [][]byte, passages int) {
		t.Run(name, func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 11)
			synctest.Test(t, func(t *testing.T) {
				r := rehearse(t)
				feed(t, r)
				time.Sleep(2 * time.Minute) // for what waits for late plates
				r.stop()
				raw, passages = r.records(t)
			})
		})
		return raw, passages
	}
	live, n := run("live", func(t *testing.T, r *rehearsal) {
		began := time.Now()
		s := simulator.Scenario{
			Site: "north-1", Seed: 5, Traffic: simulator.Traffic{PerMinute: 1, Vehicles: 100, Overloaded: 200, Unregistered: 100},
			Lanes: []simulator.Lane{{Lane: 1, Device: "scale-1", Scale: "taped", FrontCamera: "http://site/cameras/secret", RearCamera: "http://site/cameras/secret"}},
		}
		for i, k := range []simulator.FaultKind{simulator.Garbage, simulator.DropFrame, simulator.NoPlate, simulator.RepeatEvent, simulator.LatePlate, simulator.Restart, simulator.NoPicture} {
			s.Faults = append(s.Faults, simulator.Fault{Lane: 1, Kind: k, After: 3 + i, Every: 40, For: conf.Duration(5 * time.Second)})
		}
		sim, err := simulator.New(s, simulator.Config{Truth: &truth, Tape: func(device string) (io.Writer, error) {
			tapes[device] = &teed{live: r.takes[device]}
			return tapes[device], nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), day)
		defer cancel()
		if err := sim.Run(ctx); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d != day {
			t.Errorf("the day lasted %s", d)
		}
	})
	vehicles, err := audit.ReadTruth(bytes.NewReader(truth.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if n < len(vehicles) || len(vehicles) < 90 {
		t.Fatalf("%d passages are recorded of %d vehicles", n, len(vehicles))
	}
	for _, name := range []string{"replayed"} {
		got, _ := run(name, func(t *testing.T, r *rehearsal) {
			var lines sync.WaitGroup
			for device, tape := range tapes {
				p, cut, err := simulator.ReadReplay(bytes.NewReader(tape.Bytes()), 1)
				if err != nil || cut != nil {
					t.Fatal(err, cut)
				}
				lines.Go(func() {
					if err := p.Times(t.Context(), func(e capture.Entry) error { r.takes[device](e); return nil }); err != nil {
						t.Error(err)
					}
				})
			}
			lines.Wait()
		})
		if len(got) != len(live) {
			t.Errorf("%s: %d records, live %d", name, len(got), len(live))
		}
		for i := range min(len(got), len(live)) {
			if !bytes.Equal(got[i], live[i]) {
				at := 0
				for at < min(len(got[i]), len(live[i])) && got[i][at] == live[i][at] {
					at++
				}
				t.Fatalf("%s: record %d differs from byte %d:\n…%.400s\nlive\n…%.400s", name, i, at, got[i][max(0, at-100):], live[i][max(0, at-100):])
			}
		}
	}
	t.Logf("%d vehicles, %d records, %d passages; tapes of %d devices", len(vehicles), len(live), n, len(tapes))
}
