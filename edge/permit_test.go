package edge

import (
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

const goodPermit = "川a·12345,川A9挂,P-1,2026-01-01T00:00:00+08:00,2027-01-01T00:00:00+08:00,G5;G42,8,80000,13000,,3500,\n"

func TestPermitsAreReadWithAllThatTheySay(t *testing.T) {
	p, err := ReadPermits("p.csv", strings.NewReader(permitHeader+"\n"+goodPermit))
	if err != nil || p.Len() != 1 {
		t.Fatal(p, err)
	}
	got := p.Find("川A12345")
	if len(got) != 1 {
		t.Fatal(got)
	}
	x := got[0]
	if x.Number != "P-1" || x.Trailer != "川A9挂" || strings.Join(x.Roads, ";") != "G5;G42" || x.Axles != 8 || x.Gross != 80000 || x.Axle != 13000 || x.Length != 0 || x.Width != 3500 || x.Height != 0 {
		t.Errorf("%+v", x)
	}
	if x.ValidFrom.String() != "2025-12-31T16:00:00.000000000Z" {
		t.Error(x.ValidFrom)
	}
}

func TestAPermitThatCannotBeReadIsNamedWithItsLine(t *testing.T) {
	for name, row := range map[string]string{
		"no plate":                ",,1,2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,,6,1,,,,\n",
		"a day instead of a time": "A,,1,2026-01-01,2027-01-01T00:00:00Z,,6,1,,,,\n",
		"an end before the start": "A,,1,2027-01-01T00:00:00Z,2026-01-01T00:00:00Z,,6,1,,,,\n",
		"no axles":                "A,,1,2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,,,1,,,,\n",
		"nothing permitted":       "A,,1,2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,,6,,,,,\n",
		"an empty road":           "A,,1,2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,G5;;G6,6,1,,,,\n",
		"a mass that is none":     "A,,1,2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,,6,80t,,,,\n",
		"the same number twice":   strings.Replace(goodPermit, "12345", "99999", 1),
		"a column too few":        "A,,1\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadPermits("p.csv", strings.NewReader(permitHeader+"\n"+goodPermit+row))
			if err == nil || !strings.Contains(err.Error(), "p.csv") || !strings.Contains(err.Error(), "3") {
				t.Errorf("%v", err)
			}
		})
	}
	many := permitHeader + "\n"
	for i := range maxPermits + 1 {
		many += strings.Replace(goodPermit, "P-1", "P-"+string(rune('a'+i)), 1)
	}
	if _, err := ReadPermits("p.csv", strings.NewReader(many)); err == nil {
		t.Error("one plate has more permits than a record may carry")
	}
}

func TestAVehiclesFactsNameItsPermitsAndTheStation(t *testing.T) {
	p, err := ReadPermits("p.csv", strings.NewReader(permitHeader+"\n"+goodPermit))
	if err != nil {
		t.Fatal(err)
	}
	w := &Works{Permits: []*Permits{p}, Station: wim.MotorwayEntrance}
	f := &wim.Facts{Units: []wim.Unit{{Plate: "川A12345"}, {Plate: "川A9挂"}}}
	w.mark(f)
	if len(f.Permits) != 1 || f.Station != wim.MotorwayEntrance {
		t.Errorf("%+v", f)
	}
	f.Units[0].Plate = "川B1"
	if w.mark(f); f.Permits != nil {
		t.Errorf("another plate has %+v", f.Permits)
	}
}
