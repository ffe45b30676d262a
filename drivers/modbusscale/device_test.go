package modbusscale

import (
	"sync"
	"testing"
	"time"

	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/wim"
)

// device is the other end, written from docs/devices/axle-ring.md for these tests alone, on another maker's
// server. Its registers are a plain table.
type device struct {
	t    testing.TB
	addr string
	srv  *modbus.ModbusServer

	mu    sync.Mutex // owns what follows
	boot  uint32
	seq   uint32
	start time.Time
	clock func() uint32 // nil: the real one
	reg   [16 + 64*16]uint16
	unit  uint8
	asked int
	// bent is called with every request before it is answered, with mu held; what it returns is answered.
	bent func(addr, n uint16, regs []uint16) ([]uint16, error)
}

func newDevice(t testing.TB) *device {
	t.Helper()
	addr, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := &device{t: t, addr: addr, boot: 0x0A0B0C0D, start: time.Now(), unit: 1}
	d.Plug()
	t.Cleanup(d.Pull)
	return d
}

func (d *device) Plug() {
	d.t.Helper()
	var err error
	d.srv, err = modbus.NewServer(&modbus.ServerConfiguration{URL: "tcp://" + d.addr, MaxClients: 64}, d)
	if err == nil {
		err = d.srv.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *device) Pull() {
	if d.srv != nil {
		d.srv.Stop() //nolint:errcheck // a cable does not say goodbye
		d.srv = nil
	}
}

func (d *device) Restart() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.boot, d.seq, d.start = d.boot+1, 0, time.Now()
	clear(d.reg[:])
}

// Disturb lets the next request of slots meet a slot in the making.
func (d *device) Disturb() {
	d.bend(once(func(n uint16, regs []uint16) ([]uint16, error) {
		regs[n-1] ^= 1
		return regs, nil
	}))
}

func (d *device) Note(r wim.Reading) wim.Reading {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.note(r)
}

func (d *device) note(r wim.Reading) wim.Reading {
	d.seq++
	ms := d.now()
	r.Boot, r.Seq, r.DeviceTime = d.boot, d.seq, int64(ms)*1_000_000
	copy(d.reg[16+16*(d.seq%64):], slotOf(r))
	return r
}

func (d *device) now() uint32 {
	if d.clock != nil {
		return d.clock()
	}
	return uint32(time.Since(d.start).Milliseconds())
}

func (d *device) bend(f func(addr, n uint16, regs []uint16) ([]uint16, error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bent = f
}

// once bends the first answer that holds slots.
func once(f func(n uint16, regs []uint16) ([]uint16, error)) func(addr, n uint16, regs []uint16) ([]uint16, error) {
	done := false
	return func(addr, n uint16, regs []uint16) ([]uint16, error) {
		if addr < 16 || done {
			return regs, nil
		}
		done = true
		return f(n, regs)
	}
}

func (d *device) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if r.UnitId != d.unit {
		return nil, modbus.ErrGWTargetFailedToRespond
	}
	if int(r.Addr)+int(r.Quantity) > len(d.reg) {
		return nil, modbus.ErrIllegalDataAddress
	}
	ms := d.now()
	copy(d.reg[:], []uint16{uint16(d.boot >> 16), uint16(d.boot), uint16(d.seq >> 16), uint16(d.seq), uint16(ms >> 16), uint16(ms), 1, 64})
	regs := append([]uint16(nil), d.reg[r.Addr:r.Addr+r.Quantity]...)
	if d.bent != nil {
		return d.bent(r.Addr, r.Quantity, regs)
	}
	return regs, nil
}

func (d *device) HandleCoils(*modbus.CoilsRequest) ([]bool, error) {
	return nil, modbus.ErrIllegalFunction
}
func (d *device) HandleDiscreteInputs(*modbus.DiscreteInputsRequest) ([]bool, error) {
	return nil, modbus.ErrIllegalFunction
}
func (d *device) HandleHoldingRegisters(*modbus.HoldingRegistersRequest) ([]uint16, error) {
	return nil, modbus.ErrIllegalFunction
}

// slotOf writes a reading as the page has it.
func slotOf(r wim.Reading) []uint16 {
	wheel := func(k wim.Kg) uint16 {
		if k == wim.NotMeasured {
			return 0xFFFF
		}
		return uint16(k)
	}
	flags := func(f wim.Flag) (v uint16) {
		for bit, g := range []wim.Flag{wim.OffScale, wim.Straddling, wim.SpeedOutOfRange, wim.Acceleration, wim.Tailgating, wim.MissedAxle, wim.OverCapacity, wim.Reverse} {
			if f.Has(g) {
				v |= 1 << bit
			}
		}
		return v
	}
	high := func(v int64) uint16 { return uint16(v >> 16) }
	ms, seq := r.DeviceTime/1_000_000, int64(r.Seq)
	s := []uint16{high(seq), uint16(seq), 0, 0, high(ms), uint16(ms), 0, 0, 0xFFFF, 0xFFFF, 0, 0, 0, 0, high(seq), uint16(seq)}
	if r.Kind == wim.AxleReading {
		a := r.Axle
		copy(s[2:], []uint16{1, uint16(a.Index)})
		copy(s[6:], []uint16{high(int64(a.Load)), uint16(a.Load), wheel(a.Left), wheel(a.Right), uint16(a.Speed), high(int64(a.Spacing)), uint16(a.Spacing), flags(a.Flags)})
		return s
	}
	copy(s[2:], []uint16{2, uint16(r.AxleCount)})
	copy(s[6:], []uint16{high(int64(r.Gross)), uint16(r.Gross), 0xFFFF, 0xFFFF, uint16(r.Speed), high(int64(r.Length)), uint16(r.Length), flags(r.Flags)})
	return s
}

// shipped is the profile that ships.
func shipped(t testing.TB) Profile {
	t.Helper()
	b, err := configs.Device("axle-ring-tcp")
	if err != nil {
		t.Fatal(err)
	}
	p, err := LoadProfile("axle-ring-tcp", b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
