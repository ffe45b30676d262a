package edge

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

func TestALateReadStandsAtTheMomentItWasTaken(t *testing.T) {
	read := func(device, arrival float64) *wim.PlateRead {
		return &wim.PlateRead{DeviceTime: at(device), Arrival: at(arrival)}
	}
	var c cameraClock
	if got, doubt := c.captured(&wim.PlateRead{Arrival: at(5)}, time.Minute); got != at(5) || doubt {
		t.Errorf("no camera clock: %v %v", got, doubt)
	}
	if got, doubt := c.captured(read(10, 30), time.Minute); got != at(10) || !doubt {
		t.Errorf("the first read, 20 s late: %v %v", got, doubt)
	}
	c = cameraClock{}
	for i := range 8 { // this camera's clock trails by 100 s
		if got, doubt := c.captured(read(float64(i*10), float64(i*10)+100.2), time.Minute); got != at(float64(i*10)+100.2) || doubt {
			t.Errorf("a prompt read of a slow clock: %v %v", got, doubt)
		}
	}
	if got, doubt := c.captured(read(100, 230.2), time.Minute); got != at(200.2) || doubt {
		t.Errorf("a read 30 s late of a slow clock: %v %v", got, doubt)
	}
	c = cameraClock{}
	if got, _ := c.captured(read(500, 10), time.Minute); got != at(10) {
		t.Errorf("a camera clock in the future: %v", got)
	}
}

func TestWhatACameraClockIsBelieved(t *testing.T) {
	type read struct{ device, arrival, want float64 }
	steady := func(n int, offset float64) (out []read) {
		for i := range n {
			at := float64(i*10) + 1000
			out = append(out, read{at - offset, at + 0.2, at + 0.2})
		}
		return out
	}
	for name, reads := range map[string][]read{
		"one stamp from the future does not make the next reads late": append(steady(6, 100), read{9999, 1070.2, 1070.2}, read{980, 1080.2, 1080.2}),
		"a camera that starts in 1970 loses nothing":                  append(steady(6, 100), read{-1e9, 1070.2, 1070.2}, read{980, 1080.2, 1080.2}),
		"a backlog is put right read by read": append(steady(6, 100),
			read{960, 1200, 1060.2}, read{962, 1200.1, 1062.2}, read{965, 1200.2, 1065.2}, read{969, 1200.3, 1069.2}, read{975, 1200.4, 1075.2}, read{1110, 1210.2, 1210.2}),
		"a clock set back is known after four reads": append(steady(6, 100),
			read{900, 1060.2, 1000.2}, read{910, 1070.2, 1010.2}, read{920, 1080.2, 1020.2}, read{930, 1090.2, 1090.2}, read{940, 1100.2, 1100.2}),
		"a clock set ahead loses nothing": append(steady(6, 100),
			read{1060, 1060.2, 1060.2}, read{1070, 1070.2, 1070.2}, read{1080, 1080.2, 1080.2}, read{1090, 1090.2, 1090.2}, read{1100, 1130.2, 1100.2}),
	} {
		t.Run(name, func(t *testing.T) {
			var c cameraClock
			for i, r := range reads {
				if got, _ := c.captured(&wim.PlateRead{DeviceTime: at(r.device), Arrival: at(r.arrival)}, time.Minute); got != at(r.want) {
					t.Errorf("read %d: %s, want %s", i, got, at(r.want))
				}
			}
		})
	}
}

func TestPropertyASiteClockThatIsSetChangesNothingOfTheCameras(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lags := rapid.SliceOfN(rapid.IntRange(-100, 100), 0, 60).Draw(t, "lags")
		by := time.Duration(rapid.IntRange(-1000, 1000).Draw(t, "by")) * time.Second
		var moved, set cameraClock
		for i, lag := range lags {
			now := at(float64(1000 + 10*i))
			if i == len(lags)/2 {
				set.shift(by)
			}
			device := now - wim.Time(time.Duration(lag)*time.Second)
			arrival := now
			if i >= len(lags)/2 {
				arrival += wim.Time(by)
			}
			a, _ := moved.captured(&wim.PlateRead{DeviceTime: device, Arrival: now}, 0)
			b, _ := set.captured(&wim.PlateRead{DeviceTime: device, Arrival: arrival}, 0)
			if a > now || b-arrival != a-now {
				t.Fatalf("read %d: %s before its arrival, after the clock was set %s", i, time.Duration(now-a), time.Duration(arrival-b))
			}
		}
		d, ok := moved.offset()
		if e, known := set.offset(); ok != known || ok && len(lags) > 0 && e != d+by {
			t.Errorf("offset %s, after the clock was set by %s %s", d, by, e)
		}
	})
}

func TestTheHealthPageSaysWhatIsWrongWithACamerasClock(t *testing.T) {
	r := newRig(t)
	r.start()
	for i := range settledAt {
		read := front("川A12345", string(rune('a'+i)))
		read.Arrival = wim.TimeOf(time.Now())
		read.DeviceTime = read.Arrival - wim.Time(90*time.Second)
		r.camera.read(read, nil)
	}
	var body string
	eventually(t, "the offset", func() bool {
		w := httptest.NewRecorder()
		r.site.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
		body = w.Body.String()
		return strings.Contains(body, "camera_clocks")
	})
	if !strings.Contains(body, `"offset_ms": 90000`) || !strings.Contains(body, "lies 1m30s behind the site's") {
		t.Error(body)
	}
	w := httptest.NewRecorder()
	r.site.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if !strings.Contains(w.Body.String(), `axlegate_edge_camera_clock_offset_seconds{device="cam-1"} 90`) {
		t.Error("no metric")
	}
	r.stop()
	if a := clockAdvice("c", -time.Minute); !strings.Contains(a, "1m0s ahead of") || clockAdvice("c", time.Second) != "" {
		t.Error(a)
	}
}
