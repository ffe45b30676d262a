package daemon

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// CenterConfig is the configuration file of axlegate-center. Relative paths are taken from the folder that
// the file lies in.
type CenterConfig struct {
	// Data is the folder of the embedded store, the pictures and the embedded broker.
	Data string `yaml:"data"`
	// Instance names this process among several centres on one database, and no other; empty means the host's name
	// with something drawn at each start.
	Instance string `yaml:"instance"`
	// Pictures is the folder of the pictures; empty means a folder in Data. Several centres share one.
	Pictures string `yaml:"pictures"`
	// Key is the centre's private key that receipts are signed with.
	Key string `yaml:"key"`
	// Title stands on every page.
	Title string `yaml:"title"`
	// Zone is the time zone of the pages; empty means UTC. Everything stored is in UTC.
	Zone    string      `yaml:"zone"`
	Web     WebConfig   `yaml:"web"`
	Metrics string      `yaml:"metrics_listen"` // /metrics, /healthz, /readyz; keep it off public addresses
	Store   StoreConfig `yaml:"store"`
	// RetentionMonths is how many whole months of records stay with their bytes; older ones keep their digests
	// only, except those of matters that are not closed. 0 keeps everything for ever.
	RetentionMonths int          `yaml:"retention_months"`
	Broker          BrokerConfig `yaml:"broker"`
	// Regions are all that sites and officers may name, each with the one that it lies in.
	Regions []RegionConfig `yaml:"regions"`
	Sites   []SiteConfig   `yaml:"sites"`
	Rules   []string       `yaml:"rules"` // embedded names or .yaml paths of every set that sites judge by
	// Overdue is after how long an alert that nobody has acknowledged looks overdue in the queue; 0 means 30 minutes.
	// Unfinished is the same for whatever is owed after that; 0 means a day.
	Overdue    conf.Duration `yaml:"overdue"`
	Unfinished conf.Duration `yaml:"unfinished"`
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

// StoreConfig says where the store is. Empty means SQLite in the data folder.
type StoreConfig struct {
	// PostgresFile names a file of mode 0600 with the connection string of a PostgreSQL database, such as
	// postgres://axlegate:password@db.example/axlegate?sslmode=verify-full.
	PostgresFile string `yaml:"postgres_file"`
}

// BrokerConfig is the embedded broker (Listen) or an external one (URL).
type BrokerConfig struct {
	Listen   string `yaml:"listen"`
	CertFile string `yaml:"cert_file"` // needed beyond loopback
	KeyFile  string `yaml:"key_file"`

	URL          string `yaml:"url"` // tcp://host:port on loopback, tls://host:port beyond
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	CA           string `yaml:"ca_file"` // of the authorities that its certificate is checked against; empty means the system's
}

// External tells whether the broker is another process.
func (b *BrokerConfig) External() bool { return b.URL != "" }

func (b *BrokerConfig) validate() error {
	switch {
	case b.Listen == "" && b.URL == "":
		return errors.New("broker: listen (the embedded broker) or url (another one) is needed")
	case b.Listen != "" && b.URL != "":
		return errors.New("broker: listen starts the embedded broker and url names another one; keep one of them")
	case b.External() && (b.Username == "" || b.PasswordFile == ""):
		return errors.New("broker: username and password_file are needed with url")
	case b.External() && (b.CertFile != "" || b.KeyFile != ""):
		return errors.New("broker: cert_file and key_file are the embedded broker's; use ca_file with url")
	case !b.External() && (b.Username != "" || b.PasswordFile != "" || b.CA != ""):
		return errors.New("broker: username, password_file and ca_file belong to url; the embedded broker takes none of them")
	}
	return nil
}

// RegionConfig names a region: a province, a city, a county or a station.
type RegionConfig struct {
	Path center.Region `yaml:"path"` // codes from the province down, such as 51/5101/510104
	Zh   string        `yaml:"zh"`
	En   string        `yaml:"en"`
}

// SiteConfig is one site that may send.
type SiteConfig struct {
	Site         wim.SiteID    `yaml:"site"`
	Region       center.Region `yaml:"region"`        // empty: seen by those only who see everything
	Keys         []string      `yaml:"keys"`          // public key files; more are enrolled with a code, so none is needed here
	PasswordFile string        `yaml:"password_file"` // at the embedded broker
}

// AuthorityConfig names an authority; names are data, not program.
type AuthorityConfig struct {
	Competence wim.Competence `yaml:"competence"`
	Zh         string         `yaml:"zh"`
	En         string         `yaml:"en"`
}

// OfficerConfig is a local user.
type OfficerConfig struct {
	Login string `yaml:"login"`
	Name  string `yaml:"name"`
	// Role is enforcer (or empty), administrator or auditor.
	Role       center.Role    `yaml:"role"`
	Competence wim.Competence `yaml:"competence"` // of an enforcer
	Region     center.Region  `yaml:"region"`     // empty: everything
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
		{"data", c.Data}, {"key", c.Key}, {"web.listen", c.Web.Listen}, {"metrics_listen", c.Metrics},
	} {
		if f.value == "" {
			return fmt.Errorf("%s is missing", f.key)
		}
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		return fmt.Errorf("zone: %w; use a name such as Asia/Shanghai", err)
	}
	if c.Overdue < 0 || c.Unfinished < 0 {
		return errors.New("overdue and unfinished are times such as 30m or 24h, or 0 for those")
	}
	if c.RetentionMonths < 0 || c.RetentionMonths > 1200 {
		return fmt.Errorf("retention_months is %d, want 1 to 1200, or 0 to keep everything", c.RetentionMonths)
	}
	if c.Broker.External() && c.Store.PostgresFile == "" && c.Instance != "" {
		return errors.New("instance: several centres share a PostgreSQL database; name it under store.postgres_file or leave instance out")
	}
	if err := c.Broker.validate(); err != nil {
		return err
	}
	regions, err := c.regions()
	if err != nil {
		return err
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
		if (s.PasswordFile == "") != c.Broker.External() {
			return fmt.Errorf("sites[%d] (%s): password_file is needed at the embedded broker, and at no other: an external broker has its own list", i, s.Site)
		}
		if !regions.Knows(s.Region) {
			return fmt.Errorf("sites[%d] (%s): region %q is not listed under regions", i, s.Site, s.Region)
		}
	}
	if len(c.Rules) == 0 {
		return errors.New("rules is missing: name the rule sets that sites judge by, such as cn")
	}
	for i, o := range c.Officers {
		if o.Login == "" || o.HashFile == "" {
			return fmt.Errorf("officers[%d]: login and hash_file are needed", i)
		}
		who := o.officer("")
		if err := who.Valid(); err != nil {
			return fmt.Errorf("officers[%d]: %w", i, err)
		}
		if o.Competence != "" && o.Competence != wim.RoadAdministration && o.Competence != wim.TrafficPolice {
			return fmt.Errorf("officers[%d] (%s): competence %q, want %s or %s", i, o.Login, o.Competence, wim.RoadAdministration, wim.TrafficPolice)
		}
		if !regions.Knows(o.Region) {
			return fmt.Errorf("officers[%d] (%s): region %q is not listed under regions", i, o.Login, o.Region)
		}
		if seen["officer "+o.Login] {
			return fmt.Errorf("officers[%d]: login %s is listed twice", i, o.Login)
		}
		seen["officer "+o.Login] = true
	}
	return nil
}

// officer is the officer with a password's hash.
func (o *OfficerConfig) officer(hash string) center.Officer {
	role := o.Role
	if role == "" {
		role = center.Enforcer
	}
	return center.Officer{Login: o.Login, Name: o.Name, Role: role, Competence: o.Competence, Region: o.Region, Hash: hash, Configured: true}
}

func (c *CenterConfig) regions() (center.Map, error) {
	places := make([]center.Place, 0, len(c.Regions))
	for _, r := range c.Regions {
		places = append(places, center.Place{Region: r.Path, Zh: r.Zh, En: r.En})
	}
	m, err := center.NewMap(places)
	if err != nil {
		return m, fmt.Errorf("regions: %w", err)
	}
	return m, nil
}

// instance names this centre among several. A name that was not configured is drawn anew at each start, since hosts
// that were copied share theirs: the price is that slots of a killed centre wait for the end of their leases.
func (c *CenterConfig) instance() string {
	if c.Instance != "" {
		return c.Instance
	}
	name, err := os.Hostname()
	if err != nil || name == "" {
		name = "center"
	}
	return name + "-" + rand.Text()[:8]
}

// siteRegions says where each site lies.
func (c *CenterConfig) siteRegions() map[wim.SiteID]center.Region {
	out := make(map[wim.SiteID]center.Region, len(c.Sites))
	for _, s := range c.Sites {
		out[s.Site] = s.Region
	}
	return out
}

func (c *CenterConfig) path(p string) string { return rel(c.dir, p) }
