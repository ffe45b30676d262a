package simulator

import (
	"path/filepath"
	"testing"
)

func TestATerminalSaysWhatItsLayoutSays(t *testing.T) {
	for _, c := range []struct {
		name, dialect string
		load          StaticLoad
		want          string
	}{
		{"38 460 kg at rest", "toledo", StaticLoad{Gross: 38460}, "\x02\x3A\x30\x20038460000000\r\x12"},
		{"-120 kg net, moving", "toledo", StaticLoad{Gross: 14080, Tare: 14200, Moving: true}, "\x02\x3A\x3B\x20000120014200\r\x12"},
		{"38 460 kg at rest", "mt-sics", StaticLoad{Gross: 38460}, "S S      38460 kg\r\n"},
		{"38 460 kg at rest", "sma", StaticLoad{Gross: 38460}, "\n 1G       38460kg \r"},
		{"overload", "sma", StaticLoad{Gross: 99990, Over: true}, "\nO1G  ----------kg \r"},
		{"38 460", "xk3190", StaticLoad{Gross: 38460}, "\x02+038460012\x03"},
		{"38 460 backwards", "xk3190-reversed", StaticLoad{Gross: 38460}, "=06483000"},
		{"38 460 kg at rest", "rice-lake", StaticLoad{Gross: 38460}, "\x02   38460KG \r\n"},
		{"-120 kg net, moving", "cardinal-enq", StaticLoad{Gross: 14080, Tare: 14200, Moving: true}, "-000120 KG N MO\r"},
		{"38 460 kg at rest", "aandd", StaticLoad{Gross: 38460}, "ST,GS,+0038460kg\r\n"},
		{"no weight at rest while it moves", "mt-sics-stable", StaticLoad{Gross: 1, Moving: true}, "S I\r\n"},
	} {
		t.Run(c.dialect+": "+c.name, func(t *testing.T) {
			d := &Terminal{kind: terminalKinds()[c.dialect], load: c.load}
			if have := d.next(); have != c.want {
				t.Errorf("%q, want %q", have, c.want)
			}
		})
	}
}

func TestATerminalThatCannotStandIsRefused(t *testing.T) {
	for name, cfg := range map[string]TerminalConfig{
		"no such dialect":         {Dialect: "morse", Address: "127.0.0.1:0"},
		"neither line nor server": {Dialect: "toledo"},
		"no such address":         {Dialect: "toledo", Address: "127.0.0.1:-1"},
		"a folder that is a file": {Dialect: "toledo", Line: filepath.Join("terminal_test.go", "line")},
	} {
		if d, err := NewTerminal(t.Context(), cfg); err == nil {
			t.Errorf("%s: it stands", name)
			d.Close() //nolint:errcheck // it should not be there
		}
	}
}
