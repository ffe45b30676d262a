package journal

import (
	"path/filepath"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestAnotherKeyStartsAnotherChainUnlessItWasHandedOver(t *testing.T) {
	for name, c := range map[string]struct {
		rotate bool // a rotation to the new key stands in the chain
		note   bool // and was noted when the new key took over
		chains int
	}{
		"lost":                        {false, false, 2},
		"handed over":                 {true, true, 1},
		"handed over, then a crash":   {true, false, 1},
		"handed over and noted again": {true, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(filepath.Join(t.TempDir(), "journal.db"))
			j := open(t, cfg)
			for range 2 {
				if id, err := j.CheckKey(t.Context()); err != nil || !id.IsZero() {
					t.Fatalf("the same key started chain %s, %v", id, err)
				}
			}
			mustAppend(t, j, passageDraft(7, 1))
			if c.rotate {
				mustAppend(t, j, Draft{Kind: wim.KindRotation, Time: 1, Rotate: func(wim.ChainID) (*wim.Rotation, error) {
					return &wim.Rotation{Old: "key-1", New: "key-2", Key: []byte{1}, Countersignature: "a.b.c"}, nil
				}})
			}
			if c.note {
				if err := j.SetKey(t.Context(), "key-2"); err != nil {
					t.Fatal(err)
				}
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			cfg.Key = "key-2"
			j = open(t, cfg)
			for range 2 {
				if _, err := j.CheckKey(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if rep := audit(t, j); len(rep.Chains) != c.chains {
				t.Errorf("%d chains, want %d", len(rep.Chains), c.chains)
			}
		})
	}
}

func TestWhatALostKeyLeftWithoutAReceiptIsSentUnderTheNext(t *testing.T) {
	cfg := testConfig(filepath.Join(t.TempDir(), "journal.db"))
	j := open(t, cfg)
	if _, err := j.CheckKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	old := j.Chain()
	mustAppend(t, j, passageDraft(7, 1), passageDraft(7, 2), passageDraft(7, 3))
	if _, err := j.ApplyReceipt(t.Context(), receiptFor(t, j, 2, 1)); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Key = "key-2"
	j = open(t, cfg)
	if id, err := j.CheckKey(t.Context()); err != nil || id.IsZero() || id == old {
		t.Fatalf("chain %s, %v", id, err)
	}
	for range 2 {
		if _, err := j.ApplyReceipt(t.Context(), receiptFor(t, j, 1, 1)); err != nil {
			t.Fatal(err)
		}
		if o := j.Outbox(); o.Chain() != old {
			t.Errorf("the turn is chain %s's", o.Chain())
		}
		if to, _ := j.Outbox().Head(); to != 4 {
			t.Errorf("to be sent up to %d", to)
		}
		j = reopen(t, j)
	}
	if n, owed := j.Stranded(), j.Owed(); n != 0 || owed != 2 {
		t.Errorf("%d records are stranded, %d to be sent", n, owed)
	}
}
