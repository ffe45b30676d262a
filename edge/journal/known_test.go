package journal

import (
	"fmt"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

func reportedDraft(boot, seq uint32, id string) Draft {
	d := passageDraft(boot, seq)
	d.Key = id
	d.Passage.Facts.Vehicle.Controller = &wim.ControllerRecord{ID: id}
	return d
}

func mustKnow(t *testing.T, j *Journal, key string, want bool) {
	t.Helper()
	if got, err := j.Knows(t.Context(), "scale-1", key); err != nil || got != want {
		t.Errorf("knows %q: %t, %v; want %t", key, got, err, want)
	}
}

func TestARecordIsKnownByItsDevicesNameFromItsCommitOn(t *testing.T) {
	j := fresh(t)
	mustKnow(t, j, "a", false)
	mustAppend(t, j, reportedDraft(1, 1, "a"), reportedDraft(1, 2, "b"))
	mustKnow(t, j, "a", true)
	mustKnow(t, j, "b", true)
	if ok, err := j.Knows(t.Context(), "scale-2", "a"); ok || err != nil {
		t.Errorf("another device's: %t, %v", ok, err)
	}
	if _, err := j.Append(t.Context(), []Draft{reportedDraft(1, 3, "c"), reportedDraft(1, 2, "d")}); err == nil {
		t.Fatal("a message was taken into account twice")
	}
	mustKnow(t, j, "c", false)
	j = reopen(t, j)
	mustKnow(t, j, "a", true)
	if _, err := j.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	mustKnow(t, j, "a", true)
}

func TestTheOldestNamesOfRecordsAreForgottenFirst(t *testing.T) {
	j := fresh(t)
	mustAppend(t, j, reportedDraft(1, 1, "a"), reportedDraft(1, 2, "b"))
	execSQL(t, j, `UPDATE known SET id = id + 1000000 WHERE key = 'b'`)
	mustAppend(t, j, passageDraft(1, 3))
	seq, _ := j.Head()
	if _, err := j.ApplyReceipt(t.Context(), receiptFor(t, j, seq, 1)); err != nil {
		t.Fatal(err)
	}
	if n, err := j.Prune(t.Context(), time.Now().Add(2*DefaultKeep)); err != nil || n == 0 {
		t.Fatalf("pruned %d, %v", n, err)
	}
	mustKnow(t, j, "a", false)
	mustKnow(t, j, "b", true)
}

func TestNamesOfRecordsAreSavedFromADamagedJournal(t *testing.T) {
	cfg := testConfig(t.TempDir() + "/journal.db")
	j := open(t, cfg)
	mustAppend(t, j, reportedDraft(1, 1, "a"), passageDraft(1, 2))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, _, err := Recover(t.Context(), cfg, fmt.Errorf("%w: for the test", ErrDamaged))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}()
	mustKnow(t, j, "a", true)
}
