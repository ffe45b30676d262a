package journal

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

const killEnv = "AXLEGATE_JOURNAL_KILL"

func TestMain(m *testing.M) {
	if path := os.Getenv(killEnv); path != "" {
		if err := appendForEver(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// appendForEver goes on from the cursor and prints every message number once it is committed.
func appendForEver(path string) error {
	ctx := context.Background()
	j, err := Open(ctx, testConfig(path))
	if err != nil {
		return err
	}
	c, _ := j.Cursor("scale-1")
	for seq := c.Seq + 1; ; {
		var batch []Draft
		for range 1 + rand.IntN(4) {
			batch = append(batch, passageDraft(7, seq))
			seq++
		}
		if _, err := j.Append(ctx, batch); err != nil {
			return err
		}
		fmt.Println(seq - 1)
	}
}

func TestAKilledWriterLeavesAWholeChain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	acknowledged := 0
	for round := range 8 {
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
		for n := 5 + rand.IntN(60); n > 0 && lines.Scan(); n-- {
			if acknowledged, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it had said before it died counts too
			if acknowledged, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the writer ended by itself")
		}

		next := uint32(1)
		rep, err := Audit(t.Context(), path, func(r *wim.Record, _ []byte) error {
			if r.Passage == nil {
				return nil
			}
			if r.Passage.Source.Seq != next {
				return fmt.Errorf("record %d rests on message %d, want %d", r.Seq, r.Passage.Source.Seq, next)
			}
			next++
			return nil
		})
		if err != nil || len(rep.Chains) != 1 || rep.Chains[0].Err != nil {
			t.Fatalf("round %d: %+v, %v", round, rep, err)
		}
		if len(rep.Cursors) != 1 || rep.Cursors[0].Seq != next-1 {
			t.Fatalf("round %d: cursor %+v, last record rests on %d", round, rep.Cursors, next-1)
		}
		if int(next-1) < acknowledged {
			t.Fatalf("round %d: %d was acknowledged, %d is the last kept", round, acknowledged, next-1)
		}
	}
}
