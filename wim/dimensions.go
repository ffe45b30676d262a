package wim

// Dimensions are what a laser unit measured of one vehicle. What it did not measure is 0.
type Dimensions struct {
	Event   string `json:"event,omitempty"`   // the unit's own name of it; empty where it gives none
	Arrival Time   `json:"arrival,omitempty"` // by the site's clock
	Length  Mm     `json:"length_mm,omitempty"`
	Width   Mm     `json:"width_mm,omitempty"`
	Height  Mm     `json:"height_mm,omitempty"`
}

// Sizer says in a record what measured a vehicle's length, width and height.
type Sizer struct {
	Device      string `json:"device"`
	Event       string `json:"event,omitempty"`
	Certificate string `json:"certificate,omitempty"` // number of the one in force; empty for none
}
