package console

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

func TestAMassIsReadAsPeopleWriteItAndNeverGuessed(t *testing.T) {
	for s, want := range map[string]wim.Kg{
		"48260": 48260, " 48 260 ": 48260, "48,260": 48260, "48，260 kg": 48260, "1 000 000": 1_000_000, "48260千克": 48260, "0": 0,
	} {
		if got, ok := kilograms(s); !ok || got != want {
			t.Errorf("%q is read as %d, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "48.26", "48,26", "4 8260", "-48260", "+48260", "48t", "1 000 001", "99999999999999999999", "0x10", "四万"} {
		if got, ok := kilograms(s); ok {
			t.Errorf("%q is read as %d", s, got)
		}
	}
	if got, ok := axleLoads("6480 10210，9870\n10760、10620/10480"); !ok || !slices.Equal(got, []wim.Kg{6480, 10210, 9870, 10760, 10620, 10480}) {
		t.Errorf("axles %v, %v", got, ok)
	}
	if got, ok := axleLoads("  "); !ok || got != nil {
		t.Errorf("no axles: %v, %v", got, ok)
	}
	if _, ok := axleLoads(strings.Repeat("1 ", center.MaxAxles+1)); ok {
		t.Error("more axles than there are were accepted")
	}
}

// What officers type is read without a panic, and what is accepted keeps within its bounds.
func FuzzWhatOfficersType(f *testing.F) {
	f.Add("48 260", "6480 10210", " 川ａ·7k882", "2026-03-01 08:00")
	f.Add("\xff", "\x00", "！～", "0000-00-00")
	f.Add("0", "0", "ａ．", "0")
	s := newCatalogueWords(f)
	f.Fuzz(func(t *testing.T, mass, axles, plate, at string) {
		if kg, ok := kilograms(mass); ok && (kg < 0 || kg > center.MaxGross) {
			t.Errorf("mass %q is %d", mass, kg)
		}
		loads, ok := axleLoads(axles)
		if ok && (len(loads) > center.MaxAxles || slices.ContainsFunc(loads, func(k wim.Kg) bool { return k < 0 || k > center.MaxGross })) {
			t.Errorf("axles %q are %v", axles, loads)
		}
		if p := plateQuery(plate); utf8.ValidString(plate) && plateQuery(p) != p {
			t.Errorf("plate %q becomes %q and then %q", plate, p, plateQuery(p))
		}
		form := newForm(s, url.Values{"at": {at}})
		if got := form.time("at", time.UTC); got < 0 || got != 0 && form.Bad() {
			t.Errorf("time %q is %v and wrong at once", at, got)
		}
	})
}
