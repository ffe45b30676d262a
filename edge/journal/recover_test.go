package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// specimen is a journal as a crash leaves it, with a log, and all that is true of it.
type specimen struct {
	files   map[string][]byte
	records map[wim.Digest][]byte
	chains  []wim.ChainID
	cursor  wim.DeviceCursor
	marks   map[wim.ChainID]uint64
	state   string
	last    map[wim.Digest]bool // the last two records, of which a log cannot tell damage from a cut
}

func specimenOf(t *testing.T) specimen {
	t.Helper()
	now := time.Unix(1_790_000_000, 0)
	cfg := testConfig(filepath.Join(memory(t), "journal.db"))
	cfg.Now = func() time.Time { return now }
	j := open(t, cfg)
	ctx := t.Context()
	s := &stage{cfg: cfg, j: j, acked: map[string]bool{}}
	sp := specimen{files: map[string][]byte{}, records: map[wim.Digest][]byte{}, marks: map[wim.ChainID]uint64{}}
	mustDo := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	mustDo(group(20)(ctx, s))
	works := &wim.SiteConfiguration{Cause: wim.ConfiguredAtStart, Serial: 3, Changed: []wim.Change{},
		Active: []wim.Part{{Kind: wim.PartRules, Name: "national", Version: "1", Digest: wim.DigestOf([]byte("r"))}}}
	mustDo(s.append(ctx, Draft{Kind: wim.KindConfiguration, Time: 1, Configuration: works}))
	mustDo(s.receipt(ctx, 9, 1))
	now = now.Add(2 * DefaultKeep)
	if n, err := j.Prune(ctx, now); err != nil || n != 9 {
		t.Fatalf("pruned %d, %v", n, err)
	}
	sp.chains = append(sp.chains, j.Chain())
	sp.marks[j.Chain()] = 9
	_, err := j.StartChain(ctx, causeFork)
	mustDo(err)
	sp.chains = append(sp.chains, j.Chain())
	mustDo(group(15)(ctx, s))
	execSQL(t, j, `PRAGMA wal_checkpoint(TRUNCATE)`)
	d := s.next(0)
	d.Pictures = []Picture{{Digest: wim.DigestOf([]byte("p")), Size: 9}}
	mustDo(s.append(ctx, d))
	mustDo(group(6)(ctx, s))
	mustDo(s.receipt(ctx, 4, 1))
	sp.marks[j.Chain()] = 4
	for range 7 {
		mustDo(one(ctx, s))
	}
	sp.cursor, _ = j.Cursor("scale-1")
	if sp.state, err = stateOf(ctx, j); err != nil {
		t.Fatal(err)
	}
	head, _ := j.Head()
	sp.last = map[wim.Digest]bool{}
	if _, err := Audit(ctx, cfg.Path, func(r *wim.Record, raw []byte) error {
		sp.records[wim.DigestOf(raw)] = bytes.Clone(raw)
		if r.Chain == j.Chain() && r.Seq+1 >= head {
			sp.last[wim.DigestOf(raw)] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	from := copyOf(t, j)
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(from + suffix)
		mustDo(err)
		sp.files[suffix] = b
	}
	return sp
}

// harm is one thing that happens to one page.
type harm struct {
	name string
	do   func(page []byte, rng *rand.Rand)
}

func harms() []harm {
	flip := func(page []byte, rng *rand.Rand) { page[rng.IntN(len(page))] ^= 1 << rng.IntN(8) }
	return []harm{
		{"zeroes", func(page []byte, _ *rand.Rand) { clear(page) }},
		{"garbage", func(page []byte, rng *rand.Rand) {
			for i := range page {
				page[i] = byte(rng.IntN(256))
			}
		}},
		{"the second half of it is zeroes", func(page []byte, _ *rand.Rand) { clear(page[len(page)/2:]) }},
		{"a flipped bit in its head", func(page []byte, rng *rand.Rand) { flip(page[:16], rng) }},
		{"a flipped bit", flip},
		{"another flipped bit", flip},
	}
}

func TestDamageToAnyPageIsSetAsideOrDoesNotMatter(t *testing.T) {
	sp := specimenOf(t)
	rng := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // which bits are flipped must be the same each time
	opened, aside, saved := 0, 0, 0
	for _, suffix := range []string{"", "-wal"} {
		first, size := 0, pageSize
		if suffix == "-wal" {
			first, size = logHeader, frameHeader+pageSize
		}
		for at := first; at < len(sp.files[suffix]); at += size {
			for i, h := range harms() {
				if inTurns() && i%3 != at/size%3 {
					continue
				}
				files := map[string][]byte{"": bytes.Clone(sp.files[""]), "-wal": bytes.Clone(sp.files["-wal"])}
				page := files[suffix][at:min(at+size, len(files[suffix]))]
				h.do(page, rng)
				n, err := endured(t, &sp, files, sp.files[suffix][at:at+len(page)])
				switch {
				case err != nil:
					t.Errorf("page %d of journal.db%s, %s: %v", (at-first)/size+1, suffix, h.name, err)
				case n < 0:
					opened++
				default:
					aside++
					saved += n
				}
			}
		}
	}
	t.Logf("%d harms: %d did not keep it from opening, %d were set aside with %d of %d records saved", opened+aside, opened, aside, saved, aside*len(sp.records))
	if aside < 20 {
		t.Error("too few were set aside: it proves nothing")
	}
}

// endured opens a harmed journal, or recovers it, and checks that nothing wrong is served and nothing that was
// readable is lost. saved is -1 where it opened as it was.
func endured(t *testing.T, sp *specimen, files map[string][]byte, page []byte) (saved int, err error) {
	t.Helper()
	cfg := testConfig(filepath.Join(memory(t), "journal.db"))
	cfg.Now = func() time.Time { return time.Unix(1_890_000_000, 0) }
	write(t, cfg.Path, files)
	ctx := t.Context()
	saved = -1
	j, err := Open(ctx, cfg)
	if err != nil {
		if strings.Contains(err.Error(), "schema version") || errors.Is(err, ErrSite) {
			return 0, nil // a header that names another version or site is a person's to look at
		}
		if !errors.Is(err, ErrDamaged) {
			return 0, fmt.Errorf("it is refused, but not as damaged: %w", err)
		}
		var s Salvage
		if j, s, err = Recover(ctx, cfg, err); err != nil {
			return 0, err
		}
		if saved, err = s.Saved, recovered(ctx, j, s, sp, page); err != nil {
			return 0, errors.Join(err, j.Close())
		}
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	held := map[wim.Digest]bool{}
	for _, id := range sp.chains {
		if err := served(ctx, j, id, sp, held); err != nil {
			return saved, err
		}
	}
	for d := range sp.records {
		if !held[d] && !bytes.Contains(page, d[:]) && !sp.last[d] {
			return saved, fmt.Errorf("record %s is lost and was not on the page", d.Short())
		}
	}
	if seq, _ := j.Receipted(); j.Chain() == sp.chains[1] && seq > sp.marks[sp.chains[1]] {
		return saved, fmt.Errorf("receipted to %d, which is further than any receipt", seq)
	}
	if _, err := j.Append(ctx, []Draft{passageDraft(9, 1)}); err != nil && !errors.Is(err, ErrDamaged) {
		return saved, fmt.Errorf("it cannot be written: %w", err)
	}
	return saved, nil
}

// served reads a chain as the sender does: what comes is what was sealed, or shows that it is not.
func served(ctx context.Context, j *Journal, id wim.ChainID, sp *specimen, held map[wim.Digest]bool) error {
	for seq := uint64(0); seq < 100; seq++ {
		got, err := j.After(ctx, id, seq, 1, 1)
		if errors.Is(err, ErrDamaged) {
			continue
		}
		if err != nil {
			return err
		}
		for _, r := range got {
			if d := wim.DigestOf(r.Raw); d == r.Digest && sp.records[d] == nil {
				return fmt.Errorf("record %d of chain %s was never sealed", r.Seq, id)
			}
			held[r.Digest] = true
		}
	}
	return nil
}

func recovered(ctx context.Context, j *Journal, s Salvage, sp *specimen, page []byte) error {
	if _, err := os.Stat(s.Aside); err != nil {
		return err
	}
	rep, err := Audit(ctx, j.cfg.Path, nil)
	if err != nil {
		return err
	}
	for i, c := range rep.Chains {
		if last := i == len(rep.Chains)-1; last && (c.Err != nil || c.Chain != s.Chain) {
			return fmt.Errorf("the new chain: %+v", c)
		}
		if c.Receipted > sp.marks[c.Chain] {
			return fmt.Errorf("chain %s is receipted to %d, its receipt said %d", c.Chain, c.Receipted, sp.marks[c.Chain])
		}
		for seq := uint64(0); seq < c.Head; seq++ {
			got, err := j.After(ctx, c.Chain, seq, 1, 1)
			if err != nil {
				return err
			}
			for _, r := range got {
				if c.Chain != s.Chain && !bytes.Equal(sp.records[r.Digest], r.Raw) {
					return fmt.Errorf("record %d of chain %s is not what was sealed", r.Seq, c.Chain)
				}
			}
		}
	}
	first, err := j.After(ctx, j.Chain(), 0, 1, 1)
	if err != nil || len(first) != 1 {
		return fmt.Errorf("the new chain's start: %d, %w", len(first), err)
	}
	r, err := seal.Open(first[0].Raw)
	if err != nil {
		return err
	}
	if r.Start.Cause != causeDamaged || r.Start.Predecessor == nil || *r.Start.Predecessor != sp.chains[1] {
		return fmt.Errorf("the new chain starts with %+v", r.Start)
	}
	if c, ok := j.Cursor("scale-1"); !ok || c.Seq > sp.cursor.Seq || c.Boot != sp.cursor.Boot {
		return fmt.Errorf("the cursor stands at %+v, it stood at %+v", c, sp.cursor)
	}
	return nil
}

func TestADamagedJournalGivesUpAllThatCanBeRead(t *testing.T) {
	sp := specimenOf(t)
	cfg := testConfig(filepath.Join(memory(t), "journal.db"))
	write(t, cfg.Path, sp.files)
	j, s, err := Recover(t.Context(), cfg, ErrDamaged)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	if s.Saved != len(sp.records) || len(s.Missing) != 0 || len(s.Untold) != 0 {
		t.Errorf("saved %d of %d, missing %v, untold %v", s.Saved, len(sp.records), s.Missing, s.Untold)
	}
	if c, _ := j.Cursor("scale-1"); c != sp.cursor {
		t.Errorf("cursor %+v, want %+v", c, sp.cursor)
	}
	if p, err := j.WaitingPictures(t.Context(), 10); err != nil || len(p) != 1 {
		t.Errorf("pictures %v, %v", p, err)
	}
	if c, _, ok, err := j.Configuration(t.Context()); err != nil || !ok || c.Serial != 3 {
		t.Errorf("configuration %+v, %v", c, err)
	}
	rep, err := Audit(t.Context(), cfg.Path, nil)
	if err != nil || len(rep.Chains) != 3 {
		t.Fatalf("%+v, %v", rep, err)
	}
	for _, c := range rep.Chains {
		if c.Err != nil || c.Proven != c.Head || c.Receipted != sp.marks[c.Chain] {
			t.Errorf("chain %+v", c)
		}
	}
	for _, suffix := range []string{"", "-wal"} {
		if b, err := os.ReadFile(s.Aside + suffix); err != nil || !bytes.Equal(b, sp.files[suffix]) {
			t.Errorf("journal.db%s was not set aside as it was: %v", suffix, err)
		}
	}
}

func TestARecoveryMayBeBrokenOffAnywhere(t *testing.T) {
	sp := specimenOf(t)
	dir := t.TempDir()
	cfg := testConfig(filepath.Join(dir, "journal.db"))
	write(t, cfg.Path, sp.files)
	if err := cfg.fill(); err != nil {
		t.Fatal(err)
	}
	j, s, err := Recover(t.Context(), cfg, ErrDamaged)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := stateOf(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	salvagedFile, err := os.ReadFile(cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		lie  map[string][]byte // suffix to content
		want string
	}{
		"before the salvaged journal was whole":  {map[string][]byte{"": sp.files[""], "-wal": sp.files["-wal"], halfSuffix: salvagedFile[:5000]}, sp.state},
		"before the damaged one was moved":       {map[string][]byte{"": sp.files[""], "-wal": sp.files["-wal"], savedSuffix: salvagedFile}, whole},
		"between it and its log":                 {map[string][]byte{"-wal": sp.files["-wal"], savedSuffix: salvagedFile}, whole},
		"before the salvaged one took its place": {map[string][]byte{savedSuffix: salvagedFile}, whole},
		"afterwards":                             {map[string][]byte{"": salvagedFile}, whole},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(filepath.Join(memory(t), "journal.db"))
			for suffix, b := range tc.lie {
				if err := os.WriteFile(cfg.Path+suffix, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			j := open(t, cfg)
			got, err := stateOf(t.Context(), j)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("it opens as\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
	if s.Chain != j.Chain() {
		t.Errorf("chain %s, want %s", j.Chain(), s.Chain)
	}
}

// A chain with holes is pruned up to them, and never keeps the rest from being pruned.
func TestWhatWasSavedWithHolesIsPrunedToo(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	cfg := testConfig(filepath.Join(memory(t), "journal.db"))
	cfg.Now = func() time.Time { return now }
	j := open(t, cfg)
	s := &stage{cfg: cfg, j: j, acked: map[string]bool{}}
	if err := errors.Join(group(30)(t.Context(), s), s.receipt(t.Context(), 28, 1)); err != nil {
		t.Fatal(err)
	}
	execSQL(t, j, `DELETE FROM record WHERE id & 0xffff IN (11, 12, 28)`)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, saved, err := Recover(t.Context(), cfg, ErrDamaged)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("%+v", saved)
	for range 3 {
		now = now.Add(2 * DefaultKeep)
		if _, err := j.Prune(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	rep, err := Audit(t.Context(), cfg.Path, nil)
	if err != nil || len(rep.Chains) != 2 || rep.Chains[0].Receipted > 28 || rep.Chains[0].Pruned > rep.Chains[0].Receipted {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestWhatWasSavedIsSentWhenNothingNewWaits(t *testing.T) {
	cfg := testConfig(filepath.Join(memory(t), "journal.db"))
	j := open(t, cfg)
	s := &stage{cfg: cfg, j: j, acked: map[string]bool{}}
	if err := errors.Join(group(30)(t.Context(), s), s.receipt(t.Context(), 10, 1)); err != nil {
		t.Fatal(err)
	}
	old := j.Chain()
	names := map[uint64]seal.Receipt{}
	for seq := uint64(11); seq <= 31; seq++ {
		names[seq] = receiptFor(t, j, seq, 1)
	}
	// One missing record can be told by the one behind it, two in a row cannot.
	execSQL(t, j, `DELETE FROM record WHERE id & 0xffff IN (15, 25, 26)`)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, saved, err := Recover(t.Context(), cfg, ErrDamaged)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	turn := func(chain wim.ChainID, from, to uint64) {
		t.Helper()
		o := j.Outbox()
		head, _ := o.Head()
		if mark, _ := o.Receipted(); o.Chain() != chain || mark != from || head != to {
			t.Errorf("it is the turn of %s from %d to %d, want %s from %d to %d", o.Chain(), mark, head, chain, from, to)
		}
	}
	apply := func(r seal.Receipt) {
		t.Helper()
		if a, err := j.ApplyReceipt(t.Context(), r); err != nil || !a.Moved {
			t.Errorf("%+v, %v", a, err)
		}
	}
	head, _ := j.Head()
	turn(saved.Chain, 0, head)
	apply(receiptFor(t, j, head, 1))
	turn(old, 10, 24)
	apply(names[20])
	turn(old, 20, 24)
	mustAppend(t, j, passageDraft(9, 1))
	turn(saved.Chain, head, head+1)
	apply(receiptFor(t, j, head+1, 1))
	turn(old, 20, 24)
	apply(names[24])
	turn(saved.Chain, head+1, head+1)
	if n := j.Stranded(); n != 31-24 {
		t.Errorf("%d are stranded", n)
	}
}

func TestMessagesWhoseRecordsAreLostAreSealedAsAGap(t *testing.T) {
	cfg := testConfig(filepath.Join(memory(t), "journal.db"))
	j := open(t, cfg)
	s := &stage{cfg: cfg, j: j, acked: map[string]bool{}}
	if err := group(30)(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	execSQL(t, j, `DELETE FROM record WHERE id & 0xffff > 27`) // messages 27 to 30
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), cfg)
	if !errors.Is(err, ErrDamaged) {
		t.Fatalf("want damaged, have %v", err)
	}
	j, saved, err := Recover(t.Context(), cfg, err)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	if len(saved.Missing) != 1 || saved.Missing[0].From != 28 || saved.Missing[0].To != 31 {
		t.Errorf("missing %+v", saved.Missing)
	}
	if c, _ := j.Cursor("scale-1"); c.Seq != 30 {
		t.Errorf("cursor %+v: what was accounted for may come twice", c)
	}
	var gaps []wim.Gap
	if _, err := Audit(t.Context(), cfg.Path, func(r *wim.Record, _ []byte) error {
		if r.Gap != nil {
			gaps = append(gaps, *r.Gap)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(gaps) != 1 || gaps[0].Device != "scale-1" || gaps[0].Boot != 7 || gaps[0].From != 27 || gaps[0].To != 30 || gaps[0].Lane != 1 {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestADamagedJournalOfSchemaVersion1IsSavedToo(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "v1-journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := testConfig(filepath.Join(memory(t), "journal.db"))
	write(t, cfg.Path, map[string][]byte{"": b})
	j, saved, err := Recover(t.Context(), cfg, ErrDamaged)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	rep, err := Audit(t.Context(), cfg.Path, nil)
	if err != nil || len(rep.Chains) != 3 || rep.Chains[0].Pruned != 4 || rep.Chains[0].Proven != 6 || rep.Chains[0].Receipted != 4 || rep.Chains[1].Proven != 4 {
		t.Errorf("%+v, %v", rep, err)
	}
	if c, _ := j.Cursor("scale-1"); c.Boot != 8 || c.Seq != 2 || len(saved.Missing) != 0 {
		t.Errorf("cursor %+v, missing %v", c, saved.Missing)
	}
}
