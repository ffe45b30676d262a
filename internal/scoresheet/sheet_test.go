package scoresheet

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/scoring"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
	"github.com/axlegate/axlegate/wim/calibration"
)

// result is a score of traffic with some of everything.
func result(t *testing.T, vehicles int) *scoring.Result {
	t.Helper()
	s, err := accuracy.New(accuracy.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range vehicles {
		x := &accuracy.Truth{Gross: 20_000, Speed: wim.DeciKmh(400 + 10*i), Kind: `<b>"rigid"</b>`, Configuration: wim.Rigid, Start: time.Unix(1_780_000_000, 0),
			Axles: []accuracy.TrueAxle{{Load: 6000, Left: 3000, Right: 3000}, {Load: 7000, Left: 3500, Right: 3500, Spacing: 4000}, {Load: 7000, Left: 3500, Right: 3500, Spacing: 1350}}}
		if i%9 == 0 {
			x.Flags = wim.Acceleration
		}
		m := x.Vehicle()
		m.Gross += wim.Kg(i%20-10) * 30
		if i%10 == 0 {
			m.Flags = wim.Acceleration
		}
		truly, found := wim.Compliant, wim.Compliant
		if i%3 == 0 {
			truly = wim.Exceeded
		}
		if i%4 == 0 {
			found = wim.Exceeded
		}
		verdict := func(o wim.Outcome) *wim.Verdict {
			return &wim.Verdict{Opinions: []wim.Opinion{{Competence: wim.RoadAdministration, Outcome: o, Standing: wim.Screening}},
				Findings: []wim.Finding{{Competence: wim.RoadAdministration, Scope: wim.ScopeGross, Outcome: o, Measured: 20_000 + wim.Kg(i)*100, Permitted: 20_000}}}
		}
		s.Passage(x, &m, accuracy.Cases(verdict(truly), verdict(found)))
	}
	r, err := s.Report()
	if err != nil {
		t.Fatal(err)
	}
	return &scoring.Result{Report: r, Elsewhere: 1, Unjudged: 1}
}

func TestTheSheetStandsAloneInBothLanguages(t *testing.T) {
	for _, n := range []int{0, 5, 200} {
		var b bytes.Buffer
		if err := Write(&b, Head{Title: `<i>truth</i>`, Made: "today", Lang: "en"}, result(t, n)); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		if zh, en := strings.Count(page, `lang="zh"`), strings.Count(page, `lang="en"`); zh != en-1 { // the page's own
			t.Errorf("%d vehicles: %d texts in Chinese, %d in English", n, zh, en-1)
		}
		for _, bad := range []string{"http:", "https:", "<script", "@import", "url(", `<b>"`, "<i>", "NaN", "Inf", "⟦", "%!"} {
			if strings.Contains(page, bad) {
				t.Errorf("%d vehicles: the page has %q in it", n, bad)
			}
		}
		for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1) {
			d := xml.NewDecoder(strings.NewReader(svg))
			for {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%d vehicles: a picture is not well formed: %v", n, err)
				}
			}
		}
		if n == 200 && strings.Count(page, "<svg") != 7 { // four criteria, a curve, speeds, kinds
			t.Errorf("%d pictures, want 7", strings.Count(page, "<svg"))
		}
	}
}

func TestACalibrationIsDrawnBeforeAndAfter(t *testing.T) {
	var passes []calibration.Pass
	for i := range 12 {
		p := calibration.Pass{Time: wim.Time(i), Speed: wim.DeciKmh(300 + 50*i), Temperature: wim.DeciKelvin(2800 + i)}
		p.True = calibration.Wheels{Gross: 40_000, Left: 20_000, Right: 20_000}
		p.Told = calibration.Wheels{Gross: 37_000, Left: 18_000 + wim.Kg(i)*30, Right: 19_000 - wim.Kg(i)*30}
		passes = append(passes, p)
	}
	f, err := calibration.Fit(passes, calibration.Bands{Speeds: []wim.DeciKmh{300, 600, 800}, Temperatures: []wim.DeciKelvin{2700, 2900}})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	c := calibration.Calibration{Version: "<b>1</b>", Device: "scale-1", Site: "north-1", Lane: 2, Cells: f.Cells}
	if err := WriteCalibration(&b, Head{Lang: "zh"}, &c, passes, f); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if zh, en := strings.Count(page, `lang="zh"`), strings.Count(page, `lang="en"`); zh-1 != en {
		t.Errorf("%d texts in Chinese, %d in English", zh-1, en)
	}
	if before, after := strings.Count(page, "<circle"), 2*12-f.Unused; before != after || f.Unused == 0 {
		t.Errorf("%d passes drawn, want %d: %d are in no band", before, after, f.Unused)
	}
	for _, bad := range []string{"http:", "https:", "<script", "<b>1", "NaN", "%!"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q in it", bad)
		}
	}
}
