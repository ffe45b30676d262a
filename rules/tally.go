package rules

import "github.com/axlegate/axlegate/wim"

// tally keeps the heaviest outcome of a competence and what it rests on.
type tally struct {
	any     bool
	outcome wim.Outcome
	reasons wim.Reason
	why     string
}

// add counts one result. One proven excess is enough, so among excesses the one with the best standing
// gives the reasons; every other outcome rests on all limits that had it, so their reasons add up.
func (t *tally) add(o wim.Outcome, r wim.Reason, why string) {
	switch {
	case !t.any || o.Weight() > t.outcome.Weight():
		t.any, t.outcome, t.reasons, t.why = true, o, r, why
	case o.Weight() < t.outcome.Weight():
	case o == wim.Exceeded && (t.reasons == 0 || r == 0):
		t.reasons = 0
	default:
		t.reasons |= r
		if t.why == "" {
			t.why = why
		}
	}
}
