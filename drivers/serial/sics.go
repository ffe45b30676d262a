package serial

import (
	"bytes"
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

func sics() []Dialect {
	d := Dialect{
		Title:  "MT-SICS of Mettler Toledo",
		Frame:  "identifier, space, status, space, ten characters of weight, space, unit, CR LF",
		Check:  noCheck,
		Source: "MT-SICS reference and the manuals of AT balances, Kern FTC and BTEK T104",
		Hello:  "@\r\n", // a stream of an earlier session may still run
		Units:  []string{"kg", "t", "g"},
		Knows:  wim.Stable | wim.Overload | wim.Underload,
		Lacks:  []string{"the answer does not tell gross from net"},
		find:   sicsFrame, twice: true,
	}
	now, still := d, d
	now.Name, now.Request = "mt-sics", func(Options) []byte { return []byte("SI\r\n") }
	still.Name, still.Request = "mt-sics-stable", func(Options) []byte { return []byte("S\r\n") }
	now.Title += ", weight at once (SI)"
	still.Title += ", weight when stable (S)"
	return []Dialect{now, still}
}

// sicsFrame reads answers that begin with S, as indicators do, or with SI, as others do, and the error answers.
func sicsFrame(b []byte, _ Options) found {
	for _, e := range []struct{ line, says string }{{"ES\r\n", "a syntax error"}, {"ET\r\n", "a transmission error"}, {"EL\r\n", "a logical error"}} {
		if f := match(b, e.line, 2); f.state != isNoStart {
			f.said.refused = fmt.Errorf("the indicator reports %s in what it was asked", e.says)
			return f
		}
	}
	head := match(b, "S ", 2)
	if head.state == isNoStart {
		head = match(b, "SI ", 3)
	}
	if head.state != isGood {
		return head
	}
	n := head.size
	if len(b) == n {
		return found{state: isPartial}
	}
	var v said
	switch b[n] {
	case 'I', '+', '-':
		v.silent = b[n] == 'I'
		switch b[n] {
		case '+':
			v.state = wim.Overload
		case '-':
			v.state = wim.Underload
		}
		f := match(b, string(b[:n+1])+"\r\n", n+1)
		f.said = v
		return f
	case 'S':
		v.state = wim.Stable
	case 'D':
	default:
		return found{state: isNoStart}
	}
	f := match(b, string(b[:n+1])+" &&&&&&&&&& ", n+2)
	if f.state != isGood {
		return f
	}
	const most = 3
	unit := b[f.size:min(len(b), f.size+most+2)]
	for i, c := range unit {
		if c == '\r' {
			break
		}
		if c < 'A' || i >= most {
			return bad(f.size+i+1, "byte %d: %#02x %w", f.size+i, c, errLayout)
		}
	}
	end := bytes.IndexByte(unit, '\r')
	switch {
	case end < 0 || end+1 == len(unit):
		return found{state: isPartial}
	case end == 0 || unit[end+1] != '\n':
		return bad(f.size+end+2, "byte %d %w", f.size+end, errLayout)
	}
	field := b[n+2 : n+12]
	var err error
	if v.weight, err = numberOf(string(field)); err != nil {
		return bad(f.size, "weight %w", err)
	}
	v.unit = string(unit[:end])
	return good(f.size+end+2, v)
}
