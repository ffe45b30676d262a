package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/drivers/strips"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/simulator/physics"
	"github.com/axlegate/axlegate/wim"
)

func TestAWeighedStreamIsScoredByTheTruthOfItsTime(t *testing.T) {
	cfg := simulator.SamplesConfig{Seed: 4, Vehicles: 30, Rows: 4, Apart: 3, Rate: 2000, Road: physics.RoughnessA, Celsius: 20, Begin: time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)}
	var stream, again, truth bytes.Buffer
	for _, out := range []*bytes.Buffer{&stream, &again} {
		truth.Reset()
		if err := simulator.WriteSamples(t.Context(), cfg, out, &truth, false, func(int) {}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(stream.Bytes(), again.Bytes()) {
		t.Error("the same seed gives other bytes")
	}
	factors, warmth, rows, err := simulator.SampleArray(cfg)
	if err != nil {
		t.Fatal(err)
	}
	a := strips.Array{Threshold: 60, Factors: factors, Warmth: warmth}
	for i, at := range rows {
		left, right := 2*i, 2*i+1
		a.Rows = append(a.Rows, strips.Row{Position: wim.Mm(at), Left: &left, Right: &right})
	}
	var all []wim.Vehicle
	w, err := weigh(&stream, a, func(v *wim.Vehicle) error { all = append(all, v.Clone()); return nil })
	if err != nil || w.lost != 0 || w.skipped != 0 || !w.ended || w.samples == 0 {
		t.Fatalf("%+v %v", w, err)
	}
	path := filepath.Join(t.TempDir(), "truth")
	missing := truth.String()[strings.Index(truth.String(), "\n")+1:] // the truth lacks the first: it is one too many
	for name, c := range map[string]struct {
		truth    string
		all      []wim.Vehicle
		missed   int
		invented int
	}{
		"all":                    {truth.String(), all, 0, 0},
		"one that was not there": {missing, all, 0, 1},
		"one that is missing":    {truth.String(), all[1:], 1, 0},
	} {
		if err := os.WriteFile(path, []byte(c.truth), 0o600); err != nil {
			t.Fatal(err)
		}
		x, err := weighScore(path, c.all)
		if err != nil {
			t.Fatal(err)
		}
		if n := x.Report.Counts; n.Vehicles-n.Recorded != c.missed || n.False != c.invented || n.Miscounted != 0 {
			t.Errorf("%s: %+v", name, n)
		}
	}
}
