package edge

import (
	"errors"
	"testing"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// signers tells by which key each record came last, a letter a record.
func (c *fakeCenter) signers(names map[string]string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := ""
	for seq := uint64(1); c.by[seq] != ""; seq++ {
		out += names[c.by[seq]]
	}
	return out
}

func TestANewKeySignsOnceTheCentreHoldsItsRotation(t *testing.T) {
	r := newRig(t)
	old, next := r.signer, newKey(t)
	names := map[string]string{old.ID: "o", next.ID: "n"}
	promoted := 0
	fail := errors.New("a read-only disk")
	r.change = func(c *Config) {
		c.Next = next
		c.Promote = func() error {
			if fail != nil {
				return fail
			}
			promoted++
			return nil
		}
	}
	r.start()
	r.allReceipted()
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(2)
	r.allReceipted()
	if got := r.center.signers(names); got != "ooo" {
		t.Errorf("while the new key's file cannot take its place the old one signs: %s", got)
	}
	r.stop()
	fail = nil
	r.start() // sealed already: no second rotation
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(3)
	r.allReceipted()
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(4)
	r.allReceipted()
	if got := r.center.signers(names); got != "oooon" || promoted != 1 {
		t.Errorf("chain start, rotation and what came before its receipt are the old key's, then the new one signs: %s, promoted %d times", got, promoted)
	}
	r.stop()

	// A centre restored from a backup without the rotation is sent everything again: it can believe it.
	r.signer = next
	r.change = func(c *Config) { c.Former = []*seal.Signer{old} }
	r.center.set(func() {
		r.center.epoch++
		r.center.records = map[wim.ChainID]map[uint64][]byte{}
		r.center.rotated, r.center.by = nil, nil
	})
	r.start()
	r.center.set(func() { r.center.receipt(r.journal.Chain()) })
	eventually(t, "the centre has all again", func() bool { return r.center.count(r.journal.Chain()) == 5 })
	if got := r.center.signers(names); got != "oonnn" {
		t.Errorf("up to the rotation the old key signs again: %s", got)
	}
}
