package serial

import (
	"errors"

	"github.com/axlegate/axlegate/wim"
)

var errAsked = errors.New("the indicator did not understand what it was asked")

func condec() []Dialect {
	condec := Dialect{
		Name:  "condec",
		Title: "Condec continuous: Consolidated Controls, Transcell and others",
		Frame: "STX, sign (space or -), eight characters of weight, unit, G or N, status, CR LF: 15 bytes",
		Check: noCheck, Source: "manuals of Transcell TI-500 and TI-1680",
		Units: []string{"K"}, Tells: wim.TellsGross | wim.TellsNet, Knows: wim.Stable | wim.NetShown | wim.Overload,
		Lacks: []string{"over and under share one letter and are both taken as over"},
		find:  func(b []byte, _ Options) found { return condecFrame(b, "\x02~&&&&&&&&~~~\r\n") }, twice: true,
	}
	lake := condec
	lake.Name, lake.Title = "rice-lake", "Rice Lake IQ355 and indicators that imitate it"
	lake.Frame = "STX, sign (space or -), seven characters of weight, unit, G or N, status, CR LF: 14 bytes"
	lake.Source = "manual of Cardinal 200, which lists the format"
	lake.Units, lake.Knows = []string{"K", "G"}, lake.Knows|wim.Faulty
	lake.Lacks = []string{"unit T is refused: the source does not tell which ton it is", "a frame without a unit is refused"}
	lake.find = func(b []byte, _ Options) found { return condecFrame(b, "\x02~&&&&&&&~~~\r\n") }

	demand := condec
	demand.Name, demand.Title = "condec-demand", "Condec on demand"
	demand.Frame = "STX, sign (space or -), eight characters of weight, space, KG, space, GR or NT, CR LF: 18 bytes"
	demand.Units, demand.Knows = []string{"KG"}, wim.NetShown
	demand.Lacks = []string{"motion, over and under are not told", "the character that asks is a setting of the indicator: give it as the request"}
	demand.find, demand.Open = condecDemand, true
	return []Dialect{lake, condec, demand}
}

func condecFrame(b []byte, picture string) found {
	f := match(b, picture, 1)
	if f.state != isGood {
		return f
	}
	b = b[:f.size]
	unit, mode, status := b[f.size-5], b[f.size-4], b[f.size-3]
	v := said{unit: string(unit)}
	if !v.mode(mode) {
		return bad(f.size, "mode %q %w", mode, errLayout)
	}
	switch status {
	case ' ':
		v.state |= wim.Stable
	case 'M':
	case 'O':
		v.state |= wim.Overload
		return good(f.size, v)
	case 'I':
		v.state |= wim.Faulty
		return good(f.size, v)
	default:
		return bad(f.size, "status %q %w", status, errLayout)
	}
	return v.signed(f.size, b[1], b[2:f.size-5])
}

func condecDemand(b []byte, _ Options) found {
	f := match(b, "\x02~&&&&&&&& ~~ ~~\r\n", 1)
	if f.state != isGood {
		return f
	}
	v := said{unit: string(b[11:13])}
	if m := string(b[14:16]); m != "GR" && m != "NT" || !v.mode(m[0]) {
		return bad(f.size, "mode %q %w", m, errLayout)
	}
	return v.signed(f.size, b[1], b[2:10])
}

// mode takes G for gross and N for net.
func (v *said) mode(c byte) bool {
	switch c {
	case 'G':
		v.shows = wim.TellsGross
	case 'N':
		v.shows = wim.TellsNet
		v.state |= wim.NetShown
	default:
		return false
	}
	return true
}

// signed completes a frame by a weight whose sign, space or minus, stands in a place of its own.
func (v said) signed(size int, sign byte, field []byte) found {
	n, err := numberOf(string(field))
	switch {
	case err != nil:
		return bad(size, "weight %w", err)
	case sign != ' ' && sign != '-' || n.n < 0:
		return bad(size, "sign %q of %q %w", sign, field, errLayout)
	case sign == '-':
		n.n = -n.n
	}
	v.weight = n
	return good(size, v)
}
