package wim

import (
	"slices"
	"strings"
)

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
	// Calibration (校准) is what the instrument was last adjusted by, nil where that is not known. It entitles to nothing: one that is
	// not older than the certificate leaves every weight a suspicion, until the instrument is verified anew.
	Calibration *AppliedCalibration `json:"calibration,omitempty"`
}

// AppliedCalibration names the calibration that an instrument was adjusted by: since format 2.
type AppliedCalibration struct {
	Version string `json:"version"`
	Digest  Digest `json:"digest"`  // of the calibration's file
	Applied Time   `json:"applied"` // when a person entered it into the instrument
}

// Direction is how a vehicle drives on its lane.
type Direction string

// The directions.
const (
	WithLane    Direction = "with"
	AgainstLane Direction = "against"
)

// Verification tells whether a scheme is one by which instruments are verified (检定). A statement of confidence (COST 323, ASTM
// E1318) and a calibration (校准) are none, whatever class they give.
func Verification(scheme string) bool {
	if scheme == "JJG 907" || scheme == "OIML R 134" {
		return true // every judgement asks, and most instruments have one of these
	}
	for i := range len(scheme) {
		no := false
		switch rest := scheme[i:]; rest[0] | lower {
		case 'c':
			no = begins(rest, "cost") || begins(rest, "calibrat")
		case 'a':
			no = begins(rest, "astm")
		case "校"[0]:
			no = strings.HasPrefix(rest, "校准")
		}
		if no {
			return false
		}
	}
	return true
}

// lower is the bit that small letters of ASCII have and capital ones do not.
const lower = 0x20

// begins tells whether a text begins with a word of small letters, however its own are written.
func begins(text, word string) bool {
	if len(text) < len(word) {
		return false
	}
	for i := range len(word) {
		if text[i]|lower != word[i] {
			return false
		}
	}
	return true
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
	// Directions are those that it lists, empty where it lists none: then lanes are all that it asks.
	Directions []Direction `json:"directions,omitempty"`
	// TemperatureMin and TemperatureMax are the temperatures that it lists, both 0 where it lists none.
	TemperatureMin DeciKelvin `json:"temperature_min_dk,omitempty"`
	TemperatureMax DeciKelvin `json:"temperature_max_dk,omitempty"`
}

// Beyond are the reasons why a passage lies outside of what the certificate lists of direction and temperature.
func (c *Certificate) Beyond(v *Vehicle) (r Reason) {
	if len(c.Directions) > 0 {
		d := WithLane
		if v.Flags.Has(Reverse) {
			d = AgainstLane
		}
		if !slices.Contains(c.Directions, d) {
			r |= DirectionNotCertified
		}
	}
	if c.TemperatureMin != 0 || c.TemperatureMax != 0 {
		switch {
		case v.Temperature == 0:
			r |= TemperatureUnknown
		case v.Temperature < c.TemperatureMin || v.Temperature > c.TemperatureMax:
			r |= TemperatureNotCertified
		}
	}
	return r
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
