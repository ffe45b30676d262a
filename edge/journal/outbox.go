package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

// Outbox is the journal as its sender sees it: Chain, Head and Receipted are those of the chain whose turn it is.
// That is the active one, and while all of it is receipted a chain that was saved from a damaged journal with
// records that the centre may still want. So what is new never waits for what was saved.
type Outbox struct{ *Journal }

// Outbox is what a sender works on.
func (j *Journal) Outbox() Outbox { return Outbox{j} }

// Chain is the chain whose turn it is.
func (o Outbox) Chain() wim.ChainID {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.turn().id
}

// Head is the last record of that chain that can be sent. The digest is zero for a saved chain.
func (o Outbox) Head() (seq uint64, digest wim.Digest) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if l := o.turn(); l.ordinal != o.active.ordinal {
		return l.sendTo, wim.Digest{}
	}
	return o.active.head, o.active.headDigest
}

// Receipted is the last record of that chain that the centre holds for certain, and the epoch of the store that
// said so; the epoch is zero for a saved chain.
func (o Outbox) Receipted() (seq, epoch uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if l := o.turn(); l.ordinal != o.active.ordinal {
		return l.receipted, 0
	}
	return o.active.receipted, o.active.epoch
}

// turn is the chain to send from, under mu.
func (j *Journal) turn() *link {
	if j.active.receipted >= j.active.head {
		for i := range j.old {
			if l := &j.old[i]; l.sendTo > l.receipted {
				return l
			}
		}
	}
	return &j.active.link
}

// readUnsent reads how far chains that were saved from a damaged journal can be sent.
func readUnsent(ctx context.Context, q querier) (map[string]uint64, error) {
	var text string
	err := q.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'unsent'`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap("read what was saved", err)
	}
	var out map[string]uint64
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, fmt.Errorf("%w: what was saved: %w; %s", ErrDamaged, err, setAside)
	}
	return out, nil
}

// unsent is how far each saved chain can be sent on its links: to the end, or before two or more records in a row
// that are missing. One that is missing is told by the record behind it. A chain that ended in a fork is not sent:
// the centre holds another record under its first name.
func (s *salvaged) unsent() map[string]uint64 {
	out := map[string]uint64{}
	for i, c := range s.chains {
		if i+1 < len(s.chains) && s.chains[i+1].cause != causeDamaged {
			continue
		}
		to := c.receipted
		for _, seq := range c.seqs() {
			if seq <= to {
				continue
			}
			if seq > to+2 {
				break
			}
			to = seq
		}
		if to > c.receipted {
			out[c.id.String()] = to
		}
	}
	return out
}
