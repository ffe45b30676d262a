package record

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/axlegate/axlegate/drivers/scaletest"
	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/wim"
)

// controller is a controller at the other end of a TCP connection. It speaks a page of its own for this test, keeps what is not
// acknowledged and sends it again.
type controller struct {
	t    testing.TB
	addr string

	mu      sync.Mutex
	l       net.Listener
	conn    net.Conn
	axles   []wim.Axle
	waiting []line // not acknowledged
	seq     uint32
	records int
}

type line struct {
	id   string
	text string
}

// contractPage has codes for the flags that the contract's vehicles bear.
const contractPage = `
kind: whole-vehicle
name: contract
format: json
stream: {frame: line, ack: "{id}\n"}
id: [id]
gross: {at: gross, unit: kg}
speed: {at: speed, unit: 0.1km/h}
length: {at: length, unit: mm}
axle_count: count
codes: [{at: code, codes: {"0": [], "1": [tailgating]}}]
axles:
  list: axles
  load: {at: load, unit: kg}
  left: {at: left, unit: kg}
  right: {at: right, unit: kg}
  speed: {at: speed, unit: 0.1km/h}
  spacing: {at: spacing, unit: mm, to: previous}
  codes: [{at: code, codes: {"0": [], "1": [off-scale, reverse]}}]
`

func newController(t testing.TB) *controller {
	addr, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &controller{t: t, addr: addr}
	c.Plug()
	t.Cleanup(c.Pull)
	return c
}

// Plug listens, at the same address as before.
func (c *controller) Plug() {
	l, err := new(net.ListenConfig).Listen(c.t.Context(), "tcp", c.addr)
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	c.l = l
	c.mu.Unlock()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			if c.conn != nil {
				c.conn.Close() //nolint:errcheck // the other end has gone
			}
			c.conn = conn
			for _, w := range c.waiting {
				fmt.Fprintln(conn, w.text) //nolint:errcheck // sent again with the next connection
			}
			c.mu.Unlock()
			go c.hear(conn)
		}
	}()
}

func (c *controller) hear(conn net.Conn) {
	in := bufio.NewScanner(conn)
	for in.Scan() {
		id := in.Text()
		c.mu.Lock()
		c.waiting = slices.DeleteFunc(c.waiting, func(w line) bool { return w.id == id })
		c.mu.Unlock()
	}
}

func (c *controller) Pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.l != nil {
		c.l.Close() //nolint:errcheck // a pulled cable
	}
	c.drop()
}

func (c *controller) drop() {
	if c.conn != nil {
		c.conn.Close() //nolint:errcheck // a pulled cable
		c.conn = nil
	}
}

func (c *controller) Restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop()
}

func (c *controller) Disturb() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		fmt.Fprint(c.conn, "{\"id\": \x00\xff\n\n]]\n") //nolint:errcheck // garbage
	}
}

// Note numbers a message as the driver will: one boot, one after the other.
func (c *controller) Note(r wim.Reading) wim.Reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	r.Boot, r.Seq = 1, c.seq
	if r.Kind == wim.AxleReading {
		c.axles = append(c.axles, r.Axle)
		return r
	}
	c.records++
	id := strconv.Itoa(c.records)
	code := func(f wim.Flag) int { return map[bool]int{true: 1}[f != 0] }
	var axles []map[string]any
	for _, x := range c.axles {
		a := map[string]any{"load": x.Load, "speed": x.Speed, "code": code(x.Flags)}
		if x.Left != wim.NotMeasured {
			a["left"], a["right"] = x.Left, x.Right
		}
		if x.Spacing > 0 {
			a["spacing"] = x.Spacing
		}
		axles = append(axles, a)
	}
	c.axles = nil
	text, err := json.Marshal(map[string]any{"id": id, "gross": r.Gross, "speed": r.Speed, "length": r.Length, "count": r.AxleCount, "code": code(r.Flags), "axles": axles})
	if err != nil {
		c.t.Fatal(err)
	}
	c.waiting = append(c.waiting, line{id, string(text)})
	if c.conn != nil {
		fmt.Fprintln(c.conn, string(text)) //nolint:errcheck // sent again with the next connection
	}
	return r
}

// driven is the driver over a ledger that commits at once; what the controller said word for word is another test's matter.
type driven struct {
	*Scale

	ledger *ledger
}

func (d driven) Run(ctx context.Context, emit func(wim.Reading)) error {
	return d.Scale.Run(ctx, func(r wim.Reading) {
		d.ledger.emit(r)
		r.Controller = nil
		emit(r)
	})
}

func TestTheRecordScaleKeepsTheContract(t *testing.T) {
	page, err := LoadPage("contract.yaml", []byte(contractPage))
	if err != nil {
		t.Fatal(err)
	}
	scaletest.Run(t, func(t testing.TB) scaletest.Rig {
		c, l := newController(t), newLedger()
		s, err := New(Config{Device: "wim-1", Page: page, Address: c.addr, After: l.After, Known: l.Known})
		if err != nil {
			t.Fatal(err)
		}
		return scaletest.Rig{Scale: driven{s, l}, Device: c, Keeps: 1000}
	})
}
