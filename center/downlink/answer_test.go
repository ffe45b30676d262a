package downlink

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// fakeRegister has one vehicle.
type fakeRegister struct{ none bool }

func (f *fakeRegister) Find(plate string) (*wim.Registration, string, bool) {
	if plate == "川A12345" {
		return &wim.Registration{Plate: plate, Gross: 17000}, "register 7", !f.none
	}
	return nil, "register 7", !f.none
}

func TestASiteIsAnsweredWhatItAskedAndNoMore(t *testing.T) {
	var site, thief, own *seal.Signer
	for _, k := range []**seal.Signer{&site, &thief, &own} {
		var err error
		if *k, err = seal.GenerateSigner(); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Unix(1_790_000_000, 0)
	reg := &fakeRegister{}
	var sent []seal.Answer
	var fail error
	a, err := NewAnswerer(AnswerConfig{
		Keys: func(s wim.SiteID) ([]*seal.Verifier, bool) {
			return []*seal.Verifier{site.Verifier()}, s == "north-1" || s == "south-2"
		},
		Signer: own, Register: reg, Now: func() time.Time { return now },
		Publish: func(_ context.Context, to string, jws []byte) error {
			x, err := seal.VerifyAnswer(string(jws), own.Verifier())
			if err != nil || string(x.Site) != to {
				t.Errorf("answer %+v to %s, %v", x, to, err)
			}
			sent = append(sent, x)
			return fail
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(k *seal.Signer, x seal.Ask) []byte {
		t.Helper()
		jws, err := seal.SignAsk(k, x)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(jws)
	}
	good := seal.Ask{Site: "north-1", ID: wim.Nonce{1}, Plate: "川A12345", Color: wim.Yellow, Time: wim.TimeOf(now)}
	other, stranger, old := good, good, good
	other.Plate, stranger.Site, old.Time = "川B00000", "south-2", wim.TimeOf(now.Add(-2*time.Hour))
	for _, c := range []struct {
		name, site string
		jws        []byte
		want       string
	}{
		{"a vehicle that is registered", "north-1", ask(site, good), "answered"},
		{"one that is not", "north-1", ask(site, other), "unknown"},
		{"another's key", "north-1", ask(thief, good), "refused"},
		{"another site's question", "north-1", ask(site, stranger), "refused"},
		{"a site that is not known", "east-3", ask(site, good), "refused"},
		{"a question of yesterday", "north-1", ask(site, old), "refused"},
		{"no question", "north-1", []byte("hello"), "refused"},
	} {
		if got := a.answer(t.Context(), question{c.site, c.jws}); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if len(sent) != 2 || sent[0].Registration == nil || sent[0].Registration.Gross != 17000 || sent[0].ID != good.ID || sent[0].Source != "register 7" || sent[1].Registration != nil {
		t.Errorf("sent %+v", sent)
	}
	fast := 0
	for range 200 {
		if a.answer(t.Context(), question{"north-1", ask(site, good)}) == "too-fast" {
			fast++
		}
	}
	if fast < 100 {
		t.Errorf("of 200 questions at once %d were too many", fast)
	}
	if got := a.answer(t.Context(), question{"south-2", ask(site, stranger)}); got != "answered" {
		t.Errorf("one site's haste is held against another: %s", got)
	}
	now = now.Add(time.Minute)
	good.Time = wim.TimeOf(now)
	fail = errors.New("not connected")
	if got := a.answer(t.Context(), question{"north-1", ask(site, good)}); got != "failed" {
		t.Errorf("a line that is out: %s", got)
	}
	reg.none = true
	if got := a.answer(t.Context(), question{"north-1", ask(site, good)}); got != "no-register" {
		t.Errorf("without a register: %s", got)
	}
}
