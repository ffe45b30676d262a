package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/axlegate/axlegate/drivers/camera"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/wim"
)

// Device is a device of a site's configuration.
type Device struct {
	Name  string
	Lane  wim.LaneID
	What  string // in words
	Where string
}

// Watcher is told what a device says. Its functions are called from several goroutines, one at a time for each device.
type Watcher struct {
	Reading func(wim.Reading)
	Plate   func(r wim.PlateRead, picture int) // bytes of its picture, 0 for none
	State   func(wim.DeviceHealth)             // twice a second
}

// Devices lists the scales and cameras of a configuration, which can be watched.
func Devices(path string) ([]Device, error) {
	cfg, err := LoadEdge(path)
	if err != nil {
		return nil, err
	}
	var out []Device
	for i := range cfg.Lanes {
		l := &cfg.Lanes[i]
		s := &l.Scale
		where := s.Path + s.Address
		if s.Strips != nil {
			where = s.Strips.Address
		}
		kind := s.Kind
		if kind == "" {
			kind = scaleSerial
		}
		out = append(out, Device{s.Device, l.Lane, "scale, " + kind, where})
		for _, c := range l.Cameras {
			where := c.Address
			if where == "" {
				where = "pushes to " + cfg.Cameras.Listen
			}
			format := c.Format
			if format == "" {
				format = camera.Hikvision
			}
			out = append(out, Device{c.Device, l.Lane, fmt.Sprintf("camera, %s, %s", format, c.End), where})
		}
	}
	return out, nil
}

// WatchDevice runs one device's driver alone, until ctx ends. Nothing is recorded.
func WatchDevice(ctx context.Context, path, device string, w Watcher, log *slog.Logger) error {
	cfg, err := LoadEdge(path)
	if err != nil {
		return err
	}
	var names []string
	for i := range cfg.Lanes {
		l := &cfg.Lanes[i]
		if l.Scale.Device == device {
			return watchScale(ctx, &cfg, l, w, log)
		}
		names = append(names, l.Scale.Device)
		for j := range l.Cameras {
			if l.Cameras[j].Device == device {
				return watchCamera(ctx, &cfg, l, &l.Cameras[j], w, log)
			}
			names = append(names, l.Cameras[j].Device)
		}
	}
	slices.Sort(names)
	return fmt.Errorf("%s: there is no scale and no camera %q; there are %s", path, device, strings.Join(names, ", "))
}

func watchScale(ctx context.Context, cfg *EdgeConfig, l *LaneConfig, w Watcher, log *slog.Logger) error {
	if l.Scale.Kind == scaleRecord {
		return fmt.Errorf("%s sends whole vehicles that it forgets once they are taken: watching it would cost the site its records; see the site's own board, or \"axlegate decode record\"", l.Scale.Device)
	}
	none := siteKnows{
		cursor: func(string) (wim.DeviceCursor, bool) { return wim.DeviceCursor{}, false },
		known:  func(context.Context, string, string) (bool, error) { return false, nil },
	}
	s, err := openScale(cfg, &l.Scale, none, log)
	if err != nil {
		return err
	}
	return watch(ctx, s, w, func(ctx context.Context) error { return s.Run(ctx, w.Reading) })
}

func watchCamera(ctx context.Context, cfg *EdgeConfig, l *LaneConfig, c *CameraConfig, w Watcher, log *slog.Logger) error {
	cam, err := openCamera(cfg, l.Lane, c, log)
	if err != nil {
		return err
	}
	var listener *camera.Listener
	if c.Address == "" {
		t, err := cameraTLS(cfg)
		if err != nil {
			return err
		}
		if listener, err = camera.NewListener(camera.ListenerConfig{Listen: cfg.Cameras.Listen, TLS: t, AllowPlain: cfg.Cameras.AllowPlain, Cameras: []*camera.Camera{cam}, Logger: log}); err != nil {
			return err
		}
	}
	var driver edge.Camera = cam
	return watch(ctx, cam, w, func(ctx context.Context) error {
		g, ctx := errgroup.WithContext(ctx)
		if listener != nil {
			g.Go(func() error { return listener.Run(ctx) })
		}
		g.Go(func() error {
			return driver.Run(ctx, func(r wim.PlateRead, jpeg []byte) bool {
				w.Plate(r, len(jpeg))
				return true
			})
		})
		return g.Wait()
	})
}

// watch runs a driver and tells twice a second how it is.
func watch(ctx context.Context, device any, w Watcher, run func(context.Context) error) error {
	h, ok := device.(interface{ Health() wim.DeviceHealth })
	if !ok {
		return errors.New("this device does not tell how it is")
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return run(ctx) })
	g.Go(func() error {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			w.State(h.Health())
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	})
	return g.Wait()
}
