package intake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center/picture"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// jpegText begins as a JPEG does.
const jpegText = "\xff\xd8\xff\xe0 a plate"

func grantOf(t *testing.T, seed byte, site wim.SiteID, d wim.Digest, at time.Time) string {
	t.Helper()
	g, err := seal.SignPicture(storetest.Signer(t, seed), seal.PictureGrant{Site: site, Digest: d, Time: wim.TimeOf(at)})
	if err != nil {
		t.Fatal(err)
	}
	return "Axlegate " + g
}

func put(t *testing.T, h http.Handler, method, path, auth string, body io.Reader) (status int) {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", auth)
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func TestAPictureIsKeptUnderAGoodGrantOnly(t *testing.T) {
	jpeg := []byte(jpegText)
	d, text := wim.DigestOf(jpeg), []byte("no picture at all")
	now := time.Now()
	large := append(bytes.Clone(jpeg), make([]byte, picture.MaxSize)...)
	for _, c := range []struct {
		name, method, path, auth string
		body                     []byte
		want                     int
	}{
		{"a good one", "PUT", "/pictures/" + d.String(), grantOf(t, 1, known, d, now), jpeg, 204},
		{"from a clock 50 minutes fast", "PUT", "/pictures/" + d.String(), grantOf(t, 1, known, d, now.Add(50*time.Minute)), jpeg, 204},
		{"from a clock 50 minutes slow", "PUT", "/pictures/" + d.String(), grantOf(t, 1, known, d, now.Add(-50*time.Minute)), jpeg, 204},
		{"from a clock two hours fast", "PUT", "/pictures/" + d.String(), grantOf(t, 1, known, d, now.Add(2*time.Hour)), jpeg, 401},
		{"with a grant of yesterday", "PUT", "/pictures/" + d.String(), grantOf(t, 1, known, d, now.Add(-24*time.Hour)), jpeg, 401},
		{"without a grant", "PUT", "/pictures/" + d.String(), "", jpeg, 401},
		{"with a password instead", "PUT", "/pictures/" + d.String(), "Basic YTpi", jpeg, 401},
		{"with garbage", "PUT", "/pictures/" + d.String(), "Axlegate a.b.c", jpeg, 401},
		{"with an endless header", "PUT", "/pictures/" + d.String(), "Axlegate " + strings.Repeat("a", 8<<10), jpeg, 401},
		{"signed by a stranger", "PUT", "/pictures/" + d.String(), grantOf(t, 7, known, d, now), jpeg, 401},
		{"of an unknown site", "PUT", "/pictures/" + d.String(), grantOf(t, 1, stranger, d, now), jpeg, 401},
		{"granted for another picture", "PUT", "/pictures/" + d.String(), grantOf(t, 1, known, wim.DigestOf(text), now), jpeg, 401},
		{"by another method", "POST", "/pictures/" + d.String(), grantOf(t, 1, known, d, now), jpeg, 405},
		{"under no digest", "PUT", "/pictures/../../etc/passwd", grantOf(t, 1, known, d, now), jpeg, 400},
		{"that is a text", "PUT", "/pictures/" + wim.DigestOf(text).String(), grantOf(t, 1, known, wim.DigestOf(text), now), text, 415},
		{"whose bytes are others", "PUT", "/pictures/" + d.String(), grantOf(t, 1, known, d, now), append(bytes.Clone(jpeg), 1), 422},
		{"that is too large", "PUT", "/pictures/" + wim.DigestOf(large).String(), grantOf(t, 1, known, wim.DigestOf(large), now), large, 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			f, err := picture.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			// A reader that is no *bytes.Reader has no length: the bound must hold without it.
			for _, body := range []io.Reader{bytes.NewReader(c.body), io.MultiReader(bytes.NewReader(c.body))} {
				if status := put(t, r.PictureHandler(f), c.method, c.path, c.auth, body); status != c.want {
					t.Errorf("%d, want %d", status, c.want)
				}
			}
			got, err := f.Get(d)
			if (err == nil) != (c.want == 204) {
				t.Errorf("kept: %v", err)
			}
			if err == nil {
				if err := got.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// full is a folder whose disk is.
type full struct{}

func (full) Put(context.Context, wim.Digest, io.Reader, int64) error {
	return errors.New("no space left on device")
}

func TestAPictureThatCannotBeKeptIsForLater(t *testing.T) {
	jpeg := []byte(jpegText)
	r, d := newRig(t), wim.DigestOf(jpeg)
	status := put(t, r.PictureHandler(full{}), "PUT", "/pictures/"+d.String(), grantOf(t, 1, known, d, time.Now()), bytes.NewReader(jpeg))
	if status != http.StatusServiceUnavailable || r.count("pictures_total", "failed") != 1 {
		t.Error(status)
	}
}
