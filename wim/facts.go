package wim

import "fmt"

// PostedLimit is a limit shown on a sign at a road, bridge or tunnel (限载标志). Zero means not posted.
type PostedLimit struct {
	Gross  Kg     `json:"gross_kg,omitempty"`
	Axle   Kg     `json:"axle_kg,omitempty"`
	Length Mm     `json:"length_mm,omitempty"`
	Width  Mm     `json:"width_mm,omitempty"`
	Height Mm     `json:"height_mm,omitempty"`
	Sign   string `json:"sign,omitempty"` // where the sign stands
}

// Road is the road that a lane belongs to.
type Road struct {
	Name string `json:"name"`
	// Class is the technical grade (技术等级) as the rule set names it: expressway, class-1 ... class-4.
	Class  string      `json:"class"`
	Posted PostedLimit `json:"posted"`
}

// Registration is what a vehicle licence (行驶证) says. Zero means that the licence does not say it.
type Registration struct {
	Plate      string      `json:"plate"`
	Kind       VehicleKind `json:"kind"`
	Kerb       Kg          `json:"kerb_kg"`       // 整备质量
	Rated      Kg          `json:"rated_load_kg"` // 核定载质量; a tractor has none
	Gross      Kg          `json:"max_gross_kg"`  // 总质量
	Towed      Kg          `json:"max_towed_kg"`  // 准牵引总质量, tractors and towing trucks
	DriveAxles uint8       `json:"drive_axles"`   // 0 unknown
	Axles      uint8       `json:"axles"`
	// Suspension is that of the drive axles.
	Suspension Suspension `json:"suspension,omitempty"`
}

// Suspension is how an axle is sprung, as far as a law's limits ask.
type Suspension string

// The kinds of suspension.
const (
	SuspensionUnknown Suspension = ""
	AirSuspension     Suspension = "air" // or what the law takes as equivalent
	OtherSuspension   Suspension = "other"
)

// StationMode says how a site and the authorities work together there, where a law's tolerance or the competence to
// fine depends on it.
type StationMode string

// The modes.
const (
	StationUnset     StationMode = ""
	JointStation     StationMode = "joint-station"     // both authorities are there (联合执法站)
	OffSite          StationMode = "off-site"          // nobody is there: technical monitoring (非现场执法)
	MotorwayEntrance StationMode = "motorway-entrance" // the lane before the toll gate (高速公路入口称重)
	TollExit         StationMode = "toll-exit"
)

// Valid tells whether the mode is one of the known ones.
func (m StationMode) Valid() error {
	switch m {
	case StationUnset, JointStation, OffSite, MotorwayEntrance, TollExit:
		return nil
	}
	return fmt.Errorf("station %q: want joint-station, off-site, motorway-entrance or toll-exit", string(m))
}

// Permit is a permit for oversize or overweight transport (超限运输车辆通行证) as a table has it. A mass or length
// of zero is one that the permit does not raise.
type Permit struct {
	Number     string `json:"number"`
	Plate      string `json:"plate"`             // of the drawing vehicle
	Trailer    string `json:"trailer,omitempty"` // of the trailer; empty where the permit names none
	ValidFrom  Time   `json:"valid_from"`
	ValidUntil Time   `json:"valid_until"` // the first instant at which it is no longer valid
	// Roads are the names of the roads of its route. A road that is not among them is off the route; none are named
	// where the table does not have the route, which is then not looked at.
	Roads  []string `json:"roads,omitempty"`
	Axles  uint8    `json:"axles"`
	Gross  Kg       `json:"max_gross_kg"`
	Axle   Kg       `json:"max_axle_kg,omitempty"`
	Length Mm       `json:"max_length_mm,omitempty"`
	Width  Mm       `json:"max_width_mm,omitempty"`
	Height Mm       `json:"max_height_mm,omitempty"`
}

// Unit is one vehicle of the passage: unit 0 draws, every further one is a trailer.
type Unit struct {
	Plate        string        `json:"plate"` // empty when not read
	Color        PlateColor    `json:"color,omitempty"`
	Confidence   Permille      `json:"confidence_permille"`
	Kind         VehicleKind   `json:"kind,omitempty"` // registration's where known, else the camera's guess
	Registration *Registration `json:"registration,omitempty"`
	// Listed names the lists of wanted plates (布控) that the plate stood on at the site: since format 2.
	Listed []string `json:"listed,omitempty"`
}

// Facts is all that Judge is given. Two equal Facts have equal verdicts under one rule set, on every
// machine, years later; so a record carries them complete.
type Facts struct {
	// Time is when the vehicle passed; it picks the law in force.
	Time       Time        `json:"time"`
	Clock      ClockState  `json:"clock"`
	Purpose    LanePurpose `json:"purpose"`
	Road       Road        `json:"road"`
	Instrument Instrument  `json:"instrument"`
	Vehicle    Vehicle     `json:"vehicle"`
	// Units has the drawing vehicle first. A train whose trailer plate was not read has one unit.
	Units []Unit `json:"units"`
	// Station is how the site works, Permits are those of the drawing vehicle's plate.
	Station StationMode `json:"station,omitempty"`
	Permits []Permit    `json:"permits,omitempty"`
}
