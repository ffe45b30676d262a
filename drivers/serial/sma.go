package serial

import (
	"strings"

	"github.com/axlegate/axlegate/wim"
)

func sma() []Dialect {
	return []Dialect{{
		Name:    "sma",
		Title:   "SCP-0499 of the Scale Manufacturers Association: Sartorius, Minebea, Cardinal, BTEK",
		Frame:   "LF, status, range, gross or net, motion, a space, ten characters of weight, three of unit, CR: 20 bytes",
		Check:   noCheck,
		Source:  "manuals of Sartorius PR 5220, Minebea PR 5215 and PR 5410, BTEK T419S, Cardinal 190",
		Request: func(Options) []byte { return []byte("\nW\r") },
		Units:   []string{"kg", "t", "g"}, Tells: wim.TellsGross | wim.TellsNet | wim.TellsTare,
		Knows: wim.Stable | wim.AtZero | wim.NetShown | wim.Overload | wim.Underload | wim.Faulty,
		find:  smaFrame, twice: true,
	}}
}

func smaFrame(b []byte, _ Options) found {
	if f := match(b, "\n?\r", 3); f.state == isGood {
		f.said.refused = errAsked
		return f
	} else if f.state == isPartial {
		return f
	}
	f := match(b, "\n~#~~ ~~~~~~~~~~~~~\r", 2)
	if f.state != isGood {
		return f
	}
	var v said
	switch b[3] {
	case 'G', 'g':
		v.shows = wim.TellsGross
	case 'N', 'n':
		v.shows, v.state = wim.TellsNet, wim.NetShown
	case 'T':
		v.shows = wim.TellsTare
	default:
		return bad(f.size, "mode %q %w", b[3], errLayout)
	}
	switch b[4] {
	case ' ':
		v.state |= wim.Stable
	case 'M':
	default:
		return bad(f.size, "motion %q %w", b[4], errLayout)
	}
	switch b[1] {
	case ' ':
	case 'Z':
		v.state |= wim.AtZero
	case 'O':
		v.state |= wim.Overload
	case 'U':
		v.state |= wim.Underload
	case 'E', 'I', 'T', 'e':
		v.state |= wim.Faulty
	default:
		return bad(f.size, "status %q %w", b[1], errLayout)
	}
	if v.state.Any(wim.Overload | wim.Underload | wim.Faulty) {
		return good(f.size, v)
	}
	var err error
	if v.weight, err = numberOf(string(b[6:16])); err != nil {
		return bad(f.size, "weight %w", err)
	}
	v.unit = strings.TrimRight(string(b[16:19]), " ")
	return good(f.size, v)
}
