package edge

import (
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestARegistrationTableIsReadStrictlyAndNamesTheLine(t *testing.T) {
	h := registrationHeader + "\n"
	for name, tc := range map[string]struct{ text, says string }{
		"an empty file":               {"", "test.csv:1: the file is empty"},
		"another header":              {"plate,kind\n", "first line must be"},
		"a misspelt column":           {strings.Replace(h, "kerb_kg", "curb_kg", 1), "test.csv:1: the first line must be"},
		"a missing field":             {h + "川A1,goods,1,2,3,4,5,6\n川A2,goods,1\n", "line 3"},
		"a kind that is none":         {h + "川A1,lorry,1,2,3,4,1,2\n", `test.csv:2: kind "lorry"`},
		"a number with a unit":        {h + "川A1,goods,8t,2,3,4,1,2\n", "test.csv:2: kerb_kg"},
		"a negative number":           {h + "川A1,goods,-1,2,3,4,1,2\n", "test.csv:2: kerb_kg"},
		"a number beyond belief":      {h + "川A1,goods,1,2,9999999,4,1,2\n", "test.csv:2: max_gross_kg"},
		"more drive axles than axles": {h + "川A1,goods,1,2,3,4,3,2\n", "test.csv:2: 3 drive axles of 2 axles"},
		"no plate":                    {h + "无牌,goods,1,2,3,4,1,2\n", "test.csv:2: plate"},
		"one plate twice":             {h + "川A1,goods,1,2,3,4,1,2\n川·A1,bus,1,2,3,4,1,2\n", "test.csv:3: plate 川A1 stands here a second time"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadRegistrations("test.csv", strings.NewReader(tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v does not say %q", err, tc.says)
			}
		})
	}
	r := table(t)
	if got := r.Find("川A12345"); r.Len() != 2 || got == nil || got.Kerb != 8800 || got.Rated != 0 || got.Towed != 40000 || got.DriveAxles != 2 || got.Axles != 3 {
		t.Errorf("%+v", got)
	}
	if r.Find("") != nil || r.Find("川A1") != nil || (*Registrations)(nil).Find("川A12345") != nil {
		t.Error("found what is not there")
	}
	if _, err := LoadRegistrations(t.TempDir() + "/none.csv"); err == nil {
		t.Error("loaded a file that is not there")
	}
}

func FuzzReadRegistrations(f *testing.F) {
	f.Add(licences)
	f.Add(registrationHeader + "\n\"川A1\n\",goods,1,2,3,4,1,2\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ReadRegistrations("fuzz.csv", strings.NewReader(text))
		if err != nil {
			return
		}
		for plate, reg := range r.byPlate {
			if plate != wim.NormalisePlate(plate) || reg.Plate != plate || reg.Kerb < 0 || reg.Gross < 0 || reg.Gross > maxLicenceKg {
				t.Errorf("%q: %+v", plate, reg)
			}
		}
	})
}
