package modbusscale

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/internal/pty"

	"github.com/axlegate/axlegate/drivers/scaletest"
	"github.com/axlegate/axlegate/internal/conf"
)

// bus puts the tests' device behind a serial line: the same registers, in RTU frames on a pseudo-terminal.
type bus struct {
	*device
	path string

	mu     sync.Mutex
	master *os.File
	slave  *os.File
}

func newBus(t testing.TB) *bus {
	t.Helper()
	b := &bus{device: &device{t: t, boot: 0x0A0B0C0D, start: time.Now(), unit: 1}, path: filepath.Join(t.TempDir(), "bus")}
	b.Plug()
	t.Cleanup(b.Pull)
	return b
}

func (b *bus) Plug() {
	b.t.Helper()
	m, s, err := pty.Open()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.Symlink(s.Name(), b.path); err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.master, b.slave = m, s
	b.mu.Unlock()
	go b.serve(m)
}

func (b *bus) Pull() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.master == nil {
		return
	}
	os.Remove(b.path) //nolint:errcheck // the folder goes with the test
	b.slave.Close()   //nolint:errcheck // a cable does not say goodbye
	b.master.Close()  //nolint:errcheck // likewise
	b.master = nil
}

func (b *bus) serve(m *os.File) {
	var buf []byte
	piece := make([]byte, 256)
	for {
		n, err := m.Read(piece)
		if err != nil {
			return
		}
		// The host is silent between its requests, and each has eight bytes.
		if buf = append(buf, piece[:n]...); len(buf) < 8 {
			continue
		}
		out := []byte{buf[0], buf[1] | 0x80, 2}
		regs, err := b.HandleInputRegisters(&modbus.InputRegistersRequest{UnitId: buf[0], Addr: binary.BigEndian.Uint16(buf[2:]), Quantity: binary.BigEndian.Uint16(buf[4:])})
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

func TestTheModbusScaleKeepsTheContractOnASerialLine(t *testing.T) {
	scaletest.Run(t, func(t testing.TB) scaletest.Rig {
		b := newBus(t)
		p := shipped(t)
		p.Poll = conf.Duration(5 * time.Millisecond)
		s, err := New(Config{Device: "scale-1", Line: b.path, Baud: 115200, Parity: "none", Profile: p, Silence: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		return scaletest.Rig{Scale: s, Device: b, Keeps: 64}
	})
}
