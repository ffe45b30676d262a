package peers

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

// engine judges one vehicle; the answer is read apart, so that only judging is timed. It holds until the next one.
type engine struct {
	judge func(i int) error
	read  func() (*answer, error)
}

func ours(tb testing.TB, facts []*wim.Facts, _ []Input) engine {
	tb.Helper()
	b, err := os.ReadFile("testdata/limits.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	s, err := rules.Load("limits.yaml", b)
	if err != nil {
		tb.Fatal(err)
	}
	var v wim.Verdict
	return engine{func(i int) error {
		s.Judge(facts[i], &v)
		return nil
	}, func() (*answer, error) {
		return &answer{findings: v.Findings, opinions: [2]wim.Opinion(v.Opinions)}, nil
	}}
}

// contender makes an engine with what it needs and no other does.
type contender struct {
	name string
	make func(tb testing.TB, facts []*wim.Facts, in []Input) engine
}

func contenders() []contender {
	return []contender{
		{"rules.Judge", ours},
		{"expr,as-documented", byExpr(lawWhole(inExpr(), inOneCall))}, {"expr", byExpr(lawWhole(inExpr(), inTwoCalls))},
		{"expr,picks-rows-only", byExpr(lawPicks(inExpr()))},
		{"CEL", byCEL(lawWhole(inCEL(), inTwoCalls))}, {"CEL,picks-rows-only", byCEL(lawPicks(inCEL()))},
		{"OPA", byOPA},
	}
}

func answered(t *testing.T, name string, e *engine, i int) *answer {
	t.Helper()
	if err := e.judge(i); err != nil {
		t.Fatal(name, err)
	}
	a, err := e.read()
	if err != nil {
		t.Fatal(name, err)
	}
	return a
}

func TestEveryEngineGivesTheSameFullAnswer(t *testing.T) {
	facts, in := fleet()
	var all []engine
	for _, c := range contenders() {
		all = append(all, c.make(t, facts, in))
	}
	outcomes := map[wim.Outcome]int{}
	each := map[string]int{}
	findings := 0
	for i := range vehicles {
		want := answered(t, "rules.Judge", &all[0], i)
		outcomes[want.opinions[0].Outcome]++
		findings += len(want.findings)
		over := map[string]bool{}
		for k := range want.findings {
			f := &want.findings[k]
			over[f.Limit+" "+string(f.Outcome)] = true
			over[f.Band] = true
		}
		for k := range over {
			each[k]++
		}
		for k, c := range contenders()[1:] {
			got := answered(t, c.name, &all[k+1], i)
			if !slices.Equal(got.findings, want.findings) || got.opinions != want.opinions {
				t.Fatalf("vehicle %d: %s answers %+v %+v, rules.Judge %+v %+v", i, c.name, got.findings, got.opinions, want.findings, want.opinions)
			}
		}
	}
	for row := range described {
		for _, o := range []wim.Outcome{wim.Compliant, wim.WithinTolerance, wim.Exceeded} {
			if k := described[row].Limit + " " + string(o); each[k] < 10 {
				t.Errorf("%s: %d of %d vehicles, too few to tell anything", k, each[k], vehicles)
			}
		}
	}
	for _, b := range bands {
		if each[b] < 10 {
			t.Errorf("band %q: %d of %d vehicles, too few to tell anything", b, each[b], vehicles)
		}
	}
	t.Logf("%d vehicles judged alike by %d engines, %d findings; for the road administration %v", vehicles, len(all), findings, outcomes)
}

// again is how often a vehicle is judged in a row. A site judges what it has just put together, so the vehicle is in the
// processor's cache; ten thousand vehicles in turn would measure memory.
const again = 16

// BenchmarkPeers judges the same vehicles by the same limits with each engine in one run. ratio is to rules.Judge. The collector
// runs seldom and finds one engine's vehicles only: what it costs to look at the others' would be counted against those that allocate.
func BenchmarkPeers(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(1000))
	var base float64
	for _, c := range contenders() {
		b.Run(c.name, func(b *testing.B) {
			facts, in := fleet()
			e := c.make(b, facts, in)
			if c.name != "rules.Judge" {
				facts = nil
			}
			runtime.GC()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if err := e.judge(i / again % vehicles); err != nil {
					b.Fatal(err)
				}
				i++
			}
			each := float64(b.Elapsed()) / float64(b.N)
			if base == 0 {
				base = each
			}
			b.ReportMetric(each/base, "ratio")
			runtime.KeepAlive(facts)
		})
	}
}
