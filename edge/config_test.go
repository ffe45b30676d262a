package edge

import (
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

func TestASiteThatCannotWorkIsRefusedWithItsReason(t *testing.T) {
	scale := &fakeScale{}
	for says, change := range map[string]func(*Config){
		"site":                  func(c *Config) { c.Site = "No Site" },
		"a journal is needed":   func(c *Config) { c.Journal = nil },
		"axlegate keys new":     func(c *Config) { c.Signer = nil },
		"no receipt can be":     nil,
		"a link":                func(c *Config) { c.Link = nil },
		"a rule set":            func(c *Config) { c.Rules = nil },
		"at least one lane":     func(c *Config) { c.Lanes = nil },
		"lane 0":                func(c *Config) { c.Lanes[0].Lane = 0 },
		"named twice":           func(c *Config) { c.Lanes = append(c.Lanes, c.Lanes[0]) },
		`purpose "fun"`:         func(c *Config) { c.Lanes[0].Purpose = "fun" },
		"a scale with a device": func(c *Config) { c.Lanes[0].Scale = nil },
		"a camera needs":        func(c *Config) { c.Lanes[0].Cameras = []CameraConfig{{Device: "cam"}} },
		"the sign needs":        func(c *Config) { c.Lanes[0].Sign, c.Lanes[0].SignDevice = &fakeSign{}, "" },
		`device "scale-1" is named twice`: func(c *Config) {
			c.Lanes = append(c.Lanes, LaneConfig{Lane: 2, Device: "scale-1", Scale: scale})
		},
	} {
		t.Run(says, func(t *testing.T) {
			r := newRig(t)
			cfg := Config{Site: testSite, Journal: &journal.Journal{}, Signer: r.signer, Link: r.center, Rules: testJudge{},
				CenterKeys: []*seal.Verifier{r.center.key.Verifier()}, Lanes: []LaneConfig{{Lane: 1, Device: "scale-1", Scale: scale}}}
			if change == nil {
				cfg.CenterKeys = nil
			} else {
				change(&cfg)
			}
			if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%v does not say %q", err, says)
			}
		})
	}
}

func TestTheSystemClockIsAskedAndNeverGuessed(t *testing.T) {
	switch got := SystemClock(); got {
	case wim.ClockSynchronised, wim.ClockUnsynchronised, wim.ClockUnknown:
	default:
		t.Errorf("%q", got)
	}
}

func TestASiteRunsOnce(t *testing.T) {
	r := newRig(t)
	r.start()
	if err := r.site.Run(t.Context()); err == nil {
		t.Error("it ran twice")
	}
}

func TestAQueueThatIsFullDropsReadingsIntoAGapAndSendsPlatesBack(t *testing.T) {
	r := newRig(t)
	stall := make(chan struct{})
	r.change = func(c *Config) {
		c.Rules = stallingJudge{stall}
		c.Lanes[0].Assembler.Wait = 50 * time.Millisecond // a vehicle whose end was dropped waits no longer
	}
	r.start()
	v := r.scale.vehicle(2, 9000)
	r.push(v...) // the lane stands still inside Judge
	lane := r.site.lanes[0]
	eventually(t, "the lane stands still", func() bool { return len(lane.readings) == 0 })
	ends := [][2]uint32{{7, r.scale.seq}}
	for range readingQueue/3 + 40 {
		r.push(r.scale.vehicle(2, 9000)...)
		ends = append(ends, [2]uint32{7, r.scale.seq})
	}
	taken := 0
	for range plateQueue + 5 {
		if r.camera.read(front("", ""), nil) {
			taken++
		}
	}
	if taken != plateQueue {
		t.Errorf("%d plates were taken into a queue of %d", taken, plateQueue)
	}
	if n := counted(t, r.site, "axlegate_edge_readings_dropped_total"); n == 0 {
		t.Error("nothing was dropped")
	}
	close(stall)
	r.push(r.scale.heartbeat())
	eventually(t, "all is taken in", func() bool {
		if len(lane.readings) == 0 {
			r.push(r.scale.heartbeat())
		}
		c, _ := r.journal.Cursor("scale-1")
		return c.Seq == r.scale.seq
	})
	r.covered(ends)
}

// stallingJudge waits before it judges.
type stallingJudge struct{ until <-chan struct{} }

func (j stallingJudge) Judge(f *wim.Facts, v *wim.Verdict) {
	<-j.until
	testJudge{}.Judge(f, v)
}
