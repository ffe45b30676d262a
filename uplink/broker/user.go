package broker

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/axlegate/axlegate/uplink"
)

// IntakePrefix begins the client id of a centre's intake; the slot's number follows.
const IntakePrefix = "intake-"

// ClientIDSeparator stands between the site and the rest of a site's client id. No site name has it, so that
// no site can take another's session over.
const ClientIDSeparator = ":"

// User is somebody who may connect.
type User struct {
	// Name and Password are what CONNECT must bring.
	Name, Password string
	// Site limits the user to this site's topics and client ids. Empty is the centre's own intake.
	Site string
}

// Validate tells whether the user may be configured.
func (u User) Validate() error {
	switch {
	case u.Name == "":
		return errors.New("a user without a name")
	case u.Password == "":
		return fmt.Errorf("user %s has no password; give each site its own", u.Name)
	}
	for _, r := range u.Site {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return fmt.Errorf("user %s: site %q cannot stand in a topic; use letters, digits, '-' and '_'", u.Name, u.Site)
		}
	}
	return nil
}

// NewPassword draws a password that nobody can guess.
func NewPassword() string { return rand.Text() }

// permissions are the topics of a user as subjects of the server. What MQTT needs inside the server
// ($MQTT.sub.>) is allowed to every MQTT client implicitly, and an MQTT client cannot name those subjects.
func (u User) permissions() *server.Permissions {
	subject := func(topic string) string {
		return strings.NewReplacer("/", ".", "+", "*").Replace(topic)
	}
	if u.Site != "" {
		return &server.Permissions{
			Publish: &server.SubjectPermission{Allow: []string{
				subject(uplink.Topic(u.Site, uplink.Segments)), subject(uplink.Topic(u.Site, uplink.Status)), subject(uplink.Topic(u.Site, uplink.Asks)),
			}},
			Subscribe: &server.SubjectPermission{Allow: []string{
				subject(uplink.Topic(u.Site, uplink.Receipts)), subject(uplink.Topic(u.Site, uplink.Down)), subject(uplink.Topic(u.Site, uplink.Answers)),
			}},
		}
	}
	p := &server.Permissions{Publish: &server.SubjectPermission{}, Subscribe: &server.SubjectPermission{}}
	for slot := range uplink.Slots {
		for _, c := range []uplink.Channel{uplink.Receipts, uplink.Down, uplink.Answers} {
			p.Publish.Allow = append(p.Publish.Allow, subject(uplink.SlotFilter(slot, c)))
		}
		for _, c := range []uplink.Channel{uplink.Segments, uplink.Status, uplink.Asks} {
			p.Subscribe.Allow = append(p.Subscribe.Allow, subject(uplink.SlotFilter(slot, c)))
		}
	}
	return p
}

// owns tells whether the user may connect by this client id. A client id is the key of a stored session:
// whoever connects by it takes the session over and may clear it.
func (u User) owns(clientID string) bool {
	if u.Site != "" {
		return strings.HasPrefix(clientID, u.Site+ClientIDSeparator)
	}
	n, ok := strings.CutPrefix(clientID, IntakePrefix)
	if !ok {
		return false
	}
	slot, err := strconv.Atoi(n)
	return err == nil && slot >= 0 && slot < uplink.Slots
}

// account is a user as the door keeps it.
type account struct {
	user     User
	password [sha256.Size]byte
}

func accounts(users []User) (map[string]account, error) {
	m := make(map[string]account, len(users))
	for _, u := range users {
		if err := u.Validate(); err != nil {
			return nil, err
		}
		if _, twice := m[u.Name]; twice {
			return nil, fmt.Errorf("user %s is configured twice", u.Name)
		}
		m[u.Name] = account{user: u, password: sha256.Sum256([]byte(u.Password))}
	}
	return m, nil
}

// door decides who comes in. It implements server.Authentication for one run of the server.
type door struct {
	broker *Broker
	srv    *server.Server
}

// Check is called in the connection's own goroutine.
func (d *door) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	a, known := d.broker.accounts[o.Username]
	given := sha256.Sum256([]byte(o.Password))
	if subtle.ConstantTimeCompare(given[:], a.password[:]) != 1 || !known {
		d.broker.refuse(c, o.Username, "unknown user or wrong password")
		return false
	}
	if a.user.Site != "" && d.broker.full.Load() {
		d.broker.refuse(c, o.Username, "the store is over its limit until the intake has caught up")
		return false
	}
	id, err := d.clientID(c)
	if err != nil {
		d.broker.refuse(c, o.Username, err.Error())
		return false
	}
	if !a.user.owns(id) {
		d.broker.refuse(c, o.Username, fmt.Sprintf("client id %q is not this user's", id))
		return false
	}
	c.RegisterUser(&server.User{Username: a.user.Name, Permissions: a.user.permissions()})
	return true
}

// clientID asks the server's own connection list, because the hook is not given the client id.
func (d *door) clientID(c server.ClientAuthentication) (string, error) {
	z, err := d.srv.Connz(&server.ConnzOptions{CID: c.GetID()})
	if err != nil {
		return "", fmt.Errorf("look up the client id: %w", err)
	}
	if len(z.Conns) != 1 || z.Conns[0].MQTTClient == "" {
		return "", errors.New("not an MQTT connection")
	}
	return z.Conns[0].MQTTClient, nil
}
