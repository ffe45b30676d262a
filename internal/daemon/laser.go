package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/axlegate/axlegate/drivers/profile"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// LaserConfig is the unit of a lane that measures length, width and height.
type LaserConfig struct {
	Device  string        `yaml:"device"`
	Page    string        `yaml:"page"`    // how it words its messages: a shipped page, or the path of a .yaml file; empty means dimensions-open
	Code    string        `yaml:"code"`    // how it calls the lane, where it looks at several
	Address string        `yaml:"address"` // host:port that its lines come from, or listen with secret_file
	Silence conf.Duration `yaml:"silence"` // for one that says regularly that it lives: without a line for so long it is lost; 0: never
	// A size may come so long before the vehicle's first axle, and so long after its end; 0 means 3s.
	Before      conf.Duration           `yaml:"before"`
	After       conf.Duration           `yaml:"after"`
	Certificate *LaserCertificateConfig `yaml:"certificate"` // without it sizes are no evidence

	PushConfig `yaml:",inline"` // listen
}

// LaserCertificateConfig is the verification certificate (检定证书) of a laser unit.
type LaserCertificateConfig struct {
	Number     string `yaml:"number"`
	MaxError   wim.Mm `yaml:"max_error_mm"`
	ValidFrom  string `yaml:"valid_from"`  // 2006-01-02, first day
	ValidUntil string `yaml:"valid_until"` // 2006-01-02, last day
	Zone       string `yaml:"zone"`        // of the two dates; empty means UTC
}

func (c *LaserConfig) valid() error {
	if (c.Address == "") == (c.Listen == "") {
		return errors.New("want one of address, where its lines come from, and listen, where it pushes to")
	}
	if c.Address != "" {
		if _, _, err := net.SplitHostPort(c.Address); err != nil {
			return fmt.Errorf("address: %q is no address; write it as 192.0.2.50:9000", c.Address)
		}
	}
	if key, msg, hint := c.PushConfig.mistake(); key != "" {
		return fmt.Errorf("%s: %s; %s", key, msg, hint)
	}
	const most = conf.Duration(30 * time.Second)
	if c.Before < 0 || c.After < 0 || c.Silence < 0 || c.Before > most || c.After > most {
		return errors.New("before and after lie between 0 and 30s, and silence is not negative")
	}
	_, _, err := c.Certificate.dates()
	return err
}

// dates are the first moment and the one after the last of a certificate; a nil one has none.
func (c *LaserCertificateConfig) dates() (from, until wim.Time, err error) {
	if c == nil {
		return 0, 0, nil
	}
	if c.Number == "" || c.MaxError <= 0 || c.MaxError > 1000 {
		return 0, 0, errors.New("certificate: number, and max_error_mm between 1 and 1000, are needed: it is taken off before any finding")
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return 0, 0, fmt.Errorf("certificate.zone: %w", err)
	}
	first, err := time.ParseInLocation(time.DateOnly, c.ValidFrom, zone)
	if err != nil {
		return 0, 0, fmt.Errorf("certificate.valid_from: want a date such as 2026-01-31: %w", err)
	}
	last, err := time.ParseInLocation(time.DateOnly, c.ValidUntil, zone)
	if err != nil {
		return 0, 0, fmt.Errorf("certificate.valid_until: want a date such as 2026-12-31: %w", err)
	}
	if !last.After(first) {
		return 0, 0, errors.New("certificate.valid_until is not after valid_from")
	}
	return wim.TimeOf(first), wim.TimeOf(last.AddDate(0, 0, 1)), nil
}

// open makes the driver.
func (c *LaserConfig) open(cfg *EdgeConfig, log *slog.Logger) (*edge.SizerConfig, error) {
	name, text, err := deviceProfile(cfg.dir, cmp.Or(c.Page, "dimensions-open"))
	if err != nil {
		return nil, err
	}
	page, err := profile.LoadPage(name, text)
	if err != nil {
		return nil, err
	}
	d := profile.Config{Device: c.Device, Page: page, Code: c.Code, Address: c.Address, Listen: c.Listen, Silence: c.Silence.Std(), Logger: log}
	if c.Listen != "" {
		if d.Secret, d.TLS, err = c.PushConfig.open(cfg, "laser.listen"); err != nil {
			return nil, err
		}
	}
	unit, err := profile.New(d)
	if err != nil {
		return nil, err
	}
	out := &edge.SizerConfig{Device: c.Device, Sizer: unit, Before: c.Before.Std(), After: c.After.Std()}
	if k := c.Certificate; k != nil {
		out.Error, out.Certificate = k.MaxError, k.Number
		if out.From, out.Until, err = k.dates(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
