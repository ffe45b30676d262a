package api

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// dossiers makes an archive of what its fake may show.
type dossiers struct {
	*fake
	err error
}

func (d dossiers) Dossier(ctx context.Context, v center.Viewer, matter int64) ([]byte, error) {
	if _, err := d.File(ctx, v, matter); err != nil {
		return nil, err
	}
	return []byte("PK archive"), d.err
}

func TestADossierIsHandedOutToWhoeverSeesTheMatterAndTraced(t *testing.T) {
	const path = Prefix + "/matters/7/dossier"
	for _, c := range []struct {
		name  string
		token func(*rig) string
		path  string
		err   error // of making it
		mute  error // of the audit trail
		want  int
	}{
		{"an officer of the authority that was alerted", func(r *rig) string { return r.roadToken }, path, nil, nil, 200},
		{"the auditor", func(r *rig) string { return r.auditor }, path, nil, nil, 200},
		{"an officer of another region", func(r *rig) string { return r.elsewhere }, path, nil, nil, 404},
		{"an administrator", func(r *rig) string { return r.manager }, path, nil, nil, 404},
		{"nobody", func(*rig) string { return "" }, path, nil, nil, 401},
		{"a matter that is not there", func(r *rig) string { return r.roadToken }, Prefix + "/matters/8/dossier", nil, nil, 404},
		{"records that retention has removed", func(r *rig) string { return r.roadToken }, path, center.ErrPruned, nil, 410},
		{"a store that fails", func(r *rig) string { return r.roadToken }, path, errors.New("disk"), nil, 500},
		{"an audit trail that cannot be written", func(r *rig) string { return r.roadToken }, path, nil, errors.New("disk"), 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.mute = c.mute
			var err error
			if r.h, err = New(Config{Store: r.fake, Pictures: r.fake, Dossiers: dossiers{r.fake, c.err}}); err != nil {
				t.Fatal(err)
			}
			w := r.ask(t, "GET", c.path, c.token(r), "")
			if w.Code != c.want {
				t.Fatalf("%d %s, want %d", w.Code, w.Body, c.want)
			}
			if c.want != 200 {
				if strings.Contains(w.Body.String(), "PK") || len(r.trail) != 0 {
					t.Errorf("handed out or traced: %s, %+v", w.Body, r.trail)
				}
				return
			}
			if w.Body.String() != "PK archive" || w.Header().Get("Content-Type") != "application/zip" || !strings.Contains(w.Header().Get("Content-Disposition"), "matter-7.zip") {
				t.Errorf("%s %v", w.Body, w.Header())
			}
			want := "dossier " + wim.DigestOf([]byte("PK archive")).String()
			if len(r.trail) != 1 || r.trail[0].Subject != "matter 7" || !strings.Contains(r.trail[0].Detail, want) {
				t.Errorf("%+v", r.trail)
			}
		})
	}
}

func TestACentreWithoutDossiersSaysSo(t *testing.T) {
	r := newRig(t)
	if w := r.ask(t, "GET", Prefix+"/matters/7/dossier", r.roadToken, ""); w.Code != 404 || !strings.Contains(w.Body.String(), "no dossiers") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
