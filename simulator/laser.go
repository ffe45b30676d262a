package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// laser is a unit that measures vehicles in front of the scale. Whoever connects hears a line of JSON for each vehicle, by
// docs/devices/dimensions.md, and once a second that it lives.
type laser struct {
	lane     wim.LaneID
	listener net.Listener
	log      *slog.Logger
	rand     *rand.Rand

	mu    sync.Mutex // owns what follows
	hosts map[net.Conn]bool
	n     int
}

func newLaser(ctx context.Context, addr string, lane wim.LaneID, r *rand.Rand, log *slog.Logger) (*laser, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("laser unit: %w", err)
	}
	return &laser{lane: lane, listener: l, log: log, rand: r, hosts: map[net.Conn]bool{}}, nil
}

// outline is a vehicle's true size; a few are higher than any road allows.
func (d *laser) outline(length wim.Mm) (size wim.Dimensions) {
	size = wim.Dimensions{Length: length, Width: wim.Mm(2480 + d.rand.IntN(70)), Height: wim.Mm(2900 + d.rand.IntN(1080))}
	if d.rand.IntN(1000) < 25 {
		size.Height += 1200
	}
	return size
}

// laserLine is what is said of one vehicle.
type laserLine struct {
	ID     string `json:"id"`
	Lane   string `json:"lane"`
	Length wim.Mm `json:"length_mm"`
	Width  wim.Mm `json:"width_mm"`
	Height wim.Mm `json:"height_mm"`
}

// see measures a vehicle, to 3 cm.
func (d *laser) see(is wim.Dimensions) {
	d.mu.Lock()
	d.n++
	noise := func(v wim.Mm) wim.Mm { return v + wim.Mm(clamp(d.rand.NormFloat64(), 3)*10) }
	line := laserLine{ID: fmt.Sprintf("%d-%d", d.lane, d.n), Lane: fmt.Sprint(d.lane), Length: noise(is.Length), Width: noise(is.Width), Height: noise(is.Height)}
	d.mu.Unlock()
	d.say(line)
}

func (d *laser) say(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		d.log.Error("laser unit", "err", err) // numbers and plain text: it cannot be
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.hosts {
		// A host that takes nothing for a second is let go, as a device with little memory does.
		_ = c.SetWriteDeadline(time.Now().Add(time.Second)) // it fails on one that is closed, and so does the write
		if _, err := c.Write(append(b, '\n')); err != nil {
			delete(d.hosts, c)
			c.Close() //nolint:errcheck // it is gone
		}
	}
}

func (d *laser) run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { d.stop() })() //nolint:errcheck // it is stopped once
	go func() {
		for wait(ctx, time.Second) {
			d.say(map[string]bool{"alive": true})
		}
	}()
	for {
		c, err := d.listener.Accept()
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("laser unit: %w", err)
		}
		d.mu.Lock()
		d.hosts[c] = true
		d.mu.Unlock()
	}
}

func (d *laser) stop() error {
	err := d.listener.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.hosts {
		c.Close() //nolint:errcheck // a device that is switched off does not say goodbye
		delete(d.hosts, c)
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
