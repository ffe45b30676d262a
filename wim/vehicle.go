package wim

// Configuration is how a vehicle is made up, as far as the law's limits by axle count ask.
type Configuration string

// The configurations.
const (
	ConfigurationUnknown Configuration = "unknown"
	Rigid                Configuration = "rigid" // a truck alone (货车)
	Train                Configuration = "train" // any combination (汽车列车)
)

// Combination is how the units of a train are joined, as far as a law's limits ask.
type Combination string

// The combinations.
const (
	CombinationUnknown Combination = ""
	Articulated        Combination = "articulated" // tractor and semi-trailer (铰接列车)
	Drawbar            Combination = "drawbar"     // truck and full trailer (全挂列车)
	CentreAxle         Combination = "centre-axle" // truck and centre-axle trailer (中置轴挂车列车)
	RoadTrain          Combination = "road-train"  // more than one trailer
)

// AxleGroup is a run of consecutive axles that the law takes together.
type AxleGroup struct {
	First uint8 `json:"first"` // index of the first axle, from 1
	Count uint8 `json:"count"`
	Load  Kg    `json:"load_kg"`
	Span  Mm    `json:"span_mm"` // from first to last axle
}

// Vehicle is one passage over the scale as weighed. Gross is what the approved instrument indicated;
// AxleSum is our own sum of the axles and serves only as a cross-check.
type Vehicle struct {
	Lane    LaneID      `json:"lane"`
	Start   Time        `json:"start"` // arrival of the first axle's message
	End     Time        `json:"end"`   // arrival of the vehicle's end
	Speed   DeciKmh     `json:"speed_dkmh"`
	Length  Mm          `json:"length_mm"`
	Axles   []Axle      `json:"axles"`
	Groups  []AxleGroup `json:"groups"`
	Gross   Kg          `json:"gross_kg"`
	AxleSum Kg          `json:"axle_sum_kg"`
	// Scheme names the classification that Class and Configuration come from. Sure is false where the
	// spacings lie in a band in which truck and train overlap.
	Scheme        string        `json:"scheme"`
	Class         string        `json:"class"`
	Configuration Configuration `json:"configuration"`
	Sure          bool          `json:"configuration_sure"`
	// Combination and Lead are known only where Sure: how a train's units are joined, and how many axles from
	// the front are the drawing vehicle's (0 unknown).
	Combination Combination `json:"combination,omitempty"`
	Lead        uint8       `json:"lead_axles,omitempty"`
	// Width and Height are 0 where nothing measures them, SizeError is the maximum error of Length, Width and
	// Height by the certificate of what measured them; 0 where they have none.
	Width     Mm `json:"width_mm,omitempty"`
	Height    Mm `json:"height_mm,omitempty"`
	SizeError Mm `json:"size_error_mm,omitempty"`
	// Sizer is the unit that measured them; nil where Length is the scale's own.
	Sizer *Sizer `json:"sizer,omitempty"`
	// Temperature is that of the scale's sensors or the pavement, 0 where nothing measures it.
	Temperature DeciKelvin `json:"temperature_dk,omitempty"`
	Flags       Flag       `json:"flags"`
	// Controller is what the controller said that reported the vehicle whole; nil where the site assembled it.
	Controller *ControllerRecord `json:"controller,omitempty"`
}

// Clone returns a copy that shares no memory with v.
func (v *Vehicle) Clone() Vehicle {
	c := *v
	c.Axles = append([]Axle(nil), v.Axles...)
	c.Groups = append([]AxleGroup(nil), v.Groups...)
	if v.Sizer != nil {
		s := *v.Sizer
		c.Sizer = &s
	}
	if v.Controller != nil {
		r := *v.Controller
		r.Codes = append([]string(nil), r.Codes...)
		c.Controller = &r
	}
	return c
}
