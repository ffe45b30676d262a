package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// Checkpoint is a static scale beside the road whose computer pushes its weighings, by the open record of docs/devices/toll.md.
type Checkpoint struct {
	Name string `yaml:"name"`
	Push string `yaml:"push"` // the address that it pushes to
	// Share is how many of a thousand vehicles are led in and weighed; 0 means 250.
	Share wim.Permille `yaml:"share_permille"`
	// After is how long after its passage a vehicle is weighed; 0 means 2s.
	After conf.Duration `yaml:"after"`
	// Misread is how many of a thousand plates are keyed with a look-alike, Repeated how many weighings are pushed twice.
	Misread  wim.Permille `yaml:"misread_permille"`
	Repeated wim.Permille `yaml:"repeated_permille"`
}

// checkpointWaits bounds the weighings that wait to be pushed.
const checkpointWaits = 1024

func (s *Scenario) validateCheckpoints() error {
	seen := map[string]bool{}
	for i := range s.Checkpoints {
		c := &s.Checkpoints[i]
		if c.Name == "" || seen[c.Name] {
			return fmt.Errorf("checkpoints[%d].name: %q is empty or used twice", i, c.Name)
		}
		seen[c.Name] = true
		if u, err := url.Parse(c.Push); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("checkpoints[%d].push: %q is no address to push to; write it as http://127.0.0.1:9105/secret", i, c.Push)
		}
		for key, p := range map[string]wim.Permille{"share_permille": c.Share, "misread_permille": c.Misread, "repeated_permille": c.Repeated} {
			if p < 0 || p > 1000 {
				return fmt.Errorf("checkpoints[%d].%s: %d, want 0 to 1000", i, key, p)
			}
		}
		if c.Share == 0 {
			c.Share = 250
		}
		if c.After == 0 {
			c.After = conf.Duration(2 * time.Second)
		}
		if c.After < 0 {
			return fmt.Errorf("checkpoints[%d].after: it cannot be negative", i)
		}
	}
	return nil
}

// Told is a line of truth: what a checkpoint pushed of a vehicle, Plate as it was keyed.
type Told struct {
	Event  string     `json:"event"` // "weighed"
	Site   wim.SiteID `json:"site"`
	System string     `json:"system"`
	ID     string     `json:"id"`
	At     time.Time  `json:"at"`
	Plate  string     `json:"plate"`
	Gross  wim.Kg     `json:"gross_kg"`
	Axles  int        `json:"axle_count"`
	// Lane, Boot and EndSeq name the vehicle's passage.
	Lane   wim.LaneID `json:"of_lane"`
	Boot   uint32     `json:"of_boot"`
	EndSeq uint32     `json:"of_end_seq"`
}

type simCheckpoint struct {
	Checkpoint

	seed  uint64
	log   *slog.Logger
	queue chan weighed
	open  atomic.Int64 // weighings that were not taken yet
}

type weighed struct {
	told  Told
	due   time.Time
	color string
	times int
}

// passed decides whether the vehicle is led in. Chance depends on the vehicle alone, so that lanes need not take turns.
func (c *simCheckpoint) passed(t *Truth, n int) {
	r := stream(c.seed, uint64(t.Lane)<<32|uint64(n)) //nolint:gosec // vehicles are counted from 0
	if wim.Permille(r.IntN(1000)) >= c.Share {        //nolint:gosec // below 1000
		return
	}
	w := weighed{told: Told{
		Event: "weighed", Site: t.Site, System: c.Name, ID: fmt.Sprintf("%s-%d-%08x-%d", c.Name, t.Lane, t.Boot, n), At: time.Now().Add(c.After.Std()).UTC().Truncate(time.Millisecond),
		Plate: t.Plates.Front, Gross: round(t.Gross, 20), Axles: len(t.Axles), Lane: t.Lane, Boot: t.Boot, EndSeq: t.EndSeq,
	}, due: time.Now().Add(c.After.Std()), color: plateColor(t.Plates.Front), times: 1}
	if r.IntN(1000) < int(c.Misread) {
		w.told.Plate = lookAlike(w.told.Plate)
	}
	if r.IntN(1000) < int(c.Repeated) {
		w.times = 2
	}
	select {
	case c.queue <- w:
		c.open.Add(1)
	default:
		c.log.Warn("a checkpoint has too many weighings that nobody takes, one is lost", "checkpoint", c.Name)
	}
}

// lookAlike keys one character as another that looks like it, the plate itself where none does.
func lookAlike(plate string) string {
	r := []rune(plate)
	for i := len(r) - 1; i > 1; i-- {
		switch r[i] {
		case '0':
			r[i] = 'D'
		case '8':
			r[i] = 'B'
		case 'B':
			r[i] = '8'
		case '5':
			r[i] = 'S'
		case '2':
			r[i] = 'Z'
		default:
			continue
		}
		break
	}
	return string(r)
}

// run pushes weighings in order, each until it is taken.
func (c *simCheckpoint) run(ctx context.Context, truth *truthLog) error {
	for {
		var w weighed
		select {
		case <-ctx.Done():
			return nil
		case w = <-c.queue:
		}
		if !wait(ctx, time.Until(w.due)) {
			return nil
		}
		body, err := json.Marshal(map[string]any{
			"id": w.told.ID, "type": "static-weighing", "time": w.told.At.Format(time.RFC3339Nano), "plate": w.told.Plate, "plate_color": w.color,
			"gross_kg": w.told.Gross, "axle_count": w.told.Axles, "ticket": w.told.ID, "scale": "simulated static scale",
		})
		if err != nil {
			return err
		}
		truth.write(w.told)
		for range w.times {
			if !c.insist(ctx, body) {
				return nil
			}
		}
		c.open.Add(-1)
	}
}

// insist pushes until the site takes it; false means that ctx ended. What is refused for good is given up.
func (c *simCheckpoint) insist(ctx context.Context, body []byte) bool {
	for {
		code, answer, err := c.post(ctx, body)
		switch {
		case ctx.Err() != nil:
			return false
		case err == nil && code/100 == 2:
			return true
		case err == nil && code/100 == 4:
			c.log.Warn("a weighing is refused", "checkpoint", c.Name, "status", code, "answer", answer)
			return true
		}
		if !wait(ctx, 300*time.Millisecond) {
			return false
		}
	}
}

func (c *simCheckpoint) post(ctx context.Context, body []byte) (code int, answer string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Push, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close() //nolint:errcheck // read as far as it is wanted
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	return res.StatusCode, string(text), err
}
