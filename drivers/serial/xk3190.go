package serial

import (
	"fmt"
	"slices"

	"github.com/axlegate/axlegate/wim"
)

func xk3190() []Dialect {
	const manuals = "manuals of Yaohua XK3190-A23P, A26, A1+P and DS3"
	plain := Dialect{
		Name:  "xk3190",
		Title: "Yaohua XK3190 (耀华), continuous format 0",
		Frame: "STX, sign, six digits, number of decimals, check in two characters, ETX: 12 bytes",
		Check: "exclusive or of sign to decimals, as two hexadecimal digits", Source: manuals,
		Lacks: []string{"unit, motion, gross or net, over and under: no frame tells them"},
		find:  xk3190Continuous,
	}
	reversed, forward := plain, plain
	reversed.Name, reversed.Title = "xk3190-reversed", "Yaohua XK3190 (耀华), continuous format 1"
	reversed.Frame = "=, seven digits and point from the last to the first, sign (- or 0): 9 bytes"
	forward.Name, forward.Title = "xk3190-forward", "Yaohua XK3190 (耀华), continuous format 2"
	forward.Frame = "=, sign (- or 0), seven digits and point: 9 bytes"
	reversed.Check, forward.Check = noCheck, noCheck
	reversed.twice, forward.twice = true, true
	lacks := append(slices.Clone(plain.Lacks), "formats 1 and 2 look alike: only a known weight tells which one the indicator is set to")
	reversed.Lacks, forward.Lacks = lacks, lacks
	reversed.find = func(b []byte, _ Options) found { return xk3190Equals(b, true) }
	forward.find = func(b []byte, _ Options) found { return xk3190Equals(b, false) }

	text := Dialect{
		Name:  "xk3190-a12e",
		Title: "Yaohua XK3190-A12E (耀华), text",
		Frame: "W, G or N, seven characters of weight, kg, check in two characters, CR LF: 15 bytes",
		Check: "exclusive or of the eleven characters before it, as two hexadecimal digits", Source: "manual of Yaohua XK3190-A12E",
		Units: []string{"kg"}, Tells: wim.TellsGross | wim.TellsNet, Knows: wim.NetShown | wim.Overload | wim.Underload,
		Lacks: []string{"motion is not told", "the manual's words suggest a sum as check; its printed frames bear an exclusive or"},
		find:  xk3190Text,
	}
	command := Dialect{
		Name:  "xk3190-command",
		Title: "Yaohua XK3190 (耀华), command format, decimals counted",
		Frame: "STX, address A to Z, command B, sign, six digits, number of decimals, check in two characters, ETX: 14 bytes",
		Check: "exclusive or of address to data, as two hexadecimal digits", Source: manuals,
		Request: xk3190Request, Tells: wim.TellsGross, Shared: true,
		Lacks: []string{"unit and motion: no answer tells them", "net and tare: their commands are swapped among models, so only gross is asked for"},
		find:  func(b []byte, o Options) found { return xk3190Answer(b, o, false) },
	}
	point := command
	point.Name, point.Title = "xk3190-command-point", "Yaohua XK3190 (耀华), command format, with a point"
	point.Frame = "STX, address A to Z, command B, sign, seven digits and point, check in two characters, ETX: 14 bytes"
	point.find = func(b []byte, o Options) found { return xk3190Answer(b, o, true) }
	return []Dialect{plain, reversed, forward, text, command, point}
}

// xorHex is the exclusive or of b as two upper-case hexadecimal digits.
func xorHex(b []byte) string {
	var x byte
	for _, c := range b {
		x ^= c
	}
	return fmt.Sprintf("%02X", x)
}

func xk3190Continuous(b []byte, _ Options) found {
	const size = 12
	f := match(b, "\x02&#######**\x03", 1)
	if f.state != isGood {
		return f
	}
	if x := xorHex(b[1:9]); string(b[9:11]) != x {
		return bad(size, "check %q, want %q", b[9:11], x)
	}
	n, err := counted(b[1:9])
	if err != nil {
		return bad(size, "weight %w", err)
	}
	return good(size, said{weight: n})
}

// counted is a sign, digits and the number of decimals among them, 0 to 4.
func counted(field []byte) (number, error) {
	last := len(field) - 1
	if s := field[0]; s != '+' && s != '-' {
		return number{}, fmt.Errorf("sign %q: %w", s, errNumber)
	}
	if d := field[last]; d > '4' {
		return number{}, fmt.Errorf("%q decimals: %w", d, errNumber)
	}
	n, err := numberOf(string(field[:last]))
	n.places = int(field[last] - '0')
	return n, err
}

func xk3190Equals(b []byte, backwards bool) found {
	const size = 9
	f := match(b, "=&&&&&&&&", 1)
	if f.state != isGood {
		return f
	}
	field := slices.Clone(b[1:size])
	if backwards {
		slices.Reverse(field)
	}
	if s := field[0]; s != '-' && s != '0' {
		return bad(size, "sign %q %w", s, errLayout)
	}
	if slices.ContainsFunc(field[1:], func(c byte) bool { return !digit(c) && c != '.' }) {
		return bad(size, "weight %q %w", field[1:], errLayout)
	}
	n, err := numberOf(string(field))
	if err != nil {
		return bad(size, "weight %w", err)
	}
	return good(size, said{weight: n})
}

func xk3190Text(b []byte, _ Options) found {
	for _, e := range []struct {
		line  string
		state wim.Condition
	}{{"         OL23\r\n", wim.Overload}, {"         LO23\r\n", wim.Underload}} {
		if f := match(b, e.line, len(e.line)); f.state != isNoStart {
			f.said.state = e.state
			return f
		}
	}
	const size = 15
	f := match(b, "W~&&&&&&&kg~~\r\n", 1)
	if f.state != isGood {
		return f
	}
	if x := xorHex(b[:11]); string(b[11:13]) != x {
		return bad(size, "check %q, want %q", b[11:13], x)
	}
	v := said{shows: wim.TellsGross, unit: "kg"}
	switch b[1] {
	case 'G':
	case 'N':
		v.shows, v.state = wim.TellsNet, wim.NetShown
	default:
		return bad(size, "mode %q %w", b[1], errLayout)
	}
	var err error
	if v.weight, err = numberOf(string(b[2:9])); err != nil {
		return bad(size, "weight %w", err)
	}
	return good(size, v)
}

// xk3190Request asks for gross: the one command that means the same in all models.
func xk3190Request(o Options) []byte {
	what := []byte{o.address(), 'B'}
	return append(append(append([]byte{2}, what...), xorHex(what)...), 3)
}

func (o Options) address() byte {
	if o.Address == 0 {
		return 'A'
	}
	return o.Address
}

func xk3190Answer(b []byte, o Options, point bool) found {
	const size = 14
	// On two wires the request itself comes back.
	request := string(xk3190Request(o))
	if echo := match(b, request, len(request)); echo.state == isGood {
		echo.state = isAside
		return echo
	} else if echo.state == isPartial {
		return echo
	}
	picture := "\x02~~&#######**\x03"
	if point {
		picture = "\x02~~&&&&&&&&**\x03"
	}
	f := match(b, picture, 1)
	if f.state != isGood {
		return f
	}
	if x := xorHex(b[1:11]); string(b[11:13]) != x {
		return bad(size, "check %q, want %q", b[11:13], x)
	}
	if b[1] != o.address() || b[2]&^0x20 != 'B' { // some send the command back in lower case
		return bad(size, "an answer of indicator %q to command %q, not of %q to B", b[1], b[2], o.address())
	}
	v := said{shows: wim.TellsGross}
	var err error
	if point {
		if field := b[3:11]; (field[0] != '+' && field[0] != '-') || !slices.Contains(field, '.') || !digit(field[1]) {
			return bad(size, "weight %q %w", field, errLayout)
		}
		v.weight, err = numberOf(string(b[3:11]))
	} else {
		v.weight, err = counted(b[3:11])
	}
	if err != nil {
		return bad(size, "weight %w", err)
	}
	return good(size, v)
}
