package store_test

import (
	"database/sql"
	"sync"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/wim"
)

// A supplement that is reviewed while an officer acts reads the matter before the act is written.
func TestAReviewKeepsWhatAnOfficerDoesMeanwhile(t *testing.T) {
	p := newPostgres(t)
	a, b := p.open(), p.open()
	li := center.Officer{Login: "li", Role: center.Enforcer, Competence: wim.RoadAdministration, Hash: "h"}
	putOfficer(t, a, li)
	verdict := storetest.Verdict(storetest.Opinion(wim.RoadAdministration, wim.Exceeded, wim.Evidence))
	c := storetest.NewChain(t, "north-1", 0)
	ref := c.Passage(verdict, "川A12345")
	put(t, a, c.All())
	review(t, a)
	c.Supplement(ref, verdict, "川A12345", "川A1234挂")
	put(t, a, c.Segment(3, 3))

	written, kept := make(chan struct{}), make(chan struct{})
	b.OnCommit(func(q *sql.Tx) error {
		close(written)
		<-kept
		return q.Commit()
	})
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := b.Do(t.Context(), li.Viewer(), 1, center.ActAcknowledge, center.Details{}, 0); err != nil {
			t.Error(err)
		}
	})
	<-written
	all.Go(func() { review(t, a) })
	until(t, "the review waits for the act", func() bool { return p.sum(`SELECT count(*) FROM pg_locks WHERE NOT granted`) > 0 })
	close(kept)
	all.Wait()
	f, err := a.File(t.Context(), li.Viewer(), 1)
	if err != nil || f.Docket.Matter.State != center.Acknowledged || f.Docket.Matter.Version != 1 || len(f.Docket.Matter.Plates) != 2 {
		t.Errorf("%+v %v", f.Docket, err)
	}
	if n := p.sum(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}

// Who disables an officer leaves the password as it is, also when the officer is changing it.
func TestAPasswordThatIsChangedMeanwhileStays(t *testing.T) {
	p := newPostgres(t)
	a, b := p.open(), p.open()
	putOfficer(t, a, center.Officer{Login: "sun", Role: center.Administrator, Hash: "h", Configured: true})
	wang := center.Officer{Login: "wang", Role: center.Auditor, Hash: "old"}
	putOfficer(t, a, wang)
	written, kept := make(chan struct{}), make(chan struct{})
	b.OnCommit(func(q *sql.Tx) error {
		close(written)
		<-kept
		return q.Commit()
	})
	var all sync.WaitGroup
	all.Go(func() {
		if err := b.ChangePassword(t.Context(), "wang", "new"); err != nil {
			t.Error(err)
		}
	})
	<-written
	wang.Hash, wang.Disabled = "", true
	all.Go(func() {
		if err := a.PutOfficer(t.Context(), "sun", wang); err != nil {
			t.Error(err)
		}
	})
	until(t, "the administrator waits for the officer", func() bool { return p.sum(`SELECT count(*) FROM pg_locks WHERE NOT granted`) > 0 })
	close(kept)
	all.Wait()
	if o, err := a.Officer(t.Context(), "wang"); err != nil || o.Hash != "new" || !o.Disabled {
		t.Errorf("%+v %v", o, err)
	}
}
