package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/axlegate/axlegate/uplink"
)

// TopicConfig says which topic of whose broker RunTopic reads: one of another system, with messages of its own, and nothing of this
// protocol.
type TopicConfig struct {
	// Broker is tls://host:port, or on this machine tcp://127.0.0.1:port.
	Broker string
	Topic  string // a filter, with QoS 1
	// ClientID names the session in which the broker keeps what comes while nobody reads: it must stay the same, and be nobody else's.
	ClientID           string
	Username, Password string
	TLS                *tls.Config // nil trusts the system's authorities
	// Take takes one message at a time. It answers false for one that cannot be taken now: it is handed over again, and no other before
	// it.
	Take func(ctx context.Context, message []byte) bool
	Up   func()      // the topic is subscribed
	Down func(error) // there is no connection
	// Logger takes what an operator should know; nil discards it.
	Logger *slog.Logger
	// RetryMin and RetryMax bound the waits between connections; zero is 2 s and 15 s. Between tries of one message there is RetryMin.
	RetryMin, RetryMax time.Duration
}

// Validate tells whether a topic could be read so.
func (c *TopicConfig) Validate() error {
	if _, err := parseAddress(c.Broker, c.TLS); err != nil {
		return err
	}
	for name, v := range map[string]string{"topic": c.Topic, "client id": c.ClientID} {
		if v == "" || len(v) > 200 || strings.ContainsAny(v, " \t\r\n\x00") {
			return fmt.Errorf("a topic of another system: %s %q, want up to 200 characters without spaces", name, v)
		}
	}
	return nil
}

// topicAhead is how many messages wait for their taker. Brokers hand out some twenty at once.
const topicAhead = 256

// RunTopic hands messages to Take until ctx ends. A message is acknowledged when it was taken. A configuration that can never work is an
// error at once.
func RunTopic(ctx context.Context, c TopicConfig) error {
	if err := c.Validate(); err != nil {
		return err
	}
	address, err := parseAddress(c.Broker, c.TLS)
	if err != nil {
		return err
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	pause := newBackoff(c.RetryMin, c.RetryMax)
	for {
		messages := make(chan paho.Message, topicAhead)
		e, err := open(ctx, session{
			address: address, clientID: c.ClientID, username: c.Username, password: c.Password, manualAck: true,
			handle: func(e *epoch, m paho.Message) {
				select {
				case messages <- m:
				default:
					e.end(errOverflow) // what was not acknowledged comes again
				}
			},
		})
		if err == nil {
			err = c.read(ctx, e, messages)
			e.slow(pause)
			e.close()
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // a connection that ends because the site is stopped is not lost
		}
		c.Down(err)
		if !wait(ctx, pause.next()) {
			return nil
		}
	}
}

// read hands on what one connection brings.
func (c *TopicConfig) read(ctx context.Context, e *epoch, messages <-chan paho.Message) error {
	// Each time, because a broker that lost its store has no session of ours any more.
	if err := e.subscribe(ctx, map[string]byte{c.Topic: 1}); err != nil {
		return err
	}
	c.Up()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-e.lost:
			return e.reason()
		case m := <-messages:
			if len(m.Payload()) > uplink.MaxMessage {
				c.Logger.Warn("a message of another system is too large and is passed over", "topic", m.Topic(), "bytes", len(m.Payload()))
			} else if err := c.insist(ctx, e, m.Payload()); err != nil {
				return err
			}
			e.fruitful.Store(true)
			m.Ack()
		}
	}
}

// insist hands one message over until it is taken.
func (c *TopicConfig) insist(ctx context.Context, e *epoch, message []byte) error {
	pause := c.RetryMin
	if pause <= 0 {
		pause = 2 * time.Second
	}
	again := time.NewTicker(pause)
	defer again.Stop()
	for {
		if c.Take(ctx, message) {
			return nil
		}
		select {
		case <-again.C:
		case <-e.lost:
			return errors.Join(errors.New("lost while a message could not be taken"), e.reason())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
