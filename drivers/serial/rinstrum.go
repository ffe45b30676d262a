package serial

import "github.com/axlegate/axlegate/wim"

func rinstrum() []Dialect {
	return []Dialect{{
		Name:  "rinstrum",
		Title: "Rinstrum-like: one status letter",
		Frame: "STX, sign (space or -), seven characters of weight, one of G N U O M E, ETX: 11 bytes",
		Check: noCheck, Source: "an article on animal weighing (PMC3230975) and a coffee roaster's control program, which agree",
		Tells: wim.TellsGross | wim.TellsNet, Knows: wim.Stable | wim.Overload | wim.Underload | wim.Faulty,
		Lacks: []string{"unit is not told", "while the load moves, gross and net are not told apart: there is no weight then"},
		find:  rinstrumFrame, twice: true,
	}}
}

func rinstrumFrame(b []byte, _ Options) found {
	f := match(b, "\x02~&&&&&&&~\x03", 1)
	if f.state != isGood {
		return f
	}
	var v said
	switch c := b[9]; c {
	case 'G', 'N':
		v.mode(c)
		v.state = wim.Stable
	case 'M':
		return good(f.size, v)
	case 'O':
		v.state = wim.Overload
		return good(f.size, v)
	case 'U':
		v.state = wim.Underload
		return good(f.size, v)
	case 'E':
		v.state = wim.Faulty
		return good(f.size, v)
	default:
		return bad(f.size, "status %q %w", c, errLayout)
	}
	return v.signed(f.size, b[1], b[2:9])
}
