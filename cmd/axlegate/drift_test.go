package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/calibration"
)

func TestAScaleThatDriftsIsSeenInItsRecords(t *testing.T) {
	var text strings.Builder
	for n := range 60 {
		v := wim.Vehicle{Lane: 2, Gross: 40_000, Configuration: wim.Train, Combination: wim.Articulated, Sure: true, Temperature: 2931}
		for i := range uint8(5) {
			load := wim.Kg(6000 + 10*(n%7))
			if n >= 20 { // it comes to weigh 5 % too much
				load = load * 105 / 100
			}
			v.Axles = append(v.Axles, wim.Axle{Index: i + 1, Load: load, Left: load / 2, Right: load - load/2})
		}
		b, err := json.Marshal(wim.Record{Site: "north-1", Kind: wim.KindPassage, Passage: &wim.Passage{Facts: wim.Facts{Time: wim.Time(1 + n), Vehicle: v}}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s\n", b)
	}
	text.WriteString("{\n{}\n" + `{"kind":"gap"}`)
	var complain bytes.Buffer
	list, broken, err := drifts(calibration.WatchConfig{Window: 20}, "records", strings.NewReader(text.String()), &complain)
	if err != nil || broken != 2 || !strings.Contains(complain.String(), "records:61:") || !strings.Contains(complain.String(), "records:62:") {
		t.Fatalf("%d broken, %v: %s", broken, err, complain.String())
	}
	alarms := 0
	for _, x := range list {
		if x.Alarm {
			alarms++
			if x.Kind != calibration.DriftSteering || x.Proposed != calibration.One-calibration.DefaultStep || x.Lane != 2 {
				t.Errorf("%+v", x)
			}
		}
	}
	if len(list) != 9 || alarms != 2 {
		t.Errorf("%d looks, %d alarms; want 9 and 2", len(list), alarms)
	}
	for lang, want := range map[string]string{"zh": "重新检定", "en": "verified anew"} {
		var out bytes.Buffer
		if err := speaking(t, lang).drifted(&out, list, len(list)); err != nil || !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "0.9950") || !strings.Contains(out.String(), "20") {
			t.Errorf("%s: %v\n%s", lang, err, out.String())
		}
	}
}

func TestAWatchThatCannotBeIsRefused(t *testing.T) {
	for _, c := range []driftCommand{{Window: 9, Step: 1}, {Window: 1000}, {Window: 1000, Step: 100_001}, {Window: 2_000_000, Step: 1}} {
		if err := c.Run(); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}
