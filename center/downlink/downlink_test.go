package downlink

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// fakeStore is a store with two sites' manifests in memory.
type fakeStore struct {
	mu       sync.Mutex
	serial   map[wim.SiteID]uint64
	wanted   map[wim.SiteID][]center.Wish
	assigned int64
	bytes    map[wim.Digest][]byte
	err      error
}

func (f *fakeStore) Manifest(_ context.Context, site wim.SiteID) (uint64, []center.Wish, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.serial[site], f.wanted[site], f.err
}

func (f *fakeStore) Assigned(context.Context) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.assigned, f.err
}

func (f *fakeStore) ParcelFor(_ context.Context, site wim.SiteID, d wim.Digest) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.wanted[site] {
		if w.Parcel.Digest == d {
			return f.bytes[d], f.err
		}
	}
	return nil, center.ErrNotFound
}

func (f *fakeStore) send(site wim.SiteID, text string) center.Parcel {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := center.Parcel{Kind: wim.PartRules, Name: "cn", Digest: wim.DigestOf([]byte(text)), Size: int64(len(text))}
	f.bytes[p.Digest] = []byte(text)
	f.wanted[site] = []center.Wish{{Parcel: p}}
	f.serial[site]++
	f.assigned++
	return p
}

type rig struct {
	*Downlink
	store        *fakeStore
	center, site *seal.Signer
	got          chan seal.Manifest
	now          time.Time

	mu   sync.Mutex
	fail error // of Publish
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{got: make(chan seal.Manifest, 64), now: time.Unix(1_790_000_000, 0),
		store: &fakeStore{serial: map[wim.SiteID]uint64{}, wanted: map[wim.SiteID][]center.Wish{}, bytes: map[wim.Digest][]byte{}}}
	for _, k := range []**seal.Signer{&r.center, &r.site} {
		var err error
		if *k, err = seal.GenerateSigner(); err != nil {
			t.Fatal(err)
		}
	}
	d, err := New(Config{
		Store: r.store, Sites: func() []wim.SiteID { return []wim.SiteID{"north-1", "south-2"} }, Signer: r.center,
		Keys: func(s wim.SiteID) ([]*seal.Verifier, bool) {
			return []*seal.Verifier{r.site.Verifier()}, s == "north-1" || s == "south-2"
		},
		Publish: func(_ context.Context, site string, jws []byte) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.fail != nil {
				return r.fail
			}
			m, err := seal.VerifyManifest(string(jws), r.center.Verifier())
			if err != nil || string(m.Site) != site {
				t.Errorf("manifest for %s on %s's topic, %v", m.Site, site, err)
			}
			r.got <- m
			return nil
		},
		Look: time.Millisecond, Again: 50 * time.Millisecond, Now: func() time.Time { return r.now },
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Downlink = d
	return r
}

func (r *rig) failing(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

func (r *rig) next(t *testing.T) seal.Manifest {
	t.Helper()
	select {
	case m := <-r.got:
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("no manifest came")
		return seal.Manifest{}
	}
}

func (r *rig) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestTheNewestManifestStandsOnASitesTopicWhateverGoesWrong(t *testing.T) {
	r := newRig(t)
	r.failing(errors.New("the broker is away"))
	r.start(t)
	p := r.store.send("north-1", "one")
	r.failing(nil)
	m := r.next(t)
	if m.Site != "north-1" || m.Serial != 1 || len(m.Parcels) != 1 || m.Parcels[0].Digest != p.Digest || m.Parcels[0].Size != 3 {
		t.Errorf("manifest %+v", m)
	}
	if again := r.next(t); again.Serial != 1 {
		t.Errorf("a broker that may have forgotten is given serial %d", again.Serial)
	}
	r.store.mu.Lock()
	r.store.err = errors.New("the database is away")
	r.store.mu.Unlock()
	r.store.send("north-1", "two")
	r.store.mu.Lock()
	r.store.err = nil
	r.store.mu.Unlock()
	for m := r.next(t); m.Serial != 2; m = r.next(t) {
		if m.Serial > 2 {
			t.Fatalf("serial %d", m.Serial)
		}
	}
}

func TestASiteThatAnotherCentreServesIsLeftToIt(t *testing.T) {
	r := newRig(t)
	r.failing(ErrElsewhere)
	r.store.send("north-1", "one")
	if !r.publishAll(t.Context()) || len(r.sent) != 0 {
		t.Error("what another centre sends is not missing here")
	}
	r.failing(nil) // it has come here
	if !r.publishAll(t.Context()) || len(r.sent) != 1 || r.next(t).Serial != 1 {
		t.Error("a site that came here was not sent its manifest")
	}
}

func TestAParcelIsGivenToTheSiteItWasSent(t *testing.T) {
	r := newRig(t)
	p := r.store.send("north-1", "rules of one")
	grant := func(k *seal.Signer, f seal.Fetch) string {
		t.Helper()
		if f.Time == 0 {
			f.Time = wim.TimeOf(r.now)
		}
		jws, err := seal.SignFetch(k, f)
		if err != nil {
			t.Fatal(err)
		}
		return "Axlegate " + jws
	}
	thief, err := seal.GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	picture, err := seal.SignPicture(r.site, seal.PictureGrant{Site: "north-1", Digest: p.Digest, Time: wim.TimeOf(r.now)})
	if err != nil {
		t.Fatal(err)
	}
	good := grant(r.site, seal.Fetch{Site: "north-1", Digest: p.Digest})
	for _, c := range []struct {
		name, method, path, grant, rng string
		status                         int
		body                           string
	}{
		{"the parcel", "GET", p.Digest.String(), good, "", 200, "rules of one"},
		{"its end", "GET", p.Digest.String(), good, "bytes=9-", 206, "one"},
		{"no grant", "GET", p.Digest.String(), "", "", 401, ""},
		{"another's key", "GET", p.Digest.String(), grant(thief, seal.Fetch{Site: "north-1", Digest: p.Digest}), "", 401, ""},
		{"a grant for a picture", "GET", p.Digest.String(), "Axlegate " + picture, "", 401, ""},
		{"a grant for another parcel", "GET", p.Digest.String(), grant(r.site, seal.Fetch{Site: "north-1", Digest: wim.Digest{1}}), "", 401, ""},
		{"a grant of yesterday", "GET", p.Digest.String(), grant(r.site, seal.Fetch{Site: "north-1", Digest: p.Digest, Time: wim.TimeOf(r.now.AddDate(0, 0, -1))}), "", 401, ""},
		{"a site that is not known", "GET", p.Digest.String(), grant(r.site, seal.Fetch{Site: "east-3", Digest: p.Digest}), "", 401, ""},
		{"another site's parcel", "GET", p.Digest.String(), grant(r.site, seal.Fetch{Site: "south-2", Digest: p.Digest}), "", 404, ""},
		{"a parcel that is none", "GET", wim.Digest{1}.String(), grant(r.site, seal.Fetch{Site: "north-1", Digest: wim.Digest{1}}), "", 404, ""},
		{"no digest", "GET", "rules", good, "", 400, ""},
		{"another method", "DELETE", p.Digest.String(), good, "", 405, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := httptest.NewRequestWithContext(t.Context(), c.method, "/parcels/"+c.path, http.NoBody)
			if c.grant != "" {
				req.Header.Set("Authorization", c.grant)
			}
			if c.rng != "" {
				req.Header.Set("Range", c.rng)
			}
			w := httptest.NewRecorder()
			r.Handler().ServeHTTP(w, req)
			body, err := io.ReadAll(w.Result().Body)
			if err != nil {
				t.Fatal(err)
			}
			if w.Code != c.status || c.body != "" && string(body) != c.body {
				t.Errorf("status %d: %q", w.Code, body)
			}
		})
	}
}
