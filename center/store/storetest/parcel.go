package storetest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
)

// regions puts two sites into their regions.
func (b *bench) regions() {
	b.t.Helper()
	if err := b.s.SetRegions(b.t.Context(), map[wim.SiteID]center.Region{"north-1": "51/5101", "south-2": "52"}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) put(kind wim.PartKind, name, text string) center.Parcel {
	b.t.Helper()
	p, err := b.s.PutParcel(b.t.Context(), who("sun"), center.Parcel{Kind: kind, Name: name, Version: "1"}, []byte(text))
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *bench) assign(a center.Assignment) {
	b.t.Helper()
	if _, err := b.s.Assign(b.t.Context(), who("sun"), a); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) manifest(site wim.SiteID) (uint64, []center.Wish) {
	b.t.Helper()
	serial, wanted, err := b.s.Manifest(b.t.Context(), site)
	if err != nil {
		b.t.Fatal(err)
	}
	return serial, wanted
}

func manifests(t *testing.T, b *bench) {
	b.staff()
	b.regions()
	ctx := t.Context()
	if serial, w := b.manifest("north-1"); serial != 0 || len(w) != 0 {
		t.Errorf("a site that nothing was sent has manifest %d: %+v", serial, w)
	}
	one, two := b.put(wim.PartRules, "cn", "rules one"), b.put(wim.PartRules, "cn", "rules two")
	if again := b.put(wim.PartRules, "cn", "rules one"); again != one {
		t.Errorf("the same bytes again: %+v, %+v", again, one)
	}
	if _, err := b.s.PutParcel(ctx, who("sun"), center.Parcel{Kind: wim.PartPermits, Name: "cn"}, []byte("rules one")); !errors.Is(err, store.ErrRefused) {
		t.Errorf("the same bytes as something else: %v", err)
	}
	b.assign(center.Assignment{Region: "51", Parcel: one})
	serial, w := b.manifest("north-1")
	if serial != 1 || len(w) != 1 || w[0].Parcel != one {
		t.Errorf("manifest %d: %+v", serial, w)
	}
	if serial, _ := b.manifest("north-1"); serial != 1 {
		t.Errorf("asked again the serial is %d", serial)
	}
	if serial, w := b.manifest("south-2"); serial != 0 || len(w) != 0 {
		t.Errorf("a site of another region has manifest %d: %+v", serial, w)
	}
	later := b.clock.Load() + int64(10*Second)
	b.assign(center.Assignment{Site: "north-1", Parcel: two, From: wim.Time(later)})
	if serial, w := b.manifest("north-1"); serial != 2 || len(w) != 2 || w[1].From != wim.Time(later) {
		t.Errorf("with a plan: manifest %d: %+v", serial, w)
	}
	b.clock.Store(later)
	if serial, w := b.manifest("north-1"); serial != 3 || len(w) != 1 || w[0].Parcel != two {
		t.Errorf("when its time has come: manifest %d: %+v", serial, w)
	}
	b.reopen()
	if got, err := b.s.ParcelFor(ctx, "north-1", two.Digest); err != nil || !bytes.Equal(got, []byte("rules two")) {
		t.Errorf("parcel %q, %v", got, err)
	}
	if got, err := b.s.RuleSet(ctx, one.Digest); err != nil || !bytes.Equal(got, []byte("rules one")) {
		t.Errorf("rule set %q, %v", got, err)
	}
	if p, ok, err := b.s.NewestParcel(ctx, wim.PartRules, "cn"); err != nil || !ok || p.Kind != wim.PartRules {
		t.Errorf("the newest: %+v, %v", p, err)
	}
	if _, ok, err := b.s.NewestParcel(ctx, wim.PartPermits, "cn"); err != nil || ok {
		t.Errorf("the newest of none: %v", err)
	}
	if got, err := b.s.ParcelBytes(ctx, two.Digest); err != nil || string(got) != "rules two" {
		t.Errorf("bytes %q, %v", got, err)
	}
	if _, err := b.s.ParcelBytes(ctx, wim.Digest{1}); !errors.Is(err, center.ErrNotFound) {
		t.Errorf("bytes of none: %v", err)
	}
	if _, err := b.s.RuleSet(ctx, wim.Digest{1}); !errors.Is(err, center.ErrNotFound) {
		t.Errorf("a rule set that is none: %v", err)
	}
	for name, ask := range map[string]struct {
		site wim.SiteID
		d    wim.Digest
	}{"one that it was sent before": {"north-1", one.Digest}, "another site's": {"south-2", two.Digest}, "one that is none": {"north-1", wim.Digest{1}}} {
		if _, err := b.s.ParcelFor(ctx, ask.site, ask.d); !errors.Is(err, center.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.assign(center.Assignment{Site: "north-1", Parcel: two, Withdrawn: true})
	if serial, w := b.manifest("north-1"); serial != 4 || len(w) != 0 {
		t.Errorf("withdrawn: manifest %d: %+v", serial, w)
	}
	if n, err := b.s.Assigned(ctx); err != nil || n != 3 {
		t.Errorf("%d assignments, %v", n, err)
	}
}

func whoMaySend(t *testing.T, b *bench) {
	b.staff()
	b.regions()
	ctx := t.Context()
	p := b.put(wim.PartRules, "cn", "rules")
	for _, login := range []string{"li", "wang", "zhao", "qian"} {
		_, put := b.s.PutParcel(ctx, who(login), center.Parcel{Kind: wim.PartRules, Name: "x"}, []byte("y"))
		_, list := b.s.Parcels(ctx, who(login))
		_, assign := b.s.Assign(ctx, who(login), center.Assignment{Parcel: p})
		_, assigned := b.s.Assignments(ctx, who(login))
		for _, err := range []error{put, list, assign, assigned} {
			if !errors.Is(err, center.ErrNotYours) {
				t.Errorf("%s: %v", login, err)
			}
		}
	}
	for name, c := range map[string]struct {
		a    center.Assignment
		want error
	}{
		"everywhere":                    {center.Assignment{Parcel: p}, center.ErrNotYours},
		"another region":                {center.Assignment{Region: "51", Parcel: p}, center.ErrNotYours},
		"a site of another region":      {center.Assignment{Site: "north-1", Parcel: p}, center.ErrNotYours},
		"a site that is not known":      {center.Assignment{Site: "east-3", Parcel: p}, center.ErrNotFound},
		"a parcel that is not known":    {center.Assignment{Region: "52", Parcel: center.Parcel{Digest: wim.Digest{9}}}, center.ErrNotFound},
		"the own region":                {center.Assignment{Region: "52", Parcel: p}, nil},
		"a site of the own region":      {center.Assignment{Site: "south-2", Parcel: p}, nil},
		"a region inside the own, once": {center.Assignment{Region: "52/5201", Parcel: p}, nil},
	} {
		if _, err := b.s.Assign(ctx, who("hong"), c.a); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	b.assign(center.Assignment{Region: "51", Parcel: p})
	b.assign(center.Assignment{Parcel: p})
	for login, want := range map[string]int{"sun": 5, "hong": 4} {
		if list, err := b.s.Assignments(ctx, who(login)); err != nil || len(list) != want {
			t.Errorf("%s sees %d assignments, want %d; %v", login, len(list), want, err)
		}
	}
	traces, err := b.s.Trail(ctx, who("zhao"), center.TrailQuery{Action: "assign-parcel", Limit: 10})
	if err != nil || len(traces) != 5 {
		t.Errorf("%d traces, %v", len(traces), err)
	}
}

func sealedAnswers(t *testing.T, b *bench) {
	b.staff()
	b.regions()
	ctx := t.Context()
	p := b.put(wim.PartRules, "cn", "rules")
	b.assign(center.Assignment{Site: "north-1", Parcel: p})
	state := func() center.Delivery {
		t.Helper()
		serial, d, err := b.s.Deliveries(ctx, who("sun"), "north-1")
		if err != nil || len(d) != 1 || serial != 1 {
			t.Fatalf("serial %d: %+v, %v", serial, d, err)
		}
		return d[0]
	}
	b.manifest("north-1")
	if d := state(); d.State != center.DeliveryUnderWay {
		t.Errorf("delivery %+v", d)
	}
	c := NewChain(t, "north-1", 0)
	c.Add(&wim.Record{Kind: wim.KindConfiguration, Configuration: &wim.SiteConfiguration{Cause: wim.ConfiguredByManifest, Serial: 1,
		Active:  []wim.Part{{Kind: wim.PartRules, Name: "old", Digest: wim.Digest{1}}},
		Changed: []wim.Change{{Kind: wim.PartRules, Name: "cn", From: wim.Digest{1}, To: p.Digest, Outcome: wim.ChangeRefused, Reason: "line 3: \x00no such key"}}}})
	b.store(c.Segment(1, 2))
	b.review()
	if d := state(); d.State != center.DeliveryRefused || d.Since != c.Time(2) || d.Reason == "" {
		t.Errorf("delivery %+v", d)
	}
	c.Add(&wim.Record{Kind: wim.KindConfiguration, Configuration: &wim.SiteConfiguration{Cause: wim.ConfiguredByManifest, Serial: 1,
		Active:  []wim.Part{{Kind: wim.PartRules, Name: "cn", Digest: p.Digest}},
		Changed: []wim.Change{{Kind: wim.PartRules, Name: "cn", From: wim.Digest{1}, To: p.Digest, Outcome: wim.ChangeActivated}}}})
	b.store(c.Segment(3, 3))
	b.review()
	b.reopen()
	if d := state(); d.State != center.DeliveryActive || d.Since != c.Time(3) {
		t.Errorf("delivery %+v", d)
	}
	said, err := b.s.Configured(ctx, who("sun"), "north-1", 10)
	if err != nil || len(said) != 2 || said[1].Ref.Seq != 3 || said[1].Serial != 1 || said[1].Active[0].Digest != p.Digest {
		t.Errorf("%+v, %v", said, err)
	}
	for _, login := range []string{"hong", "he"} {
		if _, err := b.s.Configured(ctx, who(login), "north-1", 10); !errors.Is(err, center.ErrNotFound) {
			t.Errorf("%s sees another region's site: %v", login, err)
		}
	}
}
