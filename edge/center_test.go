package edge

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// fakeCenter is the link and the centre behind it: it verifies and keeps what it is sent.
type fakeCenter struct {
	t      testing.TB
	site   *seal.Verifier
	key    *seal.Signer
	answer func(jws []byte) // to the site
	up     chan struct{}

	mu       sync.Mutex
	down     bool // Publish fails
	mute     bool // no receipts
	epoch    uint64
	records  map[wim.ChainID]map[uint64][]byte
	got      []span // segments in order of arrival, all connections
	messages int
	rewrite  func(*seal.Receipt) // change a receipt before it is signed
	rotated  []*seal.Verifier    // keys that took over
	by       map[uint64]string   // who signed the segment that a record came in last
}

type span struct {
	chain    wim.ChainID
	from, to uint64
}

func (c *fakeCenter) Up() <-chan struct{} { return c.up }

func (c *fakeCenter) Publish(_ context.Context, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return errors.New("connection lost")
	}
	c.messages++
	segments, err := uplink.Unpack(payload)
	if err != nil {
		c.t.Error(err)
		return err
	}
	var chain wim.ChainID
	for _, b := range segments {
		jws, raws, err := seal.ReadBundle(b)
		if err != nil {
			c.t.Error(err)
			return err
		}
		keys := append([]*seal.Verifier{c.site}, c.rotated...)
		s, key, err := seal.VerifySegment(jws, keys...)
		var recs []*wim.Record
		if err == nil {
			recs, err = seal.CheckRecords(s, raws, keys...)
		}
		if err != nil {
			c.t.Error(err)
			return err
		}
		chain = s.Chain
		if c.by == nil {
			c.by = map[uint64]string{}
		}
		for _, r := range recs {
			c.by[r.Seq] = key
			if r.Rotation != nil {
				next, err := seal.VerifyRotation(r, key)
				if err != nil {
					c.t.Error(err)
					return err
				}
				c.rotated = append(c.rotated, next)
			}
		}
		c.got = append(c.got, span{s.Chain, s.From, s.To()})
		if c.records[s.Chain] == nil {
			c.records[s.Chain] = map[uint64][]byte{}
		}
		for i, raw := range raws {
			seq := s.From + uint64(i)
			if old, ok := c.records[s.Chain][seq]; ok && known(c.t, old) != known(c.t, raw) {
				c.t.Errorf("record %d came with two digests", seq)
			}
			c.records[s.Chain][seq] = raw
		}
	}
	if !c.mute {
		c.receipt(chain)
	}
	return nil
}

// known is the digest by which a chain knows a record, or the one that a tombstone stands for.
func known(t testing.TB, raw []byte) wim.Digest {
	d, err := seal.DigestOf(raw)
	if err != nil {
		t.Error(err)
	}
	return d
}

// receipt answers with what is contiguous; under mu.
func (c *fakeCenter) receipt(chain wim.ChainID) {
	n := uint64(0)
	for c.records[chain][n+1] != nil {
		n++
	}
	r := seal.Receipt{Site: testSite, Chain: chain, Seq: n, Epoch: c.epoch, Time: wim.TimeOf(time.Now())}
	if n > 0 {
		r.Digest = known(c.t, c.records[chain][n])
	}
	if c.rewrite != nil {
		c.rewrite(&r)
	}
	jws, err := seal.SignReceipt(c.key, r)
	if err != nil {
		c.t.Error(err)
		return
	}
	c.answer([]byte(jws))
}

func (c *fakeCenter) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *fakeCenter) spans() []span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

// count is how many records of a chain the centre holds.
func (c *fakeCenter) count(chain wim.ChainID) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.records[chain])
}

func (c *fakeCenter) connect() {
	select {
	case c.up <- struct{}{}:
	default:
	}
}
