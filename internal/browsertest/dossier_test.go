package browsertest

import (
	"encoding/base64"
	"testing"

	"github.com/axlegate/axlegate/center/dossier"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/wim/seal"
)

// What the button on a matter's page gives out holds under the keys of site and centre, and is in the audit trail.
func TestAnOfficerExportsADossierThatHolds(t *testing.T) {
	c := newCentre(t)
	c.passes(1)
	b := newBrowser(t, c.url)
	road := b.window("road").sign("road", password).inChinese()
	road.goTo("/matters/1")
	road.sees(".matter-links", "导出卷宗")
	road.value(`(window.got = "", fetch(document.querySelector(".matter-links a[download]").href).then(r => r.arrayBuffer())
		.then(b => { window.got = btoa(Array.from(new Uint8Array(b), x => String.fromCharCode(x)).join("")) }))`)
	road.wait("the archive", `typeof window.got === "string" && window.got !== ""`)
	archive, err := base64.StdEncoding.DecodeString(road.value(`window.got`))
	if err != nil {
		t.Fatal(err)
	}
	rep := dossier.Verify(archive, dossier.Trust{
		SiteKeys: []*seal.Verifier{c.chain.Key.Verifier()}, CenterKeys: []*seal.Verifier{storetest.Signer(t, 9).Verifier()},
	})
	if !rep.OK || rep.Matter != 1 {
		t.Errorf("%+v", rep.Wrong)
	}
	audit := b.window("audit").sign("audit", password)
	audit.goTo("/trail?subject=1")
	audit.sees(".trail", "dossier ")
}
