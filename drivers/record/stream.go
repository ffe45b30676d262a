package record

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/axlegate/axlegate/wim"
)

const (
	maxMessage = 64 << 10 // of one message on a stream
	dialTime   = 5 * time.Second
	redialMin  = 100 * time.Millisecond
	redialMax  = 5 * time.Second
)

// runStream connects again and again until ctx ends.
func (s *Scale) runStream(ctx context.Context, emit func(wim.Reading)) {
	pause := redialMin
	for ctx.Err() == nil {
		heard, lost := s.connect(ctx, emit)
		if ctx.Err() != nil {
			break // a connection that ends because the driver is stopped is no failure
		}
		s.fall(lost, emit)
		if heard {
			pause = redialMin
		}
		rest(ctx, pause)
		pause = min(2*pause, redialMax)
	}
}

// connect is one connection. heard tells whether a message came.
func (s *Scale) connect(ctx context.Context, emit func(wim.Reading)) (heard bool, err error) {
	d := net.Dialer{Timeout: dialTime}
	conn, err := d.DialContext(ctx, "tcp", s.cfg.Address)
	if err != nil {
		return false, fmt.Errorf("the controller cannot be reached: %w", err)
	}
	// Nothing is lost with an error of Close: what was written was an acknowledgement, without which the record comes again.
	defer conn.Close()                                      //nolint:errcheck // see above
	defer context.AfterFunc(ctx, func() { conn.Close() })() //nolint:errcheck // see above
	s.rise(emit)
	in := bufio.NewReaderSize(conn, maxMessage)
	for {
		if t := s.cfg.Page.Stream.Silence.Std(); t > 0 {
			if err := conn.SetReadDeadline(time.Now().Add(t)); err != nil {
				return heard, err
			}
		}
		message, err := s.frame(in)
		if err != nil {
			return heard, fmt.Errorf("the controller's connection ended: %w", err)
		}
		if len(bytes.TrimSpace(message)) == 0 {
			continue
		}
		heard = true
		if err := s.hear(ctx, conn, message, emit); err != nil {
			return heard, err
		}
	}
}

// hear takes the records of one message and acknowledges them.
func (s *Scale) hear(ctx context.Context, conn io.Writer, message []byte, emit func(wim.Reading)) error {
	var fatal error
	err := s.cfg.Page.Decode(message, func(r Record, refused *Refusal) error {
		err := s.take(ctx, &r, refused, emit)
		id := r.Controller.ID
		var bad *Refusal
		switch {
		case errors.As(err, &bad):
			id = bad.ID
		case errors.Is(err, errElsewhere):
			return nil // who reads that lane acknowledges it
		case err != nil:
			fatal = err
			return err
		}
		if ack := s.cfg.Page.Stream.Ack; ack != "" && id != "" {
			if _, err := io.WriteString(conn, strings.ReplaceAll(ack, "{id}", id)); err != nil {
				fatal = fmt.Errorf("the controller does not take the acknowledgement: %w", err)
				return fatal
			}
		}
		return nil
	})
	if err != nil && fatal == nil {
		s.bad("a message cannot be read and is not acknowledged", err)
	}
	return fatal
}

// frame reads the next message. A line that is too long is passed over and counted.
func (s *Scale) frame(in *bufio.Reader) ([]byte, error) {
	if s.cfg.Page.Stream.Frame == frameLength {
		head, err := in.Peek(4)
		if err != nil {
			return nil, err
		}
		n := binary.BigEndian.Uint32(head)
		if n > maxMessage-4 {
			return nil, fmt.Errorf("a message of %d bytes is announced; at most %d are read", n, maxMessage-4)
		}
		whole, err := in.Peek(int(n) + 4)
		if err != nil {
			return nil, err
		}
		message := bytes.Clone(whole[4:])
		_, err = in.Discard(len(whole))
		return message, err
	}
	long := false
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = true
		case err != nil:
			return nil, err // what stands there without an end is not whole
		case long:
			s.bad("a line is passed over", fmt.Errorf("it is longer than %d bytes", maxMessage))
			return nil, nil
		default:
			return line, nil
		}
	}
}
