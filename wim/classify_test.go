package wim

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func withSpacings(spacings ...Mm) Vehicle {
	v := Vehicle{Axles: []Axle{{Index: 1, Load: 6000}}}
	for i, s := range spacings {
		v.Axles = append(v.Axles, Axle{Index: uint8(i + 2), Load: 8000, Spacing: s})
	}
	return v
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		name     string
		spacings []Mm
		class    string
		config   Configuration
		sure     bool
	}{
		{"a truck of two axles", []Mm{5600}, "rigid-2", Rigid, true},
		{"a ghost axle three centimetres behind", []Mm{30}, "unclassified-2", ConfigurationUnknown, false},
		{"a tandem behind is a truck", []Mm{4500, 1350}, "rigid-3 (1+2)", Rigid, true},
		{"two steering axles and one behind is a truck", []Mm{1850, 4600}, "rigid-3 (2+1)", Rigid, true},
		{"a long gap behind two axles is a train", []Mm{3300, 6800}, "train-3 (2S1)", Train, true},
		{"a short gap behind two axles is not sure", []Mm{3300, 3200}, "unclassified-3", ConfigurationUnknown, false},
		{"a spread tandem leans to a truck", []Mm{4500, 1900}, "rigid-3 (1+1+1)", Rigid, false},
		{"a wheelbase between twin steer and tractor is not sure", []Mm{2700, 5000}, "unclassified-3", ConfigurationUnknown, false},
		{"an eight-wheeler", []Mm{1850, 3800, 1350}, "rigid-4 (2+2)", Rigid, true},
		{"an eight-wheeler with steering axles close together", []Mm{1750, 3400, 1350}, "rigid-4 (2+2)", Rigid, true},
		{"a tractor of two axles with a tandem trailer", []Mm{3500, 6500, 1310}, "train-4 (2S2)", Train, true},
		{"its trailer's axles 1.8 m apart", []Mm{3500, 6500, 1810}, "train-4 (2S2)", Train, true},
		{"a tractor of three axles with a single axle", []Mm{3300, 1350, 6900}, "train-4 (3S1)", Train, true},
		{"a truck with a drawbar trailer", []Mm{4600, 4200, 4800}, "train-4 (2+2)", Train, true},
		{"four axles with a short tractor are not sure", []Mm{2750, 4000, 1310}, "unclassified-4", ConfigurationUnknown, false},
		{"four axles with a short gap are not sure", []Mm{3300, 3100, 1310}, "unclassified-4", ConfigurationUnknown, false},
		{"the common five-axle train", []Mm{3200, 6880, 1290, 1260}, "train-5 (2S3)", Train, true},
		{"a five-axle train with two tandems", []Mm{3300, 1350, 6900, 1310}, "train-5 (3S2)", Train, true},
		{"five axles close together are a crane or the like", []Mm{1700, 2400, 1650, 1650}, "unclassified-5", ConfigurationUnknown, false},
		{"the common six-axle train", []Mm{3130, 1320, 6420, 1290, 1290}, "train-6 (3S3)", Train, true},
		{"a six-axle train of another make-up", []Mm{3130, 5000, 1320, 6420, 1290}, "train-6", Train, true},
		{"eight axles with a long gap", []Mm{3100, 1350, 5000, 1310, 1310, 1310, 1310}, "train-8", Train, true},
		{"a spacing that was not measured", []Mm{3130, 1320, 0, 1290, 1290}, "unclassified-6", ConfigurationUnknown, false},
		{"one axle is no vehicle", nil, "unclassified", ConfigurationUnknown, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := withSpacings(c.spacings...)
			Classify(&v)
			if v.Class != c.class || v.Configuration != c.config || v.Sure != c.sure || v.Scheme != Scheme {
				t.Errorf("%q %s sure=%v (%s), want %q %s sure=%v", v.Class, v.Configuration, v.Sure, v.Scheme, c.class, c.config, c.sure)
			}
		})
	}
}

func TestEveryFormIsReached(t *testing.T) {
	example := map[byte]Mm{'c': 1300, 't': 2000, 'u': 2800, 'm': 3200, 'l': 6000, 'S': 2000, 'W': 3200, 'A': 3200}
	for i := range forms {
		f := &forms[i]
		var spacings []Mm
		for _, b := range []byte(f.pattern) {
			spacings = append(spacings, example[b])
		}
		v := withSpacings(spacings...)
		Classify(&v)
		if v.Class != f.class || v.Configuration != f.config || v.Sure != f.sure {
			t.Errorf("form %q is shadowed: got %q %s", f.pattern, v.Class, v.Configuration)
		}
	}
}

func TestAVehicleWhoseAxlesMayBeIncompleteIsNeverSure(t *testing.T) {
	for _, f := range []Flag{MissedAxle, DeviceGap, TimedOut, Tailgating} {
		v := withSpacings(4500, 1350)
		v.Flags = f
		if Classify(&v); v.Sure {
			t.Errorf("sure in spite of %v", f.Names())
		}
	}
}

func TestGroups(t *testing.T) {
	for _, c := range []struct {
		name     string
		spacings []Mm
		want     []AxleGroup
	}{
		{"a six-axle train has one, two and three", []Mm{3130, 1320, 6420, 1290, 1310}, []AxleGroup{{1, 1, 6000, 0}, {2, 2, 16000, 1320}, {4, 3, 24000, 2600}}},
		{"just below 1.8 m they are together", []Mm{1799}, []AxleGroup{{1, 2, 14000, 1799}}},
		{"at 1.8 m they are apart", []Mm{1800}, []AxleGroup{{1, 1, 6000, 0}, {2, 1, 8000, 0}}},
		{"at most three are taken together", []Mm{1300, 1300, 1300, 1300}, []AxleGroup{{1, 3, 22000, 2600}, {4, 2, 16000, 1300}}},
		{"a spacing that was not measured joins nothing", []Mm{0}, []AxleGroup{{1, 1, 6000, 0}, {2, 1, 8000, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := withSpacings(c.spacings...)
			if Classify(&v); !slices.Equal(v.Groups, c.want) {
				t.Errorf("%+v, want %+v", v.Groups, c.want)
			}
		})
	}
}

func TestPropertyGroupsAreThePartsOfTheVehicle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var v Vehicle
		for i := range rapid.IntRange(0, 40).Draw(t, "axles") {
			v.Axles = append(v.Axles, Axle{Index: uint8(i + 1), Load: Kg(rapid.Int32Range(-1, 30000).Draw(t, "load")), Spacing: Mm(rapid.Int32Range(-1, 3000).Draw(t, "spacing"))})
		}
		Classify(&v)
		next, load := 1, Kg(0)
		for _, g := range v.Groups {
			if int(g.First) != next || g.Count < 1 || g.Count > groupAxles {
				t.Fatalf("group %+v, want it to begin at axle %d", g, next)
			}
			next += int(g.Count)
			load += g.Load
		}
		if next != len(v.Axles)+1 || load != loadOf(v.Axles) {
			t.Fatalf("groups end before axle %d with %d kg; %d axles weigh %d", next, load, len(v.Axles), loadOf(v.Axles))
		}
	})
}
