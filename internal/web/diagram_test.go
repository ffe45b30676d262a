package web

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

var update = flag.Bool("update", false, "write the golden files anew")

func vehicle(class string, c wim.Configuration, loads []wim.Kg, spacings []wim.Mm) wim.Facts {
	v := wim.Vehicle{Class: class, Configuration: c, Sure: true}
	for i, l := range loads {
		a := wim.Axle{Index: uint8(i + 1), Load: l, Left: l / 2, Right: l - l/2}
		if i > 0 {
			a.Spacing = spacings[i-1]
		}
		v.Axles = append(v.Axles, a)
		v.Gross += l
	}
	v.AxleSum = v.Gross
	return wim.Facts{Vehicle: v}
}

func found(c wim.Competence, limit string, k wim.ScopeKind, index uint8, measured, deducted, permitted wim.Kg) wim.Finding {
	f := wim.Finding{Competence: c, Limit: limit, Scope: k, Index: index, Outcome: wim.Compliant, Measured: measured, Deducted: deducted, Permitted: permitted}
	switch over := measured - deducted - permitted; {
	case over > 0:
		f.Outcome, f.Excess, f.Ratio = wim.Exceeded, over, over.Of(permitted)
	case measured > permitted:
		f.Outcome = wim.WithinTolerance
	}
	return f
}

func TestDiagramsAreAsTheyWereApproved(t *testing.T) {
	train := vehicle("train-6 (3S3)", wim.Train, []wim.Kg{6480, 10210, 9870, 10760, 10620, 10480}, []wim.Mm{3150, 1350, 6420, 1310, 1310})
	train.Vehicle.Groups = []wim.AxleGroup{{First: 1, Count: 1, Load: 6480}, {First: 2, Count: 2, Load: 20080, Span: 1350}, {First: 4, Count: 3, Load: 31860, Span: 2620}}
	rigid := vehicle("rigid-4 (2+2)", wim.Rigid, []wim.Kg{5200, 6900, 14900, 14380}, []wim.Mm{1950, 3600, 1350})
	full := vehicle("train-5 (2+3)", wim.Train, []wim.Kg{6000, 9000, 8000, 8100, 7900}, []wim.Mm{4200, 4600, 4100, 1310})
	strange := vehicle("unclassified-3", wim.ConfigurationUnknown, []wim.Kg{4000, 4100, 4200}, []wim.Mm{1200, 1250})
	for _, c := range []struct {
		name       string
		language   Language
		facts      wim.Facts
		verdict    wim.Verdict
		competence wim.Competence
	}{
		{"a six-axle train over the limit of the road", Chinese, train, wim.Verdict{
			Opinions: []wim.Opinion{{Competence: wim.RoadAdministration, Outcome: wim.Exceeded, Standing: wim.Evidence}},
			Findings: []wim.Finding{
				found(wim.RoadAdministration, "order-62-3-8-train", wim.ScopeGross, 0, 58420, 2921, 49000),
				found(wim.TrafficPolice, "licence-gross", wim.ScopeLicence, 0, 58420, 2921, 49000),
				found(wim.TrafficPolice, "rated-load", wim.ScopeCargo, 0, 42920, 2921, 33500),
			},
		}, wim.RoadAdministration},
		{"the same train for the police", English, train, wim.Verdict{
			Opinions: []wim.Opinion{{Competence: wim.TrafficPolice, Outcome: wim.Exceeded, Standing: wim.Screening}},
			Findings: []wim.Finding{
				found(wim.RoadAdministration, "order-62-3-8-train", wim.ScopeGross, 0, 58420, 2921, 49000),
				found(wim.TrafficPolice, "rated-load", wim.ScopeCargo, 0, 42920, 2921, 33500),
			},
		}, wim.TrafficPolice},
		{"a truck over posted axle limits", Chinese, rigid, wim.Verdict{
			Opinions: []wim.Opinion{{Competence: wim.RoadAdministration, Outcome: wim.Exceeded, Standing: wim.Evidence}},
			Findings: []wim.Finding{
				found(wim.RoadAdministration, "order-62-3-6-rigid", wim.ScopeGross, 0, 41380, 2069, 31000),
				found(wim.RoadAdministration, "posted-gross", wim.ScopeGross, 0, 41380, 2069, 30000),
				found(wim.RoadAdministration, "posted-axle", wim.ScopeAxle, 1, 5200, 416, 13000),
				found(wim.RoadAdministration, "posted-axle", wim.ScopeAxle, 3, 14900, 1192, 13000),
				found(wim.RoadAdministration, "posted-axle", wim.ScopeAxle, 4, 13500, 1080, 13000),
			},
		}, wim.RoadAdministration},
		{"a truck with a full trailer within tolerance", English, full, wim.Verdict{
			Findings: []wim.Finding{found(wim.RoadAdministration, "order-62-3-7-train", wim.ScopeGross, 0, 39000, 1950, 38000)},
		}, ""},
		{"a void weighing of something unknown", English, strange, wim.Verdict{
			Opinions: []wim.Opinion{{Competence: wim.RoadAdministration, Outcome: wim.Unknown, Standing: wim.Void}},
		}, wim.RoadAdministration},
	} {
		got := string(own(t).Words(c.language, nil).Diagram(Diagram{ID: "x", Facts: &c.facts, Verdict: &c.verdict, Competence: c.competence}))
		wellFormed(t, c.name, got)
		path := filepath.Join("testdata", strings.ReplaceAll(c.name, " ", "-")+".svg")
		got = strings.ReplaceAll(got, "><", ">\n<") + "\n"
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%s: %v; run with -update to write it", c.name, err)
		}
		if got != string(want) {
			t.Errorf("%s is drawn otherwise than %s; run with -update and look at the difference", c.name, path)
		}
	}
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func wellFormed(t failer, name, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s is not well formed: %v in %s", name, err, svg)
		}
		start, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		if n := start.Name.Local; n == "script" || n == "style" || n == "image" || n == "foreignObject" {
			t.Fatalf("%s holds <%s>", name, n)
		}
		for _, a := range start.Attr {
			if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
				t.Fatalf("%s holds %s=%q", name, a.Name.Local, a.Value)
			}
		}
	}
}

func TestAnyVehicleIsDrawnWithoutBreakingThePage(t *testing.T) {
	c := own(t)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, wim.MaxAxles).Draw(t, "axles")
		f := wim.Facts{Vehicle: wim.Vehicle{
			Class:         rapid.SampledFrom([]string{"", "train-6 (3S3)", "train-9 (9S1)", "(", "(+", "rigid-2", "<b>("}).Draw(t, "class"),
			Configuration: rapid.SampledFrom([]wim.Configuration{"", wim.Rigid, wim.Train, wim.ConfigurationUnknown, "<i>"}).Draw(t, "configuration"),
			Gross:         wim.Kg(rapid.Int32().Draw(t, "gross")),
		}}
		for range n {
			f.Vehicle.Axles = append(f.Vehicle.Axles, wim.Axle{Load: wim.Kg(rapid.Int32().Draw(t, "load")), Spacing: wim.Mm(rapid.Int32Range(-10, 60000).Draw(t, "spacing"))})
		}
		for range rapid.IntRange(0, 4).Draw(t, "groups") {
			f.Vehicle.Groups = append(f.Vehicle.Groups, wim.AxleGroup{First: rapid.Uint8().Draw(t, "first"), Count: rapid.Uint8().Draw(t, "count")})
		}
		var v wim.Verdict
		for range rapid.IntRange(0, 6).Draw(t, "findings") {
			v.Findings = append(v.Findings, wim.Finding{
				Competence: wim.Competence(rapid.SampledFrom([]string{string(wim.RoadAdministration), string(wim.TrafficPolice), `"><script>`}).Draw(t, "competence")),
				Scope:      rapid.SampledFrom([]wim.ScopeKind{wim.ScopeGross, wim.ScopeAxle, wim.ScopeGroup, wim.ScopeCargo, wim.ScopeLicence, `"><b>`}).Draw(t, "scope"),
				Index:      rapid.Uint8().Draw(t, "index"), Outcome: wim.Outcome(rapid.SampledFrom([]string{"exceeded", "compliant", `"><b>`}).Draw(t, "outcome")),
				Measured: wim.Kg(rapid.Int32().Draw(t, "measured")), Deducted: wim.Kg(rapid.Int32().Draw(t, "deducted")),
				Permitted: wim.Kg(rapid.Int32().Draw(t, "permitted")), Excess: wim.Kg(rapid.Int32().Draw(t, "excess")),
			})
		}
		v.Opinions = []wim.Opinion{{Competence: wim.RoadAdministration, Standing: wim.Standing(rapid.SampledFrom([]string{"", "evidence", "void", `"><b>`}).Draw(t, "standing"))}}
		svg := string(c.Words(English, nil).Diagram(Diagram{ID: rapid.String().Draw(t, "id"), Facts: &f, Verdict: &v}))
		wellFormed(t, "the drawing", svg)
	})
}
