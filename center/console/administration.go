package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Administration is what the pages of sites, trail, officers, tokens and the own account stand on. Every
// change leaves its line in the audit trail, written together with it.
type Administration interface {
	Alarms(ctx context.Context, v center.Viewer, site wim.SiteID) ([]center.Alarm, error)
	// LookedInto takes a site's alarms off the list.
	LookedInto(ctx context.Context, v center.Viewer, site wim.SiteID) error
	// SiteKeys lists the keys that were enrolled for sites, and those of the configuration that have ended.
	SiteKeys(ctx context.Context) ([]center.SiteKey, error)
	// PutCode keeps a one-time code for enrolling a key under its digest; lost ends the site's keys so far with it.
	PutCode(ctx context.Context, v center.Viewer, site wim.SiteID, digest [32]byte, lost bool) error
	// Trail gives lines of the audit trail, newest first.
	Trail(ctx context.Context, v center.Viewer, q center.TrailQuery) ([]center.Trace, error)
	// Officers lists those of the viewer's region, without their hashes.
	Officers(ctx context.Context, v center.Viewer) ([]center.Officer, error)
	// PutOfficer adds an officer or changes one; an empty hash leaves the password as it is.
	PutOfficer(ctx context.Context, by string, o center.Officer) error
	// ChangePassword sets an officer's own new hash; it does not have to be changed any more.
	ChangePassword(ctx context.Context, login, hash string) error
	// PutToken keeps a token under the digest of its secret.
	PutToken(ctx context.Context, by string, t center.Token, digest [32]byte) (center.Token, error)
	// Tokens lists those of the viewer's region for an administrator, the own ones for others.
	Tokens(ctx context.Context, v center.Viewer) ([]center.Token, error)
	Downlink
	// RevokeToken returns center.ErrNotFound for one that the viewer may not see.
	RevokeToken(ctx context.Context, v center.Viewer, id int64) error
}

// wrong answers for what the store refused.
func (c *Console) wrong(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, center.ErrNotFound):
		c.fail(w, r, http.StatusNotFound, nil)
	case errors.Is(err, center.ErrNotYours):
		c.refuse(w, r)
	default:
		c.fail(w, r, http.StatusInternalServerError, err)
	}
}

// routeAdministration adds the pages that no matter stands on.
func (c *Console) routeAdministration(mux *http.ServeMux) {
	route := func(pattern string, f func(http.ResponseWriter, *http.Request, visit), roles ...center.Role) {
		mux.HandleFunc(pattern, c.signedAs(f, roles...))
	}
	route("GET /account", c.account)
	route("POST /account/password", c.changePassword)
	route("GET /sites", c.sitesPage, center.Administrator, center.Auditor)
	route("GET /sites/{site}", c.sitePage, center.Administrator, center.Auditor)
	route("POST /sites/{site}/looked-into", c.lookedInto, center.Administrator)
	route("POST /sites/{site}/code", c.makeCode, center.Administrator)
	route("GET /sent", c.sentPage, center.Administrator)
	route("POST /sent/parcels", c.upload, center.Administrator)
	route("POST /sent/assign", c.assign, center.Administrator)
	route("GET /trail", c.trail, center.Auditor)
	route("GET /trail.csv", c.trailCSV, center.Auditor)
	route("GET /officers", c.officersPage, center.Administrator)
	route("POST /officers", c.addOfficer, center.Administrator)
	route("POST /officers/change", c.changeOfficer, center.Administrator)
	route("GET /tokens", c.tokensPage)
	route("POST /tokens", c.addToken)
	route("POST /tokens/revoke", c.revokeToken)
}

// checkWord tells what is wrong with a short text of one line: a *center.FieldError.
func checkWord(name, value string) error {
	switch {
	case utf8.RuneCountInString(value) > center.MaxWord:
		return &center.FieldError{Field: name, Problem: center.FieldTooLong}
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return &center.FieldError{Field: name, Problem: center.FieldControl}
	}
	return nil
}
