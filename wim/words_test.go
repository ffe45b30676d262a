package wim

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDeduct(t *testing.T) {
	for _, c := range []struct {
		name        string
		m           Kg
		p           Permille
		left, taken Kg
	}{
		{"five percent of a round mass", 50000, 50, 47500, 2500},
		{"the part taken is rounded up, in the driver's favour", 49001, 50, 46550, 2451},
		{"one kilogram is taken whole", 1, 1, 0, 1},
		{"no error takes nothing", 49000, 0, 49000, 0},
		{"nothing is taken from nothing", 0, 50, 0, 0},
		{"a load that was not measured stays so", NotMeasured, 50, NotMeasured, 0},
		{"the largest mass does not overflow", math.MaxInt32, 1000, 0, math.MaxInt32},
	} {
		t.Run(c.name, func(t *testing.T) {
			if left, taken := c.m.Deduct(c.p); left != c.left || taken != c.taken {
				t.Errorf("%d and %d, want %d and %d", left, taken, c.left, c.taken)
			}
		})
	}
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		name     string
		m, whole Kg
		want     Permille
	}{
		{"a fifth", 9800, 49000, 200},
		{"rounded down", 49, 49001, 0},
		{"against nothing", 5, 0, 0},
		{"less than nothing", -5, 100, 0},
		{"more than fits", math.MaxInt32, 1, 1 << 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.m.Of(c.whole); got != c.want {
				t.Errorf("%d, want %d", got, c.want)
			}
		})
	}
}

func TestPropertyDeductedPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, p := Kg(rapid.Int32().Draw(t, "mass")), Permille(rapid.Int32Range(-10, 1000).Draw(t, "permille"))
		left, taken := m.Deduct(p)
		if left+taken != m || taken < 0 || m > 0 && left < 0 {
			t.Fatalf("%d kg less %d permille: left %d, taken %d", m, p, left, taken)
		}
	})
}

func TestTimeText(t *testing.T) {
	for _, c := range []struct {
		name string
		in   Time
		want string
	}{
		{"nine decimals always, so that equal instants have equal text", TimeOf(time.Date(2026, 3, 1, 8, 0, 0, 0, time.FixedZone("", 8*3600))), "2026-03-01T00:00:00.000000000Z"},
		{"down to the nanosecond", 1, "1970-01-01T00:00:00.000000001Z"},
		{"unknown is empty", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := c.in.MarshalText()
			if err != nil || string(b) != c.want {
				t.Errorf("%q %v, want %q", b, err, c.want)
			}
			var back Time
			if err := back.UnmarshalText(b); err != nil || back != c.in {
				t.Errorf("read back as %d %v", back, err)
			}
		})
	}
	var x Time
	if err := x.UnmarshalText([]byte("yesterday")); err == nil {
		t.Error("yesterday was read as a time")
	}
	if Time(0).String() != "unknown" || !Time(0).Std().IsZero() || TimeOf(time.Time{}) != 0 {
		t.Error("the zero time is not unknown")
	}
	for _, c := range []struct {
		year int
		want Time
	}{{1500, math.MinInt64}, {2400, math.MaxInt64}, {2900, math.MaxInt64}, {9999, math.MaxInt64}} {
		if got := TimeOf(time.Date(c.year, 1, 1, 0, 0, 0, 0, time.UTC)); got != c.want {
			t.Errorf("the year %d became %d", c.year, got)
		}
	}
	for _, x := range []Time{math.MinInt64, -1, 1, math.MaxInt64} {
		if got := TimeOf(x.Std()); got != x {
			t.Errorf("%d became %d", x, got)
		}
	}
	if d := Time(0).Add(time.Second).Sub(0); d != time.Second {
		t.Error(d)
	}
}

// eachBit walks every named bit of a set through JSON.
func eachBit[T interface {
	comparable
	Names() []string
}](t *testing.T, names []string, bit func(int) T) {
	t.Helper()
	for i, n := range names {
		b, err := json.Marshal(bit(i))
		if err != nil || string(b) != `["`+n+`"]` {
			t.Errorf("%s is written %s %v", n, b, err)
		}
		var back T
		if err := json.Unmarshal(b, &back); err != nil || back != bit(i) {
			t.Errorf("%s is read back as %v %v", n, back.Names(), err)
		}
		if got := bit(i).Names(); len(got) != 1 || got[0] != n {
			t.Errorf("%s has names %v", n, got)
		}
	}
}

func TestEveryFlagAndReasonKeepsItsName(t *testing.T) {
	eachBit(t, flagNames[:], func(i int) Flag { return 1 << i })
	eachBit(t, reasonNames[:], func(i int) Reason { return 1 << i })
	if allFlags != 1<<len(flagNames)-1 {
		t.Error("allFlags and flagNames differ")
	}
	if RoadSurface != 1<<(len(flagNames)-1) || CalibratedSince != 1<<(len(reasonNames)-1) {
		t.Error("a name is missing or too many")
	}
	if _, err := json.Marshal(Flag(1 << 31)); err == nil {
		t.Error("a flag without a name was written")
	}
	var f Flag
	for _, s := range []string{`["sum-mismatch","moon"]`, `"imbalance"`, `[1]`} {
		if err := json.Unmarshal([]byte(s), &f); err == nil {
			t.Errorf("%s was read as flags", s)
		}
	}
	if b, err := json.Marshal(Imbalance | DeviceGap); err != nil || string(b) != `["imbalance","device-gap"]` {
		t.Errorf("%s %v", b, err)
	}
}

func TestStandingOf(t *testing.T) {
	for i, n := range reasonNames {
		r, want := Reason(1<<i), Screening
		if VoidReasons.Has(r) {
			want = Void
		}
		if got := StandingOf(r); got != want {
			t.Errorf("%s leaves %s, want %s", n, got, want)
		}
		if got := StandingOf(r | MeasurementVoid); got != Void {
			t.Errorf("%s with a void measurement leaves %s", n, got)
		}
	}
	if StandingOf(0) != Evidence {
		t.Error("no reason leaves less than evidence")
	}
	if Voiding.Any(Doubting | PlateUncertain | TrailerUnread | SideBySide) {
		t.Error("a doubt voids a weighing")
	}
}

func TestNormalisePlate(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a plate as printed", "川A·12345", "川A12345"},
		{"small letters and spaces", " 川a 12-345 ", "川A12345"},
		{"a trailer's plate", "川A1234挂", "川A1234挂"},
		{"a wide space", "川A　12345", "川A12345"},
		{"a camera's word for none", "unknown", ""},
		{"a Chinese camera's word for none", "无车牌", ""},
		{"look-alikes are left as read", "川AO0I1", "川AO0I1"},
		{"another word for none", "Not-Read", ""},
		{"dashes for none", "-- --", ""},
		{"question marks for none", "???????", ""},
		{"a character that was not read", "川A1?345", "川A1?345"},
		{"full-width forms", "川ＡＢ１２３４５", "川AB12345"},
		{"a colour behind it", "川A12345_1", "川A12345"},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := NormalisePlate(c.in); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	if !(PlateRead{Text: "川A1234挂"}).Trailer() || (PlateRead{Text: "川A12345"}).Trailer() {
		t.Error("a trailer is not told by its plate")
	}
}

func TestPropertyNormalisingTwiceIsNormalisingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := NormalisePlate(rapid.String().Draw(t, "text"))
		if twice := NormalisePlate(once); twice != once {
			t.Fatalf("%q, then %q", once, twice)
		}
	})
}

func TestCertificate(t *testing.T) {
	c := &Certificate{ValidFrom: 100, ValidUntil: 200, Lanes: []LaneID{1, 3}}
	for at, want := range map[Time]bool{99: false, 100: true, 199: true, 200: false} {
		if c.InForce(at) != want {
			t.Errorf("in force at %d: %v", at, !want)
		}
	}
	if !c.CoversLane(3) || c.CoversLane(2) {
		t.Error("lanes 1 and 3 are certified")
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	for _, s := range []SiteID{"", "North", "a b", "a/b", "012345678901234567890123456789012"} {
		if s.Valid() == nil {
			t.Errorf("site %q is accepted", s)
		}
	}
	if err := SiteID("north-1").Valid(); err != nil {
		t.Error(err)
	}
	for _, p := range []LanePurpose{"", "Enforcement"} {
		if p.Valid() == nil {
			t.Errorf("purpose %q is accepted", p)
		}
	}
	for _, p := range []LanePurpose{Enforcement, Testing, Calibration, Maintenance} {
		if err := p.Valid(); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{"", "00", "zz", "00000000000000000000000000000000000000000000000000000000000000zz"} {
		if _, err := ParseDigest(s); err == nil {
			t.Errorf("digest %q is accepted", s)
		}
	}
	if _, err := ParseChainID("0001"); !errors.Is(err, errHexLength) {
		t.Errorf("a short chain id: %v", err)
	}
	if c, d, n, m := NewChainID(), NewChainID(), NewNonce(), NewNonce(); c == d || n == m {
		t.Error("the random source repeats")
	}
}

func TestVerdictOf(t *testing.T) {
	v := Verdict{Opinions: []Opinion{
		{Competence: RoadAdministration, Outcome: Exceeded, Standing: Void},
		{Competence: TrafficPolice, Outcome: Compliant, Standing: Evidence},
	}}
	if o, ok := v.Of(TrafficPolice); !ok || o.Outcome != Compliant {
		t.Errorf("%+v %v", o, ok)
	}
	if _, ok := v.Of("customs"); ok {
		t.Error("an opinion out of nothing")
	}
	if !v.Exceeded() || v.Alerts() {
		t.Error("a void excess is an excess and alerts no one")
	}
	c := v.Clone()
	if !c.Equal(&v) {
		t.Error("a clone differs")
	}
	c.Opinions[0].Standing = Screening
	if v.Opinions[0].Standing != Void || c.Equal(&v) || !c.Alerts() {
		t.Error("a clone shares memory, or a difference is not seen")
	}
	if empty := (Verdict{Findings: []Finding{}}); !empty.Equal(&Verdict{}) {
		t.Error("an empty list differs from none")
	}
}

func TestVehicleCloneSharesNothing(t *testing.T) {
	v := withSpacings(1350)
	Classify(&v)
	c := v.Clone()
	v.Axles[0].Load, v.Groups[0].Load = 1, 1
	if c.Axles[0].Load == 1 || c.Groups[0].Load == 1 {
		t.Error("a clone shares memory")
	}
}
