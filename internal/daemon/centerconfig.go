package daemon

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// CenterConfig is the configuration file of axlegate-center. Relative paths are taken from the folder that
// the file lies in.
type CenterConfig struct {
	// Data is the folder of the store, the pictures and the embedded broker.
	Data string `yaml:"data"`
	// Key is the centre's private key that receipts are signed with.
	Key string `yaml:"key"`
	// Title stands on every page.
	Title string `yaml:"title"`
	// Zone is the time zone of the pages; empty means UTC. Everything stored is in UTC.
	Zone    string       `yaml:"zone"`
	Web     WebConfig    `yaml:"web"`
	Metrics string       `yaml:"metrics_listen"` // /metrics, /healthz, /readyz; keep it off public addresses
	Broker  BrokerConfig `yaml:"broker"`
	Sites   []SiteConfig `yaml:"sites"`
	Rules   []string     `yaml:"rules"` // embedded names or .yaml paths of every set that sites judge by
	// Authorities names the two authorities on pages.
	Authorities []AuthorityConfig `yaml:"authorities"`
	Officers    []OfficerConfig   `yaml:"officers"`

	dir string
}

// WebConfig is the listener of the consoles and of the sites' pictures.
type WebConfig struct {
	Listen   string `yaml:"listen"`
	CertFile string `yaml:"cert_file"` // needed beyond loopback
	KeyFile  string `yaml:"key_file"`
}

// BrokerConfig is the embedded broker.
type BrokerConfig struct {
	Listen   string `yaml:"listen"`
	CertFile string `yaml:"cert_file"` // needed beyond loopback
	KeyFile  string `yaml:"key_file"`
}

// SiteConfig is one site that may send.
type SiteConfig struct {
	Site         wim.SiteID `yaml:"site"`
	Keys         []string   `yaml:"keys"` // public key files
	PasswordFile string     `yaml:"password_file"`
}

// AuthorityConfig names an authority; names are data, not program.
type AuthorityConfig struct {
	Competence wim.Competence `yaml:"competence"`
	Zh         string         `yaml:"zh"`
	En         string         `yaml:"en"`
}

// OfficerConfig is a local user.
type OfficerConfig struct {
	Login      string         `yaml:"login"`
	Name       string         `yaml:"name"`
	Competence wim.Competence `yaml:"competence"`
	// HashFile holds the argon2id hash that "axlegate keys password" prints.
	HashFile string `yaml:"hash_file"`
}

// LoadCenter reads and checks a configuration file.
func LoadCenter(path string) (CenterConfig, error) {
	var c CenterConfig
	if _, err := conf.Load(path, &c); err != nil {
		return CenterConfig{}, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return CenterConfig{}, fmt.Errorf("configuration path: %w", err)
	}
	c.dir = filepath.Dir(abs)
	return c, nil
}

// Validate checks everything that can be told without opening another file.
func (c *CenterConfig) Validate() error {
	for _, f := range []struct{ key, value string }{
		{"data", c.Data}, {"key", c.Key}, {"web.listen", c.Web.Listen}, {"broker.listen", c.Broker.Listen}, {"metrics_listen", c.Metrics},
	} {
		if f.value == "" {
			return fmt.Errorf("%s is missing", f.key)
		}
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		return fmt.Errorf("zone: %w; use a name such as Asia/Shanghai", err)
	}
	if len(c.Sites) == 0 {
		return errors.New("sites is missing: nobody could send")
	}
	seen := map[string]bool{}
	for i, s := range c.Sites {
		if err := s.Site.Valid(); err != nil {
			return fmt.Errorf("sites[%d]: %w", i, err)
		}
		if seen["site "+string(s.Site)] {
			return fmt.Errorf("sites[%d]: site %s is listed twice", i, s.Site)
		}
		seen["site "+string(s.Site)] = true
		if len(s.Keys) == 0 || s.PasswordFile == "" {
			return fmt.Errorf("sites[%d] (%s): keys and password_file are needed", i, s.Site)
		}
	}
	if len(c.Rules) == 0 {
		return errors.New("rules is missing: name the rule sets that sites judge by, such as cn-2016-62")
	}
	for i, o := range c.Officers {
		if o.Login == "" || o.HashFile == "" {
			return fmt.Errorf("officers[%d]: login and hash_file are needed", i)
		}
		if o.Competence != wim.RoadAdministration && o.Competence != wim.TrafficPolice {
			return fmt.Errorf("officers[%d] (%s): competence %q, want %s or %s", i, o.Login, o.Competence, wim.RoadAdministration, wim.TrafficPolice)
		}
		if seen["officer "+o.Login] {
			return fmt.Errorf("officers[%d]: login %s is listed twice", i, o.Login)
		}
		seen["officer "+o.Login] = true
	}
	return nil
}

func (c *CenterConfig) path(p string) string { return rel(c.dir, p) }
