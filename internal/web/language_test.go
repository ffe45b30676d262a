package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/axlegate/axlegate/wim"
)

func texts(zh, en string) fs.FS {
	return fstest.MapFS{"zh.json": {Data: []byte(zh)}, "en.json": {Data: []byte(en)}}
}

func TestACatalogueThatIsNotWholeIsRefused(t *testing.T) {
	for _, c := range []struct{ name, zh, en, want string }{
		{"a key that English lacks", `{"x.a":"甲"}`, `{}`, `en.json: key "x.a" is missing`},
		{"a key that Chinese lacks", `{}`, `{"x.a":"A"}`, `zh.json: key "x.a" is missing`},
		{"a key without text", `{"x.a":" "}`, `{"x.a":"A"}`, `key "x.a" has no text`},
		{"a key that the shared texts have", `{"product":"甲"}`, `{"product":"A"}`, `key "product" is defined twice`},
		{"what is no JSON", `{`, `{}`, "zh.json"},
	} {
		if _, err := NewCatalogue(texts(c.zh, c.en)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", c.name, err, c.want)
		}
	}
	if _, err := NewCatalogue(fstest.MapFS{}); err == nil {
		t.Error("a room without texts was accepted")
	}
}

func own(t *testing.T) *Catalogue {
	t.Helper()
	c, err := NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBothLanguagesFillTheSameVerbs(t *testing.T) {
	c := own(t)
	verb := regexp.MustCompile(`%[a-z]`)
	for k, zh := range c.texts[Chinese] {
		if a, b := verb.FindAllString(zh, -1), verb.FindAllString(c.texts[English][k], -1); !slices.Equal(a, b) {
			t.Errorf("%s: %v in Chinese, %v in English", k, a, b)
		}
	}
}

func TestEveryWordOfTheVocabularyHasAText(t *testing.T) {
	c := own(t)
	var keys []string
	add := func(prefix string, names ...string) {
		for _, n := range names {
			keys = append(keys, prefix+"."+n)
		}
	}
	add("reason", wim.Reason(1<<15-1).Names()...)
	add("flag", wim.Flag(1<<14-1).Names()...)
	for _, o := range []wim.Outcome{wim.NotApplicable, wim.Compliant, wim.WithinTolerance, wim.Unknown, wim.Exceeded} {
		add("outcome", string(o))
	}
	for _, s := range []wim.Standing{wim.Evidence, wim.Screening, wim.Void} {
		add("standing", string(s))
		add("standing-note", string(s))
	}
	for _, s := range []wim.ScopeKind{wim.ScopeGross, wim.ScopeAxle, wim.ScopeCargo, wim.ScopeTowed, wim.ScopeLicence, wim.ScopeAxleSum, wim.ScopeLength, wim.ScopeWidth, wim.ScopeHeight} {
		add("scope", string(s))
	}
	for _, k := range []wim.Competence{wim.RoadAdministration, wim.TrafficPolice} {
		for _, p := range []string{"competence", "exceeded", "suspected", "void", "diagram.limit"} {
			add(p, string(k))
		}
	}
	for _, k := range []wim.VehicleKind{wim.Goods, wim.Bus, wim.Car, wim.Military, wim.SpecialWork, wim.Farm} {
		add("kind", string(k))
	}
	for _, k := range []wim.PlateColor{wim.Yellow, wim.Blue, wim.Green, wim.YellowGreen, wim.White, wim.Black} {
		add("color", string(k))
	}
	for _, k := range []wim.Configuration{wim.ConfigurationUnknown, wim.Rigid, wim.Train} {
		add("vehicle", string(k))
	}
	add("order", "none", string(wim.OrderProceed), string(wim.OrderEnter))
	for _, k := range keys {
		if !c.Has(k) {
			t.Errorf("no text for %q", k)
		}
	}
}

func TestALanguageIsChosenByCookieThenBrowserThenHabit(t *testing.T) {
	n := NewNegotiator()
	for _, c := range []struct {
		name, cookie, accept string
		want                 Language
	}{
		{"nothing asked for", "", "", Chinese},
		{"English asked for", "", "en-GB,en;q=0.8", English},
		{"traditional Chinese asked for", "", "zh-TW", Chinese},
		{"Chinese preferred to English", "", "en;q=0.4,zh-CN;q=0.9", Chinese},
		{"a language we lack, then English", "", "fr,en;q=0.5", English},
		{"garbage asked for", "", "\x00;;;q=x", Chinese},
		{"a cookie against the browser", "en", "zh-CN", English},
		{"a cookie for a language we lack", "tlh", "en", English},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			r.AddCookie(&http.Cookie{Name: LanguageCookie, Value: c.cookie})
		}
		if got := n.Language(r); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestAMissingTextShowsItselfAndBreaksNothing(t *testing.T) {
	if got := own(t).Words(English, nil).T("no.such"); got != "⟦no.such⟧" {
		t.Errorf("got %q", got)
	}
}
