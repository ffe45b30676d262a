package record

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// fuzzDecode holds whatever a page makes of a message to what every vehicle must be.
func fuzzDecode(f *testing.F, page func(testing.TB) Page, seeds ...string) {
	for _, s := range seeds {
		b, err := os.ReadFile(filepath.Join("testdata", s))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	p := page(f)
	f.Fuzz(func(t *testing.T, message []byte) {
		n := 0
		err := p.Decode(message, func(r Record, refused *Refusal) error {
			n++
			if refused != nil {
				if r.Kind != 0 || refused.Err == nil {
					t.Fatalf("refused %+v, and yet %+v", refused, r)
				}
				return nil
			}
			if r.Kind != Nothing && r.Controller.ID == "" {
				t.Fatalf("a record without a name: %+v", r)
			}
			if r.Kind != Vehicle {
				return nil
			}
			if r.Controller.Indication == "" || r.Gross < 0 || r.Speed < 0 || r.Length < 0 || len(r.Axles) > wim.MaxAxles {
				t.Fatalf("vehicle %+v", r)
			}
			for i, x := range r.Axles {
				if int(x.Index) != i+1 || x.Load < 0 || i == 0 && x.Spacing != 0 || i > 0 && x.Spacing <= 0 && p.Axles.Spacing != nil {
					t.Fatalf("axle %+v", x)
				}
			}
			return nil
		})
		if err != nil && n > 0 {
			t.Fatalf("%d records and the error %v", n, err)
		}
	})
}

func FuzzJSON(f *testing.F) {
	fuzzDecode(f, func(t testing.TB) Page { return shipped(t, "record-open") }, "record-open.json")
}

func FuzzCSV(f *testing.F) {
	fuzzDecode(f, func(t testing.TB) Page { return shipped(t, "record-open-csv") }, "record-open-csv.csv")
}

func FuzzXML(f *testing.F) { fuzzDecode(f, makers, "maker.xml") }
