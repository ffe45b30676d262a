package bench

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/testenv"
	"github.com/axlegate/axlegate/simulator/physics"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/signal"
)

// laneSamples are seconds of a lane of eight strips, four rows, at 20 kHz, with a truck every six seconds.
func laneSamples(b *testing.B, seconds float64) (samples [][]int16, lane *signal.Lane, trucks int) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	profile, err := physics.NewRoad(physics.RoughnessA, r)
	if err != nil {
		b.Fatal(err)
	}
	road := &physics.Lane{Road: profile, Rate: 20000, Temperature: 20}
	c := signal.Config{Rate: road.Rate, Threshold: 60, Boot: 1}
	for i := range 4 {
		at := 20 + 3*float64(i)
		for _, right := range []bool{false, true} {
			s := physics.Quartz(at, right)
			road.Strips = append(road.Strips, s)
			c.Factors = append(c.Factors, 1/(s.Gain*s.Width*physics.Gravity))
		}
		c.Rows = append(c.Rows, signal.Row{Position: wim.Mm(at * 1000), Left: 2 * i, Right: 2*i + 1})
	}
	var passages []physics.Passage
	for t := 0.0; t+6 < seconds; t += 6 {
		m, err := physics.Drive(t, 0, 22)
		if err != nil {
			b.Fatal(err)
		}
		passages = append(passages, physics.Passage{Vehicle: fiveAxles(r), Motion: m, Left: 1, Right: 1})
	}
	if samples, _, err = road.Render(seconds, passages, r); err != nil {
		b.Fatal(err)
	}
	if lane, err = signal.NewLane(c); err != nil {
		b.Fatal(err)
	}
	return samples, lane, len(passages)
}

// BenchmarkStripSamples is the way from samples to axles, beside a plain sum over the same samples, which is what memory and
// one addition allow, and beside a SciPy pipeline of the same steps.
func BenchmarkStripSamples(b *testing.B) {
	const seconds = 60
	samples, lane, trucks := laneSamples(b, seconds)
	total := len(samples) * len(samples[0])
	out := make([]wim.Reading, 0, 1024)
	out = lane.Process(samples, out[:0])
	if ends := len(out) / 6; ends < trucks-1 {
		b.Fatalf("%d of %d trucks were seen", ends, trucks)
	}
	var ours, plain time.Duration
	sum := int64(0)
	part := make([][]int16, len(samples))
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		for at := 0; at < len(samples[0]); at += 4096 { // as a converter hands them over
			for i := range samples {
				part[i] = samples[i][at:min(at+4096, len(samples[0]))]
			}
			out = lane.Process(part, out[:0])
		}
		ours += time.Since(began)
		began = time.Now()
		for _, s := range samples {
			for _, v := range s {
				sum += int64(v)
			}
		}
		plain += time.Since(began)
		n++
	}
	b.StopTimer()
	if sum == 0 {
		b.Fatal("there was nothing to add up")
	}
	perSecond := float64(total) * float64(n) / ours.Seconds()
	b.ReportMetric(perSecond/1e6, "Msamples/s")
	b.ReportMetric(ours.Seconds()/plain.Seconds(), "times-a-plain-sum")
	b.ReportMetric(100*ours.Seconds()/float64(n)/seconds, "%-of-a-core")
	scipy := scipySeconds(b, samples, trucks*5)
	b.ReportMetric(scipy/(ours.Seconds()/float64(n)), "times-faster-than-scipy")
}

// scipySeconds is how long SciPy takes for the same samples, loading them not counted.
func scipySeconds(b *testing.B, samples [][]int16, axles int) float64 {
	b.Helper()
	python := testenv.Scipy(b)
	path := filepath.Join(b.TempDir(), "samples")
	var raw []byte
	for _, s := range samples {
		for _, v := range s {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
		}
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		b.Fatal(err)
	}
	text, err := exec.CommandContext(b.Context(), python, "testdata/strips.py", path, strconv.Itoa(len(samples)), "60").Output()
	if err != nil {
		b.Fatal(err)
	}
	var seconds float64
	var found int
	if _, err := fmt.Sscan(string(text), &seconds, &found); err != nil {
		b.Fatalf("%v: %s", err, text)
	}
	if want := axles * len(samples); found < want*9/10 || found > want*11/10 { // or it did something else
		b.Fatalf("SciPy found %d pulses of %d", found, want)
	}
	return seconds
}
