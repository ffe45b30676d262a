package intake

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

var update = flag.Bool("update", false, "write fixtures that are not there; one that is there is never written again")

// fixture reads what was signed once, and makes it where it is missing.
func fixture(t *testing.T, name string, write func() []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && *update {
		if err := os.WriteFile(path, write(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// resign signs a segment's payload anew after it was changed, as a later release might write it.
func resign(t *testing.T, jws string, change func(payload string) string) string {
	t.Helper()
	head, rest, _ := strings.Cut(jws, ".")
	body, _, _ := strings.Cut(rest, ".")
	payload, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	body = base64.RawURLEncoding.EncodeToString([]byte(change(string(payload))))
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = 1 // as storetest.Signer(t, 1)
	}
	sig := ed25519.Sign(ed25519.NewKeyFromSeed(seed), []byte(head+"."+body))
	return head + "." + body + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// nextBundle is a passage, a record of the next format with a body that nobody here knows, one of an unknown kind, and
// another passage.
func nextBundle(t *testing.T) []byte {
	c := storetest.NewChain(t, known, 0).Quiet(1)
	for _, change := range [][2]string{{`"format":2`, `"format":3`}, {`"kind":"passage"`, `"kind":"turn-back"`}} {
		c.Quiet(1)
		c.Rewrite(func(raw string) string {
			return strings.Replace(strings.Replace(raw, change[0], change[1], 1), `"nonce":`, `"tomorrow":{"axles":[1,2]},"nonce":`, 1)
		})
	}
	c.Quiet(1)
	return c.Bundle(1, len(c.Records))
}

func TestWhatTheNextReleaseSendsIsHeldUnreadAndReceipted(t *testing.T) {
	r := newRig(t)
	r.take(known, fixture(t, "v-next-segment.bundle", func() []byte { return nextBundle(t) }))
	if got := r.sent.last(); got.Seq != 5 || got.Fork {
		t.Fatalf("receipt %+v", got)
	}
	if n := r.records(); n != 5 {
		t.Errorf("%d records", n)
	}
	if e, err := storetest.Review(t, r.store, center.RejudgedSame); err != nil || e.Reviewed != 5 {
		t.Fatalf("%+v, %v", e, err)
	}
	sites, err := r.store.Sites(t.Context(), storetest.Overseer())
	if err != nil || len(sites) != 1 || sites[0].Unread != 2 || sites[0].Alarms != 0 {
		t.Errorf("%+v, %v", sites, err)
	}
	later, err := r.store.Unread(t.Context(), func(k wim.RecordKind, format int) bool { return format == 3 || k == "turn-back" }, 9)
	if err != nil || len(later) != 2 {
		t.Errorf("after an upgrade %d are read, %v", len(later), err)
	}
}

func TestASegmentOfALaterVersionIsAnAlarmThatSaysUpgradeTheCentre(t *testing.T) {
	c := storetest.NewChain(t, known, 0).Quiet(2)
	b := fixture(t, "v-next-version.bundle", func() []byte {
		jws, raws := c.Sign(1, 3)
		later := resign(t, jws, func(p string) string { return strings.Replace(p, `{"v":1,`, `{"v":2,"tomorrow":true,`, 1) })
		return seal.AppendBundle(nil, later, raws)
	})
	r := newRig(t)
	r.take(known, b)
	if r.sent.tries != 0 || r.records() != 0 || r.quarantined() != 1 || r.count("quarantined_total", reasonVersion) != 1 {
		t.Errorf("%d receipts, %d records, %d set aside", r.sent.tries, r.records(), r.quarantined())
	}
	a, err := r.store.Alarms(t.Context(), storetest.Overseer(), known)
	if err != nil || len(a) != 1 || a[0].Kind != center.AlarmVersion || !strings.Contains(a[0].Detail, "version 2, this build reads 1; upgrade the centre") {
		t.Errorf("%+v, %v", a, err)
	}
	r.take(known, c.Bundle(1, 3)) // the same records as this build reads them: nothing of them was lost
	if got := r.sent.last(); got.Seq != 3 {
		t.Errorf("receipt %+v", got)
	}
}
