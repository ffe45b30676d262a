package camera

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// hikvision is the ANPR event of ISAPI: XML or JSON, by "HTTP listening" or out of an alert stream. A push stored
// while the line was down (isDataRetransmission) is taken like any other; its time tells its age.
func hikvision() dialect {
	return dialect{
		Traits: Traits{
			Format: Hikvision, Name: "Hikvision ISAPI EventNotificationAlert", Event: "UUID",
			Clock:   "dateTime with its offset, to the millisecond by a picture's absTime",
			Carries: "plate, confidence, plate colour, vehicle type, pictures",
			Lacks:   "a UUID in older firmware; an offset of absTime",
			Source:  "Hikvision Device Network SDK (traffic) guide; maciej-or/hikvision_next issue 117; mezz64/pyHik",
		},
		decode: func(contentType string, body []byte, _ *time.Location) ([]event, error) {
			p, err := split(contentType, body)
			if err != nil {
				return nil, err
			}
			var a *alert
			switch {
			case p.xml != nil:
				a, err = parseAlert(p.xml)
			case p.json != nil:
				a, err = parseAlertJSON(p.json)
			default:
				return nil, errNoEvent
			}
			if errors.Is(err, errNotANPR) {
				return nil, nil
			}
			if err != nil {
				return nil, refusal{http.StatusBadRequest, err}
			}
			e := a.event()
			e.pictures = p.pictures
			if e.doc = p.xml; e.doc == nil {
				e.doc = p.json
			}
			return []event{e}, nil
		},
	}
}

// Bounds of an ISAPI document; real ones have some 2.3 KB and five levels.
const (
	maxXML   = 64 << 10
	maxDepth = 16
)

var errNotANPR = errors.New("not a plate event")

// alert is EventNotificationAlert as far as we read it. Element names are matched in any namespace: firmware
// uses three.
type alert struct {
	XMLName    xml.Name `xml:"EventNotificationAlert"`
	DateTime   string   `xml:"dateTime"`
	EventType  string   `xml:"eventType"`
	EventState string   `xml:"eventState"`
	UUID       string   `xml:"UUID"`
	ANPR       struct {
		Plate      string         `xml:"licensePlate"`
		Confidence string         `xml:"confidenceLevel"`
		Color      string         `xml:"plateColor"`
		Vehicle    string         `xml:"vehicleType"`
		Pictures   []alertPicture `xml:"pictureInfoList>pictureInfo"`
	} `xml:"ANPR"`
}

type alertPicture struct {
	Type    string `xml:"type"`
	AbsTime string `xml:"absTime"`
}

// parseAlertJSON reads the JSON form: the same names, each value a string or not, and the pictures in a list or
// in an object around one.
func parseAlertJSON(b []byte) (*alert, error) {
	if len(b) > maxXML {
		return nil, fmt.Errorf("event of %d bytes, at most %d are read", len(b), maxXML)
	}
	var j struct {
		DateTime, EventType, EventState, UUID text
		ANPR                                  struct {
			LicensePlate, ConfidenceLevel, PlateColor, VehicleType text
			PictureInfoList                                        json.RawMessage
		}
	}
	if err := decodeJSON(b, &j); err != nil {
		return nil, err
	}
	a := &alert{DateTime: string(j.DateTime), EventType: string(j.EventType), EventState: string(j.EventState), UUID: string(j.UUID)}
	a.ANPR.Plate, a.ANPR.Confidence = string(j.ANPR.LicensePlate), string(j.ANPR.ConfidenceLevel)
	a.ANPR.Color, a.ANPR.Vehicle = string(j.ANPR.PlateColor), string(j.ANPR.VehicleType)
	type info struct{ Type, AbsTime text }
	var list []info
	var around struct{ PictureInfo []info }
	switch { // their times only sharpen the event's: another form than these costs no read
	case json.Unmarshal(j.ANPR.PictureInfoList, &list) == nil:
	case json.Unmarshal(j.ANPR.PictureInfoList, &around) == nil:
		list = around.PictureInfo
	}
	for _, p := range list {
		a.ANPR.Pictures = append(a.ANPR.Pictures, alertPicture{string(p.Type), string(p.AbsTime)})
	}
	return a, a.plateEvent()
}

// plateEvent returns errNotANPR for a document that is good but no plate event.
func (a *alert) plateEvent() error {
	switch {
	case a.EventType == "":
		return errors.New("event without an eventType is no ISAPI alert")
	case !strings.EqualFold(a.EventType, "ANPR") || strings.EqualFold(a.EventState, "inactive"):
		return errNotANPR
	}
	return nil
}

func (a *alert) event() event {
	return event{
		id: a.UUID, stamp: a.DateTime + "|" + a.absTime(), plate: a.ANPR.Plate, color: color(a.ANPR.Color), kind: kind(a.ANPR.Vehicle),
		confidence: permille(a.ANPR.Confidence, 100), at: a.deviceTime(),
	}
}

// parseAlert reads an ISAPI event. errNotANPR marks a document that is good but no plate event, such as a
// heartbeat.
func parseAlert(b []byte) (*alert, error) {
	if len(b) > maxXML {
		return nil, fmt.Errorf("event of %d bytes, at most %d are read", len(b), maxXML)
	}
	if err := bounded(b); err != nil {
		return nil, err
	}
	var a alert
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = refuseCharset
	if err := d.Decode(&a); err != nil {
		return nil, fmt.Errorf("event is no ISAPI alert: %w", err)
	}
	return &a, a.plateEvent()
}

// bounded refuses a document type, which could define entities, and nesting beyond any camera's.
func bounded(b []byte) error {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = refuseCharset
	for depth := 0; ; {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("event is no XML: %w", err)
		}
		switch t.(type) {
		case xml.Directive:
			return errors.New("event has a document type, which no camera sends")
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return fmt.Errorf("event is nested deeper than %d levels", maxDepth)
			}
		case xml.EndElement:
			depth--
		}
	}
}

func refuseCharset(label string, _ io.Reader) (io.Reader, error) {
	return nil, fmt.Errorf("encoding %q, want UTF-8", label)
}

// deviceTime is the camera's clock. dateTime has an offset and whole seconds; a picture's absTime has
// milliseconds and no offset, so it counts only beside a dateTime that it fits. Without an offset the time is
// not known.
func (a *alert) deviceTime() wim.Time {
	t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(a.DateTime))
	if err != nil || t.Year() < 1970 || t.Year() > 2200 {
		return 0
	}
	if s := a.absTime(); len(s) == len("20060102150405000") {
		fine, err := time.ParseInLocation("20060102150405.000", s[:14]+"."+s[14:], t.Location())
		// Nearer than any two zones: the clock is the same one.
		if err == nil && fine.Sub(t).Abs() < time.Minute {
			t = fine
		}
	}
	return wim.TimeOf(t)
}

// absTime is when the overview was taken, else the first picture that says so.
func (a *alert) absTime() string {
	first := ""
	for _, p := range a.ANPR.Pictures {
		if p.AbsTime == "" {
			continue
		}
		if strings.EqualFold(p.Type, "detectionPicture") {
			return strings.TrimSpace(p.AbsTime)
		}
		if first == "" {
			first = strings.TrimSpace(p.AbsTime)
		}
	}
	return first
}
