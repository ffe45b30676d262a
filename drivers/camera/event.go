package camera

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/axlegate/axlegate/wim"
)

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
		Plate      string `xml:"licensePlate"`
		Confidence int    `xml:"confidenceLevel"`
		Color      string `xml:"plateColor"`
		Vehicle    string `xml:"vehicleType"`
		Pictures   []struct {
			Type    string `xml:"type"`
			AbsTime string `xml:"absTime"`
		} `xml:"pictureInfoList>pictureInfo"`
	} `xml:"ANPR"`
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
	if !strings.EqualFold(a.EventType, "ANPR") || strings.EqualFold(a.EventState, "inactive") {
		return nil, errNotANPR
	}
	return &a, nil
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

// read turns an alert into a plate read; the picture's digest and the arrival are the caller's.
func (a *alert) read(c *Config) wim.PlateRead {
	r := wim.PlateRead{
		Camera: c.Device, Event: a.UUID, Lane: c.Lane, End: c.End,
		Text: wim.NormalisePlate(a.ANPR.Plate), Color: color(a.ANPR.Color), Kind: kind(a.ANPR.Vehicle),
		Confidence: wim.Permille(min(max(a.ANPR.Confidence, 0), 100) * 10), DeviceTime: deviceTime(a.DateTime),
	}
	if r.Text == "" {
		r.Confidence = 0
	}
	if r.Event == "" {
		// Old firmware has no UUID: what the event says is its name, so that a repeat is still known.
		r.Event = wim.DigestOf(fmt.Appendf(nil, "%s|%s|%s|%d", c.Device, a.DateTime, a.ANPR.Plate, a.ANPR.Confidence)).Short()
	}
	return r
}

// deviceTime reads ISO 8601. Without an offset the zone is not known, so the time is not.
func deviceTime(s string) wim.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0
	}
	return wim.TimeOf(t)
}

func color(s string) wim.PlateColor {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "yellow":
		return wim.Yellow
	case "blue":
		return wim.Blue
	case "green", "newenergygreen":
		return wim.Green
	case "yellowgreen", "newenergyyellowgreen", "yellow-green":
		return wim.YellowGreen
	case "white":
		return wim.White
	case "black":
		return wim.Black
	}
	return ""
}

// kind maps the camera's words. A word that fits nothing is no kind: Judge then presumes goods and says so.
func kind(s string) wim.VehicleKind {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "truck", "largetruck", "mediumtruck", "lighttruck", "heavytruck", "trailer", "semitrailer", "midsizetruck":
		return wim.Goods
	case "bus", "largebus", "mediumbus", "smallbus", "coach":
		return wim.Bus
	case "car", "vehicle", "suv", "sedan", "smallcar", "mpv":
		return wim.Car
	}
	return wim.KindUnknown
}
