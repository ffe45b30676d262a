package edge

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
)

// Account is a passage as it stands now: with what came later.
type Account struct {
	Ref         wim.RecordRef
	Passage     *wim.Passage // as it was recorded at once
	Recorded    wim.Time
	Supplements []Addition // oldest first

	// What the newest of them says.
	Facts   wim.Facts
	Verdict wim.Verdict
	Reads   []wim.PlateRead // all
}

// Addition is a supplement with the time of its record.
type Addition struct {
	*wim.Supplement

	Recorded wim.Time
}

// accountsBack bounds how many records of a lane are looked through for one passage.
const accountsBack = 4096

// Accounts returns the newest passages of all lanes that the journal's chain holds, newest first, at most limit. Who asks
// reads the disk, beside the site's own work.
func (s *Site) Accounts(ctx context.Context, limit int) ([]*Account, error) {
	var out []*Account
	for _, l := range s.lanes {
		kept, err := s.cfg.Journal.Recent(ctx, l.cfg.Lane, 0, 3*limit) // most passages have two supplements or fewer
		if err != nil {
			return nil, fmt.Errorf("edge: %w", err)
		}
		out = append(out, accounts(kept)...)
	}
	slices.SortFunc(out, func(a, b *Account) int { return int(b.Ref.Seq) - int(a.Ref.Seq) })
	return out[:min(len(out), limit)], nil
}

// Account returns one passage of the journal's chain. The error is ErrNoPassage where there is none that is recent
// enough.
func (s *Site) Account(ctx context.Context, chain wim.ChainID, seq uint64) (*Account, error) {
	return s.find(ctx, func(a *Account) bool { return a.Ref.Chain == chain && a.Ref.Seq == seq })
}

func (s *Site) passage(ctx context.Context, ref wim.RecordRef) (*Account, error) {
	return s.find(ctx, func(a *Account) bool { return a.Ref == ref })
}

func (s *Site) find(ctx context.Context, is func(*Account) bool) (*Account, error) {
	for _, l := range s.lanes {
		kept, err := s.cfg.Journal.Recent(ctx, l.cfg.Lane, 0, accountsBack)
		if err != nil {
			return nil, fmt.Errorf("edge: %w", err)
		}
		all := accounts(kept)
		if i := slices.IndexFunc(all, is); i >= 0 {
			return all[i], nil
		}
	}
	return nil, ErrNoPassage
}

// accounts joins passages and their supplements, which are given oldest first.
func accounts(kept []journal.Kept) []*Account {
	var out []*Account
	by := map[wim.RecordRef]*Account{}
	for _, k := range kept {
		switch r := k.Record; {
		case r.Passage != nil:
			a := &Account{Ref: k.Ref, Passage: r.Passage, Recorded: r.Time, Facts: r.Passage.Facts, Verdict: r.Passage.Verdict, Reads: slices.Clone(r.Passage.Reads)}
			by[k.Ref] = a
			out = append(out, a)
		case r.Supplement != nil:
			a := by[r.Supplement.Of]
			if a == nil {
				continue // its passage lies further back
			}
			a.Supplements = append(a.Supplements, Addition{r.Supplement, r.Time})
			a.Facts, a.Verdict = r.Supplement.Facts, r.Supplement.Verdict
			a.Reads = append(a.Reads, r.Supplement.Reads...)
		}
	}
	return out
}

// Head is how far the journal's chain has come; it grows with every account.
func (s *Site) Head() uint64 {
	head, _ := s.cfg.Journal.Head()
	return head
}

// Picture opens a picture that the site still has; the error is fs.ErrNotExist where it has not. The caller closes it.
func (s *Site) Picture(d wim.Digest) (*os.File, error) {
	if s.store.dir == "" {
		return nil, fs.ErrNotExist
	}
	return os.Open(s.store.path(d))
}
