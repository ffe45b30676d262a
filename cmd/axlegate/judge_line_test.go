package main

import (
	"encoding/json"
	"testing"

	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/wim"
)

// FuzzFactsIn reads one line as facts or a record. What it understands it understands alike a second time: written
// again and read again it has the same verdict.
func FuzzFactsIn(f *testing.F) {
	set, err := daemon.RuleSet("cn")
	if err != nil {
		f.Fatal(err)
	}
	facts := someFacts(20000)
	facts.Permits = []wim.Permit{{Number: "P1", Plate: "川A12345", ValidUntil: facts.Time + 1, Roads: []string{"G5"}, Axles: 2, Gross: 30000}}
	facts.Units[0].Registration = &wim.Registration{Plate: "川A12345", Kind: wim.Goods, Kerb: 7000, Rated: 10000, Suspension: wim.AirSuspension}
	p := wim.Passage{Facts: facts}
	set.Judge(&facts, &p.Verdict)
	for _, seed := range []any{facts, wim.Record{Kind: wim.KindPassage, Passage: &p}, wim.Record{Kind: wim.KindSupplement, Supplement: &wim.Supplement{Facts: facts, Verdict: p.Verdict}}} {
		b, err := json.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"kind":"gap"}`))
	f.Add([]byte(`{"kind":null,"time":"2026-06-01T00:00:00Z","vehicle":{"axles":[{}]}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		facts, sealed, err := factsIn(line)
		switch {
		case err != nil:
			if facts != nil || sealed != nil {
				t.Fatalf("refused (%v) and read all the same", err)
			}
			return
		case facts == nil:
			if sealed != nil {
				t.Fatal("a verdict without facts")
			}
			return
		}
		var first, second wim.Verdict
		set.Judge(facts, &first)
		b, err := json.Marshal(facts)
		if err != nil {
			t.Fatal(err)
		}
		var back wim.Facts
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		set.Judge(&back, &second)
		if !first.Equal(&second) {
			t.Fatalf("%+v, written and read again %+v", first, second)
		}
	})
}
