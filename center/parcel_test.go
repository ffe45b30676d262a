package center

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

func parcel(kind wim.PartKind, name string, d byte) Parcel {
	return Parcel{Kind: kind, Name: name, Digest: wim.Digest{d}, Size: 1}
}

func TestASiteIsWantedToWorkByTheLastThatIsDueAndWhatIsYetToCome(t *testing.T) {
	cn1, cn2, eu := parcel(wim.PartRules, "cn", 1), parcel(wim.PartRules, "cn", 2), parcel(wim.PartRules, "eu", 3)
	hot, permits := parcel(wim.PartHotList, "stolen", 4), parcel(wim.PartPermits, "51", 5)
	for _, c := range []struct {
		name string
		all  []Assignment
		want []Wish
	}{
		{"nothing", nil, []Wish{}},
		{"one for its region", []Assignment{{ID: 1, Region: "51", Parcel: cn1}}, []Wish{{cn1, 0}}},
		{"one for every site", []Assignment{{ID: 1, Parcel: cn1}}, []Wish{{cn1, 0}}},
		{"one for another region", []Assignment{{ID: 1, Region: "52", Parcel: cn1}}, []Wish{}},
		{"one for another site", []Assignment{{ID: 1, Site: "south-2", Parcel: cn1}}, []Wish{}},
		{"a later one takes its place", []Assignment{{ID: 1, Parcel: cn1}, {ID: 2, Site: "north-1", Parcel: cn2}}, []Wish{{cn2, 0}}},
		{"a rule set takes the place of every other", []Assignment{{ID: 1, Parcel: cn1}, {ID: 2, Parcel: eu}}, []Wish{{eu, 0}}},
		{"tables stand beside each other", []Assignment{{ID: 1, Parcel: hot}, {ID: 2, Parcel: permits}}, []Wish{{hot, 0}, {permits, 0}}},
		{"one to come stands beside the one that is due", []Assignment{{ID: 1, Parcel: cn1}, {ID: 2, Parcel: cn2, From: 200}}, []Wish{{cn1, 0}, {cn2, 200}}},
		{"one whose time has come takes over", []Assignment{{ID: 1, Parcel: cn1}, {ID: 2, Parcel: cn2, From: 90}}, []Wish{{cn2, 90}}},
		{"a later one for at once ends a plan", []Assignment{{ID: 1, Parcel: cn2, From: 200}, {ID: 2, Parcel: cn1}}, []Wish{{cn1, 0}}},
		{"the last made for a time counts", []Assignment{{ID: 1, Parcel: cn1, From: 200}, {ID: 2, Parcel: cn2, From: 200}}, []Wish{{cn2, 200}}},
		{"withdrawn", []Assignment{{ID: 1, Parcel: cn1}, {ID: 2, Parcel: cn1, Withdrawn: true}}, []Wish{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Wanted(c.all, "north-1", "51/5101", 100); !reflect.DeepEqual(got, c.want) {
				t.Errorf("have %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestPropertyTheOrderOfAssignmentsIsTheirNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []Assignment
		for i := range rapid.IntRange(0, 12).Draw(t, "assignments") {
			all = append(all, Assignment{ID: int64(i + 1), Site: rapid.SampledFrom([]wim.SiteID{"", "", "a", "b"}).Draw(t, "site"),
				Region: rapid.SampledFrom([]Region{"", "51", "52"}).Draw(t, "region"), From: wim.Time(rapid.IntRange(0, 5).Draw(t, "from") * 40),
				Parcel:    parcel(rapid.SampledFrom([]wim.PartKind{wim.PartRules, wim.PartPermits}).Draw(t, "kind"), "x", byte(rapid.IntRange(1, 4).Draw(t, "digest"))),
				Withdrawn: rapid.Bool().Draw(t, "withdrawn")})
		}
		want := Wanted(all, "a", "51", 100)
		if got := Wanted(rapid.Permutation(all).Draw(t, "order"), "a", "51", 100); !reflect.DeepEqual(got, want) {
			t.Fatalf("have %+v, want %+v", got, want)
		}
		due := map[string]int{}
		for _, w := range want {
			if w.From <= 100 {
				due[w.Parcel.Place()]++
			}
		}
		for place, n := range due {
			if n > 1 {
				t.Fatalf("%d parcels are due at %s", n, place)
			}
		}
	})
}

func TestADeliveryIsWhatTheSiteHasSealed(t *testing.T) {
	cn2 := parcel(wim.PartRules, "cn", 2)
	change := func(o wim.ChangeOutcome, from, to byte) wim.Change {
		return wim.Change{Kind: wim.PartRules, Name: "cn", From: wim.Digest{from}, To: wim.Digest{to}, Outcome: o, Reason: "because"}
	}
	sealed := func(at wim.Time, active byte, changes ...wim.Change) Configured {
		return Configured{Time: at, SiteConfiguration: wim.SiteConfiguration{Active: []wim.Part{{Kind: wim.PartRules, Name: "cn", Digest: wim.Digest{active}}}, Changed: changes}}
	}
	for _, c := range []struct {
		name  string
		said  []Configured
		state DeliveryState
		since wim.Time
	}{
		{"nothing yet", nil, DeliveryUnderWay, 0},
		{"it works by another", []Configured{sealed(1, 1)}, DeliveryUnderWay, 0},
		{"scheduled", []Configured{sealed(1, 1), sealed(2, 1, change(wim.ChangeScheduled, 1, 2))}, DeliveryScheduled, 2},
		{"active", []Configured{sealed(1, 1), sealed(3, 2, change(wim.ChangeActivated, 1, 2))}, DeliveryActive, 3},
		{"active since it was said first, also at the next start", []Configured{sealed(3, 2, change(wim.ChangeActivated, 1, 2)), sealed(9, 2)}, DeliveryActive, 3},
		{"active, said by a new chain's start only", []Configured{sealed(4, 2)}, DeliveryActive, 4},
		{"refused", []Configured{sealed(5, 1, change(wim.ChangeRefused, 1, 2))}, DeliveryRefused, 5},
		{"rolled back", []Configured{sealed(3, 2, change(wim.ChangeActivated, 1, 2)), sealed(6, 1, change(wim.ChangeRolledBack, 2, 1))}, DeliveryRolled, 6},
		{"refused, then active after all", []Configured{sealed(5, 1, change(wim.ChangeRefused, 1, 2)), sealed(7, 2, change(wim.ChangeActivated, 1, 2))}, DeliveryActive, 7},
		{"replaced by hand", []Configured{sealed(3, 2, change(wim.ChangeActivated, 1, 2)), sealed(8, 1, change(wim.ChangeActivated, 2, 1))}, DeliveryUnderWay, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Deliveries([]Wish{{Parcel: cn2}}, c.said)
			if got[0].State != c.state || got[0].Since != c.since {
				t.Errorf("have %s since %d", got[0].State, got[0].Since)
			}
		})
	}
}

func TestAParcelMustBeWhatCanBeSent(t *testing.T) {
	good := parcel(wim.PartRules, "cn", 1)
	if err := good.Valid(); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*Parcel){
		"software":              func(p *Parcel) { p.Kind = wim.PartSoftware },
		"an unknown kind":       func(p *Parcel) { p.Kind = "weather" },
		"no name":               func(p *Parcel) { p.Name = "" },
		"a name of two lines":   func(p *Parcel) { p.Name = "a\nb" },
		"a version too long":    func(p *Parcel) { p.Version = strings.Repeat("1", 101) },
		"an empty one":          func(p *Parcel) { p.Size = 0 },
		"one that is too large": func(p *Parcel) { p.Size = MaxParcel + 1 },
	} {
		p := good
		edit(&p)
		if p.Valid() == nil {
			t.Errorf("%s: taken", name)
		}
	}
	kinds := []wim.PartKind{}
	for _, k := range []wim.PartKind{wim.PartSiteFile, wim.PartRules, wim.PartRegistrations, wim.PartPermits, wim.PartHotList, wim.PartSite, wim.PartCalibration, wim.PartSoftware, wim.PartLegal} {
		if Sendable(k) {
			kinds = append(kinds, k)
		}
	}
	if !slices.Equal(kinds, []wim.PartKind{wim.PartRules, wim.PartRegistrations, wim.PartPermits, wim.PartHotList, wim.PartSite}) {
		t.Errorf("sendable: %v", kinds)
	}
}
