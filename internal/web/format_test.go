package web

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

func TestQuantitiesReadAsOfficersReadThem(t *testing.T) {
	zone := time.FixedZone("CST", 8*3600)
	en, zh := own(t).Words(English, zone), own(t).Words(Chinese, zone)
	at := wim.TimeOf(time.Date(2026, 3, 1, 17, 4, 5, 0, time.UTC))
	for _, c := range []struct{ name, got, want string }{
		{"a gross mass", en.Kg(58420), "58 420 kg"},
		{"a small mass", en.Kg(40), "40 kg"},
		{"a large mass", en.Kg(1234567), "1 234 567 kg"},
		{"a negative mass", en.Kg(-1234), "-1 234 kg"},
		{"a wheel that was not measured", en.Kg(wim.NotMeasured), "–"},
		{"tonnes", en.Tonnes(58420), "58.42 t"},
		{"tonnes to the kilogram where it counts", en.Tonnes(49001), "49.001 t"},
		{"tonnes below one", en.Tonnes(40), "0.04 t"},
		{"a limit as a sign shows it", en.Limit(49000), "49 t"},
		{"a limit with half a tonne", en.Limit(33500), "33.5 t"},
		{"a round limit keeps its zeros", en.Limit(40000), "40 t"},
		{"a speed", en.Speed(612), "61.2 km/h"},
		{"no speed", en.Speed(0), "–"},
		{"a ratio in English", en.Percent(132), "13.2 %"},
		{"a ratio in Chinese", zh.Percent(132), "13.2%"},
		{"a length", en.Metres(16405), "16.41 m"},
		{"a time of day in the site's zone", en.Clock(at), "01:04:05"},
		{"the day in the site's zone", en.Date(at), "2026-03-02"},
		{"a moment of today", en.Moment(at, at.Add(time.Hour)), "01:04:05"},
		{"a moment of another day", en.Moment(at, at.Add(30*time.Hour)), "03-02 01:04"},
		{"an unknown time", en.Clock(0), "–"},
		{"a branch of a missing input", en.Assumes("train,drive-axles=1"), "if a train, if 1 drive axle"},
		{"an axle", zh.Scope(&wim.Finding{Scope: wim.ScopeAxle, Index: 3}), "第 3 轴"},
		{"the gross", zh.Scope(&wim.Finding{Scope: wim.ScopeGross}), "车货总质量"},
		{"a suspicion", zh.Headline(wim.TrafficPolice, wim.Exceeded, wim.Screening), "超载嫌疑"},
		{"a finding that is evidence", zh.Headline(wim.RoadAdministration, wim.Exceeded, wim.Evidence), "超限"},
		{"nothing exceeded", zh.Headline(wim.RoadAdministration, wim.Compliant, wim.Evidence), "未超"},
		{"a band that a rule set brings", en.Band("band-of-tomorrow"), "band-of-tomorrow"},
	} {
		if got := strings.ReplaceAll(c.got, thin, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if m := en.Midnight(at.Std()); m.UTC().Hour() != 16 || m.Day() != 2 {
		t.Errorf("today begins at %v", m)
	}
}

func TestTonnesAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kg := rapid.Int32Range(0, 2_000_000).Draw(t, "kg")
		whole, part, _ := strings.Cut(tonnes(wim.Kg(kg)), ".")
		back, err := strconv.Atoi(whole + (part + "00")[:3])
		if err != nil || int32(back) != kg {
			t.Fatalf("%d kg reads %s.%s t", kg, whole, part)
		}
	})
}

func TestPlatesAreSetAsOnTheMetal(t *testing.T) {
	for in, want := range map[string]string{
		"豫A7K882": "豫A·7K882", "豫AK352挂": "豫A·K352挂", "粤AD12345": "粤A·D12345", "": "", "豫": "豫", "豫1": "豫1", "WJ1234": "WJ1234",
	} {
		if got := PlateText(in); got != want {
			t.Errorf("%q is set %q, want %q", in, got, want)
		}
	}
}

func TestAPlateCannotBringMarkup(t *testing.T) {
	w := own(t).Words(English, nil)
	rapid.Check(t, func(t *rapid.T) {
		chip := string(w.Plate(rapid.String().Draw(t, "text"), wim.PlateColor(rapid.String().Draw(t, "color"))))
		if strings.Count(chip, "<") != 2 || strings.Count(chip, ">") != 2 || strings.Count(chip, `"`) > 4 {
			t.Fatalf("markup in %s", chip)
		}
	})
}
