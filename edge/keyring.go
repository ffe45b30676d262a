package edge

import (
	"context"
	"log/slog"
	"sync"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// keyring knows under which key each record is signed. A rotation is sealed as a record under the old key; only when
// the centre's receipt covers it does the new one sign. What lies before it is signed by the old key for ever: a
// centre that was restored knows no other until it has the rotation again.
type keyring struct {
	journal *journal.Journal
	log     *slog.Logger
	promote func() error

	mu        sync.Mutex
	current   *seal.Signer
	next      *seal.Signer // nil when none takes over
	byID      map[string]*seal.Signer
	rotations []journal.Rotated
}

func newKeyring(ctx context.Context, c *Config) (*keyring, error) {
	all, err := c.Journal.Rotations(ctx)
	if err != nil {
		return nil, err
	}
	k := &keyring{journal: c.Journal, log: c.Logger, promote: c.Promote, current: c.Signer, next: c.Next, rotations: all,
		byID: map[string]*seal.Signer{c.Signer.ID: c.Signer}}
	for _, f := range c.Former {
		k.byID[f.ID] = f
	}
	return k, nil
}

// signer is the key that signs now.
func (k *keyring) signer() *seal.Signer {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current
}

// signerOf is the key under which record seq of a chain is signed, and the last record that it signs; last is 0
// where there is no such bound.
func (k *keyring) signerOf(chain wim.ChainID, seq uint64) (s *seal.Signer, last uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range k.rotations {
		if r.Chain != chain || seq > r.Seq {
			continue
		}
		if old := k.byID[r.Old]; old != nil {
			return old, r.Seq
		}
		break // its file is gone; the centre decides whether it takes the present one for it
	}
	return k.current, 0
}

// draft is the rotation that has yet to be sealed; nil where there is none to do.
func (k *keyring) draft(now wim.Time, clock wim.ClockState, site wim.SiteID) *journal.Draft {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next == nil {
		return nil
	}
	chain := k.journal.Chain()
	for _, r := range k.rotations {
		if r.Chain == chain && r.New == k.next.ID {
			return nil // sealed before; its receipt is still awaited
		}
	}
	old, next := k.current.ID, k.next
	return &journal.Draft{Kind: wim.KindRotation, Time: now, Clock: clock,
		Rotate: func(chain wim.ChainID) (*wim.Rotation, error) { return seal.NewRotation(site, chain, old, next) }}
}

// receipted lets the next key sign when the receipt covers its rotation.
func (k *keyring) receipted(ctx context.Context, chain wim.ChainID, seq uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next == nil {
		return
	}
	all, err := k.journal.Rotations(ctx)
	if err != nil {
		k.log.Warn("could not read whether the new key may sign; it is looked at again with the next receipt", "err", err)
		return
	}
	k.rotations = all
	for _, r := range all {
		if r.Chain != chain || r.New != k.next.ID || r.Seq > seq {
			continue
		}
		if err := k.promote(); err != nil {
			k.log.Error("the centre knows the new key, but its file could not take the old one's place; the old key goes on signing", "err", err)
			return
		}
		k.byID[k.next.ID] = k.next
		k.log.Info("the new key signs from here on", "key", k.next.ID, "former", k.current.ID)
		k.current, k.next = k.next, nil
		if err := k.journal.SetKey(ctx, k.current.ID); err != nil {
			k.log.Warn("the new key could not be noted in the journal; the next start finds it by its rotation", "err", err)
		}
		return
	}
}
