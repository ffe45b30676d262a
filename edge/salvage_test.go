package edge

import (
	"testing"

	"github.com/axlegate/axlegate/edge/journal"
)

func TestWhatWasSavedFromADamagedJournalReachesTheCentreBehindWhatIsNew(t *testing.T) {
	r := newRig(t)
	r.bulk(300, 7, 120)
	j, s, err := journal.Recover(t.Context(), journal.Config{Path: r.path(), Site: testSite, Key: r.signer.ID}, journal.ErrDamaged)
	if err != nil {
		t.Fatal(err)
	}
	if s.Saved != 301 || j.Owed() != 301 || j.Stranded() != 0 {
		t.Fatalf("saved %d, to be sent %d, stranded %d", s.Saved, j.Owed(), j.Stranded())
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	r.allReceipted()
	eventually(t, "the centre has receipted what was saved", func() bool { return r.journal.Owed() == 0 })
	r.push(r.scale.vehicle(2, 9000)...)
	eventually(t, "the centre has what came since", func() bool {
		head, _ := r.journal.Head()
		got, _ := r.journal.Receipted()
		return got == head && head > 2
	})
	r.stop()
}
