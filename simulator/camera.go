package simulator

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// sighting is one vehicle before one camera.
type sighting struct {
	plate   string
	kind    string // vehicleType as the camera words it
	at      time.Time
	uuid    string
	faults  []FaultKind
	delay   time.Duration // of a late event
	wrong   time.Duration // how far the camera's clock is ahead for this event
	tint    uint8
	repeats int
}

// camera pushes events in a maker's format. Events leave in the order in which vehicles passed; one that is
// not taken is sent again as it was.
type camera struct {
	url     string
	format  CameraFormat
	user    *url.Userinfo // nil where the camera shows no name; then it answers a Digest challenge, or Basic
	number  int           // of vehicles seen
	stream  *eventStream  // of a camera that is asked instead of pushing
	site    wim.SiteID
	lane    wim.LaneID
	front   bool
	log     *slog.Logger
	client  *http.Client
	painter *painter
	queue   chan sighting
	rand    *rand.Rand
	dark    atomic.Int64 // until then it starts anew, in ns of Unix time
}

const (
	cameraQueue  = 256
	pushTries    = 40
	refusedTries = 3
)

// errRefused is an answer that sending the same again will not change: a wrong address, a body that the
// site does not take.
var errRefused = errors.New("refused")

func newCamera(address string, format CameraFormat, site wim.SiteID, lane wim.LaneID, front bool, r *rand.Rand, log *slog.Logger) *camera {
	if format == "" {
		format = HikvisionFormat
	}
	var user *url.Userinfo
	if u, err := url.Parse(address); err == nil && u.User != nil {
		user, u.User = u.User, nil
		address = u.String()
	}
	return &camera{
		url: address, format: format, user: user, site: site, lane: lane, front: front, log: log, rand: r, painter: newPainter(front),
		client: &http.Client{Timeout: 10 * time.Second}, queue: make(chan sighting, cameraQueue),
	}
}

// see queues a sighting; a camera whose memory is full forgets the oldest, as real ones do.
func (c *camera) see(s sighting) {
	if time.Now().UnixNano() < c.dark.Load() {
		return
	}
	for {
		select {
		case c.queue <- s:
			return
		default:
		}
		select {
		case old := <-c.queue:
			c.log.Warn("camera forgot an event, its memory is full", "lane", c.lane, "plate", old.plate)
		default:
		}
	}
}

// reboot makes it start anew: what it had not sent is gone, and it sees nothing for so long.
func (c *camera) reboot(d time.Duration) {
	c.dark.Store(time.Now().Add(d).UnixNano())
	for {
		select {
		case <-c.queue:
		default:
			return
		}
	}
}

// run pushes until ctx ends, and waits for late events that are on their way.
func (c *camera) run(ctx context.Context) error {
	var late sync.WaitGroup
	defer late.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-c.queue:
			// Drawn here: painter and chance belong to this goroutine.
			bodies, err := c.event(s)
			if err != nil {
				return err
			}
			if s.delay == 0 {
				c.deliver(ctx, s, bodies)
				continue
			}
			// A late event must not hold up the ones behind it.
			late.Go(func() {
				if wait(ctx, s.delay) {
					c.deliver(ctx, s, bodies)
				}
			})
		}
	}
}

// deliver pushes an event, as often as it repeats, each part of it until it is taken. One that is refused is given up
// soon: it must not hold up the ones behind it.
func (c *camera) deliver(ctx context.Context, s sighting, bodies []push) {
	for range 1 + s.repeats {
		for _, body := range bodies {
			if !c.insist(ctx, s, body) {
				return
			}
		}
	}
}

// insist pushes until it is taken, and tells whether it was, or ctx ended.
func (c *camera) insist(ctx context.Context, s sighting, body push) bool {
	pause := 100 * time.Millisecond
	for try := 0; ; try++ {
		err := c.push(ctx, body)
		if err == nil || ctx.Err() != nil {
			return true
		}
		if try == pushTries || errors.Is(err, errRefused) && try >= refusedTries {
			c.log.Warn("camera gives an event up", "lane", c.lane, "plate", s.plate, "error", err)
			return false
		}
		if !wait(ctx, pause) {
			return false
		}
		pause = min(2*pause, 2*time.Second)
	}
}

func (c *camera) push(ctx context.Context, body push) error {
	if c.stream != nil {
		return c.stream.write(body.body)
	}
	auth := ""
	for {
		code, challenge, answer, err := c.post(ctx, body, auth)
		if code == http.StatusUnauthorized && auth == "" && c.user != nil {
			if auth, err = c.credentials(challenge); err != nil {
				return err
			}
			continue
		}
		switch {
		case err != nil:
			return err
		case code == http.StatusOK && c.format == DahuaFormat && !strings.Contains(answer, `"Result":true`):
			return fmt.Errorf("not taken: the answer is %q", answer) // this maker's cameras look at nothing else
		case code == http.StatusOK:
			return nil
		case code >= 400 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
			return fmt.Errorf("%w: status %d", errRefused, code)
		}
		return fmt.Errorf("not taken: status %d", code)
	}
}

func (c *camera) credentials(challenge string) (string, error) {
	u, err := url.Parse(c.url)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(challenge, "Digest ") {
		return digestAnswer(challenge, c.user, u.RequestURI()), nil
	}
	password, _ := c.user.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.user.Username()+":"+password)), nil
}

func (c *camera) post(ctx context.Context, body push, auth string) (code int, challenge, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body.body))
	if err != nil {
		return 0, "", "", err
	}
	req.Header.Set("Content-Type", body.contentType)
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	req.Close = true // as the real ones say
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	return resp.StatusCode, resp.Header.Get("WWW-Authenticate"), string(b), errors.Join(err, resp.Body.Close())
}

// event makes the bodies of an event.
func (c *camera) event(s sighting) ([]push, error) {
	c.number++
	v := &shot{sighting: s, plate: s.plate, at: s.at.Add(s.wrong).In(time.FixedZone("", 8*3600)), lane: c.lane, front: c.front, site: c.site, number: c.number,
		rand: c.rand, width: sceneW, height: sceneH}
	if has(s.faults, NoPlate) {
		v.plate = ""
	}
	switch {
	case c.format == FrigateFormat, has(s.faults, NoPicture): // nothing to draw
	case has(s.faults, BadPicture):
		v.overview = []byte("\xff\xd8 this was a picture once")
	default:
		var err error
		if v.overview, v.box, err = c.painter.overview(v.plate, string(c.site), int(c.lane), v.at, s.tint); err != nil {
			return nil, err
		}
		if v.closeUp, err = c.painter.closeUp(v.plate); err != nil {
			return nil, err
		}
	}
	if v.plate != "" {
		v.confidence = 90 + c.rand.IntN(10)
	}
	return c.format.word(v)
}

// isapi is the document of a Hikvision event.
func (s *shot) isapi() []byte {
	text := s.plate
	if text == "" {
		text = "unknown"
	}
	pictures := 0
	for _, p := range [][]byte{s.overview, s.closeUp} {
		if p != nil {
			pictures++
		}
	}
	local := s.at
	var chars []string
	for range []rune(s.plate) {
		chars = append(chars, fmt.Sprint(min(99, s.confidence+s.rand.IntN(6))))
	}
	direction := "forward"
	if !s.front {
		direction = "reverse"
	}
	var b bytes.Buffer
	esc := func(v string) string {
		var e bytes.Buffer
		xml.EscapeText(&e, []byte(v)) //nolint:errcheck // a buffer never fails
		return e.String()
	}
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>
<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<ipAddress>127.0.0.1</ipAddress><portNo>80</portNo><protocol>HTTP</protocol><channelID>1</channelID>
<dateTime>%s</dateTime><activePostCount>1</activePostCount>
<eventType>ANPR</eventType><eventState>active</eventState><eventDescription>ANPR</eventDescription>
<ANPR><licensePlate>%s</licensePlate><line>%d</line><direction>%s</direction>
<confidenceLevel>%d</confidenceLevel><plateCharBelieve>%s</plateCharBelieve>
<plateType>unknown</plateType><plateColor>%s</plateColor><vehicleType>%s</vehicleType>
<pictureInfoList>
<pictureInfo><fileName>licensePlatePicture.jpg</fileName><type>licensePlatePicture</type><dataType>0</dataType><absTime>%s</absTime></pictureInfo>
<pictureInfo><fileName>detectionPicture.jpg</fileName><type>detectionPicture</type><dataType>0</dataType><absTime>%s</absTime>
<plateRect><X>%d</X><Y>%d</Y><width>%d</width><height>%d</height></plateRect></pictureInfo>
</pictureInfoList></ANPR>
<UUID>%s</UUID><picNum>%d</picNum><monitoringSiteID>%s</monitoringSiteID><isDataRetransmission>false</isDataRetransmission>
</EventNotificationAlert>
`, local.Format("2006-01-02T15:04:05-07:00"), esc(text), s.lane, direction, s.confidence, strings.Join(chars, ","), plateColor(s.plate), esc(s.kind),
		strings.Replace(local.Format("20060102150405.000"), ".", "", 1), strings.Replace(local.Format("20060102150405.000"), ".", "", 1),
		s.box.Min.X, s.box.Min.Y, s.box.Dx(), s.box.Dy(), esc(s.uuid), pictures, esc(string(s.site)))
	return b.Bytes()
}

// Sighting is one vehicle before a camera that stands alone.
type Sighting struct {
	Plate   string
	Kind    string // "truck" or "trailer"
	At      time.Time
	ID      string // of the vehicle; each has its own
	Faults  []FaultKind
	Delay   time.Duration // of the event, after others
	Wrong   time.Duration // how far the camera's clock is ahead for this event
	Repeats int
}

// Camera is a camera that stands alone, for who tries a receiver against it.
type Camera struct{ c *camera }

// NewCamera makes a camera that pushes to an address in a format. A name and a password in the address are shown when the
// receiver asks for them.
func NewCamera(address string, format CameraFormat, lane wim.LaneID, front bool, log *slog.Logger) *Camera {
	return &Camera{newCamera(address, format, "north-1", lane, front, stream(1, 1), log)}
}

// See queues a sighting; it does not wait.
func (c *Camera) See(s Sighting) {
	c.c.see(sighting{plate: s.Plate, kind: s.Kind, at: s.At, uuid: s.ID, faults: s.Faults, delay: s.Delay, wrong: s.Wrong, repeats: s.Repeats})
}

// Run pushes until ctx ends.
func (c *Camera) Run(ctx context.Context) error { return c.c.run(ctx) }

// wait sleeps for d and tells whether ctx still lives.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
