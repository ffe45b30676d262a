package daemon

import (
	"cmp"
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
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/drivers/camera"
	"github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/drivers/modbusscale"
	"github.com/axlegate/axlegate/drivers/serial"
	"github.com/axlegate/axlegate/drivers/sign"
	"github.com/axlegate/axlegate/drivers/thermometer"
	"github.com/axlegate/axlegate/drivers/tpm"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/edge/parcel"
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
	software      wim.Software
	active        []wim.Part
	keys          *seal.KeyFiles
	centerKeys    []*seal.Verifier
	password      string
	tls           *tls.Config
	cameras       *camera.Listener
	board         *staffPage // nil for none
	lanes         []edge.LaneConfig
	systems       []edge.SystemConfig
	contacts      []edge.ContactConfig
	powerLow      func()
	signs         []*sign.Sign
	clock         *edge.Timekeeper
	simulated     *simulatedClock  // nil where the machine's own clock is used
	reserve       *journal.Reserve // made before the journal is opened
	journal       *journal.Journal // opened after the rest, nil until then
	depot         *parcel.Depot    // likewise
}

// siteKnows is what a scale's driver may ask of the journal.
type siteKnows struct {
	// cursor tells how far the messages of a device have been taken into account; ok is false for one never seen.
	cursor func(device string) (c wim.DeviceCursor, ok bool)
	// known tells whether the record that the device calls by that key is committed.
	known func(ctx context.Context, device, key string) (bool, error)
}

func (k siteKnows) after(device string) func() (wim.DeviceCursor, bool) {
	return func() (wim.DeviceCursor, bool) { return k.cursor(device) }
}

// known asks the journal, as cursor does.
func (p *edgeParts) known(ctx context.Context, device, key string) (bool, error) {
	if p.journal == nil {
		return false, errors.New("the journal is not open")
	}
	return p.journal.Knows(ctx, device, key)
}

// cursor asks the journal. Scales ask while they run, which is after it was opened.
func (p *edgeParts) cursor(device string) (c wim.DeviceCursor, ok bool) {
	if p.journal == nil {
		return wim.DeviceCursor{}, false
	}
	return p.journal.Cursor(device)
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
// link, in this order. A site whose journal turns out to be damaged is started again, which recovers it.
func RunEdge(ctx context.Context, cfg EdgeConfig, log *slog.Logger) error {
	var damage error
	for {
		err := runEdge(ctx, cfg, damage, log)
		damage = err
		if !errors.Is(err, journal.ErrDamaged) || errors.Is(err, errNotOpened) || ctx.Err() != nil {
			return err
		}
		log.Error("the site starts again to recover its journal", "err", err)
		t := time.NewTimer(reopen)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

// runEdge is one run. damage says why the run before found its journal damaged: opening it may not see that.
func runEdge(ctx context.Context, cfg EdgeConfig, damage error, log *slog.Logger) (err error) {
	p, err := openEdge(cfg, log)
	if err != nil {
		return err
	}
	ctx, p.powerLow = context.WithCancel(ctx)
	defer p.powerLow()
	l, err := listen(ctx, "listen (metrics and health)", cfg.Listen)
	if err != nil {
		return err
	}
	defer l.Close() //nolint:errcheck // serve closes it first when all goes well
	warnOpen(log, "listen", cfg.Listen)
	// The link and the health page outlive the site's own shutdown, which still sends and waits for receipts.
	after, stopAfter := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAfter()
	g, gctx := errgroup.WithContext(after)
	entrance := &door{site: cfg.Site}
	g.Go(func() error { return serve(gctx, l, entrance, nil, log) })
	p.reserve = journal.OpenReserve(filepath.Join(cfg.path(cfg.Data), "reserve"), cfg.reserve(), log)
	jc := journal.Config{
		Path: filepath.Join(cfg.path(cfg.Data), "journal.db"), Site: cfg.Site, Key: p.keys.Signer.ID,
		Software: p.software, MaxBytes: cfg.JournalMaxMB << 20,
		Keep: cfg.Keep.Std(), Now: p.clock.Proven, Clock: p.clock.State, Logger: log,
	}
	if damage != nil {
		recoverJournal(ctx, jc, damage, log)
	}
	j, err := openJournal(ctx, p.reserve, jc, reopen, entrance.failing, log)
	if err != nil {
		stopAfter()
		if ctx.Err() != nil {
			return g.Wait() // it was told to stop
		}
		err = fmt.Errorf("%w: %w", errNotOpened, err)
		return errors.Join(err, g.Wait())
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	p.journal = j
	if chain, err := j.CheckKey(ctx); err != nil {
		log.Error("could not check whether the chain is signed by this key", "err", err) // a full disk, perhaps: the site must start
	} else if !chain.IsZero() {
		log.Warn("the chain was signed by another key: a new chain was started; what the old one holds without a receipt is sent under the new key", "chain", chain)
	}

	site, link, reg, err := p.site(log)
	if err == nil {
		err = p.openDepot(ctx, site, reg, log)
	}
	if err != nil {
		stopAfter()
		return errors.Join(err, g.Wait())
	}
	health := edgeHealth(site, reg)
	entrance.open.Store(&health)
	g.Go(func() error { return link.Run(gctx) })
	if p.board != nil {
		g.Go(func() error { return p.board.serve(gctx, site, &p.cfg, p.now(), log) })
	}
	if p.simulated != nil {
		log.Warn("this site's clock is simulated: it is for rehearsals only", "file", p.simulated.path)
		g.Go(func() error { p.simulated.run(gctx); return nil })
	}
	for i := range p.lanes {
		if t, ok := p.lanes[i].Thermometer.(*thermometer.Thermometer); ok {
			lane := p.lanes[i].Lane
			g.Go(func() error {
				t.Run(gctx, func(err error) { log.Warn("the temperature is not known", "lane", lane, "err", err) })
				return nil
			})
		}
	}
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
		devices.Go(func() error { return p.depot.Run(dctx, site) })
		return devices.Wait()
	})
	log.Info("edge runs", "site", cfg.Site, "lanes", len(cfg.Lanes), "health", "http://"+l.Addr().String()+"/readyz", "rules", p.rules.ID(), "chain", j.Chain())
	err = g.Wait()
	log.Info("edge stopped", "site", cfg.Site)
	return err
}

// site makes the site and its link over an open journal, and all metrics of the daemon.
func (p *edgeParts) site(log *slog.Logger) (site *edge.Site, link *mqtt.Site, reg *prometheus.Registry, err error) {
	cfg, j := &p.cfg, p.journal
	boot := make([]byte, 8)
	rand.Read(boot) // never fails since Go 1.24
	link = mqtt.NewSite(mqtt.SiteConfig{
		Broker: cfg.Center.Broker, Site: string(cfg.Site), Chain: func() string { return j.Chain().String() }, Username: cfg.Center.Username, Password: p.password,
		TLS: p.tls, BootID: hex.EncodeToString(boot), Logger: log, OnReceipt: func(jws []byte) { site.HandleReceipt(jws) },
		OnDown: func(jws []byte) { p.depot.Receive(jws) }, OnAnswer: func(jws []byte) { site.HandleAnswer(jws) },
	})
	site, err = edge.New(edge.Config{
		Site: cfg.Site,
		Road: wim.Road{Name: cfg.Road.Name, Class: cfg.Road.Class, Posted: wim.PostedLimit{
			Gross: cfg.Road.PostedGross, Axle: cfg.Road.PostedAxle, Sign: cfg.Road.PostedSign,
			Length: cfg.Road.PostedLength, Width: cfg.Road.PostedWidth, Height: cfg.Road.PostedHeight}},
		Station: cfg.Road.Station,
		Lanes:   p.lanes, Systems: p.systems, Contacts: p.contacts, PowerLow: p.powerLow, Journal: j, Signer: p.keys.Signer, Next: p.keys.Next, Former: p.keys.Former, Promote: p.keys.Promote, CenterKeys: p.centerKeys, Link: link, Rules: p.rules, Registrations: p.registrations, Active: p.active, Ask: link.Ask,
		Pictures: edge.PictureConfig{Dir: filepath.Join(cfg.path(cfg.Data), "pictures"), Base: cfg.Center.Pictures,
			MaxBytes: cfg.PicturesMaxMB << 20, MaxAge: cfg.PicturesMaxAge.Std(),
			Client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: p.tls, Proxy: http.ProxyFromEnvironment}}},
		Disk:  edge.DiskConfig{Reserve: p.reserve},
		Clock: p.clockState(), Timekeeper: p.clock, Now: p.now(),
		Logger: log,
	})
	if err != nil {
		return nil, nil, nil, err
	}

	reg = newRegistry()
	reg.MustRegister(site.Metrics(), newEdgeMetrics(p.lanes, link.Stats, p.clock.State))
	return site, link, reg, nil
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
	if p.keys, err = siteKey(&cfg); err != nil {
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
	if cfg.Clock == clockSimulated {
		p.simulated = &simulatedClock{path: cfg.path(cfg.ClockFile), log: log}
		if err := p.simulated.read(); err != nil {
			return nil, err
		}
	}
	p.clock = edge.OpenTimekeeper(edge.TimekeeperConfig{
		Path: filepath.Join(cfg.path(cfg.Data), "proven-time"), System: p.clockState(), Now: p.now(), Floor: builtAt(), Logger: log})
	p.tls.Time = p.clock.Latest // a dead clock must not refuse the centre
	var handlers []*camera.Camera
	for i := range cfg.Lanes {
		lane, cams, s, err := openLane(&cfg, &cfg.Lanes[i], siteKnows{p.cursor, p.known}, log)
		if err != nil {
			return nil, fmt.Errorf("lane %d: %w", cfg.Lanes[i].Lane, err)
		}
		if p.simulated != nil {
			lane.Scale = p.simulated.scale(lane.Scale)
			if lane.Sizer != nil {
				lane.Sizer.Sizer = p.simulated.sizer(lane.Sizer.Sizer)
			}
			for i := range lane.Cameras {
				lane.Cameras[i].Camera = p.simulated.camera(lane.Cameras[i].Camera)
			}
		}
		p.lanes = append(p.lanes, lane)
		handlers = append(handlers, cams...)
		if s != nil {
			p.signs = append(p.signs, s)
		}
	}
	if p.systems, err = openSystems(&cfg, p.now(), log); err != nil {
		return nil, err
	}
	if p.board, err = openBoard(&cfg); err != nil {
		return nil, err
	}
	weighed, bridges, err := openBridges(&cfg, p.now(), log)
	if err != nil {
		return nil, err
	}
	p.systems = append(p.systems, weighed...)
	if p.contacts, err = openContacts(&cfg); err != nil {
		return nil, err
	}
	if p.board != nil {
		p.board.bridges = bridges
	}
	if err := p.identify(); err != nil {
		return nil, err
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

// clockState says how far the clock can be trusted, by whoever keeps it.
func (p *edgeParts) clockState() func() wim.ClockState {
	switch p.cfg.Clock {
	case clockSimulated:
		return p.simulated.state
	case clockHost:
		return func() wim.ClockState { return wim.ClockSynchronised }
	}
	return edge.SystemClock
}

// now is the wall clock; nil is the machine's own.
func (p *edgeParts) now() func() time.Time {
	if p.simulated == nil {
		return nil
	}
	return p.simulated.now
}

// builtAt is the time of the commit that this program was built from, zero where it does not know.
func builtAt() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			t, err := time.Parse(time.RFC3339, s.Value)
			if err != nil {
				return time.Time{}
			}
			return t
		}
	}
	return time.Time{}
}

// siteKey opens the site's signing key: a file with those beside it, or one in a TPM.
func siteKey(cfg *EdgeConfig) (*seal.KeyFiles, error) {
	if !tpm.Is(cfg.Key) {
		return seal.ReadKeyFiles(cfg.path(cfg.Key))
	}
	k, err := tpm.Open(cfg.Key)
	if err != nil {
		return nil, err
	}
	s, err := seal.NewSigner(k)
	return &seal.KeyFiles{Signer: s}, err
}

func cameraTLS(cfg *EdgeConfig) (*tls.Config, error) {
	if cfg.Cameras.CertFile == "" && cfg.Cameras.AllowPlain {
		return nil, nil
	}
	return serverTLS("cameras.listen", cfg.Cameras.Listen, cfg.path(cfg.Cameras.CertFile), cfg.path(cfg.Cameras.KeyFile))
}

// openScale makes the driver that a scale's kind asks for. What the site knows is asked when the scale runs.
func openScale(cfg *EdgeConfig, c *ScaleConfig, knows siteKnows, log *slog.Logger) (edge.Scale, error) {
	switch c.Kind {
	case scaleModbus:
	case scaleRecord:
		return openRecord(cfg, c, knows, log)
	case scaleStrips:
		return openStrips(c, knows, log)
	default:
		path := c.Path
		if path != "" {
			path = cfg.path(path)
		}
		return serial.New(serial.Config{Device: c.Device, Path: path, Address: c.Address, Baud: c.Baud, Dialect: c.Dialect, Logger: log})
	}
	name, text, err := deviceProfile(cfg.dir, cmp.Or(c.Profile, "axle-ring-tcp"))
	if err != nil {
		return nil, err
	}
	p, err := modbusscale.LoadProfile(name, text)
	if err != nil {
		return nil, err
	}
	return modbusscale.New(modbusscale.Config{Device: c.Device, Address: c.Address, Line: cfg.path(c.Path), Baud: c.Baud, Parity: modbus.Parity(c.Parity),
		Unit: c.Unit, Profile: p, Logger: log,
		After: knows.after(c.Device)})
}

// openCamera makes a camera that pushes, or one that is asked.
func openCamera(cfg *EdgeConfig, lane wim.LaneID, c *CameraConfig, log *slog.Logger) (*camera.Camera, error) {
	zone, err := c.zone()
	if err != nil {
		return nil, err
	}
	out := camera.Config{Device: c.Device, Lane: lane, End: c.End, Format: c.Format, Zone: zone, MaxBody: c.MaxBodyMB << 20,
		Address: c.Address, Auth: c.Auth, Username: c.Username, Logger: log}
	if c.SecretFile != "" {
		if out.Secret, err = conf.Secret(cfg.path(c.SecretFile)); err != nil {
			return nil, err
		}
	}
	if c.PasswordFile != "" {
		if out.Password, err = conf.Secret(cfg.path(c.PasswordFile)); err != nil {
			return nil, err
		}
	}
	if c.Address != "" {
		if out.TLS, err = clientTLS(cfg.path(c.CA)); err != nil {
			return nil, err
		}
	}
	return camera.New(out)
}

// openLane also returns the cameras that push.
func openLane(cfg *EdgeConfig, l *LaneConfig, knows siteKnows, log *slog.Logger) (lane edge.LaneConfig, cams []*camera.Camera, s *sign.Sign, err error) {
	lane = edge.LaneConfig{Lane: l.Lane, Purpose: l.Purpose, Device: l.Scale.Device, Assembler: l.assembler(), Beside: l.Weighing.Beside, Reorder: time.Duration(l.Weighing.Reorder)}
	if lane.Instrument, err = l.instrument(); err != nil {
		return lane, nil, nil, err
	}
	if a := l.Instrument.Calibration; a != nil {
		if err := nameCalibration(cfg.path(a.File), l.Scale.Device, lane.Instrument.Calibration); err != nil {
			return lane, nil, nil, fmt.Errorf("lane %d: %w", l.Lane, err)
		}
	}
	if lane.Scale, err = openScale(cfg, &l.Scale, knows, log); err != nil {
		return lane, nil, nil, err
	}
	if l.Weighing.Thermometer != "" {
		lane.Thermometer = thermometer.New(cfg.path(l.Weighing.Thermometer))
	}
	if l.Laser != nil {
		if lane.Sizer, err = l.Laser.open(cfg, log); err != nil {
			return lane, nil, nil, err
		}
	}
	for i := range l.Cameras {
		c, err := openCamera(cfg, l.Lane, &l.Cameras[i], log)
		if err != nil {
			return lane, nil, nil, err
		}
		lane.Cameras = append(lane.Cameras, edge.CameraConfig{Device: l.Cameras[i].Device, Camera: c})
		if l.Cameras[i].Address == "" {
			cams = append(cams, c)
		}
	}
	if l.Sign == nil {
		return lane, cams, nil, nil
	}
	name, text, err := deviceProfile(cfg.dir, cmp.Or(l.Sign.Profile, "sign-modbus-tcp"))
	if err != nil {
		return lane, nil, nil, err
	}
	profile, err := sign.LoadProfile(name, text)
	if err != nil {
		return lane, nil, nil, err
	}
	s, err = sign.New(sign.Config{Device: l.Sign.Device, Address: l.Sign.Address, Unit: l.Sign.Unit, Profile: profile, Logger: log})
	if err != nil {
		return lane, nil, nil, err
	}
	lane.Sign, lane.SignDevice, lane.Hold = s, l.Sign.Device, l.Sign.Hold.Std()
	return lane, cams, s, nil
}

// deviceProfile reads the profile of a device: an embedded one, or a file when its name ends in .yaml. The
// name that it returns stands in errors.
func deviceProfile(dir, name string) (file string, text []byte, err error) {
	if filepath.Ext(name) == ".yaml" {
		file = rel(dir, name)
		if text, err = os.ReadFile(file); err != nil {
			return "", nil, fmt.Errorf("device profile: %w", err)
		}
		return file, text, nil
	}
	text, err = configs.Device(name)
	return name, text, err
}
