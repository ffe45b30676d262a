package record

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/configs"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// shipped is a page of configs/devices.
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

func makers(t testing.TB) Page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "maker.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := LoadPage("maker.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// told writes what a message holds.
func told(t testing.TB, p Page, message []byte) string {
	t.Helper()
	var b strings.Builder
	err := p.Decode(message, func(r Record, refused *Refusal) error {
		if refused != nil {
			fmt.Fprintf(&b, "refused (lane %q): %v\n", refused.Lane, refused)
			return nil
		}
		switch r.Kind {
		case Nothing:
			b.WriteString("nothing\n")
		case Retraction:
			fmt.Fprintf(&b, "retraction of %s, lane %q\n", r.Controller.ID, r.Lane)
		case Vehicle:
			fmt.Fprintf(&b, "vehicle lane %q at %s: gross %d speed %d length %d count %d flags %v\n  controller %+v\n", r.Lane, r.At, r.Gross, r.Speed, r.Length, r.Count, r.Flags.Names(), r.Controller)
			for _, x := range r.Axles {
				fmt.Fprintf(&b, "  axle %d load %d left %d right %d speed %d spacing %d flags %v\n", x.Index, x.Load, x.Left, x.Right, x.Speed, x.Spacing, x.Flags.Names())
			}
		}
		return nil
	})
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	return b.String()
}

func TestPagesReadTheirExamples(t *testing.T) {
	for _, c := range []struct {
		page    func(testing.TB) Page
		message string
	}{
		{func(t testing.TB) Page { return shipped(t, "record-open") }, "record-open.json"},
		{func(t testing.TB) Page { return shipped(t, "record-open-csv") }, "record-open-csv.csv"},
		{func(t testing.TB) Page { return shipped(t, "record-cn-nonstop") }, "record-cn-nonstop.json"},
		{makers, "maker.xml"},
	} {
		t.Run(c.message, func(t *testing.T) {
			message, err := os.ReadFile(filepath.Join("testdata", c.message))
			if err != nil {
				t.Fatal(err)
			}
			got := told(t, c.page(t), message)
			golden := filepath.Join("testdata", c.message+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("have\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestEveryShippedPageIsReadAndHasItsExample(t *testing.T) {
	n := 0
	for _, name := range configs.DeviceNames() {
		if !strings.HasPrefix(name, "record-") {
			continue
		}
		n++
		p := shipped(t, name)
		if p.Name != name || p.Source == "" || p.Title == "" {
			t.Errorf("%s: name %q, source %q, title %q", name, p.Name, p.Source, p.Title)
		}
		if found, err := filepath.Glob(filepath.Join("testdata", name+".*.golden")); err != nil || len(found) != 1 {
			t.Errorf("%s has %d examples, %v", name, len(found), err)
		}
	}
	if n == 0 {
		t.Error("no page is shipped")
	}
}

func TestAPageThatCannotBeMeantIsRefusedWithItsPlace(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "maker.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"another kind", "whole-vehicle", "sign", "maker.yaml:3:7: kind"},
		{"an unknown key", "records:", "record:", "unknown key"},
		{"an unknown format", "format: xml", "format: yaml", ":6:9: format"},
		{"an unknown unit", "unit: t}", "unit: tons}", "gross.unit: \"tons\" is no unit of it; there is: kg, t, lb"},
		{"a speed in kilograms", "unit: mph", "unit: kg", "speed.unit"},
		{"no name of a record", "id: [Head.Station, Head.Number]\n", "", "id: is missing; without a name"},
		{"a code that raises no flag there is", "straddling]", "stradling]", "\"stradling\" is no flag"},
		{"a code for two kinds of message", `nothing: ["0"]`, `nothing: ["1"]`, "stands there twice"},
		{"a pattern without seconds", "HH:mm:ss,SSS", "HH:mm", "has no ss"},
		{"a pattern with a stray letter", "HH:mm:ss,SSS", "hh:mm:ss,SSS", `'h'`},
		{"a pattern without a zone", ", zone: Europe/Prague", "", "time.zone: is missing"},
		{"a zone that there is not", "Europe/Prague", "Europe/Prag", "\"Europe/Prag\" is not known"},
		{"this machine's zone", "Europe/Prague", "Local", "\"Local\" is not known"},
		{"a spacing to nothing", "to: next", "to: behind", "axles.spacing.to"},
		{"a number for the axle in a list", `at: "@w"`, `at: "w{n}"`, "{n} is for axles without a list"},
		{"axles that are neither", "  list: Axles.Axle\n", "", "axles.max: 0, want 2 to 32"},
		{"left without right", "  right: {at: Right, unit: lb}\n", "", "left and right go together"},
		{"a path with two dots", "Head.Lane", "Head..Lane", "is no path"},
		{"a frame that there is not", "length4", "length2", "stream.frame"},
		{"files of another folder", `"*.xml"`, `"in/*.xml"`, "files"},
		{"a comma in points and cells", "format: xml\nrecords: Passage", "format: csv", "decimal: a comma cannot both"},
		{"CSV settings for XML", "format: xml", "format: xml\ncsv: {comma: \";\"}", "csv: has no meaning"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(string(text), c.from) {
				t.Fatalf("the page does not have %q", c.from)
			}
			_, err := LoadPage("maker.yaml", []byte(strings.Replace(string(text), c.from, c.to, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "maker.yaml:") {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
