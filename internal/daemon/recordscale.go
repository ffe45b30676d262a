package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"github.com/axlegate/axlegate/drivers/record"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/internal/conf"
)

// RecordConfig is a controller that sends a record a vehicle, whose page says what stands where: docs/devices/record.md. One of
// Address, Folder and Listen is set.
type RecordConfig struct {
	Page string `yaml:"page"` // embedded, or a .yaml file
	// Lane is the controller's own name of this lane, where its records have one.
	Lane    string `yaml:"lane"`
	Address string `yaml:"address"` // of a TCP connection, host:port
	Folder  string `yaml:"folder"`  // that files are put in
	// Listen is where the controller pushes to, by HTTP POST to the path that SecretFile holds; TLS beyond loopback unless
	// AllowPlain says that the line is its own.
	Listen     string `yaml:"listen"`
	SecretFile string `yaml:"secret_file"`
	AllowPlain bool   `yaml:"allow_plain"`
	CertFile   string `yaml:"cert_file"`
	KeyFile    string `yaml:"key_file"`
}

// mistake tells what is wrong with the settings, as that of ScaleConfig.
func (c *RecordConfig) mistake() (key, msg, hint string) {
	if c == nil {
		return "record", "is missing", "name a page, and an address, a folder or a port to listen on: docs/devices/record.md"
	}
	var ways []string
	for _, w := range []setting{{"address", c.Address != ""}, {"folder", c.Folder != ""}, {"listen", c.Listen != ""}} {
		if w.set {
			ways = append(ways, w.key)
		}
	}
	switch {
	case c.Page == "":
		return "record.page", "is missing", "axlegate devices record lists the shipped ones"
	case len(ways) == 0:
		return "record", "no way to the controller is named", "want address, folder or listen"
	case len(ways) > 1:
		return "record." + ways[1], "does not go with " + ways[0], "leave one out"
	case c.Listen != "" && c.SecretFile == "":
		return "record.secret_file", "is missing", "it holds the last part of the path that the controller pushes to"
	case (c.CertFile == "") != (c.KeyFile == ""):
		return "record.cert_file", "cert_file and key_file go together", "name both, or neither on loopback"
	}
	for _, a := range []struct{ key, addr string }{{"address", c.Address}, {"listen", c.Listen}} {
		if a.addr == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(a.addr); err != nil {
			return "record." + a.key, fmt.Sprintf("%q is no address", a.addr), "write it as 192.0.2.40:4001"
		}
	}
	if c.Listen == "" {
		for _, o := range []setting{{"secret_file", c.SecretFile != ""}, {"allow_plain", c.AllowPlain}, {"cert_file", c.CertFile != ""}} {
			if o.set {
				return "record." + o.key, "goes with listen", "leave it out"
			}
		}
	}
	return "", "", ""
}

// weighingMistake tells which of a lane's settings have no meaning where axles bear the time of their vehicle.
func (l *LaneConfig) weighingMistake() error {
	w := &l.Weighing
	switch {
	case l.Scale.Kind != scaleRecord:
		return nil
	case w.Tailgate != 0:
		return fmt.Errorf("weighing.tailgate_mm: a record bears one time for all axles; let the controller say that vehicles were too close, by a code")
	case len(w.Beside) > 0:
		return fmt.Errorf("weighing.beside: a record bears one time for all axles; let the controller say that a vehicle used two lanes, by a code")
	}
	return nil
}

// openRecord makes the driver of a controller that sends whole vehicles.
func openRecord(cfg *EdgeConfig, s *ScaleConfig, knows siteKnows, log *slog.Logger) (edge.Scale, error) {
	c := s.Record
	name, text, err := deviceProfile(cfg.dir, c.Page)
	if err != nil {
		return nil, err
	}
	page, err := record.LoadPage(name, text)
	if err != nil {
		return nil, err
	}
	out := record.Config{Device: s.Device, Page: page, Lane: c.Lane, Address: c.Address, Listen: c.Listen, Logger: log,
		After: knows.after(s.Device),
		Known: func(ctx context.Context, kind record.Kind, id string) (bool, error) {
			if kind == record.Retraction {
				id = edge.RetractionKey(id)
			}
			return knows.known(ctx, s.Device, id)
		}}
	if c.Folder != "" {
		out.Folder = cfg.path(c.Folder)
	}
	if c.Listen == "" {
		return record.New(out)
	}
	if out.Secret, err = conf.Secret(cfg.path(c.SecretFile)); err != nil {
		return nil, err
	}
	if len(out.Secret) < 16 {
		return nil, fmt.Errorf("%s: a secret path has at least 16 letters and digits", c.SecretFile)
	}
	if strings.Trim(out.Secret, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		return nil, fmt.Errorf("%s: a path may have letters, digits, - and _ only", c.SecretFile)
	}
	if c.CertFile != "" || !c.AllowPlain {
		if out.TLS, err = serverTLS("scale.record.listen", c.Listen, cfg.path(c.CertFile), cfg.path(c.KeyFile)); err != nil {
			return nil, err
		}
	}
	return record.New(out)
}
