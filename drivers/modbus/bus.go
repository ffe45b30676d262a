package modbus

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/goburrow/modbus"
)

// share is what part of a bus's time the slaves that fail may have together: one of so many.
const share = 8

// Bus is one serial line, or one gateway on Modbus TCP, with several slaves. They take turns in the order in which
// they ask. A silent one costs the others its time limit now and then, never more than an eighth of the time.
type Bus struct {
	cfg    Config
	slaves atomic.Int32

	// turn holds the one token; who has it owns what follows. It is a channel and no mutex, so that waiting for
	// a slow slave ends with the caller's context.
	turn    chan struct{}
	handler transport
	client  modbus.Client
	given   time.Duration // what the handler was given for the step
	open    bool
	failing int       // slaves whose last request got no answer
	resting time.Time // no failing slave is tried before
}

// NewBus prepares a bus; the first request of one of its slaves connects. The configuration's Unit is not used.
func NewBus(cfg Config) (*Bus, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	var h transport = newTCP(&cfg)
	if cfg.Line != "" {
		h = newRTU(&cfg)
	}
	b := &Bus{cfg: cfg, turn: make(chan struct{}, 1), handler: h, client: modbus.NewClient(h)}
	b.turn <- struct{}{}
	return b, nil
}

// Slave is the slave of that unit number, from 1 to 247. On Modbus TCP there are 0 and 255 too, which some
// instruments want; on a serial line 0 is for all slaves and none answers. Each call makes a client of its own, with
// its own pauses and counts.
func (b *Bus) Slave(unit uint8) *Client {
	b.slaves.Add(1)
	return &Client{bus: b, unit: unit}
}

// Close ends the connection, after the request that is on its way. A later request opens a new one.
func (b *Bus) Close() error {
	<-b.turn
	defer func() { b.turn <- struct{}{} }()
	return b.close()
}

func (b *Bus) close() error {
	b.open = false
	return b.handler.Close()
}

// limit gives the next step what the caller has left, at most the configured time. The library knows no
// context; its timeout is all that can be set.
func (b *Bus) limit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.given = b.cfg.Timeout
	end, ok := ctx.Deadline()
	if ok {
		left := time.Until(end)
		if left <= 0 {
			return context.DeadlineExceeded
		}
		b.given = min(left, b.cfg.Timeout)
	}
	b.handler.limit(b.given, end)
	return nil
}

// rest is how long no failing slave may be tried.
func (b *Bus) rest(now time.Time) time.Duration { return b.resting.Sub(now) }

// spent books the time that a failing slave has cost and tells how long that slave itself has to wait: when others
// fail too, until each of them could have been tried.
func (b *Bus) spent(now time.Time, cost time.Duration) time.Duration {
	if b.slaves.Load() < 2 {
		return 0
	}
	pause := (share - 1) * cost
	b.resting = now.Add(pause)
	return time.Duration(b.failing) * (pause + cost)
}
