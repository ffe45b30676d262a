package console

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// newCatalogueWords are the console's words in English.
func newCatalogueWords(t testing.TB) *web.Words {
	t.Helper()
	texts, err := fs.Sub(textFiles, "texts")
	if err != nil {
		t.Fatal(err)
	}
	c, err := web.NewCatalogue(texts)
	if err != nil {
		t.Fatal(err)
	}
	return c.Words(web.English, nil)
}

func TestEveryWordOfTheVocabularyHasATextInBothLanguages(t *testing.T) {
	texts, err := fs.Sub(textFiles, "texts")
	if err != nil {
		t.Fatal(err)
	}
	c, err := web.NewCatalogue(texts)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, s := range center.MatterStates() {
		keys = append(keys, "state."+string(s))
	}
	for _, k := range center.ActKinds() {
		a := "act." + string(k)
		keys = append(keys, a, a+".hint", a+".done", "flash."+a)
		for _, r := range center.ReasonsFor(k) {
			keys = append(keys, "reason-to-end."+string(r))
		}
	}
	for _, r := range center.Roles() {
		keys = append(keys, "role."+string(r))
	}
	for _, p := range []center.FieldProblem{center.FieldMissing, center.FieldTooLong, center.FieldOutside, center.FieldControl, center.FieldNotTaken} {
		keys = append(keys, "problem."+string(p))
	}
	for _, e := range []center.End{center.Concluded, center.DismissedEnd} {
		keys = append(keys, "ended."+string(e))
	}
	for _, x := range wim.TransactionTypes() {
		keys = append(keys, "transaction."+string(x))
	}
	for _, x := range []wim.LinkGround{wim.SamePlate, wim.LookAlikePlate, wim.SameColor, wim.SameAxles, wim.Directed} {
		keys = append(keys, "ground."+string(x))
	}
	for _, x := range []wim.DifferenceKind{wim.GrossDiffers, wim.AxlesDiffer, wim.PlateDiffers, wim.ColorDiffers, wim.EntryGrossDiffers, wim.EntryAxlesDiffer} {
		keys = append(keys, "difference."+string(x))
	}
	for _, x := range []wim.Payment{wim.PaidETC, wim.PaidManual} {
		keys = append(keys, "payment."+string(x))
	}
	for _, m := range []string{"done", "part", "next", "open", "skipped"} {
		keys = append(keys, "step."+m)
	}
	for _, s := range []string{"synchronised", "unsynchronised", "unknown"} {
		keys = append(keys, "clock."+s)
	}
	for _, p := range places() {
		keys = append(keys, p.key)
	}
	for _, k := range keys {
		if !c.Has(k) {
			t.Errorf("no text for %q", k)
		}
	}
}

func TestATextTakesTheSameValuesInBothLanguages(t *testing.T) {
	verbs := regexp.MustCompile(`%[a-z]`)
	texts, err := fs.Sub(textFiles, "texts")
	if err != nil {
		t.Fatal(err)
	}
	c, err := web.NewCatalogue(texts)
	if err != nil {
		t.Fatal(err)
	}
	zh, en := c.Words(web.Chinese, nil), c.Words(web.English, nil)
	files, err := fs.Glob(texts, "zh/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no texts", err)
	}
	key := regexp.MustCompile(`(?m)^\s*"((?:[^"\\]|\\.)+)":`)
	for _, f := range files {
		b, err := fs.ReadFile(texts, f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fs.Stat(texts, strings.Replace(f, "zh/", "en/", 1)); err != nil {
			t.Errorf("%s has no sister in English: %v", f, err)
		}
		for _, m := range key.FindAllStringSubmatch(string(b), -1) {
			a, b := verbs.FindAllString(zh.T(m[1]), -1), verbs.FindAllString(en.T(m[1]), -1)
			if !slices.Equal(a, b) {
				t.Errorf("%s: %q takes %v in Chinese and %v in English", f, m[1], a, b)
			}
		}
	}
}
