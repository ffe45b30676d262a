package camera

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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
		Confidence string `xml:"confidenceLevel"`
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

// Bounds of what goes into a record. The longest plates have some ten characters, a UUID has 36.
const (
	maxPlate = 32 // characters
	maxUUID  = 64 // bytes
)

// read turns an alert into a plate read; the arrival is the caller's. whole is false when the camera sent text
// that cannot be a plate: it is left out.
func (a *alert) read(c *Config, picture wim.Digest, doc []byte) (r wim.PlateRead, whole bool) {
	r = wim.PlateRead{
		Camera: c.Device, Lane: c.Lane, End: c.End, Text: wim.NormalisePlate(a.ANPR.Plate), Color: color(a.ANPR.Color),
		Kind: kind(a.ANPR.Vehicle), Confidence: confidence(a.ANPR.Confidence), DeviceTime: a.deviceTime(), Picture: picture,
	}
	whole = utf8.RuneCountInString(r.Text) <= maxPlate && !strings.ContainsFunc(r.Text, func(c rune) bool { return !unicode.IsPrint(c) })
	if !whole {
		r.Text = ""
	}
	if r.Text == "" {
		r.Confidence = 0
	}
	r.Event = a.event(&r, doc)
	return r, whole
}

// event is the name of the event: the camera's own where it has one, else what tells it from others and is the
// same when it is sent again.
func (a *alert) event(r *wim.PlateRead, doc []byte) string {
	uuid := strings.TrimSpace(a.UUID)
	switch {
	case strings.Trim(uuid, "0-") == "": // none, or the one that stands for none
	case len(uuid) <= maxUUID:
		return uuid
	default:
		return wim.DigestOf([]byte(uuid)).String()
	}
	at := a.DateTime + "|" + a.absTime()
	id := fmt.Appendf(nil, "%s|%s|%s", r.Camera, at, r.Text)
	// Time and plate name a passage. Where one of them is missing, two passages would have one name and the
	// second would be lost as a repeat.
	if r.Text == "" || at == "|" {
		id = fmt.Appendf(id, "|%s|%s", r.Picture, wim.DigestOf(doc))
	}
	return wim.DigestOf(id).Short()
}

// confidence reads 0 to 100, with or without decimals; what is no number is no confidence.
func confidence(s string) wim.Permille {
	whole, _, _ := strings.Cut(strings.TrimSpace(s), ".")
	n, err := strconv.Atoi(whole)
	if err != nil {
		return 0
	}
	return wim.Permille(min(max(n, 0), 100) * 10)
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
