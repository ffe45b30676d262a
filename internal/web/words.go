package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// Words says things in one language and one time zone. It is immutable, so all requests may share it.
type Words struct {
	language Language
	texts    map[string]string
	zone     *time.Location
}

// Words returns the words of a language for a site or centre in the given zone; nil means UTC.
func (c *Catalogue) Words(l Language, zone *time.Location) *Words {
	if zone == nil {
		zone = time.UTC
	}
	return &Words{language: l, texts: c.texts[l], zone: zone}
}

// Language is the language spoken.
func (w *Words) Language() Language { return w.language }

// Zone is the time zone of every time shown.
func (w *Words) Zone() *time.Location { return w.zone }

// T is the text of a key, its verbs filled from args. A key that does not exist shows as ⟦key⟧: visible to
// people and to tests, fatal to nobody.
func (w *Words) T(key string, args ...any) string {
	s, ok := w.texts[key]
	if !ok {
		return "⟦" + key + "⟧"
	}
	if len(args) == 0 {
		return s
	}
	return fmt.Sprintf(s, args...)
}

// Or is the text of prefix.value, or the value itself where the catalogue does not know it: rule sets and
// devices bring words of their own.
func (w *Words) Or(prefix, value string) string {
	if s, ok := w.texts[prefix+"."+value]; ok {
		return s
	}
	return value
}

// Outcome names what was found.
func (w *Words) Outcome(o wim.Outcome) string { return w.Or("outcome", string(o)) }

// Standing names what a finding may be used for.
func (w *Words) Standing(s wim.Standing) string { return w.Or("standing", string(s)) }

// StandingNote says in a sentence what the standing allows.
func (w *Words) StandingNote(s wim.Standing) string { return w.Or("standing-note", string(s)) }

// Headline names an opinion as officers say it: 超限 or 超载, with 嫌疑 where it grounds nothing yet.
func (w *Words) Headline(c wim.Competence, o wim.Outcome, s wim.Standing) string {
	if o != wim.Exceeded {
		return w.Outcome(o)
	}
	kind := "exceeded"
	switch s {
	case wim.Screening:
		kind = "suspected"
	case wim.Void:
		kind = "void"
	case wim.Evidence:
	}
	if t, ok := w.texts[kind+"."+string(c)]; ok {
		return t
	}
	return w.Outcome(o)
}

// Scope names what a finding is about, with the numbers of its axles where it is about some.
func (w *Words) Scope(f *wim.Finding) string {
	switch f.Scope {
	case wim.ScopeAxle, wim.ScopeGroup, wim.ScopeRun:
		if f.Last > f.Index {
			return w.T("scope.axles", f.Index, f.Last)
		}
		return w.T("scope.axle", f.Index)
	case wim.ScopeGross, wim.ScopeCargo, wim.ScopeTowed, wim.ScopeLicence, wim.ScopeAxleSum, wim.ScopeLength, wim.ScopeWidth, wim.ScopeHeight:
	}
	return w.Or("scope", string(f.Scope))
}

// Figures writes what a finding compares, masses in kilograms and sizes in metres: as measured, what was deducted, what
// is permitted and the excess, empty for none.
func (w *Words) Figures(f *wim.Finding) (measured, deducted, permitted, excess string) {
	if s := f.Size; s != (wim.Size{}) {
		if s.Excess > 0 {
			excess = "+" + w.Length(s.Excess)
		}
		return w.Length(s.Measured), "−" + w.Length(s.Deducted), w.Length(s.Permitted), excess
	}
	if f.Excess > 0 {
		excess = "+" + w.KgNumber(f.Excess)
	}
	return w.KgNumber(f.Measured), "−" + w.KgNumber(f.Deducted), w.KgNumber(f.Permitted), excess
}

// Over is by how much a finding exceeds, in tonnes or metres.
func (w *Words) Over(f *wim.Finding) string {
	if f.Size.Excess > 0 {
		return "+" + w.Length(f.Size.Excess)
	}
	return "+" + w.Tonnes(f.Excess)
}

// Permit says which permit a finding rests on, or why the one that there is raises nothing; empty for none.
func (w *Words) Permit(f *wim.Finding) string {
	switch {
	case f.Permit == "":
		return ""
	case f.Breach == "":
		return w.T("finding.permit", f.Permit)
	}
	return w.T("finding.breach", f.Permit, w.Or("breach", f.Breach))
}

// Reasons names why a standing is not evidence.
func (w *Words) Reasons(r wim.Reason) []string { return w.each("reason", r.Names()) }

// Flags names why a measurement is weak or void.
func (w *Words) Flags(f wim.Flag) []string { return w.each("flag", f.Names()) }

func (w *Words) each(prefix string, names []string) []string {
	for i, n := range names {
		names[i] = w.Or(prefix, n)
	}
	return names
}

// Band names a severity band of a rule set.
func (w *Words) Band(b string) string { return w.Or("band", b) }

// Why explains an outcome that is not applicable or unknown.
func (w *Words) Why(s string) string { return w.Or("why", s) }

// Assumes names the branch of a missing input that a finding belongs to.
func (w *Words) Assumes(s string) string {
	parts := strings.Split(s, ",")
	for i, p := range parts {
		if n, ok := strings.CutPrefix(p, "drive-axles="); ok {
			parts[i] = w.T("assumes.drive-axles", n)
			continue
		}
		parts[i] = w.Or("assumes", p)
	}
	return strings.Join(parts, ", ")
}

// Article names an article of law in the page's language, or as the rule set gives it.
func (w *Words) Article(a string) string { return w.Or("article", a) }

// Order names what the driver was shown.
func (w *Words) Order(o wim.Order) string {
	if o == wim.OrderNone {
		return w.T("order.none")
	}
	return w.Or("order", string(o))
}

// Kind names the statutory kind of a vehicle.
func (w *Words) Kind(k wim.VehicleKind) string {
	if k == wim.KindUnknown {
		return w.T("kind.unknown")
	}
	return w.Or("kind", string(k))
}

// Color names a plate's colour.
func (w *Words) Color(c wim.PlateColor) string {
	if c == "" {
		return w.T("color.unknown")
	}
	return w.Or("color", string(c))
}

// Vehicle names the make-up: axles, truck or train, and the class where it says more.
func (w *Words) Vehicle(v *wim.Vehicle) string {
	c := v.Configuration
	if c == "" {
		c = wim.ConfigurationUnknown
	}
	s := w.T("vehicle."+string(c), len(v.Axles))
	if _, pattern, ok := strings.Cut(v.Class, "("); ok {
		s += " " + strings.TrimSuffix(pattern, ")")
	}
	if !v.Sure {
		s += w.T("vehicle.unsure")
	}
	return s
}
