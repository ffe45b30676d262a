package journal

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const testSite = wim.SiteID("north-1")

func testConfig(path string) Config {
	return Config{Path: path, Site: testSite, Key: "key-1", Software: wim.Software{Build: "test"}}
}

func open(t testing.TB, cfg Config) *Journal {
	t.Helper()
	j, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func fresh(t testing.TB) *Journal {
	return open(t, testConfig(filepath.Join(t.TempDir(), "j", "journal.db")))
}

func reopen(t testing.TB, j *Journal) *Journal {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, j.cfg)
}

// passageDraft is a two-axle truck on lane 1 whose vehicle end was message seq of boot.
func passageDraft(boot, seq uint32) Draft {
	at := wim.Time(1_790_000_000_000_000_000) + wim.Time(seq)*wim.Time(time.Second)
	src := wim.DeviceCursor{Device: "scale-1", Boot: boot, Seq: seq}
	return Draft{
		Kind: wim.KindPassage, Lane: 1, Time: at, Clock: wim.ClockSynchronised, Cursors: []wim.DeviceCursor{src},
		Passage: &wim.Passage{Source: src, Facts: wim.Facts{Time: at, Clock: wim.ClockSynchronised, Purpose: wim.Enforcement,
			Vehicle: wim.Vehicle{Lane: 1, Start: at - 1e9, End: at, Gross: 17500, AxleSum: 17500, Axles: []wim.Axle{
				{Index: 1, Load: 6500, Left: 3200, Right: 3300}, {Index: 2, Load: 11000, Left: 5500, Right: 5500, Spacing: 5200}}}},
			Verdict: wim.Verdict{RuleSet: "t", Judge: "1"}, Order: wim.OrderProceed},
	}
}

func urgent(d Draft) Draft {
	d.Passage.Verdict.Opinions = []wim.Opinion{{Competence: wim.RoadAdministration, Outcome: wim.Exceeded, Standing: wim.Evidence}}
	return d
}

func mustAppend(t testing.TB, j *Journal, d ...Draft) []seal.Sealed {
	t.Helper()
	s, err := j.Append(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// audit re-proves the whole journal from its file and checks that the last record and the cursor agree.
func audit(t testing.TB, j *Journal) Report {
	t.Helper()
	last := map[string]wim.DeviceCursor{}
	seen := map[wim.DeviceCursor]bool{}
	rep, err := Audit(t.Context(), j.cfg.Path, func(r *wim.Record, _ []byte) error {
		if p := r.Passage; p != nil {
			if seen[p.Source] {
				t.Errorf("%+v is recorded twice", p.Source)
			}
			seen[p.Source] = true
			last[p.Source.Device] = p.Source
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range rep.Chains {
		if c.Err != nil {
			t.Errorf("chain %s: %v", c.Chain, c.Err)
		}
	}
	for _, c := range rep.Cursors {
		if l, ok := last[c.Device]; ok && l != c {
			t.Errorf("cursor %+v, last record rests on %+v", c, l)
		}
	}
	return rep
}

func receiptFor(t testing.TB, j *Journal, seq, epoch uint64) seal.Receipt {
	t.Helper()
	r := seal.Receipt{Site: testSite, Chain: j.Chain(), Seq: seq, Epoch: epoch}
	if seq == 0 {
		return r
	}
	got, err := j.After(t.Context(), j.Chain(), seq-1, 1, 1)
	if err != nil || len(got) != 1 {
		t.Fatalf("record %d: %d, %v", seq, len(got), err)
	}
	r.Digest = got[0].Digest
	return r
}

func TestANewJournalBeginsWithAChainStart(t *testing.T) {
	j := fresh(t)
	got, err := j.After(t.Context(), j.Chain(), 0, 10, 1<<20)
	if err != nil || len(got) != 1 {
		t.Fatalf("%d records, %v", len(got), err)
	}
	r, err := seal.Open(got[0].Raw)
	if err != nil {
		t.Fatal(err)
	}
	if r.Kind != wim.KindStart || r.Start.Cause != "new-journal" || r.Start.Key != "key-1" || r.Start.Predecessor != nil || r.Seq != 1 {
		t.Errorf("%+v %+v", r, r.Start)
	}
	st, err := os.Stat(j.cfg.Path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

func TestAppendNamesRecordsAndSurvivesReopening(t *testing.T) {
	j := fresh(t)
	chain := j.Chain()
	mustAppend(t, j, passageDraft(7, 3), passageDraft(7, 6))
	var name wim.RecordRef
	late := passageDraft(7, 9)
	late.Name = &name
	supp := Draft{Kind: wim.KindSupplement, Lane: 1, Time: late.Time + 1, Of: &name,
		Supplement: &wim.Supplement{Cause: "late-plate", Facts: late.Passage.Facts}}
	s := mustAppend(t, j, late, supp)
	if s[1].Seq != 5 || name.Seq != 4 || name.Digest != s[0].Digest || name.Chain != chain {
		t.Fatalf("sealed %d and %d, named %+v", s[0].Seq, s[1].Seq, name)
	}
	j = reopen(t, j)
	if seq, d := j.Head(); seq != 5 || d != s[1].Digest || j.Chain() != chain {
		t.Errorf("head %d %s", seq, d.Short())
	}
	if c, ok := j.Cursor("scale-1"); !ok || c != (wim.DeviceCursor{Device: "scale-1", Boot: 7, Seq: 9}) {
		t.Errorf("cursor %+v %v", c, ok)
	}
	kept, err := j.Recent(t.Context(), 1, late.Time, 10)
	if err != nil || len(kept) != 2 || kept[0].Ref != name || kept[1].Record.Supplement.Of != name {
		t.Errorf("recent: %+v, %v", kept, err)
	}
	audit(t, j)
}

func TestADraftThatCanNeverBeSealedNamesItselfAndKeepsNothing(t *testing.T) {
	huge := passageDraft(7, 6)
	huge.Passage.Facts.Road.Name = strings.Repeat("x", seal.MaxRecord)
	orphan := Draft{Kind: wim.KindSupplement, Supplement: &wim.Supplement{}, Of: new(wim.RecordRef)}
	for name, tc := range map[string]struct {
		drafts []Draft
		index  int
	}{
		"a record larger than any may be":         {[]Draft{passageDraft(7, 5), huge}, 1},
		"a message that is already accounted for": {[]Draft{passageDraft(7, 3)}, 0},
		"a message twice in one append":           {[]Draft{passageDraft(7, 5), passageDraft(7, 5)}, 1},
		"a supplement to nothing":                 {[]Draft{passageDraft(7, 5), orphan}, 1},
		"a kind without its body":                 {[]Draft{{Kind: wim.KindGap}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			j := fresh(t)
			mustAppend(t, j, passageDraft(7, 3))
			before, digest := j.Head()
			_, err := j.Append(t.Context(), tc.drafts)
			var de *DraftError
			if !errors.As(err, &de) || de.Index != tc.index {
				t.Fatalf("want draft %d refused, have %v", tc.index, err)
			}
			if seq, d := j.Head(); seq != before || d != digest {
				t.Errorf("head moved to %d", seq)
			}
			mustAppend(t, j, passageDraft(7, 8))
			audit(t, j)
		})
	}
}

func TestACommitThatReportsAnErrorIsNeitherLostNorDoubled(t *testing.T) {
	broken := errors.New("broken line to the disk")
	for name, tc := range map[string]struct {
		commit func(func() error) error
		kept   bool
	}{
		"failed and not kept": {func(func() error) error { return broken }, false},
		"failed, but kept":    {func(last func() error) error { return errors.Join(broken, last()) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			j := fresh(t)
			mustAppend(t, j, passageDraft(7, 3))
			j.commit = tc.commit
			_, err := j.Append(t.Context(), []Draft{passageDraft(7, 6)})
			if tc.kept != (err == nil) || (!tc.kept && !errors.Is(err, broken)) {
				t.Fatalf("append: %v", err)
			}
			chain, cerr := j.StartChain(t.Context(), "fork")
			if tc.kept != (cerr == nil) || (tc.kept && j.Chain() != chain) {
				t.Fatalf("start chain: %v", cerr)
			}
			_, rerr := j.ApplyReceipt(t.Context(), receiptFor(t, j, 1, 1))
			if tc.kept != (rerr == nil) {
				t.Fatalf("receipt: %v", rerr)
			}
			j.commit = func(last func() error) error { return last() }
			mustAppend(t, j, passageDraft(7, 9))
			rep := audit(t, j)
			want := 1
			if tc.kept {
				want = 2
			}
			if len(rep.Chains) != want {
				t.Errorf("%d chains, want %d", len(rep.Chains), want)
			}
			if got, _ := j.Receipted(); (got == 1) != tc.kept {
				t.Errorf("receipted %d", got)
			}
			reopen(t, j)
		})
	}
}

func TestOpenRefusesWhatIsNotItsOwn(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, j *Journal)
		want  error
		says  string
	}{
		"another site's journal": {func(t *testing.T, j *Journal) { execSQL(t, j, `UPDATE meta SET value = 'south-2' WHERE key = 'site'`) }, ErrSite, "south-2"},
		"a head that its records do not prove": {func(t *testing.T, j *Journal) {
			execSQL(t, j, `DELETE FROM record WHERE id = (SELECT max(id) FROM record)`)
		}, ErrDamaged, "records end at 2"},
		"a record whose bytes were changed": {func(t *testing.T, j *Journal) {
			execSQL(t, j, `UPDATE record SET raw = CAST(replace(CAST(raw AS TEXT), '17500', '16500') AS BLOB) WHERE id & 0xffff = 2`)
		}, ErrDamaged, "record"},
		"a record filed under another digest": {func(t *testing.T, j *Journal) {
			execSQL(t, j, `UPDATE record SET digest = zeroblob(32) WHERE id & 0xffff = 2`)
		}, ErrDamaged, "another digest"},
		"a newer schema": {func(t *testing.T, j *Journal) { execSQL(t, j, `PRAGMA user_version = 99`) }, nil, "schema version 99"},
		"a file that is no database": {func(t *testing.T, j *Journal) {
			overwrite(t, j)
		}, ErrDamaged, "move the file aside"},
		"a file that others may read": {func(t *testing.T, j *Journal) {
			if err := os.Chmod(j.cfg.Path, 0o644); err != nil {
				t.Fatal(err)
			}
		}, nil, "chmod 600"},
	} {
		t.Run(name, func(t *testing.T) {
			j := fresh(t)
			mustAppend(t, j, passageDraft(7, 3), passageDraft(7, 6))
			tc.spoil(t, j)
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			again, err := Open(t.Context(), j.cfg)
			if err == nil {
				again.Close() //nolint:errcheck // the test has failed already
				t.Fatal("opened")
			}
			if tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("want %v, have %v", tc.want, err)
			}
			if !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v does not say %q", err, tc.says)
			}
		})
	}
}

func execSQL(t *testing.T, j *Journal, q string) {
	t.Helper()
	if _, err := j.write.ExecContext(t.Context(), q); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(j.cfg.Path, []byte(strings.Repeat("this is a letter, not a journal. ", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTwoDaemonsCannotShareAJournal(t *testing.T) {
	j := fresh(t)
	if _, err := Open(t.Context(), j.cfg); !errors.Is(err, ErrBusy) {
		t.Fatalf("want busy, have %v", err)
	}
	if rep := audit(t, j); rep.Site != testSite {
		t.Errorf("an audit beside the open journal reads %+v", rep)
	}
}

func TestOpenSaysWhatToDoAboutAPathThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"a folder": dir, "below a file": filepath.Join(file, "journal.db"), "no path": ""} {
		t.Run(name, func(t *testing.T) {
			if _, err := Open(t.Context(), testConfig(path)); err == nil {
				t.Fatal("opened")
			}
		})
	}
}

func TestAFullDiskKeepsNothingOfAnAppendAndTheNextOneFits(t *testing.T) {
	cfg := testConfig(filepath.Join(t.TempDir(), "journal.db"))
	cfg.MaxBytes = 200 << 10
	j := open(t, cfg)
	seq := uint32(0)
	var err error
	for err == nil {
		seq += 3
		_, err = j.Append(t.Context(), []Draft{passageDraft(7, seq), passageDraft(7, seq+1)})
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("want full, have %v", err)
	}
	if c, _ := j.Cursor("scale-1"); c.Seq != seq-2 {
		t.Errorf("the cursor stands at %d, the last kept record rests on %d", c.Seq, seq-2)
	}
	audit(t, j)
	execSQL(t, j, `PRAGMA max_page_count = 100000`)
	mustAppend(t, j, passageDraft(7, seq))
	audit(t, j)
	reopen(t, j)
}

// The fixture was written by the last build with schema version 1 and is never written anew: two chains, records
// 1 to 4 of the first pruned, one urgent, a configuration, a picture that waits.
func TestAJournalOfSchemaVersion1IsTakenOver(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "v1-journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	j := open(t, testConfig(path))
	rep := audit(t, j)
	if len(rep.Chains) != 2 || rep.Chains[0].Pruned != 4 || rep.Chains[0].Proven != 6 || rep.Chains[0].Receipted != 4 || rep.Chains[1].Proven != 4 {
		t.Errorf("chains %+v", rep.Chains)
	}
	if c, ok := j.Cursor("scale-1"); !ok || c.Boot != 8 || c.Seq != 2 {
		t.Errorf("cursor %+v", c)
	}
	if c, ref, ok, err := j.Configuration(t.Context()); err != nil || !ok || ref.Seq != 2 || len(c.Active) != 1 {
		t.Errorf("configuration %+v at %d, %v", c, ref.Seq, err)
	}
	if u, err := j.Urgent(t.Context(), j.Chain(), 0, 10); err != nil || len(u) != 1 || u[0] != 4 {
		t.Errorf("urgent %v, %v", u, err)
	}
	if p, err := j.WaitingPictures(t.Context(), 10); err != nil || len(p) != 1 {
		t.Errorf("pictures %v, %v", p, err)
	}
	mustAppend(t, j, reportedDraft(8, 3, "a"))
	j = reopen(t, j)
	mustKnow(t, j, "a", true)
	if rep := audit(t, j); rep.Chains[1].Proven != 5 {
		t.Errorf("chains %+v", rep.Chains)
	}
}

func TestCursorsAndHeadAreFoundAgainHoweverTheFoldStands(t *testing.T) {
	for _, n := range []uint32{1, 2, 103, 104, foldEvery - 1, foldEvery, foldEvery + 1, 3*foldEvery + 7} {
		j := fresh(t)
		for seq := uint32(1); seq <= n; seq++ {
			d := passageDraft(7, seq)
			if seq%100 == 3 { // one row for two devices
				d.Cursors = append(d.Cursors, wim.DeviceCursor{Device: "other", Boot: 1, Seq: seq})
			}
			mustAppend(t, j, d)
		}
		crashed := copyOf(t, j)
		again := open(t, testConfig(crashed))
		wantSeq, wantDigest := j.Head()
		if seq, digest := again.Head(); seq != wantSeq || digest != wantDigest {
			t.Errorf("%d records: head %d, want %d", n, seq, wantSeq)
		}
		if !maps.Equal(again.Cursors(), j.Cursors()) {
			t.Errorf("%d records: cursors %v, want %v", n, again.Cursors(), j.Cursors())
		}
		if _, err := again.Append(t.Context(), []Draft{passageDraft(7, n)}); err == nil {
			t.Errorf("%d records: a message was taken into account twice", n)
		}
	}
}

// copyOf is the journal's file as it lies on the disk while it is open, as a crash would leave it.
func copyOf(t testing.TB, j *Journal) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "journal.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(j.cfg.Path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}
