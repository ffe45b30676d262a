package modbusscale

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/wim"
)

const (
	// beat is how often a scale with nothing new is told to be alive.
	beat = time.Second
	// tries is how often a slot that does not count is read before it is given up.
	tries = 3
)

// Config says which scale stands where.
type Config struct {
	Device  string // its name in cursors, gaps, logs and metrics
	Address string // host:port of Modbus TCP
	// Line is the path of a serial line with Modbus RTU, instead of Address; the scale is alone on it.
	Line    string
	Baud    int           // of the line; 0 means 19200
	Parity  modbus.Parity // of the line; empty means even
	Unit    uint8         // 0 means 1
	Profile Profile
	// Silence is how long a scale may fail to answer, stand still or complain before it is down; 0 means 2 s.
	// Nothing is lost meanwhile as long as the ring holds it.
	Silence time.Duration
	// After says up to which event the device's messages have been taken into account, in this run or before;
	// ok is false for a device never seen. It is asked once. nil means that everything in the ring is handed
	// on, and a 16-bit counter is taken to be in its first round.
	After  func() (c wim.DeviceCursor, ok bool)
	Logger *slog.Logger
	Now    func() time.Time
}

// Validate fills in defaults and says what is wrong.
func (c *Config) Validate() error {
	if c.Device == "" || c.Address == "" && c.Line == "" {
		return errors.New("modbus scale: a device and an address or a line are needed")
	}
	if err := c.Profile.check(); err != nil {
		return fmt.Errorf("modbus scale %s: profile: %w", c.Device, err)
	}
	if c.Silence < 0 {
		return fmt.Errorf("modbus scale %s: silence of %s: want a positive duration, or 0 for 2 s", c.Device, c.Silence)
	}
	if c.Silence == 0 {
		c.Silence = 2 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Scale is one scale with one ring.
type Scale struct {
	cfg    Config
	lay    layout
	client *modbus.Client
	at     string // address or line, for errors
	log    *slog.Logger

	mu     sync.Mutex // owns health and bad
	health wim.DeviceHealth
	bad    uint64 // slots that did not count

	// What follows is Run's own; it outlives one Run, so that a driver that is started again goes on.
	asked bool // After was asked
	boot  uint32
	last  uint32 // last event that was handed on or lost, in 32 bits; 0 for none of this boot
	stuck uint32 // event that did not count at the last try
	tried int    // how often

	// doubtful is set while a boot that claims more events than the ring holds has shown none of them: registers whose words changed
	// places look like one.
	doubtful bool
	former   []place // how far boots of before were read, latest last: one that comes back is gone on with

	up     bool
	heard  time.Time // last poll that was good
	moved  time.Time // when the device's clock was last seen to move
	clock  uint32    // what it said
	beaten time.Time
	newest wim.Time // arrival of the last event: the next is never before it
}

// place is how far the events of a boot were read.
type place struct{ boot, last uint32 }

// New prepares a scale; Run connects.
func New(cfg Config) (*Scale, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c, err := modbus.New(modbus.Config{
		Address: cfg.Address, Line: cfg.Line, Baud: cfg.Baud, Parity: cfg.Parity, Unit: cfg.Unit, Timeout: cfg.Profile.Timeout.Std()})
	if err != nil {
		return nil, err
	}
	return &Scale{
		cfg: cfg, lay: newLayout(cfg.Profile), client: c, at: cmp.Or(cfg.Address, cfg.Line), log: cfg.Logger.With("device", cfg.Device, "at", cmp.Or(cfg.Address, cfg.Line)),
		health: wim.DeviceHealth{Device: cfg.Device, Reason: "the scale was not asked yet", Since: wim.TimeOf(cfg.Now())},
	}, nil
}

// Health says how the scale is. Its messages are events and heartbeats, its bad ones requests that failed
// and slots that did not count. It may be called from any goroutine.
func (s *Scale) Health() wim.DeviceHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.health
	h.Bad = s.bad + s.client.Counts().Errors
	return h
}

// Run reads the scale until ctx ends and calls emit for every reading, in order, from one goroutine. LinkUp
// comes before the first event or heartbeat; a scale that is lost is told once as LinkDown and asked on. Run
// itself fails never.
func (s *Scale) Run(ctx context.Context, emit func(wim.Reading)) error {
	defer s.client.Close() //nolint:errcheck // nothing was written that could be lost
	s.heard, s.moved = s.cfg.Now(), s.cfg.Now()
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		err := s.poll(ctx, emit)
		if ctx.Err() != nil {
			return nil // a request that ends because the driver is stopped is no failure
		}
		s.settle(err, emit)
		t.Reset(s.lay.Poll.Std())
	}
}

// poll takes in what is new. It returns an error when the scale is not as it should be, whatever it had
// handed on before.
func (s *Scale) poll(ctx context.Context, emit func(wim.Reading)) error {
	st, at, err := s.state(ctx)
	if err != nil {
		return err
	}
	for {
		upto, err := s.follow(st)
		if err != nil {
			return err
		}
		if upto == s.last {
			break
		}
		n := uint32(s.lay.Ring.Slots)
		if upto-s.last > n {
			s.log.Warn("the ring has gone round before it was read", "boot", s.boot, "from", s.last+1, "to", upto-n)
			s.last = upto - n
		}
		from := s.last + 1
		addr, rest := s.lay.slot(from)
		count := min(upto-s.last, uint32(s.lay.perRequest), uint32(rest))
		regs, err := s.read(ctx, addr, uint16(int(count)*s.lay.Ring.Registers))
		if err != nil {
			return err
		}
		if st, at, err = s.state(ctx); err != nil {
			return err
		}
		if st.boot != s.boot {
			continue // a ring that was cleared and filled anew has the same numbers in the same slots
		}
		if upto, err = s.follow(st); err != nil {
			return err
		}
		if !s.take(regs, from, count, upto, st, at, emit) {
			break
		}
	}
	if s.doubtful {
		return fmt.Errorf("modbus scale %s: it says that it has started anew (boot %08X) and counts %d events, but none can be read; check the profile's word order and addresses, and what was changed at the scale", s.at, st.boot, st.counter)
	}
	if err := s.lay.ailing(st.status); err != nil {
		return fmt.Errorf("modbus scale %s: %w", s.at, err)
	}
	s.rise(at, emit)
	if now := s.cfg.Now(); now.Sub(s.beaten) >= beat || now.Before(s.beaten) {
		s.beaten = now
		s.count()
		emit(wim.Reading{Kind: wim.Heartbeat, Boot: s.boot, Seq: s.last, DeviceTime: int64(st.time) * s.lay.tick, Arrival: wim.TimeOf(at)})
	}
	return nil
}

// take hands on the events of one request that count, in order. upto is the counter after the request, st
// the state after it and at when it came. It returns false when the next event must be read again later.
func (s *Scale) take(regs []uint16, from, count, upto uint32, st state, at time.Time, emit func(wim.Reading)) bool {
	if wim.TimeOf(at) < s.newest {
		s.newest = 0 // the site's clock was set back
	}
	for i := range count {
		number := from + i
		if upto-number >= uint32(s.lay.Ring.Slots) {
			s.log.Warn("an event was overwritten while it was read", "boot", s.boot, "event", number)
			s.last = number
			continue
		}
		r, ticks, err := s.lay.event(regs[int(i)*s.lay.Ring.Registers:], number)
		if err != nil {
			s.misread()
			if s.stuck != number {
				s.stuck, s.tried = number, 0
			}
			if s.tried++; s.tried < tries {
				return false
			}
			s.log.Warn("an event is given up; it will be missing in the sequence", "boot", s.boot, "event", number, "tries", s.tried, "error", err)
			s.stuck, s.tried, s.last = 0, 0, number
			continue
		}
		s.rise(at, emit)
		r.Boot = s.boot
		r.Arrival = max(wim.TimeOf(at).Add(-s.age(st.time, ticks)), s.newest)
		s.newest, s.last, s.stuck, s.tried, s.doubtful = r.Arrival, number, 0, 0, false
		s.count()
		emit(r)
	}
	return true
}

// age is how long before the device's time now an event happened; 0 for one that has not happened yet.
func (s *Scale) age(now, event uint32) time.Duration {
	d := (now - event) & s.lay.timeMask
	if d > s.lay.timeMask/2 {
		return 0
	}
	return time.Duration(int64(d) * s.lay.tick)
}

// state asks for the state; at is when the answer came.
func (s *Scale) state(ctx context.Context) (st state, at time.Time, err error) {
	regs, err := s.read(ctx, s.lay.first, s.lay.count)
	at = s.cfg.Now()
	if err != nil {
		return st, at, err
	}
	st = s.lay.state(regs)
	switch {
	case st.boot == 0:
		return st, at, fmt.Errorf("modbus scale %s: boot 0; check the profile's addresses and word order, and that the scale has started", s.at)
	case s.lay.State.Slots != nil && st.slots != s.lay.Ring.Slots:
		return st, at, fmt.Errorf("modbus scale %s: its ring has %d slots, the profile %s says %d; correct the profile", s.at, st.slots, s.lay.Name, s.lay.Ring.Slots)
	}
	if st.time != s.clock || st.boot != s.boot || at.Before(s.moved) {
		s.clock, s.moved = st.time, at
	} else if at.Sub(s.moved) > s.cfg.Silence {
		return st, at, fmt.Errorf("modbus scale %s: it answers, but its clock stands still at %d; start it again", s.at, st.time)
	}
	return st, at, nil
}

func (s *Scale) read(ctx context.Context, addr, n uint16) ([]uint16, error) {
	if s.lay.Function == 3 {
		return s.client.ReadHolding(ctx, addr, n)
	}
	return s.client.ReadInput(ctx, addr, n)
}

// follow goes along with a new boot and tells the number of the newest event in 32 bits.
func (s *Scale) follow(st state) (upto uint32, err error) {
	if !s.asked {
		s.asked = true
		if s.cfg.After != nil {
			if c, ok := s.cfg.After(); ok {
				s.boot, s.last = c.Boot, c.Seq
			}
		}
	}
	if st.boot != s.boot {
		s.become(st.boot)
		s.doubtful = st.counter-s.last > uint32(s.lay.Ring.Slots) && s.lay.numberMask == 0xFFFFFFFF
		s.beaten = time.Time{} // a restart is told at once, also when nothing has happened since
	}
	if s.lay.numberMask != 0xFFFFFFFF {
		// What 16 bits tell is how far on it is, short of whole rounds.
		return s.last + (st.counter-s.last)&s.lay.numberMask, nil
	}
	if st.counter < s.last {
		return 0, fmt.Errorf("modbus scale %s: its counter went back from %d to %d without a new boot; start it again, and if that does not help its maker must mend it", s.at, s.last, st.counter)
	}
	return st.counter, nil
}

// become goes over to another boot, and on with it where it was read before.
func (s *Scale) become(boot uint32) {
	const remembered = 8
	if s.boot != 0 && !s.doubtful {
		s.former = append(s.former[max(0, len(s.former)-remembered+1):], place{s.boot, s.last})
	}
	s.boot, s.last, s.stuck, s.tried = boot, 0, 0, 0
	for _, p := range s.former {
		if p.boot == boot {
			s.last = p.last
		}
	}
}

// rise tells once that the scale is there.
func (s *Scale) rise(at time.Time, emit func(wim.Reading)) {
	if s.up {
		return
	}
	s.up = true
	s.beaten = time.Time{}
	s.mu.Lock()
	s.health.Up, s.health.Reason, s.health.Since = true, "", wim.TimeOf(at)
	s.health.Reconnects++
	s.mu.Unlock()
	emit(wim.Reading{Kind: wim.LinkUp, Arrival: wim.TimeOf(at)})
}

// settle draws the consequence of a poll.
func (s *Scale) settle(err error, emit func(wim.Reading)) {
	now := s.cfg.Now()
	if err == nil || now.Before(s.heard) { // the second: the clock was set back; start the watchdog anew
		s.heard = now
		if err == nil {
			return
		}
	}
	lost := s.up && now.Sub(s.heard) > s.cfg.Silence
	s.mu.Lock()
	told := s.health.Reason
	if lost {
		s.health.Since = wim.TimeOf(now)
	}
	if lost || !s.up {
		s.health.Up, s.health.Reason = false, err.Error()
	}
	s.mu.Unlock()
	if lost {
		s.up = false
		emit(wim.Reading{Kind: wim.LinkDown, Arrival: wim.TimeOf(now)})
	}
	if lost || !s.up && told == "" {
		s.log.Warn("scale is down, asked on", "error", err)
	}
}

func (s *Scale) misread() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad++
}

func (s *Scale) count() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health.Messages++
}
