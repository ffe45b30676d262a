package journal

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestANewChainBeginsWithWhatTheSiteWorksBy(t *testing.T) {
	j := fresh(t)
	works := &wim.SiteConfiguration{Cause: wim.ConfiguredByManifest, Serial: 3, Active: []wim.Part{{Kind: wim.PartRules, Name: "cn", Digest: wim.Digest{1}}}, Changed: []wim.Change{}}
	if _, _, ok, err := j.Configuration(t.Context()); ok || err != nil {
		t.Fatalf("a new journal has a configuration: %v", err)
	}
	if _, err := j.Append(t.Context(), []Draft{{Kind: wim.KindConfiguration, Time: 1, Configuration: works}}); err != nil {
		t.Fatal(err)
	}
	id, err := j.StartChain(t.Context(), causeFork)
	if err != nil {
		t.Fatal(err)
	}
	c, ref, ok, err := j.Configuration(t.Context())
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if ref.Chain != id || ref.Seq != 2 || c.Serial != 3 || len(c.Active) != 1 || c.Active[0].Digest != (wim.Digest{1}) {
		t.Errorf("record %+v: %+v", ref, c)
	}
	if head, digest := j.Head(); head != 2 || digest != ref.Digest || audit(t, j).Chains[1].Err != nil {
		t.Errorf("head %d", head)
	}
}
