package wim

// Scheme is the name of the classification that Classify fills in. Its bands and forms are ours, drawn from
// the spacings that common trucks have; no authority published them and none was verified against a
// registered fleet. They decide between truck and train only where the two lie clearly apart; between them
// Sure is false and both branches are judged. A change of any band or form is a new scheme.
const Scheme = "axlegate-cn-axles/1"

// The bands of a spacing, written as letters so that a vehicle's make-up reads as a word, front to rear.
const (
	bandNone    = 'x' // not measured, or closer than two wheels can stand
	bandClose   = 'c' // within a group: tandem, tridem
	bandTwin    = 't' // twin steering axles, or a spread tandem
	bandDoubt   = 'u' // neither a twin-steer's distance nor surely a wheelbase
	bandBase    = 'm' // a wheelbase, or a short gap between units
	bandLong    = 'l' // a wheelbase, or the gap between units
	spacingMin  = Mm(500)
	spacingTwin = GroupSpacing
	spacingDoub = Mm(2600)
	spacingBase = Mm(3000)
	spacingLong = Mm(3500)
)

func band(s Mm) byte {
	switch {
	case s < spacingMin:
		return bandNone
	case s < spacingTwin:
		return bandClose
	case s < spacingDoub:
		return bandTwin
	case s < spacingBase:
		return bandDoubt
	case s < spacingLong:
		return bandBase
	}
	return bandLong
}

// form is one make-up that is recognised. In pattern a small letter is that band; S is c or t (a pair of
// steering axles), W is m or l (a wheelbase), A is any measured spacing.
type form struct {
	pattern string
	class   string
	config  Configuration
	sure    bool
}

// forms is searched from the top; the first form that fits counts. What fits none is unclassified, or a
// train where five axles and more show a long gap behind the second axle.
//
//nolint:gochecknoglobals // a table that is never written; a function would copy it for every vehicle
var forms = [...]form{
	{"A", "rigid-2", Rigid, true},

	{"cc", "unclassified-3", Rigid, false},
	{"Ac", "rigid-3 (1+2)", Rigid, true},
	{"SW", "rigid-3 (2+1)", Rigid, true},
	{"Wl", "train-3 (2S1)", Train, true},
	{"Wt", "rigid-3 (1+1+1)", Rigid, false},

	{"ccc", "unclassified-4", Rigid, false},
	{"Acc", "rigid-4 (1+3)", Rigid, true},
	{"SWc", "rigid-4 (2+2)", Rigid, true},
	{"Suc", "rigid-4 (2+2)", Rigid, true},
	{"Stc", "rigid-4 (2+2)", Rigid, false},
	{"Wlc", "train-4 (2S2)", Train, true},
	{"Wlt", "train-4 (2S2)", Train, true},
	{"Wtc", "rigid-4 (1+1+2)", Rigid, false},
	{"Wcl", "train-4 (3S1)", Train, true},
	{"Wct", "rigid-4 (1+2+1)", Rigid, false},
	{"WWW", "train-4 (2+2)", Train, true},
	{"Sll", "train-4 (3+1)", Train, true},

	{"Wlcc", "train-5 (2S3)", Train, true},
	{"Wclc", "train-5 (3S2)", Train, true},
	{"Wclt", "train-5 (3S2)", Train, true},
	{"SWlc", "train-5 (3S2)", Train, true},
	{"WlWc", "train-5 (2+3)", Train, true},
	{"WclW", "train-5 (3+2)", Train, true},

	{"Wclcc", "train-6 (3S3)", Train, true},
	{"SWlcc", "train-6 (3S3)", Train, true},
	{"WclWc", "train-6 (3+3)", Train, true},
	{"SWclc", "train-6 (4+2)", Train, true},
	{"SWclW", "train-6 (4+2)", Train, true},
}

func (f *form) fits(bands []byte) bool {
	if len(f.pattern) != len(bands) {
		return false
	}
	for i, b := range bands {
		var ok bool
		switch p := f.pattern[i]; p {
		case 'S':
			ok = b == bandClose || b == bandTwin
		case 'W':
			ok = b == bandBase || b == bandLong
		case 'A':
			ok = b != bandNone
		default:
			ok = b == p
		}
		if !ok {
			return false
		}
	}
	return true
}

// Classify fills Groups, Scheme, Class, Configuration and Sure from the vehicle's axles and flags. It
// reuses v.Groups' memory and never fails: what it does not recognise is "unclassified" and not sure. A
// vehicle whose axles may be incomplete is never sure.
func Classify(v *Vehicle) {
	v.Groups = groupInto(v.Groups[:0], v.Axles)
	v.Scheme = Scheme
	v.Class, v.Configuration, v.Sure = classOf(v.Axles)
	if v.Flags.Any(MissedAxle | DeviceGap | TimedOut | Tailgating) {
		v.Sure = false
	}
}

func classOf(axles []Axle) (class string, c Configuration, sure bool) {
	n := len(axles)
	if n < 2 || n > MaxAxles {
		return "unclassified", ConfigurationUnknown, false
	}
	var word [MaxAxles]byte
	bands := word[:n-1]
	measured, gap := true, false
	for i := range bands {
		bands[i] = band(axles[i+1].Spacing)
		measured = measured && bands[i] != bandNone
		gap = gap || i > 0 && bands[i] == bandLong
	}
	for i := range forms {
		if f := &forms[i]; f.fits(bands) {
			return f.class, f.config, f.sure
		}
	}
	if n >= 5 && measured && gap {
		return trainClass(n), Train, true
	}
	return unclassified(n), ConfigurationUnknown, false
}

func trainClass(n int) string {
	switch n {
	case 5:
		return "train-5"
	case 6:
		return "train-6"
	case 7:
		return "train-7"
	case 8:
		return "train-8"
	case 9:
		return "train-9"
	}
	return "train-10+"
}

func unclassified(n int) string {
	switch n {
	case 2:
		return "unclassified-2"
	case 3:
		return "unclassified-3"
	case 4:
		return "unclassified-4"
	case 5:
		return "unclassified-5"
	case 6:
		return "unclassified-6"
	}
	return "unclassified-7+"
}
