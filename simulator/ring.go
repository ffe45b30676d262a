package simulator

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/wim"
)

// Registers of the ring; docs/devices/axle-ring.md.
const (
	ringState = 8  // registers of the state
	ringAt    = 16 // register of slot 0
	ringSlots = 64
	ringSlot  = 16 // registers of one slot
	ringUnit  = 1
)

// ringScale is an axle scale that keeps its last events in a ring of registers and serves them over Modbus
// TCP. Whatever the host does, it goes on weighing; what the host does not fetch in time is overwritten.
type ringScale struct {
	addr string
	log  *slog.Logger

	mu     sync.Mutex // owns what follows
	server *modbus.ModbusServer
	cut    chan struct{} // closed when the line is pulled: nobody waits for an answer any more
	boot   uint32
	seq    uint32
	start  time.Time
	reg    [ringAt + ringSlots*ringSlot]uint16
	rand   *rand.Rand // for boots and garbage only, apart from the traffic's

	// Faults that strike requests.
	silent  time.Time     // no answer before
	round   uint32        // nor, within that time, before this event; 0 for none
	late    time.Duration // the next answer comes so late
	torn    bool          // the next answer with slots shows one in the making
	rubbish bool          // the next answer with slots is random
	strange time.Time     // until then it answers another unit only
	swapped time.Time     // until then the halves of 32-bit values stand the other way round
}

// newRing serves at addr until pull; port 0 means any free one.
func newRing(ctx context.Context, addr string, r *rand.Rand, log *slog.Logger) (*ringScale, error) {
	for try := 0; ; try++ {
		s := &ringScale{log: log, rand: r}
		s.restart()
		var err error
		if s.addr, err = freeAddr(ctx, addr); err != nil {
			return nil, err
		}
		if err = s.plug(); err == nil {
			return s, nil
		}
		// Somebody may have taken the free port in between.
		if s.addr == addr || try == 8 {
			return nil, err
		}
	}
}

// plug puts the scale on the network, at the same address as before.
func (s *ringScale) plug() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return nil
	}
	srv, err := modbus.NewServer(&modbus.ServerConfiguration{
		URL: "tcp://" + s.addr, Timeout: time.Minute, MaxClients: 64, Logger: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}, s)
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		return fmt.Errorf("scale on %s: %w", s.addr, err)
	}
	s.server, s.cut = srv, make(chan struct{})
	return nil
}

// pull takes it off the network; the scale goes on weighing.
func (s *ringScale) pull() error {
	s.mu.Lock()
	srv := s.server
	s.server = nil
	if srv != nil {
		close(s.cut)
	}
	s.mu.Unlock()
	if srv == nil {
		return nil
	}
	if err := srv.Stop(); err != nil {
		return fmt.Errorf("scale on %s: %w", s.addr, err)
	}
	return nil
}

// restart draws a new boot and clears the ring.
func (s *ringScale) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boot, s.seq, s.start = s.rand.Uint32()|1, 0, time.Now()
	clear(s.reg[:])
	if s.round != 0 { // there is nothing more that could go round
		s.silent, s.round = time.Time{}, 0
	}
}

func (s *ringScale) numbers() (boot, seq uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.boot, s.seq
}

// heartbeat has nothing to do: the clock among the registers is the scale's pulse.
func (s *ringScale) heartbeat() {}

func (s *ringScale) axle(began uint32, index int, a axle, speed wim.DeciKmh, drop bool) message {
	spacing := uint32(a.Spacing)
	return s.note(began, drop, []uint16{1, uint16(index)},
		[]uint16{uint16(uint32(a.Load) >> 16), uint16(a.Load), uint16(a.Left), uint16(a.Right), uint16(speed), uint16(spacing >> 16), uint16(spacing), 0})
}

func (s *ringScale) end(began uint32, p *passage, drop bool) message {
	mass, length := uint32(p.total), uint32(p.length)
	return s.note(began, drop, []uint16{2, uint16(len(p.indicated))},
		[]uint16{uint16(mass >> 16), uint16(mass), 0xFFFF, 0xFFFF, uint16(p.speed), uint16(length >> 16), uint16(length), 0})
}

// note numbers an event of a vehicle that began in a boot, 0 for its first axle, and writes its slot; with
// drop it is numbered only.
func (s *ringScale) note(began uint32, drop bool, what, values []uint16) message {
	s.mu.Lock()
	defer s.mu.Unlock()
	if began != 0 && began != s.boot {
		return message{}
	}
	s.seq++
	if !drop {
		s.write(s.seq, what, values)
	}
	return message{boot: s.boot, seq: s.seq, sent: true, whole: !drop}
}

func (s *ringScale) write(seq uint32, what, values []uint16) {
	slot := s.reg[ringAt+ringSlot*int(seq%ringSlots):][:ringSlot]
	ms := s.clock()
	copy(slot, []uint16{uint16(seq >> 16), uint16(seq)})
	copy(slot[2:], what)
	copy(slot[4:], []uint16{uint16(ms >> 16), uint16(ms)})
	copy(slot[6:], values)
	copy(slot[14:], []uint16{uint16(seq >> 16), uint16(seq)})
}

func (s *ringScale) clock() uint32 { return uint32(time.Since(s.start).Milliseconds()) }

// strike does a fault that hits requests.
func (s *ringScale) strike(k FaultKind, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch k {
	case Garbage:
		s.rubbish = true
	case Silence:
		s.silent, s.round = time.Now().Add(d), 0
	case Overrun:
		s.silent, s.round = time.Now().Add(d), s.seq+ringSlots+1
	case LateReply:
		s.late = d
	case Torn:
		s.torn = true
	case WrongUnit:
		s.strange = time.Now().Add(d)
	case Swapped:
		s.swapped = time.Now().Add(d)
	case DropFrame, Cable, Restart, NoPlate, BadPicture, LatePlate, RepeatEvent, NoPicture, WrongClock, Reboot, HalfFrame, RepeatFrame:
	}
}

// hold keeps a request waiting while the scale is silent or late.
func (s *ringScale) hold() {
	s.mu.Lock()
	late, cut := s.late, s.cut
	s.late = 0
	s.mu.Unlock()
	if late > 0 {
		select {
		case <-cut:
		case <-time.After(late):
		}
	}
	for s.isSilent() {
		select {
		case <-cut:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (s *ringScale) isSilent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.silent) && (s.round == 0 || s.seq < s.round)
}

// HandleInputRegisters tells the state and the ring.
func (s *ringScale) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	s.hold()
	s.mu.Lock()
	defer s.mu.Unlock()
	unit := uint8(ringUnit)
	if time.Now().Before(s.strange) {
		unit++
	}
	if r.UnitId != unit {
		return nil, modbus.ErrGWTargetFailedToRespond
	}
	from, to := int(r.Addr), int(r.Addr)+int(r.Quantity)
	if to > len(s.reg) {
		return nil, modbus.ErrIllegalDataAddress
	}
	ms := s.clock()
	copy(s.reg[:ringState], []uint16{uint16(s.boot >> 16), uint16(s.boot), uint16(s.seq >> 16), uint16(s.seq), uint16(ms >> 16), uint16(ms), 1, ringSlots})
	regs := append([]uint16(nil), s.reg[from:to]...)
	if from >= ringAt {
		s.spoil(regs)
	}
	if time.Now().Before(s.swapped) {
		swap(regs, from)
	}
	return regs, nil
}

// swap changes the halves of 32-bit values in an answer that begins at a register.
func swap(regs []uint16, from int) {
	for i := 0; i+1 < len(regs); i++ {
		at := from + i
		if at >= ringAt {
			at = ringState + (at-ringAt)%ringSlot
		}
		switch at {
		case 0, 2, 4, ringState, ringState + 4, ringState + 6, ringState + 11, ringState + 14: // boot, counter, time; sequence, time, mass, distance, sequence
			regs[i], regs[i+1] = regs[i+1], regs[i]
		}
	}
}

// spoil does to an answer with slots what the faults say.
func (s *ringScale) spoil(regs []uint16) {
	switch {
	case s.rubbish:
		for i := range regs {
			regs[i] = uint16(s.rand.Uint32())
		}
	case s.torn && len(regs) >= ringSlot:
		// The next round's event has begun to fill the last of the slots: its number at the head and at the tail
		// still the old one.
		slot := regs[len(regs)-ringSlot:]
		slot[1] += ringSlots
		slot[7] += 20
	}
	s.rubbish, s.torn = false, false
}

// HandleHoldingRegisters refuses: nothing is ever written.
func (s *ringScale) HandleHoldingRegisters(*modbus.HoldingRegistersRequest) ([]uint16, error) {
	return nil, modbus.ErrIllegalFunction
}

// HandleCoils refuses.
func (s *ringScale) HandleCoils(*modbus.CoilsRequest) ([]bool, error) {
	return nil, modbus.ErrIllegalFunction
}

// HandleDiscreteInputs refuses.
func (s *ringScale) HandleDiscreteInputs(*modbus.DiscreteInputsRequest) ([]bool, error) {
	return nil, modbus.ErrIllegalFunction
}
