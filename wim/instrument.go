package wim

// Instrument is the weighing device of a lane and what entitles its indications to be used.
type Instrument struct {
	ID     string `json:"id"`
	Maker  string `json:"maker,omitempty"`
	Model  string `json:"model,omitempty"`
	Serial string `json:"serial,omitempty"`
	// Certificate is the verification certificate (检定证书) in force, or nil where there is none. Only a
	// certificate lets a weight be evidence; an accuracy class of COST 323 or ASTM E1318 is a statement of
	// confidence and has no place here.
	Certificate *Certificate `json:"certificate,omitempty"`
}

// Certificate is a metrological verification (检定) of an instrument under OIML R 134, JJG 907 or a
// national equal. Everything outside what it lists makes a weighing void.
type Certificate struct {
	Number string `json:"number"`
	Scheme string `json:"scheme"` // "OIML R 134", "JJG 907"
	Class  string `json:"class"`  // accuracy class for vehicle mass as printed, "5"
	// MassError is the maximum permissible error in service for the vehicle's mass, deducted before any
	// finding on gross mass. OIML R 134 class 5: 50 ‰.
	MassError Permille `json:"mass_error_permille"`
	// AxleError is the same for single axles and axle groups.
	AxleError  Permille `json:"axle_error_permille"`
	ValidFrom  Time     `json:"valid_from"`
	ValidUntil Time     `json:"valid_until"` // the first instant at which it is no longer valid
	Lanes      []LaneID `json:"lanes"`
	SpeedMin   DeciKmh  `json:"speed_min_dkmh"`
	SpeedMax   DeciKmh  `json:"speed_max_dkmh"`
	Min        Kg       `json:"min_kg"` // smallest and largest vehicle mass
	Max        Kg       `json:"max_kg"`
	Division   Kg       `json:"division_kg"` // scale division d
}

// CoversLane tells whether the certificate lists the lane.
func (c *Certificate) CoversLane(l LaneID) bool {
	for _, x := range c.Lanes {
		if x == l {
			return true
		}
	}
	return false
}

// InForce tells whether the certificate is valid at t.
func (c *Certificate) InForce(t Time) bool { return t >= c.ValidFrom && t < c.ValidUntil }
