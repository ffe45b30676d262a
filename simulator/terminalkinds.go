package simulator

import (
	"fmt"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

// terminalKind is how an indicator speaks on a serial line. Each was written from the layout that its maker publishes.
type terminalKind struct {
	frame func(l StaticLoad) string
	// asks are the requests that are answered; empty for an indicator that sends by itself.
	asks []string
	// refuse is what is answered while the load moves, where the request wants a weight at rest.
	refuse string
}

// either is the first where it applies, else the second.
func either(applies bool, yes, no string) string {
	if applies {
		return yes
	}
	return no
}

func size(kg wim.Kg) wim.Kg { return max(kg, -kg) }

func toledoFrame(tare, check bool) func(StaticLoad) string {
	return func(l StaticLoad) string {
		status := 0x30 | int(set(0, l.Tare != 0)|set(1, l.net() < 0 || l.Under)|set(2, l.Over || l.Under)|set(3, l.Moving))
		s := fmt.Sprintf("\x02\x3A%c\x20%06d", rune(status), size(l.net()))
		if tare {
			s += fmt.Sprintf("%06d", l.Tare)
		}
		s += "\r"
		if check {
			total := 0
			for i := range len(s) {
				total += int(s[i])
			}
			s += string(rune(-total & 0x7F))
		}
		return s
	}
}

func xored(s string) string {
	x := 0
	for i := range len(s) {
		x ^= int(s[i])
	}
	return fmt.Sprintf("%02X", x)
}

func backwards(s string) string {
	var b strings.Builder
	for i := len(s) - 1; i >= 0; i-- {
		b.WriteByte(s[i])
	}
	return b.String()
}

func smaFrame(l StaticLoad) string {
	status := " "
	switch {
	case l.Broken:
		status = "E"
	case l.Over:
		status = "O"
	case l.Under:
		status = "U"
	case l.net() == 0:
		status = "Z"
	}
	weight := fmt.Sprintf("%10d", l.net())
	if status != " " && status != "Z" {
		weight = "----------"
	}
	return "\n" + status + "1" + either(l.Tare != 0, "N", "G") + either(l.Moving, "M", " ") + " " + weight + "kg \r"
}

func condecFrame(width int) func(StaticLoad) string {
	return func(l StaticLoad) string {
		status := either(l.Over, "O", either(l.Moving, "M", " "))
		return fmt.Sprintf("\x02%s%*dK%s%s\r\n", either(l.net() < 0, "-", " "), width, size(l.net()), either(l.Tare != 0, "N", "G"), status)
	}
}

func cardinalFrame(gap string) func(StaticLoad) string {
	return func(l StaticLoad) string {
		status := "  "
		switch {
		case l.Over:
			status = "OC"
		case l.Under:
			status = "BZ"
		case l.Moving:
			status = "MO"
		case l.net() == 0:
			status = "CZ"
		}
		return fmt.Sprintf("%s%06d%sKG%s%s%s%s\r", either(l.net() < 0, "-", " "), size(l.net()), gap, gap, either(l.Tare != 0, "N", "G"), gap, status)
	}
}

func headers(l StaticLoad) string {
	return either(l.Over, "OL", either(l.Moving, "US", "ST")) + "," + either(l.Tare != 0, "NT", "GS") + ","
}

func terminalKinds() map[string]terminalKind {
	sics := func(l StaticLoad) string {
		switch {
		case l.Over:
			return "S +\r\n"
		case l.Under:
			return "S -\r\n"
		}
		return fmt.Sprintf("S %s %10d kg\r\n", either(l.Moving, "D", "S"), l.net())
	}
	return map[string]terminalKind{
		"toledo":                 {frame: toledoFrame(true, true)},
		"toledo-unchecked":       {frame: toledoFrame(true, false)},
		"toledo-short":           {frame: toledoFrame(false, true)},
		"toledo-short-unchecked": {frame: toledoFrame(false, false)},
		"mt-sics":                {frame: sics, asks: []string{"SI\r\n"}},
		"mt-sics-stable":         {frame: sics, asks: []string{"S\r\n"}, refuse: "S I\r\n"},
		"sma":                    {frame: smaFrame, asks: []string{"\nW\r"}},
		"xk3190": {frame: func(l StaticLoad) string {
			s := fmt.Sprintf("%s%06d0", either(l.net() < 0, "-", "+"), size(l.net()))
			return "\x02" + s + xored(s) + "\x03"
		}},
		"xk3190-reversed": {frame: func(l StaticLoad) string {
			return "=" + backwards(fmt.Sprintf("%07d", size(l.net()))) + either(l.net() < 0, "-", "0")
		}},
		"xk3190-forward": {frame: func(l StaticLoad) string {
			return "=" + either(l.net() < 0, "-", "0") + fmt.Sprintf("%07d", size(l.net()))
		}},
		"xk3190-a12e": {frame: func(l StaticLoad) string {
			switch {
			case l.Over:
				return "         OL23\r\n"
			case l.Under:
				return "         LO23\r\n"
			}
			s := fmt.Sprintf("W%s%07dkg", either(l.Tare != 0, "N", "G"), l.net())
			return s + xored(s) + "\r\n"
		}},
		"xk3190-command": {asks: []string{"\x02AB03\x03"}, frame: func(l StaticLoad) string {
			s := fmt.Sprintf("AB%s%06d0", either(l.Gross < 0, "-", "+"), size(l.Gross))
			return "\x02" + s + xored(s) + "\x03"
		}},
		"xk3190-command-point": {asks: []string{"\x02AB03\x03"}, frame: func(l StaticLoad) string {
			s := fmt.Sprintf("Ab%s%06d.", either(l.Gross < 0, "-", "+"), size(l.Gross))
			return "\x02" + s + xored(s) + "\x03"
		}},
		"rice-lake": {frame: condecFrame(7)},
		"condec":    {frame: condecFrame(8)},
		"condec-demand": {asks: []string{"P"}, frame: func(l StaticLoad) string {
			return fmt.Sprintf("\x02%s%8d KG %s\r\n", either(l.net() < 0, "-", " "), size(l.net()), either(l.Tare != 0, "NT", "GR"))
		}},
		"cardinal":     {frame: cardinalFrame("")},
		"cardinal-enq": {frame: cardinalFrame(" "), asks: []string{"\x05"}},
		"aandd": {frame: func(l StaticLoad) string {
			return fmt.Sprintf("%s%+08dkg\r\n", headers(l), l.net())
		}},
		"paw": {asks: []string{"W"}, frame: func(l StaticLoad) string { return fmt.Sprintf("%s %07dkg\r\n", headers(l), size(l.net())) }},
		"rinstrum": {frame: func(l StaticLoad) string {
			letter := either(l.Tare != 0, "N", "G")
			switch {
			case l.Broken:
				letter = "E"
			case l.Over:
				letter = "O"
			case l.Under:
				letter = "U"
			case l.Moving:
				letter = "M"
			}
			return fmt.Sprintf("\x02%s%07d%s\x03", either(l.net() < 0, "-", " "), size(l.net()), letter)
		}},
	}
}
