package capture

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// Hear notes what a device sends until its line ends, which io.EOF does without an error. tell is called with the bytes so far after
// each piece.
func Hear(w *Writer, conn int, device io.Reader, tell func(bytes int64)) error {
	return pass(w, conn, Device, device, io.Discard, tell)
}

// Relay passes bytes between a device and its host until either end is closed, and closes both. Bytes are noted before they are passed
// on, so that no answer stands before its question.
func Relay(w *Writer, conn int, device, host io.ReadWriteCloser, tell func(bytes int64)) error {
	var both sync.WaitGroup
	var first, second error
	done := func() { device.Close(); host.Close() } //nolint:errcheck // either may be closed already
	both.Go(func() { defer done(); first = pass(w, conn, Device, device, host, tell) })
	both.Go(func() { defer done(); second = pass(w, conn, Host, host, device, tell) })
	both.Wait()
	return errors.Join(first, second)
}

// pass ends without an error where its two ends merely went away.
func pass(w *Writer, conn int, from From, in io.Reader, out io.Writer, tell func(int64)) error {
	buf := make([]byte, maxBytes)
	for {
		n, err := in.Read(buf)
		if n > 0 {
			w.Bytes(conn, from, buf[:n])
			total, werr := w.State()
			if werr != nil {
				return werr // what is passed on and not noted would be missing
			}
			tell(total)
			if _, err := out.Write(buf[:n]); err != nil {
				w.Event(conn, Close, fmt.Sprintf("the other end of the %s: %v", from, err))
				return nil
			}
		}
		if err != nil {
			why := "the " + string(from) + " hung up"
			if !errors.Is(err, io.EOF) {
				why = fmt.Sprintf("the %s's line: %v", from, err)
			}
			w.Event(conn, Close, why)
			return nil
		}
	}
}
