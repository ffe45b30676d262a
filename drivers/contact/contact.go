// Package contact reads a contact: a door's switch, a relay of a power supply, a sensor that tells snow and ice, a camera that finds its
// own glass dirty. It is a file that holds 0 or 1 (/sys/class/gpio/gpio17/value, or what a script of the site writes; the layout of that
// folder is recalled, not read), or an input of a module on Modbus.
//
// A change counts when two looks in a row agree. What cannot be read is not known, and no change.
package contact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/wim"
)

// Config says which contact it is. Exactly one of File and Bus is set.
type Config struct {
	Device   string
	File     string
	Bus      *modbus.Client // of the module
	Input    uint16         // its discrete input, from 0
	Inverted bool           // 0 means that it is so
	Every    time.Duration  // between two looks; 0 means 500 ms
	Now      func() time.Time
}

// Contact is one contact.
type Contact struct {
	cfg Config

	mu     sync.Mutex // owns health
	health wim.DeviceHealth
}

// New prepares a contact; Run reads it.
func New(cfg Config) (*Contact, error) {
	switch {
	case cfg.Device == "" || (cfg.File == "") == (cfg.Bus == nil):
		return nil, errors.New("contact: a device, and one of a file and an input on Modbus, are needed")
	case cfg.Every < 0:
		return nil, fmt.Errorf("contact %s: looked at every %s", cfg.Device, cfg.Every)
	}
	if cfg.Every == 0 {
		cfg.Every = 500 * time.Millisecond
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Contact{cfg: cfg, health: wim.DeviceHealth{Device: cfg.Device, Reason: "the contact was not looked at yet", Since: wim.TimeOf(cfg.Now())}}, nil
}

// Health says whether it can be read. It may be called from any goroutine.
func (c *Contact) Health() wim.DeviceHealth {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.health
}

// Run reads until ctx ends and calls emit with what it finds first and with each change.
func (c *Contact) Run(ctx context.Context, emit func(active bool)) error {
	if c.cfg.Bus != nil {
		defer c.cfg.Bus.Close() //nolint:errcheck // nothing was written
	}
	tick := time.NewTicker(c.cfg.Every)
	defer tick.Stop()
	var last, told bool
	agree, ever := 0, false
	for {
		now, err := c.read(ctx)
		if ctx.Err() != nil {
			return nil
		}
		c.note(err)
		switch {
		case err != nil:
			agree = 0
		case agree > 0 && now == last:
			agree++
		default:
			agree, last = 1, now
		}
		if agree == 2 && (!ever || now != told) {
			ever, told = true, now
			emit(now)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (c *Contact) read(ctx context.Context) (bool, error) {
	if c.cfg.Bus != nil {
		bits, err := c.cfg.Bus.ReadDiscrete(ctx, c.cfg.Input, 1)
		if err != nil {
			return false, err
		}
		return bits[0] != c.cfg.Inverted, nil
	}
	f, err := os.Open(c.cfg.File)
	if err != nil {
		return false, fmt.Errorf("contact: %w; check the pin, and that this program may read it", err)
	}
	defer f.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(io.LimitReader(f, 16))
	if err != nil {
		return false, fmt.Errorf("contact %s: %w", c.cfg.File, err)
	}
	switch strings.TrimSpace(string(b)) {
	case "0":
		return c.cfg.Inverted, nil
	case "1":
		return !c.cfg.Inverted, nil
	}
	return false, fmt.Errorf("contact %s: %q, want 0 or 1", c.cfg.File, b)
}

func (c *Contact) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := &c.health
	if h.Up != (err == nil) {
		h.Since = wim.TimeOf(c.cfg.Now())
		if err == nil {
			h.Reconnects++
		}
	}
	h.Up, h.Reason = err == nil, ""
	if err != nil {
		h.Reason = err.Error()
		h.Bad++
		return
	}
	h.Messages++
}
