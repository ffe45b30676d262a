package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/calibration"
)

type driftCommand struct {
	File   string `arg:"" optional:"" type:"existingfile" help:"Sealed records, one a line, in the order in which they were written; without it standard input."`
	Window int    `default:"1000" help:"Vehicles that one look rests on. Fewer than about 960 articulated ones do not show 1 %."`
	Step   int32  `default:"5000" help:"The largest step that is proposed at once, in millionths."`
	All    bool   `help:"Show every look, not those alone that raise an alarm."`
	language
}

func (driftCommand) Help() string {
	return `Looks at the vehicles of each lane as they passed, window by window, and tells when a scale seems to drift:

  steering-axle  the mean load of the steering axles of articulated vehicles with five and six axles, which carry nearly the same
                 laden or not; apart for each ten kelvin of temperature
  left-right     the left wheels' share of all loads
  missed         missed axles, and wheels beside the sensor

The first window is the reference: begin with records of a freshly verified scale. What is proposed is one step at most, for a person to
decide on. Nothing is applied; an adjusted instrument must be verified anew.

  axlegate verify journal.db -o records.ndjson && axlegate drift records.ndjson`
}

// looked is one look at one lane's scale.
type looked struct {
	Site wim.SiteID `json:"site"`
	Lane wim.LaneID `json:"lane"`
	From string     `json:"from"`
	To   string     `json:"to"`
	calibration.Drift
}

func (c driftCommand) Run() error {
	l, err := c.law()
	if err != nil {
		return err
	}
	if c.Window < 10 || c.Window > 1_000_000 || c.Step < 1 || c.Step > 100_000 {
		return errors.New("drift: want a window of 10 to 1000000 vehicles and a step of 1 to 100000 millionths")
	}
	var list []looked
	broken := 0
	err = fromFile(c.File, func(name string, in io.Reader) (err error) {
		list, broken, err = drifts(calibration.WatchConfig{Window: c.Window, Step: calibration.PPM(c.Step)}, name, in, os.Stderr)
		return err
	})
	if err != nil {
		return err
	}
	looks := len(list)
	if !c.All {
		list = slices.DeleteFunc(list, func(x looked) bool { return !x.Alarm })
	}
	if c.JSON {
		err = writeJSON(os.Stdout, list)
	} else {
		err = l.drifted(os.Stdout, list, looks)
	}
	if err == nil && broken > 0 {
		err = fmt.Errorf("%d lines were not understood", broken)
	}
	return err
}

// maxWatched bounds the lanes of one look.
const maxWatched = 1000

// drifts watches every lane of a file. Supplements say again what a passage has said.
func drifts(cfg calibration.WatchConfig, name string, in io.Reader, complain io.Writer) (list []looked, broken int, err error) {
	type lane struct {
		site wim.SiteID
		lane wim.LaneID
	}
	watches := map[lane]*calibration.Watch{}
	list = []looked{}
	broken, err = eachLine(name, in, complain, func(_ int, line []byte) error {
		var r wim.Record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("not a record: %w", err)
		}
		if r.Kind == "" {
			return errors.New("not a record: it has no kind")
		}
		if r.Passage == nil {
			return nil
		}
		v := &r.Passage.Facts.Vehicle
		k := lane{r.Site, v.Lane}
		w := watches[k]
		if w == nil {
			if len(watches) >= maxWatched {
				return fmt.Errorf("more than %d lanes", maxWatched)
			}
			w = calibration.NewWatch(cfg)
			watches[k] = w
		}
		for _, d := range w.Take(v, r.Passage.Facts.Time) {
			list = append(list, looked{Site: r.Site, Lane: v.Lane, From: d.From.String(), To: d.To.String(), Drift: d})
		}
		return nil
	})
	slices.SortStableFunc(list, func(a, b looked) int { return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Lane, b.Lane)) })
	return list, broken, err
}

func (l *law) drifted(w io.Writer, list []looked, looks int) error {
	var b bytes.Buffer
	out := &printer{w: &b}
	alarms := 0
	t := sheet{head: []string{l.say("站点", "site"), l.say("车道", "lane"), l.say("截至", "until"), l.say("观察", "look"), "n", "°C", l.say("偏离", "off"), "±", l.say("建议系数", "proposed factor"), l.say("告警", "alarm")}}
	for _, x := range list {
		temperature, proposed, sure := "–", "", ""
		if x.Bin > 0 {
			temperature = fmt.Sprintf("%g", celsius(x.Bin))
		}
		if x.Proposed != 0 {
			proposed = fmt.Sprintf("%.4f", float64(x.Proposed)/1e6)
		}
		if x.Uncertainty > 0 {
			sure = fmt.Sprintf("%.2f %%", float64(x.Uncertainty)/1e4)
		}
		if x.Alarm {
			alarms++
		}
		t.add(string(x.Site), fmt.Sprint(x.Lane), x.To[:min(16, len(x.To))], l.looked(x.Kind), fmt.Sprint(x.N), temperature, fmt.Sprintf("%+.2f %%", float64(x.Off)/1e4), sure, proposed, l.yes(x.Alarm))
	}
	if len(list) > 0 {
		out.table(&t)
	}
	out.line("%s", l.say(fmt.Sprintf("%d 次观察，%d 次告警。系数由人员决定，输入后须重新检定。", looks, alarms),
		fmt.Sprintf("%d looks, %d alarms. A person decides on a factor; an adjusted instrument must be verified anew.", looks, alarms)))
	_, err := w.Write(b.Bytes())
	return errors.Join(out.err, err)
}

func (l *law) looked(k calibration.DriftKind) string {
	switch k {
	case calibration.DriftSteering:
		return l.say("转向轴均值", "steering axles")
	case calibration.DriftSides:
		return l.say("左右比例", "left to right")
	case calibration.DriftMissed:
		return l.say("漏轴与压偏", "missed")
	}
	return string(k)
}
