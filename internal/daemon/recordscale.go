package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"github.com/axlegate/axlegate/drivers/record"
	"github.com/axlegate/axlegate/edge"
)

// RecordConfig is a controller that sends a record a vehicle, whose page says what stands where: docs/devices/record.md. One of
// Address, Folder and Listen is set.
type RecordConfig struct {
	Page string `yaml:"page"` // embedded, or a .yaml file
	// Lane is the controller's own name of this lane, where its records have one.
	Lane    string `yaml:"lane"`
	Address string `yaml:"address"` // of a TCP connection, host:port
	Folder  string `yaml:"folder"`  // that files are put in

	PushConfig `yaml:",inline"` // listen
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
	}
	if c.Address != "" {
		if _, _, err := net.SplitHostPort(c.Address); err != nil {
			return "record.address", fmt.Sprintf("%q is no address", c.Address), "write it as 192.0.2.40:4001"
		}
	}
	if key, msg, hint = c.PushConfig.mistake(); key != "" {
		return "record." + key, msg, hint
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
	if out.Secret, out.TLS, err = c.open(cfg, "scale.record.listen"); err != nil {
		return nil, err
	}
	return record.New(out)
}
