package simulator

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
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
	tint    uint8
	repeats int
}

// camera pushes Hikvision ISAPI ANPR events. Events leave in the order in which vehicles passed; one that is
// not taken is sent again under the same UUID.
type camera struct {
	url     string
	site    wim.SiteID
	lane    wim.LaneID
	front   bool
	log     *slog.Logger
	client  *http.Client
	painter *painter
	queue   chan sighting
	rand    *rand.Rand
}

const (
	cameraQueue  = 256
	pushTries    = 40
	refusedTries = 3
)

// errRefused is an answer that sending the same again will not change: a wrong address, a body that the
// site does not take.
var errRefused = errors.New("refused")

func newCamera(url string, site wim.SiteID, lane wim.LaneID, front bool, r *rand.Rand, log *slog.Logger) *camera {
	return &camera{
		url: url, site: site, lane: lane, front: front, log: log, rand: r, painter: newPainter(front),
		client: &http.Client{Timeout: 10 * time.Second}, queue: make(chan sighting, cameraQueue),
	}
}

// see queues a sighting; a camera whose memory is full forgets the oldest, as real ones do.
func (c *camera) see(s sighting) {
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
			body, err := c.event(s)
			if err != nil {
				return err
			}
			if s.delay == 0 {
				c.deliver(ctx, s, body)
				continue
			}
			// A late event must not hold up the ones behind it.
			late.Go(func() {
				if wait(ctx, s.delay) {
					c.deliver(ctx, s, body)
				}
			})
		}
	}
}

// deliver pushes an event, as often as it repeats, each until it is taken. One that is refused is given up
// soon: it must not hold up the ones behind it.
func (c *camera) deliver(ctx context.Context, s sighting, body []byte) {
	for range 1 + s.repeats {
		pause := 100 * time.Millisecond
		for try := 0; ; try++ {
			err := c.push(ctx, body)
			if err == nil || ctx.Err() != nil {
				break
			}
			if try == pushTries || errors.Is(err, errRefused) && try >= refusedTries {
				c.log.Warn("camera gives an event up", "lane", c.lane, "plate", s.plate, "error", err)
				return
			}
			if !wait(ctx, pause) {
				return
			}
			pause = min(2*pause, 2*time.Second)
		}
	}
}

func (c *camera) push(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "multipart/form-data; boundary=boundary")
	req.Close = true // as the real ones say
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if cerr := resp.Body.Close(); err == nil {
		err = cerr
	}
	switch code := resp.StatusCode; {
	case err != nil || code == http.StatusOK:
		return err
	case code >= 400 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		return fmt.Errorf("%w: %s", errRefused, resp.Status)
	default:
		return fmt.Errorf("not taken: %s", resp.Status)
	}
}

// event builds the multipart body.
func (c *camera) event(s sighting) ([]byte, error) {
	plate := s.plate
	if has(s.faults, NoPlate) {
		plate = ""
	}
	local := s.at.In(time.FixedZone("", 8*3600))
	overview, box, err := c.painter.overview(plate, string(c.site), int(c.lane), local, s.tint)
	if err != nil {
		return nil, err
	}
	closeUp, err := c.painter.closeUp(plate)
	if err != nil {
		return nil, err
	}
	if has(s.faults, BadPicture) {
		overview, closeUp = []byte("\xff\xd8 this was a picture once"), nil
	}
	var b bytes.Buffer
	part := func(name, ctype string, data []byte) {
		fmt.Fprintf(&b, "--boundary\r\nContent-Disposition: form-data; name=%q; filename=%q\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", name, name, ctype, len(data))
		b.Write(data)
		b.WriteString("\r\n")
	}
	part("anpr.xml", "text/xml", c.document(s, plate, local, box))
	if closeUp != nil {
		part("licensePlatePicture.jpg", "image/jpeg", closeUp)
	}
	part("detectionPicture.jpg", "image/jpeg", overview)
	b.WriteString("--boundary--\r\n")
	return b.Bytes(), nil
}

func (c *camera) document(s sighting, plate string, local time.Time, box image.Rectangle) []byte {
	confidence, text := 90+c.rand.IntN(10), plate
	if plate == "" {
		confidence, text = 0, "unknown"
	}
	var chars []string
	for range []rune(plate) {
		chars = append(chars, fmt.Sprint(min(99, confidence+c.rand.IntN(6))))
	}
	direction := "forward"
	if !c.front {
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
<UUID>%s</UUID><picNum>2</picNum><monitoringSiteID>%s</monitoringSiteID><isDataRetransmission>false</isDataRetransmission>
</EventNotificationAlert>
`, local.Format("2006-01-02T15:04:05-07:00"), esc(text), c.lane, direction, confidence, strings.Join(chars, ","), plateColor(plate), esc(s.kind),
		strings.Replace(local.Format("20060102150405.000"), ".", "", 1), strings.Replace(local.Format("20060102150405.000"), ".", "", 1),
		box.Min.X, box.Min.Y, box.Dx(), box.Dy(), esc(s.uuid), esc(string(c.site)))
	return b.Bytes()
}

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
