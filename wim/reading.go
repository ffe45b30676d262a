package wim

// ReadingKind says what a device message reports.
type ReadingKind uint8

// The kinds of reading.
const (
	AxleReading ReadingKind = iota + 1 // one axle has left the sensor
	VehicleEnd                         // the device closed a vehicle and indicates its mass
	Heartbeat                          // nothing new; Seq is the last sequence used
	LinkUp                             // the driver reached the device (again)
	LinkDown                           // the driver lost the device
	LoopOn                             // a vehicle came over a loop
	LoopOff                            // and left it
	Retraction                         // a controller takes back a vehicle that it reported: it backed off the scale
)

// Reading is one decoded message of a weighing device, or a change of the line to it. A driver emits
// readings of one device in order of arrival and never invents one: a frame that fails its check is
// counted and skipped, which shows as a hole in Seq.
type Reading struct {
	Kind ReadingKind
	// Boot and Seq name the message for the device: Boot is drawn anew when the device starts, Seq counts
	// axle and vehicle-end messages from 1. Zero for LinkUp and LinkDown.
	Boot uint32
	Seq  uint32
	// DeviceTime is the device's own clock in nanoseconds since its start, 0 when it has none.
	DeviceTime int64
	// Arrival is the site's clock when the last byte was read. Of a device that keeps its messages and tells how
	// old each is, it is the site's clock when the device noted it, however late it was read.
	Arrival Time

	// Loop says which one, of kinds LoopOn and LoopOff: they are numbered as the axles are, or not at all (Seq 0).
	Loop Loop

	Axle Axle // Kind AxleReading; Index is its number within the vehicle, from 1

	// Kind VehicleEnd: what the instrument indicates. Gross is the legal weight and is carried unchanged.
	Gross     Kg
	AxleCount uint8
	Speed     DeciKmh
	Length    Mm
	Flags     Flag
	// Temperature is what the device says of its sensors, 0 where it does not.
	Temperature DeciKelvin

	// Controller is, of kind VehicleEnd, what a controller that reports vehicles whole said of this one, and of kind
	// Retraction names the vehicle by its ID. nil elsewhere. It is never written to once it was handed on.
	Controller *ControllerRecord
}

// Loop is a loop in the road beside a scale.
type Loop uint8

// The loops of a lane.
const (
	EntryLoop Loop = iota + 1 // before the scale, in the lane's direction
	ExitLoop                  // behind it
)

// Tyres is how an axle is tyred, as far as a law's limits ask.
type Tyres string

// The kinds of tyres.
const (
	TyresUnknown Tyres = ""
	SingleTyres  Tyres = "single" // one a side
	DualTyres    Tyres = "dual"   // two a side
	WideTyres    Tyres = "wide"   // one a side, of a width that the law takes as good as two
)

// Axle is one axle of a vehicle.
type Axle struct {
	Index uint8   `json:"index"` // from 1, front to rear
	Load  Kg      `json:"load_kg"`
	Left  Kg      `json:"left_kg"`  // NotMeasured where the device has one sensor a lane
	Right Kg      `json:"right_kg"` // likewise
	Speed DeciKmh `json:"speed_dkmh"`
	// Spacing is the distance from the axle before; 0 for the first.
	Spacing Mm    `json:"spacing_mm"`
	Tyres   Tyres `json:"tyres,omitempty"`
	Flags   Flag  `json:"flags"`
}

// DeviceCursor is how far a device's messages have been taken into account: everything of this boot up to
// Seq is either in a record or named by a gap record.
type DeviceCursor struct {
	Device string `json:"device"`
	Boot   uint32 `json:"boot"`
	Seq    uint32 `json:"seq"`
}
