package indicator

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

// plain is a profile with one gross weight at register 0 and a status register behind it.
func plain(kind string, decimals uint8, unit string) Profile {
	p := Profile{
		Kind: "indicator", Name: "plain", Source: "this test", Function: 3, Words: "high-first", Poll: 1,
		Weights: Weights{Gross: &Weight{Type: kind, Decimals: decimals, Unit: unit}},
		Status:  []Status{{Means: "stable", Bits: Bits{At: 2, Shift: 3}}, {Means: "overload", Bits: Bits{At: 2, Shift: 4, Width: 2}, Is: new(uint32(2))}},
	}
	return p
}

func made(t interface {
	Helper()
	Fatal(...any)
}, p Profile) *layout {
	t.Helper()
	if err := p.check(); err != nil {
		t.Fatal(err)
	}
	l := newLayout(p)
	return &l
}

func TestARegisterIsReadExactlyOrNotAtAll(t *testing.T) {
	f := func(v float32) []uint16 {
		b := math.Float32bits(v)
		return []uint16{uint16(b >> 16), uint16(b), 0}
	}
	for _, c := range []struct {
		name     string
		kind     string
		decimals uint8
		unit     string
		regs     []uint16
		want     wim.Kg
		err      error
	}{
		{"a positive 32-bit number", "int32", 0, "kg", []uint16{0x0001, 0x1170, 0}, 70000, nil},
		{"a negative 32-bit number", "int32", 0, "kg", []uint16{0xFFFF, 0xFF88, 0}, -120, nil},
		{"a negative 16-bit number", "int16", 0, "kg", []uint16{0xFF88, 7, 0}, -120, nil},
		{"a 16-bit number without a sign", "uint16", 0, "kg", []uint16{0xFF88, 7, 0}, 65416, nil},
		{"a 32-bit number without a sign that is no mass", "uint32", 0, "kg", []uint16{0xFFFF, 0xFFFF, 0}, 0, errValue},
		{"tonnes with three decimals", "int32", 3, "t", []uint16{0, 38460, 0}, 38460, nil},
		{"tonnes with two decimals", "int32", 2, "t", []uint16{0, 3846, 0}, 38460, nil},
		{"grams that are whole kilograms", "int32", 0, "g", []uint16{0x0000, 5000, 0}, 5, nil},
		{"grams that are none", "int32", 0, "g", []uint16{0x0000, 5001, 0}, 0, errInexact},
		{"half a kilogram", "int32", 1, "kg", []uint16{5, 0xDE5D, 0}, 0, errInexact}, // 384605
		{"a float of whole kilograms", "float32", 0, "kg", f(38460), 38460, nil},
		{"a float of tonnes that no float hits exactly", "float32", 3, "t", f(38.46), 38460, nil},
		{"a negative float", "float32", 3, "t", f(-0.12), -120, nil},
		{"a negative zero", "float32", 0, "kg", f(float32(math.Copysign(0, -1))), 0, nil},
		{"a float with a decimal that it should not have", "float32", 0, "kg", f(38460.5), 0, errInexact},
		{"a float one step beside the decimal", "float32", 3, "t", f(math.Nextafter32(38.46, 39)), 0, errInexact},
		{"no number", "float32", 0, "kg", f(float32(math.NaN())), 0, errValue},
		{"an endless number", "float32", 0, "kg", f(float32(math.Inf(-1))), 0, errValue},
		{"a float too long for its decimals", "float32", 6, "t", f(38.46), 0, errValue},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := made(t, plain(c.kind, c.decimals, c.unit)).indication(c.regs)
			if !errors.Is(err, c.err) || c.err == nil && err != nil {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if in.Gross != c.want || err == nil != in.Tells.Has(wim.TellsGross) {
				t.Errorf("%+v, want %d", in, c.want)
			}
		})
	}
}

func TestAllOrdersOfWordsAndBytesGiveTheSameWeight(t *testing.T) {
	for _, c := range []struct {
		words, bytes string
		regs         []uint16
	}{
		{"high-first", "high-first", []uint16{0x4716, 0x3C00, 0x0008}},
		{"low-first", "high-first", []uint16{0x3C00, 0x4716, 0x0008}},
		{"high-first", "low-first", []uint16{0x1647, 0x003C, 0x0800}},
		{"low-first", "low-first", []uint16{0x003C, 0x1647, 0x0800}},
	} {
		p := plain("float32", 0, "kg")
		p.Words, p.Bytes = c.words, c.bytes
		in, err := made(t, p).indication(c.regs)
		if err != nil || in.Gross != 38460 || in.State != wim.Stable {
			t.Errorf("%s %s: %+v, %v", c.words, c.bytes, in, err)
		}
	}
}

func TestAnInstrumentThatCannotWeighTellsNoWeight(t *testing.T) {
	l := made(t, plain("int32", 0, "kg"))
	in, err := l.indication([]uint16{0, 55000, 2<<4 | 1<<3})
	if err != nil || in.State != wim.Overload|wim.Stable || in.Tells != 0 || in.Gross != 0 {
		t.Errorf("%+v, %v", in, err)
	}
	if want := wim.Overload | wim.Stable; !in.Knows.Has(want) || in.Knows.Any(wim.AtZero|wim.NetShown) {
		t.Errorf("it knows %v", in.Knows.Names())
	}
	if in, err := l.indication([]uint16{0, 55000, 3 << 4}); err != nil || in.State != 0 || in.Gross != 55000 {
		t.Errorf("bits that are partly set: %+v, %v", in, err)
	}
}

func TestWhatTheInstrumentTellsOfItsNumbersIsBelieved(t *testing.T) {
	p := plain("int32", 0, "")
	p.Decimals = &Decimals{Bits: Bits{At: 3, Shift: 4, Width: 3}}
	p.Mass = &MassUnit{Bits: Bits{At: 3, Shift: 7, Width: 2}, Values: map[uint32]string{0: "kg", 1: "g", 2: "t", 3: "lb"}}
	p.Expect = []Expected{{Bits: Bits{At: 3, Width: 2}, Is: 1}}
	l := made(t, p)
	for _, c := range []struct {
		name string
		form uint16
		want wim.Kg
		err  error
	}{
		{"three decimals of a tonne", 2<<7 | 3<<4 | 1, 38460, nil},
		{"kilograms with none", 1, 38460, nil},
		{"pounds", 3<<7 | 1, 0, errOther},
		{"decimals beyond all that there are", 7<<4 | 1, 0, errValue},
		{"another mode than the profile's", 2, 0, errOther},
	} {
		in, err := l.indication([]uint16{0, 38460, 0, c.form})
		if !errors.Is(err, c.err) || c.err == nil && err != nil || in.Gross != c.want {
			t.Errorf("%s: %+v, %v", c.name, in, err)
		}
	}
	p.Decimals.Values = map[uint32]uint8{5: 2}
	l = made(t, p)
	if in, err := l.indication([]uint16{0, 38400, 0, 5<<4 | 1}); err != nil || in.Gross != 384 {
		t.Errorf("a table of decimals: %+v, %v", in, err)
	}
	if _, err := l.indication([]uint16{0, 38400, 0, 1}); !errors.Is(err, errValue) {
		t.Errorf("decimals that are not in the table: %v", err)
	}
}

func TestWhoWantsTheNearestKilogramIsToldThatItWasRounded(t *testing.T) {
	p := plain("float32", 0, "kg")
	p.Inexact = "nearest"
	l := made(t, p)
	for v, want := range map[float32]wim.Kg{38460.4: 38460, 38460.5: 38461, -0.5: -1, 7.49: 7} {
		b := math.Float32bits(v)
		in, err := l.indication([]uint16{uint16(b >> 16), uint16(b), 0})
		if err != nil || in.Gross != want || !in.State.Has(wim.WasRounded) {
			t.Errorf("%v: %+v, %v", v, in, err)
		}
	}
	if in, err := l.indication([]uint16{0, 0, 0}); err != nil || in.State.Has(wim.WasRounded) {
		t.Errorf("a whole number was called rounded: %+v, %v", in, err)
	}
}

func TestASignThatStandsApartIsBelieved(t *testing.T) {
	p := plain("int32", 0, "kg")
	p.Weights.Gross.Negative = &Bits{At: 2, Shift: 7}
	l := made(t, p)
	for _, c := range []struct {
		regs []uint16
		want wim.Kg
	}{{[]uint16{0, 120, 0}, 120}, {[]uint16{0, 120, 1 << 7}, -120}, {[]uint16{0xFFFF, 0xFF88, 1 << 7}, -120}} {
		if in, err := l.indication(c.regs); err != nil || in.Gross != c.want {
			t.Errorf("%v: %+v, %v", c.regs, in, err)
		}
	}
}

func TestPropertyEveryDecimalThatAFloatCarriesIsReadBack(t *testing.T) {
	l := made(t, plain("float32", 3, "t"))
	rapid.Check(t, func(t *rapid.T) {
		kg := rapid.OneOf(rapid.Int32Range(-1<<24+1, 1<<24-1), rapid.Int32Range(-999_999, 999_999)).Draw(t, "kg")
		b := math.Float32bits(float32(float64(kg) / 1000))
		in, err := l.indication([]uint16{uint16(b >> 16), uint16(b), 0})
		// Seven digits may be more than a float can tell; six never are.
		if err != nil && (!errors.Is(err, errValue) || kg > -1_000_000 && kg < 1_000_000) || err == nil && in.Gross != wim.Kg(kg) {
			t.Fatalf("%d kg: %+v, %v", kg, in, err)
		}
	})
}

func TestPropertyAWeightIsTheRegisterTimesItsUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int32().Draw(t, "register")
		d := rapid.Uint8Range(0, 6).Draw(t, "decimals")
		unit := rapid.SampledFrom([]string{"g", "kg", "t"}).Draw(t, "unit")
		scale := rapid.IntRange(1, maxScale).Draw(t, "scale")
		p := plain("int32", d, unit)
		p.Weights.Gross.Scale = scale
		in, err := made(t, p).indication([]uint16{uint16(uint32(v) >> 16), uint16(v), 0})
		if err != nil {
			if !errors.Is(err, errInexact) && !errors.Is(err, errValue) {
				t.Fatal(err)
			}
			return
		}
		product := func(factors ...int64) *big.Int {
			out := big.NewInt(1)
			for _, f := range factors {
				out.Mul(out, big.NewInt(f))
			}
			return out
		}
		left := product(int64(in.Gross), 1000, int64(math.Pow10(int(d))))
		if right := product(int64(v), int64(scale), grams(unit)); left.Cmp(right) != 0 {
			t.Fatalf("%d · %d %s with %d decimals is not %d kg", v, scale, unit, d, in.Gross)
		}
	})
}

// FuzzIndication: whatever stands in the registers, decoding ends and tells a weight only with its conditions.
func FuzzIndication(f *testing.F) {
	f.Add([]byte{0x47, 0x16, 0x3C, 0, 0, 8}, "float32", uint8(0))
	f.Add([]byte{0, 0, 0x96, 0x3C, 0, 0}, "int32", uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, kind string, decimals uint8) {
		p := plain(kind, decimals, "kg")
		if p.check() != nil || len(b) < 6 {
			return
		}
		l := newLayout(p)
		regs := make([]uint16, 0, 3)
		for i := range 3 {
			regs = append(regs, uint16(b[2*i])<<8|uint16(b[2*i+1]))
		}
		regs = regs[:l.count]
		in, err := l.indication(regs)
		again, err2 := l.indication(regs)
		if !reflect.DeepEqual(in, again) || (err == nil) != (err2 == nil) {
			t.Error("twice the same registers are two indications")
		}
		if err == nil && in.State.Has(wim.Overload) == in.Tells.Has(wim.TellsGross) {
			t.Errorf("%+v", in)
		}
	})
}
