package peers

import (
	"slices"

	"github.com/axlegate/axlegate/wim"
)

// The rows of the law, as engines number them.
const (
	rowG2 = iota
	rowG3Rigid
	rowG3Train
	rowG4Rigid
	rowG4Train
	rowG5
	rowG6Single
	rowG6
	rowPosted
	rowPostedAxle
	rowHeight
	rowWidth
	rowLength
	rowRated
	rowLicence
	rowTowed
	rows
)

const (
	order62 = "Order 62 Art. 3"
	sign    = "Order 62 Art. 27"
)

// described is what a finding of each row says whatever was weighed.
var described = [rows]wim.Finding{
	rowG2:         {Competence: wim.RoadAdministration, Limit: "g2", Article: order62, Scope: wim.ScopeGross},
	rowG3Rigid:    {Competence: wim.RoadAdministration, Limit: "g3r", Article: order62, Scope: wim.ScopeGross},
	rowG3Train:    {Competence: wim.RoadAdministration, Limit: "g3t", Article: order62, Scope: wim.ScopeGross},
	rowG4Rigid:    {Competence: wim.RoadAdministration, Limit: "g4r", Article: order62, Scope: wim.ScopeGross},
	rowG4Train:    {Competence: wim.RoadAdministration, Limit: "g4t", Article: order62, Scope: wim.ScopeGross},
	rowG5:         {Competence: wim.RoadAdministration, Limit: "g5t", Article: order62, Scope: wim.ScopeGross},
	rowG6Single:   {Competence: wim.RoadAdministration, Limit: "g6t1", Article: order62, Scope: wim.ScopeGross},
	rowG6:         {Competence: wim.RoadAdministration, Limit: "g6t2", Article: order62, Scope: wim.ScopeGross},
	rowPosted:     {Competence: wim.RoadAdministration, Limit: "posted-gross", Article: sign, Scope: wim.ScopeGross},
	rowPostedAxle: {Competence: wim.RoadAdministration, Limit: "posted-axle", Article: sign, Scope: wim.ScopeAxle},
	rowHeight:     {Competence: wim.RoadAdministration, Limit: "height", Article: "Order 62 Art. 3(1)", Scope: wim.ScopeHeight},
	rowWidth:      {Competence: wim.RoadAdministration, Limit: "width", Article: "Order 62 Art. 3(2)", Scope: wim.ScopeWidth},
	rowLength:     {Competence: wim.RoadAdministration, Limit: "length", Article: "Order 62 Art. 3(3)", Scope: wim.ScopeLength},
	rowRated:      {Competence: wim.TrafficPolice, Limit: "rated-load", Article: "Road Traffic Safety Law Art. 92", Scope: wim.ScopeCargo},
	rowLicence:    {Competence: wim.TrafficPolice, Limit: "licence-gross", Article: "Points Rules", Scope: wim.ScopeLicence},
	rowTowed:      {Competence: wim.TrafficPolice, Limit: "towed-mass", Article: "Road Traffic Safety Law Art. 48", Scope: wim.ScopeTowed, Reasons: wim.LimitInferred},
}

// The bands, as engines number them.
var bands = [...]string{"", "warning", "fine", "posted", "size-a", "size-b", "under-30", "30-and-over"}

// answer is what a peer's host builds; its memory is reused, as rules.Judge does.
type answer struct {
	findings []wim.Finding
	opinions [2]wim.Opinion

	of                 *Input // the vehicle that is judged
	pending, permitted int    // the row that waits for its excess
}

// begin forgets the vehicle before.
func (a *answer) begin(in *Input) { a.of, a.findings = in, a.findings[:0] }

// add builds a finding from what an engine says of a row: an excess of 0 or less is none.
func (a *answer) add(row, axle, measured, taken, permitted, excess, band int) {
	n := len(a.findings)
	a.findings = slices.Grow(a.findings, 1)[:n+1]
	f := &a.findings[n]
	*f = described[row]
	f.Index = uint8(axle)
	switch {
	case excess > 0:
		f.Outcome, f.Band = wim.Exceeded, bands[band]
		f.Ratio = wim.Kg(excess).Of(wim.Kg(permitted))
	case measured > permitted:
		f.Outcome, excess = wim.WithinTolerance, 0
	default:
		f.Outcome, excess = wim.Compliant, 0
	}
	if row >= rowHeight && row <= rowLength {
		f.Size = wim.Size{Measured: wim.Mm(measured), Deducted: wim.Mm(taken), Permitted: wim.Mm(permitted), Excess: wim.Mm(excess)}
	} else {
		f.Measured, f.Deducted, f.Permitted, f.Excess = wim.Kg(measured), wim.Kg(taken), wim.Kg(permitted), wim.Kg(excess)
	}
}

// row begins the finding of a row, or of an axle by the row 15 and its number; found ends it.
func (a *answer) row(row, permitted int) bool {
	a.pending, a.permitted = row, permitted
	return true
}

// found ends a finding by what the engine says of its excess.
func (a *answer) found(excess, band int) bool {
	row, axle, measured, taken := a.figures(a.pending)
	a.add(row, axle, measured, taken, a.permitted, excess, band)
	return true
}

// weigh is the arithmetic of the law for an engine that only picks rows.
func (a *answer) weigh(row, permitted int) bool {
	row, axle, measured, taken := a.figures(row)
	excess, band := measured-taken-permitted, 0
	if excess > 0 {
		band = graded(row, measured-taken, excess, permitted)
	}
	a.add(row, axle, measured, taken, permitted, excess, band)
	return true
}

// place takes the number of an axle from what an engine calls its row.
func place(code int) (row, axle int) {
	if code > rowTowed {
		return rowPostedAxle, code - rowTowed
	}
	return code, 0
}

// figures gives what a row is about.
func (a *answer) figures(code int) (row, axle, measured, taken int) {
	in := a.of
	row, axle = place(code)
	switch row {
	case rowPostedAxle:
		return row, axle, in.Loads[axle-1], in.LoadsTaken[axle-1]
	case rowHeight:
		return row, axle, in.Height, in.SizeTaken
	case rowWidth:
		return row, axle, in.Width, in.SizeTaken
	case rowLength:
		return row, axle, in.Length, in.SizeTaken
	case rowRated:
		return row, axle, in.Cargo, in.Taken
	case rowTowed:
		return row, axle, in.Towed, in.Taken
	}
	return row, axle, in.Gross, in.Taken
}

func graded(row, net, excess, permitted int) int {
	band, second := 1, excess > 1000
	switch row {
	case rowPosted, rowPostedAxle:
		return 3
	case rowHeight:
		band, second = 4, net > 4200
	case rowWidth:
		band, second = 4, net > 3000
	case rowLength:
		band, second = 4, net > 20000
	case rowRated:
		band, second = 6, excess*1000 >= 300*permitted
	case rowLicence, rowTowed:
		return 0
	}
	if second {
		band++
	}
	return band
}

// conclude adds up what each competence's findings come to: one proven excess is enough, every other outcome rests on all that had it.
func (a *answer) conclude() {
	in := a.of
	for i, c := range [...]wim.Competence{wim.RoadAdministration, wim.TrafficPolice} {
		o := &a.opinions[i]
		*o = wim.Opinion{Competence: c}
		if !in.Goods {
			o.Outcome, o.Why = wim.NotApplicable, string(in.Kind)
		}
		weight := 0
		for k := range a.findings {
			f := &a.findings[k]
			if f.Competence != c {
				continue
			}
			switch w := f.Outcome.Weight(); {
			case w > weight:
				weight, o.Outcome, o.Reasons = w, f.Outcome, f.Reasons
			case w < weight:
			case f.Outcome == wim.Exceeded && (o.Reasons == 0 || f.Reasons == 0):
				o.Reasons = 0
			default:
				o.Reasons |= f.Reasons
			}
		}
		o.Standing = wim.StandingOf(o.Reasons)
	}
}
