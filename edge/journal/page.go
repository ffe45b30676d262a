package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// pages reads the rows of a damaged database without trusting its trees: every page that looks like the leaf of a
// table is read for itself, in the file and in its log, those of deleted rows among them. What a row says is for
// its reader to check. The format is that of https://sqlite.org/fileformat2.html.
type pages struct {
	db, log *os.File // log may be nil
	size    int64    // of a page, bytes
	last    int64    // number of the last page
	newest  map[int64]int64
	loose   []int64 // where pages lie in the log, oldest first
}

const (
	pageSize      = 4096 // what the journal makes; another is believed only where the header says it
	leafOfTable   = 0x0d
	logHeader     = 32
	frameHeader   = 24
	maxRowColumns = 16
	maxRowBytes   = 8 << 20
)

// openPages opens a damaged journal for reading its pages.
func openPages(path string) (p *pages, err error) {
	p = &pages{size: pageSize, newest: map[int64]int64{}}
	if p.db, err = os.Open(path); err != nil {
		return nil, fmt.Errorf("read damaged journal: %w", err)
	}
	st, err := p.db.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read damaged journal: %w", err), p.close())
	}
	head := make([]byte, 18)
	if n, _ := p.db.ReadAt(head, 0); n == len(head) {
		if s := int64(binary.BigEndian.Uint16(head[16:])); s >= 512 && s&(s-1) == 0 {
			p.size = s
		}
	}
	p.last = (st.Size() + p.size - 1) / p.size
	if err := p.openLog(path + "-wal"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("read damaged journal: %w", err), p.close())
	}
	return p, nil
}

// openLog notes which pages lie where in the log, whether it would take them or not.
func (p *pages) openLog(path string) error {
	log, err := os.Open(path)
	if err != nil {
		return err
	}
	p.log = log
	st, err := log.Stat()
	if err != nil {
		return err
	}
	var frame [frameHeader]byte
	for at := int64(logHeader); at+frameHeader+p.size <= st.Size(); at += frameHeader + p.size {
		if n, _ := log.ReadAt(frame[:], at); n < frameHeader {
			continue // the disk does not give it up
		}
		p.loose = append(p.loose, at+frameHeader)
		if no := int64(binary.BigEndian.Uint32(frame[:])); no > 0 {
			p.newest[no] = at + frameHeader
		}
	}
	return nil
}

func (p *pages) close() error {
	err := p.db.Close()
	if p.log != nil {
		err = errors.Join(err, p.log.Close())
	}
	return err
}

// read gives a page as the file has it, or as its log does.
func (p *pages) read(no int64, fromLog bool) ([]byte, bool) {
	b := make([]byte, p.size)
	if at, ok := p.newest[no]; fromLog && ok {
		_, err := p.log.ReadAt(b, at)
		return b, err == nil
	}
	if no < 1 || no > p.last {
		return nil, false
	}
	n, err := p.db.ReadAt(b, (no-1)*p.size)
	return b, err == nil || errors.Is(err, io.EOF) && n > 0
}

// row is a table's row: nil, int64, string or []byte in each column; an integer primary key is nil there.
type tableRow struct {
	id      int64
	columns []any
}

// each calls f for every row that can be read, older states before newer ones.
func (p *pages) each(f func(tableRow)) {
	for no := int64(1); no <= p.last; no++ {
		if b, ok := p.read(no, false); ok {
			p.leaf(b, no, f)
		}
	}
	b := make([]byte, p.size)
	for _, at := range p.loose {
		if _, err := p.log.ReadAt(b, at); err == nil {
			p.leaf(b, 0, f)
		}
	}
}

// leaf reads the rows of one page. A cell that makes no sense is passed over; those beside it are read.
func (p *pages) leaf(b []byte, no int64, f func(tableRow)) {
	at := 0
	if no == 1 || string(b[:15]) == "SQLite format 3" {
		at = 100
	}
	if b[at] != leafOfTable {
		return
	}
	cells := int(binary.BigEndian.Uint16(b[at+3:]))
	for i := range cells {
		ptr := at + 8 + 2*i
		if ptr+2 > len(b) {
			return
		}
		if r, ok := p.cell(b, int(binary.BigEndian.Uint16(b[ptr:]))); ok {
			f(r)
		}
	}
}

func (p *pages) cell(b []byte, at int) (tableRow, bool) {
	if at >= len(b) {
		return tableRow{}, false
	}
	size, n := varint(b[at:])
	at += n
	if n == 0 || size <= 0 || size > maxRowBytes || at >= len(b) {
		return tableRow{}, false
	}
	id, n := varint(b[at:])
	at += n
	if n == 0 {
		return tableRow{}, false
	}
	local := size
	if usable := p.size; size > usable-35 { // the rest lies on pages of its own
		least := (usable-12)*32/255 - 23
		if local = least + (size-least)%(usable-4); local > usable-35 {
			local = least
		}
	}
	if int64(at)+local > int64(len(b)) {
		return tableRow{}, false
	}
	payload := append(make([]byte, 0, size), b[at:int64(at)+local]...)
	if local < size {
		if int64(at)+local+4 > int64(len(b)) {
			return tableRow{}, false
		}
		next := int64(binary.BigEndian.Uint32(b[int64(at)+local:]))
		// Which state of an overflow page belongs to this cell is not told: the newer one first, else the file's.
		for _, fromLog := range []bool{true, false} {
			if whole, ok := p.overflow(payload, next, size, fromLog); ok {
				if r, ok := columns(id, whole); ok && proven(r) {
					return r, true
				}
			}
		}
		return tableRow{}, false
	}
	return columns(id, payload)
}

func (p *pages) overflow(payload []byte, next, size int64, fromLog bool) ([]byte, bool) {
	whole := append(make([]byte, 0, size), payload...)
	for int64(len(whole)) < size {
		b, ok := p.read(next, fromLog)
		if !ok {
			return nil, false
		}
		next = int64(binary.BigEndian.Uint32(b))
		whole = append(whole, b[4:4+min(p.size-4, size-int64(len(whole)))]...)
	}
	return whole, true
}

// columns takes a row's payload apart.
func columns(id int64, b []byte) (tableRow, bool) {
	head, n := varint(b)
	if n == 0 || head < int64(n) || head > int64(len(b)) {
		return tableRow{}, false
	}
	types, body := b[n:head], b[head:]
	r := tableRow{id: id}
	for len(types) > 0 {
		t, n := varint(types)
		if n == 0 || len(r.columns) == maxRowColumns {
			return tableRow{}, false
		}
		types = types[n:]
		v, used, ok := value(t, body)
		if !ok {
			return tableRow{}, false
		}
		r.columns, body = append(r.columns, v), body[used:]
	}
	return r, len(body) == 0
}

func value(t int64, b []byte) (v any, used int64, ok bool) {
	switch {
	case t == 0:
		return nil, 0, true
	case t >= 1 && t <= 6:
		used = []int64{0, 1, 2, 3, 4, 6, 8}[t]
		if int64(len(b)) < used {
			return nil, 0, false
		}
		n := int64(int8(b[0])) //nolint:gosec // the sign is meant
		for _, c := range b[1:used] {
			n = n<<8 | int64(c)
		}
		return n, used, true
	case t == 7:
		if len(b) < 8 {
			return nil, 0, false
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), 8, true
	case t == 8, t == 9:
		return t - 8, 0, true
	case t >= 12:
		used = (t - 12) / 2
		if int64(len(b)) < used {
			return nil, 0, false
		}
		if t%2 == 0 {
			return b[:used:used], used, true
		}
		return string(b[:used]), used, true
	default:
		return nil, 0, false
	}
}

// varint reads SQLite's big-endian integer of one to nine bytes; n is 0 where there is none.
func varint(b []byte) (v int64, n int) {
	for n < 8 && n < len(b) {
		v = v<<7 | int64(b[n]&0x7f)
		n++
		if b[n-1]&0x80 == 0 {
			return v, n
		}
	}
	if n < 8 || len(b) < 9 {
		return 0, 0
	}
	return v<<8 | int64(b[8]), 9
}
