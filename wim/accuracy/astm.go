package accuracy

import (
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

// conformity is the share of values, in percent, that ASTM E1318 wants within its tolerance.
const conformity = 95.0

// The quantities of ASTM E1318.
const (
	wheelLoad = iota
	axleLoad
	groupLoad
	grossMass
	speed
	spacing
	quantities
)

func quantityName(q int) string {
	return [quantities]string{"wheel-load", "axle-load", "axle-group", "gross", "speed", "axle-spacing"}[q]
}

// astmType is a type of system: tolerances in percent by quantity from wheel load to gross mass, 0 for none. Type IV
// gives pounds, from a smallest load in pounds.
type astmType struct {
	name    string
	percent [4]int64
	pounds  [4]int64
	from    [4]int64
}

// astmTypes lists the types. All tolerances are recalled: the text of the standard was not read.
func astmTypes() []astmType {
	return []astmType{
		{name: "I", percent: [4]int64{25, 20, 15, 10}},
		{name: "II", percent: [4]int64{0, 30, 20, 15}},
		{name: "III", percent: [4]int64{20, 15, 10, 6}},
		{name: "IV", pounds: [4]int64{300, 500, 1200, 2500}, from: [4]int64{5000, 12000, 25000, 60000}},
	}
}

// Every type asks for the speed to a mile an hour and spacings to half a foot; recalled, too.
const (
	mile         = 1609344 // of an hour, in millimetres
	speedPermits = mile    // mm an hour
	halfFoot     = 1524    // tenths of a millimetre
	poundMg      = 453592  // a pound in milligrams, rounded
)

// ASTMQuantity is how the values of one quantity stand to one type.
type ASTMQuantity struct {
	Quantity  string  `json:"quantity"`
	Tolerance string  `json:"tolerance"`
	N         int     `json:"n"`
	Share     float64 `json:"share_percent"` // of values that conform
	Kept      bool    `json:"kept"`          // at least 95 percent conform
}

// ASTMType is how the weighings stand to one type of ASTM E1318-09.
type ASTMType struct {
	Type       string         `json:"type"`
	Quantities []ASTMQuantity `json:"quantities"`
	// Kept says that there are values of gross mass and every quantity of which there are values conforms.
	Kept bool `json:"kept"`
}

// ASTM is the report by ASTM E1318-09. All its tolerances are recalled.
type ASTM struct {
	Recalled bool       `json:"tolerances_recalled"`
	Types    []ASTMType `json:"types"`
}

// share counts values and those that conform.
type share struct{ n, good int }

// conform counts, for every type and quantity, what conforms.
type conform struct {
	types  []astmType
	counts [][quantities]share
}

func newConform() conform {
	t := astmTypes()
	return conform{types: t, counts: make([][quantities]share, len(t))}
}

func (c *conform) load(q int, measured, static wim.Kg) {
	e := max(int64(measured)-int64(static), int64(static)-int64(measured))
	for i, t := range c.types {
		s := &c.counts[i][q]
		switch {
		case t.percent[q] > 0:
			s.add(e*100 <= t.percent[q]*int64(static))
		case t.pounds[q] > 0 && int64(static)*1e6 >= t.from[q]*poundMg:
			s.add(e*1e6 <= t.pounds[q]*poundMg)
		}
	}
}

func (c *conform) speed(measured, static wim.DeciKmh) {
	d := max(int64(measured)-int64(static), int64(static)-int64(measured)) * 100_000 // tenths of km/h in mm an hour
	for i := range c.counts {
		c.counts[i][speed].add(d <= speedPermits)
	}
}

func (c *conform) spacing(measured, static wim.Mm) {
	d := max(int64(measured)-int64(static), int64(static)-int64(measured)) * 10
	for i := range c.counts {
		c.counts[i][spacing].add(d <= halfFoot)
	}
}

func (s *share) add(good bool) {
	s.n++
	if good {
		s.good++
	}
}

func (s share) percent() float64 {
	if s.n == 0 {
		return 0
	}
	return 100 * float64(s.good) / float64(s.n)
}

// tolerance in words.
func (t *astmType) tolerance(q int) string {
	switch {
	case q == speed:
		return "±1 mph"
	case q == spacing:
		return "±0.5 ft"
	case t.percent[q] > 0:
		return fmt.Sprintf("±%d %%", t.percent[q])
	case t.pounds[q] > 0:
		return fmt.Sprintf("±%d lb from %d lb", t.pounds[q], t.from[q])
	}
	return ""
}
