package camera

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

const secret = "0123456789abcdef"

type taken struct {
	read wim.PlateRead
	jpeg []byte
}

// rig is a camera's listener with a taker that can refuse.
type rig struct {
	cam    *Camera
	list   *Listener
	got    []taken
	refuse bool
	clock  time.Time
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return rigFor(t, Config{PerSecond: 1000})
}

func rigFor(t *testing.T, cfg Config) *rig {
	t.Helper()
	r := &rig{clock: time.Date(2031, 5, 5, 23, 8, 10, 0, time.UTC)}
	cfg.Device, cfg.Lane, cfg.End, cfg.Secret, cfg.MaxBody = "cam-1", 2, wim.Front, secret, 1<<20
	cfg.Now = func() time.Time { return r.clock }
	cam, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewListener(ListenerConfig{Listen: "127.0.0.1:0", Cameras: []*Camera{cam}})
	if err != nil {
		t.Fatal(err)
	}
	r.cam, r.list = cam, l
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- cam.Run(ctx, func(p wim.PlateRead, j []byte) bool {
			if r.refuse {
				return false
			}
			r.got = append(r.got, taken{p, j})
			return true
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	bound(t, cam)
	return r
}

// bound waits until a camera's Run has let it in.
func bound(t *testing.T, cam *Camera) {
	t.Helper()
	until(t, "the camera to be let in", func() bool {
		cam.mu.Lock()
		defer cam.mu.Unlock()
		return cam.emit != nil
	})
}

func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !cond() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (r *rig) push(t *testing.T, path, contentType string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	r.list.ServeHTTP(w, req)
	return w
}

func anpr(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/anpr.xml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func photo(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// form builds a push as firmware does; with nl "\n" it forgets carriage returns, with length each part has
// a Content-Length.
func form(nl string, length bool, parts ...[2]string) []byte {
	var b bytes.Buffer
	for _, p := range parts {
		fmt.Fprintf(&b, "%s--boundary%sContent-Disposition: form-data; name=%q; filename=%q%s", nl, nl, p[0], p[0], nl)
		if length {
			fmt.Fprintf(&b, "Content-Length: %d%s", len(p[1]), nl)
		}
		fmt.Fprintf(&b, "%s%s", nl, p[1])
	}
	fmt.Fprintf(&b, "%s--boundary--%s", nl, nl)
	return b.Bytes()
}

const multi = `multipart/form-data; boundary=boundary`

func TestAPushBecomesAReadWithItsPicture(t *testing.T) {
	big, small := string(photo(t, 64, 48)), string(photo(t, 8, 8))
	for _, c := range []struct {
		name string
		body []byte
	}{
		{"as the guide has it", form("\r\n", true, [2]string{"anpr.xml", anpr(t)}, [2]string{"licensePlatePicture.jpg", small}, [2]string{"detectionPicture.jpg", big})},
		{"without lengths", form("\r\n", false, [2]string{"anpr.xml", anpr(t)}, [2]string{"licensePlatePicture.jpg", small}, [2]string{"detectionPicture.jpg", big})},
		{"without carriage returns", form("\n", false, [2]string{"anpr.xml", anpr(t)}, [2]string{"detectionPicture.jpg", big})},
		{"with blank lines around boundaries", bytes.ReplaceAll(form("\r\n", true, [2]string{"anpr.xml", anpr(t)}, [2]string{"detectionPicture.jpg", big}), []byte("--boundary\r\n"), []byte("\r\n--boundary\r\n\r\n"))},
		{"pictures first and under other names", form("\r\n", true, [2]string{"a", big}, [2]string{"b", small}, [2]string{"c", anpr(t)})},
		{"with a picture of the vehicle before that of the scene", form("\r\n", true, [2]string{"anpr.xml", anpr(t)}, [2]string{"vehiclePicture.jpg", small}, [2]string{"detectionPicture.jpg", big})},
		{"without a last boundary", bytes.TrimSuffix(form("\r\n", true, [2]string{"anpr.xml", anpr(t)}, [2]string{"detectionPicture.jpg", big}), []byte("--boundary--\r\n"))},
		{"with JSON beside the XML", form("\r\n", true, [2]string{"extra", `{"a":1}`}, [2]string{"anpr.xml", anpr(t)}, [2]string{"detectionPicture.jpg", big})},
		{"with a boundary inside the picture", form("\r\n", true, [2]string{"anpr.xml", anpr(t)}, [2]string{"detectionPicture.jpg", big + "\r\n--boundary\r\n"})},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			if w := r.push(t, "/camera/"+secret, multi, c.body); w.Code != http.StatusOK {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if len(r.got) != 1 {
				t.Fatalf("%d reads", len(r.got))
			}
			p := r.got[0].read
			want := wim.PlateRead{Camera: "cam-1", Event: "example-0001", Lane: 2, End: wim.Front, Text: "川A12345", Color: wim.Yellow, Confidence: 960, Kind: wim.Goods,
				DeviceTime: wim.TimeOf(time.Date(2031, 5, 5, 23, 8, 9, 214_000_000, time.UTC)), Arrival: wim.TimeOf(time.Date(2031, 5, 5, 23, 8, 10, 0, time.UTC)), Picture: wim.DigestOf(r.got[0].jpeg)}
			if p != want || !strings.HasPrefix(string(r.got[0].jpeg), big) {
				t.Errorf("have %+v with %d bytes, want %+v", p, len(r.got[0].jpeg), want)
			}
		})
	}
}

func TestWhatIsNoGoodPushIsRefusedClearly(t *testing.T) {
	ev := anpr(t)
	for _, c := range []struct {
		name, path, ctype, body, says string
		status                        int
	}{
		{"a wrong secret", "/camera/0123456789abcdeX", multi, "x", "not found", 404},
		{"another path", "/", multi, "x", "not found", 404},
		{"no content type", "/camera/" + secret, "", ev, "content type", 400},
		{"text", "/camera/" + secret, "text/plain", ev, "want multipart", 415},
		{"an oversized body", "/camera/" + secret, "application/xml", strings.Repeat(" ", 1<<20+1), "more than", 413},
		{"a push that was cut off", "/camera/" + secret, multi, string(form("\r\n", true, [2]string{"anpr.xml", ev})[:400]), "cut off", 400},
		{"no boundary in it", "/camera/" + secret, multi, ev, "no boundary", 400},
		{"no event in it", "/camera/" + secret, multi, string(form("\r\n", true, [2]string{"p", string(photo(t, 8, 8))})), "no event", 400},
		{"JSON of another kind", "/camera/" + secret, multi, string(form("\r\n", true, [2]string{"e", `{"a":1}`})), "no ISAPI alert", 400},
		{"JSON without an end", "/camera/" + secret, "application/json", `{"eventType":"ANPR"`, "no JSON", 400},
		{"a document type", "/camera/" + secret, "application/xml", `<!DOCTYPE a [<!ENTITY b "c">]>` + ev[strings.Index(ev, "<Event"):], "document type", 400},
		{"XML without an end", "/camera/" + secret, "application/xml", ev[:300], "XML", 400},
		{"an unescaped ampersand", "/camera/" + secret, "application/xml", strings.Replace(ev, "truck", "truck & trailer", 1), "XML", 400},
		{"nesting without end", "/camera/" + secret, "application/xml", strings.Repeat("<a>", 40), "nested", 400},
		{"another encoding", "/camera/" + secret, "application/xml", strings.Replace(ev, "UTF-8", "GBK", 1), "want UTF-8", 400},
		{"too many parts", "/camera/" + secret, multi, string(form("\r\n", true, make([][2]string, 20)...)), "more than 16 parts", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			w := r.push(t, c.path, c.ctype, []byte(c.body))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || len(r.got) != 0 {
				t.Errorf("status %d, says %q, %d reads; want %d and %q", w.Code, w.Body, len(r.got), c.status, c.says)
			}
			if h := r.cam.Health(); c.status != 404 && h.Bad != 1 {
				t.Errorf("not counted: %+v", h)
			}
		})
	}
}

func TestNothingValidIsLost(t *testing.T) {
	ev := anpr(t)
	t.Run("an event without a plate is kept as one", func(t *testing.T) {
		for _, word := range []string{"unknown", "", "无车牌"} {
			r := newRig(t)
			r.push(t, "/camera/"+secret, "application/xml", []byte(strings.Replace(ev, "川A·12345", word, 1)))
			if len(r.got) != 1 || r.got[0].read.Text != "" || r.got[0].read.Confidence != 0 {
				t.Errorf("%q: %+v", word, r.got)
			}
		}
	})
	t.Run("a picture that is none is left out and the read kept", func(t *testing.T) {
		r := newRig(t)
		r.push(t, "/camera/"+secret, multi, form("\r\n", true, [2]string{"anpr.xml", ev}, [2]string{"detectionPicture.jpg", "GIF89a no"}))
		if len(r.got) != 1 || r.got[0].jpeg != nil || !r.got[0].read.Picture.IsZero() || r.cam.Health().Bad != 1 {
			t.Errorf("%+v, %+v", r.got, r.cam.Health())
		}
	})
	t.Run("a read that is not taken is asked for again, and taken once", func(t *testing.T) {
		r := newRig(t)
		r.refuse = true
		if w := r.push(t, "/camera/"+secret, "application/xml", []byte(ev)); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("status %d", w.Code)
		}
		r.refuse = false
		for range 3 {
			if w := r.push(t, "/camera/"+secret, "application/xml", []byte(ev)); w.Code != http.StatusOK {
				t.Errorf("status %d", w.Code)
			}
		}
		if len(r.got) != 1 {
			t.Errorf("%d reads", len(r.got))
		}
	})
	t.Run("a heartbeat is answered and is no read", func(t *testing.T) {
		r := newRig(t)
		w := r.push(t, "/camera/"+secret, "application/xml", []byte(strings.NewReplacer(">ANPR<", ">videoloss<", ">active<", ">inactive<").Replace(ev)))
		if w.Code != http.StatusOK || len(r.got) != 0 || !r.cam.Health().Up {
			t.Errorf("status %d, %d reads, %+v", w.Code, len(r.got), r.cam.Health())
		}
	})
	t.Run("firmware without a UUID still has repeats known", func(t *testing.T) {
		r := newRig(t)
		old := strings.Replace(ev, "<UUID>example-0001</UUID>", "", 1)
		r.push(t, "/camera/"+secret, "application/xml", []byte(old))
		r.push(t, "/camera/"+secret, "application/xml", []byte(old))
		if len(r.got) != 1 || r.got[0].read.Event == "" {
			t.Errorf("%+v", r.got)
		}
	})
	t.Run("firmware with neither UUID nor time still keeps two passages apart", func(t *testing.T) {
		r := newRig(t)
		old := strings.NewReplacer("<UUID>example-0001</UUID>", "", "2031-05-06T07:08:09+08:00", "", "20310506070809214", "", "川A·12345", "unknown").Replace(ev)
		r.push(t, "/camera/"+secret, multi, form("\r\n", true, [2]string{"e", old}, [2]string{"p", string(photo(t, 16, 8))}))
		r.push(t, "/camera/"+secret, multi, form("\r\n", true, [2]string{"e", old}, [2]string{"p", string(photo(t, 8, 16))}))
		r.push(t, "/camera/"+secret, multi, form("\r\n", true, [2]string{"e", old}, [2]string{"p", string(photo(t, 8, 16))}))
		if len(r.got) != 2 || r.got[0].read.DeviceTime != 0 || r.got[0].read.Event == r.got[1].read.Event {
			t.Errorf("%+v", r.got)
		}
	})
	t.Run("a UUID that stands for none does not make all events one", func(t *testing.T) {
		r := newRig(t)
		zero := strings.Replace(ev, "example-0001", "00000000-0000-0000-0000-000000000000", 1)
		r.push(t, "/camera/"+secret, "application/xml", []byte(zero))
		r.push(t, "/camera/"+secret, "application/xml", []byte(strings.Replace(zero, "川A·12345", "川B67890", 1)))
		if len(r.got) != 2 {
			t.Errorf("%+v", r.got)
		}
	})
	t.Run("text that cannot be a plate is left out and the read kept", func(t *testing.T) {
		for _, text := range []string{strings.Repeat("川", maxPlate+1), "川A\u200b12345"} {
			r := newRig(t)
			r.push(t, "/camera/"+secret, "application/xml", []byte(strings.Replace(ev, "川A·12345", text, 1)))
			if len(r.got) != 1 || r.got[0].read.Text != "" || r.got[0].read.Confidence != 0 || r.cam.Health().Bad != 1 {
				t.Errorf("%q: %+v, %+v", text, r.got, r.cam.Health())
			}
		}
	})
	t.Run("a confidence in another form does not cost the read", func(t *testing.T) {
		for text, want := range map[string]wim.Permille{"96.5": 965, "": 0, "high": 0, "400": 1000, "-1": 0} {
			r := newRig(t)
			r.push(t, "/camera/"+secret, "application/xml", []byte(strings.Replace(ev, ">96<", ">"+text+"<", 1)))
			if len(r.got) != 1 || r.got[0].read.Confidence != want {
				t.Errorf("%q: %+v", text, r.got)
			}
		}
	})
	t.Run("all three namespaces are read", func(t *testing.T) {
		for _, ns := range []string{"http://www.hikvision.com/ver20/XMLSchema", "urn:psialliance-org", ""} {
			r := newRig(t)
			r.push(t, "/camera/"+secret, "application/xml", []byte(strings.Replace(ev, "http://www.isapi.org/ver20/XMLSchema", ns, 1)))
			if len(r.got) != 1 || r.got[0].read.Text != "川A12345" {
				t.Errorf("%s: %+v", ns, r.got)
			}
		}
	})
}

func TestTheCamerasClock(t *testing.T) {
	zone := func(h int) *time.Location { return time.FixedZone("", h*3600) }
	for _, c := range []struct {
		name, dateTime, absTime string
		want                    time.Time
	}{
		{"milliseconds from the picture", "2031-05-06T07:08:09+08:00", "20310506070809214", time.Date(2031, 5, 6, 7, 8, 9, 214e6, zone(8))},
		{"a picture from before midnight", "2031-05-06T00:00:00+08:00", "20310505235959900", time.Date(2031, 5, 5, 23, 59, 59, 900e6, zone(8))},
		{"a picture in another zone is not believed", "2031-05-06T07:08:09+08:00", "20310505230809214", time.Date(2031, 5, 6, 7, 8, 9, 0, zone(8))},
		{"a picture without a time", "2031-05-06T07:08:09Z", "", time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)},
		{"a picture time that is none", "2031-05-06T07:08:09Z", "2031050607080xyzw", time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)},
		{"fractions of its own", "2031-05-06T07:08:09.5+08:00", "", time.Date(2031, 5, 6, 7, 8, 9, 5e8, zone(8))},
		{"without a zone the time is not known", "2031-05-06T07:08:09", "20310506070809214", time.Time{}},
		{"a clock that was never set is kept for the difference", "1970-01-01T00:00:07Z", "", time.Unix(7, 0)},
		{"a year that no clock has", "9999-01-01T00:00:00Z", "", time.Time{}},
		{"nothing", "", "", time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := parseAlert([]byte(strings.NewReplacer("2031-05-06T07:08:09+08:00", c.dateTime, "20310506070809214", c.absTime).Replace(anpr(t))))
			if err != nil {
				t.Fatal(err)
			}
			if got := a.deviceTime(); got != wim.TimeOf(c.want) {
				t.Errorf("%s, want %s", got, wim.TimeOf(c.want))
			}
		})
	}
}

func FuzzCut(f *testing.F) {
	ev := anpr(f)
	f.Add(multi, form("\r\n", true, [2]string{"anpr.xml", ev}, [2]string{"p.jpg", string(photo(f, 4, 4))}))
	f.Add(multi, form("\n", false, [2]string{"anpr.xml", ev}))
	f.Add("application/xml", []byte(ev))
	f.Fuzz(func(t *testing.T, ctype string, body []byte) {
		p, err := split(ctype, body)
		if err != nil {
			return
		}
		for _, p := range p.pictures {
			if len(p.data) > len(body) {
				t.Error("a part is larger than the push")
			}
		}
	})
}
