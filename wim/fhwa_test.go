package wim

import (
	"testing"

	"pgregory.net/rapid"
)

// feet makes a vehicle from spacings in hundredths of a foot and masses in pounds.
func feet(steering, gross int, spacings ...int) Vehicle {
	pounds := func(n int) Kg { return Kg((int64(n)*45_359_237 + 50_000_000) / 100_000_000) }
	v := Vehicle{Gross: pounds(gross), Axles: []Axle{{Index: 1, Load: pounds(steering)}}}
	for i, s := range spacings {
		v.Axles = append(v.Axles, Axle{Index: uint8(i + 2), Load: pounds((gross - steering) / len(spacings)), Spacing: Mm((s*3048 + 500) / 1000)})
	}
	return v
}

func TestTheClassesOfFHWA(t *testing.T) {
	for _, c := range []struct {
		name  string
		v     Vehicle
		class uint8
		form  string
	}{
		{"a motorcycle", feet(300, 700, 480), 1, ""},
		{"a car", feet(1800, 3500, 950), 2, ""},
		{"the longest car", feet(1800, 3500, 1010), 2, ""},
		{"a hundredth of a foot more is a pickup", feet(1800, 3500, 1011), 3, ""},
		{"a bus of two axles", feet(12000, 30000, 2500), 4, ""},
		{"a delivery truck", feet(6000, 14000, 1800), 5, ""},
		{"one whose steering axle is too light has no rule", feet(2000, 14000, 1800), 0, ""},
		{"a dump truck", feet(14000, 50000, 1500, 440), 6, ""},
		{"a tractor with one axle behind it", feet(9000, 35000, 1200, 3000), 8, "2S1"},
		{"an eight-wheeler's like", feet(15000, 65000, 1300, 450, 450), 7, ""},
		{"2S2", feet(10000, 50000, 1250, 3000, 400), 8, "2S2"},
		{"3S1", feet(10000, 50000, 1500, 430, 3000), 8, "3S1"},
		{"the sample line of the W format: a class 9 of 57,886 lb", feet(11210, 57886, 1510, 450, 2140, 480), 9, "3S2"},
		{"a truck with a drawbar trailer", feet(12000, 60000, 1500, 450, 1500, 1800), 9, "3-2"},
		{"a spread tandem is still 3S2", feet(12000, 60000, 1500, 450, 3000, 1020), 9, "3S2"},
		{"2S3", feet(12000, 60000, 1300, 2500, 450, 450), 9, "2S3"},
		{"a double", feet(11000, 60000, 1200, 2100, 950, 2200), 11, "2S12"},
		{"3S3", feet(12000, 90000, 1500, 440, 3200, 440, 440), 10, "3S3"},
		{"3S12", feet(12000, 80000, 1500, 440, 2000, 950, 2200), 12, "3S12"},
		{"seven axles", feet(12000, 110000, 1500, 440, 2000, 440, 950, 2200), 13, ""},
		{"nine axles", feet(12000, 130000, 1500, 440, 440, 2000, 440, 950, 2200, 440), 13, ""},
		{"ten axles have no rule", feet(12000, 130000, 1500, 440, 440, 2000, 440, 950, 2200, 440, 440), 0, ""},
		{"a ghost axle has none", feet(12000, 60000, 10), 0, ""},
		{"an unmeasured distance has none", feet(12000, 60000, 1500, 0, 3000, 450), 0, ""},
		{"no gross mass, no class", feet(0, 0, 1500), 0, ""},
	} {
		if class, form := ClassFHWA(&c.v); class != c.class || form != c.form {
			t.Errorf("%s: class %d %q, want %d %q", c.name, class, form, c.class, c.form)
		}
	}
	void := feet(12000, 60000, 1500, 450, 3000, 450)
	void.Flags = MissedAxle
	if class, _ := ClassFHWA(&void); class != 0 {
		t.Errorf("a vehicle with missed axles has class %d", class)
	}
}

func TestEveryClassOfFHWAHasARuleAndAName(t *testing.T) {
	told := map[uint8]bool{}
	for _, r := range fhwaRules {
		told[r.class] = true
		if len(r.spacings) != int(r.axles)-1 && r.axles != 7 || r.most < r.axles {
			t.Errorf("a rule for %d axles has %d spacings", r.axles, len(r.spacings))
		}
	}
	for _, c := range FHWAClasses() {
		if !told[c.Number] || c.En == "" || c.Zh == "" {
			t.Errorf("class %d has no rule or no name", c.Number)
		}
		delete(told, c.Number)
	}
	if len(told) > 0 {
		t.Errorf("rules for classes that do not exist: %v", told)
	}
}

func TestAnyVehicleHasAtMostOneOfThirteenClasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, MaxAxles).Draw(t, "axles")
		v := Vehicle{Gross: Kg(rapid.Int32().Draw(t, "gross"))}
		for range n {
			v.Axles = append(v.Axles, Axle{Load: Kg(rapid.Int32().Draw(t, "load")), Spacing: Mm(rapid.Int32Range(-1, 20000).Draw(t, "spacing"))})
		}
		if class, _ := ClassFHWA(&v); class > 13 {
			t.Fatalf("class %d", class)
		}
	})
}
