package edge

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// plateOf makes the plate of number n; no two have the same.
func plateOf(n int) string { return fmt.Sprintf("川A%06d", n) }

// tables are a registration, a permit and a hot list of n plates each, beside three bare maps of the same.
func tables(t testing.TB, n int) (*Registrations, *Permits, *HotList, [3]map[string]*wim.Registration) {
	t.Helper()
	var regs, permits, hot strings.Builder
	regs.WriteString(registrationHeader + suspensionColumn + "\n")
	permits.WriteString(permitHeader + "\n")
	hot.WriteString(hotListHeader + "\n")
	bare := [3]map[string]*wim.Registration{{}, {}, {}}
	for i := range n {
		p := plateOf(i)
		fmt.Fprintf(&regs, "%s,goods,8800,0,0,40000,2,3,air\n", p)
		fmt.Fprintf(&permits, "%s,,P-%d,2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,G5,6,80000,,,,\n", p, i)
		fmt.Fprintf(&hot, "%s,wanted\n", p)
		for k := range bare {
			bare[k][strings.Clone(p)] = &wim.Registration{Plate: p}
		}
	}
	r, err := ReadRegistrations("r", strings.NewReader(regs.String()))
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadPermits("p", strings.NewReader(permits.String()))
	if err != nil {
		t.Fatal(err)
	}
	h, err := ReadHotList("h", strings.NewReader(hot.String()))
	if err != nil {
		t.Fatal(err)
	}
	return r, p, h, bare
}

func TestALookupAllocatesNothing(t *testing.T) {
	r, p, h, _ := tables(t, 1000)
	plate := plateOf(500)
	if n := testing.AllocsPerRun(100, func() {
		_, ok := h.Find(plate)
		if r.Find(plate).Suspension != wim.AirSuspension || len(p.Find(plate)) != 1 || !ok || r.Find("川B") != nil {
			t.Fatal("not found")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkLookup finds plates in random order among 200,000: licence, permits and hot list together, beside a
// lookup in each of three bare maps of as many entries.
func BenchmarkLookup(b *testing.B) {
	const n = 200_000
	r, p, h, bare := tables(b, n)
	plates := make([]string, n)
	for i, k := range rand.New(rand.NewPCG(1, 2)).Perm(n) { //nolint:gosec // any order
		plates[i] = plateOf(k)
	}
	b.ReportAllocs()
	i, found := 0, 0
	for b.Loop() {
		plate := plates[i%n]
		_, ok := h.Find(plate)
		if r.Find(plate) != nil && len(p.Find(plate)) == 1 && ok {
			found++
		}
		i++
	}
	if ours := b.Elapsed(); found == i {
		b.StopTimer()
		began, sum := time.Now(), 0
		for k := range i {
			for _, m := range bare {
				if m[plates[k%n]] != nil {
					sum++
				}
			}
		}
		peer := time.Since(began)
		b.ReportMetric(float64(peer)/float64(i), "bare-map-ns/op")
		b.ReportMetric(float64(ours)/float64(peer)*float64(sum)/float64(3*i), "ratio")
		return
	}
	b.Fatalf("%d of %d plates were found", found, i)
}
