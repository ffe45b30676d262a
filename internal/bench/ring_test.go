package bench

import (
	"context"
	"sync"
	"testing"
	"time"

	goburrow "github.com/goburrow/modbus"
	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/drivers/modbusscale"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/wim"
)

// ringDevice is docs/devices/axle-ring.md with one event after the other. It tells when the host could first
// see an event: when the request of the state came whose answer shows it.
type ringDevice struct {
	mu    sync.Mutex
	seq   uint32
	shown uint32    // newest event that the host has seen
	at    time.Time // when
	start time.Time
	reg   [16 + 64*16]uint16
}

func (d *ringDevice) note() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seq++
	hi, lo := uint16(d.seq>>16), uint16(d.seq)
	copy(d.reg[16+16*(d.seq%64):], []uint16{hi, lo, 1, 1, 0, 0, 0, 10100, 5050, 5050, 620, 0, 0, 0, hi, lo})
}

func (d *ringDevice) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	at := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	ms := uint32(time.Since(d.start).Milliseconds())
	copy(d.reg[:], []uint16{0, 7, uint16(d.seq >> 16), uint16(d.seq), uint16(ms >> 16), uint16(ms), 1, 64})
	if r.Addr == 0 && d.shown != d.seq {
		d.shown, d.at = d.seq, at
	}
	return append([]uint16(nil), d.reg[r.Addr:r.Addr+r.Quantity]...), nil
}
func (d *ringDevice) HandleCoils(*modbus.CoilsRequest) ([]bool, error) {
	return nil, modbus.ErrIllegalFunction
}
func (d *ringDevice) HandleDiscreteInputs(*modbus.DiscreteInputsRequest) ([]bool, error) {
	return nil, modbus.ErrIllegalFunction
}
func (d *ringDevice) HandleHoldingRegisters(*modbus.HoldingRegistersRequest) ([]uint16, error) {
	return nil, modbus.ErrIllegalFunction
}

// BenchmarkPollToReading measures from the request whose answer first shows a new event to the reading that
// the driver hands on: the state, the slot, the state again, every check. The peer is one bare request of the
// state to the same server with the same library; the work itself is three, so that a ratio of three is all
// that the line costs. How long an event waits for the next poll comes on top, half a poll on average, and is
// the profile's business.
func BenchmarkPollToReading(b *testing.B) {
	addr, err := freeport.Address(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	dev := &ringDevice{start: time.Now()}
	srv, err := modbus.NewServer(&modbus.ServerConfiguration{URL: "tcp://" + addr}, dev)
	if err != nil {
		b.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		b.Fatal(err)
	}
	defer srv.Stop() //nolint:errcheck // the benchmark is over
	y, err := configs.Device("axle-ring-tcp")
	if err != nil {
		b.Fatal(err)
	}
	p, err := modbusscale.LoadProfile("axle-ring-tcp", y)
	if err != nil {
		b.Fatal(err)
	}
	p.Poll = conf.Duration(time.Millisecond)
	sc, err := modbusscale.New(modbusscale.Config{Device: "scale-1", Address: addr, Profile: p})
	if err != nil {
		b.Fatal(err)
	}
	read := make(chan time.Time, 1)
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() {
		done <- sc.Run(ctx, func(r wim.Reading) {
			if at := time.Now(); r.Kind == wim.AxleReading {
				read <- at
			}
		})
	}()
	var ours spread
	for b.Loop() {
		dev.note()
		at := <-read
		dev.mu.Lock()
		ours.add(at.Sub(dev.at))
		dev.mu.Unlock()
	}
	b.StopTimer()
	cancel()
	if err := <-done; err != nil {
		b.Error(err)
	}
	report(b, ours, bareRequests(b, addr, max(len(ours), 500)))
}

func bareRequests(b *testing.B, addr string, n int) spread {
	b.Helper()
	h := goburrow.NewTCPClientHandler(addr)
	defer h.Close() //nolint:errcheck // the benchmark is over
	c := goburrow.NewClient(h)
	var s spread
	for range n {
		time.Sleep(time.Millisecond) // asked as often as the driver asks: a busy connection would be warmer than its
		at := time.Now()
		if _, err := c.ReadInputRegisters(0, 8); err != nil {
			b.Fatal(err)
		}
		s.add(time.Since(at))
	}
	return s
}
