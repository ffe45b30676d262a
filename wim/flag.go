package wim

// Flag says why a measurement is weaker than it looks, or void. Flags are a set of bits so that the hot
// path carries them without allocation; as text they are a list of names.
type Flag uint32

// The flags. Those in Voiding make a weighing unusable as weight; it still identifies a vehicle.
const (
	OffScale        Flag = 1 << iota // a wheel ran beside the sensor
	Straddling                       // the vehicle used two lanes
	SpeedOutOfRange                  // outside what the instrument can weigh
	Acceleration                     // speed changed too much between axles
	Tailgating                       // two vehicles may have been taken for one
	MissedAxle                       // the device counted other axles than it reported
	Imbalance                        // left and right differ beyond belief
	DeviceGap                        // messages of the device are missing inside this vehicle
	TimedOut                         // no vehicle end was seen; the vehicle was closed by time
	SumMismatch                      // axle sum and indicated gross differ too much
	OverCapacity                     // the device reported overload of the scale
	Reverse                          // driven against the lane's direction
	PlateUncertain                   // the plate was read with low confidence or is contradicted
	TrailerUnread                    // a train whose trailer plate was not read
	StopAndGo                        // it stood, or nearly, with axles on both sides of the sensor
	SideBySide                       // another vehicle was beside it on a neighbouring lane
	LiftAxle                         // fewer axles were counted than the licences say: one is raised, or was missed
	DeviceClock                      // the device's own clock ran backwards inside the vehicle
	OffDivision                      // what was indicated is no multiple of the certificate's scale division
	RoadSurface                      // snow, ice or water lay on the scale
)

// Voiding are the flags that make a weighing void.
const Voiding = OffScale | Straddling | SpeedOutOfRange | Acceleration | Tailgating | MissedAxle |
	DeviceGap | TimedOut | OverCapacity | Reverse | StopAndGo | OffDivision | RoadSurface

// Doubting are the flags that leave a weight in doubt: what rests on it is a suspicion at most.
const Doubting = Imbalance | SumMismatch | LiftAxle | DeviceClock

var flagNames = [...]string{ //nolint:gochecknoglobals // a table that is never written
	"off-scale", "straddling", "speed-out-of-range", "acceleration", "tailgating", "missed-axle",
	"imbalance", "device-gap", "timed-out", "sum-mismatch", "over-capacity", "reverse",
	"plate-uncertain", "trailer-unread", "stop-and-go", "side-by-side", "lift-axle", "device-clock",
	"off-division", "road-surface",
}

// allFlags has every flag that has a name; a bit without one could not be written down.
const allFlags = RoadSurface<<1 - 1

// FlagNamed is the flag of that name, such as "off-scale"; 0 where there is none.
func FlagNamed(name string) Flag {
	for i, n := range flagNames {
		if n == name {
			return 1 << i
		}
	}
	return 0
}

// Has tells whether all bits of g are set.
func (f Flag) Has(g Flag) bool { return f&g == g }

// Any tells whether any bit of g is set.
func (f Flag) Any(g Flag) bool { return f&g != 0 }

// Names lists the set flags in order of definition.
func (f Flag) Names() []string { return bitNames(uint32(f), flagNames[:]) }

// MarshalJSON writes the list of names.
func (f Flag) MarshalJSON() ([]byte, error) { return marshalBits(uint32(f), flagNames[:], "flag") }

// UnmarshalJSON reads a list of names; an unknown name is an error.
func (f *Flag) UnmarshalJSON(b []byte) error {
	v, err := unmarshalBits(b, flagNames[:], "flag")
	*f = Flag(v)
	return err
}

// Reason says why a competence's standing is not evidence. Reasons are a set of bits.
type Reason uint32

// The reasons.
const (
	NoCertificate           Reason = 1 << iota // the instrument has no verification certificate
	CertificateLapsed                          // not in force when the vehicle passed
	LaneNotCertified                           // the certificate does not list this lane
	SpeedNotCertified                          // outside the certificate's speed range
	MassNotCertified                           // outside the certificate's Min and Max
	MeasurementVoid                            // a voiding flag is set
	PurposeNotEnforcing                        // test, calibration or maintenance
	LimitRecalled                              // a limit's source was not read, only recalled
	ClockNotSynchronised                       // the site's clock was not known to be right
	WeightDoubtful                             // imbalance or a sum that does not agree
	PlateDoubtful                              // a plate was read with low confidence
	KindPresumed                               // a goods vehicle was presumed, not known
	ConfigurationUnsure                        // truck or train was told from spacings in a doubtful band
	InputMissing                               // a deciding input is not known
	LimitInferred                              // how the limit applies is our reading of the law
	SizeNotCertified                           // length, width or height was measured by what has no certificate
	InputPresumed                              // an input was presumed that no statute presumes
	DirectionNotCertified                      // driven in a direction that the certificate does not list
	TemperatureNotCertified                    // outside the certificate's temperatures
	TemperatureUnknown                         // the certificate lists temperatures, and it was not measured
	CalibratedSince                            // the instrument was adjusted after it had been verified
)

var reasonNames = [...]string{ //nolint:gochecknoglobals // a table that is never written
	"no-certificate", "certificate-lapsed", "lane-not-certified", "speed-not-certified",
	"mass-not-certified", "measurement-void", "purpose-not-enforcing", "limit-recalled",
	"clock-not-synchronised", "weight-doubtful", "plate-doubtful", "kind-presumed",
	"configuration-unsure", "input-missing", "limit-inferred", "size-not-certified", "input-presumed",
	"direction-not-certified", "temperature-not-certified", "temperature-unknown", "calibrated-since",
}

// VoidReasons are the reasons that make a standing void; every other reason makes it screening.
const VoidReasons = CertificateLapsed | LaneNotCertified | SpeedNotCertified | MassNotCertified |
	MeasurementVoid | PurposeNotEnforcing | DirectionNotCertified | TemperatureNotCertified

// Has tells whether all bits of s are set.
func (r Reason) Has(s Reason) bool { return r&s == s }

// Any tells whether any bit of s is set.
func (r Reason) Any(s Reason) bool { return r&s != 0 }

// Names lists the set reasons in order of definition.
func (r Reason) Names() []string { return bitNames(uint32(r), reasonNames[:]) }

// MarshalJSON writes the list of names.
func (r Reason) MarshalJSON() ([]byte, error) {
	return marshalBits(uint32(r), reasonNames[:], "reason")
}

// UnmarshalJSON reads a list of names; an unknown name is an error.
func (r *Reason) UnmarshalJSON(b []byte) error {
	v, err := unmarshalBits(b, reasonNames[:], "reason")
	*r = Reason(v)
	return err
}
