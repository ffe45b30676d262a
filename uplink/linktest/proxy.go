// Package linktest puts a link between two programs of a test that can be cut, healed, slowed and made to
// swallow what passes. It is for tests only, and knows nothing of what it carries.
package linktest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// Direction is one way through a Proxy.
type Direction int

// The directions.
const (
	Up   Direction = iota // from the one who dials to the target
	Down                  // from the target back
)

// Proxy is a TCP link from a port of its own on loopback to a target. It begins whole.
type Proxy struct {
	listener net.Listener
	work     sync.WaitGroup

	mu      sync.Mutex
	target  string
	cut     bool
	closed  bool
	swallow [2]bool
	delay   time.Duration
	pairs   map[*pair]bool
	came    []time.Time
}

// pair is one connection through the proxy.
type pair struct {
	near, far net.Conn
	holed     [2]bool // by direction: bytes were swallowed, so what follows would make no sense; guarded by the proxy's mu
}

// Start opens a link to target, which need not be there yet.
func Start(target string) (*Proxy, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a test link: %w", err)
	}
	p := &Proxy{listener: l, target: target, pairs: map[*pair]bool{}}
	p.work.Go(p.accept)
	return p, nil
}

// Addr is host:port to dial instead of the target.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Retarget leads connections from now on elsewhere.
func (p *Proxy) Retarget(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// Connections is how many connections were ever let through.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.came)
}

// Arrivals tells when each of them was let through, oldest first.
func (p *Proxy) Arrivals() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.came)
}

// Busiest is how many connections were let through within any one span of so long, and when it began.
func (p *Proxy) Busiest(span time.Duration) (n int, began time.Time) {
	came := p.Arrivals()
	for i, first := 0, 0; i < len(came); i++ {
		for came[i].Sub(came[first]) >= span {
			first++
		}
		if i-first+1 > n {
			n, began = i-first+1, came[first]
		}
	}
	return n, began
}

// Cut breaks every connection at once, as by a reset, and every new one until Heal.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	p.breakAll(func(*pair) bool { return true })
}

// Drop breaks every present connection and lets new ones through.
func (p *Proxy) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.breakAll(func(*pair) bool { return true })
}

// Swallow takes what goes in a direction and passes nothing on. Connections stay open.
func (p *Proxy) Swallow(d Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.swallow[d] = true
}

// Delay holds each piece that passes for d, both ways.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Heal makes the link whole again. Connections that lost bytes are broken: nothing could resume them.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.swallow, p.delay = false, [2]bool{}, 0
	p.breakAll(func(c *pair) bool { return c.holed != [2]bool{} })
}

// Close breaks everything and waits for it.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.breakAll(func(*pair) bool { return true })
	p.mu.Unlock()
	err := p.listener.Close()
	p.work.Wait()
	return err
}

// breakAll is called with mu held.
func (p *Proxy) breakAll(which func(*pair) bool) {
	for c := range p.pairs {
		if which(c) {
			reset(c.near)
			reset(c.far)
			delete(p.pairs, c)
		}
	}
}

// reset closes without a farewell.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // a polite close is no worse for the test
	}
	_ = c.Close() // it is being broken
}

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		p.work.Go(func() { p.connect(near) })
	}
}

func (p *Proxy) connect(near net.Conn) {
	p.mu.Lock()
	target, refuse := p.target, p.cut || p.closed
	p.mu.Unlock()
	if refuse {
		reset(near)
		return
	}
	d := net.Dialer{Timeout: 5 * time.Second}
	far, err := d.DialContext(context.Background(), "tcp", target)
	if err != nil {
		reset(near)
		return
	}
	c := &pair{near: near, far: far}
	p.mu.Lock()
	if p.cut || p.closed {
		p.mu.Unlock()
		reset(near)
		reset(far)
		return
	}
	p.pairs[c] = true
	p.came = append(p.came, time.Now())
	p.mu.Unlock()
	p.work.Go(func() { p.carry(c, Down) })
	p.carry(c, Up)
}

// carry copies one direction until either end is gone, and then breaks the other.
func (p *Proxy) carry(c *pair, d Direction) {
	from, to := c.near, c.far
	if d == Down {
		from, to = c.far, c.near
	}
	defer func() {
		_ = from.Close() // one half without the other is of no use
		_ = to.Close()
		p.mu.Lock()
		delete(p.pairs, c)
		p.mu.Unlock()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !p.pass(c, d, to, buf[:n]) {
			return
		}
		if err != nil {
			return
		}
	}
}

func (p *Proxy) pass(c *pair, d Direction, to io.Writer, b []byte) bool {
	p.mu.Lock()
	swallow, delay := p.swallow[d] || c.holed[d], p.delay
	if swallow {
		c.holed[d] = true
	}
	p.mu.Unlock()
	if swallow {
		return true
	}
	if delay > 0 {
		time.Sleep(delay)
	}
	_, err := to.Write(b)
	return err == nil
}
