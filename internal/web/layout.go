package web

import (
	"strings"

	"github.com/axlegate/axlegate/wim"
)

// Where things stand in the drawing, in its own units. One drawing is 1000 units wide.
const (
	width        = 1000
	bodyTop      = 8.0
	chassis      = 86.0
	roadY        = 124.0
	columnBase   = 196.0
	columnHeight = 62.0
	groupY       = 226.0
	barsTop      = 262.0
	rowHeight    = 58.0
)

// Overhangs and cab of common trucks in millimetres, where the scale measures only the axles.
const (
	frontOverhang = 1400
	rearOverhang  = 1300
	cabLength     = 2350
)

// span is a stretch along the vehicle.
type span struct{ x0, x1 float64 }

// layout is where a vehicle's parts stand along the drawing.
type layout struct {
	x             []float64 // centre of each axle
	front         float64
	cab           float64 // length
	hasCab        bool
	boxes, frames []span
	wheel         float64 // radius
	column        float64 // width
	font          float64 // of an axle's load
}

// newLayout places the axles at their true spacings, as large as the drawing allows.
func newLayout(v *wim.Vehicle) layout {
	mm := make([]float64, len(v.Axles)) // position behind the front end
	at := float64(frontOverhang)
	for i, a := range v.Axles {
		if i > 0 {
			at += float64(max(a.Spacing, 300)) // an unmeasured spacing still keeps axles apart
		}
		mm[i] = at
	}
	total := at + rearOverhang
	scale := min(940/total, 0.088)
	left := (width - total*scale) / 2
	l := layout{front: left, cab: cabLength * scale, wheel: 27, column: 44, font: 22}
	for i, p := range mm {
		l.x = append(l.x, left+p*scale)
		if i > 0 {
			d := l.x[i] - l.x[i-1]
			l.wheel = min(l.wheel, d/2-1.5)
			l.column = min(l.column, d-14)
			l.font = min(l.font, d/3.2)
		}
	}
	l.wheel, l.column, l.font = max(min(l.wheel, 520*scale), 5), max(l.column, 5), max(l.font, 8)
	if len(mm) == 0 {
		return l
	}
	l.place(v, left+total*scale, scale)
	return l
}

// place decides cab, bodies and frames.
func (l *layout) place(v *wim.Vehicle, rear, scale float64) {
	last := len(l.x) - 1
	bodyStart := l.front + l.cab + 200*scale
	bodyStart = min(bodyStart, rear-20)
	switch v.Configuration {
	case wim.Train:
		l.hasCab = true
		n, semi := tractorAxles(v)
		if last < 1 || n > last {
			l.boxes = []span{{bodyStart, rear}}
			break
		}
		if semi {
			l.frames = []span{{l.front + l.cab - 4, l.x[n-1] + 600*scale}}
			l.boxes = []span{{bodyStart + 250*scale, rear}}
			break
		}
		end, start := l.x[n-1]+900*scale, l.x[n]-900*scale
		if start-end < 14 {
			middle := (end + start) / 2
			end, start = middle-7, middle+7
		}
		l.boxes = []span{{bodyStart, max(end, bodyStart+10)}, {start, rear}}
		l.frames = []span{{l.front + l.cab - 4, start + 10}}
	case wim.Rigid:
		l.hasCab = true
		l.boxes = []span{{bodyStart, rear}}
		l.frames = []span{{l.front + l.cab - 4, bodyStart + 4}}
	default:
		l.boxes = []span{{l.front, rear}}
	}
}

// tractorAxles tells how many axles the drawing vehicle of a train has and whether a semi-trailer rests on
// it: from the class "train-6 (3S3)" or "train-5 (2+3)" where it says so, else by the longest gap behind the
// second axle.
func tractorAxles(v *wim.Vehicle) (n int, semi bool) {
	if _, form, ok := strings.Cut(v.Class, "("); ok && len(form) >= 3 && form[0] >= '1' && form[0] <= '9' {
		if form[1] == 'S' || form[1] == '+' {
			return int(form[0] - '0'), form[1] == 'S'
		}
	}
	n, longest := min(2, len(v.Axles)), wim.Mm(0)
	for i := 2; i < len(v.Axles); i++ {
		if v.Axles[i].Spacing > longest {
			n, longest = i, v.Axles[i].Spacing
		}
	}
	return n, true
}
