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
	joined  Combination
	lead    uint8 // axles of a train's drawing vehicle
}

// forms is searched from the top; the first form that fits counts. What fits none is unclassified, or a
// train where five axles and more show a long gap behind the second axle.
//
//nolint:gochecknoglobals // a table that is never written; a function would copy it for every vehicle
var forms = [...]form{
	{"A", "rigid-2", Rigid, true, "", 0},

	{"cc", "unclassified-3", Rigid, false, "", 0},
	{"Ac", "rigid-3 (1+2)", Rigid, true, "", 0},
	{"SW", "rigid-3 (2+1)", Rigid, true, "", 0},
	{"Wl", "train-3 (2S1)", Train, true, Articulated, 2},
	{"Wt", "rigid-3 (1+1+1)", Rigid, false, "", 0},

	{"ccc", "unclassified-4", Rigid, false, "", 0},
	{"Acc", "rigid-4 (1+3)", Rigid, true, "", 0},
	{"SWc", "rigid-4 (2+2)", Rigid, true, "", 0},
	{"Suc", "rigid-4 (2+2)", Rigid, true, "", 0},
	{"Stc", "rigid-4 (2+2)", Rigid, false, "", 0},
	{"Wlc", "train-4 (2S2)", Train, true, Articulated, 2},
	{"Wlt", "train-4 (2S2)", Train, true, Articulated, 2},
	{"Wtc", "rigid-4 (1+1+2)", Rigid, false, "", 0},
	{"Wcl", "train-4 (3S1)", Train, true, Articulated, 3},
	{"Wct", "rigid-4 (1+2+1)", Rigid, false, "", 0},
	{"WWW", "train-4 (2+2)", Train, true, Drawbar, 2},
	{"Sll", "train-4 (3+1)", Train, true, Drawbar, 3},

	{"Wlcc", "train-5 (2S3)", Train, true, Articulated, 2},
	{"Wclc", "train-5 (3S2)", Train, true, Articulated, 3},
	{"Wclt", "train-5 (3S2)", Train, true, Articulated, 3},
	{"SWlc", "train-5 (3S2)", Train, true, Articulated, 3},
	{"WlWc", "train-5 (2+3)", Train, true, Drawbar, 2},
	{"WclW", "train-5 (3+2)", Train, true, Drawbar, 3},

	{"Wclcc", "train-6 (3S3)", Train, true, Articulated, 3},
	{"SWlcc", "train-6 (3S3)", Train, true, Articulated, 3},
	{"WclWc", "train-6 (3+3)", Train, true, Drawbar, 3},
	{"SWclc", "train-6 (4+2)", Train, true, Drawbar, 4},
	{"SWclW", "train-6 (4+2)", Train, true, Drawbar, 4},
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
	var f *form
	v.Class, v.Configuration, v.Sure, f = classOf(v.Axles)
	if v.Flags.Any(MissedAxle | DeviceGap | TimedOut | Tailgating) {
		v.Sure = false
	}
	v.Combination, v.Lead = CombinationUnknown, 0
	if v.Sure && f != nil {
		v.Combination, v.Lead = f.joined, f.lead
		if v.Configuration == Rigid {
			v.Lead = uint8(len(v.Axles))
		}
	}
}

// classOf gives the form too where one fits.
func classOf(axles []Axle) (class string, c Configuration, sure bool, of *form) {
	n := len(axles)
	if n < 2 || n > MaxAxles {
		return "unclassified", ConfigurationUnknown, false, nil
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
			return f.class, f.config, f.sure, f
		}
	}
	if n >= 5 && measured && gap {
		return trainClass(n), Train, true, nil
	}
	return unclassified(n), ConfigurationUnknown, false, nil
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
