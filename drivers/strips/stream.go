package strips

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// Bounds of one block.
const (
	maxContent = 1 << 20
	maxHeader  = 16 << 10
	maxStrips  = 64
	frontBytes = 16 // before the content
	afterBytes = 4  // behind it

	samplesFront = 16 // of the content, before the samples
)

// The kinds of blocks.
const (
	headerBlock  = 'H'
	samplesBlock = 'S'
	endBlock     = 'E'
)

// Header says what a stream's samples are of.
type Header struct {
	Boot   uint32    `json:"boot"`
	Rate   float64   `json:"rate_hz"`
	Begin  time.Time `json:"begin"`
	Strips []Place   `json:"strips"`
}

// Place is where a strip lies.
type Place struct {
	Position wim.Mm `json:"position_mm"`
	Side     Side   `json:"side"`
}

// Side says which wheels run over a strip.
type Side string

// The sides.
const (
	LeftSide  Side = "left"
	RightSide Side = "right"
	BothSides Side = "both"
)

func (h *Header) valid() error {
	switch {
	case h.Boot == 0:
		return errors.New("a header without boot")
	case !(h.Rate >= 200 && h.Rate <= 1e6):
		return fmt.Errorf("a header with %g samples a second", h.Rate)
	case len(h.Strips) == 0 || len(h.Strips) > maxStrips:
		return fmt.Errorf("a header with %d strips", len(h.Strips))
	}
	for _, s := range h.Strips {
		if s.Side != LeftSide && s.Side != RightSide && s.Side != BothSides {
			return fmt.Errorf("a header with a strip on the side %q", string(s.Side))
		}
	}
	return nil
}

// Block is what Next gives. Either Header is set, or Samples are, or it is the end.
type Block struct {
	Header *Header
	// First is the number of the first sample. Samples are planar, one slice a strip, and good until the next call.
	First       int64
	Temperature wim.DeciKelvin
	Samples     [][]int16
	End         bool
	// Lost says that blocks are missing before this one: they did not come, or not whole.
	Lost bool
}

// Reader takes blocks from a stream. One goroutine owns it; samples cost no allocation.
type Reader struct {
	r       io.Reader
	buf     []byte // what was read and not given yet is buf[from:to]
	from    int
	to      int
	next    uint32 // number that the next block should have
	known   bool   // next is set
	strips  int    // of the last header, 0 before one
	samples [][]int16
	store   []int16
	cut     bool // the stream ended within what looked like a block, and no whole one came behind

	// Skipped counts bytes that belonged to no whole block, Blocks the blocks that were given.
	Skipped, Blocks uint64
}

// NewReader reads from r, which gives bytes as they come.
func NewReader(r io.Reader) *Reader { return &Reader{r: r, buf: make([]byte, 64<<10)} }

func magic() []byte { return []byte("AXS1") }

// fill sees to it that n bytes are there.
func (s *Reader) fill(n int) error {
	for s.to-s.from < n {
		if s.from > 0 && s.from+n > len(s.buf) {
			s.to = copy(s.buf, s.buf[s.from:s.to])
			s.from = 0
		}
		if n > len(s.buf) {
			s.buf = append(s.buf, make([]byte, n-len(s.buf))...)
		}
		m, err := s.r.Read(s.buf[s.to:])
		s.to += m
		if m == 0 && err != nil {
			if errors.Is(err, io.EOF) && s.to > s.from {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// Next gives the next whole block, passing over what is none. The error is that of the stream: io.EOF at an end between blocks, and
// io.ErrUnexpectedEOF at one within.
func (s *Reader) Next() (b Block, err error) {
	for {
		if err := s.fill(frontBytes); err != nil {
			return Block{}, s.ended(err)
		}
		head := s.buf[s.from:]
		n := binary.LittleEndian.Uint32(head[12:])
		if !bytes.Equal(head[:4], magic()) || head[5]|head[6]|head[7] != 0 || n > maxContent {
			s.skip()
			continue
		}
		whole := frontBytes + int(n) + afterBytes
		plausible, err := s.plausible(head[4], int(n))
		if err == nil && plausible {
			err = s.fill(whole)
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			return Block{}, err
		}
		if err != nil || !plausible { // it may be a length that is wrong, with whole blocks behind it
			s.cut = s.cut || err != nil
			s.skip()
			continue
		}
		block := s.buf[s.from : s.from+whole]
		sum := crc32.Checksum(block[:whole-afterBytes], crc32.MakeTable(crc32.Castagnoli))
		if sum != binary.LittleEndian.Uint32(block[whole-afterBytes:]) || s.decode(block[4], block[frontBytes:whole-afterBytes], &b) != nil {
			s.skip()
			continue
		}
		number := binary.LittleEndian.Uint32(block[8:])
		b.Lost = s.known && number != s.next
		s.next, s.known = number+1, true
		s.from += whole
		s.cut = false
		if b.Header == nil && !b.End && s.strips == 0 {
			continue // of what comes before a header nobody knows what it is
		}
		s.Blocks++
		return b, nil
	}
}

// plausible tells whether a block of a kind can be so long, before it is waited for: a length that is wrong would keep a mebibyte of
// whole blocks back.
func (s *Reader) plausible(kind byte, n int) (bool, error) {
	switch kind {
	case headerBlock:
		return n <= maxHeader, nil
	case endBlock:
		return n == 0, nil
	case samplesBlock:
		if n < samplesFront {
			return false, nil
		}
		if err := s.fill(frontBytes + samplesFront); err != nil {
			return false, err
		}
		content := s.buf[s.from+frontBytes:]
		return uint64(n-samplesFront) == 2*uint64(content[10])*uint64(binary.LittleEndian.Uint32(content[12:])), nil //nolint:gosec // not below 0
	}
	return false, nil
}

// ended gives the error of a stream that has no further block: io.ErrUnexpectedEOF where bytes of one were there.
func (s *Reader) ended(err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	s.Skipped += uint64(s.to - s.from) //nolint:gosec // never below 0
	s.cut = s.cut || s.to > s.from
	s.from = s.to
	if s.cut {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// skip passes over bytes up to the next that may begin a block.
func (s *Reader) skip() {
	at := bytes.Index(s.buf[s.from+1:s.to], magic()[:1])
	n := at + 1
	if at < 0 {
		n = s.to - s.from
	}
	s.from += n
	s.Skipped += uint64(n) //nolint:gosec // never below 0
}

func (s *Reader) decode(kind byte, content []byte, b *Block) error {
	b.Header, b.Samples, b.End = nil, nil, false
	switch kind {
	case headerBlock:
		if len(content) > maxHeader {
			return errors.New("a header that is too long")
		}
		h := &Header{}
		if err := json.Unmarshal(content, h); err != nil {
			return err
		}
		if err := h.valid(); err != nil {
			return err
		}
		s.strips = len(h.Strips)
		b.Header = h
		return nil
	case samplesBlock:
		return s.take(content, b)
	case endBlock:
		if len(content) != 0 {
			return errors.New("an end with a content")
		}
		b.End = true
		return nil
	}
	return errors.New("a kind of block that is not known")
}

// take gives the samples of a block.
func (s *Reader) take(content []byte, b *Block) error {
	if len(content) < samplesFront || content[11] != 0 {
		return errors.New("samples without what they are of")
	}
	first := binary.LittleEndian.Uint64(content)
	strips, n := int(content[10]), int(binary.LittleEndian.Uint32(content[12:]))
	if first > 1<<62 || strips == 0 || s.strips != 0 && strips != s.strips || n > maxContent || len(content)-samplesFront != 2*strips*n {
		return errors.New("samples that do not add up")
	}
	b.First = int64(first) //nolint:gosec // bounded just here
	b.Temperature = wim.DeciKelvin(binary.LittleEndian.Uint16(content[8:]))
	if cap(s.store) < strips*n {
		s.store = make([]int16, strips*n)
	}
	s.store = s.store[:strips*n]
	for i := range s.store {
		s.store[i] = int16(binary.LittleEndian.Uint16(content[samplesFront+2*i:])) //nolint:gosec // two's complement, as it is sent
	}
	s.samples = s.samples[:0]
	for i := range strips {
		s.samples = append(s.samples, s.store[i*n:(i+1)*n])
	}
	b.Samples = s.samples
	return nil
}
