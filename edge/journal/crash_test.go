package journal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// act is one thing that a site does to its journal, one transaction at most.
type act struct {
	name string
	do   func(ctx context.Context, s *stage) error
}

// stage is a journal in the course of a scenario.
type stage struct {
	cfg   Config
	j     *Journal
	now   time.Time
	first wim.ChainID
	acked map[string]bool // digests of the records that an Append gave back
	kept  int             // messages that were accounted for
}

// next is the draft of the next message, whatever became of earlier ones.
func (s *stage) next(ahead uint32) Draft {
	c, _ := s.j.Cursor("scale-1")
	return passageDraft(7, c.Seq+1+ahead)
}

func (s *stage) append(ctx context.Context, drafts ...Draft) error {
	sealed, err := s.j.Append(ctx, drafts)
	if err != nil {
		return err
	}
	for i := range sealed {
		s.acked[sealed[i].Digest.String()] = true
		if sealed[i].Kind == wim.KindPassage {
			s.kept++
		}
	}
	return nil
}

func (s *stage) receipt(ctx context.Context, seq, epoch uint64) error {
	got, err := s.j.After(ctx, s.j.Chain(), seq-1, 1, 1)
	if err != nil || len(got) != 1 {
		return fmt.Errorf("record %d: %d, %w", seq, len(got), err)
	}
	_, err = s.j.ApplyReceipt(ctx, seal.Receipt{Site: testSite, Chain: s.j.Chain(), Seq: seq, Epoch: epoch, Digest: got[0].Digest})
	return err
}

func one(ctx context.Context, s *stage) error { return s.append(ctx, s.next(0)) }

func group(n uint32) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		var g []Draft
		for i := range n {
			g = append(g, s.next(i))
		}
		return s.append(ctx, g...)
	}
}

func receiptTo(seq, epoch uint64) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error { return s.receipt(ctx, seq, epoch) }
}

func prune(ordinal int64) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		_, err := s.j.pruneSome(ctx, ordinal, s.now)
		return err
	}
}

// scenario is everything that is written to a journal, in an order in which a site would.
func scenario() []act {
	picture := Picture{Digest: wim.DigestOf([]byte("picture")), Size: 7}
	return []act{
		{"a passage", one},
		{"a passage", one},
		{"a group of five", group(5)},
		{"an alert", func(ctx context.Context, s *stage) error { return s.append(ctx, urgent(s.next(0))) }},
		{"a passage with a picture", func(ctx context.Context, s *stage) error {
			d := s.next(0)
			d.Pictures = []Picture{picture}
			return s.append(ctx, d)
		}},
		{"a passage of two devices", func(ctx context.Context, s *stage) error {
			d := s.next(0)
			c, _ := s.j.Cursor("camera-1")
			d.Cursors = append(d.Cursors, wim.DeviceCursor{Device: "camera-1", Boot: 2, Seq: c.Seq + 1})
			return s.append(ctx, d)
		}},
		{"a configuration", func(ctx context.Context, s *stage) error {
			return s.append(ctx, Draft{Kind: wim.KindConfiguration, Time: 1, Configuration: &wim.SiteConfiguration{Cause: wim.ConfiguredAtStart, Serial: 3,
				Active: []wim.Part{{Kind: wim.PartRules, Name: "national", Version: "1", Digest: wim.DigestOf([]byte("r"))}}, Changed: []wim.Change{}}})
		}},
		{"a receipt", receiptTo(4, 1)},
		{"a receipt", receiptTo(9, 1)},
		{"a passage", one},
		{"the picture is handed in", func(ctx context.Context, s *stage) error { return s.j.PictureUploaded(ctx, picture.Digest) }},
		{"pruning", func(ctx context.Context, s *stage) error { s.now = s.now.Add(time.Hour); return prune(1)(ctx, s) }},
		{"pruning later", func(ctx context.Context, s *stage) error { s.now = s.now.Add(2 * DefaultKeep); return prune(1)(ctx, s) }},
		{"pictures are pruned", func(ctx context.Context, s *stage) error { _, err := s.j.PrunePictures(ctx, s.now); return err }},
		{"a large group", group(40)},
		{"a chain start", func(ctx context.Context, s *stage) error {
			s.first = s.j.Chain()
			_, err := s.j.StartChain(ctx, "fork")
			return err
		}},
		{"a passage in the new chain", one},
		{"a picture that is refused", func(ctx context.Context, s *stage) error {
			d := s.next(0)
			d.Pictures = []Picture{{Digest: wim.DigestOf([]byte("other")), Size: 5}}
			return s.append(ctx, d)
		}},
		{"the refusal", func(ctx context.Context, s *stage) error {
			return s.j.PictureRefused(ctx, wim.DigestOf([]byte("other")), "too large")
		}},
		{"the old chain is pruned", prune(1)},
		{"a receipt of a restored centre", receiptTo(2, 2)},
		{"the journal is closed", func(_ context.Context, s *stage) error { return s.j.Close() }},
		{"the journal is opened", func(ctx context.Context, s *stage) (err error) { s.j, err = Open(ctx, s.cfg); return err }},
		{"a passage after the start", one},
		{"a group of three", group(3)},
	}
}

// stateOf is all that a journal knows, in words.
func stateOf(ctx context.Context, j *Journal) (string, error) {
	var b strings.Builder
	chains, err := readChains(ctx, j.read)
	if err != nil {
		return "", err
	}
	for i := range chains {
		c := &chains[i]
		if c.ordinal == j.active.ordinal {
			c.head, c.headDigest = j.Head()
		}
		fmt.Fprintf(&b, "chain %s to %d %s, receipted %d %s in %d, pruned %d %s\n", c.id, c.head, c.headDigest, c.receipted, c.receipt, c.epoch, c.pruned, c.prunedLink)
	}
	cursors := j.Cursors()
	for _, d := range []string{"scale-1", "camera-1"} {
		fmt.Fprintf(&b, "cursor %+v\n", cursors[d])
	}
	for what, query := range map[string]string{
		"record":  `SELECT id || ' ' || hex(digest) || ' ' || urgent FROM record ORDER BY id`,
		"picture": `SELECT hex(digest) || ' ' || (uploaded > 0) || refused FROM picture ORDER BY digest`,
		"mark":    `SELECT chain || ' ' || seq || ' ' || time FROM mark ORDER BY chain, seq`,
		"meta":    `SELECT key || ' ' || value FROM meta ORDER BY key`,
	} {
		lines, err := linesOf(ctx, j, what, query)
		if err != nil {
			return "", err
		}
		b.WriteString("\n" + strings.Join(lines, "\n"))
	}
	lines := strings.Split(b.String(), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n"), nil
}

func linesOf(ctx context.Context, j *Journal, what, query string) ([]string, error) {
	rows, err := j.read.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		lines = append(lines, what+" "+line)
	}
	return lines, rows.Err()
}

// moment is what was true once an act had been acknowledged.
type moment struct {
	step  int // how many steps the disk had taken
	name  string
	state string
}

// record plays a scenario on a disk that keeps every step.
func record(t *testing.T, acts []act, pragmas ...string) ([]step, []moment) {
	t.Helper()
	path := filepath.Join(memory(t), "journal.db")
	d, e := newDisk(path, pragmas...)
	s := &stage{cfg: testConfig(path), now: time.Unix(1_790_000_000, 0), acked: map[string]bool{}}
	s.cfg.engine, s.cfg.Now = e, func() time.Time { return s.now }
	var err error
	if s.j, err = Open(t.Context(), s.cfg); err != nil {
		t.Fatal(err)
	}
	var moments []moment
	note := func(name string) {
		if s.j.closed {
			moments = append(moments, moment{d.done(), name, moments[len(moments)-1].state})
			return
		}
		state, err := stateOf(t.Context(), s.j)
		if err != nil {
			t.Fatal(err)
		}
		moments = append(moments, moment{d.done(), name, state})
	}
	note("a new journal")
	for _, a := range acts {
		if err := a.do(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", a.name, err)
		}
		note(a.name)
	}
	steps := slices.Clone(d.steps)
	if err := s.j.Close(); err != nil {
		t.Fatal(err)
	}
	return steps, moments
}

// crash cuts the power at every step and opens what is found, with the library that runs at sites. It tells what
// was wrong, at most so many times, and how many cuts it made.
func crash(t *testing.T, steps []step, moments []moment, atMost int, cuts ...cut) (wrong []string, tried int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(4, 4)) //nolint:gosec // which cuts are tried must be the same each time
	path := filepath.Join(memory(t), "journal.db")
	p := newPlatter()
	at := 0 // the last moment that was acknowledged
	for k := 0; ; k++ {
		for at+1 < len(moments) && moments[at+1].step <= k {
			at++
		}
		for i, c := range cuts {
			if inTurns() && i != k%len(cuts) {
				continue
			}
			tried++
			write(t, path, p.after(c, rng))
			if err := found(t.Context(), path, k, at, moments); err != nil {
				wrong = append(wrong, fmt.Sprintf("step %d, %s, after %q: %v", k, c, moments[at].name, err))
				if len(wrong) == atMost {
					return wrong, tried
				}
			}
		}
		if k == len(steps) {
			return wrong, tried
		}
		p.take(steps[k])
	}
}

// found opens what a crash left and checks that it is what was acknowledged last, or that and the whole of what
// was under way, and that the site can go on with it.
func found(ctx context.Context, path string, k, at int, moments []moment) (err error) {
	cfg := testConfig(path)
	cfg.Now = func() time.Time { return time.Unix(1_890_000_000, 0) }
	j, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := j.Close(); err == nil {
			err = cerr
		}
	}()
	state, err := stateOf(ctx, j)
	if err != nil {
		return err
	}
	if k >= moments[0].step { // before that it may also be a new one
		under := min(at+1, len(moments)-1)
		if state != moments[at].state && state != moments[under].state {
			return fmt.Errorf("it is neither as after that nor as after %q:\n%s\n--- want\n%s", moments[under].name, state, moments[at].state)
		}
	}
	if _, err := j.Append(ctx, []Draft{passageDraft(9, 1)}); err != nil {
		return err
	}
	rep, err := Audit(ctx, path, nil)
	if err != nil {
		return err
	}
	for _, c := range rep.Chains {
		if c.Err != nil || c.Receipted > c.Head || c.Pruned > c.Receipted || c.Proven != c.Head {
			return fmt.Errorf("chain %+v", c)
		}
	}
	if len(rep.Cursors) == 0 || !slices.Contains(rep.Cursors, wim.DeviceCursor{Device: "scale-1", Boot: 9, Seq: 1}) {
		return fmt.Errorf("cursors %+v", rep.Cursors)
	}
	return nil
}

// A small log makes checkpoints many, so that they are cut too.
const smallLog = "wal_autocheckpoint(12)"

func TestThePowerMayFailAtEveryStepOfTheDisk(t *testing.T) {
	steps, moments := record(t, scenario(), smallLog)
	wrong, tried := crash(t, steps, moments, 5, cutKill, cutLost, cutTorn)
	for _, w := range wrong {
		t.Error(w)
	}
	kinds := map[string]int{}
	for _, s := range steps {
		kinds[string(s.kind)+" of journal.db"+s.file]++
	}
	t.Logf("%d acts, %d steps of the disk %v, %d cuts", len(moments), len(steps), kinds, tried)
	if kinds["write of journal.db"] < 20 || kinds["sync of journal.db-wal"] < len(moments)/2 {
		t.Error("the scenario has no checkpoints or no syncs: it proves nothing")
	}
}

func TestACrashTestThatCouldNotFailWouldProveNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		acts    func() []act
		pragmas []string
		cuts    []cut
	}{
		"commits that are not synced":                 {scenario, []string{smallLog, "synchronous(OFF)"}, []cut{cutLost, cutTorn}},
		"commits that are synced only at checkpoints": {scenario, []string{smallLog, "synchronous(NORMAL)"}, []cut{cutLost}},
		"a group in more than one transaction": {func() []act {
			return []act{{"a group of five", func(ctx context.Context, s *stage) error {
				for range 5 {
					if err := one(ctx, s); err != nil {
						return err
					}
				}
				return nil
			}}}
		}, []string{smallLog}, []cut{cutKill}},
		"an acknowledgement without a commit": {func() []act {
			return []act{{"a passage", one}, {"a passage", func(ctx context.Context, s *stage) error {
				s.j.commit = func(func() error) error { return nil }
				defer func() { s.j.commit = func(last func() error) error { return last() } }()
				return one(ctx, s)
			}}}
		}, []string{smallLog}, []cut{cutKill}},
		"a receipt that is applied in memory only": {func() []act {
			return []act{{"a passage", one}, {"a receipt", func(_ context.Context, s *stage) error {
				s.j.active.receipted = 2
				return nil
			}}, {"a passage", func(ctx context.Context, s *stage) error {
				if err := one(ctx, s); err != nil {
					return err
				}
				return s.receipt(ctx, 3, 1)
			}}}
		}, []string{smallLog}, []cut{cutKill}},
	} {
		t.Run(name, func(t *testing.T) {
			steps, moments := record(t, tc.acts(), tc.pragmas...)
			wrong, tried := crash(t, steps, moments, 1, tc.cuts...)
			if len(wrong) == 0 {
				t.Fatalf("%d cuts found nothing wrong", tried)
			}
			t.Logf("found at cut %d", tried)
		})
	}
}
