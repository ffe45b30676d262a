package rules

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

const head = `format: 1
id: x
zone: "+08:00"
deduction: {mode: reduce_measured}
ladders:
  - {id: l, unit: kg, steps: [{band: a, at: 0, edge: gt}]}
competences:
  - competence: c
    not_for: [bus]
    limits:
`

// oneRow is a limit that covers what head needs; a change makes it wrong.
const oneRow = `      - id: a
        basis: gross-by-axles
        axles: 2+
        configuration: rigid
        value: 18000 kg
        article: Art. 1
        source: https://example.org/1
        status: verified
        effective_from: 2020-01-01
        ladder: l
`

func TestEveryShippedSetLoads(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "configs", "rules", "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%v %v", paths, err)
	}
	for _, p := range paths {
		s := load(t, p)
		if s.ID()+".yaml" != filepath.Base(p) {
			t.Errorf("%s has id %q", p, s.ID())
		}
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if s.Digest() != wim.DigestOf(b) {
			t.Errorf("%s: the digest is not that of the file", p)
		}
	}
}

func TestAMistakeInASetIsRefusedWithItsPlace(t *testing.T) {
	other := strings.Replace(oneRow, "id: a", "id: b", 1)
	for _, c := range []struct {
		name, yaml string
		line       int
		says       string
	}{
		{"an unknown key", head + strings.Replace(oneRow, "article:", "artikel:", 1), 16, `unknown key "artikel"`},
		{"a missing article", head + strings.Replace(oneRow, "        article: Art. 1\n", "", 1), 11, "article is missing"},
		{"a missing source", head + strings.Replace(oneRow, "        source: https://example.org/1\n", "", 1), 11, "source is missing"},
		{"a source that is no address", head + strings.Replace(oneRow, "https://example.org/1", "somewhere", 1), 17, "is no address"},
		{"a missing status", head + strings.Replace(oneRow, "        status: verified\n", "", 1), 11, "status is missing"},
		{"an unknown status", head + strings.Replace(oneRow, "verified", "certain", 1), 18, "want one of verified, recalled, inferred"},
		{"an unknown unit", head + strings.Replace(oneRow, "18000 kg", "18000 lb", 1), 15, "no known unit"},
		{"no unit", head + strings.Replace(oneRow, "18000 kg", "18000", 1), 15, "no known unit"},
		{"a value that is no whole number", head + strings.Replace(oneRow, "18000 kg", "18.5 t", 1), 15, "whole number"},
		{"a value beyond all sense", head + strings.Replace(oneRow, "18000 kg", "2000000 t", 1), 15, "whole number"},
		{"an unknown basis", head + strings.Replace(oneRow, "gross-by-axles", "gross", 1), 12, "want one of gross-by-axles"},
		{"an unknown configuration", head + strings.Replace(oneRow, "rigid", "lorry", 1), 14, "want one of rigid, train"},
		{"a count that is none", head + strings.Replace(oneRow, "2+", "some", 1), 13, "count"},
		{"one axle", head + strings.Replace(oneRow, "2+", "1+", 1), 13, "count"},
		{"a range backwards", head + strings.Replace(oneRow, "2+", "4-3", 1), 13, "count"},
		{"no date", head + strings.Replace(oneRow, "        effective_from: 2020-01-01\n", "", 1), 11, "date"},
		{"a date that is none", head + strings.Replace(oneRow, "2020-01-01", "2020-02-30", 1), 19, "date"},
		{"an end before the beginning", head + oneRow + "        effective_to: 2019-12-31\n", 21, "before it begins"},
		{"a ladder that is not there", head + strings.Replace(oneRow, "ladder: l", "ladder: m", 1), 20, `no ladder "m"`},
		{"an id twice", head + oneRow + oneRow, 21, "given twice"},
		{"two limits for one vehicle", head + oneRow + other, 21, "overlap"},
		{"two that overlap by a day", head + oneRow + "        effective_to: 2024-12-31\n" + strings.Replace(other, "2020-01-01", "2024-12-31", 1), 22, "overlap"},
		{"a hole in the axle counts", head + strings.Replace(oneRow, "2+", "2-4", 1), 11, "no limit covers 5 axles"},
		{"a hole below", head + strings.Replace(oneRow, "2+", "3+", 1), 11, "no limit covers 2 axles"},
		{"a hole that opens when an older limit ends", head + oneRow + "        effective_to: 2024-12-31\n" + strings.Replace(strings.Replace(other, "2020-01-01", "2025-01-01", 1), "2+", "3+", 1), 11, "on 2025-01-01 no limit covers 2 axles"},
		{"a hole in the drive axles", head + oneRow + "        drive_axles: 2+\n", 11, "no limit for 1 drive axles"},
		{"a value where the sign gives it", head + oneRow + strings.Replace(other, "gross-by-axles", "posted-gross", 1), 21, "takes no axles"},
		{"a competence without limits", strings.Replace(head, "    limits:\n", "", 1), 8, "has no limits"},
		{"an unknown kind", strings.Replace(head, "bus", "tram", 1) + oneRow, 9, "want one of bus"},
		{"an unknown mode", strings.Replace(head, "reduce_measured", "raise_limit", 1) + oneRow, 4, "want one of reduce_measured"},
		{"an unknown zone", strings.Replace(head, "+08:00", "Asia/Shanghai", 1) + oneRow, 3, "offset"},
		{"another format", strings.Replace(head, "format: 1", "format: 3", 1) + oneRow, 1, "format 3"},
		{"an id that is no name", strings.Replace(head, "id: x", "id: X Y", 1) + oneRow, 2, "id"},
		{"a ladder that begins above nothing", strings.Replace(head, "at: 0", "at: 5", 1) + oneRow, 6, "first step"},
		{"a ladder with an unknown unit", strings.Replace(head, "unit: kg", "unit: lb", 1) + oneRow, 6, "want one of kg, permille"},
		{"a ladder with an unknown edge", strings.Replace(head, "edge: gt", "edge: over", 1) + oneRow, 6, "want one of ge, gt"},
		{"not YAML", "{", 0, ""},
		{"nothing", "", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Load("f.yaml", []byte(c.yaml))
			if err == nil {
				t.Fatalf("accepted: %+v", s)
			}
			var ce *conf.Error
			if !errors.As(err, &ce) || ce.File != "f.yaml" {
				t.Fatalf("%v has no place", err)
			}
			if c.line != 0 && ce.Line != c.line {
				t.Errorf("line %d, want %d: %v", ce.Line, c.line, err)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestLimitsThatFollowEachOtherAreAccepted(t *testing.T) {
	newer := strings.Replace(strings.Replace(oneRow, "2020-01-01", "2025-01-01", 1), "id: a", "id: b", 1)
	older := oneRow + "        effective_to: 2024-12-31\n"
	for name, limits := range map[string]string{"the older first": older + newer, "the newer first": newer + older} {
		if _, err := Load("f.yaml", []byte(head+limits)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Load is fed files that people edit: it refuses, it never panics, and what it accepts judges.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(head + oneRow))
	for _, p := range []string{filepath.Join("testdata", "test-set.yaml"), filepath.Join("..", "configs", "rules", "cn-2016-62.yaml")} {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Load("fuzz.yaml", b)
		if (s == nil) == (err == nil) {
			t.Fatalf("set %v, error %v", s, err)
		}
		if s != nil {
			judge(s, with(sound(6, wim.Train, 60000), licensed(tractorLicence(), trailerLicence())))
		}
	})
}
