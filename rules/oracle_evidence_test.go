package rules_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// Evidence needs more than an excess: a figure that was read in the law, and nothing that only the set presumes.
func TestEvidenceOfAnExcessStandsWithoutWhatTheSetPresumes(t *testing.T) {
	s := lawOf(t, "cn")
	r := rand.New(rand.NewPCG(29, 37)) //nolint:gosec // the same vehicles in every run
	var v wim.Verdict
	seen := 0
	for range vehicles(3_000) {
		f := drawChinese(r)
		s.Judge(f, &v)
		if !slices.ContainsFunc(v.Opinions, func(o wim.Opinion) bool { return o.Outcome == wim.Exceeded && o.Standing == wim.Evidence }) {
			continue
		}
		for i, b := range chineseBy(f, false) {
			o := v.Opinions[i]
			if o.Outcome != wim.Exceeded || o.Standing != wim.Evidence {
				continue
			}
			seen++
			proven := slices.ContainsFunc(b.questions, func(q *question) bool {
				// The sum of the axle loads and a truck's licence for the road are figures from secondary sources, what may be
				// towed is a reading.
				recalled := q.about == "axle-sum" || q.about == "towed" || q.about == "licence-mass" && b.competence == wim.RoadAdministration
				return !recalled && q.outcome() == wim.Exceeded
			})
			if !proven || f.Instrument.Certificate == nil {
				j, err := json.Marshal(f)
				if err != nil {
					t.Fatal(err)
				}
				t.Fatalf("%s is sure of an excess that is not proven: %+v\n%s", o.Competence, v.Findings, j)
			}
		}
	}
	if seen < 150 {
		t.Errorf("%d excesses with standing evidence", seen)
	}
}
