package console

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

func notThere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, center.ErrNotFound)
}

// pictureMissing tells that the centre does not hold a picture yet: pictures travel after their records.
func (c *Console) pictureMissing(d wim.Digest) bool {
	f, err := c.cfg.Pictures.Get(d)
	if err != nil {
		return true
	}
	return f.Close() != nil
}

// picture answers GET /pictures/{digest}?alert={id} with a plate picture of an alert that the officer may
// see. A digest alone opens nothing: the store is asked whether the alert is of the officer's competence and
// the picture one of its reads.
func (c *Console) picture(w http.ResponseWriter, r *http.Request, v visit) {
	d, err := wim.ParseDigest(r.PathValue("digest"))
	id, err2 := strconv.ParseInt(r.URL.Query().Get("alert"), 10, 64)
	if err != nil || err2 != nil || d.IsZero() {
		c.fail(w, r, http.StatusNotFound, nil)
		return
	}
	e, err := c.cfg.Store.Entry(r.Context(), v.viewer(), id)
	if err != nil && !errors.Is(err, center.ErrNotFound) {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	if err != nil || !shows(&e, d) {
		c.fail(w, r, http.StatusNotFound, nil)
		return
	}
	if err := c.lookAt(r.Context(), v, &e, "picture "+d.Short()); err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	f, err := c.cfg.Pictures.Get(d)
	if err != nil {
		if notThere(err) {
			c.fail(w, r, http.StatusNotFound, nil)
			return
		}
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	defer f.Close() //nolint:errcheck // read only: nothing is lost by a failed close
	var head [3]byte
	if _, err := f.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	if head != [3]byte{0xff, 0xd8, 0xff} { // what is no JPEG is kept as sent, but shown to nobody
		c.fail(w, r, http.StatusNotFound, nil)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	// The browser may keep it but asks each time: who may see it may change, and each look is traced.
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Set("ETag", `"`+d.String()+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
}

func shows(e *center.Entry, d wim.Digest) bool {
	for i := range e.Reads {
		if e.Reads[i].Picture == d {
			return true
		}
	}
	return false
}
