package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

type verifyCommand struct {
	File string `arg:"" type:"existingfile" help:"A site's journal (SQLite) or an export (NDJSON, one sealed record a line)."`
	Out  string `short:"o" type:"path" help:"Also write the proven records of a journal to this file as NDJSON, for handing on."`
}

func (verifyCommand) Help() string {
	return `Needs no network, no key and no other file. Every record names the digest of the one before it, so a
record that was edited, left out, put in or moved breaks the chain at that place; the first such record is
named and the exit status is 1.

  axlegate verify journal.db                    prove a journal, running or not; nothing is written to it
  axlegate verify journal.db -o export.ndjson   prove it and export what was proven
  axlegate verify export.ndjson                 prove an export

What this shows: the records belong together, unedited, in this order. Who wrote them is shown by the
signature of each segment, which the centre checks on arrival and names beside every record.`
}

func (c verifyCommand) Run() error {
	journalFile, err := isSQLite(c.File)
	if err != nil {
		return err
	}
	if journalFile {
		return c.journal(context.Background())
	}
	if c.Out != "" {
		return errors.New("--out exports from a journal; this file is an export already")
	}
	return verifyExport(c.File)
}

func (c verifyCommand) journal(ctx context.Context) (err error) {
	var out *bufio.Writer
	if c.Out != "" {
		f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		out = bufio.NewWriter(f)
		defer func() { err = errors.Join(err, out.Flush(), f.Sync(), f.Close()) }()
	}
	kinds := counts{}
	rep, err := journal.Audit(ctx, c.File, func(r *wim.Record, raw []byte) error {
		kinds.add(r)
		if out == nil {
			return nil
		}
		_, err := out.Write(append(raw[:len(raw):len(raw)], '\n'))
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("journal of site %s\n", rep.Site)
	var bad error
	for _, ch := range rep.Chains {
		fmt.Printf("chain %s: records %d to %d proven, %d receipted by the centre", ch.Chain, ch.Pruned+1, ch.Proven, ch.Receipted)
		if ch.Pruned > 0 {
			fmt.Printf(" (1 to %d were receipted and pruned)", ch.Pruned)
		}
		fmt.Println()
		if ch.Err != nil {
			bad = errors.Join(bad, fmt.Errorf("chain %s breaks after record %d: %w", ch.Chain, ch.Proven, ch.Err))
		}
	}
	fmt.Println(kinds)
	return bad
}

func verifyExport(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 64<<10), seal.MaxRecord+1)
	type chainKey struct {
		site  wim.SiteID
		chain wim.ChainID
	}
	auditors := map[chainKey]*seal.Auditor{}
	var order []chainKey
	kinds := counts{}
	for line := 1; s.Scan(); line++ {
		if len(s.Bytes()) == 0 {
			continue
		}
		h, err := seal.Header(s.Bytes())
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, line, err)
		}
		k := chainKey{h.Site, h.Chain}
		a, ok := auditors[k]
		if !ok {
			a = seal.NewAuditor(h.Site, h.Chain)
			if h.Seq > 1 {
				fmt.Printf("note: chain %s of site %s begins here with record %d; what it links to is not in this file\n", h.Chain, h.Site, h.Seq)
				a.Resume(h.Seq-1, h.Prev)
			}
			auditors[k] = a
			order = append(order, k)
		}
		r, err := a.Next(s.Bytes())
		if err != nil {
			return fmt.Errorf("%s:%d: first bad record of chain %s, site %s: %w", path, line, h.Chain, h.Site, err)
		}
		kinds.add(r)
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(order) == 0 {
		return fmt.Errorf("%s holds no record", path)
	}
	for _, k := range order {
		fmt.Printf("site %s, chain %s: proven up to record %d, digest %s\n", k.site, k.chain, auditors[k].Seq(), auditors[k].Head())
	}
	fmt.Println(kinds)
	return nil
}

func isSQLite(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close() //nolint:errcheck // only read
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return string(head[:n]) == "SQLite format 3\x00", nil
}

// counts is how many records of each kind were proven.
type counts map[wim.RecordKind]int

func (c counts) add(r *wim.Record) { c[r.Kind]++ }

// String gives the counts in a fixed order.
func (c counts) String() string {
	return fmt.Sprintf("%d passages, %d supplements, %d gaps, %d chain starts",
		c[wim.KindPassage], c[wim.KindSupplement], c[wim.KindGap], c[wim.KindStart])
}
