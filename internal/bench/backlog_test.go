package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/uplink/mqtt"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// What a backlog is promised.
const (
	drainBound    = 50_000      // records a second to whoever receipts them at once
	residentBound = 64 << 20    // bytes
	verdictBound  = time.Second // from the start of the process to the first verdict
	alertBound    = time.Second // from the vehicle's end until the alert is at the other end
	freshEvery    = 200 * time.Millisecond
)

// backlogSize is how many records wait in these benches; AXLEGATE_BACKLOG sets another number.
func backlogSize(b *testing.B) int {
	b.Helper()
	text := os.Getenv("AXLEGATE_BACKLOG")
	if text == "" {
		return 1_000_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("AXLEGATE_BACKLOG is %q, want a number of records", text)
	}
	return n
}

// oldAlerts is one alert in so many records of a backlog.
const oldAlerts = 1000

// backlog fills a journal with judged passages of a six-axle train that no receipt covers. One in oldAlerts exceeds
// a limit.
func backlog(b *testing.B, path, key string, n int) {
	b.Helper()
	j, err := journal.Open(b.Context(), journal.Config{Path: path, Site: "bench-1", Key: key})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	}()
	set, light, heavy := ruleSet(b), sixAxles(), sixAxles()
	for i := range light.Vehicle.Axles {
		a := &light.Vehicle.Axles[i]
		a.Load, a.Left, a.Right = a.Load/2, a.Left/2, a.Right/2
	}
	light.Vehicle.Gross, light.Vehicle.AxleSum = 30500, 30500
	wim.Classify(&light.Vehicle)
	var lv, hv wim.Verdict
	set.Judge(light, &lv)
	set.Judge(heavy, &hv)
	began := time.Now()
	drafts := make([]journal.Draft, 0, 512)
	for seq := uint32(1); seq < uint32(n); seq++ { // the chain start is one
		f, v := light, lv
		if seq%oldAlerts == 0 {
			f, v = heavy, hv
		}
		src := wim.DeviceCursor{Device: "scale-1", Boot: 7, Seq: seq}
		drafts = append(drafts, journal.Draft{Kind: wim.KindPassage, Lane: 1, Time: f.Time, Clock: wim.ClockSynchronised,
			Passage: &wim.Passage{Source: src, Facts: *f, Verdict: v}, Cursors: []wim.DeviceCursor{src}})
		if len(drafts) == cap(drafts) || seq == uint32(n)-1 {
			if _, err := j.Append(b.Context(), drafts); err != nil {
				b.Fatal(err)
			}
			drafts = drafts[:0]
		}
	}
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("a backlog of %d records, %d bytes each on the disk, made in %s", n, st.Size()/int64(n), time.Since(began).Round(time.Second))
}

// BenchmarkBacklog drains a backlog of a million records, one in a thousand an alert, from a site in a process of
// its own to a stub in that process that receipts at once what it has in order: the site reads, signs, sends, takes
// receipts and writes down how far they go, while a vehicle passes five times a second whose alert must overtake.
// The peers are our promises: 50,000 records a second, 64 MiB resident, a second from the start of the process
// to the first verdict, and a second for an alert. Beside it stands what one reader alone gets out of the journal.
func BenchmarkBacklog(b *testing.B) {
	dir := b.TempDir()
	n := backlogSize(b)
	key, center := filepath.Join(dir, "site.key"), filepath.Join(dir, "center.key")
	own, err := seal.GenerateSigner()
	if err != nil {
		b.Fatal(err)
	}
	other, err := seal.GenerateSigner()
	if err != nil {
		b.Fatal(err)
	}
	for path, k := range map[string]*seal.Signer{key: own, center: other} {
		if err := k.WriteFiles(path); err != nil {
			b.Fatal(err)
		}
	}
	made := filepath.Join(dir, "made.db")
	backlog(b, made, own.ID, n)
	for b.Loop() {
		path := filepath.Join(dir, "journal.db")
		for _, end := range []string{"", "-wal", "-shm"} {
			if err := os.RemoveAll(path + end); err != nil {
				b.Fatal(err)
			}
		}
		if out, err := exec.CommandContext(b.Context(), "cp", "--reflink=auto", made, path).CombinedOutput(); err != nil { //nolint:gosec // our own paths
			b.Fatalf("%v: %s", err, out)
		}
		if out, err := exec.CommandContext(b.Context(), "sync", path).CombinedOutput(); err != nil { //nolint:gosec // our own path
			b.Fatalf("%v: %s", err, out) // what the copy still owes the disk is not the site's
		}
		read := readAll(b, path)
		var d drained
		run(b, drainConfig{Path: path, Key: key, Center: center, Began: time.Now()}, &d)
		if d.Records < n {
			b.Fatalf("%d of %d records arrived", d.Records, n)
		}
		rate := float64(d.Records) / d.Took.Seconds()
		b.ReportMetric(rate, "records/s")
		b.ReportMetric(rate/drainBound, "rate-of-bound")
		b.ReportMetric(read, "read-only-records/s")
		b.ReportMetric(rate*float64(d.Bytes)/float64(d.Records)/(1<<20), "MiB/s")
		b.ReportMetric(float64(d.Bytes)/float64(d.Records), "bytes/record")
		b.ReportMetric(float64(d.Resident)/(1<<20), "resident-MiB")
		b.ReportMetric(float64(d.Resident)/residentBound, "resident-of-bound")
		b.ReportMetric(float64(d.Verdict.Milliseconds()), "start-to-verdict-ms")
		b.ReportMetric(float64(d.Verdict)/float64(verdictBound), "verdict-of-bound")
		b.ReportMetric(float64(d.Fresh.at(500).Microseconds())/1000, "alert-ms-p50")
		b.ReportMetric(float64(slices.Max(d.Fresh).Microseconds())/1000, "alert-ms-worst")
		b.ReportMetric(float64(slices.Max(d.Fresh))/float64(alertBound), "alert-worst-of-bound")
		b.ReportMetric(float64(d.Old.Milliseconds()), "old-alerts-ms-last")
		b.ReportMetric(0, "ns/op")
	}
}

// BenchmarkBacklogToTheCentre drains a backlog to a whole centre in another process: broker, intake, synced store,
// review, boards. Vehicles pass meanwhile whose alerts must be on the road administration's live board. The peer is
// the centre's own rate: the same number of records from a writer that has them signed and in memory, as fast as the
// broker acknowledges, until they are reviewed. The peers of the alerts are our promises.
func BenchmarkBacklogToTheCentre(b *testing.B) {
	dir := b.TempDir()
	n := min(backlogSize(b), 30_000)
	set := ruleSet(b)
	for b.Loop() {
		c := newCentre(b, set, 2)
		events := c.board("road")
		key, receipts := filepath.Join(dir, "site.key"), filepath.Join(dir, "center.key")
		for path, k := range map[string]*seal.Signer{key: c.key, receipts: c.receipts} {
			if err := k.WriteFiles(path); err != nil {
				b.Fatal(err)
			}
		}
		own := c.ownRate(n)
		path := filepath.Join(dir, "journal.db")
		backlog(b, path, c.key.ID, n)
		var d drained
		run(b, drainConfig{Path: path, Key: key, Center: receipts, Broker: c.broker, Began: time.Now()}, &d)
		shown := map[string]time.Time{}
		late := time.After(30 * time.Second)
		for waiting := true; waiting && len(shown) < len(d.Ends); {
			select {
			case e := <-events: // it was read meanwhile, with the time at which it came
				if m := benchPlate.FindStringSubmatch(e.text); m != nil && m[1] != "12345" && shown[m[1]].IsZero() { // that one lay in the backlog
					shown[m[1]] = e.at
				}
			case <-late:
				waiting = false
			}
		}
		var waits spread
		for i, end := range d.Ends {
			at, ok := shown[fmt.Sprintf("%05d", i)]
			if !ok {
				b.Fatalf("alert %d of %d never was on the board", i, len(d.Ends))
			}
			waits.add(at.Sub(end))
		}
		rate := float64(d.Records) / d.Took.Seconds()
		b.ReportMetric(rate, "records/s")
		b.ReportMetric(own, "centre-records/s")
		b.ReportMetric(rate/own, "of-centre")
		b.ReportMetric(float64(d.Resident)/(1<<20), "resident-MiB")
		b.ReportMetric(float64(len(waits)), "alerts")
		b.ReportMetric(float64(waits.at(500).Milliseconds()), "alert-ms-p50")
		b.ReportMetric(float64(slices.Max(waits).Milliseconds()), "alert-ms-worst")
		b.ReportMetric(float64(slices.Max(waits))/float64(alertBound), "alert-worst-of-bound")
		b.ReportMetric(0, "ns/op")
		c.stop()
	}
}

// ownRate is how many records a second the centre takes from one who has nothing else to do.
func (c *centre) ownRate(n int) float64 {
	light := sixAxles()
	var v wim.Verdict
	ruleSet(c.b).Judge(light, &v)
	v.Opinions = v.Opinions[:0] // nobody is alerted
	w := newWriter(c.b, c.key, siteName(1))
	mail := [][]byte{w.segment(w.start())}
	for int(w.seq) < n {
		var records []seal.Sealed
		for len(records) < 40 && int(w.seq) < n {
			records = append(records, w.passage(light, &v))
		}
		mail = append(mail, w.segment(records...))
	}
	whole := make(chan struct{}, 1)
	took := func(site string, jws []byte) {
		if r, err := seal.VerifyReceipt(string(jws), c.receipts.Verifier()); err == nil && site == siteName(1) && r.Seq >= w.seq {
			select {
			case whole <- struct{}{}:
			default:
			}
		}
	}
	c.receipted.Store(&took)
	began := time.Now()
	for _, m := range mail {
		if err := c.sites[1].Publish(c.b.Context(), m); err != nil {
			c.b.Fatal(err)
		}
	}
	<-whole
	for c.unreviewed() > 0 { // taken in faster than it is reviewed is no rate that lasts
		time.Sleep(10 * time.Millisecond)
	}
	return float64(n) / time.Since(began).Seconds()
}

// readAll is how many records a second one reader gets out of the journal, in pieces as the sender's.
func readAll(b *testing.B, path string) float64 {
	b.Helper()
	j, err := journal.Open(b.Context(), journal.Config{Path: path, Site: "bench-1", Key: "k"})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close() //nolint:errcheck // only read
	began, records := time.Now(), 0
	for seq := uint64(0); ; {
		got, err := j.After(b.Context(), j.Chain(), seq, seal.MaxSegmentRecords, seal.MaxSegmentBytes)
		if err != nil {
			b.Fatal(err)
		}
		if len(got) == 0 {
			return float64(records) / time.Since(began).Seconds()
		}
		records += len(got)
		seq = got[len(got)-1].Seq
	}
}

// The site is this test binary once more, so that what it holds in memory is its own.
const drainEnv = "AXLEGATE_BENCH_DRAIN"

type drainConfig struct {
	Path, Key, Center string
	Broker            string // of a centre; empty for the stub in the site's own process
	Began             time.Time
}

// drained is what the site's process says at its end.
type drained struct {
	Records, Bytes, Resident int
	Took, Verdict, Old       time.Duration
	Fresh                    spread
	Ends                     []time.Time // of the vehicles that passed meanwhile, whose plates are 川A00000 and on
}

func run(b *testing.B, cfg drainConfig, d *drained) {
	b.Helper()
	text, err := json.Marshal(cfg)
	if err != nil {
		b.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), self, "-test.run=^$")
	cmd.Env = append(os.Environ(), drainEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(out, d); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}

// receipting is a link whose other end takes everything, and receipts what it has in order.
type receipting struct {
	key  *seal.Signer
	site *edge.Site
	in   chan []byte
	fail error

	mu      sync.Mutex
	held    uint64
	bytes   int
	first   time.Time
	arrived map[uint64]time.Time // of single records ahead of the rest
	whole   chan struct{}        // closed when all up to the head that was at the start is held
	target  uint64
}

func (r *receipting) Up() <-chan struct{} { return nil }

func (r *receipting) Publish(ctx context.Context, payload []byte) error {
	select {
	case r.in <- payload:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *receipting) run() {
	for payload := range r.in {
		if err := r.take(payload); err != nil && r.fail == nil {
			r.fail = err
		}
	}
}

func (r *receipting) take(payload []byte) error {
	segments, err := uplink.Unpack(payload)
	if err != nil {
		return err
	}
	at := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first.IsZero() {
		r.first = at
	}
	r.bytes += len(payload)
	moved := false
	var rec seal.Receipt
	for _, s := range segments {
		jws, raws, err := seal.ReadBundle(s)
		if err != nil {
			return err
		}
		g, err := seal.PeekSegment(jws)
		if err != nil {
			return err
		}
		if len(raws) != len(g.Digests) {
			return errors.New("digests and records differ in number")
		}
		if g.From > r.held+1 {
			for i := range g.Digests {
				if seq := g.From + uint64(i); r.arrived[seq].IsZero() {
					r.arrived[seq] = at
				}
			}
			continue
		}
		if g.To() > r.held {
			r.held, moved = g.To(), true
			rec = seal.Receipt{Site: g.Site, Chain: g.Chain, Seq: g.To(), Digest: g.Digests[len(g.Digests)-1], Epoch: 1, Time: wim.TimeOf(at)}
			if len(g.Digests) < 4 { // at the head: an alert in order
				r.arrived[g.To()] = at
			}
		}
	}
	if !moved {
		return nil
	}
	jws, err := seal.SignReceipt(r.key, rec)
	if err != nil {
		return err
	}
	r.site.HandleReceipt([]byte(jws))
	if r.held >= r.target {
		select {
		case <-r.whole:
		default:
			close(r.whole)
		}
	}
	return nil
}

// pushed is a scale and a camera that a program pushes.
type pushed struct {
	reading chan func(wim.Reading)
	plate   chan func(wim.PlateRead, []byte) bool
}

type pushedScale struct{ *pushed }

func (p pushedScale) Run(ctx context.Context, emit func(wim.Reading)) error {
	p.reading <- emit
	<-ctx.Done()
	return nil
}

type pushedCamera struct{ *pushed }

func (p pushedCamera) Run(ctx context.Context, emit func(wim.PlateRead, []byte) bool) error {
	p.plate <- emit
	<-ctx.Done()
	return nil
}

// noting is the shipped rule set, and tells when it first judged.
type noting struct {
	set    *rules.Set
	judged chan time.Time
}

func (n noting) Judge(f *wim.Facts, v *wim.Verdict) {
	n.set.Judge(f, v)
	select {
	case n.judged <- time.Now():
	default:
	}
}

// laden is a site with a backlog, in a process of its own.
type laden struct {
	journal *journal.Journal
	site    *edge.Site
	head    uint64 // of the backlog
	judged  chan time.Time

	reading func(wim.Reading)
	plate   func(wim.PlateRead, []byte) bool
	seq     uint32
	ends    []time.Time
}

// newLaden opens the journal; start makes the site over a link.
func newLaden(ctx context.Context, cfg drainConfig, key *seal.Signer) (*laden, error) {
	j, err := journal.Open(ctx, journal.Config{Path: cfg.Path, Site: "bench-1", Key: key.ID})
	if err != nil {
		return nil, err
	}
	head, _ := j.Head()
	return &laden{journal: j, head: head, judged: make(chan time.Time, 1)}, nil
}

// start runs the site until ctx ends.
func (l *laden) start(ctx context.Context, key, center *seal.Signer, link edge.Link, made func(*edge.Site)) (done chan error, err error) {
	y, err := configs.Rules("cn-2016-62")
	if err != nil {
		return nil, err
	}
	set, err := rules.Load("cn-2016-62", y)
	if err != nil {
		return nil, err
	}
	devices := &pushed{make(chan func(wim.Reading), 1), make(chan func(wim.PlateRead, []byte) bool, 1)}
	l.site, err = edge.New(edge.Config{
		Site: "bench-1", Road: wim.Road{Name: "G5", Class: "class-1"}, Journal: l.journal, Signer: key, CenterKeys: []*seal.Verifier{center.Verifier()},
		Link: link, Rules: noting{set, l.judged}, Drain: 10 * time.Second, Clock: func() wim.ClockState { return wim.ClockSynchronised },
		Lanes: []edge.LaneConfig{{Lane: 1, Device: "scale-1", Scale: pushedScale{devices}, Instrument: wim.Instrument{ID: "scale-1"},
			Cameras: []edge.CameraConfig{{Device: "cam-1", Camera: pushedCamera{devices}}}}},
	})
	if err != nil {
		return nil, err
	}
	made(l.site)
	done = make(chan error, 1)
	go func() { done <- l.site.Run(ctx) }()
	l.reading, l.plate = <-devices.reading, <-devices.plate
	return done, nil
}

// pass lets a vehicle pass that is too heavy.
func (l *laden) pass() {
	at := wim.TimeOf(time.Now())
	l.plate(wim.PlateRead{Event: strconv.Itoa(len(l.ends)), End: wim.Front, Text: fmt.Sprintf("川A%05d", len(l.ends)), Confidence: 980, Arrival: at}, nil)
	for i, a := range sixAxles().Vehicle.Axles {
		l.seq++
		a.Index = uint8(i + 1)
		l.reading(wim.Reading{Kind: wim.AxleReading, Boot: 8, Seq: l.seq, Arrival: at, Axle: a})
	}
	l.seq++
	end := time.Now()
	l.reading(wim.Reading{Kind: wim.VehicleEnd, Boot: 8, Seq: l.seq, Arrival: wim.TimeOf(end), Gross: 61000, AxleCount: 6, Speed: 620, Length: 17000})
	l.ends = append(l.ends, end)
}

// passUntil lets a vehicle pass now and then until ok.
func (l *laden) passUntil(ok func() bool) {
	tick := time.NewTicker(freshEvery / 20)
	defer tick.Stop()
	last := time.Now()
	for !ok() {
		<-tick.C
		if time.Since(last) >= freshEvery {
			last = time.Now()
			l.pass()
		}
	}
}

// drain is the site's process.
func drain(text []byte) error {
	var cfg drainConfig
	if err := json.Unmarshal(text, &cfg); err != nil {
		return err
	}
	key, err := seal.ReadSigner(cfg.Key)
	if err != nil {
		return err
	}
	center, err := seal.ReadSigner(cfg.Center)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l, err := newLaden(ctx, cfg, key)
	if err != nil {
		return err
	}
	drained := drainToStub
	if cfg.Broker != "" {
		drained = drainToCentre
	}
	d, err := drained(ctx, cancel, l, cfg, key, center)
	if err != nil {
		return err
	}
	d.Ends = l.ends
	if err := l.journal.Close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(d)
}

func drainToCentre(ctx context.Context, stop context.CancelFunc, l *laden, cfg drainConfig, key, center *seal.Signer) (*drained, error) {
	d := &drained{}
	link := mqtt.NewSite(mqtt.SiteConfig{Broker: cfg.Broker, Site: "bench-1", Chain: func() string { return l.journal.Chain().String() }, Username: "bench-1", Password: "s", BootID: "2",
		OnReceipt: func(jws []byte) { l.site.HandleReceipt(jws) }})
	done, err := l.start(ctx, key, center, link, func(*edge.Site) {})
	if err != nil {
		return nil, err
	}
	var linked sync.WaitGroup
	linkCtx, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	failed := make(chan error, 1)
	linked.Go(func() { failed <- link.Run(linkCtx) })
	began := time.Now()
	l.pass()
	d.Verdict = (<-l.judged).Sub(cfg.Began)
	l.passUntil(func() bool { seq, _ := l.journal.Receipted(); return seq >= l.head })
	d.Took = time.Since(began)
	d.Records = int(l.head)
	if d.Resident, err = resident(); err != nil {
		return nil, err
	}
	stop()
	if err := <-done; err != nil {
		return nil, err
	}
	cut()
	linked.Wait()
	return d, <-failed
}

func drainToStub(ctx context.Context, stop context.CancelFunc, l *laden, cfg drainConfig, key, center *seal.Signer) (*drained, error) {
	d := &drained{}
	link := &receipting{key: center, in: make(chan []byte, uplink.Window), arrived: map[uint64]time.Time{}, whole: make(chan struct{}), target: l.head}
	done, err := l.start(ctx, key, center, link, func(s *edge.Site) { link.site = s })
	if err != nil {
		return nil, err
	}
	var stub sync.WaitGroup
	stub.Go(link.run)
	l.pass()
	d.Verdict = (<-l.judged).Sub(cfg.Began)
	l.passUntil(func() bool {
		select {
		case <-link.whole:
			return true
		default:
			return false
		}
	})
	last := time.Now()
	if d.Resident, err = resident(); err != nil {
		return nil, err
	}
	stop()
	if err := <-done; err != nil {
		return nil, err
	}
	close(link.in)
	stub.Wait()
	if link.fail != nil {
		return nil, link.fail
	}
	d.Records, d.Bytes, d.Took = int(link.held), link.bytes, last.Sub(link.first)
	// Records behind head: a gap for the scale's new boot, then one passage for each vehicle.
	fresh := 0
	for seq := l.head + 1; seq <= link.held && fresh < len(l.ends); seq++ {
		records, err := l.journal.After(context.WithoutCancel(ctx), l.journal.Chain(), seq-1, 1, 1<<20)
		if err != nil {
			return nil, err
		}
		if len(records) == 1 && records[0].Urgent && records[0].Kind == wim.KindPassage {
			at, ok := link.arrived[seq]
			if !ok {
				return nil, fmt.Errorf("the alert in record %d came in the midst of others", seq)
			}
			d.Fresh.add(at.Sub(l.ends[fresh]))
			fresh++
		}
	}
	for seq, at := range link.arrived {
		if seq <= l.head {
			d.Old = max(d.Old, at.Sub(link.first))
		}
	}
	return d, nil
}

// resident is the most memory in bytes that this process had at once.
func resident() (int, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for _, line := range bytes.Split(b, []byte{'\n'}) {
		if text, ok := strings.CutPrefix(string(line), "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")))
			return kb << 10, err
		}
	}
	return 0, errors.New("the kernel does not tell how much memory this process had")
}
