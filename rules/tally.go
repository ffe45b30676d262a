package rules

import "github.com/axlegate/axlegate/wim"

// tally keeps the heaviest outcome of a competence and what it rests on.
type tally struct {
	found   found
	reasons wim.Reason
	why     string
}

// add counts one result. One proven excess is enough, so among excesses the one with the best standing
// gives the reasons; every other outcome rests on all limits that had it, so their reasons add up.
func (t *tally) add(o found, r wim.Reason, why string) {
	switch {
	case o > t.found:
		t.found, t.reasons, t.why = o, r, why
	case o < t.found:
	case o == exceeded && (t.reasons == 0 || r == 0):
		t.reasons = 0
	default:
		t.reasons |= r
		if t.why == "" {
			t.why = why
		}
	}
}

// close ends a competence of which no limit was in force, or of which none said anything.
func (t *tally) close(inForce bool) {
	switch {
	case !inForce:
		t.add(unknown, 0, whyLaw)
	case t.found == nothing:
		t.add(notApplicable, 0, whyNoLimit)
	}
}
