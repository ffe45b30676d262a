package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/axlegate/axlegate/drivers/strips"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/internal/scoring"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
)

type weighCommand struct {
	File   string `arg:"" type:"existingfile" help:"A stream of samples (docs/samples.md)."`
	Config string `short:"c" required:"" type:"existingfile" help:"Where the strips lie and what they are worth: the keys below strips of a lane's scale, as \"axlegate-sim samples --config\" writes them."`
	Truth  string `short:"t" type:"existingfile" help:"What truly drove past, as \"axlegate-sim samples --truth\" writes it; then a score stands in place of the vehicles."`
	Speed  bool   `help:"Say on standard error how fast it went."`
	language
}

func (weighCommand) Help() string {
	return `Writes one vehicle a line to standard output: axles with loads in kilograms, speeds in 0.1 km/h, distances in
millimetres, flags. Nothing is weighed across samples that are missing: how often that was, and which bytes were passed
over, stands on standard error.

  axlegate-sim samples stream.axs --vehicles 200 --truth truth.ndjson --config strips.yaml
  axlegate weigh stream.axs --config strips.yaml --truth truth.ndjson

What is weighed so is a suspicion at best: our signal processing has no type approval. Figures of simulated strips are
of the simulation.`
}

func (c weighCommand) Run() error {
	var a strips.Array
	if _, err := conf.Load(c.Config, &a); err != nil {
		return err
	}
	if err := a.Validate(); err != nil {
		return fmt.Errorf("%s: %w", c.Config, err)
	}
	l, err := c.law()
	if err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	in := newBar(f)
	if info, err := f.Stat(); err == nil {
		in.size = info.Size()
	}
	began := time.Now()
	var all []wim.Vehicle
	enc := json.NewEncoder(os.Stdout)
	w, err := weigh(in, a, func(v *wim.Vehicle) error {
		if c.Truth == "" {
			return enc.Encode(v)
		}
		all = append(all, v.Clone())
		return nil
	})
	in.done()
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if c.Speed {
		took := time.Since(began).Seconds()
		fmt.Fprintf(os.Stderr, "%d samples in %.2f s, %.0f million a second; %.0f times as fast as they were taken\n", w.samples, took, float64(w.samples)/took/1e6, w.seconds/took)
	}
	if c.Truth != "" {
		x, err := weighScore(c.Truth, all)
		if err != nil {
			return err
		}
		if c.JSON {
			err = writeJSON(os.Stdout, x)
		} else {
			err = l.scored(os.Stdout, x)
		}
		if err != nil {
			return err
		}
	}
	if w.lost > 0 || w.skipped > 0 || !w.ended {
		return fmt.Errorf("%s: blocks are missing at %d places, %d bytes were passed over, the end is there: %v", c.File, w.lost, w.skipped, w.ended)
	}
	return nil
}

// weighedStream is what a stream was.
type weighedStream struct {
	samples int64 // of all strips
	seconds float64
	lost    int
	skipped uint64
	ended   bool
}

// weigh hands every vehicle of a stream on.
func weigh(in io.Reader, a strips.Array, take func(*wim.Vehicle) error) (out weighedStream, err error) {
	r, w := strips.NewReader(in), strips.NewWeigher(a, 0)
	asm := wim.NewAssembler(wim.AssemblerConfig{Lane: 1, Wait: 20 * time.Second, Acceleration: strips.Acceleration})
	var readings []wim.Reading
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			out.skipped = r.Skipped
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if readings, err = w.Take(&b, readings[:0]); err != nil {
			return out, err
		}
		for _, s := range b.Samples {
			out.samples += int64(len(s))
		}
		if len(b.Samples) > 0 {
			out.seconds += float64(len(b.Samples[0])) / w.Header().Rate
		}
		if b.Lost {
			out.lost++
		}
		out.ended = b.End
		begin := wim.TimeOf(w.Header().Begin)
		for i := range readings {
			readings[i].Arrival = begin + wim.Time(readings[i].DeviceTime)
			if v, done := asm.Push(readings[i]); done {
				if err := take(&v); err != nil {
					return out, err
				}
			}
		}
	}
}

// nearTruth is how far a weighed vehicle may lie from the true one, by its first axle.
const nearTruth = wim.Time(time.Second)

// weighScore holds weighed vehicles against the truth, by time: each true one has the nearest.
func weighScore(path string, all []wim.Vehicle) (*scoring.Result, error) {
	scorer, err := accuracy.New(accuracy.Config{Plan: "R2", Environment: "I"})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b wim.Vehicle) int { return cmp.Compare(a.Start, b.Start) })
	used := make([]bool, len(all))
	vehicles := 0
	err = fromFile(path, func(name string, in io.Reader) error {
		_, err := eachLine(name, in, os.Stderr, func(_ int, line []byte) error {
			t, err := accuracy.ParseTruth(line)
			if err != nil || t == nil {
				return err
			}
			vehicles++
			at := wim.TimeOf(t.Start)
			best := -1
			from, _ := slices.BinarySearchFunc(all, at-nearTruth, func(v wim.Vehicle, at wim.Time) int { return cmp.Compare(v.Start, at) })
			for i := from; i < len(all) && all[i].Start <= at+nearTruth; i++ {
				if !used[i] && (best < 0 || max(all[i].Start-at, at-all[i].Start) < max(all[best].Start-at, at-all[best].Start)) {
					best = i
				}
			}
			if best < 0 {
				scorer.Missed(t, nil)
				return nil
			}
			used[best] = true
			scorer.Passage(t, &all[best], nil)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	if vehicles == 0 {
		return nil, fmt.Errorf("%s: no vehicle in it", path)
	}
	for _, u := range used {
		if !u {
			scorer.False()
		}
	}
	report, err := scorer.Report()
	return &scoring.Result{Report: report}, err
}
