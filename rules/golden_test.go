package rules

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The verdicts of typical passages, whole. A difference without a new rule set or a new Version is a
// verdict that a court would see change.
func TestGoldenVerdicts(t *testing.T) {
	s := china(t)
	for _, c := range []struct {
		name  string
		facts *wim.Facts
	}{
		{"six-axle-train-without-registrations", with(sound(6, wim.Train, 58400), massError(50), kind(wim.KindUnknown))},
		{"six-axle-train-between-the-drive-axle-branches", with(sound(6, wim.Train, 48000), massError(10))},
		{"six-axle-train-overloaded-by-both-laws", with(sound(6, wim.Train, 58400), massError(50), licensed(tractorLicence(), trailerLicence()))},
		{"light-truck-overloaded-and-not-over-limit", with(sound(2, wim.Rigid, 9000), licensed(wim.Registration{Kerb: 4500, Rated: 3000, Gross: 7600, DriveAxles: 1}))},
		{"truck-on-a-posted-bridge", with(sound(3, wim.Rigid, 24000), massError(50), func(f *wim.Facts) { f.Road.Posted = wim.PostedLimit{Gross: 20000, Axle: 10000, Sign: "K1"} })},
		{"bus", with(sound(2, wim.Rigid, 19000), kind(wim.Bus))},
		{"void-by-a-lapsed-certificate", with(sound(2, wim.Rigid, 30000), func(f *wim.Facts) { f.Instrument.Certificate.ValidUntil = 1 })},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judge(s, c.facts)
			v.Rules = wim.Digest{} // a comment in the set changes it
			got, err := json.MarshalIndent(struct {
				Facts   *wim.Facts   `json:"facts"`
				Verdict *wim.Verdict `json:"verdict"`
			}{c.facts, v}, "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			path := filepath.Join("testdata", "verdicts", c.name+".json")
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the verdict differs from %s:\n%s", path, got)
			}
		})
	}
}
