// Package broker is the MQTT broker inside the centre: a nats-server in this process with JetStream and its
// MQTT listener, and nothing else listening.
//
// It promises that a site can publish only its own segments and status, read only its own receipts and
// connect only by its own client ids; that it never listens beyond this machine without TLS; and that its
// folder opens again after the process was killed. It does not promise that an acknowledged message survives a
// power cut: the server syncs to disk now and then, and what has no receipt is sent again by the site.
//
// Two habits of the server matter to whoever uses it. A publish that permissions refuse is dropped and
// still acknowledged. A message for which no stored session has a subscription is acknowledged and not kept, so
// the intake must have subscribed once before the first site connects.
package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/axlegate/axlegate/uplink"
)

const (
	// serverName is fixed, because the server derives names of what it stores from it.
	serverName = "axlegate-center"
	// packetRoom is what topic and headers of a message may add to its payload.
	packetRoom = 4 << 10
	// startLimit bounds the recovery of the store at start.
	startLimit = 2 * time.Minute
	// watchEvery is how often the store is looked at.
	watchEvery = time.Second
	restartMin = time.Second
	restartMax = 30 * time.Second
)

// Config is what a Broker needs.
type Config struct {
	// Listen is host:port of the MQTT listener, as "127.0.0.1:1883"; port 0 takes a free one. A host beyond
	// loopback needs TLS.
	Listen string
	// StoreDir is the folder of messages and sessions; it is made where missing. One process at a time.
	StoreDir string
	// Users are all who may connect.
	Users []User
	// TLS is the server's certificate; nil speaks in clear and is allowed on loopback only.
	TLS *tls.Config
	// Logger takes the server's lines; nil discards them.
	Logger *slog.Logger

	// AckWait is after how long the server sends an unacknowledged message again to a connected intake;
	// zero is 10 s.
	AckWait time.Duration
	// MaxAckPending is how many unacknowledged messages the server has on the way to one subscription; zero
	// is 64. It bounds the intake's memory at that number times uplink.MaxMessage per slot.
	MaxAckPending uint16
	// StoreLimit is at how many stored bytes sites are sent away until the intake has caught up; zero is 1 GiB.
	// The intake may always connect: a store that is full for it too could never be emptied.
	StoreLimit int64
}

// Validate tells whether a broker could be started so.
func (c Config) Validate() error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("broker: listen %q is not host:port: %w", c.Listen, err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("broker: listen %q: port %q is not a number up to 65535 (%d)", c.Listen, port, n)
	}
	if c.TLS == nil && !loopback(host) {
		return fmt.Errorf("broker: refusing to listen on %s without TLS: sites' passwords would cross the network in clear; "+
			"give a certificate and its key, or listen on 127.0.0.1", c.Listen)
	}
	if c.StoreDir == "" {
		return errors.New("broker: no folder for its store; name one")
	}
	if c.AckWait < 0 || c.StoreLimit < 0 {
		return errors.New("broker: a wait or limit below zero")
	}
	if _, err := accounts(c.Users); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// Stats are counters since the broker was made, for metrics.
type Stats struct {
	Refused  uint64 // connections turned away
	Restarts uint64 // starts of the server after its store had failed
	Stored   int64  // bytes in the store when last looked at
	Full     bool   // sites are kept out because the store is over its limit
}

// Broker is an MQTT broker in this process. Make it with New, then Run it once.
type Broker struct {
	cfg      Config
	log      *slog.Logger
	accounts map[string]account
	host     string

	started atomic.Bool
	ready   chan struct{} // closed when the listener first was open
	failed  chan struct{} // closed when Run ended
	full    atomic.Bool

	refused, restarts atomic.Uint64
	stored            atomic.Int64

	mu   sync.Mutex
	port int   // guarded by mu; the port once known
	err  error // guarded by mu; why Run ended
}

// New checks the configuration. It opens nothing yet.
func New(cfg Config) (*Broker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.AckWait == 0 {
		cfg.AckWait = 10 * time.Second
	}
	if cfg.MaxAckPending == 0 {
		cfg.MaxAckPending = 64
	}
	if cfg.StoreLimit == 0 {
		cfg.StoreLimit = 1 << 30
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	known, err := accounts(cfg.Users)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil, err
	}
	b := &Broker{
		cfg: cfg, log: cfg.Logger.With("part", "broker"), accounts: known, host: host,
		ready: make(chan struct{}), failed: make(chan struct{}),
	}
	if b.port, err = strconv.Atoi(port); err != nil {
		return nil, err
	}
	return b, nil
}

// Ready is closed when the broker first takes connections.
func (b *Broker) Ready() <-chan struct{} { return b.ready }

// WaitReady waits until the broker takes connections. It returns early when ctx ends, or when Run ended before.
func (b *Broker) WaitReady(ctx context.Context) error {
	select {
	case <-b.ready:
		return nil
	case <-b.failed:
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.err != nil {
			return b.err
		}
		return errors.New("broker: stopped before it was ready")
	case <-ctx.Done():
		return fmt.Errorf("wait for the broker: %w", ctx.Err())
	}
}

// Addr is host:port of the listener. With port 0 configured the port is known once Ready is closed, and then
// stays for the broker's life.
func (b *Broker) Addr() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return net.JoinHostPort(b.host, strconv.Itoa(b.port))
}

// URL is the address as a client on this machine takes it: tcp:// or, with TLS, tls://.
func (b *Broker) URL() string {
	b.mu.Lock()
	host, port := b.host, strconv.Itoa(b.port)
	b.mu.Unlock()
	switch a, err := netip.ParseAddr(host); {
	case host == "" || err == nil && a == netip.IPv4Unspecified():
		host = "127.0.0.1"
	case err == nil && a == netip.IPv6Unspecified():
		host = "::1"
	}
	if b.cfg.TLS != nil {
		return "tls://" + net.JoinHostPort(host, port)
	}
	return "tcp://" + net.JoinHostPort(host, port)
}

// Stats returns the counters.
func (b *Broker) Stats() Stats {
	return Stats{Refused: b.refused.Load(), Restarts: b.restarts.Load(), Stored: b.stored.Load(), Full: b.full.Load()}
}

// Run serves until ctx ends, then stops the server in order and returns nil. When the server gives up its
// store while running, as it does on a full disk, it is started again at growing intervals. A broker that
// cannot start the first time is an error.
func (b *Broker) Run(ctx context.Context) (err error) {
	if b.started.Swap(true) {
		return errors.New("broker: run twice")
	}
	defer func() {
		b.mu.Lock()
		b.err = err
		b.mu.Unlock()
		close(b.failed)
	}()
	if err := os.MkdirAll(b.cfg.StoreDir, 0o700); err != nil {
		return fmt.Errorf("broker: folder of the store: %w", err)
	}
	return b.keep(ctx, b.serve)
}

// keep serves again and again, once it has been ready.
func (b *Broker) keep(ctx context.Context, serve func(context.Context) error) error {
	pause := restartMin
	for {
		began := time.Now()
		err := serve(ctx)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // a server that ends because it is stopped has not failed
		case !b.wasReady():
			return err
		}
		if time.Since(began) > restartMax {
			pause = restartMin
		}
		b.log.Error("the broker stopped and is started again; look at the disk's free space", "err", err, "in", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, restartMax)
		b.restarts.Add(1)
	}
}

func (b *Broker) wasReady() bool {
	select {
	case <-b.ready:
		return true
	default:
		return false
	}
}

// serve runs one server from start to shutdown.
func (b *Broker) serve(ctx context.Context) error {
	d := &door{broker: b}
	opts := b.options(d)
	srv, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	d.srv = srv
	lines := &journal{log: b.log}
	srv.SetLoggerV2(lines, false, false, false)
	defer func() {
		lines.stopping.Store(true)
		srv.Shutdown()
		srv.WaitForShutdown()
	}()
	srv.Start() // returns, because no client listener is asked for
	if why := lines.fatal.Load(); why != nil {
		return fmt.Errorf("broker: %s", *why)
	}
	if !srv.ReadyForConnections(startLimit) {
		return fmt.Errorf("broker: not ready after %s", startLimit)
	}
	b.mu.Lock()
	b.port = opts.MQTT.Port
	b.mu.Unlock()
	if !b.wasReady() {
		close(b.ready)
	}
	b.log.Info("broker listens", "address", b.URL(), "users", len(b.accounts), "store", b.cfg.StoreDir)
	return b.watch(ctx, srv)
}

func (b *Broker) options(d *door) *server.Options {
	b.mu.Lock()
	defer b.mu.Unlock()
	port := b.port
	if port == 0 {
		port = server.RANDOM_PORT
	}
	o := &server.Options{
		ServerName: serverName,
		DontListen: true, // no listener for the server's own protocol
		NoSigs:     true, // signals belong to the process
		MaxPayload: uplink.MaxMessage + packetRoom,
		JetStream:  true,
		StoreDir:   b.cfg.StoreDir,
		// The server's default sync interval stays: nothing rests on the broker's disk.
		CustomClientAuthentication: d,
	}
	// Each site's subscriptions are consumers of one stream. The server's own limit, a thousand, would turn sites away.
	o.JetStreamLimits.DefaultMaxConsumers = -1
	o.MQTT.Host, o.MQTT.Port = b.host, port
	o.MQTT.AckWait, o.MQTT.MaxAckPending = b.cfg.AckWait, b.cfg.MaxAckPending
	o.MQTT.AuthTimeout = 10 // seconds, from accept to CONNECT
	if b.cfg.TLS != nil {
		o.MQTT.TLSConfig = b.cfg.TLS.Clone()
		o.MQTT.TLSTimeout = 10
	}
	return o
}

// watch ends with ctx, or when the server has given up its store.
func (b *Broker) watch(ctx context.Context, srv *server.Server) error {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if !srv.JetStreamEnabled() {
			return errors.New("broker: the server disabled its store after a write error")
		}
		z, err := srv.Jsz(nil)
		if err != nil {
			return fmt.Errorf("broker: state of the store: %w", err)
		}
		b.weigh(srv, int64(min(z.Store, 1<<62)))
	}
}

// weigh closes the door to sites while too much waits for the intake, and opens it when a tenth is free again.
func (b *Broker) weigh(srv *server.Server, stored int64) {
	b.stored.Store(stored)
	switch {
	case b.full.Load():
		if stored <= b.cfg.StoreLimit/10*9 {
			b.full.Store(false)
			b.log.Info("the intake has caught up; sites may connect again", "stored", stored)
		}
	case stored > b.cfg.StoreLimit:
		b.full.Store(true)
		b.log.Error("too much waits for the intake; sites are sent away until it has caught up", "stored", stored, "limit", b.cfg.StoreLimit)
	}
	if b.full.Load() {
		b.sendSitesAway(srv)
	}
}

func (b *Broker) sendSitesAway(srv *server.Server) {
	for offset := 0; ; {
		z, err := srv.Connz(&server.ConnzOptions{Username: true, Offset: offset})
		if err != nil || len(z.Conns) == 0 {
			return // the next look tries again
		}
		for _, c := range z.Conns {
			if a, ok := b.accounts[c.AuthorizedUser]; ok && a.user.Site != "" {
				_ = srv.DisconnectClientByID(c.Cid) // gone already is as good
			}
		}
		if offset += len(z.Conns); offset >= z.Total {
			return
		}
	}
}

func (b *Broker) refuse(c server.ClientAuthentication, user, why string) {
	b.refused.Add(1)
	b.log.Warn("connection refused", "user", user, "from", c.RemoteAddress(), "why", why)
}
