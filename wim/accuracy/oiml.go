package accuracy

import "github.com/axlegate/axlegate/wim"

// massClass is an accuracy class of OIML R 134 for the vehicle's mass: maximum permissible errors in hundredths of a
// percent.
type massClass struct {
	name               string
	initial, inService int64
}

// massClasses lists the classes, best first (Swiss ordinance SR 941.214). In service is double, confirmed for class 10
// only.
func massClasses() []massClass {
	return []massClass{{"0.2", 10, 20}, {"0.5", 25, 50}, {"1", 50, 100}, {"2", 100, 200}, {"5", 250, 500}, {"10", 500, 1000}}
}

// axleClasses lists the classes for the axles of a two-axle rigid vehicle. All figures are recalled.
func axleClasses() []massClass {
	return []massClass{{"A", 25, 50}, {"B", 50, 100}, {"C", 75, 150}, {"D", 100, 200}, {"E", 200, 400}, {"F", 400, 800}}
}

// HardLimit is how the weighings stand to one class of OIML R 134: a limit on each of them. A class is kept where none
// lies beyond.
type HardLimit struct {
	Class         string  `json:"class"`
	Initial       float64 `json:"initial_percent"`
	InService     float64 `json:"in_service_percent"`
	BeyondInitial int     `json:"beyond_initial"`
	BeyondService int     `json:"beyond_in_service"`
}

// OIML is the report by OIML R 134.
type OIML struct {
	N      int         `json:"n"`
	Worst  float64     `json:"worst_percent"` // largest error of one weighing, either way
	Limits []HardLimit `json:"vehicle_mass"`
	// Class is the best one within whose limits in service every single weighing lies; empty for none.
	Class string `json:"class"`
	// Division is what was taken for the smallest limit, one division for each axle at initial verification and two in service; 0
	// for none.
	Division wim.Kg `json:"division_kg"`

	Axles     int         `json:"axles_of_two_axle_rigid_vehicles"`
	AxleLimit []HardLimit `json:"axle_load_recalled"`
	AxleClass string      `json:"axle_class_recalled"`
}

// hard counts what lies beyond the limits of a list of classes.
type hard struct {
	classes []massClass
	n       int
	initial []int
	service []int
}

func newHard(classes []massClass) hard {
	return hard{classes: classes, initial: make([]int, len(classes)), service: make([]int, len(classes))}
}

func (h *hard) add(measured, static wim.Kg, floorInitial, floorService int64) {
	h.n++
	e := max(int64(measured)-int64(static), int64(static)-int64(measured))
	for i, c := range h.classes {
		if e*10000 > max(c.initial*int64(static), floorInitial*10000) {
			h.initial[i]++
		}
		if e*10000 > max(c.inService*int64(static), floorService*10000) {
			h.service[i]++
		}
	}
}

func (h *hard) limits() (out []HardLimit, best string) {
	for i, c := range h.classes {
		out = append(out, HardLimit{Class: c.name, Initial: float64(c.initial) / 100, InService: float64(c.inService) / 100, BeyondInitial: h.initial[i], BeyondService: h.service[i]})
		if best == "" && h.n > 0 && h.service[i] == 0 {
			best = c.name
		}
	}
	return out, best
}
