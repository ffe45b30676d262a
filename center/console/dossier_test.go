package console

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// fakeDossiers makes an archive of what the store shows.
type fakeDossiers struct{ *fakeStore }

func (d fakeDossiers) Dossier(ctx context.Context, v center.Viewer, matter int64) ([]byte, error) {
	f, err := d.File(ctx, v, matter)
	if err == nil && f.Pruned {
		err = center.ErrPruned
	}
	return []byte("PK archive"), err
}

func TestADossierIsHandedOutFromTheMattersPage(t *testing.T) {
	s := newStand(t)
	id := s.matters(1)[0]
	path := "/matters/" + strconv.FormatInt(id, 10)
	b := s.as("road")
	if a := b.get(path).wants(http.StatusOK); strings.Contains(a.body, "/dossier") {
		t.Error("a button where none are made")
	}
	b.get(path + "/dossier").wants(http.StatusNotFound)
	s.console.cfg.Dossiers = fakeDossiers{s.store}
	for _, text := range []string{"Export dossier", path + `/dossier"`} {
		if a := b.get(path).wants(http.StatusOK); !strings.Contains(a.body, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	a := b.get(path + "/dossier").wants(http.StatusOK)
	if a.body != "PK archive" || a.header.Get("Content-Type") != "application/zip" || !strings.Contains(a.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%q %v", a.body, a.header)
	}
	b.get("/matters/99999/dossier").wants(http.StatusNotFound)
	b.get("/matters/x/dossier").wants(http.StatusNotFound)

	s.store.mu.Lock()
	looks := s.store.looks
	s.store.unseen = errBroken
	s.store.mu.Unlock()
	if last := looks[len(looks)-1]; last.subject != "matter "+strconv.FormatInt(id, 10) || last.detail != "dossier "+wim.DigestOf([]byte("PK archive")).String() {
		t.Errorf("traced as %+v", last)
	}
	if a := b.get(path + "/dossier").wants(http.StatusInternalServerError); strings.Contains(a.body, "PK") {
		t.Error("handed out without a trace")
	}
}
