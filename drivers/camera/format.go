package camera

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/axlegate/axlegate/wim"
)

// Format names how a maker's cameras word what they saw.
type Format string

// The formats. Formats says what each carries and lacks.
const (
	Hikvision       Format = "hikvision"
	Dahua           Format = "dahua"
	Axis            Format = "axis"
	PlateRecognizer Format = "plate-recognizer"
	OpenALPR        Format = "openalpr"
	AutoVu          Format = "autovu"
	Frigate         Format = "frigate"
)

// Traits is what is known of a format.
type Traits struct {
	Format  Format
	Name    string // maker and product
	Event   string // what names a vehicle, so that what comes again is known
	Clock   string // what the camera's time rests on
	Carries string
	Lacks   string
	Source  string // where the fields stand
}

// dialect is a format with what reads it.
type dialect struct {
	Traits
	// decode takes one push apart. No events and no error is a heartbeat, or something that no vehicle is in.
	// zone is that of times written without one; nil where it is not known.
	decode func(contentType string, body []byte, zone *time.Location) ([]event, error)
	// answer is the body that the camera wants to see; empty where the status says all.
	answer string
	// fixed are the paths that the maker's cameras push to where none can be set.
	fixed []string
}

func dialects() []dialect {
	return []dialect{hikvision(), dahua(), axis(), plateRecognizer(), openALPR(), autoVu(), frigate()}
}

// Formats lists what is known of each format.
func Formats() []Traits {
	var out []Traits
	for _, d := range dialects() {
		out = append(out, d.Traits)
	}
	return out
}

// Valid names the formats where f is none of them.
func (f Format) Valid() error {
	_, err := f.dialect()
	return err
}

func (f Format) dialect() (dialect, error) {
	var names []string
	for _, d := range dialects() {
		if d.Format == f {
			return d, nil
		}
		names = append(names, string(d.Format))
	}
	return dialect{}, fmt.Errorf("format %q: want one of %s", f, strings.Join(names, ", "))
}

// refusal is a push that is not taken, with the HTTP status that tells the camera why.
type refusal struct {
	status int
	err    error
}

func (r refusal) Error() string { return r.err.Error() }
func (r refusal) Unwrap() error { return r.err }

// refuse makes a refusal of a push that sending again will not mend.
func refuse(format string, args ...any) error {
	return refusal{http.StatusBadRequest, fmt.Errorf(format, args...)}
}

// statusOf is the status of an error of split or of a decoder.
func statusOf(err error) int {
	var r refusal
	if errors.As(err, &r) {
		return r.status
	}
	return http.StatusBadRequest
}

// event is one account of one vehicle, in words that all makers share.
type event struct {
	// id is the camera's own and the same for every account of one vehicle; empty where there is none.
	id string
	// counts says that id counts from the camera's start, so that it comes again for another vehicle.
	counts     bool
	stamp      string // the time as it was written: part of the name of an event without an id
	plate      string // as sent
	color      wim.PlateColor
	kind       wim.VehicleKind
	confidence wim.Permille
	at         wim.Time // by the camera's clock; 0 when not known
	pictures   []picture
	doc        []byte // the document that it stood in
}

// Bounds of what goes into a record. The longest plates have some ten characters, a UUID has 36.
const (
	maxPlate  = 32 // characters
	maxID     = 64 // bytes
	maxEvents = 32 // of one push
)

// read turns an event into a plate read; the arrival is the caller's. whole is false when the camera sent text
// that cannot be a plate: it is left out.
func (e *event) read(c *Config, picture wim.Digest) (r wim.PlateRead, whole bool) {
	r = wim.PlateRead{
		Camera: c.Device, Lane: c.Lane, End: c.End, Text: wim.NormalisePlate(e.plate), Color: e.color,
		Kind: e.kind, Confidence: e.confidence, DeviceTime: e.at, Picture: picture,
	}
	whole = utf8.RuneCountInString(r.Text) <= maxPlate && !strings.ContainsFunc(r.Text, func(c rune) bool { return !unicode.IsPrint(c) })
	if !whole {
		r.Text = ""
	}
	if r.Text == "" {
		r.Confidence = 0
	}
	r.Event = e.name(&r)
	return r, whole
}

// name is the name of the event: the camera's own where it has one, else what tells it from others and is the
// same when it is sent again.
func (e *event) name(r *wim.PlateRead) string {
	own := strings.TrimSpace(e.id)
	switch {
	case strings.Trim(own, "0-") == "": // none, or the one that stands for none
	case len(own) <= maxID && utf8.ValidString(own):
		return own
	default:
		return wim.DigestOf([]byte(own)).String()
	}
	id := fmt.Appendf(nil, "%s|%s|%s", r.Camera, e.stamp, r.Text)
	// Time and plate name a passage. Where one of them is missing, two passages would have one name and the
	// second would be lost as a repeat.
	if r.Text == "" || strings.Trim(e.stamp, "|") == "" {
		id = fmt.Appendf(id, "|%s|%s", r.Picture, wim.DigestOf(e.doc))
	}
	return wim.DigestOf(id).Short()
}

// Decoded is one vehicle of a push that was saved: what a Camera would hand on, less what only it knows.
type Decoded struct {
	Read wim.PlateRead // without camera, lane, end and arrival
	JPEG []byte        // nil for none
	// LeftOut says what was sent and cannot be a plate or a picture.
	LeftOut []string
}

// Decode reads a push that was saved, as a camera of that format sent it. An empty contentType is guessed by
// MediaType. zone is that of times written without one; nil where it is not known. No vehicle and no error is a
// heartbeat or the like.
func Decode(f Format, contentType string, body []byte, zone *time.Location) ([]Decoded, error) {
	d, err := f.dialect()
	if err != nil {
		return nil, err
	}
	if contentType == "" {
		contentType = MediaType(body)
	}
	events, err := d.decode(contentType, body, zone)
	if err != nil {
		return nil, err
	}
	var out []Decoded
	for i := range events {
		var o Decoded
		var digest wim.Digest
		if o.JPEG, o.LeftOut = chosen(events[i].pictures); o.JPEG != nil {
			digest = wim.DigestOf(o.JPEG)
		}
		var whole bool
		if o.Read, whole = events[i].read(&Config{}, digest); !whole {
			o.LeftOut = append(o.LeftOut, fmt.Sprintf("a plate of %d bytes", len(events[i].plate)))
		}
		out = append(out, o)
	}
	return out, nil
}

// text is a JSON string, number or boolean as it was written: cameras change between them with their firmware.
// null, and what is none of them, is empty.
type text string

// UnmarshalJSON never fails on JSON that is well formed: a field of another form costs only itself.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[' || string(b) == "null":
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = text(s)
	default:
		*t = text(b)
	}
	return nil
}

// yes tells whether a flag is set, in any of the ways that it is written.
func (t text) yes() bool {
	switch strings.ToLower(strings.TrimSpace(string(t))) {
	case "", "0", "false", "no":
		return false
	}
	return true
}

// decodeJSON reads a document whose first byte tells an object or an array apart.
func decodeJSON(doc []byte, v any) error {
	if err := json.Unmarshal(doc, v); err != nil {
		return refuse("event is no JSON of this format: %w", err)
	}
	return nil
}

// permille reads a confidence of 0 to full, which is 1 or 100. What is no number is no confidence; what is more
// than 1 where 1 is full is one of hundred: firmware changes the scale.
func permille(s string, full int) wim.Permille {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(f) || f < 0 {
		return 0
	}
	if full == 1 && f > 1 {
		full = 100
	}
	return wim.Permille(math.Round(min(f/float64(full), 1) * 1000))
}

// epoch reads time since 1970 in seconds, milli-, micro- or nanoseconds, with or without decimals; the size of
// the number tells which. A clock that was never set is read as seconds.
func epoch(s string) wim.Time {
	whole, frac, _ := strings.Cut(strings.TrimSpace(s), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	unit := int64(1)
	for _, u := range []struct{ from, unit int64 }{{1e17, 1}, {1e14, 1e3}, {1e11, 1e6}, {0, 1e9}} {
		if n >= u.from {
			unit = u.unit
			break
		}
	}
	t := time.Unix(n/(1e9/unit), n%(1e9/unit)*unit)
	for _, d := range frac {
		if d < '0' || d > '9' {
			return 0
		}
		unit /= 10
		t = t.Add(time.Duration(int64(d-'0') * unit))
	}
	return clock(t)
}

// clock keeps what a clock can say; a year that none has is not known.
func clock(t time.Time) wim.Time {
	if t.Year() < 1970 || t.Year() > 2200 {
		return 0
	}
	return wim.TimeOf(t)
}

// zoned reads ISO 8601 with an offset; with a space for the T too. Without an offset it is zone's, and not known
// where that is nil.
func zoned(s string, zone *time.Location) wim.Time {
	s = strings.Replace(strings.TrimSpace(s), " ", "T", 1)
	s = strings.ReplaceAll(s, " ", "")
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return clock(t)
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999-0700", "2006-01-02T15:04:05.999999999-07"} {
		if t, err := time.Parse(layout, s); err == nil {
			return clock(t)
		}
	}
	if zone == nil {
		return 0
	}
	t, err := time.ParseInLocation("2006-01-02T15:04:05.999999999", s, zone)
	if err != nil {
		return 0
	}
	return clock(t)
}

// encoded is a picture in base64, with or without the data: address before it. What cannot be decoded is a
// picture that is none.
func encoded(name, s string) picture {
	if i := strings.Index(s, "base64,"); i >= 0 && i < 64 {
		s = s[i+len("base64,"):]
	}
	s = strings.TrimRight(strings.TrimSpace(s), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		b = nil
	}
	return picture{name, b}
}

// color maps the words of all makers.
func color(s string) wim.PlateColor {
	switch plain(s) {
	case "yellow":
		return wim.Yellow
	case "blue":
		return wim.Blue
	case "green", "newenergygreen", "shadowgreen", "gradientgreen":
		return wim.Green
	case "yellowgreen", "newenergyyellowgreen":
		return wim.YellowGreen
	case "white":
		return wim.White
	case "black":
		return wim.Black
	}
	return ""
}

// kind maps the words of all makers. A word that fits nothing is no kind: Judge then presumes goods and says so.
func kind(s string) wim.VehicleKind {
	switch plain(s) {
	case "truck", "largetruck", "bigtruck", "mediumtruck", "midtruck", "lighttruck", "heavytruck", "trailer", "semitrailer", "midsizetruck", "tractortrailer", "lorry":
		return wim.Goods
	case "bus", "largebus", "bigbus", "mediumbus", "smallbus", "coach":
		return wim.Bus
	case "car", "vehicle", "suv", "sedan", "smallcar", "mpv", "passengercar", "suvmpv", "salooncar", "hatchback":
		return wim.Car
	}
	return wim.KindUnknown
}

// plain is a word in lower case without what separates its parts.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if slices.Contains([]rune{' ', '-', '_', '/'}, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}
