package modbusscale

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// running is a driver at work.
type running struct {
	t     *testing.T
	scale *Scale

	mu  sync.Mutex
	got []wim.Reading
}

// run starts a driver with the shipped profile, asking often, until the test ends.
func run(t *testing.T, cfg Config) *running {
	t.Helper()
	if cfg.Profile.Name == "" {
		cfg.Profile = shipped(t)
	}
	cfg.Device, cfg.Profile.Poll = "scale-1", conf.Duration(5*time.Millisecond)
	if cfg.Silence == 0 {
		cfg.Silence = 300 * time.Millisecond
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{t: t, scale: s}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- s.Run(ctx, func(x wim.Reading) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.got = append(r.got, x)
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

func (r *running) readings(kinds ...wim.ReadingKind) (out []wim.Reading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.got {
		if slices.Contains(kinds, x.Kind) {
			out = append(out, x)
		}
	}
	return out
}

func (r *running) events() []wim.Reading { return r.readings(wim.AxleReading, wim.VehicleEnd) }

// seqs are the events of a boot in the order in which they were handed on.
func (r *running) seqs(boot uint32) (out []uint32) {
	for _, x := range r.events() {
		if x.Boot == boot {
			out = append(out, x.Seq)
		}
	}
	return out
}

func (r *running) until(what string, cond func() bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !cond() {
		select {
		case <-tick.C:
		case <-limit:
			r.t.Fatalf("waited in vain for %s; health %+v", what, r.scale.Health())
		}
	}
}

func (r *running) untilSeq(boot, seq uint32) {
	r.t.Helper()
	r.until("the newest event", func() bool { s := r.seqs(boot); return len(s) > 0 && s[len(s)-1] == seq })
}

func (r *running) untilDown(reason string) {
	r.t.Helper()
	r.until("the scale to be down: "+reason, func() bool {
		h := r.scale.Health()
		return !h.Up && strings.Contains(h.Reason, reason)
	})
}

func (r *running) untilUp() {
	r.t.Helper()
	r.until("the scale to be up", func() bool { return r.scale.Health().Up })
}

func span(from, to uint32) (out []uint32) {
	for ; from <= to; from++ {
		out = append(out, from)
	}
	return out
}

var anEnd = wim.Reading{Kind: wim.VehicleEnd, Gross: 18000, AxleCount: 2, Speed: 600, Length: 9000}

func (d *device) noteMany(n int) {
	for range n {
		d.Note(anEnd)
	}
}

func TestWhatTheRingHoldsIsReadWhenTheDriverComes(t *testing.T) {
	d := newDevice(t)
	d.noteMany(40) // more than one request holds, and over the ring's end
	r := run(t, Config{Address: d.addr})
	r.untilSeq(d.boot, 40)
	if got := r.seqs(d.boot); !slices.Equal(got, span(1, 40)) {
		t.Errorf("have %v", got)
	}
}

func TestWhatTheRingOverwroteIsAHoleAndTheRestIsWhole(t *testing.T) {
	d := newDevice(t)
	d.noteMany(3)
	r := run(t, Config{Address: d.addr})
	r.untilSeq(d.boot, 3)
	d.Pull()
	d.noteMany(100)
	d.Plug()
	r.untilSeq(d.boot, 103)
	if got := r.seqs(d.boot); !slices.Equal(got, append(span(1, 3), span(40, 103)...)) {
		t.Errorf("have %v", got)
	}
}

func TestAnEventThatIsOverwrittenWhileItIsReadIsNotHandedOn(t *testing.T) {
	d := newDevice(t)
	d.noteMany(7)
	// The slots are answered as they were, whole; by the time the counter is read again the ring has gone
	// round. Events 1 to 7 would be good by their own look.
	d.bend(once(func(_ uint16, regs []uint16) ([]uint16, error) {
		for range 68 {
			d.note(anEnd)
		}
		return regs, nil
	}))
	r := run(t, Config{Address: d.addr})
	r.untilSeq(d.boot, 75)
	if got := r.seqs(d.boot); !slices.Equal(got, span(12, 75)) {
		t.Errorf("have %v", got)
	}
}

func TestASlotInTheMakingIsReadAgain(t *testing.T) {
	d := newDevice(t)
	d.noteMany(3)
	torn := 0
	d.bend(func(addr, _ uint16, regs []uint16) ([]uint16, error) {
		if torn < 1 && addr == 16+16 {
			torn++
			regs[16+15]++ // the tail of event 2
		}
		if torn == 1 && addr == 16+32 {
			torn++
			regs[1]-- // the head of event 2
		}
		return regs, nil
	})
	r := run(t, Config{Address: d.addr})
	r.untilSeq(d.boot, 3)
	if got := r.seqs(d.boot); !slices.Equal(got, span(1, 3)) || r.scale.Health().Bad == 0 {
		t.Errorf("have %v, health %+v", got, r.scale.Health())
	}
}

func TestAnEventThatNeverCountsIsGivenUpAndHoldsUpNoOther(t *testing.T) {
	for _, c := range []struct {
		name string
		bend func(slot []uint16)
	}{
		{"another sequence at its end", func(s []uint16) { s[15]++ }},
		{"a slot that was never written", func(s []uint16) { clear(s) }},
		{"a kind that there is not", func(s []uint16) { s[2] = 3 }},
		{"a mass beyond 31 bits", func(s []uint16) { s[6] = 0x8000 }},
		{"a length beyond 31 bits", func(s []uint16) { s[11] = 0xFFFF }},
		{"more axles than there can be", func(s []uint16) { s[3] = 256 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDevice(t)
			d.noteMany(4)
			d.bend(func(addr, _ uint16, regs []uint16) ([]uint16, error) {
				if i := (16 + 2*16) - int(addr); addr >= 16 && i >= 0 && i < len(regs) {
					c.bend(regs[i : i+16])
				}
				return regs, nil
			})
			r := run(t, Config{Address: d.addr})
			r.untilSeq(d.boot, 4)
			if got := r.seqs(d.boot); !slices.Equal(got, []uint32{1, 3, 4}) || r.scale.Health().Bad != tries {
				t.Errorf("have %v, bad %d", got, r.scale.Health().Bad)
			}
		})
	}
}

// A maker's update may change the order of words, and a person change it back.
func TestWordsThatChangePlacesInventNoEventAndDoubleNone(t *testing.T) {
	swap := func(addr, _ uint16, regs []uint16) ([]uint16, error) {
		pairs := []int{0, 2, 4} // boot, counter, time
		if addr >= 16 {
			pairs = nil
			for slot := 0; slot+16 <= len(regs); slot += 16 {
				pairs = append(pairs, slot, slot+4, slot+6, slot+11, slot+14)
			}
		}
		for _, i := range pairs {
			regs[i], regs[i+1] = regs[i+1], regs[i]
		}
		return regs, nil
	}
	d := newDevice(t)
	d.noteMany(5)
	r := run(t, Config{Address: d.addr})
	r.untilSeq(d.boot, 5)
	beats := len(r.readings(wim.Heartbeat))
	d.bend(swap)
	r.untilDown("word order")
	if got := r.readings(wim.Heartbeat); len(got) > beats {
		for _, h := range got[beats:] {
			if h.Boot != d.boot {
				t.Errorf("a heartbeat of a boot that there is not: %+v", h)
			}
		}
	}
	d.bend(nil)
	r.untilUp()
	d.noteMany(2)
	r.untilSeq(d.boot, 7)
	if got := r.seqs(d.boot); !slices.Equal(got, span(1, 7)) || len(r.events()) != 7 {
		t.Errorf("have %v, %d events in all", got, len(r.events()))
	}
}

func TestALastEventThatIsGivenUpIsToldByAHeartbeat(t *testing.T) {
	d := newDevice(t)
	d.noteMany(2)
	d.bend(func(addr, _ uint16, regs []uint16) ([]uint16, error) {
		if addr >= 16 {
			clear(regs)
		}
		return regs, nil
	})
	r := run(t, Config{Address: d.addr})
	r.until("a heartbeat that says so", func() bool {
		h := r.readings(wim.Heartbeat)
		return len(h) > 0 && h[len(h)-1].Seq == 2
	})
	if len(r.events()) > 0 {
		t.Errorf("have %+v", r.events())
	}
}

// A ring that was cleared and filled anew has the same numbers in the same slots; only the boot tells. The
// answer may hold the slots of before or of after.
func TestARestartInTheMiddleOfAReadMixesNoBoots(t *testing.T) {
	for _, before := range []bool{true, false} {
		t.Run(map[bool]string{true: "the slots of before", false: "the slots of after"}[before], func(t *testing.T) {
			d := newDevice(t)
			old := d.boot
			d.noteMany(5)
			d.bend(once(func(n uint16, regs []uint16) ([]uint16, error) {
				d.boot, d.seq = d.boot+1, 0
				clear(d.reg[:])
				for range 6 {
					d.note(wim.Reading{Kind: wim.AxleReading, Axle: wim.Axle{Index: 1, Load: 7000}})
				}
				if before {
					return regs, nil
				}
				return append([]uint16(nil), d.reg[32:32+n]...), nil
			}))
			r := run(t, Config{Address: d.addr})
			r.untilSeq(old+1, 6)
			if a, b := r.seqs(old), r.seqs(old+1); len(a) != 0 || !slices.Equal(b, span(1, 6)) {
				t.Errorf("of the old boot %v, of the new one %v", a, b)
			}
			if n := len(r.readings(wim.VehicleEnd)); n != 0 {
				t.Errorf("%d vehicle ends, which only the old boot noted", n)
			}
		})
	}
}

func TestARestartIsToldAtOnceAlsoWhenNothingHappensAfterIt(t *testing.T) {
	d := newDevice(t)
	d.noteMany(2)
	still := time.Now() // on this clock no heartbeat is ever due
	r := run(t, Config{Address: d.addr, Now: func() time.Time { return still }})
	r.untilSeq(d.boot, 2)
	r.until("the first heartbeat", func() bool { return len(r.readings(wim.Heartbeat)) == 1 })
	d.Restart()
	r.until("a heartbeat of the new boot", func() bool {
		h := r.readings(wim.Heartbeat)
		return len(h) == 2 && h[1].Boot == 0x0A0B0C0E && h[1].Seq == 0
	})
}

func TestEventsThatAreLongGoneAreNotAskedFor(t *testing.T) {
	d := newDevice(t)
	d.seq = 4_000_000_000
	d.noteMany(64)
	r := run(t, Config{Address: d.addr})
	r.untilSeq(d.boot, 4_000_000_064)
	if got := r.seqs(d.boot); !slices.Equal(got, span(4_000_000_001, 4_000_000_064)) {
		t.Errorf("have %v", got)
	}
}

func TestACounterThatGoesBackWithoutANewBootIsNeverFollowed(t *testing.T) {
	d := newDevice(t)
	d.noteMany(5)
	r := run(t, Config{Address: d.addr})
	r.untilSeq(d.boot, 5)
	d.mu.Lock()
	d.seq = 2
	d.mu.Unlock()
	r.untilDown("went back from 5 to 2 without a new boot")
	d.Restart()
	d.noteMany(1)
	r.untilSeq(0x0A0B0C0E, 1)
	if got := r.seqs(0x0A0B0C0D); !slices.Equal(got, span(1, 5)) {
		t.Errorf("of the old boot %v", got)
	}
}

func TestADriverGoesOnWhereTheSiteStands(t *testing.T) {
	d := newDevice(t)
	d.noteMany(20)
	for _, c := range []struct {
		name   string
		cursor wim.DeviceCursor
		known  bool
		want   []uint32
	}{
		{"a device never seen", wim.DeviceCursor{}, false, span(1, 20)},
		{"in the same boot", wim.DeviceCursor{Boot: d.boot, Seq: 17}, true, span(18, 20)},
		{"in another boot", wim.DeviceCursor{Boot: 9, Seq: 17}, true, span(1, 20)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := run(t, Config{Address: d.addr, After: func() (wim.DeviceCursor, bool) { return c.cursor, c.known }})
			r.untilSeq(d.boot, 20)
			if got := r.seqs(d.boot); !slices.Equal(got, c.want) {
				t.Errorf("have %v", got)
			}
		})
	}
}

func TestAnEventThatWaitedHasTheTimeAtWhichItHappened(t *testing.T) {
	d := newDevice(t)
	ms := uint32(0xFFFFFF00) // the clock goes round while the events wait
	d.clock = func() uint32 { return ms }
	d.Note(anEnd)
	d.mu.Lock()
	ms += 400
	d.mu.Unlock()
	d.Note(anEnd)
	d.mu.Lock()
	ms += 60_000
	d.mu.Unlock()
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	r := run(t, Config{Address: d.addr, Now: func() time.Time { return now }})
	r.untilSeq(d.boot, 2)
	e := r.events()
	if a, b := e[0].Arrival, e[1].Arrival; a != wim.TimeOf(now.Add(-60_400*time.Millisecond)) || b != wim.TimeOf(now.Add(-time.Minute)) {
		t.Errorf("at %s they happened at %s and %s", now, a, b)
	}
}

func TestASitesClockThatIsSetBackHoldsNoEventInTheFuture(t *testing.T) {
	d := newDevice(t)
	var mu sync.Mutex
	back := time.Duration(0)
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(-back)
	}
	r := run(t, Config{Address: d.addr, Now: now})
	d.noteMany(1)
	r.untilSeq(d.boot, 1)
	mu.Lock()
	back = time.Hour
	mu.Unlock()
	d.noteMany(1)
	r.untilSeq(d.boot, 2)
	if e := r.events(); e[1].Arrival.Sub(e[0].Arrival) > -59*time.Minute {
		t.Errorf("events at %s and %s", e[0].Arrival, e[1].Arrival)
	}
	if n := len(r.readings(wim.LinkDown)); n != 0 {
		t.Errorf("the link went down %d times", n)
	}
}

func TestAShortSilenceIsNoLossAndIsNotTold(t *testing.T) {
	d := newDevice(t)
	r := run(t, Config{Address: d.addr, Silence: time.Minute})
	r.untilUp()
	d.Pull()
	d.noteMany(5)
	bad := r.scale.Health().Bad
	r.until("requests that fail", func() bool { return r.scale.Health().Bad > bad })
	d.Plug()
	r.untilSeq(d.boot, 5)
	if n := len(r.readings(wim.LinkDown)); n != 0 || !slices.Equal(r.seqs(d.boot), span(1, 5)) {
		t.Errorf("down %d times, events %v", n, r.seqs(d.boot))
	}
}

func TestAScaleThatIsNotWellIsDownAndItsEventsAreReadAllTheSame(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		bend         func(regs []uint16)
	}{
		{"it does not weigh", "does not weigh (status 0000)", func(regs []uint16) { regs[6] = 0 }},
		{"it reports a fault", "reports a fault (status 0003)", func(regs []uint16) { regs[6] = 3 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDevice(t)
			r := run(t, Config{Address: d.addr})
			r.untilUp()
			d.bend(func(addr, _ uint16, regs []uint16) ([]uint16, error) {
				if addr == 0 {
					c.bend(regs)
				}
				return regs, nil
			})
			d.noteMany(3)
			r.untilDown(c.reason)
			r.untilSeq(d.boot, 3)
			d.bend(nil)
			r.untilUp()
			if up, down := len(r.readings(wim.LinkUp)), len(r.readings(wim.LinkDown)); up != 2 || down != 1 {
				t.Errorf("up %d times, down %d times", up, down)
			}
		})
	}
}

func TestAScaleThatCannotBeReadSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		do           func(d *device)
	}{
		{"another unit", "unit 1: read input registers at 0: modbus exception", func(d *device) { d.unit = 2 }},
		{"a clock that stands still", "its clock stands still at 7", func(d *device) { d.clock = func() uint32 { return 7 } }},
		{"a ring of another length", "its ring has 32 slots, the profile axle-ring-tcp says 64", func(d *device) {
			d.bent = func(addr, _ uint16, regs []uint16) ([]uint16, error) {
				if addr == 0 {
					regs[7] = 32
				}
				return regs, nil
			}
		}},
		{"no boot", "boot 0; check the profile's addresses", func(d *device) { d.boot = 0 }},
		{"slots that it does not have", "read input registers at 32: modbus exception", func(d *device) {
			d.note(anEnd)
			d.bent = func(addr, _ uint16, regs []uint16) ([]uint16, error) {
				if addr >= 16 {
					return nil, modbus.ErrIllegalDataAddress
				}
				return regs, nil
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDevice(t)
			d.mu.Lock()
			c.do(d)
			d.mu.Unlock()
			r := run(t, Config{Address: d.addr})
			r.untilDown(c.reason)
			if n := len(r.events()); n != 0 {
				t.Errorf("%d events", n)
			}
		})
	}
}

// A 16-bit counter at other addresses, low word first, in other units: a profile and no driver.
func narrow(t *testing.T) Profile {
	t.Helper()
	p, err := LoadProfile("narrow.yaml", []byte(`
kind: axle-scale
name: narrow
function: 4
base: 100
words: low-first
max_registers: 32
poll: 5ms
state:
  counter: {at: 0}
  boot: {at: 1, width: 32}
  time: {at: 3, unit: 10ms}
ring: {at: 16, slots: 16, registers: 8}
event:
  sequence: {at: 0}
  kind: {at: 1}
  index: {at: 2}
  time: {at: 3, unit: 10ms}
  mass: {at: 4, unit: kg, scale: 10}
  speed: {at: 5, unit: km/h}
  distance: {at: 6, unit: cm}
  sequence_again: {at: 7}
kinds: {axle: 65, vehicle_end: 69}
`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestASixteenBitCounterGoesRoundWithoutLoss(t *testing.T) {
	d := newDevice(t)
	var mu sync.Mutex
	counter := uint16(65530)
	d.bend(nil)
	table := func(addr, n uint16) []uint16 {
		mu.Lock()
		defer mu.Unlock()
		reg := make([]uint16, 400)
		ticks := uint16(time.Since(d.start).Milliseconds() / 10)
		copy(reg[100:], []uint16{counter, 0x0C0D, 0x0A0B, ticks})
		for i := range uint16(16) {
			seq := counter - i
			copy(reg[116+8*(seq%16):], []uint16{seq, 65, 1, ticks, 700, 80, 150, seq})
		}
		return reg[addr : addr+n]
	}
	addr := raw(t, func(_ int, req []byte) []byte {
		return answer(req, table(binary.BigEndian.Uint16(req[8:]), binary.BigEndian.Uint16(req[10:]))...)
	})
	after := func() (wim.DeviceCursor, bool) { return wim.DeviceCursor{Boot: 0x0A0B0C0D, Seq: 65536 + 65520}, true }
	r := run(t, Config{Address: addr, Profile: narrow(t), After: after})
	const first = 65536 + 65521
	r.untilSeq(0x0A0B0C0D, first+9)
	for range 10 {
		mu.Lock()
		counter += 3
		mu.Unlock()
		seq := uint32(2*65536) + uint32(counter)
		if counter > 60000 {
			seq -= 65536
		}
		r.untilSeq(0x0A0B0C0D, seq)
	}
	if got := r.seqs(0x0A0B0C0D); !slices.Equal(got, span(first, first+39)) {
		t.Errorf("have %v", got)
	}
	want := wim.Axle{Index: 1, Load: 7000, Left: wim.NotMeasured, Right: wim.NotMeasured, Speed: 800, Spacing: 1500}
	if e := r.events()[0]; e.Axle != want {
		t.Errorf("have %+v", e)
	}
}

// raw answers every request on a bare socket; nil means silence.
func raw(t *testing.T, reply func(n int, req []byte) []byte) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	var mu sync.Mutex
	n := 0
	serve := func(c net.Conn) {
		defer c.Close() //nolint:errcheck // the peer may be gone
		for {
			req := make([]byte, 12)
			if _, err := io.ReadFull(c, req); err != nil {
				return
			}
			mu.Lock()
			r := reply(n, req)
			n++
			mu.Unlock()
			if r != nil {
				if _, err := c.Write(r); err != nil {
					return
				}
			}
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String()
}

// answer builds an answer to req.
func answer(req []byte, regs ...uint16) []byte {
	b := append([]byte(nil), req[:8]...)
	b = append(b, byte(2*len(regs)))
	for _, v := range regs {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-6))
	return b
}

// A gateway that is one answer behind puts the right transaction on the wrong answer: the Modbus layer cannot
// see it.
func TestASlaveThatIsOneAnswerBehindIsDetected(t *testing.T) {
	var mu sync.Mutex
	counter := uint16(14)
	var held []uint16
	behind := true
	boot := time.Now()
	addr := raw(t, func(_ int, req []byte) []byte {
		mu.Lock()
		defer mu.Unlock()
		ms := uint16(time.Since(boot).Milliseconds())
		reg := make([]uint16, 16+64*16)
		copy(reg, []uint16{0, 5, 0, counter, 0, ms, 1, 64})
		for seq := uint32(1); seq <= uint32(counter); seq++ {
			copy(reg[16+16*(seq%64):], slotOf(wim.Reading{Kind: wim.VehicleEnd, Seq: seq, Gross: wim.Kg(1000 * seq), AxleCount: 2}))
		}
		at, n := binary.BigEndian.Uint16(req[8:]), binary.BigEndian.Uint16(req[10:])
		now := reg[at : at+n]
		if !behind {
			return answer(req, now...)
		}
		late := held
		held = now
		if late == nil {
			return nil
		}
		return answer(req, late...)
	})
	r := run(t, Config{Address: addr})
	r.until("it to be noticed", func() bool { return r.scale.Health().Bad > 5 })
	mu.Lock()
	behind = false
	mu.Unlock()
	r.untilSeq(5, 14)
	for i, e := range r.events() {
		if e.Seq != uint32(i+1) || e.Gross != wim.Kg(1000*e.Seq) {
			t.Errorf("event %d is %+v", i+1, e)
		}
	}
}

func TestAnAnswerThatComesTooLateIsNeverTakenForTheNext(t *testing.T) {
	d := newDevice(t)
	p := shipped(t)
	p.Timeout = conf.Duration(50 * time.Millisecond)
	slow := 0
	d.bend(func(addr, n uint16, regs []uint16) ([]uint16, error) {
		if slow++; slow%4 == 0 {
			d.mu.Unlock()
			time.Sleep(120 * time.Millisecond)
			d.mu.Lock()
		}
		return regs, nil
	})
	r := run(t, Config{Address: d.addr, Profile: p, Silence: time.Minute})
	for range 5 {
		d.noteMany(3)
		d.mu.Lock()
		seq := d.seq
		d.mu.Unlock()
		r.untilSeq(d.boot, seq)
	}
	if got := r.seqs(d.boot); !slices.Equal(got, span(1, 15)) || r.scale.Health().Bad == 0 {
		t.Errorf("have %v, health %+v", got, r.scale.Health())
	}
}

func TestAScaleThatIsAskedTooOftenIsLeftInPeaceWhileItIsQuiet(t *testing.T) {
	d := newDevice(t)
	r := run(t, Config{Address: d.addr})
	r.until("heartbeats", func() bool { return len(r.readings(wim.Heartbeat)) > 1 })
	d.mu.Lock()
	defer d.mu.Unlock()
	h := r.readings(wim.Heartbeat)
	if gap := h[1].Arrival.Sub(h[0].Arrival); gap < beat {
		t.Errorf("heartbeats %s apart", gap)
	}
}

func TestAConfigurationThatCannotWork(t *testing.T) {
	for _, c := range []struct {
		name, want string
		cfg        Config
	}{
		{"without a device", "a device and an address or a line are needed", Config{Address: "127.0.0.1:502", Profile: shipped(t)}},
		{"without an address", "a device and an address or a line are needed", Config{Device: "x", Profile: shipped(t)}},
		{"without a profile", "profile: kind", Config{Device: "x", Address: "127.0.0.1:502"}},
		{"with a silence that cannot be", "silence of -1s", Config{Device: "x", Address: "127.0.0.1:502", Profile: shipped(t), Silence: -time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
