package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// proveLog tells damage in the write-ahead log from what a power cut leaves at its end. SQLite cannot: it takes
// the log to end at the first frame that does not fit, and everything committed behind would be lost without a
// word. But every commit is synced before the next begins, so that a frame of a later transaction behind one that
// does not fit shows that it once did.
//
// A damaged frame of the last transaction but one, whose end it is, looks like the cut and is not told.
func proveLog(path string) error {
	f, err := os.Open(path + "-wal")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("log of the journal: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("log of the journal: %w", err)
	}
	if st.Size() <= logHeader {
		return nil
	}
	r := bufio.NewReaderSize(f, 1<<20)
	var head [logHeader]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return fmt.Errorf("log of the journal: %w", err)
	}
	order := binary.ByteOrder(binary.BigEndian)
	magic := binary.BigEndian.Uint32(head[:])
	if magic&1 == 0 {
		order = binary.LittleEndian
	}
	sum := checksum{order: order}
	sum.add(head[:24])
	size := int64(binary.BigEndian.Uint32(head[8:]))
	if magic|1 != 0x377f0683 || !sum.is(head[24:]) || size < 512 || size > 65536 {
		// The head is synced before the first frame follows it.
		return fmt.Errorf("%w: the head of its log does not fit; %s", ErrDamaged, setAside)
	}
	frame := make([]byte, frameHeader+size)
	bad, ended := int64(0), false
	for at := int64(1); ; at++ {
		if _, err := io.ReadFull(r, frame); err != nil {
			return nil // a part of a frame is nothing
		}
		if string(frame[8:16]) != string(head[16:24]) {
			if bad == 0 {
				bad = at
			}
			sum.set(frame[16:]) // an old frame, from before the log began anew, or the head of a damaged one
			continue
		}
		fits := sum
		fits.add(frame[:8])
		fits.add(frame[frameHeader:])
		ok := fits.is(frame[16:])
		sum.set(frame[16:24])
		switch {
		case !ok:
			if bad == 0 {
				bad = at
			}
		case bad == 0:
		case ended:
			return fmt.Errorf("%w: frame %d of its log does not fit, and frame %d of a later transaction does; %s", ErrDamaged, bad, at, setAside)
		default:
			ended = binary.BigEndian.Uint32(frame[4:]) != 0
		}
	}
}

// checksum is that of https://sqlite.org/fileformat2.html#checksum_algorithm.
type checksum struct {
	order binary.ByteOrder
	a, b  uint32
}

func (c *checksum) add(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		c.a += c.order.Uint32(b) + c.b
		c.b += c.order.Uint32(b[4:]) + c.a
	}
}

func (c *checksum) is(b []byte) bool {
	return c.a == binary.BigEndian.Uint32(b) && c.b == binary.BigEndian.Uint32(b[4:])
}

// set goes on from the checksum that a frame claims.
func (c *checksum) set(b []byte) {
	c.a, c.b = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
}
