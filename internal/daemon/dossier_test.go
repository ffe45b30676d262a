package daemon

import (
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/dossier"
	"github.com/axlegate/axlegate/wim/seal"
)

func TestADossierHasEveryKeyThatASiteWasBelievedUnder(t *testing.T) {
	key := func() *seal.Verifier {
		k, err := seal.GenerateSigner()
		if err != nil {
			t.Fatal(err)
		}
		return k.Verifier()
	}
	der := func(v *seal.Verifier) []byte {
		b, err := v.MarshalDER()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first, second, third, gone, other := key(), key(), key(), key(), key()
	got, err := keysOf("north-1", []*seal.Verifier{first}, []center.SiteKey{
		{Site: "north-1", ID: first.ID, How: center.KeyConfigured, Ended: 9},
		{Site: "north-1", ID: second.ID, DER: der(second), How: center.KeyByRotation, By: first.ID, Since: 5, Ended: 20},
		{Site: "north-1", ID: third.ID, DER: der(third), How: center.KeyByCode, By: "sun", Since: 20},
		{Site: "north-1", ID: gone.ID, How: center.KeyConfigured, Ended: 3},
		{Site: "south-2", ID: other.ID, DER: der(other), How: center.KeyByCode, Since: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []dossier.SiteKey{
		{Key: first, Source: dossier.SourceConfigured, Until: 9},
		{Key: second, Source: dossier.SourceRotation, By: first.ID, Since: 5, Until: 20},
		{Key: third, Source: dossier.SourceCode, By: "sun", Since: 20},
	}
	if len(got) != len(want) {
		t.Fatalf("%d keys: %+v", len(got), got)
	}
	for i, w := range want {
		g := got[i]
		if g.Key.ID != w.Key.ID || g.Source != w.Source || g.By != w.By || g.Since != w.Since || g.Until != w.Until {
			t.Errorf("key %d: %+v, want %+v", i, g, w)
		}
	}
	if _, err := keysOf("north-1", nil, []center.SiteKey{{Site: "north-1", ID: "x", DER: []byte("no key")}}); err == nil {
		t.Error("bytes that are no key were taken")
	}
}
