package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/calibration"
)

// trucks lays out twelve passes of a truck that the scale weighs 500 kg too light.
func trucks(t *testing.T) calibrateCommand {
	t.Helper()
	truth, records := trueLines(t, -500, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000)
	dir := t.TempDir()
	c := calibrateCommand{Truth: filepath.Join(dir, "truth"), Records: []string{filepath.Join(dir, "records")}, Device: "s", Name: "2026-2", Out: filepath.Join(dir, "c.json"),
		HTML: filepath.Join(dir, "c.html"), Speeds: []int{0, 40, 70, 100}, language: language{Lang: "en", JSON: true}}
	for path, text := range map[string]string{c.Truth: truth, c.Records[0]: records} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestPassesOfATruckGiveACalibrationThatIsWrittenAndNotApplied(t *testing.T) {
	c := trucks(t)
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(c.Out)
	if err != nil {
		t.Fatal(err)
	}
	made, err := calibration.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(made.Cells) != 1 || made.Cells[0].Passes != 12 || made.Cells[0].SpeedMin != 400 || made.Version != "2026-2" || made.Device != "s" || made.Site != "north-1" {
		t.Fatalf("%+v", made)
	}
	if got := made.Cells[0].Factor.Times(9500); got < 9995 || got > 10_005 {
		t.Errorf("9500 kg told become %d, want 10000", got)
	}
	if page, err := os.ReadFile(c.HTML); err != nil || !bytes.Contains(page, []byte("</svg>")) {
		t.Errorf("no picture: %v", err)
	}
	// The next one names the one before by its digest, and no file is written over.
	if err := c.Run(); err == nil {
		t.Error("a calibration was written over")
	}
	c.Replaces, c.Out, c.HTML, c.Name = c.Out, c.Out+"2", "", "2026-3"
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if b2, err := os.ReadFile(c.Out); err != nil || !strings.Contains(string(b2), wim.DigestOf(b).String()) {
		t.Errorf("the one before is not named: %v", err)
	}
}

func TestACalibrationIsSaidInBothLanguages(t *testing.T) {
	c := trucks(t)
	passes, _, err := c.passes()
	if err != nil {
		t.Fatal(err)
	}
	f, err := calibration.Fit(append(passes, calibration.Pass{Speed: 2000, True: passes[0].True, Told: passes[0].Told}), calibration.Bands{Speeds: []wim.DeciKmh{0, 1000}})
	if err != nil {
		t.Fatal(err)
	}
	made := calibration.Calibration{Cells: f.Cells}
	for lang, want := range map[string]string{"zh": "重新检定", "en": "verified anew"} {
		var out bytes.Buffer
		if err := speaking(t, lang).calibrated(&out, &made, f, wim.Digest{}); err != nil || !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "-5.00") {
			t.Errorf("%s: %v\n%s", lang, err, out.String())
		}
	}
}

func TestWhatIsNoCalibrationIsRefused(t *testing.T) {
	for name, change := range map[string]func(*calibrateCommand){
		"another scale":                  func(c *calibrateCommand) { c.Device = "other" },
		"a speed that is none":           func(c *calibrateCommand) { c.Speeds = []int{0, 4000} },
		"bands without passes":           func(c *calibrateCommand) { c.Speeds = []int{100, 120} },
		"temperatures that fall":         func(c *calibrateCommand) { c.Temperatures = []int{20, 10} },
		"a line that is no record":       func(c *calibrateCommand) { c.Records = append(c.Records, c.Truth) },
		"what replaces no calibration":   func(c *calibrateCommand) { c.Replaces = c.Truth },
		"a name that is longer than one": func(c *calibrateCommand) { c.Name = strings.Repeat("x", 101) },
	} {
		c := trucks(t)
		change(&c)
		if err := c.Run(); err == nil {
			t.Errorf("%s is accepted", name)
		}
		if _, err := os.Stat(c.Out); err == nil {
			t.Errorf("%s: a file was left", name)
		}
	}
}
