package indicator

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/internal/pty"

	"github.com/axlegate/axlegate/configs"
	rtu "github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/wim"
)

// instrument is a Modbus server of another maker with registers that a test sets.
type instrument struct {
	mu      sync.Mutex
	reg     map[uint16]uint16
	beat    uint16 // counts up with every request when it is not 0
	refuse  bool
	only    *uint8 // the one unit that is answered, nil for every one
	written []uint16
}

func (s *instrument) set(at uint16, values ...uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reg == nil {
		s.reg = map[uint16]uint16{}
	}
	for i, v := range values {
		s.reg[at+uint16(i)] = v
	}
}

func (s *instrument) registers(addr, n uint16) ([]uint16, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse {
		return nil, modbus.ErrServerDeviceBusy
	}
	if s.beat != 0 {
		s.reg[s.beat]++
	}
	out := make([]uint16, n)
	for i := range out {
		out[i] = s.reg[addr+uint16(i)]
	}
	return out, nil
}

func (s *instrument) HandleHoldingRegisters(r *modbus.HoldingRegistersRequest) ([]uint16, error) {
	if r.IsWrite {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.written = append(s.written, r.Addr)
		s.written = append(s.written, r.Args...)
		return r.Args, nil
	}
	if s.only != nil && r.UnitId != *s.only {
		return nil, modbus.ErrGWTargetFailedToRespond
	}
	return s.registers(r.Addr, r.Quantity)
}
func (s *instrument) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	return s.registers(r.Addr+10000, r.Quantity)
}
func (s *instrument) HandleCoils(*modbus.CoilsRequest) ([]bool, error) {
	return nil, modbus.ErrIllegalFunction
}
func (s *instrument) HandleDiscreteInputs(*modbus.DiscreteInputsRequest) ([]bool, error) {
	return nil, modbus.ErrIllegalFunction
}

// listen serves the instrument on Modbus TCP.
func (s *instrument) listen(t *testing.T) (addr string) {
	t.Helper()
	addr, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	srv, err := modbus.NewServer(&modbus.ServerConfiguration{URL: "tcp://" + addr}, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop() }) //nolint:errcheck // the test is over
	return addr
}

// line serves the instrument's holding registers on a pseudo-terminal, in RTU frames.
func (s *instrument) line(t *testing.T) (path string) {
	t.Helper()
	m, sl, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "line")
	if err := os.Symlink(sl.Name(), path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sl.Close() //nolint:errcheck // a cable does not say goodbye
		m.Close()  //nolint:errcheck // likewise
	})
	go func() {
		var buf []byte
		piece := make([]byte, 256)
		for {
			n, err := m.Read(piece)
			if err != nil {
				return
			}
			if buf = append(buf, piece[:n]...); len(buf) < 8 {
				continue
			}
			regs, err := s.registers(binary.BigEndian.Uint16(buf[2:]), binary.BigEndian.Uint16(buf[4:]))
			out := []byte{buf[0], buf[1] | 0x80, 2}
			if err == nil {
				out = []byte{buf[0], buf[1], byte(2 * len(regs))}
				for _, v := range regs {
					out = binary.BigEndian.AppendUint16(out, v)
				}
			}
			buf = buf[:0]
			if _, err := m.Write(binary.LittleEndian.AppendUint16(out, crc(out))); err != nil {
				return
			}
		}
	}()
	return path
}

// crc is CRC-16/MODBUS.
func crc(p []byte) uint16 {
	c := uint16(0xFFFF)
	for _, x := range p {
		c ^= uint16(x)
		for range 8 {
			odd := c&1 == 1
			if c >>= 1; odd {
				c ^= 0xA001
			}
		}
	}
	return c
}

func shipped(t *testing.T, name string) Profile {
	t.Helper()
	y, err := configs.Device(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := LoadProfile(name+".yaml", y)
	if err != nil {
		t.Fatal(err)
	}
	p.Poll = conf.Duration(2 * time.Millisecond)
	return p
}

// run drives an instrument until the test ends.
func run(t *testing.T, cfg Config) (d *Indicator, got <-chan wim.Indication) {
	t.Helper()
	cfg.Device = "bridge-1"
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context()) // stopped before what it reads from
	out, ended := make(chan wim.Indication), make(chan error, 1)
	go func() {
		ended <- d.Run(ctx, func(in wim.Indication) {
			select {
			case out <- in:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return d, out
}

// wait takes indications until one is as wanted.
func wait(t *testing.T, got <-chan wim.Indication, what string, good func(wim.Indication) bool) wim.Indication {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case in := <-got:
			if good(in) {
				return in
			}
		case <-limit:
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

// down waits until the instrument is told to be down, and for what reason.
func down(t *testing.T, d *Indicator, got <-chan wim.Indication, reason string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if h := d.Health(); !h.Up && strings.Contains(h.Reason, reason) {
			return
		}
		select {
		case <-got:
		case <-tick.C:
		case <-limit:
			t.Fatalf("%+v, want %q", d.Health(), reason)
		}
	}
}

func TestAnInstrumentIsReadOverBothKindsOfWire(t *testing.T) {
	for _, wire := range []string{"TCP", "a serial line"} {
		t.Run(wire, func(t *testing.T) {
			s := &instrument{}
			s.set(6, 1<<11, 0, 38460, 0, 24000)
			cfg := Config{Profile: shipped(t, "indicator-laumas-tlb")}
			if wire == "TCP" {
				cfg.Address = s.listen(t)
			} else {
				cfg.Line, cfg.Baud, cfg.Parity = s.line(t), 115200, "none"
			}
			d, got := run(t, cfg)
			in := wait(t, got, "the first indication", func(wim.Indication) bool { return true })
			if in.Gross != 38460 || in.Net != 24000 || !in.Tells.Has(wim.TellsGross|wim.TellsNet) || in.Tells.Has(wim.TellsTare) || in.State != wim.Stable || in.Arrival == 0 {
				t.Errorf("%+v", in)
			}
			if h := d.Health(); !h.Up || h.Messages == 0 || h.Reconnects != 1 {
				t.Errorf("%+v", h)
			}
			s.set(6, 0, 0, 38480)
			wait(t, got, "the load that moves", func(in wim.Indication) bool { return in.Gross == 38480 && !in.State.Has(wim.Stable) })
			s.set(6, 1<<2)
			wait(t, got, "the overload", func(in wim.Indication) bool { return in.State.Has(wim.Overload) && in.Tells == 0 })
		})
	}
}

func TestAnInstrumentThatRefusesIsDownAndComesBack(t *testing.T) {
	s := &instrument{}
	s.set(6, 0, 0, 38460, 0, 24000)
	d, got := run(t, Config{Address: s.listen(t), Profile: shipped(t, "indicator-laumas-tlb"), Silence: 50 * time.Millisecond})
	wait(t, got, "the first indication", func(wim.Indication) bool { return true })
	s.mu.Lock()
	s.refuse = true
	s.mu.Unlock()
	down(t, d, got, "exception 6")
	s.mu.Lock()
	s.refuse = false
	s.mu.Unlock()
	wait(t, got, "the instrument again", func(wim.Indication) bool { return d.Health().Reconnects == 2 })
}

func TestAnInstrumentWhoseHeartbeatStandsStillIsDown(t *testing.T) {
	for _, at := range []uint16{8, 9000} {
		s := &instrument{beat: at}
		s.set(6, 0, 0, 38460, 0, 24000)
		p := shipped(t, "indicator-laumas-tlb")
		p.Heartbeat = &Register{At: at, Type: "uint32"}
		if at == 8 {
			s.beat = 12 // between two requests; the profile looks at 12, 13
			p.Heartbeat.At = 11
		} else {
			s.beat = at + 1
		}
		d, got := run(t, Config{Address: s.listen(t), Profile: p, Silence: 50 * time.Millisecond})
		wait(t, got, "the first indication", func(wim.Indication) bool { return true })
		wait(t, got, "a later one", func(wim.Indication) bool { return d.Health().Messages > 5 })
		s.mu.Lock()
		s.beat = 0
		s.mu.Unlock()
		down(t, d, got, "heartbeat stands still")
	}
}

func TestAValueThatIsNoWeightIsCountedAndNotHandedOn(t *testing.T) {
	s := &instrument{}
	p := shipped(t, "indicator-laumas-tlb")
	p.Expect = []Expected{{Bits: Bits{At: 13, Width: 16}, Is: 6}}
	s.set(6, 0, 0, 38460, 0, 24000, 0, 0, 7)
	d, got := run(t, Config{Address: s.listen(t), Profile: p})
	down(t, d, got, "register 13 has 7 and not 6")
	if h := d.Health(); h.Bad == 0 || h.Messages != 0 {
		t.Errorf("%+v", h)
	}
	s.set(13, 6)
	wait(t, got, "the right instrument", func(in wim.Indication) bool { return in.Gross == 38460 })
}

func TestOnlyWhatIsAskedForIsWritten(t *testing.T) {
	s := &instrument{}
	p := shipped(t, "indicator-laumas-tlb")
	p.Commands.Tare = &Command{At: 5, Values: []uint16{1 << 12}, Then: []uint16{0}}
	d, err := New(Config{Device: "bridge-1", Address: s.listen(t), Profile: p})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Zero(t.Context()); !errors.Is(err, ErrNoCommand) {
		t.Errorf("a command without a register: %v", err)
	}
	if len(s.written) != 0 {
		t.Errorf("written unasked: %v", s.written)
	}
	if err := d.Tare(t.Context()); err != nil || !slices.Equal(s.written, []uint16{5, 1 << 12, 5, 0}) {
		t.Errorf("%v, %v", s.written, err)
	}
}

func TestTheUnitIsTheProfilesOnTCPAndOneOtherwise(t *testing.T) {
	for _, c := range []struct {
		profile string
		asked   uint8 // by the configuration
		want    uint8
	}{
		{"indicator-laumas-tlb", 0, 1}, {"indicator-laumas-tlb", 7, 7},
		{"indicator-hbm-wtx", 0, 0}, {"indicator-pavone-jbx8", 0, 255}, {"indicator-pavone-jbx8", 3, 3},
	} {
		s := &instrument{only: &c.want}
		d, err := New(Config{Device: "bridge-1", Address: s.listen(t), Unit: c.asked, Profile: shipped(t, c.profile)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Read(t.Context()); err != nil {
			t.Errorf("%s, unit %d: %v", c.profile, c.asked, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestInstrumentsShareALine(t *testing.T) {
	s := &instrument{}
	s.set(6, 1<<11, 0, 38460, 0, 24000)
	b, err := rtu.NewBus(rtu.Config{Line: s.line(t), Baud: 115200, Parity: rtu.None})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	for unit := range uint8(3) {
		_, got := run(t, Config{Bus: b, Unit: unit + 1, Profile: shipped(t, "indicator-laumas-tlb")})
		wait(t, got, "an indication", func(in wim.Indication) bool { return in.Gross == 38460 })
	}
}

// The bytes are those of the maker's manual.
func TestTheCommandOfAnFT112IsTheManuals(t *testing.T) {
	s := &instrument{}
	d, err := New(Config{Device: "bridge-1", Address: s.listen(t), Profile: shipped(t, "indicator-flintec-ft112")})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Zero(t.Context()); err != nil || !slices.Equal(s.written, []uint16{0x18, 0, 1}) {
		t.Errorf("%v, %v", s.written, err)
	}
}
