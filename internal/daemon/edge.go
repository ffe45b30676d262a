package daemon

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/drivers/camera"
	"github.com/axlegate/axlegate/drivers/serial"
	"github.com/axlegate/axlegate/drivers/sign"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/uplink/mqtt"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// edgeParts is what an edge configuration names, opened and checked but not started.
type edgeParts struct {
	cfg           EdgeConfig
	rules         *rules.Set
	registrations *edge.Registrations
	signer        *seal.Signer
	centerKeys    []*seal.Verifier
	password      string
	tls           *tls.Config
	cameras       *camera.Listener
	lanes         []edge.LaneConfig
	signs         []*sign.Sign
}

// CheckEdge reads a configuration and everything that it names, without starting anything.
func CheckEdge(path string) error {
	cfg, err := LoadEdge(path)
	if err != nil {
		return err
	}
	_, err = openEdge(cfg, slog.New(slog.DiscardHandler))
	return err
}

// RunEdge runs the daemon of one site until ctx ends, then stops cleanly: sensors, vehicles, seal, outbox,
// link, in this order.
func RunEdge(ctx context.Context, cfg EdgeConfig, log *slog.Logger) (err error) {
	p, err := openEdge(cfg, log)
	if err != nil {
		return err
	}
	l, err := listen(ctx, "listen (metrics and health)", cfg.Listen)
	if err != nil {
		return err
	}
	defer l.Close() //nolint:errcheck // serve closes it first when all goes well
	warnOpen(log, "listen", cfg.Listen)
	j, err := journal.Open(ctx, journal.Config{
		Path: filepath.Join(cfg.path(cfg.Data), "journal.db"), Site: cfg.Site, Key: p.signer.ID,
		Software: wim.Software{Build: Version, Config: wim.DigestOf(cfg.raw)},
		Keep:     cfg.Keep.Std(), Clock: cfg.clock(), Logger: log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()

	var site *edge.Site
	boot := make([]byte, 8)
	rand.Read(boot) // never fails since Go 1.24
	link := mqtt.NewSite(mqtt.SiteConfig{
		Broker: cfg.Center.Broker, Site: string(cfg.Site), Chain: j.Chain().String(), Username: cfg.Center.Username, Password: p.password,
		TLS: p.tls, BootID: hex.EncodeToString(boot), Logger: log, OnReceipt: func(jws []byte) { site.HandleReceipt(jws) },
	})
	site, err = edge.New(edge.Config{
		Site: cfg.Site,
		Road: wim.Road{Name: cfg.Road.Name, Class: cfg.Road.Class, Posted: wim.PostedLimit{
			Gross: cfg.Road.PostedGross, Axle: cfg.Road.PostedAxle, Sign: cfg.Road.PostedSign}},
		Lanes: p.lanes, Journal: j, Signer: p.signer, CenterKeys: p.centerKeys, Link: link, Rules: p.rules, Registrations: p.registrations,
		Pictures: edge.PictureConfig{Dir: filepath.Join(cfg.path(cfg.Data), "pictures"), Base: cfg.Center.Pictures,
			Client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: p.tls, Proxy: http.ProxyFromEnvironment}}},
		Clock:  cfg.clock(),
		Logger: log,
	})
	if err != nil {
		return err
	}

	// The link and the health page outlive the site's own shutdown, which still sends and waits for receipts.
	after, stopAfter := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAfter()
	g, gctx := errgroup.WithContext(after)
	g.Go(func() error { return link.Run(gctx) })
	g.Go(func() error { return serve(gctx, l, site.Handler(), nil, log) })
	g.Go(func() error {
		defer stopAfter()
		devices, dctx := errgroup.WithContext(ctx)
		if p.cameras != nil {
			devices.Go(func() error { return p.cameras.Run(dctx) })
		}
		for _, s := range p.signs {
			devices.Go(func() error { return s.Run(dctx) })
		}
		devices.Go(func() error { return site.Run(dctx) })
		return devices.Wait()
	})
	log.Info("edge runs", "site", cfg.Site, "lanes", len(cfg.Lanes), "health", "http://"+l.Addr().String()+"/readyz", "rules", p.rules.ID(), "chain", j.Chain())
	err = g.Wait()
	log.Info("edge stopped", "site", cfg.Site)
	return err
}

func openEdge(cfg EdgeConfig, log *slog.Logger) (*edgeParts, error) {
	p := &edgeParts{cfg: cfg}
	var err error
	if p.rules, err = ruleSet(cfg.dir, cfg.Rules); err != nil {
		return nil, err
	}
	if cfg.Registrations != "" {
		if p.registrations, err = edge.LoadRegistrations(cfg.path(cfg.Registrations)); err != nil {
			return nil, err
		}
	}
	if p.signer, err = seal.ReadSigner(cfg.path(cfg.Key)); err != nil {
		return nil, err
	}
	for _, k := range cfg.Center.ReceiptKeys {
		v, err := seal.ReadVerifier(cfg.path(k))
		if err != nil {
			return nil, err
		}
		p.centerKeys = append(p.centerKeys, v)
	}
	if cfg.Center.PasswordFile != "" {
		if p.password, err = conf.Secret(cfg.path(cfg.Center.PasswordFile)); err != nil {
			return nil, err
		}
	}
	if p.tls, err = clientTLS(cfg.path(cfg.Center.CA)); err != nil {
		return nil, err
	}
	var handlers []*camera.Hikvision
	for i := range cfg.Lanes {
		lane, hik, s, err := openLane(&cfg, &cfg.Lanes[i], log)
		if err != nil {
			return nil, fmt.Errorf("lane %d: %w", cfg.Lanes[i].Lane, err)
		}
		p.lanes = append(p.lanes, lane)
		handlers = append(handlers, hik...)
		if s != nil {
			p.signs = append(p.signs, s)
		}
	}
	if len(handlers) > 0 {
		t, err := cameraTLS(&cfg)
		if err != nil {
			return nil, err
		}
		p.cameras, err = camera.NewListener(camera.ListenerConfig{Listen: cfg.Cameras.Listen, TLS: t, AllowPlain: cfg.Cameras.AllowPlain, Cameras: handlers, Logger: log})
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

func cameraTLS(cfg *EdgeConfig) (*tls.Config, error) {
	if cfg.Cameras.CertFile == "" && cfg.Cameras.AllowPlain {
		return nil, nil
	}
	return serverTLS("cameras.listen", cfg.Cameras.Listen, cfg.path(cfg.Cameras.CertFile), cfg.path(cfg.Cameras.KeyFile))
}

func openLane(cfg *EdgeConfig, l *LaneConfig, log *slog.Logger) (lane edge.LaneConfig, hik []*camera.Hikvision, s *sign.Sign, err error) {
	lane = edge.LaneConfig{Lane: l.Lane, Purpose: l.Purpose, Device: l.Scale.Device}
	if lane.Instrument, err = l.instrument(); err != nil {
		return lane, nil, nil, err
	}
	if lane.Scale, err = serial.New(serial.Config{Device: l.Scale.Device, Path: cfg.path(l.Scale.Path), Baud: l.Scale.Baud, Dialect: l.Scale.Dialect, Logger: log}); err != nil {
		return lane, nil, nil, err
	}
	for _, c := range l.Cameras {
		secret, err := conf.Secret(cfg.path(c.SecretFile))
		if err != nil {
			return lane, nil, nil, err
		}
		h, err := camera.NewHikvision(camera.Config{Device: c.Device, Lane: l.Lane, End: c.End, Secret: secret, Logger: log})
		if err != nil {
			return lane, nil, nil, err
		}
		lane.Cameras = append(lane.Cameras, edge.CameraConfig{Device: c.Device, Camera: h})
		hik = append(hik, h)
	}
	if l.Sign == nil {
		return lane, hik, nil, nil
	}
	name := l.Sign.Profile
	if name == "" {
		name = "sign-modbus-tcp"
	}
	profile, err := signProfile(cfg.dir, name)
	if err != nil {
		return lane, nil, nil, err
	}
	s, err = sign.New(sign.Config{Device: l.Sign.Device, Address: l.Sign.Address, Unit: l.Sign.Unit, Profile: profile, Logger: log})
	if err != nil {
		return lane, nil, nil, err
	}
	lane.Sign, lane.SignDevice, lane.Hold = s, l.Sign.Device, l.Sign.Hold.Std()
	return lane, hik, s, nil
}

func signProfile(dir, name string) (sign.Profile, error) {
	if filepath.Ext(name) == ".yaml" {
		path := rel(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			return sign.Profile{}, fmt.Errorf("sign profile: %w", err)
		}
		return sign.LoadProfile(path, b)
	}
	b, err := configs.Device(name)
	if err != nil {
		return sign.Profile{}, err
	}
	return sign.LoadProfile(name, b)
}
