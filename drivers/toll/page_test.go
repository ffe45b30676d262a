package toll

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/wim"
)

var update = flag.Bool("update", false, "write the golden files anew")

func shipped(t testing.TB, name string) Page {
	t.Helper()
	text, err := configs.Device(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := LoadPage(name+".yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestShippedPagesReadWhatTheirSourcesSay(t *testing.T) {
	for _, file := range []string{"toll-open.json", "toll-open-zh.csv", "toll-cn-gantry.json"} {
		t.Run(file, func(t *testing.T) {
			p := shipped(t, strings.TrimSuffix(file, filepath.Ext(file)))
			message, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			err = p.Decode(message, func(x wim.Transaction, refused *Refusal) error {
				if refused != nil {
					fmt.Fprintln(&got, "refused:", refused)
					return nil
				}
				b, err := json.Marshal(x)
				fmt.Fprintln(&got, string(b))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", file+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || got.String() != string(want) {
				t.Errorf("have\n%swant\n%s%v", got.String(), want, err)
			}
		})
	}
}

func TestAMistakeInAPageIsNamedWithItsPlace(t *testing.T) {
	text, err := configs.Device("toll-open")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"a key that there is not", "plate: plate", "plates: plate", "plates"},
		{"another kind", "kind: transactions", "kind: whole-vehicle", "want transactions"},
		{"no name", "id: [id]", "id: []", "count twice"},
		{"no time", "time: {at: time, layout: rfc3339}\n", "", "time: is missing"},
		{"a time without a zone", "time: {at: time, layout: rfc3339}", "time: {at: time, layout: yyyy-MM-dd HH:mm:ss}", "time.zone: is missing"},
		{"a type that there is not", "turn-back: turn-back", "turn-back: turned", `"turned" is no type`},
		{"a type said twice", "type:\n  at: type", "type:\n  is: gantry\n  at: type", "want is, or at with codes"},
		{"a colour that there is not", "white: white", "white: pale", `"pale" is none`},
		{"a payment that there is not", "manual: manual", "manual: cash", `"cash" is none`},
		{"a unit of something else", "gross: {at: gross_kg, unit: kg}", "gross: {at: gross_kg, unit: km/h}", `"km/h" is no unit`},
		{"a unit of something else at the entry", "entry.gross_kg, unit: kg", "entry.gross_kg, unit: stone", "entry.gross.unit"},
		{"a path that is none", "station: station", "station: a..b", "is no path"},
		{"codes without a place", "payment: {at: payment, ", "payment: {", "payment.at: is missing"},
		{"files with a folder", `files: "*.json"`, `files: "in/*.json"`, "is no pattern"},
		{"another format", "format: json", "format: edi", "want json, csv or xml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(string(text), c.from) {
				t.Fatalf("the page has no %q", c.from)
			}
			_, err := LoadPage("x.yaml", []byte(strings.Replace(string(text), c.from, c.to, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x.yaml:") {
				t.Errorf("%v, want: %s", err, c.want)
			}
		})
	}
}

func fuzz(f *testing.F, name, file string) {
	f.Helper()
	seed, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	p := shipped(f, name)
	f.Fuzz(func(t *testing.T, message []byte) {
		n := 0
		err := p.Decode(message, func(x wim.Transaction, refused *Refusal) error {
			n++
			if refused != nil {
				if x.ID != "" || refused.Err == nil {
					t.Fatalf("%+v refused for %v", x, refused)
				}
				return nil
			}
			if x.ID == "" || x.Type == "" || x.Gross < 0 || x.Axles > wim.MaxAxles || x.Plate != wim.NormalisePlate(x.Plate) || x.Link != nil {
				t.Fatalf("%+v", x)
			}
			return nil
		})
		if err != nil && n > 0 {
			t.Fatalf("%d transactions and the error %v", n, err)
		}
	})
}

func FuzzTransactionsJSON(f *testing.F) { fuzz(f, "toll-open", "toll-open.json") }

func FuzzTransactionsCSV(f *testing.F) { fuzz(f, "toll-open-zh", "toll-open-zh.csv") }
