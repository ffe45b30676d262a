package linktest_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"github.com/axlegate/axlegate/uplink/linktest"
)

// echo listens and sends every line back.
func echo(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func start(t *testing.T, target string) *linktest.Proxy {
	t.Helper()
	p, err := linktest.Start(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// reaches tells whether a new connection carries; a broken link may already refuse it.
func reaches(t *testing.T, p *linktest.Proxy) bool {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.Addr())
	if err != nil {
		return false
	}
	defer c.Close() //nolint:errcheck // all was said
	return c.SetDeadline(time.Now().Add(10*time.Second)) == nil && answers(c)
}

func dial(t *testing.T, p *linktest.Proxy) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// answers tells whether a line comes back.
func answers(c net.Conn) bool {
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		return false
	}
	s, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && s == "hello\n"
}

func TestACutLinkBreaksConnectionsUntilItIsHealed(t *testing.T) {
	p := start(t, echo(t))
	c := dial(t, p)
	if !answers(c) {
		t.Fatal("a whole link carries nothing")
	}
	p.Cut()
	if answers(c) || reaches(t, p) {
		t.Fatal("a cut link carries")
	}
	p.Heal()
	if !reaches(t, p) {
		t.Fatal("a healed link carries nothing")
	}
	if n := p.Connections(); n != 2 {
		t.Fatalf("%d connections were let through, want 2", n)
	}
}

func TestADroppedConnectionMayComeBackAtOnce(t *testing.T) {
	p := start(t, echo(t))
	c := dial(t, p)
	if !answers(c) {
		t.Fatal("a whole link carries nothing")
	}
	p.Drop()
	if answers(c) {
		t.Fatal("a dropped connection carries")
	}
	if !reaches(t, p) {
		t.Fatal("a new connection carries nothing")
	}
}

func TestASwallowingLinkStaysOpenAndHealingBreaksWhatHasAHole(t *testing.T) {
	p := start(t, echo(t))
	c := dial(t, p)
	if !answers(c) {
		t.Fatal("a whole link carries nothing")
	}
	p.Swallow(linktest.Down)
	if err := c.SetDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if answers(c) {
		t.Fatal("a swallowing link carries")
	}
	p.Heal()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Fatal("a connection with a hole was resumed")
	}
	if !reaches(t, p) {
		t.Fatal("a healed link carries nothing")
	}
}

func TestALinkThatSwallowsOneWayCarriesTheOther(t *testing.T) {
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing more is accepted
	p := start(t, l.Addr().String())
	p.Swallow(linktest.Down)
	near := dial(t, p)
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close() //nolint:errcheck // all was said
	lines := bufio.NewReader(far)
	for range 3 {
		if _, err := io.WriteString(near, "up\n"); err != nil {
			t.Fatal(err)
		}
		if s, err := lines.ReadString('\n'); err != nil || s != "up\n" {
			t.Fatalf("up came %q, %v", s, err)
		}
		if _, err := io.WriteString(far, "down\n"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheTargetMayComeLater(t *testing.T) {
	p := start(t, "127.0.0.1:1")
	if reaches(t, p) {
		t.Fatal("nobody answered")
	}
	p.Retarget(echo(t))
	if !reaches(t, p) {
		t.Fatal("the new target is not reached")
	}
}

func TestTheLinkTellsWhenConnectionsCame(t *testing.T) {
	p := start(t, echo(t))
	if n, at := p.Busiest(time.Hour); n != 0 || !at.IsZero() {
		t.Fatalf("%d before there was any", n)
	}
	before := time.Now()
	for range 3 {
		if c := dial(t, p); !answers(c) {
			t.Fatal("no answer")
		}
	}
	came := p.Arrivals()
	if n, at := p.Busiest(time.Hour); len(came) != 3 || n != 3 || !at.Equal(came[0]) || came[0].Before(before) {
		t.Fatalf("%v: %d at %v", came, n, at)
	}
	if n, _ := p.Busiest(1); n != 1 {
		t.Fatalf("%d in a nanosecond", n)
	}
}
