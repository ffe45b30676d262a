package modbus

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/pty"
)

// bus is a slave behind a pseudo-terminal, written from the protocol for these tests: it cuts what comes into
// requests and answers as reply says; nil means silence.
type bus struct {
	t      *testing.T
	path   string
	master *os.File
	slave  *os.File

	mu    sync.Mutex
	reply func(n int, req []byte) []byte
	n     int
}

func newBus(t *testing.T, reply func(n int, req []byte) []byte) *bus {
	t.Helper()
	b := &bus{t: t, path: filepath.Join(t.TempDir(), "bus"), reply: reply}
	b.plug()
	t.Cleanup(b.pull)
	return b
}

func (b *bus) plug() {
	b.t.Helper()
	m, s, err := pty.Open()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.Symlink(s.Name(), b.path); err != nil {
		b.t.Fatal(err)
	}
	b.master, b.slave = m, s
	go b.serve(m)
}

func (b *bus) pull() {
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
		buf = append(buf, piece[:n]...)
		for len(buf) >= 8 {
			size := 8
			if buf[1] == 16 {
				size = 9 + int(buf[6])
			}
			if len(buf) < size {
				break
			}
			req := append([]byte(nil), buf[:size]...)
			buf = buf[size:]
			if crcOf(req[:size-2]) != binary.LittleEndian.Uint16(req[size-2:]) {
				b.t.Errorf("a request with a wrong checksum: % X", req)
			}
			b.mu.Lock()
			out := b.reply(b.n, req)
			b.n++
			b.mu.Unlock()
			if _, err := m.Write(out); err != nil {
				return
			}
		}
	}
}

// crcOf is CRC-16/MODBUS.
func crcOf(p []byte) uint16 {
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

func sealed(frame ...byte) []byte { return binary.LittleEndian.AppendUint16(frame, crcOf(frame)) }

// frameOf is a register answer to req.
func frameOf(req []byte, regs ...uint16) []byte {
	b := []byte{req[0], req[1], byte(2 * len(regs))}
	for _, v := range regs {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return sealed(b...)
}

func onBus(t *testing.T, b *bus) *Client {
	t.Helper()
	c, err := New(Config{Line: b.path, Baud: 115200, Parity: None, Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestTheFramesOfALineAreTheProtocols(t *testing.T) {
	var asked []string
	b := newBus(t, func(_ int, req []byte) []byte {
		asked = append(asked, strings.ToUpper(hex.EncodeToString(req)))
		switch req[1] {
		case 3:
			f, _ := hex.DecodeString("01030A00000000963C0000963C0634")
			return f
		case 16, 5:
			return sealed(req[:6]...)
		case 1:
			return sealed(req[0], 1, 1, 1)
		}
		return sealed(req[0], req[1]|0x80, 2)
	})
	c := onBus(t, b)
	if got, err := c.ReadHolding(t.Context(), 6, 5); err != nil || !reflect.DeepEqual(got, []uint16{0, 0, 38460, 0, 38460}) {
		t.Errorf("%v, %v", got, err)
	}
	if err := c.WriteHolding(t.Context(), 1, []uint16{10, 258}); err != nil {
		t.Error(err)
	}
	if err := c.WriteCoil(t.Context(), 0, true); err != nil {
		t.Error(err)
	}
	if got, err := c.ReadCoils(t.Context(), 0, 1); err != nil || !got[0] {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := c.ReadInput(t.Context(), 0, 1); !errors.Is(err, ErrException) {
		t.Errorf("a refusal: %v", err)
	}
	if n := c.Counts(); n.Opened != 1 || n.Answers != 4 {
		t.Errorf("%+v", n)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(asked) != 5 || asked[0] != "01030006000565C8" {
		t.Errorf("asked %v", asked)
	}
}

func TestAnAnswerOnALineMustFitWhatWasAsked(t *testing.T) {
	for _, c := range []struct {
		name, want string
		reply      func(req []byte) []byte
	}{
		{"silence", "0 of at least 5 bytes", func([]byte) []byte { return nil }},
		{"an answer cut short", "7 of at least 9 bytes", func(r []byte) []byte { return frameOf(r, 1, 2)[:7] }},
		{"a wrong checksum", "crc", func(r []byte) []byte { f := frameOf(r, 1, 2); f[4] ^= 1; return f }},
		{"another unit", "beside an answer of unit 9", func(r []byte) []byte { return frameOf([]byte{9, 4}, 1, 2) }},
		{"another function", "function", func(r []byte) []byte { return frameOf([]byte{1, 3}, 1, 2) }},
		{"fewer registers", "asked 2 registers", func(r []byte) []byte { return frameOf(r, 1) }},
		{"more registers", "asked 2 registers", func(r []byte) []byte { return frameOf(r, 1, 2, 3) }},
		{"noise behind the answer", "bytes came behind", func(r []byte) []byte { return append(frameOf(r, 1, 2), 0xFF) }},
		{"noise", "crc", func([]byte) []byte { return []byte{1, 0x55, 0xAA, 0x55, 0xAA} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBus(t, func(n int, req []byte) []byte {
				if n == 0 {
					return c.reply(req)
				}
				return frameOf(req, 5, 6)
			})
			cl := onBus(t, b)
			_, err := cl.ReadInput(t.Context(), 0, 2)
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrException) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if got, err := cl.ReadInput(t.Context(), 0, 2); err != nil || got[1] != 6 {
				t.Errorf("the next call: %v, %v", got, err)
			}
		})
	}
}

// RTU frames have no number: only the emptied line tells a late answer from the next one.
func TestALateAnswerOnALineIsThrownAway(t *testing.T) {
	var late []byte
	b := newBus(t, func(n int, req []byte) []byte {
		if n == 0 {
			late = frameOf(req, 111)
			return nil
		}
		return frameOf(req, 222)
	})
	c := onBus(t, b)
	if _, err := c.ReadInput(t.Context(), 0, 1); err == nil {
		t.Fatal("silence was taken for an answer")
	}
	b.mu.Lock()
	if _, err := b.master.Write(late); err != nil {
		t.Error(err)
	}
	b.mu.Unlock()
	if got, err := c.ReadInput(t.Context(), 0, 1); err != nil || got[0] != 222 {
		t.Errorf("after the late answer: %v, %v", got, err)
	}
}

func TestALineThatIsPulledIsFoundAgain(t *testing.T) {
	b := newBus(t, func(_ int, req []byte) []byte { return frameOf(req, 7) })
	c := onBus(t, b)
	if _, err := c.ReadInput(t.Context(), 0, 1); err != nil {
		t.Fatal(err)
	}
	b.pull()
	if _, err := c.ReadInput(t.Context(), 0, 1); err == nil || !strings.Contains(err.Error(), b.path) {
		t.Errorf("a line that is gone: %v", err)
	}
	b.plug()
	limit := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := c.ReadInput(t.Context(), 0, 1)
		if err == nil && got[0] == 7 {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("it came back and is not found: %v", err)
		}
		<-tick.C
	}
}

func TestASlaveStandsAtOnePlace(t *testing.T) {
	for _, c := range []struct {
		name, want string
		cfg        Config
	}{
		{"nowhere", "want one of", Config{}},
		{"at two places", "want one of", Config{Address: "127.0.0.1:502", Line: "/dev/ttyS0"}},
		{"at an address with a baud rate", "belong to a serial line", Config{Address: "127.0.0.1:502", Baud: 9600}},
		{"on a line with a baud rate that no line has", "baud 7", Config{Line: "/dev/ttyS0", Baud: 7}},
		{"on a line with an unknown parity", "want none, even or odd", Config{Line: "/dev/ttyS0", Parity: "mark"}},
		{"with a time that cannot be", "timeout -1s", Config{Line: "/dev/ttyS0", Timeout: -time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
