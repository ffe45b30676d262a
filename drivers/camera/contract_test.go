package camera

import (
	"context"
	"log/slog"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/axlegate/axlegate/drivers/cameratest"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/wim"
)

// stood is the simulator's camera as the contract sees it.
type stood struct{ cam *simulator.Camera }

func (s stood) See(plate, id string, at time.Time, faults ...cameratest.Fault) {
	v := simulator.Sighting{Plate: plate, Kind: "truck", At: at, ID: id}
	for _, f := range faults {
		switch f {
		case cameratest.NoPlate:
			v.Faults = append(v.Faults, simulator.NoPlate)
		case cameratest.NoPicture:
			v.Faults = append(v.Faults, simulator.NoPicture)
		case cameratest.BadPicture:
			v.Faults = append(v.Faults, simulator.BadPicture)
		case cameratest.Twice:
			v.Repeats = 1
		case cameratest.WrongClock:
			v.Wrong = cameratest.Ahead
		}
	}
	s.cam.See(v)
}

func TestEveryFormatKeepsTheContract(t *testing.T) {
	const password = "open sesame"
	for _, c := range []struct {
		format      Format
		path        string // empty for the camera's own
		auth        Auth
		mute, blind bool
	}{
		{format: Hikvision},
		{format: Dahua, path: "/NotificationInfo/TollgateInfo", auth: Digest},
		{format: Axis},
		{format: PlateRecognizer, mute: true},
		{format: OpenALPR, auth: Digest, mute: true},
		{format: AutoVu, auth: Basic},
		{format: Frigate, mute: true, blind: true},
	} {
		t.Run(string(c.format), func(t *testing.T) {
			t.Parallel()
			cameratest.Run(t, func(t testing.TB) cameratest.Rig {
				cfg := Config{Device: "cam-1", Lane: 2, End: wim.Front, Secret: secret, Format: c.format, Auth: c.auth, Zone: time.FixedZone("", 8*3600)}
				user := ""
				if c.auth != NoAuth {
					cfg.Username, cfg.Password = "north", password
					user = "north:open%20sesame@"
				}
				cam, err := New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				l, err := NewListener(ListenerConfig{Listen: "127.0.0.1:0", Cameras: []*Camera{cam}})
				if err != nil {
					t.Fatal(err)
				}
				ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				path := c.path
				if path == "" {
					path = "/camera/" + secret
				}
				device := simulator.NewCamera("http://"+user+ln.Addr().String()+path, simulator.CameraFormat(c.format), 2, true, slog.New(slog.DiscardHandler))
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 2)
				go func() { done <- l.serve(ctx, ln) }()
				go func() { done <- device.Run(ctx) }()
				t.Cleanup(func() {
					cancel()
					for range 2 {
						if err := <-done; err != nil {
							t.Error(err)
						}
					}
				})
				return cameratest.Rig{Driver: cam, Camera: stood{device}, Mute: c.mute, Blind: c.blind}
			})
		})
	}
}

func TestAStreamKeepsTheContract(t *testing.T) {
	t.Parallel()
	cameratest.Run(t, func(t testing.TB) cameratest.Rig {
		device := simulator.NewAskedCamera("admin", "open sesame", 2, true, slog.New(slog.DiscardHandler))
		srv := httptest.NewServer(device.Handler())
		cam, err := New(Config{Device: "cam-1", Lane: 2, End: wim.Front, Address: srv.URL, Username: "admin", Password: "open sesame"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- device.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			srv.CloseClientConnections()
			srv.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		return cameratest.Rig{Driver: cam, Camera: stood{device}}
	})
}

func TestTheSimulatorSpeaksEveryFormat(t *testing.T) {
	known := map[simulator.CameraFormat]bool{}
	for _, f := range simulator.CameraFormats() {
		known[f] = true
	}
	for _, d := range Formats() {
		if !known[simulator.CameraFormat(d.Format)] {
			t.Errorf("the simulator does not speak %s", d.Format)
		}
	}
}
