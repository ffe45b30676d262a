package camera

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestAListenerThatOthersCanReachNeedsACertificate(t *testing.T) {
	if _, err := NewListener(ListenerConfig{Listen: "0.0.0.0:8000"}); err == nil || !strings.Contains(err.Error(), "allow_plain") {
		t.Errorf("error %v", err)
	}
	if _, err := NewListener(ListenerConfig{Listen: "0.0.0.0:8000", AllowPlain: true}); err != nil {
		t.Error(err)
	}
	a, b := newRig(t).cam, newRig(t).cam
	if _, err := NewListener(ListenerConfig{Listen: "127.0.0.1:0", Cameras: []*Camera{a, b}}); err == nil || !strings.Contains(err.Error(), "same secret") {
		t.Errorf("error %v", err)
	}
	if _, err := New(Config{Device: "c", Lane: 1, End: wim.Rear, Secret: "short"}); err == nil {
		t.Error("a short secret was taken")
	}
}

// slowCamera has a taker that holds every read until it is let go.
func slowCamera(t *testing.T) (cam *Camera, in <-chan wim.PlateRead, release chan<- bool, stop context.CancelFunc, done <-chan error) {
	t.Helper()
	cam, err := New(Config{Device: "cam-1", Lane: 2, End: wim.Front, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	reads, answers, ended := make(chan wim.PlateRead, 8), make(chan bool), make(chan error, 1)
	go func() {
		ended <- cam.Run(ctx, func(p wim.PlateRead, _ []byte) bool {
			reads <- p
			return <-answers
		})
	}()
	bound(t, cam)
	return cam, reads, answers, cancel, ended
}

func give(t *testing.T, h http.Handler, body string) int {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/camera/"+secret, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/xml")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code
}

func TestOneEventPushedTwiceAtOnceIsHandedOnOnce(t *testing.T) {
	cam, in, release, stop, done := slowCamera(t)
	first := make(chan int, 1)
	go func() { first <- give(t, cam, anpr(t)) }()
	<-in
	// Whether the first is taken is not known yet, so the second may neither be acknowledged nor handed on.
	if code := give(t, cam, anpr(t)); code != http.StatusServiceUnavailable {
		t.Errorf("the second push while the first is on its way: %d", code)
	}
	release <- true
	if code := <-first; code != http.StatusOK {
		t.Errorf("the first push: %d", code)
	}
	if code := give(t, cam, anpr(t)); code != http.StatusOK {
		t.Errorf("the second push, sent again: %d", code)
	}
	stop()
	if err := <-done; err != nil || len(in) != 0 || cam.Health().Messages != 1 {
		t.Errorf("%v, %d more reads, %+v", err, len(in), cam.Health())
	}
}

func TestPushesAtOnceAreBounded(t *testing.T) {
	cam, in, release, _, _ := slowCamera(t)
	codes := make(chan int, atOnce)
	for i := range atOnce {
		go func() { codes <- give(t, cam, strings.Replace(anpr(t), "example-0001", fmt.Sprint("e-", i), 1)) }()
	}
	for range atOnce {
		<-in
	}
	if code := give(t, cam, strings.Replace(anpr(t), "example-0001", "one-more", 1)); code != http.StatusServiceUnavailable {
		t.Errorf("one more: %d", code)
	}
	for range atOnce {
		release <- true
	}
	for range atOnce {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("one of the first: %d", code)
		}
	}
}

func TestCamerasOnAMakersOwnPathNeedNamesOfTheirOwn(t *testing.T) {
	cam := func(secret string, f Format) *Camera {
		c, err := New(Config{Device: secret, Lane: 1, End: wim.Front, Secret: secret, Format: f, Auth: Digest, Username: "admin", Password: "p"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a, b := cam(secret, Dahua), cam(secret+"b", Dahua)
	if _, err := NewListener(ListenerConfig{Listen: "127.0.0.1:0", Cameras: []*Camera{a, b}}); err == nil || !strings.Contains(err.Error(), "same username") {
		t.Errorf("error %v", err)
	}
	if _, err := NewListener(ListenerConfig{Listen: "127.0.0.1:0", Cameras: []*Camera{a, cam(secret+"c", Axis)}}); err != nil {
		t.Error(err)
	}
}

func TestACameraThatIsStoppedHandsNothingOnAfterwards(t *testing.T) {
	cam, in, release, stop, done := slowCamera(t)
	first := make(chan int, 1)
	go func() { first <- give(t, cam, anpr(t)) }()
	<-in
	stop()
	until(t, "the camera to be shut out", func() bool {
		cam.mu.Lock()
		defer cam.mu.Unlock()
		return cam.emit == nil
	})
	select {
	case err := <-done:
		t.Errorf("Run returned while a read was handed on: %v", err)
	default:
	}
	if code := give(t, cam, strings.Replace(anpr(t), "example-0001", "example-0002", 1)); code != http.StatusServiceUnavailable {
		t.Errorf("a push after the stop: %d", code)
	}
	release <- true
	if err := <-done; err != nil {
		t.Error(err)
	}
	if code := <-first; code != http.StatusOK {
		t.Errorf("the read that was taken: %d", code)
	}
}

func TestWhatSaysMoreThanBeforeAmendsAndIsNoRepeat(t *testing.T) {
	r := newRig(t)
	poor := strings.Replace(anpr(t), "川A·12345", "unknown", 1)
	r.push(t, "/camera/"+secret, "application/xml", []byte(poor))
	r.push(t, "/camera/"+secret, "application/xml", []byte(poor))
	for range 2 {
		r.push(t, "/camera/"+secret, multi, form("\r\n", true, [2]string{"anpr.xml", anpr(t)}, [2]string{"detectionPicture.jpg", string(photo(t, 8, 8))}))
	}
	if len(r.got) != 2 || r.got[0].read.Event != r.got[1].read.Event || r.got[1].read.Text != "川A12345" || r.got[1].jpeg == nil {
		t.Errorf("%+v", r.got)
	}
}

func TestTheMemoryOfEventsIsBounded(t *testing.T) {
	r := newRig(t)
	for i := range remembered + 10 {
		give(t, r.cam, strings.Replace(anpr(t), "example-0001", fmt.Sprint("e-", i), 1))
	}
	if len(r.got) != remembered+10 || len(r.cam.seen) != remembered || len(r.cam.order) != remembered || len(r.cam.handing) != 0 {
		t.Errorf("%d reads, %d and %d remembered, %d on their way", len(r.got), len(r.cam.seen), len(r.cam.order), len(r.cam.handing))
	}
}

// serving runs a listener on a socket of its own.
func serving(t *testing.T, l *Listener) (addr string, stop context.CancelFunc, done <-chan error) {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	ended := make(chan error, 1)
	go func() { ended <- l.serve(ctx, ln) }()
	return ln.Addr().String(), cancel, ended
}

func post(t *testing.T, c *http.Client, url string, body []byte) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	req.Header.Set("Content-Type", "application/xml")
	req.Close = true
	resp, err := c.Do(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close() //nolint:errcheck // it was read to its end
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, string(b)
}

func TestAPushThatHasBegunIsFinishedAtShutdown(t *testing.T) {
	cam, in, release, _, _ := slowCamera(t)
	l, err := NewListener(ListenerConfig{Listen: "127.0.0.1:0", Cameras: []*Camera{cam}})
	if err != nil {
		t.Fatal(err)
	}
	addr, stop, done := serving(t, l)
	code := make(chan int, 1)
	go func() {
		n, _ := post(t, http.DefaultClient, "http://"+addr+"/camera/"+secret, []byte(anpr(t)))
		code <- n
	}()
	<-in
	stop()
	release <- true
	if n := <-code; n != http.StatusOK {
		t.Errorf("status %d", n)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAPushOverTLS(t *testing.T) {
	borrowed := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate and a client that trusts it
	defer borrowed.Close()
	r := newRig(t)
	l, err := NewListener(ListenerConfig{Listen: "0.0.0.0:0", TLS: borrowed.TLS, Cameras: []*Camera{r.cam}})
	if err != nil {
		t.Fatal(err)
	}
	addr, stop, done := serving(t, l)
	if n, says := post(t, borrowed.Client(), "https://"+addr+"/camera/"+secret, []byte(anpr(t))); n != http.StatusOK {
		t.Errorf("status %d: %s", n, says)
	}
	if n, _ := post(t, borrowed.Client(), "https://"+addr+"/camera/"+secret+"x", []byte(anpr(t))); n != http.StatusNotFound {
		t.Errorf("a wrong secret: status %d", n)
	}
	stop()
	if err := <-done; err != nil || r.cam.Health().Messages != 1 {
		t.Errorf("%v, %+v", err, r.cam.Health())
	}
}

func TestAnAddressThatIsTakenIsSaid(t *testing.T) {
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close() //nolint:errcheck // the test is over
	l, err := NewListener(ListenerConfig{Listen: ln.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "change cameras.listen") {
		t.Errorf("error %v", err)
	}
}

func TestTheListenerServesUntilItIsStopped(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.list.Run(ctx) }()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
