package edge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// fakeRegister is the centre's register behind the link.
type fakeRegister struct {
	mu    sync.Mutex
	asked []seal.Ask
	down  bool
}

func (f *fakeRegister) asks() []seal.Ask {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]seal.Ask(nil), f.asked...)
}

func TestALicenceThatTheCentreTellsBecomesASupplement(t *testing.T) {
	r := newRig(t)
	reg := &fakeRegister{down: true}
	r.change = func(c *Config) {
		c.Ask = func(_ context.Context, jws []byte) error {
			reg.mu.Lock()
			defer reg.mu.Unlock()
			if reg.down {
				return errors.New("not connected")
			}
			a, err := seal.VerifyAsk(string(jws), r.signer.Verifier())
			if err != nil {
				t.Error(err)
			}
			reg.asked = append(reg.asked, a)
			return nil
		}
	}
	r.start()
	n := 0
	pass := func(plate string) {
		t.Helper()
		n++
		if !r.camera.read(front(plate, fmt.Sprint("e", n)), nil) {
			t.Fatal("the camera is not heard")
		}
		r.push(r.scale.vehicle(2, 20000)...)
	}
	passages := func() (out []*wim.Record) {
		for _, rec := range r.records() {
			if rec.Passage != nil && len(rec.Passage.Facts.Units) > 0 && rec.Passage.Facts.Units[0].Plate != "" {
				out = append(out, rec)
			}
		}
		return out
	}
	supplements := func(cause string) (out []*wim.Record) {
		for _, rec := range r.records() {
			if rec.Supplement != nil && rec.Supplement.Cause == cause {
				out = append(out, rec)
			}
		}
		return out
	}
	pass("川A00001") // asked for in vain
	eventually(t, "the plate is recorded", func() bool { return len(passages()) == 1 })
	reg.mu.Lock()
	reg.down = false
	reg.mu.Unlock()
	pass("川A12345")
	eventually(t, "the centre is asked", func() bool { return len(reg.asks()) >= 1 })
	ask := reg.asks()[len(reg.asks())-1]
	if ask.Site != testSite || ask.Plate != "川A12345" {
		t.Fatalf("asked %+v", ask)
	}
	answer := func(k *seal.Signer, a seal.Answer) {
		t.Helper()
		jws, err := seal.SignAnswer(k, a)
		if err != nil {
			t.Fatal(err)
		}
		r.site.HandleAnswer([]byte(jws))
	}
	licence := &wim.Registration{Plate: ask.Plate, Kind: wim.Goods, Kerb: 8000, Rated: 9000, Gross: 17000, Axles: 2}
	good := seal.Answer{Site: testSite, ID: ask.ID, Plate: ask.Plate, Registration: licence, Time: 1}
	for _, bad := range []struct {
		k    *seal.Signer
		edit func(*seal.Answer)
	}{
		{newKey(t), func(*seal.Answer) {}},
		{r.center.key, func(a *seal.Answer) { a.Site = "south-2" }},
		{r.center.key, func(a *seal.Answer) { a.ID[0]++ }},
	} {
		a := good
		bad.edit(&a)
		answer(bad.k, a)
	}
	answer(r.center.key, good)
	eventually(t, "the supplement", func() bool { return len(supplements(wim.SupplementRegistration)) == 1 })
	s := supplements(wim.SupplementRegistration)[0].Supplement
	if u := s.Facts.Units[0]; u.Registration == nil || u.Registration.Gross != 17000 || len(s.Reads) != 0 {
		t.Errorf("supplement %+v", s)
	}
	if o, ok := s.Verdict.Of(wim.TrafficPolice); !ok || o.Outcome != wim.Exceeded {
		t.Errorf("verdict %+v", s.Verdict)
	}
	answer(r.center.key, good) // the same answer again
	pass("川A12345")            // known now
	eventually(t, "the next vehicle", func() bool { return len(passages()) == 3 })
	last := passages()[2].Passage
	if last.Facts.Units[0].Registration == nil || len(supplements(wim.SupplementRegistration)) != 1 {
		t.Errorf("the answer is not remembered, or counted twice: %+v", last.Facts.Units)
	}
	for _, a := range reg.asks() {
		if a.Plate == "川A12345" && a.ID != ask.ID {
			t.Error("the same plate was asked for again")
		}
	}
}
