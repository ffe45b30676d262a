package indicator

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestAMistakeInAProfileIsNamedWithItsPlace(t *testing.T) {
	good := []byte(`kind: indicator
name: x
source: this test
function: 3
words: high-first
max_registers: 32
poll: 200ms
inexact: refuse
weights:
  gross: {at: 7, type: int32, decimals: 0, unit: kg}
  net: {at: 9, type: float32, decimals: 1, unit: t, negative: {at: 6, shift: 8}}
status:
  - {means: stable, at: 6, shift: 11}
  - {means: overload, at: 6, shift: 2, width: 2, is: 2}
heartbeat: {at: 900, type: uint32}
expect:
  - {at: 11, width: 16, is: 6}
`)
	if _, err := LoadProfile("x.yaml", good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"another kind of device", "kind: indicator", "kind: sign", "x.yaml:1:7: kind: \"sign\", want indicator"},
		{"a key that there is not", "words: high-first", "word: high-first", `did you mean "words"`},
		{"a function that reads nothing", "function: 3", "function: 6", "x.yaml:4:11: function: 6, want 3"},
		{"a word order that there is not", "words: high-first", "words: middle", "want high-first or low-first"},
		{"a byte order that there is not", "words: high-first", "words: high-first\nbytes: none", "bytes: \"none\", want"},
		{"no source", "source: this test\n", "", "source: is missing"},
		{"no pause", "poll: 200ms", "poll: 0s", "x.yaml:7:7: poll: 0s, want a pause"},
		{"another way to round", "inexact: refuse", "inexact: up", "want refuse or nearest"},
		{"no weight", "  gross: {at: 7, type: int32, decimals: 0, unit: kg}\n  net:", "  tare:", "neither gross nor net"},
		{"a type that there is not", "type: int32", "type: int24", "x.yaml:10:24: weights.gross.type: \"int24\""},
		{"a pound", "decimals: 0, unit: kg", "decimals: 0, unit: lb", "a pound is no whole number"},
		{"too many decimals", "decimals: 0", "decimals: 9", "9, want 0 to 6"},
		{"a scale below one", "unit: kg}", "unit: kg, scale: -1}", "weights.gross.scale: -1"},
		{"a sign of two bits", "shift: 8}", "shift: 8, width: 2}", "2 bits, want 1"},
		{"a bit beyond the register", "shift: 11", "shift: 16", "x.yaml:13:35: status[0].shift: bits 16 to 16, but the register has 0 to 15"},
		{"a condition that there is not", "means: stable", "means: tired", `"tired" is no condition`},
		{"a condition that only the driver sets", "means: stable", "means: was-rounded", "is no condition"},
		{"a value that the bits do not have", "is: 2", "is: 4", "status[1].is: 4 does not fit 2 bits"},
		{"an expectation that the bits do not have", "is: 6", "is: 65536", "expect[0].is: 65536 does not fit 16 bits"},
		{"registers too far apart", "at: 11, width", "at: 99, width", "which do not fit one request of 32"},
		{"a request too large", "max_registers: 32", "max_registers: 126", "126, want 1 to 125"},
		{"a register beyond the last", "function: 3", "function: 3\nbase: 65530", "beyond the last one, 65535"},
		{"a heartbeat that is a fraction", "type: uint32}", "type: float32}", "heartbeat.type"},
		{"a command that writes nothing", "heartbeat:", "commands: {zero: {at: 5}}\nheartbeat:", "commands.zero: 0 values at 5"},
		{"decimals twice", "heartbeat:", "decimals: {at: 8}\nheartbeat:", "the instrument tells them itself"},
		{"a unit twice", "heartbeat:", "mass_unit: {at: 8, values: {0: kg}}\nheartbeat:", "the instrument tells it itself"},
		{"bits of a signed register", "{means: stable, at: 6", "{means: stable, type: int16, at: 6", "want uint16 or uint32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := bytes.Replace(good, []byte(c.from), []byte(c.to), 1)
			if bytes.Equal(bad, good) {
				t.Fatal("the case changes nothing")
			}
			if _, err := LoadProfile("x.yaml", bad); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x.yaml") {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// FuzzProfile: whatever is accepted as a profile decodes any registers without reaching beyond them.
func FuzzProfile(f *testing.F) {
	good, err := os.ReadFile("../../configs/devices/indicator-laumas-tlb.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.ReplaceAll(good, []byte("int32"), []byte("float32")))
	f.Add(bytes.Replace(good, []byte("base: 0"), []byte("base: 65000"), 1))
	f.Add(append(good, "\nheartbeat: {at: 3, type: uint32}\n"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := LoadProfile("x.yaml", b)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x.yaml") {
				t.Errorf("error %v", err)
			}
			return
		}
		l := newLayout(p)
		if l.count < 1 || int(l.count) > l.MaxRegisters || int(l.first)+int(l.count) > 65536 {
			t.Fatalf("%d registers from %d", l.count, l.first)
		}
		for _, v := range []uint16{0, 1, 0x7FFF, 0xFFFF} {
			regs := make([]uint16, l.count)
			for i := range regs {
				regs[i] = v
			}
			if in, err := l.indication(regs); err == nil && in.Tells != 0 && in.State.Any(wim.Overload|wim.Underload|wim.Faulty) {
				t.Errorf("%+v", in)
			}
			if l.beating && !l.apart {
				l.raw(regs, l.Heartbeat.At, l.Heartbeat.Type)
			}
		}
	})
}
