package edge

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const testSite = wim.SiteID("north-1")

// eventually waits until cond holds.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		<-tick.C
	}
}

// fakeScale emits what the test pushes while the site runs it.
type fakeScale struct {
	boot, seq uint32
	mu        sync.Mutex
	emit      func(wim.Reading)
	panics    int // the first so many runs panic
	runs      int
}

func (f *fakeScale) Run(ctx context.Context, emit func(wim.Reading)) error {
	f.mu.Lock()
	f.runs++
	if f.runs <= f.panics {
		f.mu.Unlock()
		panic("a driver's own bug")
	}
	f.emit = emit
	f.mu.Unlock()
	<-ctx.Done()
	f.mu.Lock()
	f.emit = nil
	f.mu.Unlock()
	return nil
}

func (f *fakeScale) running() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.emit != nil
}

// push emits a reading and tells whether the site was listening.
func (f *fakeScale) push(r wim.Reading) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.emit == nil {
		return false
	}
	if r.Arrival == 0 {
		r.Arrival = wim.TimeOf(time.Now())
	}
	f.emit(r)
	return true
}

func (f *fakeScale) next(r wim.Reading) wim.Reading {
	f.seq++
	r.Boot, r.Seq = f.boot, f.seq
	return r
}

func (f *fakeScale) axle(index uint8, load wim.Kg) wim.Reading {
	spacing := wim.Mm(3500)
	if index == 1 {
		spacing = 0
	}
	return f.next(wim.Reading{Kind: wim.AxleReading, Axle: wim.Axle{Index: index, Load: load, Left: load / 2, Right: load / 2, Speed: 600, Spacing: spacing}})
}

func (f *fakeScale) end(axles int, gross wim.Kg) wim.Reading {
	return f.next(wim.Reading{Kind: wim.VehicleEnd, Gross: gross, AxleCount: uint8(axles), Speed: 600, Length: 12000})
}

// vehicle is the messages of one vehicle.
func (f *fakeScale) vehicle(axles int, gross wim.Kg) []wim.Reading {
	var out []wim.Reading
	for i := range axles {
		out = append(out, f.axle(uint8(i+1), gross/wim.Kg(axles)))
	}
	return append(out, f.end(axles, gross))
}

func (f *fakeScale) heartbeat() wim.Reading {
	return wim.Reading{Kind: wim.Heartbeat, Boot: f.boot, Seq: f.seq}
}

func (f *fakeScale) Health() wim.DeviceHealth {
	return wim.DeviceHealth{Device: "scale", Up: f.running(), Reason: "no line: plug it in", Messages: 7}
}

// fakeCamera hands the site what the test reads.
type fakeCamera struct {
	mu   sync.Mutex
	emit func(wim.PlateRead, []byte) bool
}

func (f *fakeCamera) Run(ctx context.Context, emit func(wim.PlateRead, []byte) bool) error {
	f.mu.Lock()
	f.emit = emit
	f.mu.Unlock()
	<-ctx.Done()
	f.mu.Lock()
	f.emit = nil
	f.mu.Unlock()
	return nil
}

func (f *fakeCamera) running() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.emit != nil
}

func (f *fakeCamera) read(r wim.PlateRead, jpeg []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.emit == nil {
		return false
	}
	if r.Arrival == 0 {
		r.Arrival = wim.TimeOf(time.Now())
	}
	if r.Confidence == 0 {
		r.Confidence = 950
	}
	return f.emit(r, jpeg)
}

type shown struct {
	order wim.Order
	plate string
}

// fakeSign remembers orders; gate, where set, decides when and how Show returns.
type fakeSign struct {
	mu   sync.Mutex
	log  []shown
	gate func(ctx context.Context) error
}

func (f *fakeSign) Show(ctx context.Context, o wim.Order, plate string, _ time.Duration) error {
	f.mu.Lock()
	gate := f.gate
	f.mu.Unlock()
	if gate != nil {
		if err := gate(ctx); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, shown{o, plate})
	return nil
}

func (f *fakeSign) orders() []shown {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

// testJudge: the road allows 49 t, the police what the first unit's licence says.
type testJudge struct{}

func (testJudge) Judge(f *wim.Facts, v *wim.Verdict) {
	v.RuleSet, v.Judge = "test", "1"
	v.Opinions, v.Findings = v.Opinions[:0], v.Findings[:0]
	var why wim.Reason
	if f.Vehicle.Flags.Any(wim.Voiding) {
		why |= wim.MeasurementVoid
	}
	if f.Vehicle.Flags.Has(wim.PlateUncertain) {
		why |= wim.PlateDoubtful
	}
	road := wim.Opinion{Competence: wim.RoadAdministration, Outcome: wim.Compliant, Reasons: why &^ wim.PlateDoubtful}
	if f.Vehicle.Gross > 49000 {
		road.Outcome = wim.Exceeded
	}
	police := wim.Opinion{Competence: wim.TrafficPolice, Outcome: wim.Unknown, Reasons: why | wim.InputMissing, Why: "registration"}
	if len(f.Units) > 0 && f.Units[0].Registration != nil {
		police.Outcome, police.Reasons, police.Why = wim.Compliant, why, ""
		if f.Vehicle.Gross > f.Units[0].Registration.Gross {
			police.Outcome = wim.Exceeded
		}
	}
	road.Standing, police.Standing = wim.StandingOf(road.Reasons), wim.StandingOf(police.Reasons)
	v.Opinions = append(v.Opinions, road, police)
}

// rig is one site with one lane, its fakes and its files. It can be stopped and started again.
type rig struct {
	t       testing.TB
	dir     string
	scale   *fakeScale
	camera  *fakeCamera
	sign    *fakeSign
	center  *fakeCenter
	signer  *seal.Signer
	table   *Registrations
	reserve *journal.Reserve // nil for none
	change  func(*Config)
	jchange func(*journal.Config)
	built   func(*Site) // before it runs

	journal *journal.Journal
	site    *Site
	cancel  context.CancelFunc
	done    chan error
}

func newRig(t testing.TB) *rig {
	t.Helper()
	signer, center := newKey(t), newKey(t)
	return &rig{
		t: t, dir: t.TempDir(), scale: &fakeScale{boot: 7}, camera: &fakeCamera{}, sign: &fakeSign{}, signer: signer,
		center: &fakeCenter{t: t, site: signer.Verifier(), key: center, up: make(chan struct{}, 1), epoch: 1, records: map[wim.ChainID]map[uint64][]byte{},
			answer: func([]byte) {}},
	}
}

func newKey(t testing.TB) *seal.Signer {
	t.Helper()
	k, err := seal.GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (r *rig) path() string { return filepath.Join(r.dir, "journal.db") }

func (r *rig) start() {
	r.t.Helper()
	jc := journal.Config{Path: r.path(), Site: testSite, Key: r.signer.ID, Software: wim.Software{Build: "test"}}
	if r.jchange != nil {
		r.jchange(&jc)
	}
	reserve := r.reserve
	if reserve == nil {
		reserve = new(journal.Reserve)
	}
	j, err := reserve.Open(context.Background(), jc)
	if err != nil {
		r.t.Fatal(err)
	}
	cfg := Config{
		Site: testSite, Road: wim.Road{Name: "G5", Class: "expressway"}, Journal: j, Signer: r.signer, CenterKeys: []*seal.Verifier{r.center.key.Verifier()},
		Link: r.center, Rules: testJudge{}, Registrations: r.table,
		Lanes: []LaneConfig{{Lane: 1, Device: "scale-1", Scale: r.scale, Cameras: []CameraConfig{{Device: "cam-1", Camera: r.camera}},
			Sign: r.sign, SignDevice: "sign-1"}},
		Pictures: PictureConfig{Dir: filepath.Join(r.dir, "pictures")},
		Disk:     DiskConfig{Reserve: r.reserve},
		Sender:   SenderConfig{Linger: time.Millisecond, Resend: 200 * time.Millisecond, Retry: 2 * time.Millisecond},
		Drain:    200 * time.Millisecond,
		Logger:   slog.New(slog.NewTextHandler(r.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if r.change != nil {
		r.change(&cfg)
	}
	site, err := New(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.journal, r.site = j, site
	if r.built != nil {
		r.built(site)
	}
	r.center.set(func() { r.center.answer = site.HandleReceipt })
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.done = cancel, make(chan error, 1)
	done := r.done
	go func() { done <- site.Run(ctx) }()
	r.t.Cleanup(func() { r.stop() })
	eventually(r.t, "the site listens to its devices", func() bool { return r.scale.running() && r.camera.running() })
}

// stop ends the site as a signal would and closes its journal.
func (r *rig) stop() {
	r.t.Helper()
	if r.cancel == nil {
		return
	}
	r.cancel()
	if err := <-r.done; err != nil {
		r.t.Errorf("run: %v", err)
	}
	if err := r.journal.Close(); err != nil {
		r.t.Error(err)
	}
	r.cancel = nil
}

func (r *rig) push(readings ...wim.Reading) {
	r.t.Helper()
	for _, x := range readings {
		if !r.scale.push(x) {
			r.t.Fatal("the site does not listen")
		}
	}
}

// records reads all records of the journal's file, proving its chains.
func (r *rig) records() []*wim.Record {
	r.t.Helper()
	var out []*wim.Record
	rep, err := journal.Audit(context.Background(), r.path(), func(rec *wim.Record, _ []byte) error {
		out = append(out, rec)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range rep.Chains {
		if c.Err != nil {
			r.t.Fatalf("chain %s: %v", c.Chain, c.Err)
		}
	}
	return out
}

// story tells the records after the chain start in short lines.
func (r *rig) story() []string {
	var out []string
	for _, rec := range r.records() {
		switch {
		case rec.Passage != nil:
			p := rec.Passage
			out = append(out, fmt.Sprintf("passage %d/%d %dkg %v", p.Source.Boot, p.Source.Seq, p.Facts.Vehicle.Gross, (p.Facts.Vehicle.Flags&wim.Voiding).Names()))
		case rec.Gap != nil:
			g := rec.Gap
			out = append(out, fmt.Sprintf("gap %s %d/%d-%d", g.Cause, g.Boot, g.From, g.To))
		case rec.Supplement != nil:
			out = append(out, fmt.Sprintf("supplement to %d", rec.Supplement.Of.Seq))
		}
	}
	return out
}

func (r *rig) tells(n int) []string {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%d records", n), func() bool {
		head, _ := r.journal.Head()
		return head >= uint64(n)+1
	})
	return r.story()
}

// covered checks that every vehicle end is accounted for exactly once, by a passage or by one gap.
func (r *rig) covered(ends [][2]uint32) {
	r.t.Helper()
	type key = [2]uint32
	times := map[key]int{}
	var gaps []*wim.Gap
	for _, rec := range r.records() {
		switch {
		case rec.Passage != nil:
			times[key{rec.Passage.Source.Boot, rec.Passage.Source.Seq}]++
		case rec.Gap != nil:
			gaps = append(gaps, rec.Gap)
		}
	}
	for _, e := range ends {
		n := times[e]
		for _, g := range gaps {
			if g.Boot == e[0] && e[1] >= g.From && e[1] <= g.To {
				n++
			}
		}
		if n != 1 {
			r.t.Errorf("vehicle end %d/%d is accounted for %d times", e[0], e[1], n)
		}
	}
}
