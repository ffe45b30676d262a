package wim

// PostedLimit is a limit shown on a sign at a road, bridge or tunnel (限载标志). Zero means not posted.
type PostedLimit struct {
	Gross Kg     `json:"gross_kg,omitempty"`
	Axle  Kg     `json:"axle_kg,omitempty"`
	Sign  string `json:"sign,omitempty"` // where the sign stands
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
}
