package wim

// Configuration is how a vehicle is made up, as far as the law's limits by axle count ask.
type Configuration string

// The configurations.
const (
	ConfigurationUnknown Configuration = "unknown"
	Rigid                Configuration = "rigid" // a truck alone (货车)
	Train                Configuration = "train" // any combination (汽车列车)
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
	Flags         Flag          `json:"flags"`
}

// Clone returns a copy that shares no memory with v.
func (v *Vehicle) Clone() Vehicle {
	c := *v
	c.Axles = append([]Axle(nil), v.Axles...)
	c.Groups = append([]AxleGroup(nil), v.Groups...)
	return c
}
