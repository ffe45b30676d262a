package serial

import (
	"github.com/axlegate/axlegate/wim"
)

func aandd() []Dialect {
	d := Dialect{
		Name:  "aandd",
		Title: "A&D style: General Measure, Triner, PCE and others",
		Frame: "ST, US or OL, comma, GS or NT, comma, sign, seven or eight characters of weight, two of unit, CR LF: 18 or 19 bytes",
		Check: noCheck, Source: "manuals of General Measure M02, Triner TS-700 and PCE HLD150",
		Units: []string{"kg", "t", "g"}, Tells: wim.TellsGross | wim.TellsNet,
		Knows: wim.Stable | wim.NetShown | wim.Overload,
		Lacks: []string{"under is not told"},
		find:  func(b []byte, _ Options) found { return aanddFrame(b, "+-") }, twice: true,
	}
	pads := d
	pads.Name, pads.Title = "paw", "PAW console of wheel-weighing pads"
	pads.Frame = "ST, US or OL, comma, GS or NT, comma, space, seven digits, kg, CR LF: 18 bytes"
	pads.Source = "an integration of Kenyan weighbridges"
	pads.Request = func(Options) []byte { return []byte("W") }
	pads.Lacks = []string{"the weight is of both pads together: left and right are not told", "a weight below zero is not described and refused", "under is not told"}
	pads.Units = []string{"kg"}
	pads.find = func(b []byte, _ Options) found { return aanddFrame(b, " ") }
	return []Dialect{d, pads}
}

func aanddFrame(b []byte, signs string) found {
	f := match(b, "~~,~~,~&&&&&&&", 3)
	if f.state == isNoStart {
		return f
	}
	var v said
	heads := []struct {
		text  string
		state wim.Condition
	}{{"ST,", wim.Stable}, {"US,", 0}, {"OL,", wim.Overload}}
	begun := false
	for _, h := range heads {
		switch m := match(b, h.text, len(h.text)); m.state {
		case isGood, isPartial:
			begun = true
			v.state = h.state
		default:
		}
	}
	if !begun {
		return found{state: isNoStart}
	}
	if f.state != isGood {
		return f
	}
	if m := string(b[3:5]); m != "GS" && m != "NT" || !v.mode(m[0]) {
		return bad(f.size, "second header %q %w", b[3:5], errLayout)
	}
	sign := b[6]
	if sign != signs[0] && sign != signs[len(signs)-1] {
		return bad(f.size, "sign %q %w", sign, errLayout)
	}
	if len(b) < 15 {
		return found{state: isPartial}
	}
	end := 14
	if c := b[14]; digit(c) || c == '.' {
		end = 15
	}
	f = match(b, string(b[:end])+"~~\r\n", end)
	if f.state != isGood {
		return f
	}
	if v.state.Any(wim.Overload) {
		return good(f.size, v)
	}
	v.unit = string(b[end : end+2])
	if sign == '+' {
		sign = ' '
	}
	return v.signed(f.size, sign, b[7:end])
}
