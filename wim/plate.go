package wim

import "strings"

// PlateColor is the plate's background as the camera reports it, in words; empty when unknown.
type PlateColor string

// Plate colours of GA 36 that matter here: yellow is a medium or heavy vehicle or a trailer.
const (
	Yellow      PlateColor = "yellow"
	Blue        PlateColor = "blue"
	Green       PlateColor = "green"
	YellowGreen PlateColor = "yellow-green"
	White       PlateColor = "white"
	Black       PlateColor = "black"
)

// End is the end of the vehicle that a camera saw.
type End string

// The ends. A front plate is the drawing vehicle's; a rear plate ending in 挂 is the trailer's and never
// contradicts the front.
const (
	Front End = "front"
	Rear  End = "rear"
)

// VehicleKind is the statutory kind of a vehicle as far as it decides whether a limit applies at all.
type VehicleKind string

// The kinds. Limits for goods vehicles do not apply to buses, military and special-work vehicles.
const (
	KindUnknown VehicleKind = ""
	Goods       VehicleKind = "goods"
	Bus         VehicleKind = "bus"
	Car         VehicleKind = "car"
	Military    VehicleKind = "military"
	SpecialWork VehicleKind = "special-work"
	Farm        VehicleKind = "farm"
)

// PlateRead is one plate as one camera read it.
type PlateRead struct {
	Camera     string      `json:"camera"`
	Event      string      `json:"event"` // the camera's own id of the event: the key for repeats
	Lane       LaneID      `json:"lane"`
	End        End         `json:"end"`
	Text       string      `json:"text"` // as read, normalised only in case and separators; empty when no plate was read
	Color      PlateColor  `json:"color,omitempty"`
	Confidence Permille    `json:"confidence_permille"`
	Kind       VehicleKind `json:"kind,omitempty"` // the camera's guess
	DeviceTime Time        `json:"device_time"`    // the camera's clock
	Arrival    Time        `json:"arrival"`        // the site's clock
	Picture    Digest      `json:"picture"`        // SHA-256 of the JPEG, zero when there is none
}

// Trailer tells whether the text is a trailer's plate (挂车号牌).
func (p PlateRead) Trailer() bool { return strings.HasSuffix(p.Text, "挂") }

// NormalisePlate prepares text for matching and storing: upper case, without spaces, hyphens, dots and the
// separator '·'. It does not fold look-alikes; what a camera reports for "no plate" becomes empty.
func NormalisePlate(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '.', '·', '•', '　', '\t', '\r', '\n':
			return -1
		}
		return r
	}, strings.ToUpper(s))
	switch s {
	case "UNKNOWN", "UNLICENSED", "NOPLATE", "无车牌", "无牌", "无牌车", "未识别", "车牌", "_":
		return ""
	}
	return s
}
