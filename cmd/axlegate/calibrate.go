package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/axlegate/axlegate/internal/scoresheet"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
	"github.com/axlegate/axlegate/wim/calibration"
)

type calibrateCommand struct {
	Truth        string   `short:"t" required:"" type:"existingfile" placeholder:"FILE" help:"The test trucks' masses at rest, one pass a line (docs/measurement.md)."`
	Records      []string `short:"r" required:"" type:"existingfile" placeholder:"FILE" help:"Sealed records of the passes, one a line."`
	Device       string   `required:"" help:"The scale, as records name it."`
	Name         string   `required:"" name:"as" placeholder:"VERSION" help:"What the calibration is to be called, as 2026-2."`
	Out          string   `short:"o" required:"" placeholder:"FILE" help:"The calibration is written here; the file must not be there yet."`
	HTML         string   `name:"html" placeholder:"FILE" help:"Write before and after as one HTML file that stands alone."`
	Speeds       []int    `default:"0,40,70,100" help:"Edges of the bands of speed, in km/h."`
	Temperatures []int    `help:"Edges of the bands of temperature, in °C; without it one band."`
	Replaces     string   `type:"existingfile" placeholder:"FILE" help:"The calibration that was in the instrument during the passes, named in the new one by its digest."`
	language
}

func (calibrateCommand) Help() string {
	return `Works out by which factors a scale must be adjusted (校准), from passes of test trucks whose masses at rest are known: one factor for
each sensor, band of speeds and band of temperatures, with the uncertainty that the scatter of its passes leaves. Void weighings have no
part. The errors after are told pass by pass with the factors of the other passes, so that none flatters itself.

Nothing is applied. A person enters the factors into the instrument and names the file under instrument.calibration of the site's
configuration; from then on every weight is a suspicion, until the instrument is verified anew (检定) and the new certificate is entered.

  axlegate calibrate --truth trucks.ndjson --records records.ndjson --device scale-1 --as 2026-2 -o 2026-2.json --html 2026-2.html`
}

func (c calibrateCommand) Run() error {
	l, err := c.law()
	if err != nil {
		return err
	}
	passes, first, err := c.passes()
	if err != nil {
		return err
	}
	bands := calibration.Bands{}
	for _, v := range c.Speeds {
		if v < 0 || v > 300 {
			return fmt.Errorf("--speeds: %d km/h: want 0 to 300", v)
		}
		bands.Speeds = append(bands.Speeds, wim.DeciKmh(v*10))
	}
	for _, v := range c.Temperatures {
		bands.Temperatures = append(bands.Temperatures, wim.DeciKelvinOf(int64(v)*1000))
	}
	fitted, err := calibration.Fit(passes, bands)
	if err != nil {
		return fmt.Errorf("calibrate: %w", err)
	}
	made := calibration.Calibration{Format: calibration.Format, Version: c.Name, Site: first.Site, Lane: first.Lane, Device: c.Device, Cells: fitted.Cells}
	made.From, made.To = calibration.Span(passes)
	if c.Replaces != "" {
		if made.Replace, err = replaced(c.Replaces, c.Device); err != nil {
			return err
		}
	}
	if err := made.Valid(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(&made, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if err := writeNew(c.Out, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		return err
	}
	if c.HTML != "" {
		head := scoresheet.Head{Lang: l.words.Language(), Title: c.Device + ", " + c.Name, Made: time.Now().UTC().Format("2006-01-02 15:04 UTC")}
		if err := writeNew(c.HTML, func(w io.Writer) error { return scoresheet.WriteCalibration(w, head, &made, passes, fitted) }); err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(os.Stdout, &made)
	}
	return l.calibrated(os.Stdout, &made, fitted, wim.DigestOf(text))
}

func replaced(path, device string) (*wim.Digest, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	old, err := calibration.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if old.Device != device {
		return nil, fmt.Errorf("%s is of %s, not of %s", path, old.Device, device)
	}
	d := wim.DigestOf(b)
	return &d, nil
}

// passes pairs the trucks with their passages over the scale.
func (c *calibrateCommand) passes() (passes []calibration.Pass, first *accuracy.Truth, err error) {
	shelf, err := newShelf(nil)
	if err != nil {
		return nil, nil, err
	}
	void := 0
	_, broken, err := scoreEach(accuracy.Config{}, shelf, c.Truth, c.Records, os.Stderr, func(t *accuracy.Truth, f *wim.Facts) {
		if t.Device != c.Device {
			return
		}
		p, ok := calibration.PassOf(t, f)
		if !ok {
			void++
			return
		}
		first = cmp.Or(first, t)
		passes = append(passes, p)
	})
	switch {
	case err != nil:
		return nil, nil, err
	case broken > 0:
		return nil, nil, fmt.Errorf("%d lines were not understood; a calibration rests on all of its passes", broken)
	case len(passes) == 0 && void > 0:
		return nil, nil, fmt.Errorf("all %d weighings of %s are void", void, c.Device)
	case len(passes) == 0:
		return nil, nil, fmt.Errorf("no passage of %s is in both files", c.Device)
	}
	return passes, first, nil
}

// calibrated prints the factors, and what they come to.
func (l *law) calibrated(w io.Writer, c *calibration.Calibration, f *calibration.Fitted, digest wim.Digest) error {
	var b bytes.Buffer
	out := &printer{w: &b}
	t := sheet{head: []string{l.say("传感器", "sensor"), "km/h", "°C", l.say("系数", "factor"), l.say("不确定度（95 %）", "uncertainty (95 %)"), l.say("通过次数", "passes")}}
	for _, x := range c.Cells {
		temperature := "–"
		if x.TemperatureMin != 0 {
			temperature = fmt.Sprintf("%g–%g", celsius(x.TemperatureMin), celsius(x.TemperatureMax))
		}
		t.add(string(x.Sensor), fmt.Sprintf("%g–%g", float64(x.SpeedMin)/10, float64(x.SpeedMax)/10), temperature, fmt.Sprintf("%.5f", float64(x.Factor)/1e6), fmt.Sprintf("±%.5f", float64(x.Uncertainty)/1e6), fmt.Sprint(x.Passes))
	}
	out.table(&t)
	before, after := summaryOf(f.Before), summaryOf(f.After)
	out.line("%s", l.say(fmt.Sprintf("总质量误差：校准前 %+.2f ± %.2f %%，校准后 %+.2f ± %.2f %%（每次通过按其余各次的系数计算）", before[0], before[1], after[0], after[1]),
		fmt.Sprintf("errors of the gross mass: before %+.2f ± %.2f %%, after %+.2f ± %.2f %% (each pass by the factors of the others)", before[0], before[1], after[0], after[1])))
	if f.Unused > 0 {
		out.line("%s", l.say(fmt.Sprintf("%d 次通过不在任何区间或所在区间不足 3 次", f.Unused), fmt.Sprintf("%d passes lie in no band, or in one with fewer than three", f.Unused)))
	}
	out.line("%s %s", l.say("摘要", "digest"), digest)
	out.line("%s", l.say("系数未被应用：由人员输入仪器后，须重新检定，其间称重仅为嫌疑。", "Nothing was applied: a person enters the factors; until the instrument is verified anew, its weights are suspicions."))
	_, err := w.Write(b.Bytes())
	return errors.Join(out.err, err)
}

func celsius(d wim.DeciKelvin) float64 { return math.Round(float64(d)/10 - 273.15) }

// summaryOf is mean and standard deviation of those that are numbers.
func summaryOf(list []float64) [2]float64 {
	n, sum, square := 0.0, 0.0, 0.0
	for _, x := range list {
		if !math.IsNaN(x) {
			n++
			sum += x
			square += x * x
		}
	}
	if n < 2 {
		return [2]float64{sum, 0}
	}
	return [2]float64{sum / n, math.Sqrt(max(0, (square-sum*sum/n)/(n-1)))}
}
