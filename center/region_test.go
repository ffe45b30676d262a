package center

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRegionsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		r    Region
		good bool
	}{
		{"everything", "", true},
		{"a province", "51", true},
		{"a station", "51/5101/510104/north-1", true},
		{"a fifth level", "51/5101/510104/north/lane", false},
		{"an empty code", "51//510104", false},
		{"a slash at the end", "51/", false},
		{"a slash at the beginning", "/51", false},
		{"a quote", "51/'; DROP", false},
		{"a code beyond its bound", Region(strings.Repeat("1", maxCode+1)), false},
		{"Chinese", "四川", false},
	} {
		if err := c.r.Valid(); (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAMapRefusesWhatDoesNotHangTogether(t *testing.T) {
	sichuan := Place{Region: "51", Zh: "四川省", En: "Sichuan"}
	for _, c := range []struct {
		name   string
		places []Place
		want   string
	}{
		{"a city without its province", []Place{{Region: "51/5101", En: "x"}}, "not listed"},
		{"a region twice", []Place{sichuan, sichuan}, "twice"},
		{"a region without a name", []Place{{Region: "51"}}, "no name"},
		{"a region without a path", []Place{{En: "x"}}, "without a path"},
		{"a path that is none", []Place{{Region: "5 1", En: "x"}}, "letters, digits"},
	} {
		if _, err := NewMap(c.places); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	m, err := NewMap([]Place{{Region: "51/5101", En: "Chengdu"}, sichuan, {Region: "52", En: "Guizhou"}})
	if err != nil {
		t.Fatal(err)
	}
	if !m.Knows("") || !m.Knows("51/5101") || m.Knows("51/5102") || m.Place("51").Zh != "四川省" || m.Place("9").En != "9" {
		t.Error("the map does not know what it was given")
	}
	if got := m.Within("51"); len(got) != 2 || got[0].Region != "51" || got[1].Region != "51/5101" {
		t.Errorf("%+v", got)
	}
	if got := m.Within(""); len(got) != 3 {
		t.Errorf("%+v", got)
	}
	if l, ok := Region("51/5101/510104").Level(); !ok || l != County {
		t.Errorf("%v %v", l, ok)
	}
	if _, ok := Region("").Level(); ok {
		t.Error("everything has a level")
	}
}

func anyRegion() *rapid.Generator[Region] {
	return rapid.Custom(func(t *rapid.T) Region {
		codes := rapid.SliceOfN(rapid.StringMatching(`[0-9A-Za-z-]{1,3}`), 0, len(Levels())).Draw(t, "codes")
		return Region(strings.Join(codes, "/"))
	})
}

// The store asks for a region as a range of paths; the range and Holds must mean the same.
func TestPropertyARegionIsARangeOfPaths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, x := anyRegion().Draw(t, "r"), anyRegion().Draw(t, "x")
		if rapid.Bool().Draw(t, "inside") && r != "" && strings.Count(string(r), "/") < 3 {
			x = r + "/" + Region(rapid.StringMatching(`[0-9A-Za-z-]{1,3}`).Draw(t, "code"))
		}
		inRange := r == "" || x == r || x >= r+"/" && x < r+"0"
		if r.Holds(x) != inRange {
			t.Errorf("%q holds %q: %v, the range says %v", r, x, r.Holds(x), inRange)
		}
		if !r.Holds(r) || !Region("").Holds(x) || r != "" && (r.Parent().Valid() != nil || !r.Parent().Holds(r)) {
			t.Errorf("%q", r)
		}
		if r.Holds(x) && x.Holds(r) && r != x {
			t.Errorf("%q and %q hold each other", r, x)
		}
	})
}

func TestWhoMaySeeWhat(t *testing.T) {
	alerts := []Alert{{Competence: road}}
	for _, c := range []struct {
		name string
		v    Viewer
		sees bool
	}{
		{"an enforcer of the alerted authority", Viewer{Role: Enforcer, Competence: road}, true},
		{"an enforcer of the province", Viewer{Role: Enforcer, Competence: road, Region: "51"}, true},
		{"an enforcer of the station itself", Viewer{Role: Enforcer, Competence: road, Region: "51/5101"}, true},
		{"an enforcer of the city beside it", Viewer{Role: Enforcer, Competence: road, Region: "51/5102"}, false},
		{"an enforcer of a region whose path begins alike", Viewer{Role: Enforcer, Competence: road, Region: "5"}, false},
		{"an enforcer of an authority that was not alerted", Viewer{Role: Enforcer, Competence: police}, false},
		{"an enforcer of no authority", Viewer{Role: Enforcer}, false},
		{"an auditor", Viewer{Role: Auditor}, true},
		{"an auditor of another region", Viewer{Role: Auditor, Region: "52"}, false},
		{"an administrator", Viewer{Role: Administrator}, false},
		{"nobody", Viewer{}, false},
		{"a role that there is not", Viewer{Role: "emperor", Competence: road}, false},
	} {
		if got := c.v.Sees("51/5101", alerts); got != c.sees {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestOfficersThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Officer
		good bool
	}{
		{"an enforcer of an authority", Officer{Login: "li", Role: Enforcer, Competence: road}, true},
		{"an auditor of a region", Officer{Login: "zhao", Role: Auditor, Region: "51"}, true},
		{"an enforcer of none", Officer{Login: "li", Role: Enforcer}, false},
		{"an auditor of an authority", Officer{Login: "zhao", Role: Auditor, Competence: road}, false},
		{"a role that there is not", Officer{Login: "li", Role: "emperor"}, false},
		{"no login", Officer{Role: Auditor}, false},
		{"a login beyond its bound", Officer{Login: strings.Repeat("x", 65), Role: Auditor}, false},
		{"a region that cannot be", Officer{Login: "li", Role: Auditor, Region: "5 1"}, false},
	} {
		if err := c.o.Valid(); (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, r := range Roles() {
		if !slices.Contains([]Role{Enforcer, Administrator, Auditor}, r) {
			t.Error(r)
		}
	}
}

func TestSecretsAreRecognisedAndKeptAsDigests(t *testing.T) {
	a, b := TokenSecret([32]byte{1}), TokenSecret([32]byte{2})
	if len(a) != len("axg_")+43 || !strings.HasPrefix(a, "axg_") || a == b {
		t.Errorf("%s %s", a, b)
	}
	da, err := SecretDigest(a)
	if err != nil {
		t.Fatal(err)
	}
	if db, err := SecretDigest(b); err != nil || da == db {
		t.Errorf("%x %v", db, err)
	}
	for _, s := range []string{"", "axg_", a[:len(a)-1], a + "A", strings.TrimPrefix(a, "axg_"), strings.ToUpper(a), "axg_" + strings.Repeat("*", 43), a + "\n"} {
		if _, err := SecretDigest(s); err == nil {
			t.Errorf("%q is taken for a secret", s)
		}
	}
}
