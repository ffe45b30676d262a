package board

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// form is the form for the plates and licences of one passage, as it is filled in.
type form struct {
	Words *web.Words
	Units []unitForm
}

// unitForm is one vehicle of the form.
type unitForm struct {
	N       int    // from 1
	Title   string // drawing vehicle or trailer
	Plate   field
	Color   choice
	Kind    choice
	Masses  []field
	Numbers []field
	Air     choice
}

// field is one input.
type field struct {
	Name, Label, Value string
	Problem            string // what is wrong with the value, in the visitor's words
	Note               string
}

// choice is one selection.
type choice struct {
	Name, Label string
	Options     []option
}

type option struct {
	Value, Text string
	Selected    bool
}

// The fields of one vehicle, with where they go.
var (
	massFields = []struct { //nolint:gochecknoglobals // a table that is never written
		name string
		of   func(*wim.Registration) *wim.Kg
	}{
		{"kerb", func(r *wim.Registration) *wim.Kg { return &r.Kerb }},
		{"rated", func(r *wim.Registration) *wim.Kg { return &r.Rated }},
		{"gross", func(r *wim.Registration) *wim.Kg { return &r.Gross }},
		{"towed", func(r *wim.Registration) *wim.Kg { return &r.Towed }},
	}
	numberFields = []struct { //nolint:gochecknoglobals // a table that is never written
		name string
		of   func(*wim.Registration) *uint8
	}{
		{"axles", func(r *wim.Registration) *uint8 { return &r.Axles }},
		{"drive", func(r *wim.Registration) *uint8 { return &r.DriveAxles }},
	}
)

func kinds() []wim.VehicleKind {
	return []wim.VehicleKind{wim.Goods, wim.SpecialWork, wim.Farm, wim.Bus, wim.Military, wim.Car}
}

func colours() []wim.PlateColor {
	return []wim.PlateColor{"", wim.Yellow, wim.Blue, wim.Green, wim.YellowGreen, wim.White, wim.Black}
}

func suspensions() []wim.Suspension {
	return []wim.Suspension{wim.SuspensionUnknown, wim.OtherSuspension, wim.AirSuspension}
}

// filled is the form with what is known of a passage's vehicles: a truck alone has one, all others may have a trailer.
func filled(w *web.Words, f *wim.Facts) *form {
	n := max(len(f.Units), 1)
	if n == 1 && (f.Vehicle.Configuration != wim.Rigid || !f.Vehicle.Sure) {
		n = 2
	}
	out := &form{Words: w}
	for i := range n {
		u := wim.Unit{}
		if i < len(f.Units) {
			u = f.Units[i]
		}
		value := func(name string) string {
			r := u.Registration
			switch {
			case name == "plate":
				return u.Plate
			case name == "color":
				return string(u.Color)
			case r == nil:
				if name == "kind" {
					return string(u.Kind)
				}
				return ""
			case name == "kind":
				return string(r.Kind)
			case name == "air":
				return string(r.Suspension)
			}
			for _, m := range massFields {
				if v := *m.of(r); m.name == name && v != 0 {
					return strconv.FormatInt(int64(v), 10)
				}
			}
			for _, m := range numberFields {
				if v := *m.of(r); m.name == name && v != 0 {
					return strconv.Itoa(int(v))
				}
			}
			return ""
		}
		out.Units = append(out.Units, newUnit(w, i, value))
	}
	return out
}

// newUnit makes the inputs of the vehicle with index i; value gives what stands in them.
func newUnit(w *web.Words, i int, value func(name string) string) unitForm {
	n := strconv.Itoa(i + 1)
	u := unitForm{N: i + 1, Title: w.T("licence.trailer")}
	if i == 0 {
		u.Title = w.T("licence.drawing")
	}
	one := func(name string) field {
		return field{Name: name + "-" + n, Label: w.T("licence." + name), Value: value(name)}
	}
	u.Plate = one("plate")
	u.Color = choice{Name: "color-" + n, Label: w.T("licence.color")}
	for _, c := range colours() {
		u.Color.Options = append(u.Color.Options, option{string(c), w.Color(c), value("color") == string(c)})
	}
	u.Kind = choice{Name: "kind-" + n, Label: w.T("licence.kind")}
	for _, k := range kinds() {
		u.Kind.Options = append(u.Kind.Options, option{string(k), w.Kind(k), value("kind") == string(k)})
	}
	u.Air = choice{Name: "air-" + n, Label: w.T("licence.air")}
	for _, s := range suspensions() {
		u.Air.Options = append(u.Air.Options, option{string(s), w.Or("suspension", orUnknown(string(s))), value("air") == string(s)})
	}
	for _, m := range massFields {
		u.Masses = append(u.Masses, one(m.name))
	}
	for _, m := range numberFields {
		u.Numbers = append(u.Numbers, one(m.name))
	}
	return u
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// read takes the form as it was sent. ok is false where a field says what is wrong with it.
func read(w *web.Words, post func(string) string) (f *form, units []wim.Unit, ok bool) {
	f, ok = &form{Words: w}, true
	for i := range 2 {
		n := "-" + strconv.Itoa(i+1)
		u := newUnit(w, i, func(name string) string { return strings.TrimSpace(post(name + n)) })
		reg, given := wim.Registration{Kind: pick(kinds(), u.Kind), Suspension: pick(suspensions(), u.Air)}, false
		for j, m := range massFields {
			v, good := number(u.Masses[j].Value, 1_000_000)
			if !good {
				u.Masses[j].Problem, ok = w.T("licence.problem.mass"), false
			}
			*m.of(&reg) = wim.Kg(v)
			given = given || u.Masses[j].Value != ""
		}
		for j, m := range numberFields {
			v, good := number(u.Numbers[j].Value, wim.MaxAxles)
			if !good {
				u.Numbers[j].Problem, ok = w.T("licence.problem.axles"), false
			}
			*m.of(&reg) = uint8(v)
			given = given || u.Numbers[j].Value != ""
		}
		if u.Plate.Value == "" && (i == 0 || given) {
			u.Plate.Problem, ok = w.T("licence.problem.plate"), false
		}
		f.Units = append(f.Units, u)
		if u.Plate.Value == "" {
			continue
		}
		unit := wim.Unit{Plate: u.Plate.Value, Color: pick(colours(), u.Color), Kind: reg.Kind}
		if given {
			unit.Registration = &reg
		}
		units = append(units, unit)
	}
	return f, units, ok
}

// pick is the option that was chosen, the first where none was.
func pick[T ~string](all []T, c choice) T {
	for i, o := range c.Options {
		if o.Selected {
			return all[i]
		}
	}
	return all[0]
}

// number reads a whole number up to most, as people write it: spaces between thousands and a unit behind are none of our
// business. An empty one is 0.
func number(s string, most int64) (v int64, ok bool) {
	s = strings.TrimSuffix(strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)), "kg")
	if s == "" {
		return 0, true
	}
	v, err := strconv.ParseInt(s, 10, 64)
	return v, err == nil && v >= 0 && v <= most
}

// key answers POST /passages/{chain}/{seq}/licences.
func (b *Board) key(w http.ResponseWriter, r *http.Request, v visit) {
	chain, n, ok := passagePath("/passages/" + r.PathValue("chain") + "/" + r.PathValue("seq"))
	if !ok {
		b.fail(w, r, http.StatusNotFound, nil)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		b.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	sent, units, ok := read(v.words, r.PostForm.Get)
	if !ok {
		b.showPassage(w, r, v, http.StatusUnprocessableEntity, sent, v.words.T("licence.problem"))
		return
	}
	a, err := b.cfg.Site.Account(r.Context(), chain, n)
	if err == nil {
		err = b.cfg.Site.Key(r.Context(), edge.Keyed{Of: a.Ref, By: v.person.Login, Units: units})
	}
	switch {
	case errors.Is(err, edge.ErrKeyed):
		b.showPassage(w, r, v, http.StatusUnprocessableEntity, sent, v.words.T("licence.problem.meant"))
	case errors.Is(err, edge.ErrNotWritten):
		b.showPassage(w, r, v, http.StatusServiceUnavailable, sent, v.words.T("licence.problem.disk"))
	case errors.Is(err, edge.ErrNoPassage):
		b.fail(w, r, http.StatusNotFound, nil)
	case err != nil:
		b.fail(w, r, http.StatusInternalServerError, err)
	default:
		b.log.InfoContext(r.Context(), "licences keyed", "login", v.person.Login, "record", n, "vehicles", len(units))
		http.Redirect(w, r, "/passages/"+chain.String()+"/"+strconv.FormatUint(n, 10)+"?saved", http.StatusSeeOther)
	}
}
