package bench

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/simonvetter/modbus"
	port "go.bug.st/serial"
	"golang.org/x/term"

	"github.com/axlegate/axlegate/internal/pty"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/drivers/serial"
	"github.com/axlegate/axlegate/drivers/sign"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// signDevice tells when an order arrives on the wire.
type signDevice struct {
	orders chan time.Time
	shown  atomic.Uint32 // message<<16 | number
	light  atomic.Bool
	beat   atomic.Uint32
}

func (d *signDevice) HandleCoils(r *modbus.CoilsRequest) ([]bool, error) {
	if r.IsWrite {
		d.light.Store(r.Args[0])
	}
	return []bool{d.light.Load()}, nil
}
func (d *signDevice) HandleDiscreteInputs(*modbus.DiscreteInputsRequest) ([]bool, error) {
	return []bool{d.light.Load()}, nil
}
func (d *signDevice) HandleHoldingRegisters(r *modbus.HoldingRegistersRequest) ([]uint16, error) {
	if r.IsWrite {
		at := time.Now()
		d.shown.Store(uint32(r.Args[0])<<16 | uint32(r.Args[1]))
		d.orders <- at
		return nil, nil
	}
	return make([]uint16, r.Quantity), nil
}
func (d *signDevice) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	s := d.shown.Load()
	return []uint16{uint16(s >> 16), uint16(s), uint16(d.beat.Add(1))}[r.Addr : r.Addr+r.Quantity], nil
}

// deafLink takes messages and never answers: the sender is not what is measured.
type deafLink struct{}

func (deafLink) Publish(ctx context.Context, _ []byte) error { <-ctx.Done(); return ctx.Err() }
func (deafLink) Up() <-chan struct{}                         { return nil }

func frame(kind byte, seq uint32, body []byte) []byte {
	f := []byte{2, byte(9 + len(body)), kind}
	f = binary.BigEndian.AppendUint32(f, 77)
	f = binary.BigEndian.AppendUint32(f, seq)
	f = append(f, body...)
	crc := uint16(0xFFFF)
	for _, b := range f[1:] {
		crc ^= uint16(b)
		for range 8 {
			if crc&1 == 1 {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
	}
	return append(f, byte(crc), byte(crc>>8), 3)
}

func body(v ...any) []byte {
	var b []byte
	for _, x := range v {
		switch x := x.(type) {
		case uint8:
			b = append(b, x)
		case uint16:
			b = binary.BigEndian.AppendUint16(b, x)
		case uint32:
			b = binary.BigEndian.AppendUint32(b, x)
		}
	}
	return b
}

// BenchmarkVehicleEndToSign measures from the vehicle-end bytes written into a real pseudo-terminal to the
// order arriving at a real Modbus TCP server: read, check, assemble, classify, judge, direct. The record is
// committed and synced beside it. The peer is a bare echo over the same kind of pseudo-terminal with the
// same serial library.
func BenchmarkVehicleEndToSign(b *testing.B) {
	r := newRoadside(b, nil)
	var ours spread
	for b.Loop() {
		_, at := r.vehicle()
		ours.add((<-r.sign.orders).Sub(at))
	}
	b.StopTimer()
	report(b, ours, echo(b, max(len(ours), 200)))
}

// roadside is one site with one lane: a scale on a pseudo-terminal, a sign on Modbus TCP, a journal.
type roadside struct {
	b       *testing.B
	scale   *os.File // the device's end of the line
	seq     uint32
	sign    *signDevice
	journal *journal.Journal
	path    string // of the journal
}

// newRoadside starts a site; commit, where not nil, stands in for the disk.
func newRoadside(b *testing.B, commit func(last func() error) error) *roadside {
	b.Helper()
	addr, err := freeport.Address(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	r := &roadside{b: b, sign: &signDevice{orders: make(chan time.Time, 1024)}}
	srv, err := modbus.NewServer(&modbus.ServerConfiguration{URL: "tcp://" + addr}, r.sign)
	if err != nil {
		b.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { srv.Stop() }) //nolint:errcheck // the benchmark is over
	master, slave, err := pty.Open()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { master.Close(); slave.Close() }) //nolint:errcheck // the benchmark is over
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil {
		b.Fatal(err)
	}
	r.scale = master
	b.Cleanup(r.run(slave.Name(), addr, commit))
	// The driver throws away what waited before it opened the line; an order shows that it listens.
	for ready := false; !ready; {
		r.vehicle()
		select {
		case <-r.sign.orders:
			ready = true
		case <-time.After(200 * time.Millisecond):
		}
	}
	return r
}

// vehicle sends six axles and the vehicle's end, and returns the number of that message and when it was written.
func (r *roadside) vehicle() (seq uint32, at time.Time) {
	send := func(f []byte) {
		if _, err := r.scale.Write(f); err != nil {
			r.b.Fatal(err)
		}
	}
	for i := range 6 {
		r.seq++
		gap := uint16(0)
		if i > 0 {
			gap = []uint16{3200, 1350, 6400, 1310, 1310}[i-1]
		}
		send(frame('A', r.seq, body(uint32(0), uint8(i+1), uint16(10100), uint16(5050), uint16(5050), uint16(620), gap, uint16(0))))
	}
	r.seq++
	end := frame('E', r.seq, body(uint32(0), uint8(6), uint32(60600), uint16(620), uint32(17000), uint16(0)))
	at = time.Now()
	send(end)
	return r.seq, at
}

func (r *roadside) run(line, signAddr string, commit func(last func() error) error) (stop func()) {
	b := r.b
	b.Helper()
	dir := b.TempDir()
	key, err := seal.GenerateSigner()
	if err != nil {
		b.Fatal(err)
	}
	r.path = filepath.Join(dir, "journal.db")
	j, err := journal.Open(b.Context(), journal.Config{Path: r.path, Site: "bench-1", Key: key.ID, Commit: commit})
	if err != nil {
		b.Fatal(err)
	}
	r.journal = j
	sc, err := serial.New(serial.Config{Device: "scale-1", Path: line})
	if err != nil {
		b.Fatal(err)
	}
	y, err := configs.Device("sign-modbus-tcp")
	if err != nil {
		b.Fatal(err)
	}
	profile, err := sign.LoadProfile("sign-modbus-tcp", y)
	if err != nil {
		b.Fatal(err)
	}
	sg, err := sign.New(sign.Config{Device: "sign-1", Address: signAddr, Profile: profile})
	if err != nil {
		b.Fatal(err)
	}
	site, err := edge.New(edge.Config{
		Site: "bench-1", Road: wim.Road{Name: "G5", Class: "class-1"}, Journal: j, Signer: key, CenterKeys: []*seal.Verifier{key.Verifier()},
		Link: deafLink{}, Rules: ruleSet(b), Drain: time.Millisecond,
		Lanes: []edge.LaneConfig{{Lane: 1, Device: "scale-1", Scale: sc, Instrument: wim.Instrument{ID: "scale-1"}, Sign: sg, SignDevice: "sign-1"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	done := make(chan error, 1)
	go func() { done <- site.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	}
}

// echo measures one byte through a pseudo-terminal and back, read and written with the serial library.
func echo(b *testing.B, n int) spread {
	b.Helper()
	once := newEcho(b)
	var s spread
	for range n {
		s.add(once())
	}
	return s
}

// newEcho makes such a line and returns what measures one byte.
func newEcho(b *testing.B) func() time.Duration {
	b.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		b.Fatal(err)
	}
	p, err := port.Open(slave.Name(), &port.Mode{BaudRate: 115200})
	if err != nil {
		b.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		buf := make([]byte, 64)
		for {
			n, err := p.Read(buf)
			if err != nil {
				return
			}
			if _, err := p.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	b.Cleanup(func() {
		if err := p.Close(); err != nil {
			b.Error(err)
		}
		<-stopped
		master.Close() //nolint:errcheck // the benchmark is over
		slave.Close()  //nolint:errcheck // likewise
	})
	buf := make([]byte, 1)
	return func() time.Duration {
		at := time.Now()
		if _, err := master.Write([]byte{7}); err != nil {
			b.Fatal(err)
		}
		if _, err := master.Read(buf); err != nil {
			b.Fatal(err)
		}
		return time.Since(at)
	}
}
