package wim

// ControllerRecord is what a controller said of a vehicle that it weighed by itself and reported whole, as it said it. Our
// own figures in kilograms, millimetres and flags stand beside it in the Vehicle; this is what they were read from.
type ControllerRecord struct {
	ID string `json:"id"` // the controller's own name of its record
	// Indication is the gross mass as it was written, with its unit: "57886 lb". The Vehicle's Gross is this in whole
	// kilograms, rounded down.
	Indication string `json:"indication"`
	// Division is the scale division as it was written, with its unit; empty where the controller tells none.
	Division string `json:"division,omitempty"`
	// Scheme and Class are the controller's own classification; the Vehicle's are ours, from its spacings.
	Scheme string `json:"scheme,omitempty"`
	Class  string `json:"class,omitempty"`
	// Codes are what it said of validity, direction and the like, as "path=code" in the order of its page.
	Codes []string `json:"codes,omitempty"`
	Time  string   `json:"time,omitempty"` // its own clock, as it was written; empty where it tells none
}
