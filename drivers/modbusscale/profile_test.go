package modbusscale

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestAMistakeInAProfileIsNamedWithItsPlace(t *testing.T) {
	good, err := os.ReadFile("../../configs/devices/axle-ring-tcp.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"another kind of device", "kind: axle-scale", "kind: sign", "x.yaml:3:7: kind: \"sign\", want axle-scale"},
		{"a key that there is not", "words: high-first", "word: high-first", `did you mean "words"`},
		{"a function that reads nothing", "function: 4 ", "function: 6 ", "x.yaml:5:11: function: 6, want 3"},
		{"a word order that there is not", "words: high-first", "words: middle", "want high-first or low-first"},
		{"a ring that no counter's round is a multiple of", "slots: 64 ", "slots: 60 ", "x.yaml:22:10: ring.slots: 60, want a power of two"},
		{"a ring beyond the last register", "at: 16 ", "at: 65000 ", "beyond 65535"},
		{"a slot that does not fit one request", "max_registers: 125", "max_registers: 12", "a slot must fit one request"},
		{"a state that does not fit one request", "status: {at: 6}", "status: {at: 900}", "do not fit one request"},
		{"a state as long as a slot", "slots: {at: 7}", "slots: {at: 15}", "could be taken for the other"},
		{"no pause", "poll: 50ms", "poll: 0s", "x.yaml:9:7: poll: 0s, want a pause"},
		{"a value that is missing", "  mass: {at: 6, width: 32, unit: kg, scale: 1}\n", "", "event.mass: is missing"},
		{"a value outside of the slot", "flags: {at: 13}", "flags: {at: 16}", "slot has registers 0 to 15"},
		{"two values in one register", "right: {at: 9", "right: {at: 8", "register 8 is event.left already"},
		{"a width that there is not", "left: {at: 8, unit", "left: {at: 8, width: 24, unit", "event.left.width: 24 bits, want 16 or 32"},
		{"a kind of 32 bits", "kind: {at: 2}", "kind: {at: 2, width: 32}", "want 16"},
		{"a mass in miles", "unit: kg, scale: 1}\n  left", "unit: mile, scale: 1}\n  left", `"mile" is no unit of it; there is: kg`},
		{"a scale below one", "left: {at: 8, unit: kg, scale: 1}", "left: {at: 8, unit: kg, scale: -3}", "event.left.scale: -3"},
		{"a number narrower than the counter", "sequence: {at: 0, width: 32}", "sequence: {at: 0}", "but the counter has 32"},
		{"a number that guards nothing", "sequence: {at: 0, width: 32}\n  kind: {at: 2}", "sequence: {at: 1, width: 32}\n  kind: {at: 0}", "only between them they guard it"},
		{"numbers the wrong way round", "sequence_again: {at: 14, width: 32}", "sequence_again: {at: 14}", "sequence_again.width: 16 bits"},
		{"two clocks", "time: {at: 4, width: 32, unit: ms}\n  mass", "time: {at: 4, width: 32, unit: s}\n  mass", "must be those of state.time"},
		{"one number for both kinds", "vehicle_end: 2", "vehicle_end: 1", "could not be told apart"},
		{"a flag in no bit", "reverse: 7", "reverse: 16", "x.yaml:47:12: flags.reverse: bit 16"},
		{"a bit of two flags", "reverse: 7", "reverse: 6", "bit 6 is flags.over_capacity already"},
		{"a status bit of two meanings", "  fault: 1 ", "  fault: 0 ", "is status.weighing already"},
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
	good, err := os.ReadFile("../../configs/devices/axle-ring-tcp.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.ReplaceAll(good, []byte("width: 32"), []byte("width: 16")))
	f.Add(bytes.Replace(good, []byte("base: 0"), []byte("base: 64000"), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := LoadProfile("x.yaml", b)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x.yaml") {
				t.Errorf("error %v", err)
			}
			return
		}
		l := newLayout(p)
		regs := make([]uint16, max(int(l.count), l.Ring.Registers))
		for i := range regs {
			regs[i] = 0xFFFF
		}
		l.state(regs[:l.count])
		if _, _, err := l.event(regs[:l.Ring.Registers], 1<<32-1); err == nil && l.Kinds.Axle != 0xFFFF && l.Kinds.VehicleEnd != 0xFFFF {
			t.Error("a slot full of ones is an event")
		}
		for _, n := range []uint32{0, 1, uint32(l.Ring.Slots) - 1, uint32(l.Ring.Slots), 1<<32 - 1} {
			if addr, rest := l.slot(n); int(addr)+rest*l.Ring.Registers > 65536 || rest < 1 || addr < l.Base+l.Ring.At {
				t.Errorf("event %d lies at %d with %d slots to the end", n, addr, rest)
			}
		}
		if l.perRequest < 1 || l.perRequest*l.Ring.Registers > maxRegisters || int(l.count) > maxRegisters || l.tick <= 0 {
			t.Errorf("%+v", l)
		}
	})
}
