package camera

import (
	"encoding/base64"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/axlegate/axlegate/wim"
)

func payload(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/formats/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "PICTURE", base64.StdEncoding.EncodeToString(photo(t, 64, 48)))
}

// speaks is a rig whose camera sends in a format, with its clock in China where the format has no zone.
func speaks(t *testing.T, f Format) *rig {
	t.Helper()
	return rigFor(t, Config{Format: f, Zone: time.FixedZone("", 8*3600)})
}

func (r *rig) say(t *testing.T, doc string) (status int, answer string) {
	t.Helper()
	w := r.push(t, "/camera/"+secret, MediaType([]byte(doc)), []byte(doc))
	return w.Code, w.Body.String()
}

func TestEachFormatSaysTheSameOfAVehicle(t *testing.T) {
	at := wim.TimeOf(time.Date(2031, 5, 5, 23, 8, 9, 214_000_000, time.UTC))
	for _, c := range []struct {
		format  Format
		payload string
		event   string // empty where the format has none of its own
		want    []wim.PlateRead
		picture bool
		answer  string
	}{
		{Hikvision, "hikvision", "example-0001", []wim.PlateRead{{Text: "川A12345", Color: wim.Yellow, Confidence: 960, Kind: wim.Goods, DeviceTime: at}}, false, ""},
		{Dahua, "dahua", "", []wim.PlateRead{{Text: "川A12345", Color: wim.Yellow, Confidence: 910, Kind: wim.Goods, DeviceTime: at}}, true, `{"Result":true}`},
		{Axis, "axis", "", []wim.PlateRead{{Text: "ZZ90QQX", Confidence: 912, Kind: wim.Goods, DeviceTime: at}}, true, ""},
		{PlateRecognizer, "platerecognizer", "", []wim.PlateRead{{Text: "ZZ90QQX", Confidence: 910, Kind: wim.Goods, DeviceTime: at}, {Text: "AB12CDE", Confidence: 550, Kind: wim.Car, DeviceTime: at}}, false, ""},
		{OpenALPR, "openalpr", "a-12-1935788889214", []wim.PlateRead{{Text: "ZZ90QQX", Confidence: 912, Kind: wim.Goods, DeviceTime: at}}, true, ""},
		{AutoVu, "autovu", "5f2a-0001", []wim.PlateRead{{Text: "ZZ90QQX", Confidence: 912, DeviceTime: at}}, true, ""},
		{Frigate, "frigate", "1935788880.1-abc", []wim.PlateRead{{Text: "ZZ90QQX", Confidence: 880, DeviceTime: at}}, false, ""},
	} {
		t.Run(string(c.format), func(t *testing.T) {
			r := speaks(t, c.format)
			for range 2 { // the second time is a repeat
				if status, answer := r.say(t, payload(t, c.payload)); status != http.StatusOK || answer != c.answer {
					t.Fatalf("status %d: %s", status, answer)
				}
			}
			if len(r.got) != len(c.want) {
				t.Fatalf("%d reads, want %d", len(r.got), len(c.want))
			}
			for i, got := range r.got {
				if got.read.Event == "" || c.event != "" && got.read.Event != c.event {
					t.Errorf("event %q, want %q", got.read.Event, c.event)
				}
				if (got.jpeg != nil) != c.picture || c.picture && got.read.Picture != wim.DigestOf(got.jpeg) {
					t.Errorf("a picture of %d bytes, digest %s", len(got.jpeg), got.read.Picture)
				}
				want := c.want[i]
				want.Camera, want.Lane, want.End, want.Arrival, want.Event, want.Picture = "cam-1", 2, wim.Front, got.read.Arrival, got.read.Event, got.read.Picture
				if got.read != want {
					t.Errorf("have %+v\nwant %+v", got.read, want)
				}
			}
			if h := r.cam.Health(); h.Bad != 0 || !h.Up {
				t.Errorf("%+v", h)
			}
		})
	}
}

func TestWhatIsNoVehicleIsAnsweredAndIsNoRead(t *testing.T) {
	for _, c := range []struct {
		name   string
		format Format
		doc    string
	}{
		{"a heartbeat of ISAPI", Hikvision, `{"eventType":"videoloss","eventState":"inactive"}`},
		{"a KeepAlive of ITSAPI", Dahua, `{"Active":"keepAlive","DeviceID":"example"}`},
		{"a heartbeat of Axis", Axis, `{"type":"heartbeat"}`},
		{"a packet of Axis that names no car", Axis, `{"packetCounter":"7"}`},
		{"another hook of Plate Recognizer", PlateRecognizer, `{"hook":{"event":"camera_offline"}}`},
		{"a picture in which Plate Recognizer found nothing", PlateRecognizer, `{"data":{"results":[]}}`},
		{"a heartbeat of OpenALPR", OpenALPR, `{"data_type":"heartbeat"}`},
		{"one frame of OpenALPR", OpenALPR, `{"data_type":"alpr_results","results":[{"plate":"ZZ90QQX"}]}`},
		{"a group of OpenALPR that is not finished", OpenALPR, `{"data_type":"alpr_group","is_preview":"true","best_plate_number":"ZZ"}`},
		{"an empty list of AutoVu", AutoVu, `[]`},
		{"an update of Frigate", Frigate, `{"type":"update","after":{"id":"1"}}`},
		{"an object of Frigate without a plate", Frigate, `{"type":"end","after":{"id":"1","recognized_license_plate":null}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := speaks(t, c.format)
			if status, answer := r.say(t, c.doc); status != http.StatusOK || len(r.got) != 0 || !r.cam.Health().Up || r.cam.Health().Bad != 0 {
				t.Errorf("status %d %q, %d reads, %+v", status, answer, len(r.got), r.cam.Health())
			}
		})
	}
}

func TestAPushOfAnotherFormatIsRefused(t *testing.T) {
	for _, d := range Formats() {
		t.Run(string(d.Format), func(t *testing.T) {
			for _, doc := range []string{`{"a":1}`, `{`, `[1]`, `{"a":"` + strings.Repeat("x", 1<<20) + `"}`} {
				r := speaks(t, d.Format)
				if status, answer := r.say(t, doc); status/100 != 4 || answer == "" || len(r.got) != 0 || r.cam.Health().Bad != 1 {
					t.Errorf("%.20s: status %d %q, %d reads", doc, status, answer, len(r.got))
				}
			}
		})
	}
}

func TestLaterAccountsOfOneVehicleAmendIt(t *testing.T) {
	fresh := strings.NewReplacer(`"update"`, `"new"`, "ZZ90QQX", "ZZ90Q", "1935788889214", "1935788888000", "0.912", "0.4")
	r := speaks(t, Axis)
	doc := payload(t, "axis")
	r.say(t, fresh.Replace(doc))
	r.say(t, doc)
	if len(r.got) != 2 || r.got[0].read.Event != r.got[1].read.Event || r.got[1].read.Text != "ZZ90QQX" {
		t.Fatalf("%+v", r.got)
	}
	r.clock = r.clock.Add(time.Hour) // the camera started anew and counts from the beginning
	r.say(t, strings.NewReplacer("ZZ90QQX", "AB12CDE", "1935788889214", "1935792489214").Replace(doc))
	if len(r.got) != 3 || r.got[2].read.Event == r.got[0].read.Event {
		t.Errorf("another vehicle under the same number: %+v", r.got)
	}
}

func TestTimesWithoutAZone(t *testing.T) {
	r := rigFor(t, Config{Format: Dahua})
	r.say(t, payload(t, "dahua"))
	if len(r.got) != 1 || r.got[0].read.DeviceTime != 0 {
		t.Errorf("a local time of an unknown place was believed: %+v", r.got)
	}
	for _, c := range []struct {
		text string
		want time.Time
	}{
		{"1935788889", time.Unix(1935788889, 0)},
		{"1935788889.5", time.Unix(1935788889, 5e8)},
		{"1935788889214", time.UnixMilli(1935788889214)},
		{"1935788889214000", time.UnixMilli(1935788889214)},
		{"1935788889214000000", time.UnixMilli(1935788889214)},
		{"7", time.Unix(7, 0)},
		{"-7", time.Time{}},
		{"", time.Time{}},
		{"soon", time.Time{}},
		{"99999999999", time.Time{}}, // the year 5138
	} {
		if got := epoch(c.text); got != wim.TimeOf(c.want) {
			t.Errorf("%q is %s, want %s", c.text, got, wim.TimeOf(c.want))
		}
	}
}

func TestConfidencesOfAnyScale(t *testing.T) {
	for _, c := range []struct {
		text string
		full int
		want wim.Permille
	}{
		{"0.912", 1, 912}, {"1", 1, 1000}, {"91.2", 1, 912}, {"0", 1, 0}, {"91.2", 100, 912}, {"0.9", 100, 9}, {"400", 100, 1000},
		{"-1", 100, 0}, {"NaN", 1, 0}, {"Inf", 1, 1000}, {"", 1, 0}, {"high", 1, 0},
	} {
		if got := permille(c.text, c.full); got != c.want {
			t.Errorf("%q of %d is %d, want %d", c.text, c.full, got, c.want)
		}
	}
}

func TestPushesBeyondTheRateAreToldToWait(t *testing.T) {
	r := rigFor(t, Config{PerSecond: 1})
	var last int
	for range 5 {
		last = r.push(t, "/camera/"+secret, "application/xml", []byte(anpr(t))).Code
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the fifth in a moment: status %d", last)
	}
	r.clock = r.clock.Add(time.Second)
	if w := r.push(t, "/camera/"+secret+"/behind", "application/xml", []byte(anpr(t))); w.Code != http.StatusOK {
		t.Errorf("a second later: status %d", w.Code)
	}
}

func TestEveryFormatSaysWhatItIs(t *testing.T) {
	for _, d := range Formats() {
		for _, v := range []string{d.Name, d.Event, d.Clock, d.Carries, d.Lacks, d.Source} {
			if v == "" {
				t.Errorf("%s: %+v", d.Format, d)
			}
		}
	}
	if err := Format("none").Valid(); err == nil || !strings.Contains(err.Error(), "plate-recognizer") {
		t.Errorf("%v", err)
	}
}

// fuzz feeds a decoder and holds what it makes against what every read must be.
func fuzz(f *testing.F, format Format, seeds ...string) {
	d, err := format.dialect()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range seeds {
		f.Add(MediaType([]byte(s)), []byte(s))
	}
	f.Fuzz(func(t *testing.T, ctype string, body []byte) {
		events, err := d.decode(ctype, body, time.UTC)
		again, _ := d.decode(ctype, body, time.UTC)
		if len(again) != len(events) || err != nil && statusOf(err)/100 != 4 {
			t.Fatalf("%d events, then %d, %v", len(events), len(again), err)
		}
		c := &Config{Device: "c", Lane: 1, End: wim.Front}
		for i := range events {
			r, _ := events[i].read(c, wim.Digest{})
			if r.Confidence < 0 || r.Confidence > 1000 || r.Event == "" || len(r.Event) > 64 || utf8.RuneCountInString(r.Text) > maxPlate || r.Text == "" && r.Confidence != 0 {
				t.Errorf("%+v", r)
			}
			if b, _ := again[i].read(c, wim.Digest{}); b != r {
				t.Errorf("the same push twice: %+v and %+v", r, b)
			}
		}
	})
}

func FuzzHikvision(f *testing.F) {
	fuzz(f, Hikvision, anpr(f), payload(f, "hikvision"), string(form("\r\n", true, [2]string{"anpr.xml", anpr(f)})))
}

func FuzzDahua(f *testing.F)           { fuzz(f, Dahua, payload(f, "dahua"), `{"Active":"keepAlive"}`) }
func FuzzAxis(f *testing.F)            { fuzz(f, Axis, payload(f, "axis")) }
func FuzzPlateRecognizer(f *testing.F) { fuzz(f, PlateRecognizer, payload(f, "platerecognizer")) }
func FuzzOpenALPR(f *testing.F)        { fuzz(f, OpenALPR, payload(f, "openalpr")) }
func FuzzAutoVu(f *testing.F)          { fuzz(f, AutoVu, payload(f, "autovu"), `{"ReferenceReadId":"a"}`) }
func FuzzFrigate(f *testing.F)         { fuzz(f, Frigate, payload(f, "frigate")) }

func TestThePageListsEveryFormat(t *testing.T) {
	page, err := os.ReadFile("../../docs/devices/cameras.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range Formats() {
		row := "| `" + strings.Join([]string{string(d.Format) + "`", d.Name, d.Event, d.Clock, d.Carries, d.Lacks, d.Source}, " | ") + " |\n"
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/devices/cameras.md lacks the row\n%s", row)
		}
	}
}
