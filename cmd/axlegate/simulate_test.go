package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
)

func TestGoalsAreKeptOrNotByTheCountsAlone(t *testing.T) {
	near := func(accused, n int) *accuracy.Accusation {
		return &accuracy.Accusation{Competence: wim.RoadAdministration, Near: accuracy.Band{N: n, Accused: accused}}
	}
	found := func(accused, void, n int) *accuracy.Accusation {
		return &accuracy.Accusation{Competence: wim.RoadAdministration, Gross: true, ExcessBands: []accuracy.Band{{From: 90, N: 1000}, {From: 100, N: n, Accused: accused, Void: void}}}
	}
	for _, c := range []struct {
		name string
		a    *accuracy.Accusation
		kept bool
	}{
		{"one of a hundred thousand accused", near(1, 100_000), true},
		{"one of fewer", near(1, 99_999), false},
		{"none of a few", near(0, 10), true},
		{"99 of a hundred found", found(99, 0, 100), true},
		{"98 of a hundred", found(98, 0, 100), false},
		{"98 of a hundred, two weighings void", found(98, 2, 100), true},
	} {
		g := goalsOf(&accuracy.Report{Accusations: []*accuracy.Accusation{c.a, {Kind: "one kind is no goal"}}})
		if len(g) != 1 || g[0].kept != c.kept {
			t.Errorf("%s: %+v", c.name, g)
		}
		for _, lang := range []string{"zh", "en"} {
			var out bytes.Buffer
			l := speaking(t, lang)
			if err := l.goals(&out, g); err != nil || !strings.Contains(out.String(), l.yes(c.kept)) {
				t.Errorf("%s: %v\n%s", c.name, err, out.String())
			}
		}
	}
}

func TestTheBarSaysHowFarItIsAndHowLongItTakes(t *testing.T) {
	began := time.Unix(1000, 0)
	var out bytes.Buffer
	p := &pace{out: &out, all: 1000, began: began}
	if s := p.line(250, began.Add(10*time.Second)); !strings.Contains(s, "25 %") || !strings.Contains(s, "25/s") || !strings.Contains(s, "30s") {
		t.Errorf("%q", s)
	}
	p.tell(500)
	p.done()
	if s := out.String(); !strings.Contains(s, " 50 %") || !strings.HasSuffix(s, "\x1b[K") {
		t.Errorf("%q", s)
	}
}
