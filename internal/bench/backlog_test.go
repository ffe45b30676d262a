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
	Began             time.Time
}

// drained is what the site's process says at its end.
type drained struct {
	Records, Bytes, Resident int
	Took, Verdict, Old       time.Duration
	Fresh                    spread
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

// pushed is a scale that a program pushes.
type pushed struct{ emit chan func(wim.Reading) }

func (p pushed) Run(ctx context.Context, emit func(wim.Reading)) error {
	p.emit <- emit
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

// drain is the site's process.
func drain(text []byte) error {
	var cfg drainConfig
	if err := json.Unmarshal(text, &cfg); err != nil {
		return err
	}
	y, err := configs.Rules("cn-2016-62")
	if err != nil {
		return err
	}
	set, err := rules.Load("cn-2016-62", y)
	if err != nil {
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
	j, err := journal.Open(ctx, journal.Config{Path: cfg.Path, Site: "bench-1", Key: key.ID})
	if err != nil {
		return err
	}
	head, _ := j.Head()
	link := &receipting{key: center, in: make(chan []byte, uplink.Window), arrived: map[uint64]time.Time{}, whole: make(chan struct{}), target: head}
	scale, judged := pushed{make(chan func(wim.Reading), 1)}, make(chan time.Time, 1)
	link.site, err = edge.New(edge.Config{
		Site: "bench-1", Road: wim.Road{Name: "G5", Class: "class-1"}, Journal: j, Signer: key, CenterKeys: []*seal.Verifier{center.Verifier()},
		Link: link, Rules: noting{set, judged}, Drain: 10 * time.Second, Clock: func() wim.ClockState { return wim.ClockSynchronised },
		Lanes: []edge.LaneConfig{{Lane: 1, Device: "scale-1", Scale: scale, Instrument: wim.Instrument{ID: "scale-1"}}},
	})
	if err != nil {
		return err
	}
	var stub sync.WaitGroup
	stub.Go(link.run)
	done := make(chan error, 1)
	go func() { done <- link.site.Run(ctx) }()

	var d drained
	emit := <-scale.emit
	seq := uint32(0)
	pass := func() time.Time {
		at := wim.TimeOf(time.Now())
		for i, a := range sixAxles().Vehicle.Axles {
			seq++
			a.Index = uint8(i + 1)
			emit(wim.Reading{Kind: wim.AxleReading, Boot: 8, Seq: seq, Arrival: at, Axle: a})
		}
		seq++
		end := time.Now()
		emit(wim.Reading{Kind: wim.VehicleEnd, Boot: 8, Seq: seq, Arrival: wim.TimeOf(end), Gross: 61000, AxleCount: 6, Speed: 620, Length: 17000})
		return end
	}
	ends := []time.Time{pass()}
	d.Verdict = (<-judged).Sub(cfg.Began)
	tick := time.NewTicker(freshEvery)
	for whole := false; !whole; {
		select {
		case <-link.whole:
			whole = true
		case <-tick.C:
			ends = append(ends, pass())
		}
	}
	tick.Stop()
	last := time.Now()
	if d.Resident, err = resident(); err != nil {
		return err
	}
	cancel()
	if err := <-done; err != nil {
		return err
	}
	close(link.in)
	stub.Wait()
	if link.fail != nil {
		return link.fail
	}
	d.Records, d.Bytes, d.Took = int(link.held), link.bytes, last.Sub(link.first)
	// Records behind head: a gap for the scale's new boot, then one passage for each vehicle.
	fresh := 0
	for seq := head + 1; seq <= link.held && fresh < len(ends); seq++ {
		records, err := j.After(context.Background(), j.Chain(), seq-1, 1, 1<<20)
		if err != nil {
			return err
		}
		if len(records) == 1 && records[0].Urgent && records[0].Kind == wim.KindPassage {
			if at, ok := link.arrived[seq]; ok {
				d.Fresh.add(at.Sub(ends[fresh]))
			} else {
				return fmt.Errorf("the alert in record %d came in the midst of others", seq)
			}
			fresh++
		}
	}
	for seq, at := range link.arrived {
		if seq <= head {
			d.Old = max(d.Old, at.Sub(link.first))
		}
	}
	if err := j.Close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(d)
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
