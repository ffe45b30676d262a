package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/internal/testenv"
	"github.com/axlegate/axlegate/wim"
)

const cutAll = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`

// Whatever becomes of the database while a batch is stored: the caller gets an error or a result that is
// true, nothing is kept by half, and sending the same again comes to the same.
func TestADatabaseThatGoesAwayKeepsAllOrNothing(t *testing.T) {
	lost := errors.New("answer lost")
	server := testenv.NewPostgres(t)
	for _, c := range []struct {
		name  string
		fault func(t *testing.T, server *testenv.PostgresInstance, p *place) func(*sql.Tx) error
		fresh int // of the batch, once it is sent again
	}{
		{"the answer to the commit is lost, it was kept", func(_ *testing.T, _ *testenv.PostgresInstance, _ *place) func(*sql.Tx) error {
			return func(x *sql.Tx) error { return errors.Join(lost, x.Commit()) }
		}, 0},
		{"the answer to the commit is lost, it was not kept", func(_ *testing.T, _ *testenv.PostgresInstance, _ *place) func(*sql.Tx) error {
			return func(x *sql.Tx) error { return errors.Join(lost, x.Rollback()) }
		}, 12},
		{"all connections are cut before the commit", func(_ *testing.T, _ *testenv.PostgresInstance, p *place) func(*sql.Tx) error {
			return func(x *sql.Tx) error { p.tamper(cutAll); return x.Commit() }
		}, 12},
		{"the server is killed before the commit", func(t *testing.T, server *testenv.PostgresInstance, _ *place) func(*sql.Tx) error {
			var once sync.Once // the store notes that the server was started anew, and that is a commit too
			return func(x *sql.Tx) error {
				once.Do(func() {
					server.Kill(t)
					server.Start(t)
				})
				return x.Commit()
			}
		}, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := postgresAt(t, server.Database(t))
			s := p.open()
			a, b := storetest.NewChain(t, "north-1", 0).Quiet(9), storetest.NewChain(t, "south-2", 0).Quiet(5)
			put(t, s, a.Segment(1, 4))
			batch := []store.Segment{a.Segment(5, 10), b.All()}
			s.OnCommit(c.fault(t, server, p))
			if r, err := s.StoreSegments(t.Context(), batch); err == nil || r != nil {
				t.Fatalf("%+v %v", r, err)
			}
			s.OnCommit((*sql.Tx).Commit)
			r := put(t, s, batch...)
			if r[0].Fresh+r[1].Fresh != c.fresh || r[0].Seq != 10 || r[1].Seq != 6 || r[0].Fork != nil || r[1].Fork != nil {
				t.Errorf("%+v", r)
			}
			if rep := p.audit(); rep.Records != 16 {
				t.Errorf("%+v", rep)
			}
		})
	}
}

func TestConnectionsThatWereCutAreNoticedByNobody(t *testing.T) {
	p := newPostgres(t)
	s := p.open()
	c := storetest.NewChain(t, "north-1", 0).Quiet(9)
	for i := range 10 {
		p.tamper(cutAll)
		if r := put(t, s, c.Segment(i+1, i+1))[0]; r.Seq != uint64(i+1) || r.Fresh != 1 {
			t.Errorf("%+v", r)
		}
		p.tamper(cutAll)
		if heads, err := s.Heads(t.Context()); err != nil || heads[0].Seq != uint64(i+1) {
			t.Errorf("%+v %v", heads, err)
		}
	}
	p.audit()
}

// The disk of the database is full as far as its processes can tell: no file may grow beyond 17 MB, which is
// just more than one of its logs has.
func TestAFullDiskOfTheDatabaseStoresNothingAndSaysSo(t *testing.T) {
	p := newPostgres(t)
	s := p.open(func(c *store.Config) { c.Conns = 2 })
	limit := func(n string) {
		t.Helper()
		rows, err := p.db.QueryContext(t.Context(), `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
		for rows.Next() {
			var pid string
			if err := rows.Scan(&pid); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "prlimit", "--pid", pid, "--fsize="+n+":unlimited")
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: ownerOf(t, pid)}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	x := &sender{each: 1}
	seg := func(from uint64) store.Segment {
		g := x.batch()[0]
		for i := range g.Records {
			g.Records[i].Seq = from
			g.Records[i].Raw = noise(from, 256<<10)
		}
		return g
	}
	limit("17000000")
	var held uint64
	var prev wim.Digest
	for from := uint64(1); ; from++ {
		g := seg(from)
		g.Records[0].Prev = prev
		r, err := s.StoreSegments(t.Context(), []store.Segment{g})
		prev = g.Records[0].Digest
		if err != nil {
			if !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "free space on the database server") {
				t.Fatal(err)
			}
			break
		}
		if from > 200 {
			t.Fatal("it is never full")
		}
		held = r[0].Seq
	}
	if held == 0 {
		t.Fatal("nothing fitted at all")
	}
	if n := p.sum(`SELECT count(*) FROM ledger`); n != int64(held) {
		t.Errorf("%d in the ledger of %d that were answered for", n, held)
	}
	// Space returns.
	limit("unlimited")
	if r, err := s.StoreSegments(t.Context(), []store.Segment{seg(held + 1)}); err != nil || r[0].Fresh != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

// ownerOf is the user of a process, nil where it is this one's.
func ownerOf(t *testing.T, pid string) *syscall.Credential {
	t.Helper()
	st, err := os.Stat("/proc/" + pid)
	if err != nil {
		t.Fatal(err)
	}
	x, ok := st.Sys().(*syscall.Stat_t)
	if !ok || int(x.Uid) == os.Getuid() {
		return nil
	}
	return &syscall.Credential{Uid: x.Uid, Gid: x.Gid}
}

// noise is what does not get smaller when it is packed.
func noise(seed uint64, n int) []byte {
	var out []byte
	d := wim.DigestOf([]byte{byte(seed), byte(seed >> 8)})
	for len(out) < n {
		d = wim.DigestOf(d[:])
		out = append(out, d[:]...)
	}
	return out
}

// hostile are texts that have broken programs.
func hostile() []string {
	return []string{
		`'; DROP TABLE record; --`, `" OR 1=1 --`, `$1`, `?`, `??`, `%_\'"--`, `\x41`, `{}`, `a` + "\n" + `b`, "\u202e\u0301川A", `E'\\'`, "\x7f\x01", ``,
		strings.Repeat(`'`, 300),
	}
}

func TestHostileTextIsKeptAsItIs(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		s := p.open()
		for i, text := range hostile() {
			o := center.Officer{Login: "x" + text[:min(len(text), 60)], Name: text, Role: center.Enforcer, Competence: wim.RoadAdministration, Hash: "h" + text}
			putOfficer(t, s, o)
			if got, err := s.Officer(t.Context(), o.Login); err != nil || got.Name != text || got.Hash != "h"+text {
				t.Errorf("%q: %+v %v", text, got, err)
			}
			if err := s.Sessions().CommitCtx(t.Context(), text, []byte(text), date(2200, 1, 1)); err != nil {
				t.Errorf("%q: %v", text, err)
			}
			if got, found, err := s.Sessions().FindCtx(t.Context(), text); err != nil || !found || string(got) != text {
				t.Errorf("%q: %q %v %v", text, got, found, err)
			}
			site := wim.SiteID(fmt.Sprintf("site-%d", i))
			if err := s.Quarantine(t.Context(), store.Item{Site: site, Reason: text, Detail: text, Bytes: []byte(text)}); err != nil {
				t.Errorf("%q: %v", text, err)
			}
			if got := alarms(t, s, site); len(got) != 1 || got[0].Subject != text || got[0].Detail != text {
				t.Errorf("%q: %+v", text, got)
			}
			g := (&sender{each: 1}).batch()[0]
			g.Site, g.Key, g.JWS, g.Records[0].Kind = site, text, text, wim.RecordKind(text)
			if r := put(t, s, g)[0]; r.Seq != 1 {
				t.Errorf("%q: %+v", text, r)
			}
			if n := p.sum(`SELECT count(*) FROM segment`); n != int64(i+1) {
				t.Errorf("%q: %d segments", text, n)
			}
		}
	})
}

// PostgreSQL holds no NUL and nothing but UTF-8 in text. Names with such are refused by both forms, so that
// nobody comes again with them for ever; what quotes somebody is made to fit.
func TestTextThatCannotBeHeldIsRefusedOrCleaned(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		s := p.open()
		for _, text := range []string{"a\x00b", "\xff\xfe", "川"[:2]} {
			if _, err := s.Officer(t.Context(), text); !errors.Is(err, store.ErrRefused) {
				t.Errorf("%q: %v", text, err)
			}
			if err := s.SetStatus(t.Context(), wim.SiteID(text), []byte(`{"state":"online"}`)); !errors.Is(err, store.ErrRefused) {
				t.Errorf("%q: %v", text, err)
			}
			if _, found, err := s.Sessions().FindCtx(t.Context(), text); err != nil || found {
				t.Errorf("%q: a session of that name: %v %v", text, found, err)
			}
			for _, change := range []func(*store.Segment){
				func(g *store.Segment) { g.Site = wim.SiteID(text) }, func(g *store.Segment) { g.Key = text }, func(g *store.Segment) { g.JWS = text },
			} {
				g := (&sender{each: 1}).batch()[0]
				change(&g)
				if err := g.Fit(); !errors.Is(err, store.ErrRefused) {
					t.Errorf("%q: %v", text, err)
				}
			}
			// What somebody sent.
			if err := s.Quarantine(t.Context(), store.Item{Site: "north-1", Reason: text, Detail: text + strings.Repeat("川", 400), Bytes: []byte(text)}); err != nil {
				t.Errorf("%q: %v", text, err)
			}
			g := (&sender{each: 1}).batch()[0]
			g.Site, g.Records[0].Kind = "north-1", wim.RecordKind(text)
			if r := put(t, s, g)[0]; r.Seq != 1 {
				t.Errorf("%q: %+v", text, r)
			}
		}
	})
}

// What a site signed is reviewed whatever it says; one record must not hold up all that follow.
func TestHostileRecordsAreReviewed(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		s := p.open()
		c := storetest.NewChain(t, "north-1", 0)
		for _, text := range append(hostile(), "a\x00b") {
			v := storetest.Verdict(storetest.Opinion(wim.RoadAdministration, wim.Exceeded, wim.Evidence))
			v.Judge, v.RuleSet = text, text
			ref := c.Passage(v, text)
			c.Supplement(ref, v, text, text+"2")
			ref.Site = wim.SiteID(text)
			c.Supplement(ref, v, text)
		}
		put(t, s, c.All())
		if e := review(t, s); e.Reviewed != len(c.Records) || e.Opened != len(hostile())+1 {
			t.Errorf("%+v of %d", e, len(c.Records))
		}
		for i, e := range board(t, s) {
			want := append(hostile(), "a\x00b")[len(hostile())-i]
			if want != "" && (len(e.Matter.Plates) == 0 || e.Matter.Plates[0] != want || e.Verdict.Judge != want) {
				t.Errorf("%q: plates %q", want, e.Matter.Plates)
			}
		}
		p.audit()
	})
}

func putOfficer(t *testing.T, s *store.Store, o center.Officer) {
	t.Helper()
	if err := s.PutOfficer(t.Context(), "", o); err != nil {
		t.Fatalf("%q: %v", o.Login, err)
	}
}

func alarms(t *testing.T, s *store.Store, site wim.SiteID) []center.Alarm {
	t.Helper()
	a, err := s.Alarms(t.Context(), storetest.Overseer(), site)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
