package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/axlegate/axlegate/drivers/inbox"
	"github.com/axlegate/axlegate/drivers/toll"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/uplink/mqtt"
	"github.com/axlegate/axlegate/wim"
)

// SystemConfig is a toll or checkpoint system beside the road: docs/devices/toll.md. One of Folder, Listen and Topic is set.
type SystemConfig struct {
	System string `yaml:"system"` // its name in records; do not change it
	Page   string `yaml:"page"`   // embedded, or a .yaml file
	Folder string `yaml:"folder"` // that files are put in

	PushConfig `yaml:",inline"` // listen

	Topic        string `yaml:"topic"`  // of a queue
	Broker       string `yaml:"broker"` // its address: tcp://host:port on loopback, tls://host:port beyond
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	CA           string `yaml:"ca_file"`

	// A passage may end so long before a transaction of its vehicle, 0 means 2h, and so long after it.
	Before conf.Duration `yaml:"before"`
	After  conf.Duration `yaml:"after"`
	// Tolerance is by how much masses may differ that are not called different; 0 means 50.
	Tolerance wim.Permille `yaml:"tolerance_permille"`
	// ArrivesWithin is within what time a vehicle that is directed to enter is weighed here, else it is recorded that it did not come;
	// 0 means that it is not watched.
	ArrivesWithin conf.Duration `yaml:"arrives_within"`
}

// PushConfig is where a device or system pushes to, by HTTP POST to the path that SecretFile holds; TLS beyond loopback unless
// AllowPlain says that the line is its own.
type PushConfig struct {
	Listen     string `yaml:"listen"`
	SecretFile string `yaml:"secret_file"`
	AllowPlain bool   `yaml:"allow_plain"`
	CertFile   string `yaml:"cert_file"`
	KeyFile    string `yaml:"key_file"`
}

// mistake tells what is wrong with the settings, empty for nothing.
func (c *PushConfig) mistake() (key, msg, hint string) {
	switch {
	case c.Listen == "" && c.SecretFile != "":
		return "secret_file", "goes with listen", "leave it out"
	case c.Listen == "" && c.AllowPlain:
		return "allow_plain", "goes with listen", "leave it out"
	case c.Listen == "" && (c.CertFile != "" || c.KeyFile != ""):
		return "cert_file", "goes with listen", "leave it out"
	case c.Listen == "":
		return "", "", ""
	case c.SecretFile == "":
		return "secret_file", "is missing", "it holds the last part of the path that is pushed to"
	case (c.CertFile == "") != (c.KeyFile == ""):
		return "cert_file", "cert_file and key_file go together", "name both, or neither on loopback"
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return "listen", fmt.Sprintf("%q is no address", c.Listen), "write it as 192.0.2.40:9105"
	}
	return "", "", ""
}

// open reads the secret path and the certificate; what names the setting in errors.
func (c *PushConfig) open(cfg *EdgeConfig, what string) (secret string, over *tls.Config, err error) {
	if secret, err = conf.Secret(cfg.path(c.SecretFile)); err != nil {
		return "", nil, err
	}
	if len(secret) < 16 {
		return "", nil, fmt.Errorf("%s: a secret path has at least 16 letters and digits", c.SecretFile)
	}
	if strings.Trim(secret, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		return "", nil, fmt.Errorf("%s: a path may have letters, digits, - and _ only", c.SecretFile)
	}
	if c.CertFile != "" || !c.AllowPlain {
		over, err = serverTLS(what, c.Listen, cfg.path(c.CertFile), cfg.path(c.KeyFile))
	}
	return secret, over, err
}

// valid tells what is wrong with the settings.
func (c *SystemConfig) valid() error {
	var ways []string
	for _, w := range []setting{{"folder", c.Folder != ""}, {"listen", c.Listen != ""}, {"topic", c.Topic != ""}} {
		if w.set {
			ways = append(ways, w.key)
		}
	}
	switch {
	case c.System == "":
		return errors.New("system is missing: it names the system in records")
	case c.Page == "":
		return errors.New("page is missing: axlegate devices toll lists the shipped ones")
	case len(ways) != 1:
		return errors.New("want one of folder, listen and topic")
	case (c.Topic == "") != (c.Broker == ""):
		return errors.New("topic and broker go together")
	case c.Broker == "" && (c.Username != "" || c.PasswordFile != "" || c.CA != ""):
		return errors.New("username, password_file and ca_file go with broker")
	case c.Tolerance < 0 || c.Tolerance > 1000:
		return fmt.Errorf("tolerance_permille: %d, want 0 to 1000", c.Tolerance)
	}
	for key, d := range map[string]conf.Duration{"before": c.Before, "after": c.After, "arrives_within": c.ArrivesWithin} {
		if d < 0 || d.Std() > 24*time.Hour {
			return fmt.Errorf("%s: %s, want at most 24h", key, d.Std())
		}
	}
	if key, msg, hint := c.mistake(); msg != "" {
		return fmt.Errorf("%s %s: %s", key, msg, hint)
	}
	return nil
}

// openSystems makes the drivers of the site's toll and checkpoint systems.
func openSystems(cfg *EdgeConfig, now func() time.Time, log *slog.Logger) (out []edge.SystemConfig, err error) {
	for i := range cfg.Systems {
		c := &cfg.Systems[i]
		name, text, err := deviceProfile(cfg.dir, c.Page)
		if err != nil {
			return nil, err
		}
		page, err := toll.LoadPage(name, text)
		if err != nil {
			return nil, err
		}
		d := toll.Config{System: c.System, Page: page, Listen: c.Listen, Never: edge.ErrTransaction, Now: now, Logger: log}
		if c.Folder != "" {
			d.Folder = cfg.path(c.Folder)
		}
		if c.Listen != "" {
			if d.Secret, d.TLS, err = c.open(cfg, fmt.Sprintf("systems[%d].listen", i)); err != nil {
				return nil, err
			}
		}
		if c.Topic != "" {
			if d.Queue, err = openQueue(cfg, c, log); err != nil {
				return nil, fmt.Errorf("systems[%d]: %w", i, err)
			}
		}
		system, err := toll.New(d)
		if err != nil {
			return nil, err
		}
		out = append(out, edge.SystemConfig{System: c.System, Transactions: system, Before: c.Before.Std(), After: c.After.Std(), Tolerance: c.Tolerance, Arrival: c.ArrivesWithin.Std()})
	}
	return out, nil
}

// mqttQueue is a topic as toll.Queue.
type mqttQueue struct{ cfg mqtt.TopicConfig }

func openQueue(cfg *EdgeConfig, c *SystemConfig, log *slog.Logger) (toll.Queue, error) {
	q := mqtt.TopicConfig{Broker: c.Broker, Topic: c.Topic, ClientID: string(cfg.Site) + "-" + c.System, Username: c.Username, Logger: log}
	var err error
	if c.PasswordFile != "" {
		if q.Password, err = conf.Secret(cfg.path(c.PasswordFile)); err != nil {
			return nil, err
		}
	}
	if q.TLS, err = clientTLS(cfg.path(c.CA)); err != nil {
		return nil, err
	}
	return mqttQueue{q}, q.Validate()
}

// Run implements toll.Queue.
func (q mqttQueue) Run(ctx context.Context, watch inbox.Watch, take inbox.Take) error {
	c := q.cfg
	c.Up, c.Down = watch.Up, watch.Down
	c.Take = func(ctx context.Context, message []byte) bool {
		err := take(ctx, message)
		var unreadable *inbox.Unreadable
		var refused *inbox.Refused
		if errors.As(err, &unreadable) {
			watch.Bad("a message cannot be read", err)
		}
		return err == nil || errors.As(err, &unreadable) || errors.As(err, &refused)
	}
	return mqtt.RunTopic(ctx, c)
}
