// Package stand lays out a complete test stand in a folder: keys, passwords, configurations of a centre and
// of any number of sites with simulated hardware. The demo and the end-to-end tests start from it, so both
// show what an operator would write by hand.
//
// Everything listens on loopback. It starts nothing.
package stand

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"text/template"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/internal/signin"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Config says what to lay out.
type Config struct {
	Dir   string
	Sites []SiteConfig
	// Web is the wished address of the boards; empty means any free port.
	Web string
	// Postgres is the connection string of a PostgreSQL database to use; empty means the embedded store.
	Postgres string
	// Broker is the address of a broker to use, with a name and a password where it asks for them, such as
	// tcp://name:password@127.0.0.1:1883; empty means the embedded one.
	Broker string
	// Second lays out a configuration for a second centre, which needs both of the above.
	Second bool
	// BrokerFor gives the broker address that a site is told; nil means the broker's own. A test puts a
	// proxy in between.
	BrokerFor func(site wim.SiteID, broker string) string
}

// SiteConfig is one site of the stand, with two lanes.
type SiteConfig struct {
	Site wim.SiteID
	Road string
	Seed uint64
	// PerMinute is how many vehicles a lane sees in a minute.
	PerMinute int
	// Vehicles stops the traffic of a lane after so many; 0 means never.
	Vehicles int
	// Overloaded is how many of a thousand vehicles carry more than their licences allow.
	Overloaded int
	Fleet      int // different vehicles; 0 means 120
	Speedup    int // 0 means 1
	// Lanes is how many there are, 9 at most; 0 means 2. The second has no certificate.
	Lanes int
	// Ring is the lane whose scale keeps its events and is asked over Modbus; 0 means that all are serial.
	Ring int
	// Laser is the lane with a unit that measures length, width and height; 0 means none.
	Laser  int
	Faults bool
	// Checkpoint is how many of a thousand vehicles are weighed at rest beside the road too, by a system named "static".
	Checkpoint int
}

// Stand is what was laid out.
type Stand struct {
	Dir        string
	Center     string // configuration file
	Web        string // address of the boards
	Metrics    string // address of the centre's metrics
	Second     Center // zero without one
	Broker     string // address of the broker, host:port
	Store      string // the centre's store: a file, or a connection string
	BrokerUser string // at an external broker
	External   bool   // the broker is another process
	Postgres   bool   // the store is a PostgreSQL database
	Sites      []Site
	Officers   []Officer
}

// Center is a further centre on the same store and broker.
type Center struct {
	Config  string // configuration file
	Web     string // address of the boards
	Metrics string
}

// Site is one site of the stand.
type Site struct {
	Site          wim.SiteID
	Region        center.Region
	Edge          string // configuration file
	Scenario      string
	Truth         string
	Registrations string
	Journal       string
	Listen        string // address of the edge's metrics and health
	Control       string // address of the simulator's control port
	Board         string // address of the site's page for its staff, where Staff signs in
	Staff         Officer
}

// Officer is a sign-in of the stand.
type Officer struct {
	Login      string
	Name       string
	Password   string
	Role       center.Role
	Competence wim.Competence
	Region     center.Region
}

// Create lays out a stand in an empty folder.
func Create(ctx context.Context, c Config) (*Stand, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("folder of the stand: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the stand: %w", err)
	}
	s := &Stand{Dir: dir, Center: filepath.Join(dir, "center.yaml"), Store: filepath.Join(dir, "center", "center.db")}
	b := builder{ctx: ctx, dir: dir}
	s.Web = c.Web
	if s.Web == "" || !free(ctx, s.Web) {
		s.Web = b.port()
	}
	s.Metrics = b.port()
	if err := b.broker(s, c.Broker); err != nil {
		return nil, err
	}
	if c.Postgres != "" {
		s.Store, s.Postgres = c.Postgres, true
		b.secret("store.url", c.Postgres)
	}
	b.key("center.pem")
	for _, o := range []Officer{
		{Login: "road", Name: "路政 Li", Role: center.Enforcer, Competence: wim.RoadAdministration},
		{Login: "police", Name: "交警 Wang", Role: center.Enforcer, Competence: wim.TrafficPolice},
		{Login: "admin", Name: "管理 Sun", Role: center.Administrator},
		{Login: "audit", Name: "审计 Zhao", Role: center.Auditor},
	} {
		b.signIn(&o, o.Login+".hash")
		s.Officers = append(s.Officers, o)
	}
	for _, sc := range c.Sites {
		broker := "tcp://" + s.Broker
		if c.BrokerFor != nil {
			broker = c.BrokerFor(sc.Site, broker)
		}
		s.Sites = append(s.Sites, b.site(sc, broker, s.Web))
	}
	first := centerFile{Stand: s, Instance: "first", Data: "center", Listen: Center{Config: s.Center, Web: s.Web, Metrics: s.Metrics}}
	if c.Second {
		if !s.Postgres || !s.External {
			return nil, errors.New("stand: two centres share a PostgreSQL database and a broker beside them")
		}
		s.Second = Center{Config: filepath.Join(dir, "second.yaml"), Web: b.port(), Metrics: b.port()}
		b.write("second.yaml", centerTemplate, centerFile{Stand: s, Instance: "second", Data: "second", Listen: s.Second})
	}
	b.write("center.yaml", centerTemplate, first)
	if b.err != nil {
		return nil, b.err
	}
	return s, nil
}

// brokerUser is the name that the centre and all sites give to an external broker that was named without one.
const brokerUser = "axlegate"

// broker takes a port for the embedded broker, or lays out how the external one is reached.
func (b *builder) broker(s *Stand, external string) error {
	if external == "" {
		s.Broker, b.user = b.port(), ""
		return b.err
	}
	u, err := url.Parse(external)
	if err != nil || u.Host == "" || u.Scheme != "tcp" && u.Scheme != "mqtt" {
		return fmt.Errorf("broker %q: want tcp://host:port, with name:password@ before the host where it asks for them", external)
	}
	s.Broker, s.External = u.Host, true
	b.user, b.password = brokerUser, rand.Text()
	if u.User != nil {
		b.user = u.User.Username()
		b.password, _ = u.User.Password()
	}
	s.BrokerUser = b.user
	b.secret("broker.password", b.password)
	return b.err
}

// builder stops at the first error.
type builder struct {
	ctx context.Context
	dir string
	err error

	user, password string // at an external broker
}

func (b *builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *builder) key(name string) {
	k, err := seal.GenerateSigner()
	if err == nil {
		err = k.WriteFiles(filepath.Join(b.dir, name))
	}
	if err != nil {
		b.fail(err)
	}
}

func (b *builder) secret(name, text string) {
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text+"\n"), 0o600); err != nil {
		b.fail(err)
	}
}

// signIn gives an officer a password, and writes its hash.
func (b *builder) signIn(o *Officer, file string) {
	o.Password = o.Login + "-" + rand.Text()[:8]
	hash, err := signin.HashPassword(o.Password)
	if err != nil {
		b.fail(err)
		return
	}
	b.secret(file, hash)
}

// port finds a free port.
func (b *builder) port() string {
	addr, err := freeport.Address(b.ctx)
	if err != nil {
		b.fail(err)
	}
	return addr
}

func (b *builder) write(name, text string, data any) {
	t, err := template.New(name).Parse(text)
	if err != nil {
		b.fail(fmt.Errorf("template of %s: %w", name, err))
		return
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		b.fail(fmt.Errorf("write %s: %w", name, err))
		return
	}
	if err := os.WriteFile(filepath.Join(b.dir, name), out.Bytes(), 0o644); err != nil {
		b.fail(err)
	}
}

// free tells whether an address can be listened on now.
func free(ctx context.Context, addr string) bool {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	return l.Close() == nil
}
