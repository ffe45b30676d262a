package center

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/axlegate/axlegate/wim"
)

// ActKind is what an officer does to a matter.
type ActKind string

// The acts of the first states of a matter.
const (
	ActAcknowledge ActKind = "acknowledge" // 签收: takes note of the own authority's alert
	ActDispatch    ActKind = "dispatch"    // 派遣: sends somebody
	ActIntercept   ActKind = "intercept"   // 拦截: the vehicle has been stopped
	ActWeigh       ActKind = "weigh"       // 静态称重: enters the static scale's indication
	ActOpenCase    ActKind = "open-case"   // 立案: under the authority's own number; no program ever does
	ActConclude    ActKind = "conclude"    // 办结: the own authority has done what it had to
	ActDismiss     ActKind = "dismiss"     // 不予处理: the own authority will not pursue it, with a reason
	ActRemark      ActKind = "remark"      // 备注
)

// ActKinds lists all acts in the order in which pages offer them.
func ActKinds() []ActKind {
	return []ActKind{ActAcknowledge, ActDispatch, ActIntercept, ActWeigh, ActOpenCase, ActConclude, ActDismiss, ActRemark}
}

// Reason says why an authority ends its part in a matter.
type Reason string

// The reasons to conclude and to dismiss.
const (
	ReasonCompliant   Reason = "weighed-compliant" // the static scale found no excess
	ReasonCaseOpened  Reason = "case-opened"       // the case takes its own course
	ReasonWarned      Reason = "warned"            // the driver was warned and let go
	ReasonNotFound    Reason = "not-found"         // the vehicle was not met
	ReasonMeasurement Reason = "measurement"       // the measurement is not to be relied on
	ReasonPlate       Reason = "plate"             // the plate is another vehicle's, or cloned
	ReasonPermit      Reason = "permit"            // a permit covers it
	ReasonExempt      Reason = "exempt"            // emergency, military or otherwise exempt
	ReasonDuplicate   Reason = "duplicate"         // pursued under another matter
	ReasonOther       Reason = "other"             // as the remark says
)

// ReasonsFor lists the reasons that an act takes; nil for an act that takes none.
func ReasonsFor(k ActKind) []Reason {
	switch k { //nolint:exhaustive // the other acts take no reason
	case ActConclude:
		return []Reason{ReasonCaseOpened, ReasonCompliant, ReasonWarned, ReasonNotFound, ReasonOther}
	case ActDismiss:
		return []Reason{ReasonMeasurement, ReasonPlate, ReasonPermit, ReasonExempt, ReasonDuplicate, ReasonOther}
	}
	return nil
}

// Act is one thing that an officer did, for ever.
type Act struct {
	ID         int64
	Matter     int64
	Version    int64 // of the matter once it was done
	At         wim.Time
	Login      string
	Competence wim.Competence
	Kind       ActKind
	Details    Details
}

// Details is what an officer enters with an act. Which fields an act needs, Check tells; the others are empty.
type Details struct {
	Who      string          `json:"who,omitempty"`    // dispatch: the patrol or persons sent
	Place    string          `json:"place,omitempty"`  // dispatch, intercept: where
	Number   string          `json:"number,omitempty"` // open-case: the authority's own number
	Reason   Reason          `json:"reason,omitempty"` // conclude, dismiss
	Remark   string          `json:"remark,omitempty"`
	Weighing *StaticWeighing `json:"weighing,omitempty"`
}

// StaticWeighing is what a static scale indicated, entered by hand. It stands beside the sealed record and
// never changes it.
type StaticWeighing struct {
	Gross      wim.Kg   `json:"gross_kg"`
	Axles      []wim.Kg `json:"axles_kg,omitempty"` // where the scale gives them, front first
	Ticket     string   `json:"ticket"`
	Instrument string   `json:"instrument"`
	At         wim.Time `json:"at"` // when it was weighed; zero means when it was entered
}

// Bounds of what an officer may enter.
const (
	MaxWord   = 100  // characters of a short field
	MaxRemark = 2000 // characters of a remark
	MaxGross  = wim.Kg(1_000_000)
	MaxAxles  = 40
)

// maxAhead is how far the clock of whoever enters a weighing may be ahead of the centre's.
const maxAhead = 5 * time.Minute

// FieldError says which field of an act is wrong and how. Problem is one of a few words that pages translate.
type FieldError struct {
	Field   string // as in the JSON of Details: "number", "weighing.gross_kg"
	Problem FieldProblem
}

// FieldProblem is what is wrong with a field.
type FieldProblem string

// The problems of fields.
const (
	FieldMissing  FieldProblem = "missing"
	FieldTooLong  FieldProblem = "too-long"
	FieldOutside  FieldProblem = "outside" // out of range, or not one of the choices
	FieldControl  FieldProblem = "control" // has control characters
	FieldNotTaken FieldProblem = "not-taken"
)

func (e *FieldError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Problem) }

// Errors that an act may meet.
var (
	// ErrStale says that the matter has changed since the officer saw it: nothing was written.
	ErrStale = errors.New("the matter has changed meanwhile")
	// ErrNotNow says that the matter's state does not allow the act.
	ErrNotNow = errors.New("the state of the matter does not allow it")
	// ErrNotYours says that the officer's role or authority does not allow the act.
	ErrNotYours = errors.New("not for this officer")
	// ErrNumberTaken says that the authority has another case under that number.
	ErrNumberTaken = errors.New("the case number is taken")
)

// Check tells what is wrong with what was entered for an act: a *FieldError.
func (d *Details) Check(k ActKind) error {
	if !slices.Contains(ActKinds(), k) {
		return &FieldError{"kind", FieldOutside}
	}
	for _, f := range []struct {
		name, value string
		most        int
		taken, need bool
	}{
		{"who", d.Who, MaxWord, k == ActDispatch, k == ActDispatch},
		{"place", d.Place, MaxWord, k == ActDispatch || k == ActIntercept, k == ActIntercept},
		{"number", d.Number, MaxWord, k == ActOpenCase, k == ActOpenCase},
		{"reason", string(d.Reason), MaxWord, k == ActConclude || k == ActDismiss, k == ActConclude || k == ActDismiss},
		{"remark", d.Remark, MaxRemark, true, k == ActRemark || d.Reason == ReasonOther},
	} {
		if err := checkText(f.name, f.value, f.most, f.taken, f.need); err != nil {
			return err
		}
	}
	if d.Reason != "" && !slices.Contains(ReasonsFor(k), d.Reason) {
		return &FieldError{"reason", FieldOutside}
	}
	if (d.Weighing != nil) != (k == ActWeigh) {
		return &FieldError{"weighing", map[bool]FieldProblem{true: FieldMissing, false: FieldNotTaken}[k == ActWeigh]}
	}
	if d.Weighing != nil {
		return d.Weighing.check()
	}
	return nil
}

func checkText(name, value string, most int, taken, need bool) error {
	switch {
	case need && strings.TrimSpace(value) == "":
		return &FieldError{name, FieldMissing}
	case value != "" && !taken:
		return &FieldError{name, FieldNotTaken}
	case utf8.RuneCountInString(value) > most:
		return &FieldError{name, FieldTooLong}
	case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return (r != '\n' || name != "remark") && (r < ' ' || r == 0x7F) }):
		return &FieldError{name, FieldControl}
	}
	return nil
}

func (w *StaticWeighing) check() error {
	if w.Gross <= 0 || w.Gross > MaxGross {
		return &FieldError{"weighing.gross_kg", FieldOutside}
	}
	if w.At < 0 {
		return &FieldError{"weighing.at", FieldOutside}
	}
	if len(w.Axles) > MaxAxles || slices.ContainsFunc(w.Axles, func(k wim.Kg) bool { return k < 0 || k > MaxGross }) {
		return &FieldError{"weighing.axles_kg", FieldOutside}
	}
	if err := checkText("weighing.ticket", w.Ticket, MaxWord, true, true); err != nil {
		return err
	}
	return checkText("weighing.instrument", w.Instrument, MaxWord, true, true)
}

// Case (立案) is what an authority's officer opened on a matter, under the authority's own number.
type Case struct {
	Matter     int64
	Competence wim.Competence
	Number     string
	Opened     wim.Time
	Login      string
}

// Docket is what acts depend on: a matter with its alerts and cases.
type Docket struct {
	Matter Matter
	Alerts []Alert // by id
	Cases  []Case  // at most one for each authority
}

// Own gives the authority's own alert.
func (d *Docket) Own(c wim.Competence) (*Alert, bool) {
	for i := range d.Alerts {
		if d.Alerts[i].Competence == c {
			return &d.Alerts[i], true
		}
	}
	return nil, false
}

// Case gives the authority's own case.
func (d *Docket) Case(c wim.Competence) (*Case, bool) {
	for i := range d.Cases {
		if d.Cases[i].Competence == c {
			return &d.Cases[i], true
		}
	}
	return nil, false
}

// Allowed lists what the viewer may do now.
func (d *Docket) Allowed(v Viewer) (out []ActKind) {
	for _, k := range ActKinds() {
		if d.may(v, k) == nil {
			out = append(out, k)
		}
	}
	return out
}

// may tells whether the viewer may do that now, whatever is entered: ErrNotYours or ErrNotNow.
func (d *Docket) may(v Viewer, k ActKind) error {
	if v.Role != Enforcer || !v.Sees(d.Matter.Region, d.Alerts) {
		return ErrNotYours
	}
	own, _ := d.Own(v.Competence)
	_, hasCase := d.Case(v.Competence)
	s := d.Matter.State
	taken := own.AcknowledgedAt != 0 && own.Ended == ""
	var ok bool
	switch k {
	case ActAcknowledge:
		ok = own.AcknowledgedAt == 0
	case ActRemark:
		ok = true
	case ActDispatch:
		ok = taken && (s == Alerted || s == Acknowledged)
	case ActIntercept:
		ok = taken && (s == Alerted || s == Acknowledged || s == Dispatched)
	case ActWeigh:
		// A directed vehicle may come to the static scale by itself; one that was unloaded is weighed again.
		ok = taken && s.Open()
	case ActOpenCase:
		ok = taken && !hasCase
	case ActDismiss:
		ok = taken && !hasCase
	case ActConclude:
		ok = taken && (hasCase || s == Dispatched || s == Intercepted || s == Weighed)
	default:
		return ErrNotNow
	}
	if !ok {
		return ErrNotNow
	}
	return nil
}

// Do tells what becomes of a docket by an act, without changing the docket itself. Seen is the version of the
// matter that the officer had before the eyes; when it is not the present one the error is ErrStale. Further
// errors are a *FieldError, ErrNotNow and ErrNotYours. Whether a case number is free only the store knows.
func (d *Docket) Do(v Viewer, k ActKind, in Details, seen int64, now wim.Time) (Docket, Act, error) {
	if err := in.Check(k); err != nil {
		return Docket{}, Act{}, err
	}
	if v.Role != Enforcer || !v.Sees(d.Matter.Region, d.Alerts) {
		return Docket{}, Act{}, ErrNotYours
	}
	if seen != d.Matter.Version {
		return Docket{}, Act{}, ErrStale
	}
	if err := d.may(v, k); err != nil {
		return Docket{}, Act{}, err
	}
	out := Docket{Matter: d.Matter, Alerts: slices.Clone(d.Alerts), Cases: slices.Clone(d.Cases)}
	own, _ := out.Own(v.Competence)
	switch k {
	case ActAcknowledge:
		own.AcknowledgedAt, own.AcknowledgedBy = now, v.Login
		if out.Matter.State == Alerted && !slices.ContainsFunc(out.Alerts, func(a Alert) bool { return a.AcknowledgedAt == 0 }) {
			out.Matter.State = Acknowledged
		}
	case ActDispatch:
		out.Matter.State = Dispatched
	case ActIntercept:
		out.Matter.State = Intercepted
	case ActWeigh:
		w := *in.Weighing
		if w.At == 0 {
			w.At = now
		}
		if w.At > now.Add(maxAhead) {
			return Docket{}, Act{}, &FieldError{"weighing.at", FieldOutside}
		}
		in.Weighing = &w
		out.Matter.State = Weighed
	case ActOpenCase:
		in.Number = strings.TrimSpace(in.Number) // "1" and "1 " are one number
		out.Cases = append(out.Cases, Case{Matter: d.Matter.ID, Competence: v.Competence, Number: in.Number, Opened: now, Login: v.Login})
	case ActConclude, ActDismiss:
		if !fits(&out, v.Competence, in.Reason) {
			return Docket{}, Act{}, &FieldError{"reason", FieldOutside}
		}
		own.Ended, own.EndedAt, own.EndedBy, own.EndReason = Concluded, now, v.Login, in.Reason
		if k == ActDismiss {
			own.Ended = DismissedEnd
		}
		out.end()
	case ActRemark:
	}
	out.Matter.Version++
	return out, Act{Matter: d.Matter.ID, Version: out.Matter.Version, At: now, Login: v.Login, Competence: v.Competence, Kind: k, Details: in}, nil
}

// fits tells whether what has happened bears a reason to conclude.
func fits(d *Docket, c wim.Competence, r Reason) bool {
	switch r { //nolint:exhaustive // the other reasons rest on nothing that the centre knows
	case ReasonCaseOpened:
		_, ok := d.Case(c)
		return ok
	case ReasonCompliant:
		return d.Matter.State == Weighed
	case ReasonWarned:
		return d.Matter.State == Weighed || d.Matter.State == Intercepted
	}
	return true
}

// end closes the matter once every authority has ended its part.
func (d *Docket) end() {
	dismissed := true
	for i := range d.Alerts {
		if d.Alerts[i].Ended == "" {
			return
		}
		dismissed = dismissed && d.Alerts[i].Ended == DismissedEnd
	}
	d.Matter.State = Closed
	if dismissed {
		d.Matter.State = Dismissed
	}
}

// Duty is what an authority owes to a matter.
type Duty struct {
	Competence wim.Competence
	Acts       []ActKind // any of them discharges it
	Since      wim.Time
}

// Owed tells who owes what: an authority that was alerted owes its acknowledgement, then, until it has ended
// its part, the next step. Since is when it began to be owed, as far as alerts tell.
func (d *Docket) Owed() (out []Duty) {
	for i := range d.Alerts {
		a := &d.Alerts[i]
		switch {
		case a.Ended != "":
		case a.AcknowledgedAt == 0:
			out = append(out, Duty{a.Competence, []ActKind{ActAcknowledge}, a.Raised})
		default:
			acts := []ActKind{ActDispatch, ActIntercept, ActWeigh, ActDismiss}
			switch d.Matter.State { //nolint:exhaustive // an open alert belongs to an open matter
			case Dispatched:
				acts = []ActKind{ActIntercept, ActWeigh}
			case Intercepted:
				acts = []ActKind{ActWeigh}
			case Weighed:
				acts = []ActKind{ActOpenCase, ActConclude}
			}
			if _, ok := d.Case(a.Competence); ok {
				acts = []ActKind{ActConclude}
			}
			out = append(out, Duty{a.Competence, acts, a.AcknowledgedAt})
		}
	}
	return out
}
