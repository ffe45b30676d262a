package simulator

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/axlegate/axlegate/wim"
)

// Body is a kind of vehicle with the figures that its members scatter about.
type body struct {
	name     string
	share    int // of a hundred vehicles
	train    bool
	spacings []wim.Mm // mean distances between axles
	kerb     []wim.Kg // mean kerb load by axle
	cargo    []int    // how the cargo spreads over the axles, permille
	limit    wim.Kg   // what licences of this kind add up to
	trailer  wim.Kg   // of the kerb mass, the trailer's part
	drive    uint8
	ownAxles uint8 // of the drawing vehicle
}

// bodies is the mix on a Chinese trunk road. Shares and figures are ours, shaped on the gross masses by axle
// count of Order 62 and on the spacings and steering loads of weighed traffic.
func bodies() []body {
	return []body{
		{"rigid-2", 26, false, []wim.Mm{5000}, []wim.Kg{3400, 3100}, []int{220, 780}, 18000, 0, 1, 2},
		{"rigid-3", 9, false, []wim.Mm{4200, 1350}, []wim.Kg{4300, 3200, 3100}, []int{160, 425, 415}, 25000, 0, 2, 3},
		{"rigid-4", 14, false, []wim.Mm{1900, 3900, 1350}, []wim.Kg{3900, 3700, 3300, 3200}, []int{130, 140, 370, 360}, 31000, 0, 2, 4},
		{"train-4", 5, true, []wim.Mm{3500, 6300, 1310}, []wim.Kg{4300, 3700, 2700, 2600}, []int{80, 340, 290, 290}, 36000, 5000, 1, 2},
		{"train-5", 8, true, []wim.Mm{3300, 1350, 6700, 1310}, []wim.Kg{4600, 2700, 2600, 2600, 2500}, []int{60, 240, 230, 240, 230}, 43000, 5300, 2, 3},
		{"train-6", 34, true, []wim.Mm{3200, 1350, 6400, 1310, 1310}, []wim.Kg{4700, 2600, 2500, 2100, 2000, 2000}, []int{50, 205, 200, 185, 180, 180}, 49000, 6100, 2, 3},
		{"train-6-single", 4, true, []wim.Mm{2700, 2600, 6100, 1310, 1310}, []wim.Kg{4300, 2100, 2500, 2100, 2000, 2000}, []int{60, 150, 220, 195, 190, 185}, 46000, 6100, 1, 3},
	}
}

// Vehicle is one member of the fleet, as its licences describe it.
type Vehicle struct {
	Kind         string // name of the body
	Train        bool
	Front        string // plate of the drawing vehicle
	Trailer      string // plate of the trailer, empty without one
	Spacings     []wim.Mm
	Registered   bool
	Licence      wim.Registration // of the drawing vehicle
	TrailerPaper wim.Registration
	kerb         []wim.Kg
	cargo        []int
	capacity     wim.Kg // cargo that the licences allow
	road         wim.Kg // cargo that the road may carry
}

// Every fourth vehicle has licences for more than the road may carry, every fourth for less, where the
// traffic asks for such.
const (
	paperKinds  = 4
	papersAbove = 1
	papersBelow = 3
)

// newFleet draws the vehicles that drive past.
func newFleet(r *rand.Rand, t *Traffic) []Vehicle {
	list := bodies()
	out := make([]Vehicle, 0, t.Fleet)
	used := map[string]bool{}
	plate := func(trailer bool) string {
		for {
			p := newPlate(r, trailer)
			if !used[p] {
				used[p] = true
				return p
			}
		}
	}
	for i := range t.Fleet {
		b := pick(r, list)
		v := Vehicle{Kind: b.name, Train: b.train, Front: plate(false), cargo: b.cargo, Registered: r.IntN(1000) >= int(t.Unregistered)}
		for _, s := range b.spacings {
			scatter := 60.0
			if s < 2000 {
				scatter = 20
			}
			v.Spacings = append(v.Spacings, s+wim.Mm(math.Round(r.NormFloat64()*scatter)))
		}
		var kerb wim.Kg
		for _, k := range b.kerb {
			w := k + wim.Kg(clamp(r.NormFloat64(), 2)*float64(k)*0.03)
			v.kerb = append(v.kerb, w)
			kerb += w
		}
		// Licences are written in steps of 5 kg.
		trailerKerb := b.trailer
		kerb = round(kerb, 5)
		v.road = b.limit - kerb
		v.capacity = v.road
		switch {
		case t.OverLimit > 0 && i%paperKinds == papersAbove:
			v.capacity = round(v.road*5/4, 5)
		case t.OverloadedOnly > 0 && i%paperKinds == papersBelow:
			v.capacity = round(v.road*3/4, 5)
		}
		v.Licence = wim.Registration{Plate: v.Front, Kind: wim.Goods, Kerb: kerb - trailerKerb, DriveAxles: b.drive, Axles: b.ownAxles}
		if b.train {
			v.Trailer = plate(true)
			v.Licence.Towed = trailerKerb + v.capacity
			v.Licence.Gross = 25000 // the tractor's own: what it may weigh with a semi-trailer's load on its saddle
			if b.ownAxles == 2 {
				v.Licence.Gross = 18000
			}
			v.TrailerPaper = wim.Registration{Plate: v.Trailer, Kind: wim.Goods, Kerb: trailerKerb, Rated: v.capacity, Gross: trailerKerb + v.capacity,
				Axles: uint8(len(b.kerb)) - b.ownAxles}
		} else {
			v.Licence.Rated, v.Licence.Gross = v.capacity, kerb+v.capacity
		}
		out = append(out, v)
	}
	return out
}

func pick(r *rand.Rand, list []body) *body {
	sum := 0
	for i := range list {
		sum += list[i].share
	}
	n := r.IntN(sum)
	for i := range list {
		if n -= list[i].share; n < 0 {
			return &list[i]
		}
	}
	return &list[0]
}

func clamp(v, limit float64) float64 { return max(-limit, min(limit, v)) }

// plate alphabets of GA 36: provinces, and serials without I and O.
const (
	provinces = "京津沪渝冀晋蒙辽吉黑苏浙皖闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新"
	letters   = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	digits    = "0123456789"
)

func newPlate(r *rand.Rand, trailer bool) string {
	prov := []rune(provinces)
	// Most of the traffic is from the province the road lies in.
	p := '川'
	if r.IntN(3) == 0 {
		p = prov[r.IntN(len(prov))]
	}
	s := string(p) + string(letters[r.IntN(8)])
	n := 5
	if trailer {
		n = 4
	}
	for i := range n {
		set := digits
		if i == 0 && r.IntN(3) == 0 {
			set = letters
		}
		s += string(set[r.IntN(len(set))])
	}
	if trailer {
		s += "挂"
	}
	return s
}

// writeRegistrations writes the licences of all registered vehicles, as the site's table has them.
func writeRegistrations(w io.Writer, fleet []Vehicle) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"plate", "kind", "kerb_kg", "rated_load_kg", "max_gross_kg", "max_towed_kg", "drive_axles", "axles"}}
	row := func(l *wim.Registration) {
		n := func(v wim.Kg) string { return strconv.Itoa(int(v)) }
		rows = append(rows, []string{l.Plate, string(l.Kind), n(l.Kerb), n(l.Rated), n(l.Gross), n(l.Towed), strconv.Itoa(int(l.DriveAxles)), strconv.Itoa(int(l.Axles))})
	}
	for i := range fleet {
		if !fleet[i].Registered {
			continue
		}
		row(&fleet[i].Licence)
		if fleet[i].Train {
			row(&fleet[i].TrailerPaper)
		}
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("write registrations: %w", err)
	}
	return nil
}
