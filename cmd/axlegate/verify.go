package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/axlegate/axlegate/center/dossier"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

type verifyCommand struct {
	File      string   `arg:"" type:"path" help:"A dossier (.zip or the folder it was unpacked to), a site's journal (SQLite) or an export of one (NDJSON)."`
	Out       string   `short:"o" type:"path" help:"Also write the proven records of a journal to this file as NDJSON, for handing on."`
	SiteKey   []string `type:"existingfile" placeholder:"FILE" help:"A site's public key that you have from elsewhere; may be given again."`
	CenterKey []string `type:"existingfile" placeholder:"FILE" help:"The centre's public key that you have from elsewhere; may be given again."`
	Lang      string   `enum:"en,zh" default:"en" help:"Language of a dossier's report: en or zh."`
	JSON      bool     `name:"json" help:"Write a dossier's report as JSON."`
}

func (verifyCommand) Help() string {
	return `Needs no network. The exit status is 0 when everything holds and 1 when anything does not; what is wrong is
named.

  axlegate verify dossier.zip                   what a matter's dossier proves, and what it does not
  axlegate verify dossier.zip --lang zh --center-key centre.pub --site-key north-1.pub
  axlegate verify journal.db                    prove a journal, running or not; nothing is written to it
  axlegate verify journal.db -o export.ndjson   prove it and export what was proven
  axlegate verify export.ndjson                 prove an export

A dossier holds when every file is as the centre signed it and every record as its site did. With public keys
that you have from another source it is also shown whose they are; without, compare the ids that are printed.
docs/dossier.md repeats the check with openssl and jq.

In a journal every record names the digest of the one before it, so a record that was edited, left out, put in
or moved breaks the chain at that place; the first such record is named. Who wrote them is shown by signatures,
which "axlegate export journal.db --key site.pem" adds: without them, whoever edits the last record and what
names it is not found out.`
}

// dossierReport verifies a dossier and prints what came of it.
func (c verifyCommand) dossierReport(folder bool) error {
	lang, err := dossier.ParseLang(c.Lang)
	if err != nil {
		return err
	}
	var trust dossier.Trust
	if trust.SiteKeys, err = readVerifiers(c.SiteKey); err != nil {
		return err
	}
	if trust.CenterKeys, err = readVerifiers(c.CenterKey); err != nil {
		return err
	}
	var rep dossier.Report
	if folder {
		files, err := dossier.ReadFolder(os.DirFS(c.File))
		if err != nil {
			return err
		}
		rep = dossier.VerifyFiles(files, trust)
	} else {
		archive, err := readBounded(c.File, dossier.MaxBytes)
		if err != nil {
			return err
		}
		rep = dossier.Verify(archive, trust)
	}
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(rep)
	} else {
		err = rep.Write(os.Stdout, lang)
	}
	if err == nil && !rep.OK {
		err = fmt.Errorf("%s does not hold: %d things are wrong", c.File, len(rep.Wrong))
	}
	return err
}

func readVerifiers(paths []string) (out []*seal.Verifier, err error) {
	for _, p := range paths {
		k, err := seal.ReadVerifier(p)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

func readBounded(path string, most int64) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > most {
		return nil, fmt.Errorf("%s has %d bytes, a dossier at most %d", path, st.Size(), most)
	}
	return os.ReadFile(path)
}

func (c verifyCommand) Run() error {
	st, err := os.Stat(c.File)
	if err != nil {
		return err
	}
	head := ""
	if !st.IsDir() {
		if head, err = headOf(c.File); err != nil {
			return err
		}
	}
	journalFile := strings.HasPrefix(head, "SQLite format 3\x00")
	if c.Out != "" && !journalFile {
		return errors.New("--out exports from a journal; this is none")
	}
	switch {
	case journalFile:
		return c.journal(context.Background())
	case st.IsDir() || strings.HasPrefix(head, "PK") || strings.HasSuffix(c.File, ".zip"):
		return c.dossierReport(st.IsDir())
	}
	keys, err := readVerifiers(c.SiteKey)
	if err != nil {
		return err
	}
	return verifyExport(c.File, keys)
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

// maxLine bounds a line of an export in bytes: a record, or a signature over 64.
const maxLine = seal.MaxRecord + 1

// chainKey names a chain of an export.
type chainKey struct {
	site  wim.SiteID
	chain wim.ChainID
}

// exported is a chain as far as an export was read.
type exported struct {
	auditor *seal.Auditor
	digests []wim.Digest // of the records since the last signature
	signed  uint64       // the last record under a signature
	by      []string     // ids of the keys that signed
}

// verifyExport proves an export. Where it has signatures, or keys are given, every record must be under one.
func verifyExport(path string, keys []*seal.Verifier) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 64<<10), maxLine)
	chains := map[chainKey]*exported{}
	var order []chainKey
	kinds := counts{}
	withSignatures := len(keys) > 0
	for line := 1; s.Scan(); line++ {
		if len(s.Bytes()) == 0 {
			continue
		}
		if bytes.HasPrefix(s.Bytes(), []byte(`{"segment":`)) {
			if err := verifySigned(s.Bytes(), chains, keys); err != nil {
				return fmt.Errorf("%s:%d: %w", path, line, err)
			}
			withSignatures = true
			continue
		}
		h, err := headerOf(s.Bytes())
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, line, err)
		}
		k := chainKey{h.Site, h.Chain}
		c, ok := chains[k]
		if !ok {
			c = &exported{auditor: seal.NewAuditor(h.Site, h.Chain)}
			if h.Seq > 1 {
				fmt.Printf("note: chain %s of site %s begins here with record %d; what it links to is not in this file\n", h.Chain, h.Site, h.Seq)
				c.auditor.Resume(h.Seq-1, h.Prev)
			}
			if len(keys) > 0 {
				c.auditor.Trust(keys...)
			}
			chains[k] = c
			order = append(order, k)
		}
		r, err := c.auditor.Next(s.Bytes())
		if err != nil {
			return fmt.Errorf("%s:%d: first bad record of chain %s, site %s: %w", path, line, h.Chain, h.Site, err)
		}
		c.digests = append(c.digests, c.auditor.Head())
		kinds.add(r)
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(order) == 0 {
		return fmt.Errorf("%s holds no record", path)
	}
	for _, k := range order {
		c := chains[k]
		fmt.Printf("site %s, chain %s: proven up to record %d, digest %s\n", k.site, k.chain, c.auditor.Seq(), c.auditor.Head())
		if !withSignatures {
			continue
		}
		if c.signed != c.auditor.Seq() {
			return fmt.Errorf("%s: the records after %d of chain %s stand under no signature: the signature was cut off, or they were added", path, c.signed, k.chain)
		}
		if len(keys) == 0 {
			fmt.Println("  note: there are signatures, but no key to check them by; give the site's with --site-key")
			continue
		}
		fmt.Printf("  every record is signed by %s\n", strings.Join(c.by, ", "))
	}
	if !withSignatures {
		fmt.Println("note: no signatures in this file: that the last records are as they were written rests on the digests above")
	}
	fmt.Println(kinds)
	return nil
}

// headerOf names a record, or what a tombstone stands for.
func headerOf(raw []byte) (*wim.Record, error) {
	if !seal.IsTombstone(raw) {
		return seal.Header(raw)
	}
	t, err := seal.PeekTombstone(raw)
	return &wim.Record{Site: t.Site, Chain: t.Chain, Seq: t.Seq, Prev: t.Prev}, err
}

// verifySigned compares a signature with the records before it. Without keys only what it says is compared.
func verifySigned(line []byte, chains map[chainKey]*exported, keys []*seal.Verifier) error {
	var l signedLine
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return fmt.Errorf("not a signature: %w", err)
	}
	seg, err := seal.PeekSegment(l.Segment)
	if err != nil {
		return err
	}
	var by string
	if len(keys) > 0 {
		if seg, by, err = seal.VerifySegment(l.Segment, keys...); err != nil {
			return err
		}
	}
	c := chains[chainKey{seg.Site, seg.Chain}]
	if c == nil {
		return fmt.Errorf("a signature over records %d to %d of chain %s, of which none is here", seg.From, seg.To(), seg.Chain)
	}
	if first := c.auditor.Seq() - uint64(len(c.digests)) + 1; seg.From != first || !slices.Equal(seg.Digests, c.digests) {
		return fmt.Errorf("the signature is over other records %d to %d than those before it, %d to %d of chain %s", seg.From, seg.To(), first, c.auditor.Seq(), seg.Chain)
	}
	c.signed, c.digests = seg.To(), nil
	if !slices.Contains(c.by, by) {
		c.by = append(c.by, by)
	}
	return nil
}

// headOf gives the first bytes of a file.
func headOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // only read
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return string(head[:n]), nil
}

// counts is how many records of each kind were proven.
type counts map[wim.RecordKind]int

func (c counts) add(r *wim.Record) { c[r.Kind]++ }

// String gives the counts in a fixed order.
func (c counts) String() string {
	text := fmt.Sprintf("%d passages, %d supplements, %d gaps, %d chain starts",
		c[wim.KindPassage], c[wim.KindSupplement], c[wim.KindGap], c[wim.KindStart])
	for _, k := range []struct {
		kind wim.RecordKind
		name string
	}{{wim.KindConfiguration, "configurations"}, {wim.KindRotation, "key rotations"}, {wim.KindTransaction, "transactions"}, {wim.KindEvent, "events"}, {wim.KindTombstone, "tombstones"}} {
		if n := c[k.kind]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, k.name)
		}
	}
	return text
}
