package wim

import (
	"strings"
	"unicode"
)

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

// NormalisePlate prepares text for matching and storing: upper case, full-width forms as plain ones, without
// spaces, hyphens, dots, the separator '·' and a colour's number that cameras append as _1. It does not fold
// look-alikes; what a camera reports for "no plate", or what has neither letter nor digit, becomes empty.
func NormalisePlate(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' { // full-width forms
			r -= '！' - '!'
		}
		switch r {
		case ' ', '-', '.', '·', '•', '・', '－', '—', '–', '　', '\t', '\r', '\n':
			return -1
		}
		return r
	}, strings.ToUpper(s))
	for {
		i := strings.LastIndexByte(s, '_')
		if i < 0 || strings.Trim(s[i+1:], "0123456789") != "" {
			break
		}
		s = s[:i]
	}
	switch s {
	case "UNKNOWN", "UNKNOW", "UNLICENSED", "UNLICENCED", "UNRECOGNIZED", "UNRECOGNISED", "NOPLATE", "NOREAD", "NOTREAD", "NONE", "NULL", "NIL", "N/A",
		"无车牌", "无牌", "无牌车", "无号牌", "未识别", "无法识别", "未知", "未挂牌", "未悬挂", "车牌":
		return ""
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return ""
	}
	return s
}
