package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/uplink/broker"
)

// intakeUser is the intake's name at the embedded broker.
const intakeUser = "intake"

// messaging is the broker of a centre, its own or another process, and how the intake reaches it.
type messaging struct {
	own            *broker.Broker // nil for another process
	address        string         // of another process
	user, password string
	tls            *tls.Config
}

// openBroker reads what reaching the broker needs.
func (p *centerParts) openBroker() (err error) {
	cfg := &p.cfg
	if !cfg.Broker.External() {
		p.mqttTLS, err = serverTLS("broker.listen", cfg.Broker.Listen, cfg.path(cfg.Broker.CertFile), cfg.path(cfg.Broker.KeyFile))
		return err
	}
	if p.password, err = conf.Secret(cfg.path(cfg.Broker.PasswordFile)); err != nil {
		return err
	}
	p.mqttTLS, err = clientTLS(cfg.path(cfg.Broker.CA))
	return err
}

func (p *centerParts) broker(log *slog.Logger) (m *messaging, err error) {
	cfg := &p.cfg
	if cfg.Broker.External() {
		return &messaging{address: cfg.Broker.URL, user: cfg.Broker.Username, password: p.password, tls: p.mqttTLS}, nil
	}
	// The intake's own password never leaves this process, so it is drawn anew at each start.
	m = &messaging{user: intakeUser, password: broker.NewPassword(), tls: ownClient(p.mqttTLS)}
	users := append([]broker.User{{Name: m.user, Password: m.password}}, p.users...)
	m.own, err = broker.New(broker.Config{Listen: cfg.Broker.Listen, StoreDir: filepath.Join(cfg.path(cfg.Data), "broker"), Users: users, TLS: p.mqttTLS, Logger: log})
	return m, err
}

// run serves the embedded broker until ctx ends; another process serves itself.
func (m *messaging) run(ctx context.Context) error {
	if m.own == nil {
		<-ctx.Done()
		return nil
	}
	return m.own.Run(ctx)
}

// ready waits until the embedded broker takes connections.
func (m *messaging) ready(ctx context.Context) error {
	if m.own == nil {
		return nil
	}
	return m.own.WaitReady(ctx)
}

// url is the broker's address, known once it is ready.
func (m *messaging) url() string {
	if m.own == nil {
		return m.address
	}
	return m.own.URL()
}

// stats are the embedded broker's counters; ok is false for another process.
func (m *messaging) stats() (s broker.Stats, ok bool) {
	if m.own == nil {
		return broker.Stats{}, false
	}
	return m.own.Stats(), true
}

// ownClient is how the centre's own intake checks its own broker: by the same certificate.
func ownClient(server *tls.Config) *tls.Config {
	if server == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, VerifyConnection: func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 || len(server.Certificates) == 0 || string(s.PeerCertificates[0].Raw) != string(server.Certificates[0].Certificate[0]) {
			return errors.New("the broker shows another certificate than the one this centre gave it")
		}
		return nil
	}, InsecureSkipVerify: true} //nolint:gosec // pinned above: the certificate must be our own, whatever its name
}
