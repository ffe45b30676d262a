package serial

import "github.com/axlegate/axlegate/wim"

func toledo() []Dialect {
	d := Dialect{
		Title:  "Mettler Toledo continuous output, and its many imitations",
		Source: "Mettler Toledo and Kern FTC manuals; Rice Lake, Fairbanks, Liden and Triner manuals for what imitations change",
		Units:  []string{"kg", "t", "g"}, Tells: wim.TellsGross | wim.TellsNet | wim.TellsTare,
		Knows: wim.Stable | wim.NetShown | wim.Overload | wim.Underload,
		Lacks: []string{
			"over and under share one bit: with the minus sign it is taken as under, otherwise as over",
			"bits 5 and 6 of the status bytes differ among makers and are not looked at, so \"not yet zeroed\" is not told",
			"whether the decimals of an expanded display are those of the frame: such a frame is refused",
		},
	}
	const frame = "STX, three status bytes, six digits of weight"
	kinds := []struct {
		name, frame, picture string
		tare, check          bool
	}{
		{"toledo", frame + ", six of tare, CR, checksum: 18 bytes", "\x02***%%%%%%%%%%%%\r*", true, true},
		{"toledo-unchecked", frame + ", six of tare, CR: 17 bytes", "\x02***%%%%%%%%%%%%\r", true, false},
		{"toledo-short", frame + ", CR, checksum: 12 bytes", "\x02***%%%%%%\r*", false, true},
		{"toledo-short-unchecked", frame + ", CR: 11 bytes", "\x02***%%%%%%\r", false, false},
	}
	var out []Dialect
	for _, k := range kinds {
		d.Name, d.Frame, d.Check, d.twice = k.name, k.frame, "the low seven bits of the sum of all bytes are 0", !k.check
		if !k.check {
			d.Check = noCheck
		}
		if !k.tare {
			d.Tells = wim.TellsGross | wim.TellsNet
		} else {
			d.Tells = wim.TellsGross | wim.TellsNet | wim.TellsTare
		}
		d.find = func(b []byte, _ Options) found {
			f := match(b, k.picture, 1)
			if f.state != isGood {
				return f
			}
			if k.check && sum(b[:f.size])&0x7F != 0 {
				return bad(f.size, "checksum %#02x does not fit", b[f.size-1])
			}
			return toledoFrame(b[:f.size], k.tare)
		}
		out = append(out, d)
	}
	return out
}

// noCheck says what guards a frame that has no checksum.
const noCheck = "none: a frame counts when the next one is equal"

func sum(b []byte) (s byte) {
	for _, c := range b {
		s += c
	}
	return s
}

func toledoFrame(b []byte, withTare bool) found {
	a, s, c := b[1], b[2], b[3]
	if (a|s|c)&0x80 != 0 {
		return bad(4, "status with the eighth bit set: the indicator sends parity; open the port so, or take it off")
	}
	var v said
	const net, minus, outside, motion, kilo = 1, 2, 4, 8, 16
	v.shows = wim.TellsGross
	if s&net != 0 {
		v.shows, v.state = wim.TellsNet, wim.NetShown
	}
	if s&motion == 0 {
		v.state |= wim.Stable
	}
	switch {
	case s&outside != 0 && s&minus != 0:
		v.state |= wim.Underload
		return good(len(b), v)
	case s&outside != 0:
		v.state |= wim.Overload
		return good(len(b), v)
	}
	if c&0x10 != 0 {
		return bad(len(b), "expanded display: set the indicator back to its usual resolution")
	}
	switch unit := c & 7; unit {
	case 0:
		v.unit = "lb"
		if s&kilo != 0 {
			v.unit = "kg"
		}
	case 1:
		v.unit = "g"
	case 2:
		v.unit = "t"
	default:
		return bad(len(b), "unit code %d: %w", unit, errUnit)
	}
	var err error
	if v.weight, err = sixDigits(b[4:10], a); err != nil {
		return bad(len(b), "weight %w", err)
	}
	if s&minus != 0 {
		v.weight.n = -v.weight.n
	}
	if withTare {
		if v.tare, err = sixDigits(b[10:16], a); err != nil {
			return bad(len(b), "tare %w", err)
		}
	}
	return good(len(b), v)
}

// sixDigits is a field of digits, spaces before them, with the point where status byte A puts it.
func sixDigits(field []byte, a byte) (number, error) {
	n, err := numberOf(string(field))
	if err != nil {
		return number{}, err
	}
	n.places = int(a&7) - 2
	return n, nil
}
