package intake

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// trusting is a rig whose keys are enrolled, rotated and ended in its store.
func trusting(t *testing.T, change ...func(*store.Config)) *rig {
	t.Helper()
	r := newRig(t, change...)
	r.cfg.Sites = nil
	r.cfg.Keys = NewKeyring(r.store, map[wim.SiteID][]*seal.Verifier{known: {storetest.Signer(t, 1).Verifier()}, "south-2": nil})
	var err error
	if r.Intake, err = New(r.cfg); err != nil {
		t.Fatal(err)
	}
	if err := r.store.SetRegions(t.Context(), map[wim.SiteID]center.Region{known: "51", "south-2": "52"}); err != nil {
		t.Fatal(err)
	}
	return r
}

// rotate seals a rotation to the key of a seed and returns its sequence.
func rotate(t *testing.T, c *storetest.Chain, seed byte) int {
	t.Helper()
	body, err := seal.NewRotation(c.Site, c.ID, c.Key.ID, storetest.Signer(t, seed))
	if err != nil {
		t.Fatal(err)
	}
	c.Add(&wim.Record{Kind: wim.KindRotation, Rotation: body})
	return len(c.Records)
}

func TestAKeyTakesOverByARecordOfTheOneBefore(t *testing.T) {
	r := trusting(t)
	old, next := storetest.Signer(t, 1), storetest.Signer(t, 2)
	c := storetest.NewChain(t, known, 0).Quiet(2)
	at := rotate(t, c, 2)
	c.Quiet(6)
	by := func(k *seal.Signer, from, to int) []byte { c.Key = k; return c.Bundle(from, to) }
	wants := func(what string, held uint64, quarantined int) {
		t.Helper()
		if got := r.sent.last().Seq; got != held || r.quarantined() != quarantined {
			t.Errorf("%s: receipted to %d, want %d; %d set aside, want %d", what, got, held, r.quarantined(), quarantined)
		}
	}
	r.take(known, by(next, 1, 2))
	wants("a key that nobody handed over to", 0, 1)
	// A centre that was restored is sent the rotation and what follows it at once, in one message.
	r.take(known, by(old, 1, at), by(next, at+1, at+1))
	wants("the rotation and the first record behind it", uint64(at)+1, 1)
	r.take(known, by(old, at+2, at+2))
	wants("the old key, behind what the new one signed", uint64(at)+1, 2)
	r.take(known, by(old, 1, at))
	wants("the old key, up to its rotation, once more", uint64(at)+1, 2)
	r.take(known, by(next, at+2, at+4))
	wants("the new key", uint64(at)+4, 2)

	again := storetest.NewChain(t, known, 1).Quiet(1)
	again.Key = old
	r.take(known, again.Bundle(1, 2))
	wants("the old key, in another chain", uint64(at)+4, 3)

	keys, err := r.store.SiteKeys(t.Context())
	if err != nil || len(keys) != 2 {
		t.Fatalf("%+v, %v", keys, err)
	}
	for _, k := range keys {
		switch k.ID {
		case old.ID:
			if k.Ended == 0 || k.EndSeq != uint64(at) || k.EndChain != c.ID || k.How != center.KeyConfigured {
				t.Errorf("the old key: %+v", k)
			}
		case next.ID:
			if k.Ended != 0 || k.How != center.KeyByRotation || k.By != old.ID || k.Seq != uint64(at) {
				t.Errorf("the new key: %+v", k)
			}
		}
	}
	if now, _ := r.cfg.Keys.Now(known); len(now) != 1 || now[0].ID != next.ID {
		t.Errorf("%d keys hold", len(now))
	}
}

func TestARotationIsTakenOnceAndOnlyAsItWasMeant(t *testing.T) {
	for _, x := range []struct {
		name  string
		edit  func(t *testing.T, c *storetest.Chain)
		keys  int
		alarm center.AlarmKind
	}{
		{"as it should be", func(t *testing.T, c *storetest.Chain) { rotate(t, c, 2) }, 1, ""},
		{"countersigned for another chain", func(t *testing.T, c *storetest.Chain) {
			other := storetest.NewChain(t, known, 7)
			rotate(t, other, 2)
			rec, err := seal.Open(other.Records[1].Raw)
			if err != nil {
				t.Fatal(err)
			}
			c.Add(&wim.Record{Kind: wim.KindRotation, Rotation: rec.Rotation})
		}, 0, center.AlarmRotation},
		{"to a key that another has", func(t *testing.T, c *storetest.Chain) {
			body, err := seal.NewRotation(c.Site, c.ID, c.Key.ID, storetest.Signer(t, 3))
			if err != nil {
				t.Fatal(err)
			}
			body.New, body.Key = storetest.Signer(t, 4).ID, nil
			c.Add(&wim.Record{Kind: wim.KindRotation, Rotation: body})
		}, 0, center.AlarmRotation},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := trusting(t)
			c := storetest.NewChain(t, known, 0)
			x.edit(t, c)
			c.Quiet(1)
			for range 2 {
				r.take(known, c.Bundle(1, 3))
			}
			if got := r.sent.last().Seq; got != 3 {
				t.Errorf("receipted to %d: the chain must not stand still", got)
			}
			keys, err := r.store.SiteKeys(t.Context())
			if err != nil || len(keys) != x.keys {
				t.Errorf("%d keys, %v", len(keys), err)
			}
			alarms, err := r.store.Alarms(t.Context(), center.Viewer{Login: "sun", Role: center.Administrator}, known)
			if err != nil || x.alarm == "" && len(alarms) != 0 || x.alarm != "" && (len(alarms) != 1 || alarms[0].Kind != x.alarm || alarms[0].Count != 1) {
				t.Errorf("alarms %+v, %v", alarms, err)
			}
		})
	}
}

// enrolDesk is the way in for keys, with a clock.
type enrolDesk struct {
	*rig
	server *httptest.Server
	at     time.Time // of the store and of the desk
}

func newEnrolDesk(t *testing.T) *enrolDesk {
	t.Helper()
	d := &enrolDesk{at: time.Unix(1_790_000_000, 0)}
	d.rig = trusting(t, func(c *store.Config) { c.Now = func() time.Time { return d.at } })
	d.server = httptest.NewServer(NewEnroller(EnrolConfig{Store: d.store, Keys: d.cfg.Keys, Signer: d.cfg.Signer, Now: func() time.Time { return d.at }}))
	t.Cleanup(d.server.Close)
	return d
}

func (d *enrolDesk) code(site wim.SiteID, lost bool) string {
	d.t.Helper()
	c := center.NewCode()
	if err := d.store.PutCode(d.t.Context(), center.Viewer{Login: "sun", Role: center.Administrator}, site, center.CodeDigest(site, c), lost); err != nil {
		d.t.Fatal(err)
	}
	return c
}

func (d *enrolDesk) post(body string) (status int, answer string) {
	d.t.Helper()
	d.at = d.at.Add(time.Second) // who asks once a second is never too fast
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.server.URL+"/enrol", strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	resp, err := d.server.Client().Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func (d *enrolDesk) enrol(k *seal.Signer, site wim.SiteID, code string) (status int, answer string) {
	d.t.Helper()
	jws, err := seal.SignEnrolment(k, site, code, wim.TimeOf(d.at))
	if err != nil {
		d.t.Fatal(err)
	}
	return d.post(jws)
}

func TestASiteEnrolsItsKeyWithACodeOnce(t *testing.T) {
	d := newEnrolDesk(t)
	k := storetest.Signer(t, 5)
	code := d.code("south-2", false)
	for name, try := range map[string]struct {
		site wim.SiteID
		code string
	}{
		"another code": {"south-2", center.NewCode()}, "another site": {known, code}, "a site that is not known": {"east-3", code},
	} {
		if status, _ := d.enrol(k, try.site, try.code); status != http.StatusForbidden {
			t.Errorf("%s: status %d", name, status)
		}
	}
	status, answer := d.enrol(k, "south-2", strings.ToLower(code))
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, answer)
	}
	e, keys, err := seal.VerifyEnrolled(answer)
	if err != nil || e.Key != k.ID || e.Site != "south-2" || len(keys) != 1 || keys[0].ID != d.cfg.Signer.ID {
		t.Errorf("%+v, %v", e, err)
	}
	if status, _ := d.enrol(storetest.Signer(t, 6), "south-2", code); status != http.StatusForbidden {
		t.Errorf("a code was used twice: status %d", status)
	}
	c := storetest.NewChain(t, "south-2", 0).Quiet(1)
	c.Key = k
	d.take("south-2", c.Bundle(1, 2))
	if d.records() != 2 {
		t.Error("records under the enrolled key are not held")
	}
	if status, _ := d.post("hello"); status != http.StatusBadRequest {
		t.Errorf("no request: status %d", status)
	}
	if status, _ := d.post(strings.Repeat("x", maxEnrolment+1)); status != http.StatusBadRequest {
		t.Errorf("too large a request: status %d", status)
	}
	trace, err := d.store.Trail(t.Context(), center.Viewer{Login: "zhao", Role: center.Auditor}, center.TrailQuery{Action: "enrol-key", Limit: 10})
	if err != nil || len(trace) != 1 || !strings.Contains(trace[0].Detail, k.ID) {
		t.Errorf("trail %+v, %v", trace, err)
	}
}

func TestACodeIsGoodForADayAndAFewTries(t *testing.T) {
	d := newEnrolDesk(t)
	k := storetest.Signer(t, 5)
	code := d.code("south-2", false)
	for range center.CodeTries {
		d.enrol(k, "south-2", center.NewCode())
	}
	if status, _ := d.enrol(k, "south-2", code); status != http.StatusForbidden {
		t.Errorf("after %d wrong tries: status %d", center.CodeTries, status)
	}
	old := d.code("south-2", false)
	code = d.code("south-2", false)
	if status, _ := d.enrol(k, "south-2", old); status != http.StatusForbidden {
		t.Errorf("a code that another took the place of: status %d", status)
	}
	d.at = d.at.Add(center.CodeLife)
	if status, _ := d.enrol(k, "south-2", code); status != http.StatusForbidden {
		t.Errorf("a day later: status %d", status)
	}
	for range 20 {
		d.at = d.at.Add(-time.Second) // all at one moment
		if status, _ := d.enrol(k, "south-2", code); status == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("nobody was told to ask more slowly")
}

func TestALostKeyEndsWhenAnotherIsEnrolledInItsPlace(t *testing.T) {
	d := newEnrolDesk(t)
	old, next := storetest.Signer(t, 1), storetest.Signer(t, 5)
	c := storetest.NewChain(t, known, 0).Quiet(3)
	d.take(known, c.Bundle(1, 2))
	if status, answer := d.enrol(next, known, d.code(known, true)); status != http.StatusOK {
		t.Fatalf("status %d: %s", status, answer)
	}
	d.take(known, c.Bundle(3, 4))
	if d.records() != 2 || d.quarantined() != 1 {
		t.Errorf("%d records, %d set aside: the lost key still signs", d.records(), d.quarantined())
	}
	fresh := storetest.NewChain(t, known, 1).Quiet(1)
	fresh.Key = next
	d.take(known, fresh.Bundle(1, 2))
	if d.records() != 4 {
		t.Error("the new key does not sign")
	}
	if status, _ := d.enrol(old, known, d.code(known, false)); status != http.StatusConflict {
		t.Errorf("a key that was lost came back: status %d", status)
	}
	rotated := storetest.NewChain(t, known, 2)
	rotate(t, rotated, 6) // by whoever found the old key
	d.take(known, rotated.Bundle(1, 2))
	if keys, err := d.store.SiteKeys(t.Context()); err != nil || len(keys) != 2 {
		t.Errorf("the lost key handed over: %+v, %v", keys, err)
	}
}

func TestOnlyWhoManagesTheSiteMakesACode(t *testing.T) {
	d := newEnrolDesk(t)
	for _, x := range []struct {
		v    center.Viewer
		want error
	}{
		{center.Viewer{Login: "li", Role: center.Enforcer, Competence: wim.RoadAdministration}, center.ErrNotYours},
		{center.Viewer{Login: "zhao", Role: center.Auditor}, center.ErrNotYours},
		{center.Viewer{Login: "hong", Role: center.Administrator, Region: "52"}, center.ErrNotFound},
		{center.Viewer{Login: "sun", Role: center.Administrator}, nil},
	} {
		if err := d.store.PutCode(t.Context(), x.v, known, [32]byte{1}, false); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", x.v.Login, err)
		}
	}
}

func TestAKeyHandsOverFromEachAlgorithmToTheOther(t *testing.T) {
	r := trusting(t)
	c := storetest.NewChain(t, known, 0).Quiet(1)
	from := 1
	for _, algorithm := range []string{"ES256", "EdDSA", "ES256"} {
		next, err := seal.GenerateSignerFor(algorithm)
		if err != nil {
			t.Fatal(err)
		}
		body, err := seal.NewRotation(c.Site, c.ID, c.Key.ID, next)
		if err != nil {
			t.Fatal(err)
		}
		c.Add(&wim.Record{Kind: wim.KindRotation, Rotation: body})
		r.take(known, c.Bundle(from, len(c.Records)))
		from = len(c.Records) + 1
		c.Key = next
		c.Quiet(2)
	}
	r.take(known, c.Bundle(from, len(c.Records)))
	if got := r.sent.last(); got.Seq != uint64(len(c.Records)) || r.quarantined() != 0 {
		t.Errorf("receipted to %d of %d, %d set aside", got.Seq, len(c.Records), r.quarantined())
	}
	if now, _ := r.cfg.Keys.Now(known); len(now) != 1 || now[0].ID != c.Key.ID {
		t.Errorf("%d keys hold", len(now))
	}
}

func TestAKeyThatOneCentreEnrolledOrEndedIsSoAtTheOtherAtOnce(t *testing.T) {
	d := newEnrolDesk(t)
	cfg := d.cfg
	cfg.Keys = NewKeyring(d.store, map[wim.SiteID][]*seal.Verifier{"south-2": nil})
	other, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	k := storetest.Signer(t, 5)
	if status, answer := d.enrol(k, "south-2", d.code("south-2", false)); status != http.StatusOK {
		t.Fatalf("status %d: %s", status, answer)
	}
	c := storetest.NewChain(t, "south-2", 0).Quiet(1)
	c.Key = k
	if err := other.HandleMessage(t.Context(), "south-2", d.message(c.Bundle(1, 2))); err != nil {
		t.Fatal(err)
	}
	if d.records() != 2 || d.quarantined() != 0 {
		t.Errorf("%d records, %d set aside", d.records(), d.quarantined())
	}
	running, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		if err := cfg.Keys.Run(running); err != nil {
			t.Error(err)
		}
	})
	defer done.Wait()
	defer stop()
	if status, answer := d.enrol(storetest.Signer(t, 6), "south-2", d.code("south-2", true)); status != http.StatusOK {
		t.Fatalf("status %d: %s", status, answer)
	}
	limit := time.Now().Add(refreshEvery - time.Second) // before it looks by itself
	for {
		now, _ := cfg.Keys.Now("south-2")
		if len(now) == 1 && now[0].ID != k.ID {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("the other centre has not heard that the key has ended: %d keys hold", len(now))
		}
		time.Sleep(time.Millisecond)
	}
}
