package parcel

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// fakeSite notes what it was told to work by.
type fakeSite struct {
	works  *edge.Works
	sealed []wim.SiteConfiguration
	dies   bool // the process is killed before the record is sealed
}

var errKilled = errors.New("killed")

func (s *fakeSite) Adopt(_ context.Context, w *edge.Works, cause wim.ConfigurationCause, changed []wim.Change) error {
	if s.dies {
		panic(errKilled)
	}
	s.works = w
	s.sealed = append(s.sealed, wim.SiteConfiguration{Cause: cause, Serial: w.Serial, Active: w.Active, Changed: changed})
	return nil
}

func (s *fakeSite) Running() bool { return true }

func (s *fakeSite) last() *wim.SiteConfiguration {
	if len(s.sealed) == 0 {
		return nil
	}
	return &s.sealed[len(s.sealed)-1]
}

// rig is a depot with a centre that hands parcels out over HTTP.
type rig struct {
	t            *testing.T
	d            *Depot
	cfg          Config
	site         *fakeSite
	center, key  *seal.Signer
	now          time.Time
	serial       uint64
	healthy      error
	mu           sync.Mutex
	parcels      map[wim.Digest][]byte
	cut          int // the next answers break off after so many bytes; 0 for none
	away         bool
	asked        int
	ranges       []string
	lastManifest []byte
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, site: &fakeSite{}, now: time.Unix(1_790_000_000, 0), parcels: map[wim.Digest][]byte{}}
	for _, k := range []**seal.Signer{&r.center, &r.key} {
		var err error
		if *k, err = seal.GenerateSigner(); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(server.Close)
	set := ruleSet(t, "cn-2016-62")
	own := &edge.Works{Road: wim.Road{Name: "G5", Posted: wim.PostedLimit{Gross: 1}}, Active: []wim.Part{{Kind: wim.PartRules, Name: "file", Digest: wim.DigestOf(set)}}}
	r.cfg = Config{
		Dir: filepath.Join(t.TempDir(), "parcels"), Site: "north-1", Keys: []*seal.Verifier{r.center.Verifier()}, Signer: func() *seal.Signer { return r.key },
		Base: server.URL, Own: own, Healthy: func() error { return r.healthy }, Now: func() time.Time { return r.now }, Retry: time.Nanosecond,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	r.open()
	return r
}

func ruleSet(t *testing.T, name string) []byte {
	t.Helper()
	b, err := configs.Rules(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// open starts the depot's process anew.
func (r *rig) open() *edge.Works {
	r.t.Helper()
	d, err := Open(r.cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.d = d
	w := d.Begin(r.site.last())
	if w == nil {
		r.t.Fatal("nothing to begin with")
	}
	r.site.works = w
	return w
}

func (r *rig) serve(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	r.ranges = append(r.ranges, req.Header.Get("Range"))
	f, err := seal.VerifyFetch(strings.TrimPrefix(req.Header.Get("Authorization"), "Axlegate "), r.key.Verifier())
	if err != nil || f.Site != "north-1" || f.Digest.String() != path.Base(req.URL.Path) {
		r.t.Errorf("grant %+v, %v", f, err)
	}
	b, ok := r.parcels[f.Digest]
	switch {
	case r.away:
		http.Error(w, "later", http.StatusServiceUnavailable)
	case !ok:
		http.Error(w, "no", http.StatusNotFound)
	case r.cut > 0:
		w.Header().Set("Content-Length", "100000")
		w.Write(b[:r.cut]) //nolint:errcheck // it breaks off on purpose
		r.cut = 0
	default:
		http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(b))
	}
}

func (r *rig) parcel(kind wim.PartKind, name, text string) seal.Parcel {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := seal.Parcel{Kind: kind, Name: name, Digest: wim.DigestOf([]byte(text)), Size: int64(len(text))}
	r.parcels[p.Digest] = []byte(text)
	return p
}

// send has the centre want these parcels.
func (r *rig) send(parcels ...seal.Parcel) {
	r.t.Helper()
	r.serial++
	jws, err := seal.SignManifest(r.center, seal.Manifest{Site: "north-1", Serial: r.serial, Parcels: parcels})
	if err != nil {
		r.t.Fatal(err)
	}
	r.lastManifest = []byte(jws)
	r.d.take(r.lastManifest)
}

// step is one round of Run.
func (r *rig) step() {
	r.d.watch(r.t.Context(), r.site)
	r.d.follow(r.t.Context(), r.site)
	time.Sleep(2 * time.Nanosecond) // the pause after a failure
}

// steps are enough rounds for everything to come to rest.
func (r *rig) steps() {
	for range 12 {
		r.step()
		time.Sleep(time.Millisecond)
	}
}

func (r *rig) outcomes() (out []wim.ChangeOutcome) {
	for _, c := range r.site.sealed {
		for _, x := range c.Changed {
			out = append(out, x.Outcome)
		}
	}
	return out
}

func (r *rig) wantOutcomes(want ...wim.ChangeOutcome) {
	r.t.Helper()
	if got := r.outcomes(); !slices.Equal(got, want) {
		r.t.Errorf("sealed %v, want %v", got, want)
	}
}

const plates = "plate,reason\n川A12345,stolen\n"

func (r *rig) rules(name string) seal.Parcel {
	text := string(ruleSet(r.t, "cn-2016-62"))
	return r.parcel(wim.PartRules, name, text+"\n# "+name+"\n")
}

func TestWhatTheCentreSendsIsActiveTogetherAndSealed(t *testing.T) {
	r := newRig(t)
	set, hot := r.rules("cn"), r.parcel(wim.PartHotList, "stolen", plates)
	licences := r.parcel(wim.PartRegistrations, "51", "plate,kind,kerb_kg,rated_load_kg,max_gross_kg,max_towed_kg,drive_axles,axles\n川A12345,goods,8800,9000,25000,,2,3\n")
	permits := r.parcel(wim.PartPermits, "51", "plate,trailer,number,valid_from,valid_until,roads,axles,max_gross_kg,max_axle_kg,max_length_mm,max_width_mm,max_height_mm\n川A12345,,P-1,2026-01-01T00:00:00+08:00,2027-01-01T00:00:00+08:00,G5;G42,8,80000,13000,,3500,\n")
	site := r.parcel(wim.PartSite, "north-1", "road:\n  posted_gross_kg: 30000\nlanes:\n- lane: 2\n  purpose: test\n")
	r.send(set, hot, licences, permits, site)
	r.steps()
	w := r.site.works
	if w.Rules == nil || w.Registrations.Find("川A12345") == nil || len(w.HotLists) != 1 || len(w.Permits) != 1 || w.Road.Posted.Gross != 30000 || w.Road.Name != "G5" || w.Purposes[2] != wim.Testing || w.Serial != 1 {
		t.Fatalf("works by %+v", w)
	}
	if len(r.site.sealed) != 1 || len(r.site.sealed[0].Changed) != 5 || len(w.Active) != 5 {
		t.Errorf("sealed %+v", r.site.sealed)
	}
	i := slices.IndexFunc(w.Active, func(p wim.Part) bool { return p.Kind == wim.PartRules })
	if w.Active[i].Digest != set.Digest {
		t.Error("the file's rule set stands beside the centre's")
	}
	r.send(hot) // the whole wish: everything else goes back to the site's own
	r.steps()
	if w := r.site.works; len(w.Permits) != 0 || w.Road.Posted.Gross != 1 || w.Purposes != nil || w.Registrations != nil || !slices.ContainsFunc(w.Active, func(p wim.Part) bool { return p.Name == "file" }) {
		t.Errorf("works by %+v", w)
	}
	if n := r.asked; n != 5 {
		t.Errorf("%d parcels were fetched", n)
	}
	if w := r.open(); w.Serial != 2 || len(w.HotLists) != 1 {
		t.Errorf("started anew it works by %+v", w)
	}
}

func TestManifestsThatAreNotForHereChangeNothing(t *testing.T) {
	r := newRig(t)
	first := r.rules("first")
	r.send(first)
	r.steps()
	old := r.lastManifest
	r.send(r.rules("second"))
	r.steps()
	before := r.d.state
	sign := func(k *seal.Signer, m seal.Manifest) []byte {
		t.Helper()
		jws, err := seal.SignManifest(k, m)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(jws)
	}
	for name, jws := range map[string][]byte{
		"forged":         sign(r.key, seal.Manifest{Site: "north-1", Serial: 99}),
		"another site's": sign(r.center, seal.Manifest{Site: "south-2", Serial: 99}),
		"replayed":       old,
		"the same again": r.lastManifest,
		"no manifest":    []byte("hello"),
		"too large": sign(r.center, seal.Manifest{Site: "north-1", Serial: 99, Parcels: []seal.Parcel{
			{Kind: wim.PartRules, Name: "x", Digest: wim.Digest{1}, Size: maxParcel + 1}}}),
	} {
		r.d.take(jws)
		if !reflect.DeepEqual(r.d.state, before) {
			t.Errorf("%s: %+v", name, r.d.state)
		}
	}
	r.open()
	r.d.take(old)
	if r.d.state.Serial != 2 {
		t.Error("a replayed manifest was followed after a restart")
	}
}

func TestAParcelThatDoesNotHoldLeavesWhatIsActive(t *testing.T) {
	for name, c := range map[string]struct {
		kind wim.PartKind
		text string
		says string
	}{
		"a rule set with a mistake":      {wim.PartRules, "format: 1\nid: x\nspeed: 3\n", "speed"},
		"a table with a broken line":     {wim.PartHotList, "plate,reason\n\"", "hot"},
		"settings with an unknown key":   {wim.PartSite, "road:\n  posted_gross: 3\n", "posted_gross"},
		"a purpose that there is not":    {wim.PartSite, "lanes:\n- lane: 1\n  purpose: parking\n", "parking"},
		"a licence of a million tonnes":  {wim.PartRegistrations, "plate,kind,kerb_kg,rated_load_kg,max_gross_kg,max_towed_kg,drive_axles,axles\nA,goods,999999999,,,,,\n", "999999999"},
		"a permit that ends before it":   {wim.PartPermits, "plate,trailer,number,valid_from,valid_until,roads,axles,max_gross_kg,max_axle_kg,max_length_mm,max_width_mm,max_height_mm\nA,,1,2027-01-01T00:00:00Z,2026-01-01T00:00:00Z,,1,1,,,,\n", "before it begins"},
		"a part that cannot be sent":     {wim.PartSoftware, "x", "cannot be sent"},
		"a table in the wrong character": {wim.PartRegistrations, "\xb4\xa8A", "first line"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			good, bad := r.parcel(wim.PartHotList, "good", plates), r.parcel(c.kind, "hot", c.text)
			r.send(good, bad)
			r.steps()
			if len(r.site.works.HotLists) != 1 {
				t.Error("the good one did not become active")
			}
			r.wantOutcomes(wim.ChangeRefused, wim.ChangeActivated)
			if reason := r.site.sealed[0].Changed[0].Reason; !strings.Contains(reason, c.says) {
				t.Errorf("refused because %q", reason)
			}
			asked := r.asked
			r.open()
			r.steps()
			if r.asked != asked {
				t.Error("what was refused is fetched again and again")
			}
		})
	}
}

func TestARefusedSuccessorLeavesItsPredecessor(t *testing.T) {
	r := newRig(t)
	good := r.rules("good")
	r.send(good)
	r.steps()
	r.send(r.parcel(wim.PartRules, "bad", "nonsense"))
	r.steps()
	if len(r.d.state.Active) != 1 || r.d.state.Active[0].Digest != good.Digest {
		t.Errorf("active %+v", r.d.state.Active)
	}
	r.wantOutcomes(wim.ChangeActivated, wim.ChangeRefused)
}

func TestAParcelIsFetchedOverABadLine(t *testing.T) {
	r := newRig(t)
	p := r.parcel(wim.PartHotList, "long", plates+strings.Repeat("B,\n", 0)+manyPlates(2000))
	r.away = true
	r.send(p)
	r.step()
	r.away, r.cut = false, 1000
	time.Sleep(time.Millisecond)
	r.step()
	time.Sleep(time.Millisecond)
	r.steps()
	if len(r.site.works.HotLists) != 1 || r.site.works.HotLists[0].Len() != 2001 {
		t.Fatalf("works by %+v", r.site.works)
	}
	if !slices.Contains(r.ranges, "bytes=1000-") {
		t.Errorf("it was not gone on with where it broke off: %q", r.ranges)
	}
}

func manyPlates(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("P")
		b.WriteString(strings.Repeat("0", 5-len(itoa(i))))
		b.WriteString(itoa(i))
		b.WriteString(",x\n")
	}
	return b.String()
}

func itoa(i int) string {
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + string(rune('0'+i%10))
}

func TestWhatHasATimeWaitsForIt(t *testing.T) {
	r := newRig(t)
	now, then := r.rules("now"), r.rules("then")
	then.From = wim.TimeOf(r.now.Add(time.Hour))
	r.send(now, then)
	r.steps()
	r.wantOutcomes(wim.ChangeScheduled, wim.ChangeActivated)
	r.now = r.now.Add(time.Hour)
	r.open()
	r.steps()
	if r.d.state.Active[0].Digest != then.Digest {
		t.Errorf("active %+v", r.d.state.Active)
	}
	r.wantOutcomes(wim.ChangeScheduled, wim.ChangeActivated, wim.ChangeActivated)
}

func TestWhatDoesNotDoWellIsTakenBack(t *testing.T) {
	r := newRig(t)
	good, bad := r.rules("good"), r.rules("bad")
	r.send(good)
	r.steps()
	r.send(bad)
	r.steps()
	r.healthy = errors.New("records cannot be sealed any more")
	r.steps()
	if r.d.state.Active[0].Digest != good.Digest {
		t.Fatalf("active %+v", r.d.state.Active)
	}
	r.wantOutcomes(wim.ChangeActivated, wim.ChangeActivated, wim.ChangeRolledBack)
	last := r.site.last()
	if last.Cause != wim.ConfiguredByHealth || last.Changed[0].From != bad.Digest || last.Changed[0].To != good.Digest || !strings.Contains(last.Changed[0].Reason, "sealed") {
		t.Errorf("sealed %+v", last)
	}
	r.healthy = nil
	r.open()
	r.steps()
	if r.d.state.Active[0].Digest != good.Digest {
		t.Error("it came back by itself")
	}
	r.send(bad) // somebody insists
	r.steps()
	if r.d.state.Active[0].Digest != bad.Digest {
		t.Error("a new manifest does not ask for another try")
	}
}

func TestWhatFailsItsTrialIsNeverActive(t *testing.T) {
	for name, trial := range map[string]func(*edge.Works) error{
		"an error": func(*edge.Works) error { return errors.New("no opinion on yesterday's truck") },
		"a panic":  func(*edge.Works) error { panic("index out of range") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.cfg.Trial = trial
			r.open()
			r.send(r.rules("bad"))
			r.steps()
			r.wantOutcomes(wim.ChangeRefused)
			if len(r.d.state.Active) != 0 {
				t.Errorf("active %+v", r.d.state.Active)
			}
		})
	}
}

func TestAKillAtTheMomentOfActivationLeavesOneOrTheOther(t *testing.T) {
	r := newRig(t)
	first, second := r.rules("first"), r.rules("second")
	r.send(first)
	r.steps()
	r.send(second)
	r.site.dies = true
	func() {
		defer func() {
			if p := recover(); !errors.Is(p.(error), errKilled) {
				panic(p)
			}
		}()
		r.steps()
		t.Error("nobody died")
	}()
	r.site.dies = false
	w := r.open()
	if !slices.ContainsFunc(w.Active, func(p wim.Part) bool { return p.Digest == first.Digest }) {
		t.Errorf("it works by what no record says: %+v", w.Active)
	}
	r.steps()
	if r.d.state.Active[0].Digest != second.Digest {
		t.Error("the change was forgotten")
	}
	r.wantOutcomes(wim.ChangeActivated, wim.ChangeActivated)
}

func TestTablesOnTheDiskAreWorthNothingWithoutTheirKey(t *testing.T) {
	r := newRig(t)
	p := r.parcel(wim.PartHotList, "stolen", plates)
	r.send(p)
	r.steps()
	if err := filepath.WalkDir(r.cfg.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("川A12345")) {
			t.Errorf("%s holds a plate in clear", path)
		}
		st, serr := e.Info()
		if serr == nil && st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, st.Mode().Perm())
		}
		return errors.Join(err, serr)
	}); err != nil {
		t.Fatal(err)
	}
	file := r.d.vault.path(p.Digest)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		changed := bytes.Clone(b)
		changed[i] ^= 1
		if err := os.WriteFile(file, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := r.d.vault.get(p.Digest); err == nil {
			t.Fatalf("byte %d was changed and nobody noticed", i)
		}
	}
	w := r.open() // damaged: done without, and fetched again
	if len(w.HotLists) != 0 {
		t.Error("a damaged table is in use")
	}
	r.steps()
	if len(r.site.works.HotLists) != 1 {
		t.Error("a damaged table was not fetched again")
	}
	key := filepath.Join(r.cfg.Dir, "tables.key")
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(r.cfg); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others may read: %v", err)
	}
}
