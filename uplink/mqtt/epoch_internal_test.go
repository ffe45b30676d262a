package mqtt

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// doneToken is complete without an error, as the library completes tokens after a connection too.
type doneToken struct{}

func (doneToken) Wait() bool                     { return true }
func (doneToken) WaitTimeout(time.Duration) bool { return true }
func (doneToken) Error() error                   { return nil }
func (doneToken) Done() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func TestATokenThatIsCompletedAfterTheConnectionIsNoAcknowledgement(t *testing.T) {
	e := &epoch{lost: make(chan struct{})}
	if err := e.settled(doneToken{}); err != nil {
		t.Fatalf("while connected: %v", err)
	}
	e.end(net.ErrClosed)
	for range 100 { // whichever of the two is looked at first
		if err := e.settled(doneToken{}); !errors.Is(err, ErrLost) || !errors.Is(err, net.ErrClosed) {
			t.Fatalf("after the connection: %v", err)
		}
	}
}

func TestTheEndOfAConnectionIsSeenBeforeTheLibrarySeesIt(t *testing.T) {
	for name, act := range map[string]func(l *line, far net.Conn) error{
		"the far end closes": func(l *line, far net.Conn) error {
			if err := far.Close(); err != nil {
				return err
			}
			_, err := l.Read(make([]byte, 1))
			return err
		},
		"a write fails": func(l *line, far net.Conn) error {
			if err := far.Close(); err != nil {
				return err
			}
			_, err := l.Write([]byte{0xc0, 0})
			return err
		},
		"the library closes": func(l *line, _ net.Conn) error {
			if err := l.Close(); err != nil {
				return err
			}
			_, err := l.Conn.Read(make([]byte, 1))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := net.Pipe()
			defer far.Close() //nolint:errcheck // closed twice at most
			e := &epoch{lost: make(chan struct{}), written: make(chan struct{}, 1), conn: near}
			if err := act(&line{Conn: near, epoch: e}, far); err == nil {
				t.Fatal("no error")
			}
			select {
			case <-e.lost:
			default:
				t.Fatal("the epoch goes on")
			}
		})
	}
}

// The pace of send rests on it: one call of Write per packet, and the type in its first byte.
func TestTheLibraryWritesAPublishInOnePiece(t *testing.T) {
	p, ok := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	if !ok {
		t.Fatal("no PUBLISH")
	}
	p.Qos, p.MessageID, p.TopicName, p.Payload = 1, 7, "axlegate/v1/14/north-1/segments", bytes.Repeat([]byte("x"), 100<<10)
	var w pieces
	if err := p.Write(&w); err != nil {
		t.Fatal(err)
	}
	if len(w) != 1 || w[0][0]>>4 != packets.Publish {
		t.Fatalf("%d pieces", len(w))
	}
}

type pieces [][]byte

func (p *pieces) Write(b []byte) (int, error) {
	*p = append(*p, bytes.Clone(b))
	return len(b), nil
}

func TestALargePacketIsWrittenWholeAndThenTold(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close() //nolint:errcheck // nothing more comes
	e := &epoch{lost: make(chan struct{}), written: make(chan struct{}, 1), conn: near}
	packet := append([]byte{packets.Publish << 4}, bytes.Repeat([]byte("x"), 3*chunk)...)
	got := make(chan []byte, 1)
	go func() {
		var all []byte
		b := make([]byte, 1000)
		for len(all) < len(packet) {
			n, err := far.Read(b)
			if err != nil {
				break
			}
			all = append(all, b[:n]...)
		}
		got <- all
	}()
	if n, err := (&line{Conn: near, epoch: e}).Write(packet); n != len(packet) || err != nil {
		t.Fatalf("wrote %d of %d: %v", n, len(packet), err)
	}
	if all := <-got; !bytes.Equal(all, packet) {
		t.Fatalf("%d bytes arrived, or others", len(all))
	}
	<-e.written
}
