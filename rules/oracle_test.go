package rules_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

// The oracles judge a second time, slowly and by other means: each is written from the text of one country's law, with
// its figures typed anew, knows nothing of how the engine chooses a row and no more of a rule set than its id. They
// think in worlds: whatever the facts leave open, every combination that could be true is a world of its own, judged
// as if all were known. Where engine and oracle differ, one of them has misread the law.

// A world is judged to one of these under one limit.
type judgement int

const (
	silent judgement = iota // the limit says nothing of such a vehicle
	kept
	tolerated // above as indicated, not above what is left after deduction and tolerance
	broken
	open // the law needs what nobody knows
)

// question is one limit asked about one subject: what each world answers, and by how much it is least exceeded.
type question struct {
	about  string
	worlds map[judgement]int
	excess int64   // smallest among the worlds that are broken
	edges  []int64 // what the subject may weigh, of every world that has a figure
}

// answer enters one world's.
func (q *question) answer(j judgement, excess int64) {
	if q.worlds == nil {
		q.worlds = map[judgement]int{}
	}
	if j == broken && (q.worlds[broken] == 0 || excess < q.excess) {
		q.excess = excess
	}
	q.worlds[j]++
}

// weigh holds a mass against a limit of one world, all in whole kilograms: indicated, what is left of it after the
// deduction, and the permille that the law itself lets pass.
func (q *question) weigh(indicated, left, limit, permille int64) {
	q.edges = append(q.edges, limit)
	switch {
	case left*1000 > limit*(1000+permille):
		q.answer(broken, left-limit)
	case indicated > limit:
		q.answer(tolerated, 0)
	default:
		q.answer(kept, 0)
	}
}

// outcome folds the worlds: what all of them find broken is exceeded, what some do is not known.
func (q *question) outcome() wim.Outcome {
	all := 0
	for _, n := range q.worlds {
		all += n
	}
	switch {
	case q.worlds[silent] == all:
		return wim.NotApplicable
	case q.worlds[broken] == all:
		return wim.Exceeded
	case q.worlds[broken] > 0 || q.worlds[open] > 0:
		return wim.Unknown
	case q.worlds[tolerated] > 0:
		return wim.WithinTolerance
	}
	return wim.Compliant
}

// belief is what an oracle holds of one competence.
type belief struct {
	competence wim.Competence
	barred     bool // the law is not about this kind of vehicle, or none was in force
	outcome    wim.Outcome
	questions  []*question
}

func (b *belief) ask(about string) *question {
	q := &question{about: about}
	b.questions = append(b.questions, q)
	return q
}

// concludes gives the heaviest of all answers.
func (b *belief) concludes() wim.Outcome {
	if b.barred {
		return b.outcome
	}
	o := wim.NotApplicable
	for _, q := range b.questions {
		if x := q.outcome(); x.Weight() > o.Weight() {
			o = x
		}
	}
	return o
}

// without takes a share off a mass for the instrument's error, rounded up in the driver's favour.
func without(m wim.Kg, permille wim.Permille) int64 {
	if m <= 0 || permille <= 0 {
		return int64(m)
	}
	taken := int64(m) * int64(permille)
	if taken%1000 != 0 {
		taken += 1000 - taken%1000
	}
	return int64(m) - taken/1000
}

// errors of the instrument: by its certificate, or what a set takes where there is none.
func massErrors(f *wim.Facts) (mass, axle wim.Permille) {
	if c := f.Instrument.Certificate; c != nil {
		return c.MassError, c.AxleError
	}
	return 50, 80
}

// kindOf is the kind of the drawing vehicle: its licence's, else the camera's.
func kindOf(f *wim.Facts) wim.VehicleKind {
	if len(f.Units) == 0 {
		return wim.KindUnknown
	}
	if r := f.Units[0].Registration; r != nil && r.Kind != wim.KindUnknown {
		return r.Kind
	}
	return f.Units[0].Kind
}

// subjectOf names what a finding is about in the words of the questions.
func subjectOf(f *wim.Finding) string {
	posted := ""
	if strings.HasPrefix(f.Limit, "posted-") {
		posted = "posted "
	}
	switch f.Scope {
	case wim.ScopeAxle:
		return fmt.Sprintf("%saxle %d", posted, f.Index)
	case wim.ScopeRun:
		return fmt.Sprintf("axles %d-%d", f.Index, f.Last)
	case wim.ScopeGross, wim.ScopeLength, wim.ScopeWidth, wim.ScopeHeight, wim.ScopeGroup, wim.ScopeCargo, wim.ScopeTowed, wim.ScopeLicence, wim.ScopeAxleSum:
	}
	return posted + string(f.Scope)
}

// leniently concludes as the worlds do that find least: what is within a tolerance in one world and below the limit in
// another is compliant. Which of the two words such a vehicle gets is the same to everybody.
func (b *belief) leniently() wim.Outcome {
	if b.barred {
		return b.outcome
	}
	o := wim.NotApplicable
	for _, q := range b.questions {
		x := q.outcome()
		if x == wim.WithinTolerance && q.worlds[kept]+q.worlds[silent] > 0 {
			x = wim.Compliant
		}
		if x.Weight() > o.Weight() {
			o = x
		}
	}
	return o
}

// agrees tells whether an engine's outcome is the oracle's. Whether a permit is looked at where nothing is exceeded
// without it is the same to everybody too.
func (b *belief) agrees(engine wim.Outcome, f *wim.Facts) bool {
	want := b.concludes()
	return engine == want || engine == b.leniently() || len(f.Permits) > 0 && lawful(engine) && lawful(want)
}

func lawful(o wim.Outcome) bool { return o == wim.Compliant || o == wim.WithinTolerance }

// differs compares an engine's verdict with an oracle's beliefs and says in what they differ, or nothing.
func differs(f *wim.Facts, v *wim.Verdict, beliefs []belief) string {
	if len(v.Opinions) != len(beliefs) {
		return fmt.Sprintf("%d opinions, want %d", len(v.Opinions), len(beliefs))
	}
	for i := range beliefs {
		b := &beliefs[i]
		o, _ := v.Of(b.competence)
		if !b.agrees(o.Outcome, f) {
			return fmt.Sprintf("%s: engine %s %q, oracle %s", b.competence, o.Outcome, o.Why, b.concludes())
		}
		if b.barred {
			continue
		}
		for _, q := range b.questions {
			if q.outcome() != wim.Exceeded {
				continue
			}
			least, found := int64(0), false
			for k := range v.Findings {
				x := &v.Findings[k]
				if x.Competence != b.competence || x.Informs || subjectOf(x) != q.about || x.Outcome != wim.Exceeded {
					continue
				}
				if e := int64(x.Excess) + int64(x.Size.Excess); !found || e < least {
					least, found = e, true
				}
			}
			if !found || least != q.excess {
				return fmt.Sprintf("%s: %s exceeded by %d after the oracle, by %d after the engine (found: %t)", b.competence, q.about, q.excess, least, found)
			}
		}
	}
	return ""
}

// contradicts is the part of differs that must hold also where much is open: the engine may leave unknown what a proof by
// worlds would decide, and find a smaller excess than it would prove, and never the reverse.
func contradicts(_ *wim.Facts, v *wim.Verdict, beliefs []belief) string {
	for i := range beliefs {
		b := &beliefs[i]
		o, _ := v.Of(b.competence)
		if want := b.concludes(); o.Outcome != want && o.Outcome != wim.Unknown && !(lawful(o.Outcome) && lawful(want)) {
			return fmt.Sprintf("%s: engine %s, oracle %s", o.Competence, o.Outcome, want)
		}
		if o.Outcome != wim.Exceeded || b.barred {
			continue
		}
		for k := range v.Findings {
			x := &v.Findings[k]
			if x.Competence != b.competence || x.Informs || x.Outcome != wim.Exceeded || x.Assumes != "" && x.Reasons.Has(wim.InputMissing) {
				continue
			}
			for _, q := range b.questions {
				if q.about == subjectOf(x) && (q.outcome() != wim.Exceeded || int64(x.Excess)+int64(x.Size.Excess) > q.excess) {
					return fmt.Sprintf("%s: %s exceeded by %d after the engine, %s by %d after the oracle", b.competence, q.about, x.Excess, q.outcome(), q.excess)
				}
			}
		}
	}
	return ""
}

// spaced tells whether every distance was measured.
func spaced(f *wim.Facts) bool {
	return !slices.ContainsFunc(f.Vehicle.Axles[1:], func(a wim.Axle) bool { return a.Spacing <= 0 })
}

// lawOf loads a shipped set.
func lawOf(t testing.TB, id string) *rules.Set {
	t.Helper()
	p := filepath.Join("..", "configs", "rules", id+".yaml")
	b, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := rules.Load(p, b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// vehicles is how many are compared: a million where there is time.
func vehicles(short int) int {
	if os.Getenv("AXLEGATE_LONG") != "" {
		return 1_000_000
	}
	return short
}

// compare judges n vehicles twice, exactly where all that the engine's bounds need is decided, and wants every outcome to have been reached in each competence.
func compare(t *testing.T, id string, n int, draw func(*rand.Rand) *wim.Facts, decided func(*wim.Facts) bool, oracle func(*wim.Facts) []belief, reach []string) {
	t.Helper()
	var s *rules.Set
	r := rand.New(rand.NewPCG(1589, 62)) //nolint:gosec // the same vehicles in every run
	var v wim.Verdict
	count := map[string]int{}
	wrong := 0
	for i := range n {
		if i%1000 == 0 {
			s = lawOf(t, id) // one that has room for plans, so that most vehicles are judged by one
		}
		f := draw(r)
		s.Judge(f, &v)
		b := oracle(f)
		for i := range b {
			count[string(b[i].competence)+" "+string(b[i].concludes())]++
		}
		compared := differs
		if !decided(f) {
			compared = contradicts
		}
		if d := compared(f, &v, b); d != "" {
			j, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			t.Errorf("%s\n%s", d, j)
			if wrong++; wrong == 5 {
				t.FailNow()
			}
		}
	}
	for _, want := range reach {
		if count[want]*200 < n {
			t.Errorf("%q is reached by %d of %d vehicles, want one of 200", want, count[want], n)
		}
	}
	t.Log(count)
}
