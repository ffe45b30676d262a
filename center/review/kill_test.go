package review

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/intake"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const (
	killEnv  = "AXLEGATE_CENTER_KILL"
	killSite = "north-1"
	killLen  = 200
)

func TestMain(m *testing.M) {
	if path := os.Getenv(killEnv); path != "" {
		if err := serve(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// site is the same chain in every process: exceeded passages, some of them with a supplement after or, once
// sent, before them.
func site(t testing.TB) *storetest.Chain {
	c := storetest.NewChain(t, killSite, 0)
	both := storetest.Verdict(storetest.Opinion(wim.RoadAdministration, wim.Exceeded, wim.Evidence), storetest.Opinion(wim.TrafficPolice, wim.Exceeded, wim.Screening))
	for len(c.Records) < killLen {
		c.Quiet(1)
		ref := c.Exceeded()
		if len(c.Records)%3 == 0 {
			c.Quiet(2)
			c.Supplement(ref, both, "川A12345")
		}
	}
	return c
}

// serve is a centre's intake and review, and a site that sends its chain again and again in pieces of any
// size and order, until all is receipted. It prints every receipt that left and every event that was seen.
func serve(path string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	s, err := store.OpenSQLite(ctx, store.Config{Path: path})
	if err != nil {
		return err
	}
	c := site(&testing.T{}) // a failure would panic: there is nobody to report it to
	whole := make(chan struct{})
	var once sync.Once
	keys := []*seal.Verifier{c.Key.Verifier()}
	own, err := seal.GenerateSigner()
	if err != nil {
		return err
	}
	in, err := intake.New(intake.Config{
		Store: s, Signer: own, Sites: func(wim.SiteID) ([]*seal.Verifier, bool) { return keys, true },
		SendReceipt: func(_ context.Context, _ string, jws []byte) error {
			r, err := seal.VerifyReceipt(string(jws), own.Verifier())
			if err != nil || r.Fork {
				return fmt.Errorf("receipt %+v: %w", r, err)
			}
			fmt.Println("receipt", r.Seq, r.Digest)
			if r.Seq == uint64(len(c.Records)) {
				once.Do(func() { close(whole) })
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	rev, err := New(Config{Store: s, Rules: having(), Batch: 5, Idle: 10 * time.Millisecond})
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	for _, run := range []func(context.Context) error{in.Run, rev.Run, func(ctx context.Context) error { return follow(ctx, s) }} {
		all.Go(func() {
			if err := run(ctx); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		})
	}
	for {
		select {
		case <-whole:
			for { // until everything is reviewed
				w, left, err := s.Waiting(ctx)
				if err != nil {
					return err
				}
				if w == 0 && left == 0 {
					stop()
					all.Wait()
					return s.Close()
				}
			}
		default:
		}
		from := 1 + rand.IntN(len(c.Records))
		to := min(len(c.Records), from+rand.IntN(30))
		p, _, err := uplink.Pack([][]byte{c.Bundle(from, to)})
		if err != nil {
			return err
		}
		if err := in.HandleMessage(ctx, killSite, p); err != nil {
			return err
		}
	}
}

func follow(ctx context.Context, s *store.Store) error {
	hint, cancel := s.Changed()
	defer cancel()
	for last := int64(0); ; {
		ev, err := s.EventsAfter(ctx, storetest.Viewer(wim.RoadAdministration), last, 1000)
		if err != nil && ctx.Err() == nil {
			return err
		}
		for _, e := range ev {
			last = e.ID
			fmt.Println("event", eventLine(e))
		}
		select {
		case <-hint:
		case <-ctx.Done():
			return nil
		}
	}
}

func eventLine(e center.Event) string {
	return fmt.Sprintf("%d %s %d %d %d", e.ID, e.Kind, e.Alert, e.Matter, e.At)
}

func TestAKilledCentreHasWhatItReceiptedAndNothingTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "center.db")
	c := site(t)
	receipted, events := uint64(0), map[string]bool{}
	note := func(line string) {
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "receipt":
			var seq uint64
			var digest string
			if _, err := fmt.Sscan(rest, &seq, &digest); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if seq < receipted {
				t.Errorf("receipt %d after %d", seq, receipted)
			}
			if seq > 0 && digest != c.Records[seq-1].Digest.String() {
				t.Errorf("receipt of record %d with digest %s", seq, digest)
			}
			receipted = seq
		case "event":
			events[rest] = true
		}
	}
	done := false
	for round := 0; !done; round++ {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), killEnv+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if round < 8 {
			for n := 3 + rand.IntN(25); n > 0 && lines.Scan(); n-- {
				note(lines.Text())
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		for lines.Scan() { // what it had said before it died counts too
			note(lines.Text())
		}
		done = cmd.Wait() == nil
		if round >= 8 && !done {
			t.Fatal("the last one did not end by itself")
		}
		audit(t, path, c, receipted, events)
	}
	if receipted != uint64(len(c.Records)) {
		t.Errorf("receipted %d of %d", receipted, len(c.Records))
	}
	everyMatterOnce(t, path, c)
}

// audit re-proves the store: every receipted record is there bit for bit, none is there twice, and every event
// that anybody ever saw is still the one with that id.
func audit(t *testing.T, path string, c *storetest.Chain, receipted uint64, events map[string]bool) {
	t.Helper()
	held := map[uint64]int{}
	rep, err := store.Audit(t.Context(), path, func(r *wim.Record, raw []byte) error {
		if wim.DigestOf(raw) != c.Records[r.Seq-1].Digest {
			return fmt.Errorf("record %d is another one", r.Seq)
		}
		held[r.Seq]++
		return nil
	})
	if err != nil || len(rep.Problems) != 0 {
		t.Fatalf("audit: %v %v", rep.Problems, err)
	}
	for seq := uint64(1); seq <= uint64(len(c.Records)); seq++ {
		if n := held[seq]; n > 1 || n == 0 && seq <= receipted {
			t.Fatalf("record %d is held %d times; receipted is %d", seq, n, receipted)
		}
	}
	s, err := store.OpenSQLite(t.Context(), store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	now := map[string]bool{}
	list, err := s.EventsAfter(t.Context(), storetest.Viewer(wim.RoadAdministration), 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range list {
		if i > 0 && e.ID <= list[i-1].ID {
			t.Fatalf("event %d after %d", e.ID, list[i-1].ID)
		}
		now[eventLine(e)] = true
	}
	for line := range events {
		if !now[line] {
			t.Fatalf("event %q was seen and is gone", line)
		}
	}
}

// everyMatterOnce checks that what the boards show is what the chain calls for.
func everyMatterOnce(t *testing.T, path string, c *storetest.Chain) {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	want := map[uint64]int{} // records by the passage that opened the matter
	for i := range c.Records {
		rec, err := seal.Open(c.Records[i].Raw)
		if err != nil {
			t.Fatal(err)
		}
		if rec.Passage != nil && rec.Passage.Verdict.Alerts() {
			want[rec.Seq]++
		}
		if rec.Supplement != nil {
			want[rec.Supplement.Of.Seq]++
		}
	}
	got, _, err := s.Board(t.Context(), storetest.Viewer(wim.RoadAdministration), 10_000)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Errorf("%d alerts, want %d", len(got), len(want))
	}
	police := 0
	for _, e := range got {
		if len(e.Records) != want[e.Matter.Opening.Seq] {
			t.Errorf("matter of record %d has %d records, want %d", e.Matter.Opening.Seq, len(e.Records), want[e.Matter.Opening.Seq])
		}
		if len(e.Records) > 1 {
			police++
		}
	}
	if p, _, err := s.Board(t.Context(), storetest.Viewer(wim.TrafficPolice), 10_000); err != nil || len(p) != police || police == 0 {
		t.Errorf("the police has %d alerts, want %d, %v", len(p), police, err)
	}
}
