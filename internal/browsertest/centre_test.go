package browsertest

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/errgroup"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/console"
	"github.com/axlegate/axlegate/center/dossier"
	"github.com/axlegate/axlegate/center/intake"
	"github.com/axlegate/axlegate/center/picture"
	"github.com/axlegate/axlegate/center/review"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const (
	site     = "g5-north"
	password = "kettle bramble ninety fox"
)

// centre is a centre on a real store, from the intake to the pages, without a broker in between.
type centre struct {
	t     *testing.T
	url   string
	store *store.Store
	in    *intake.Intake
	set   *rules.Set
	chain *storetest.Chain
	sent  int // records of the chain that the intake has
}

func newCentre(t *testing.T) *centre {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	c := &centre{t: t, chain: storetest.NewChain(t, site, 0)}
	text, err := configs.Rules("cn-2016-62")
	must(err)
	c.set, err = rules.Load("cn-2016-62", text)
	must(err)
	dir := t.TempDir()
	c.store, err = store.OpenSQLite(t.Context(), store.Config{Path: filepath.Join(dir, "center.db")})
	must(err)
	hash := cheapHash(password)
	for _, o := range []center.Officer{
		{Login: "road", Name: "Li Ming", Role: center.Enforcer, Competence: wim.RoadAdministration},
		{Login: "police", Name: "Wang Fang", Role: center.Enforcer, Competence: wim.TrafficPolice},
		{Login: "admin", Name: "Sun Lei", Role: center.Administrator},
		{Login: "audit", Name: "Zhao Yun", Role: center.Auditor},
	} {
		o.Hash = hash
		must(c.store.PutOfficer(t.Context(), "", o))
	}
	const region = "51/5101"
	regions, err := center.NewMap([]center.Place{{Region: "51", Zh: "四川省", En: "Sichuan"}, {Region: region, Zh: "成都市", En: "Chengdu"}})
	must(err)
	must(c.store.SetRegions(t.Context(), map[wim.SiteID]center.Region{site: region}))
	pictures, err := picture.Open(filepath.Join(dir, "pictures"))
	must(err)
	proofs, err := dossier.NewWriter(dossier.Config{
		Evidence: c.store.Evidence, Picture: pictures.Get, Signer: storetest.Signer(t, 9), Software: "test",
		Rules: func(context.Context, wim.Digest) ([]byte, error) { return text, nil },
		Keys: func(context.Context, wim.SiteID) ([]dossier.SiteKey, error) {
			return []dossier.SiteKey{{Key: c.chain.Key.Verifier(), Source: dossier.SourceConfigured}}, nil
		},
	})
	must(err)
	pages, err := console.New(console.Config{Store: c.store, Sessions: c.store.Sessions(), Pictures: pictures, Dossiers: proofs, Title: "Axlegate", Regions: regions})
	must(err)
	c.in, err = intake.New(intake.Config{
		Store: c.store, Signer: storetest.Signer(t, 9), SendReceipt: func(context.Context, string, []byte) error { return nil },
		Sites: func(wim.SiteID) ([]*seal.Verifier, bool) { return []*seal.Verifier{c.chain.Key.Verifier()}, true },
	})
	must(err)
	rev, err := review.New(review.Config{Store: c.store, Rules: func(wim.Digest) (*rules.Set, bool) { return c.set, true }})
	must(err)
	server := httptest.NewServer(pages)
	c.url = server.URL
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.in.Run(ctx) })
	g.Go(func() error { return rev.Run(ctx) })
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		cancel()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
		if err := c.store.Close(); err != nil {
			t.Error(err)
		}
	})
	c.send() // the chain's start
	return c
}

// cheapHash is a right hash that costs little: what real ones cost is not what is tested here.
func cheapHash(password string) string {
	salt := []byte("0123456789abcdef")
	key := argon2.IDKey([]byte(password), salt, 1, 64, 1, 32)
	return fmt.Sprintf("$argon2id$v=19$m=64,t=1,p=1$%s$%s", base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// send hands what the chain has gained to the intake, signed and packed as the site's edge does.
func (c *centre) send() {
	c.t.Helper()
	message, n, err := uplink.Pack([][]byte{c.chain.Bundle(c.sent+1, len(c.chain.Records))})
	if err != nil || n != 1 {
		c.t.Fatalf("packed %d: %v", n, err)
	}
	if err := c.in.HandleMessage(c.t.Context(), site, message); err != nil {
		c.t.Fatal(err)
	}
	c.sent = len(c.chain.Records)
}

// passes lets a train pass that is over the limits of both authorities; its plate ends in n.
func (c *centre) passes(n int) {
	c.t.Helper()
	tractor, trailer := fmt.Sprintf("川A1234%d", n), fmt.Sprintf("川A000%d挂", n)
	f := c.chain.Facts(61000)
	f.Road = wim.Road{Name: "G5 K12+300", Class: "class-1"}
	f.Vehicle = wim.Vehicle{Lane: 1, Start: f.Time, End: f.Time, Speed: 620, Length: 16400, Gross: 61000, AxleSum: 61000}
	for i, a := range []struct {
		load wim.Kg
		gap  wim.Mm
	}{{6800, 0}, {11000, 3200}, {11000, 1350}, {10800, 6400}, {10700, 1310}, {10700, 1310}} {
		f.Vehicle.Axles = append(f.Vehicle.Axles, wim.Axle{Index: uint8(i + 1), Load: a.load, Left: a.load / 2, Right: a.load / 2, Speed: 620, Spacing: a.gap})
	}
	wim.Classify(&f.Vehicle)
	f.Units = []wim.Unit{
		{Plate: tractor, Confidence: 980, Kind: wim.Goods, Registration: &wim.Registration{Plate: tractor, Kind: wim.Goods, Kerb: 8800, Towed: 40000, DriveAxles: 2, Axles: 3}},
		{Plate: trailer, Confidence: 970, Kind: wim.Goods, Registration: &wim.Registration{Plate: trailer, Kind: wim.Goods, Kerb: 6100, Rated: 33900, Gross: 40000, Axles: 3}},
	}
	var v wim.Verdict
	c.set.Judge(&f, &v)
	c.chain.Add(&wim.Record{Kind: wim.KindPassage, Passage: &wim.Passage{
		Source: wim.DeviceCursor{Device: "scale-1", Boot: 1, Seq: uint32(len(c.chain.Records))}, Facts: f, Verdict: v, Order: wim.OrderEnter, Reads: []wim.PlateRead{},
	}})
	c.send()
}

// until waits for a condition that is asked for again and again.
func until(ctx context.Context, cond func() bool) bool {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// viewer is an officer of the test's centre as the store knows one.
func viewer(login string) center.Viewer {
	switch login {
	case "road":
		return center.Viewer{Login: login, Role: center.Enforcer, Competence: wim.RoadAdministration}
	case "police":
		return center.Viewer{Login: login, Role: center.Enforcer, Competence: wim.TrafficPolice}
	}
	return center.Viewer{Login: login, Role: center.Auditor}
}
