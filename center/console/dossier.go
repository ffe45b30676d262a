package console

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// dossier answers GET /matters/{id}/dossier with the matter's evidence as one archive. That it was handed out, and
// which bytes, stands in the audit trail before it leaves.
func (c *Console) dossier(w http.ResponseWriter, r *http.Request, v visit) {
	id, ok := matterID(r)
	if !ok || c.cfg.Dossiers == nil {
		c.fail(w, r, http.StatusNotFound, nil)
		return
	}
	b, err := c.cfg.Dossiers.Dossier(r.Context(), v.viewer(), id)
	switch {
	case errors.Is(err, center.ErrNotFound), errors.Is(err, center.ErrPruned):
		c.fail(w, r, http.StatusNotFound, nil)
		return
	case err != nil:
		c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("matter %d: %w", id, err))
		return
	}
	m := center.Matter{ID: id}
	if err := c.look(r.Context(), v, m.String(), "dossier "+wim.DigestOf(b).String()); err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="axlegate-matter-%d.zip"`, id))
	w.Header().Set("Cache-Control", "no-store")
	w.Write(b) //nolint:errcheck // the caller has gone
}
