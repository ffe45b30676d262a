package edge

import (
	"context"
	"sync"

	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// streamAhead is how many messages, and how many segments for them, a stream makes ahead of the sender. With
// what is in each hand this is all of a backlog that is in memory.
const streamAhead = 4

// stream reads a backlog ahead of the sender: one goroutine reads, another signs and packs, the sender publishes.
// The order is that of the chain. It ends where less than a few segments are left, or with an error.
type stream struct {
	chain wim.ChainID
	next  uint64 // the sequence behind which its next message begins; the sender's
	room  int    // of one message in bytes
	out   chan message
	stop  context.CancelFunc
	err   error // why it ended; read it when out is closed
	work  sync.WaitGroup
}

// end stops the stream and waits for what it started.
func (s *stream) end() {
	s.stop()
	s.work.Wait()
}

// deep is how many records behind the head are a backlog that is worth a stream.
const deep = 8 * seal.MaxSegmentRecords

// startStream begins behind from. room bounds a message in bytes.
func (p *packer) startStream(ctx context.Context, chain wim.ChainID, from uint64, room int) *stream {
	ctx, cancel := context.WithCancel(ctx)
	s := &stream{chain: chain, next: from, room: room, out: make(chan message, streamAhead), stop: cancel}
	segments := make(chan batch, streamAhead)
	var readErr error
	s.work.Go(func() {
		defer close(segments)
		for at := from; ; {
			if head, _ := p.journal.Head(); at+deep/2 > head {
				return
			}
			records, err := p.read(ctx, chain, at, seal.MaxSegmentRecords, min(seal.MaxSegmentBytes, room/2-bundleOverhead/4))
			if err != nil || len(records) == 0 {
				readErr = err
				return
			}
			b := p.batchOf(chain, records)
			select {
			case segments <- b:
				at = b.end()
			case <-ctx.Done():
				return
			}
		}
	})
	s.work.Go(func() {
		defer close(s.out)
		if err := p.packAll(ctx, segments, s.out, room); err != nil {
			s.err = err
			cancel()
			for range segments { // let the reader end
			}
			return
		}
		s.err = readErr // the reader closed segments after it wrote this
	})
	return s
}

// packAll signs segments and packs as many into each message as fit.
func (p *packer) packAll(ctx context.Context, segments <-chan batch, out chan<- message, room int) error {
	var bundles [][]byte
	var ends []uint64
	size := 0
	flush := func() error {
		for len(bundles) > 0 {
			m, taken, err := pack(bundles, ends)
			if err != nil {
				return err
			}
			select {
			case out <- m:
			case <-ctx.Done():
				return ctx.Err()
			}
			bundles, ends = append(bundles[:0], bundles[taken:]...), append(ends[:0], ends[taken:]...)
		}
		size = 0
		return nil
	}
	for b := range segments {
		bundle, err := p.bundle(b)
		if err != nil {
			return err
		}
		if size+len(bundle)+4 > min(room, uplink.MaxMessage)-1 {
			if err := flush(); err != nil {
				return err
			}
		}
		bundles, ends = append(bundles, bundle), append(ends, b.end())
		size += len(bundle) + 4
	}
	return flush()
}
