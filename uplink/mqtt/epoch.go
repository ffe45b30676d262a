package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/axlegate/axlegate/uplink"
)

const (
	protocol311    = 4
	keepAlive      = 15 * time.Second
	pingTimeout    = 8 * time.Second
	connectTimeout = 15 * time.Second
	writeTimeout   = 8 * time.Second
	answerTimeout  = 15 * time.Second // for SUBACK, and the PUBACK of a status
	farewell       = 3 * time.Second  // for the PUBACK of the last status
	quiesce        = 2 * time.Second  // for a DISCONNECT to leave
)

// Errors that a caller decides on.
var (
	// ErrLost says that there was no connection, or that it ended before the broker's acknowledgement came.
	// The broker may have the message all the same.
	ErrLost = errors.New("connection to the broker lost")
	// ErrTooLarge says that a payload is larger than uplink.MaxMessage and can never be sent.
	ErrTooLarge = errors.New("message too large")

	errStopped  = errors.New("stopped")
	errOverflow = errors.New("the broker sends more unacknowledged messages than are taken")
)

// session is what an epoch is opened with.
type session struct {
	address            address
	clientID           string
	username, password string
	clean              bool
	manualAck          bool
	willTopic          string
	will               []byte
	handle             func(*epoch, paho.Message) // in the library's own goroutine: must return at once
}

// epoch is one connection. It ends once and does not come back.
type epoch struct {
	client paho.Client
	lost   chan struct{} // closed when the network connection ended, before the library hears of it
	out    chan *parcel
	window chan struct{} // one token per message on the way
	// written gets a token for each PUBLISH that is wholly in the kernel.
	written chan struct{}
	work    sync.WaitGroup
	began   time.Time

	// fruitful tells that something was achieved, so that coming back need not be slowed.
	fruitful atomic.Bool

	mu   sync.Mutex
	conn net.Conn // guarded by mu
	why  error    // guarded by mu; set before lost is closed
}

// parcel is one message on its way to the library.
type parcel struct {
	topic    string
	payload  []byte
	retained bool
	done     chan error // buffered: nobody may wait any more
}

// open connects. The caller owns the epoch and must close it.
func open(ctx context.Context, s session) (*epoch, error) {
	e := &epoch{
		lost: make(chan struct{}), out: make(chan *parcel), window: make(chan struct{}, uplink.Window),
		written: make(chan struct{}, 1), began: time.Now(),
	}
	o := paho.NewClientOptions().
		AddBroker("tcp://" + s.address.host). // the scheme is not looked at: dial does the opening
		SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return e.dial(ctx, s.address) }).
		SetClientID(s.clientID).SetUsername(s.username).SetPassword(s.password).
		SetProtocolVersion(protocol311).SetCleanSession(s.clean).
		SetAutoReconnect(false).SetConnectRetry(false).
		SetOrderMatters(true).SetAutoAckDisabled(s.manualAck).
		SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).SetConnectTimeout(connectTimeout).SetWriteTimeout(writeTimeout).
		SetStore(paho.NewMemoryStore()).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { s.handle(e, m) }). // before CONNECT: a stored session delivers at once
		SetConnectionLostHandler(func(_ paho.Client, err error) { e.end(err) })
	if s.willTopic != "" {
		o.SetBinaryWill(s.willTopic, s.will, 1, true)
	}
	e.client = paho.NewClient(o)
	stop := context.AfterFunc(ctx, func() { e.end(ctx.Err()) })
	token := e.client.Connect()
	<-token.Done() // bounded by connectTimeout, and by ctx through the connection
	if !stop() || token.Error() != nil {
		e.close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, refusal(s, token.Error())
	}
	e.work.Go(e.send)
	return e, nil
}

// refusal names what an operator can do.
func refusal(s session, err error) error {
	if errors.Is(err, packets.ErrorRefusedNotAuthorised) || errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword) {
		return fmt.Errorf("the broker at %s refuses user %q as %q; check the user name and password file here and at the centre: %w",
			s.address.host, s.username, s.clientID, err)
	}
	return fmt.Errorf("connect to the broker at %s: %w", s.address.host, err)
}

func (e *epoch) dial(ctx context.Context, a address) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	d := &net.Dialer{KeepAlive: keepAlive}
	var conn net.Conn
	var err error
	if a.tls != nil {
		conn, err = (&tls.Dialer{NetDialer: d, Config: a.tls}).DialContext(ctx, "tcp", a.host)
	} else {
		conn, err = d.DialContext(ctx, "tcp", a.host)
	}
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.why != nil { // stopped meanwhile
		_ = conn.Close() // nothing was sent
		return nil, e.why
	}
	e.conn = conn
	return &line{Conn: conn, epoch: e}, nil
}

// end marks the epoch as lost and closes its connection. It never blocks; the first reason stays.
func (e *epoch) end(why error) {
	if why == nil {
		why = ErrLost
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.why != nil {
		return
	}
	e.why = why
	close(e.lost)
	if e.conn != nil {
		_ = e.conn.Close() // it is given up
	}
}

// reason is why the epoch ended, nil while it has not.
func (e *epoch) reason() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.why
}

// close ends the epoch with a DISCONNECT where the connection still stands, and waits for what it started.
func (e *epoch) close() {
	e.client.Disconnect(uint(quiesce.Milliseconds()))
	e.end(errStopped)
	e.work.Wait()
}

// send gives messages to the library one after another, so that they keep their order, and each only when the
// one before is written: a Publish that the library has not taken when a connection ends hangs until its own
// timeout.
func (e *epoch) send() {
	for {
		select {
		case <-e.lost:
			return
		case p := <-e.out:
			t := e.client.Publish(p.topic, 1, p.retained, p.payload)
			e.work.Go(func() {
				p.done <- e.settled(t)
				<-e.window
			})
			if !e.left(t) {
				return
			}
		}
	}
}

// left waits until a message is written; false when the epoch ended.
func (e *epoch) left(t paho.Token) bool {
	select {
	case <-e.written:
		return true
	case <-e.lost:
		return false
	case <-t.Done():
		if err := t.Error(); err != nil { // not taken; whether it is written yet is unknown
			e.end(err)
			return false
		}
	}
	select { // acknowledged already, so the token is about to come
	case <-e.written:
		return true
	case <-e.lost:
		return false
	}
}

// settled waits for the acknowledgement or the end of the epoch. The library completes tokens when it cleans up
// after a connection; it does so after it closed the connection, which closes lost first. So a token that is
// complete while the epoch is not lost was completed by the broker.
func (e *epoch) settled(t paho.Token) error {
	select {
	case <-t.Done():
	case <-e.lost:
	}
	select {
	case <-e.lost:
		return fmt.Errorf("%w: %w", ErrLost, e.reason())
	default:
	}
	if err := t.Error(); err != nil {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return nil
}

// publish sends one message with QoS 1 and waits for its acknowledgement in this epoch.
func (e *epoch) publish(ctx context.Context, topic string, payload []byte, retained bool) error {
	if len(payload) > uplink.MaxMessage {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(payload), uplink.MaxMessage)
	}
	lost := func() error { return fmt.Errorf("%w: %w", ErrLost, e.reason()) }
	select {
	case e.window <- struct{}{}:
	case <-e.lost:
		return lost()
	case <-ctx.Done():
		return fmt.Errorf("wait for room in the window: %w", ctx.Err())
	}
	p := &parcel{topic: topic, payload: payload, retained: retained, done: make(chan error, 1)}
	select {
	case e.out <- p: // from here on send gives the window's token back
	case <-e.lost:
		<-e.window
		return lost()
	case <-ctx.Done():
		<-e.window
		return fmt.Errorf("wait to send: %w", ctx.Err())
	}
	select {
	case err := <-p.done:
		return err
	case <-e.lost:
		return lost()
	case <-ctx.Done():
		return fmt.Errorf("wait for the broker's acknowledgement: %w", ctx.Err())
	}
}

// subscribe asks for each filter with its QoS and waits until the broker granted all.
func (e *epoch) subscribe(ctx context.Context, want map[string]byte) error {
	t := e.client.SubscribeMultiple(want, nil)
	late := time.NewTimer(answerTimeout)
	defer late.Stop()
	select {
	case <-t.Done():
	case <-e.lost:
		return fmt.Errorf("subscribe: %w", e.reason())
	case <-ctx.Done():
		return fmt.Errorf("subscribe: %w", ctx.Err())
	case <-late.C:
		return errors.New("subscribe: the broker does not answer")
	}
	if err := t.Error(); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	granted, ok := t.(*paho.SubscribeToken)
	if !ok {
		return errors.New("subscribe: no answer to read")
	}
	result := granted.Result()
	for f, asked := range want {
		if qos, ok := result[f]; !ok || qos != asked {
			return fmt.Errorf("subscribe: the broker does not let this user read %s with QoS %d (answer %d); give it the right to", f, asked, qos)
		}
	}
	return nil
}

// slow tells the backoff whether the epoch was worth coming back quickly for.
func (e *epoch) slow(b *backoff) {
	if e.fruitful.Load() || time.Since(e.began) >= b.most {
		b.reset()
	}
}

// line is the network connection as the library sees it. It tells the epoch of the end before the library can
// act on it, and bounds every write by its progress: the library bounds only some, and by the whole packet, which
// a slow link cannot keep for a large one.
type line struct {
	net.Conn
	epoch *epoch
}

// chunk is what must get through within writeTimeout.
const chunk = 16 << 10

func (l *line) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if err != nil {
		l.epoch.end(err)
	}
	return n, err
}

// Write is given one whole packet at a time.
func (l *line) Write(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if err := l.Conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			l.epoch.end(err)
			return n, err
		}
		m, err := l.Conn.Write(p[n:min(n+chunk, len(p))])
		n += m
		if err != nil {
			l.epoch.end(err)
			return n, err
		}
	}
	if len(p) > 0 && p[0]>>4 == packets.Publish {
		select {
		case l.epoch.written <- struct{}{}:
		case <-l.epoch.lost:
		}
	}
	return n, nil
}

func (l *line) Close() error {
	l.epoch.end(ErrLost)
	return nil // end closed it
}
