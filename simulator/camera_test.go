package simulator

import (
	"bytes"
	"context"
	"encoding/xml"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// alert is what the test expects of an event document, from the maker's protocol.
type alert struct {
	XMLName   xml.Name `xml:"http://www.isapi.org/ver20/XMLSchema EventNotificationAlert"`
	DateTime  string   `xml:"dateTime"`
	EventType string   `xml:"eventType"`
	UUID      string   `xml:"UUID"`
	PicNum    int      `xml:"picNum"`
	ANPR      struct {
		Plate      string `xml:"licensePlate"`
		Line       int    `xml:"line"`
		Direction  string `xml:"direction"`
		Confidence int    `xml:"confidenceLevel"`
		Believe    string `xml:"plateCharBelieve"`
		Color      string `xml:"plateColor"`
		Pictures   []struct {
			File    string `xml:"fileName"`
			AbsTime string `xml:"absTime"`
			Rect    struct {
				X      int `xml:"X"`
				Y      int `xml:"Y"`
				Width  int `xml:"width"`
				Height int `xml:"height"`
			} `xml:"plateRect"`
		} `xml:"pictureInfoList>pictureInfo"`
	} `xml:"ANPR"`
}

// pushed is one event as it came.
type pushed struct {
	alert    alert
	pictures map[string][]byte
}

// answerer is the site that a camera pushes to: it gives its answers in turn, then 200.
type answerer struct {
	t *testing.T

	mu      sync.Mutex
	answers []int
	pushes  []pushed // taken or not
	taken   []string // UUIDs
}

func (a *answerer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" || r.Method != http.MethodPost {
		a.t.Errorf("%s with %q: %v", r.Method, r.Header.Get("Content-Type"), err)
	}
	p := pushed{pictures: map[string][]byte{}}
	m := multipart.NewReader(r.Body, params["boundary"])
	for n := 0; ; n++ {
		part, err := m.NextPart()
		if err == io.EOF { //nolint:errorlint // the reader promises io.EOF itself
			break
		}
		if err != nil {
			a.t.Error(err)
			break
		}
		b, err := io.ReadAll(part)
		if err != nil {
			a.t.Error(err)
		}
		switch {
		case n > 0:
			p.pictures[part.FileName()] = b
		case part.FileName() != "anpr.xml":
			a.t.Errorf("the first part is %q", part.FileName())
		default:
			if err := xml.Unmarshal(b, &p.alert); err != nil {
				a.t.Errorf("%v in\n%s", err, b)
			}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pushes = append(a.pushes, p)
	if len(a.answers) > 0 {
		code := a.answers[0]
		a.answers = a.answers[1:]
		if code != http.StatusOK {
			http.Error(w, "not now", code)
			return
		}
	}
	a.taken = append(a.taken, p.alert.UUID)
}

func (a *answerer) state() (pushes []pushed, taken []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]pushed(nil), a.pushes...), append([]string(nil), a.taken...)
}

// aim runs a camera that pushes to a site with these answers.
func aim(t *testing.T, answers ...int) (*camera, *answerer) {
	t.Helper()
	a := &answerer{t: t, answers: answers}
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	c := newCamera(srv.URL, "", "north-1", 2, true, stream(1, 1), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c, a
}

func TestAnEventSaysWhatItsPictureShows(t *testing.T) {
	c, a := aim(t)
	at := time.Date(2031, 5, 5, 23, 8, 9, 214e6, time.UTC)
	c.see(sighting{plate: "藏H88G6挂", kind: "truck", at: at, uuid: "e1"})
	until(t, "the event", func() bool { _, taken := a.state(); return len(taken) == 1 })
	pushes, _ := a.state()
	e := pushes[0].alert
	if e.EventType != "ANPR" || e.UUID != "e1" || e.PicNum != 2 || e.DateTime != "2031-05-06T07:08:09+08:00" {
		t.Errorf("event %+v", e)
	}
	p := e.ANPR
	if p.Plate != "藏H88G6挂" || p.Line != 2 || p.Direction != "forward" || p.Confidence < 90 || p.Confidence > 99 || p.Color != "yellow" || strings.Count(p.Believe, ",") != 6 {
		t.Errorf("plate %+v", p)
	}
	if len(p.Pictures) != 2 || len(pushes[0].pictures) != 2 {
		t.Fatalf("pictures %+v and %d files", p.Pictures, len(pushes[0].pictures))
	}
	for _, info := range p.Pictures {
		m, err := jpeg.Decode(bytes.NewReader(pushes[0].pictures[info.File]))
		if err != nil {
			t.Fatalf("%s: %v", info.File, err)
		}
		if len(pushes[0].pictures[info.File]) > 120<<10 || info.AbsTime != "20310506070809214" {
			t.Errorf("%s: %d bytes, absTime %s", info.File, len(pushes[0].pictures[info.File]), info.AbsTime)
		}
		if info.File == "detectionPicture.jpg" {
			at := image.Rect(info.Rect.X, info.Rect.Y, info.Rect.X+info.Rect.Width, info.Rect.Y+info.Rect.Height)
			inside, all := yellowIn(m, at), yellowIn(m, m.Bounds())
			if inside < at.Dx()*at.Dy()/2 || all-inside > inside/10 {
				t.Errorf("%d yellow pixels in the plate's place %v, %d in the picture", inside, at, all)
			}
		}
	}
}

func yellowIn(m image.Image, at image.Rectangle) int {
	n := 0
	for y := at.Min.Y; y < at.Max.Y; y++ {
		for x := at.Min.X; x < at.Max.X; x++ {
			if r, g, b, _ := m.At(x, y).RGBA(); r>>8 > 200 && g>>8 > 150 && b>>8 < 110 {
				n++
			}
		}
	}
	return n
}

func TestPushing(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []int
		first   sighting
		pushes  []string // UUIDs in order
		taken   []string
	}{
		{"an event that the site cannot take now comes again under its id", []int{503, 503}, sighting{}, []string{"a", "a", "a", "b"}, []string{"a", "b"}},
		{"an event that fails at the site comes again", []int{500}, sighting{}, []string{"a", "a", "b"}, []string{"a", "b"}},
		{"an event that is refused does not hold up the next", []int{400, 400, 400, 400}, sighting{}, []string{"a", "a", "a", "a", "b"}, []string{"b"}},
		{"a camera that repeats itself pushes one event twice", nil, sighting{repeats: 1}, []string{"a", "a", "b"}, []string{"a", "a", "b"}},
		{"a late event lets the next pass", nil, sighting{delay: time.Hour}, []string{"b"}, []string{"b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cam, a := aim(t, c.answers...)
			s := c.first
			s.plate, s.uuid, s.at = "川A12345", "a", time.Now()
			cam.see(s)
			cam.see(sighting{plate: "川A54321", uuid: "b", at: s.at})
			until(t, "the events", func() bool { _, taken := a.state(); return len(taken) == len(c.taken) })
			pushes, taken := a.state()
			var ids []string
			for _, p := range pushes {
				ids = append(ids, p.alert.UUID)
			}
			if strings.Join(ids, " ") != strings.Join(c.pushes, " ") || strings.Join(taken, " ") != strings.Join(c.taken, " ") {
				t.Errorf("pushed %v, want %v; taken %v, want %v", ids, c.pushes, taken, c.taken)
			}
		})
	}
}

func TestALateEventComes(t *testing.T) {
	cam, a := aim(t)
	cam.see(sighting{plate: "川A12345", uuid: "a", at: time.Now(), delay: 10 * time.Millisecond})
	until(t, "the event", func() bool { _, taken := a.state(); return len(taken) == 1 })
}

func TestWhatACameraGetsWrong(t *testing.T) {
	for _, c := range []struct {
		name    string
		fault   FaultKind
		plate   string
		picture bool
	}{
		{"no plate is read, the picture is there", NoPlate, "unknown", true},
		{"the plate is read, the picture is broken", BadPicture, "川A12345", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cam, a := aim(t)
			cam.see(sighting{plate: "川A12345", uuid: "a", at: time.Now(), faults: []FaultKind{c.fault}})
			until(t, "the event", func() bool { _, taken := a.state(); return len(taken) == 1 })
			pushes, _ := a.state()
			if p := pushes[0].alert.ANPR; p.Plate != c.plate || (p.Confidence == 0) != (c.plate == "unknown") {
				t.Errorf("event %+v", p)
			}
			_, err := jpeg.Decode(bytes.NewReader(pushes[0].pictures["detectionPicture.jpg"]))
			if (err == nil) != c.picture {
				t.Errorf("the picture: %v", err)
			}
		})
	}
}

func TestACameraWithoutAPictureAndUnderAWrongClock(t *testing.T) {
	cam, a := aim(t)
	cam.see(sighting{plate: "川A12345", uuid: "a", at: time.Date(2031, 5, 5, 23, 8, 9, 0, time.UTC), wrong: 48 * time.Hour, faults: []FaultKind{NoPicture, WrongClock}})
	until(t, "the event", func() bool { _, taken := a.state(); return len(taken) == 1 })
	pushes, _ := a.state()
	if e := pushes[0]; e.alert.DateTime != "2031-05-08T07:08:09+08:00" || e.alert.PicNum != 0 || len(e.pictures) != 0 || e.alert.ANPR.Plate != "川A12345" {
		t.Errorf("%+v with %d pictures", e.alert, len(e.pictures))
	}
}

func TestEveryFormatSaysThePlate(t *testing.T) {
	for _, f := range CameraFormats() {
		c := newCamera("http://127.0.0.1:1/", f, "north-1", 2, true, stream(1, 1), slog.New(slog.DiscardHandler))
		for _, s := range []sighting{
			{plate: "川A12345", kind: "truck", uuid: "a", at: time.Now()}, {plate: "川A12345", uuid: "b", at: time.Now(), faults: []FaultKind{NoPicture}},
			{plate: "川A12345", uuid: "c", at: time.Now(), faults: []FaultKind{BadPicture}},
		} {
			pushes, err := c.event(s)
			if err != nil || len(pushes) == 0 {
				t.Fatalf("%s: %d pushes, %v", f, len(pushes), err)
			}
			for _, p := range pushes {
				if !bytes.Contains(bytes.ToUpper(p.body), []byte("川A12345")) || p.contentType == "" {
					t.Errorf("%s: %.200s", f, p.body)
				}
			}
		}
		silent, err := c.event(sighting{plate: "川A12345", uuid: "d", at: time.Now(), faults: []FaultKind{NoPlate}})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range silent {
			if bytes.Contains(p.body, []byte("12345")) {
				t.Errorf("%s says a plate that it did not read: %.200s", f, p.body)
			}
		}
	}
}

func TestACameraWhoseMemoryIsFullForgetsTheOldest(t *testing.T) {
	c := newCamera("http://127.0.0.1:1/", "", "north-1", 1, true, stream(1, 1), slog.New(slog.DiscardHandler))
	for i := range cameraQueue + 3 {
		c.see(sighting{delay: time.Duration(i)})
	}
	if first := <-c.queue; first.delay != 3 || len(c.queue) != cameraQueue-1 {
		t.Errorf("the oldest is number %d of %d", first.delay, len(c.queue)+1)
	}
}

func BenchmarkOverview(b *testing.B) {
	p := newPainter(true)
	at := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := p.overview("川A12345", "north-1", 1, at, 3); err != nil {
			b.Fatal(err)
		}
	}
}
