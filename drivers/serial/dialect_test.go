package serial

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

// options are those that a dialect needs, set up for kilograms and gross.
func options(d Dialect) Options {
	var o Options
	if len(d.Units) == 0 {
		o.Unit = "kg"
	}
	if d.Tells == 0 {
		o.Shown = "gross"
	}
	return o
}

// decodeAs feeds each piece by itself.
func decodeAs(t rapid.TB, dialect string, o Options, pieces ...[]byte) (frames []Frame, d *Decoder) {
	t.Helper()
	d, err := NewDecoder(dialect, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pieces {
		d.Feed(p, func(f Frame) { frames = append(frames, f) })
	}
	return frames, d
}

func weights(gross, net, tare wim.Kg, tells wim.Weights, state wim.Condition) wim.Indication {
	return wim.Indication{Gross: gross, Net: net, Tare: tare, Tells: tells, State: state}
}

// golden is a frame worked out by hand from the layout. Knows is the dialect's and checked apart.
type golden struct {
	name    string
	dialect string
	bytes   string // in hexadecimal where it begins with 0x, else as it stands
	want    wim.Indication
}

func (g golden) wire(t rapid.TB) []byte {
	t.Helper()
	h, isHex := strings.CutPrefix(g.bytes, "0x ")
	if !isHex {
		return []byte(g.bytes)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(h, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func goldens() []golden {
	const (
		g, n, gt, nt = wim.TellsGross, wim.TellsNet, wim.TellsGross | wim.TellsTare, wim.TellsNet | wim.TellsTare
		still        = wim.Stable
		stillNet     = wim.Stable | wim.NetShown
	)
	return []golden{
		{"38 460 kg gross at rest", "toledo", "0x 02 3A 30 20 30 33 38 34 36 30 30 30 30 30 30 30 0D 12", weights(38460, 0, 0, gt, still)},
		{"-120 kg net moving, tare 14 200 kg", "toledo", "0x 02 32 3B 20 30 30 30 31 32 30 30 31 34 32 30 30 0D 1A", weights(0, -120, 14200, nt, wim.NetShown)},
		{"spaces for leading zeros", "toledo", "0x 02 3A 30 20 20 33 38 34 36 30 20 20 20 20 20 30 0D 72", weights(38460, 0, 0, gt, still)},
		{"over range has no weight", "toledo", "0x 02 3A 34 20 39 39 39 39 39 39 30 30 30 30 30 30 0D 6D", weights(0, 0, 0, 0, still|wim.Overload)},
		{"under range has no weight", "toledo", "0x 02 3A 36 20 30 30 30 30 32 30 30 30 30 30 30 30 0D 1F", weights(0, 0, 0, 0, still|wim.Underload)},
		{"384.6 hundreds of kilograms are told as x100", "toledo", "0x 02 38 30 20 30 30 30 33 38 34 30 30 30 30 30 30 0D 1A", weights(38400, 0, 0, gt, still)},
		{"tonnes with three decimals", "toledo", "0x 02 3D 20 22 30 33 38 34 36 30 30 30 30 30 30 30 0D 1D", weights(38460, 0, 0, gt, still)},
		{"17 bytes", "toledo-unchecked", "0x 02 3A 30 20 30 33 38 34 36 30 30 30 30 30 30 30 0D", weights(38460, 0, 0, gt, still)},
		{"11 bytes", "toledo-short-unchecked", "0x 02 3A 30 20 30 33 38 34 36 30 0D", weights(38460, 0, 0, g, still)},
		{"12 bytes", "toledo-short", "0x 02 3A 30 20 30 33 38 34 36 30 0D 32", weights(38460, 0, 0, g, still)},
		{"38 460 kg at rest", "mt-sics", "S S      38460 kg\r\n", weights(38460, 0, 0, g, still)},
		{"38 455 kg moving", "mt-sics", "S D      38455 kg\r\n", weights(38455, 0, 0, g, 0)},
		{"an answer that names the command", "mt-sics", "SI D      38455 kg\r\n", weights(38455, 0, 0, g, 0)},
		{"tonnes with a point", "mt-sics-stable", "S S     38.460 t\r\n", weights(38460, 0, 0, g, still)},
		{"above range", "mt-sics", "S +\r\n", weights(0, 0, 0, 0, wim.Overload)},
		{"below range", "mt-sics", "S -\r\n", weights(0, 0, 0, 0, wim.Underload)},
		{"gross at rest", "sma", "\n 1G       38460kg \r", weights(38460, 0, 0, g, still)},
		{"-120 kg net moving", "sma", "\n 1NM       -120kg \r", weights(0, -120, 0, n, wim.NetShown)},
		{"overload", "sma", "\nO1G  ----------kg \r", weights(0, 0, 0, 0, still|wim.Overload)},
		{"centre of zero", "sma", "\nZ1G           0kg \r", weights(0, 0, 0, g, still|wim.AtZero)},
		{"the tare", "sma", "\n 1T       14200kg \r", weights(0, 0, 14200, wim.TellsTare, still)},
		{"an error of zeroing", "sma", "\nE1G  ----------kg \r", weights(0, 0, 0, 0, still|wim.Faulty)},
		{"38 460 without decimals", "xk3190", "0x 02 2B 30 33 38 34 36 30 30 31 32 03", weights(38460, 0, 0, g, 0)},
		{"-120", "xk3190", "0x 02 2D 30 30 30 31 32 30 30 31 45 03", weights(-120, 0, 0, g, 0)},
		{"38 460 backwards", "xk3190-reversed", "=06483000", weights(38460, 0, 0, g, 0)},
		{"38 460 forwards", "xk3190-forward", "=00038460", weights(38460, 0, 0, g, 0)},
		{"-120 forwards", "xk3190-forward", "=-0000120", weights(-120, 0, 0, g, 0)},
		{"gross as text", "xk3190-a12e", "WG0038460kg25\r\n", weights(38460, 0, 0, g, 0)},
		{"overload as text", "xk3190-a12e", "         OL23\r\n", weights(0, 0, 0, 0, wim.Overload)},
		{"under range as text", "xk3190-a12e", "         LO23\r\n", weights(0, 0, 0, 0, wim.Underload)},
		{"an answer", "xk3190-command", "0x 02 41 42 2B 30 33 38 34 36 30 30 31 31 03", weights(38460, 0, 0, g, 0)},
		{"an answer in lower case", "xk3190-command", "0x 02 41 62 2B 30 33 38 34 36 30 30 33 31 03", weights(38460, 0, 0, g, 0)},
		{"an answer with a point behind", "xk3190-command-point", "0x 02 41 42 2B 30 33 38 34 36 30 2E 30 46 03", weights(38460, 0, 0, g, 0)},
		{"gross at rest", "rice-lake", "\x02   38460KG \r\n", weights(38460, 0, 0, g, still)},
		{"-120 kg net moving", "rice-lake", "\x02-    120KNM\r\n", weights(0, -120, 0, n, wim.NetShown)},
		{"over range", "rice-lake", "\x02 9999999KGO\r\n", weights(0, 0, 0, 0, wim.Overload)},
		{"not valid", "rice-lake", "\x02       0KGI\r\n", weights(0, 0, 0, 0, wim.Faulty)},
		{"eight characters", "condec", "\x02    38460KG \r\n", weights(38460, 0, 0, g, still)},
		{"gross on demand", "condec-demand", "\x02    38460 KG GR\r\n", weights(38460, 0, 0, g, 0)},
		{"net on demand", "condec-demand", "\x02-     120 KG NT\r\n", weights(0, -120, 0, n, wim.NetShown)},
		{"without spaces", "cardinal", " 038460KGG  \r", weights(38460, 0, 0, g, still)},
		{"with spaces, centre of zero", "cardinal", " 000000 KG G CZ\r", weights(0, 0, 0, g, still|wim.AtZero)},
		{"-120 net moving", "cardinal-enq", "-000120 KG N MO\r", weights(0, -120, 0, n, wim.NetShown)},
		{"over capacity", "cardinal-enq", " 099999 KG G OC\r", weights(0, 0, 0, 0, wim.Overload)},
		{"a point among the digits", "cardinal", " 038460.KGG  \r", weights(38460, 0, 0, g, still)},
		{"at rest", "aandd", "ST,GS,+0038460kg\r\n", weights(38460, 0, 0, g, still)},
		{"not at rest", "aandd", "US,GS,+0038455kg\r\n", weights(38455, 0, 0, g, 0)},
		{"eight characters, net", "aandd", "ST,NT,-000120.0kg\r\n", weights(0, -120, 0, n, stillNet)},
		{"nines of overload are no weight", "aandd", "OL,GS,+9999999kg\r\n", weights(0, 0, 0, 0, wim.Overload)},
		{"both pads together", "paw", "ST,GS, 0008240kg\r\n", weights(8240, 0, 0, g, still)},
		{"gross", "rinstrum", "\x02 0008240G\x03", weights(8240, 0, 0, g, still)},
		{"moving, not told whether gross or net", "rinstrum", "\x02 0008240M\x03", weights(0, 0, 0, 0, 0)},
		{"an error", "rinstrum", "\x02 0000000E\x03", weights(0, 0, 0, 0, wim.Faulty)},
	}
}

func TestEachFrameIsReadAsItsLayoutSays(t *testing.T) {
	for _, g := range goldens() {
		t.Run(g.dialect+": "+g.name, func(t *testing.T) {
			d, err := DialectNamed(g.dialect)
			if err != nil {
				t.Fatal(err)
			}
			wire := g.wire(t)
			frames, dec := decodeAs(t, g.dialect, options(d), wire, wire)
			if len(frames) != 2 || frames[0].Err != nil || frames[1].Err != nil || dec.Waiting() != 0 || dec.Skipped() != 0 {
				t.Fatalf("%+v, %d waiting, %d skipped", frames, dec.Waiting(), dec.Skipped())
			}
			if first := frames[0].Indication; d.twice && first != (wim.Indication{}) {
				t.Errorf("counted without a second equal frame: %+v", first)
			}
			in := frames[1].Indication
			if got := in.Knows &^ wim.WasRounded; got != d.Knows || !got.Has(in.State&^wim.WasRounded) {
				t.Errorf("knows %v, is %v, want to know %v", got.Names(), in.State.Names(), d.Knows.Names())
			}
			if d.Tells != 0 && !d.Tells.Has(in.Tells) {
				t.Errorf("tells %v, the table says %v", in.Tells.Names(), d.Tells.Names())
			}
			in.Knows = 0
			if in != g.want {
				t.Errorf("%+v, want %+v", in, g.want)
			}
			if f := frames[1]; f.Offset != uint64(len(wire)) || f.Size != len(wire) {
				t.Errorf("at %d, %d bytes", f.Offset, f.Size)
			}
		})
	}
}

func TestEveryDialectHasAGoldenFrameAndSaysWhereItsLayoutStands(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range goldens() {
		seen[g.dialect] = true
	}
	names := map[string]bool{}
	for _, d := range Dialects() {
		if !seen[d.Name] || names[d.Name] || d.Title == "" || d.Frame == "" || d.Check == "" || d.Source == "" {
			t.Errorf("%+v", d)
		}
		names[d.Name] = true
		for _, u := range d.Units {
			if grams(u) == 0 {
				t.Errorf("%s: unit %s", d.Name, u)
			}
		}
	}
	if _, err := DialectNamed("morse"); err == nil || !strings.Contains(err.Error(), "toledo") {
		t.Errorf("%v", err)
	}
}

func TestAFrameThatFailsACheckIsNoIndication(t *testing.T) {
	for _, c := range []struct{ name, dialect, bytes, says string }{
		{"a checksum that does not fit", "toledo", "\x02\x3A\x30\x20038460000000\r\x13", "checksum"},
		{"parity that was not taken off", "toledo", "\x82\x3A\x30\xA0038460000000\r\x12", ""},
		{"pounds", "toledo-short-unchecked", "\x02\x3A\x20\x20038460\r", "no unit"},
		{"a unit code of another maker", "toledo-short-unchecked", "\x02\x3A\x30\x23038460\r", "unit code 3"},
		{"an expanded display", "toledo-short-unchecked", "\x02\x3A\x30\x30038460\r", "expanded"},
		{"digits with a space among them", "toledo-short-unchecked", "\x02\x3A\x30\x20038 60\r", "no number"},
		{"12.34 t with two decimals in kilograms", "toledo-short-unchecked", "\x02\x34\x30\x20001234\r", "no whole number"},
		{"a syntax error", "mt-sics", "ES\r\n", "syntax"},
		{"a unit that there is not", "mt-sics", "S S      38460 lb\r\n", "no unit"},
		{"a weight of nine characters", "mt-sics", "S S     38460 kg\r\n", "layout"},
		{"dashes that are no weight", "sma", "\n 1G  ----------kg \r", "no number"},
		{"a command that is not known", "sma", "\n?\r", "did not understand"},
		{"a check that does not fit", "xk3190", "\x02+038460013\x03", "check"},
		{"five decimals", "xk3190", "\x02+038460517\x03", "decimals"},
		{"a decimal of a kilogram", "xk3190", "\x02+038465115\x03", ""},
		{"12.34 kg backwards", "xk3190-reversed", "=43.2100-", "no whole number"},
		{"another indicator's answer", "xk3190-command", "\x02BB+038460012\x03", "of indicator"},
		{"a ton that may be either", "rice-lake", "\x02      38TG \r\n", "no unit"},
		{"no unit", "rice-lake", "\x02   38460 G \r\n", "no unit"},
		{"a status that there is not", "condec", "\x02    38460KGX\r\n", "status"},
		{"no mode", "cardinal", " 038460KG   \r", "no mode"},
		{"a second header that there is not", "aandd", "ST,XX,+0038460kg\r\n", "header"},
		{"a weight below zero of pads", "paw", "ST,GS,-0008240kg\r\n", "sign"},
		{"a status letter that there is not", "rinstrum", "\x02 0008240X\x03", "status"},
	} {
		t.Run(c.dialect+": "+c.name, func(t *testing.T) {
			d, err := DialectNamed(c.dialect)
			if err != nil {
				t.Fatal(err)
			}
			frames, _ := decodeAs(t, c.dialect, options(d), []byte(c.bytes), []byte(c.bytes), bytes.Repeat([]byte{0}, 20))
			told := c.says == ""
			for _, f := range frames {
				if f.Err == nil {
					t.Errorf("read %+v", f.Indication)
				} else if strings.Contains(f.Err.Error(), c.says) {
					told = true
				}
			}
			if !told {
				t.Errorf("%+v does not say %q", frames, c.says)
			}
		})
	}
}

func TestParityIsTakenOffWhereTheSiteSaysSo(t *testing.T) {
	wire := []byte("\x82\x3A\x30\xA003\xB8\xB460000000\x8D\x12")
	frames, _ := decodeAs(t, "toledo", Options{SevenBits: true}, wire)
	if len(frames) != 1 || frames[0].Indication.Gross != 38460 {
		t.Errorf("%+v", frames)
	}
}

func TestAWeightFinerThanAKilogramIsRoundedOnlyWhereTheSiteSaysSo(t *testing.T) {
	wire := []byte("\x02+038465\x33\x31\x34\x03") // 38.465
	frames, _ := decodeAs(t, "xk3190", Options{Unit: "kg", Shown: "net", Nearest: true}, wire)
	if len(frames) != 1 || frames[0].Indication.Net != 38 || !frames[0].Indication.State.Has(wim.WasRounded) {
		t.Errorf("%+v", frames)
	}
	if frames, _ = decodeAs(t, "xk3190", Options{Unit: "t", Shown: "net"}, wire); len(frames) != 1 || frames[0].Indication.Net != 38465 {
		t.Errorf("%+v", frames)
	}
}

func TestTheOwnRequestThatComesBackIsNoFrame(t *testing.T) {
	d, err := DialectNamed("xk3190-command")
	if err != nil {
		t.Fatal(err)
	}
	request := d.Request(Options{})
	if string(request) != "\x02AB03\x03" {
		t.Errorf("%q", request)
	}
	frames, dec := decodeAs(t, d.Name, options(d), request, []byte("\x02AB+038460011\x03"))
	if len(frames) != 1 || frames[0].Indication.Gross != 38460 || dec.Skipped() != 0 {
		t.Errorf("%+v, skipped %d", frames, dec.Skipped())
	}
}

func TestOptionsThatADialectNeedsAreNotGuessed(t *testing.T) {
	for _, c := range []struct {
		name, dialect string
		o             Options
		says          string
	}{
		{"no unit", "xk3190", Options{Shown: "gross"}, "unit"},
		{"pounds", "xk3190", Options{Shown: "gross", Unit: "lb"}, "unit"},
		{"neither gross nor net", "xk3190", Options{Unit: "kg"}, "gross or net"},
		{"a unit that the frame tells", "toledo", Options{Unit: "kg"}, "leave it out"},
		{"gross where the frame tells", "toledo", Options{Shown: "gross"}, "leave it out"},
		{"an address where there is none", "toledo", Options{Address: 'B'}, "no addresses"},
		{"an address that there is not", "xk3190-command", Options{Unit: "kg", Address: '1'}, "A to Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := NewDecoder(c.dialect, c.o); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// told are the indications that carry something.
func told(frames []Frame) (out []wim.Indication) {
	for _, f := range frames {
		if f.Err == nil && f.Indication != (wim.Indication{}) {
			out = append(out, f.Indication)
		}
	}
	return out
}

func TestPropertyHowTheBytesAreCutChangesNothing(t *testing.T) {
	gs := goldens()
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.SampledFrom(gs).Draw(t, "frame")
		d, err := DialectNamed(g.dialect)
		if err != nil {
			t.Fatal(err)
		}
		wire := g.wire(t)
		noise := rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "noise")
		all := slices.Concat(wire, noise, wire, wire, wire)
		whole, w := decodeAs(t, d.Name, options(d), all)
		var pieces [][]byte
		for rest := all; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		cut, c := decodeAs(t, d.Name, options(d), pieces...)
		if len(whole) != len(cut) || w.Skipped() != c.Skipped() || w.Waiting() != c.Waiting() {
			t.Fatalf("%d frames whole, %d cut", len(whole), len(cut))
		}
		for i := range whole {
			if whole[i].Indication != cut[i].Indication || whole[i].Offset != cut[i].Offset || (whole[i].Err == nil) != (cut[i].Err == nil) {
				t.Errorf("%+v became %+v", whole[i], cut[i])
			}
		}
	})
}

func TestGarbageAtEveryPlaceCostsNoOtherReading(t *testing.T) {
	for _, g := range goldens() {
		d, err := DialectNamed(g.dialect)
		if err != nil {
			t.Fatal(err)
		}
		wire := g.wire(t)
		want, _ := decodeAs(t, d.Name, options(d), wire, wire)
		good := want[1].Indication
		for _, garbage := range []string{"\x00", "\xff\xff\xff", "\x02", "=", "S", " ", "\n", "ST,", "\x02\x02A", "-", "W", "\r\n"} {
			for at := range len(wire) + 1 {
				spoilt := slices.Concat(wire[:at], []byte(garbage), wire[at:])
				// Three good ones follow, and quiet, so that nothing waits for more.
				frames, _ := decodeAs(t, d.Name, options(d), spoilt, wire, wire, wire, bytes.Repeat([]byte{0}, 20))
				readings := told(frames)
				if len(readings) < 2 {
					t.Errorf("%s: %q at %d of %q: %d readings", d.Name, garbage, at, wire, len(readings))
				}
				for _, r := range readings {
					if r != good {
						t.Errorf("%s: %q at %d of %q: read %+v, want %+v", d.Name, garbage, at, wire, r, good)
					}
				}
			}
		}
	}
}

func FuzzDialects(f *testing.F) {
	all := Dialects()
	for _, g := range goldens() {
		f.Add(uint8(slices.IndexFunc(all, func(d Dialect) bool { return d.Name == g.dialect })), g.wire(f))
	}
	f.Fuzz(func(t *testing.T, n uint8, b []byte) {
		d := all[int(n)%len(all)]
		o := options(d)
		o.Nearest = true
		dec, err := NewDecoder(d.Name, o)
		if err != nil {
			t.Fatal(err)
		}
		var sizes int
		for _, c := range b {
			dec.Feed([]byte{c}, func(f Frame) {
				in := f.Indication
				switch {
				case f.Err != nil && in != (wim.Indication{}):
					t.Errorf("%+v", f)
				case f.Err == nil:
					sizes += f.Size
				}
				if in.State.Any(wim.Unweighable) && in.Tells != 0 || !in.Knows.Has(in.State) {
					t.Errorf("%+v", in)
				}
			})
			if dec.Waiting() > 24 {
				t.Fatalf("%d bytes wait", dec.Waiting())
			}
		}
		if sizes+int(dec.Skipped())+dec.Waiting() > len(b)+sizes {
			t.Errorf("%d bytes of frames, %d skipped, %d waiting, of %d", sizes, dec.Skipped(), dec.Waiting(), len(b))
		}
		// Whatever lay before, two good frames behind quiet are found.
		dec.Feed(bytes.Repeat([]byte{0}, 24), func(Frame) {})
		g := goldens()[slices.IndexFunc(goldens(), func(g golden) bool { return g.dialect == d.Name })]
		var found bool
		for range 2 {
			dec.Feed(g.wire(t), func(f Frame) { found = f.Err == nil && f.Indication.Tells == g.want.Tells })
		}
		if !found {
			t.Errorf("%s: the next good frame was not found", d.Name)
		}
	})
}
