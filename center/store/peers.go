package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// The channels on which centres on one PostgreSQL database tell each other that something was written. They
// carry nothing: the tables are the truth, and a hint may be lost.
const (
	eventsWritten = "axlegate_events"
	recordsStored = "axlegate_records"
	keysChanged   = "axlegate_keys"
)

const (
	// lookEvery is how often a centre looks by itself whether others have written: what a lost hint costs.
	lookEvery = 2 * time.Second
	// announceEvery bounds how often a centre sends hints.
	announceEvery = 20 * time.Millisecond
	// reconnectAfter is the first pause after the listening connection was lost; it doubles up to lookEvery.
	reconnectAfter = 100 * time.Millisecond
)

// peers is what ties a centre to the others on its database: a connection of its own, which listens to them
// and holds the lock by which each knows that it is not alone.
type peers struct {
	s      *Store
	cfg    *pgx.ConnConfig
	cancel context.CancelFunc
	done   sync.WaitGroup
	say    chan string

	// seen are the counters at the last look.
	seen struct{ events, records int64 }
}

// join makes this process one of the centres on the database. When it is the first, a new epoch begins.
func (s *Store) join(ctx context.Context, cfg *pgx.ConnConfig) error {
	p := &peers{s: s, cfg: cfg, say: make(chan string, 64)}
	c, err := p.connect(ctx)
	if err != nil {
		return wrap("join the centres on it", err)
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.cancel = cancel
	s.peers = p
	p.done.Go(func() { p.listen(run, c) })
	p.done.Go(func() { p.announce(run) })
	return nil
}

// close leaves: the lock is given back before the connection ends, so that who comes next knows.
func (p *peers) close() {
	p.cancel()
	p.done.Wait()
}

// connect opens the listening connection and takes its place among the centres.
func (p *peers) connect(ctx context.Context) (*pgx.Conn, error) {
	c, err := pgx.ConnectConfig(ctx, p.cfg)
	if err != nil {
		return nil, err
	}
	if err := p.enter(ctx, c); err != nil {
		p.leave(ctx, c)
		return nil, err
	}
	return c, nil
}

func (p *peers) enter(ctx context.Context, c *pgx.Conn) error {
	// Who holds the lock alone is the first, and nobody gets in until it has begun the epoch.
	var alone bool
	if err := c.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(lockPeers)).Scan(&alone); err != nil {
		return err
	}
	if alone {
		if err := p.s.transact(ctx, "begin a new epoch", func(t *tx) error {
			if _, err := t.exec(ctx, writeMark); err != nil {
				return err
			}
			return p.s.raiseEpoch(ctx, t)
		}); err != nil {
			return err
		}
	}
	if _, err := c.Exec(ctx, `SELECT pg_advisory_lock_shared($1)`, int64(lockPeers)); err != nil {
		return err
	}
	if alone {
		if _, err := c.Exec(ctx, `SELECT pg_advisory_unlock($1)`, int64(lockPeers)); err != nil {
			return err
		}
	} else if err := p.s.transact(ctx, "read the epoch", func(t *tx) error {
		epoch, err := p.s.epochIn(ctx, t)
		p.s.epoch.Store(epoch)
		return err
	}); err != nil {
		return err
	}
	for _, channel := range []string{eventsWritten, recordsStored, keysChanged} {
		if _, err := c.Exec(ctx, `LISTEN `+channel); err != nil {
			return err
		}
	}
	return nil
}

func (p *peers) leave(ctx context.Context, c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if _, err := c.Exec(ctx, `SELECT pg_advisory_unlock_all()`); err != nil {
		p.s.log.Debug("store: the lock of this centre goes with its connection", "error", err)
	}
	if err := c.Close(ctx); err != nil {
		p.s.log.Debug("store: close the listening connection", "error", err)
	}
}

// listen passes on the hints of others until ctx ends, over one connection after another.
func (p *peers) listen(ctx context.Context, c *pgx.Conn) {
	pause := reconnectAfter
	lastMonths := time.Now()
	for {
		if c != nil {
			err := p.wait(ctx, c)
			if err == nil {
				err = ping(ctx, c)
			}
			if err != nil && ctx.Err() == nil {
				p.s.log.Warn("store: the connection that listens to other centres was lost; it is made again", "place", p.s.place, "error", err)
				p.leave(ctx, c)
				c = nil
			}
		}
		if ctx.Err() != nil {
			if c != nil {
				p.leave(ctx, c)
			}
			return
		}
		if c == nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, lookEvery)
			var err error
			if c, err = p.connect(ctx); err != nil {
				p.s.log.Debug("store: cannot listen to other centres yet", "error", err)
				continue
			}
			pause = reconnectAfter
		}
		// Also after a new connection: what was said in between was not heard.
		p.look(ctx)
		if time.Since(lastMonths) > monthsEvery {
			lastMonths = time.Now()
			if err := p.s.makeMonths(ctx); err != nil {
				p.s.log.Error("store: the next month has no partition yet", "error", err)
			}
		}
	}
}

// ping finds out that the other end is no longer there, of which a connection that only listens hears nothing.
func ping(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 2*lookEvery)
	defer cancel()
	return c.Ping(ctx)
}

// wait gives hints as they come, until it is time to look.
func (p *peers) wait(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	for {
		n, err := c.WaitForNotification(ctx)
		switch {
		case err == nil:
			p.give(n.Channel)
		case ctx.Err() != nil && !c.IsClosed():
			return nil
		default:
			return fmt.Errorf("listen: %w", err)
		}
	}
}

func (p *peers) give(channel string) {
	switch channel {
	case eventsWritten:
		p.s.changed.give()
	case keysChanged:
		p.s.keys.give()
	default:
		p.s.stored.give()
	}
}

// look gives hints when the counters have moved.
func (p *peers) look(ctx context.Context) {
	var events, records int64
	err := p.s.look(ctx, "look for what others wrote", func(t *tx) error {
		return t.row(ctx, `SELECT (SELECT value FROM counter WHERE name = 'event'), (SELECT value FROM counter WHERE name = 'intake')`).Scan(&events, &records)
	})
	if err != nil {
		p.s.log.Debug("store: cannot look for what other centres wrote", "error", err)
		return
	}
	if events != p.seen.events {
		p.s.changed.give()
	}
	if records != p.seen.records {
		p.s.stored.give()
	}
	p.seen.events, p.seen.records = events, records
}

// announce tells the other centres, once for what was written within a short while, so that writers neither
// wait for it nor queue behind each other's hints.
func (p *peers) announce(ctx context.Context) {
	for {
		pending := map[string]bool{}
		select {
		case <-ctx.Done():
			return
		case ch := <-p.say:
			pending[ch] = true
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(announceEvery):
		}
		for more := true; more; {
			select {
			case ch := <-p.say:
				pending[ch] = true
			default:
				more = false
			}
		}
		for ch := range pending {
			if _, err := p.s.read.ExecContext(ctx, `SELECT pg_notify($1, '')`, ch); err != nil {
				p.s.log.Debug("store: a hint was not sent; other centres will look by themselves", "error", err)
			}
		}
	}
}

// announce tells other centres on the database that something was written.
func (s *Store) announce(channel string) {
	if s.peers == nil {
		return
	}
	select {
	case s.peers.say <- channel:
	default: // enough is waiting to be said
	}
}

// gaveEvents hints at new events, here and at the other centres.
func (s *Store) gaveEvents() {
	s.changed.give()
	s.announce(eventsWritten)
}
