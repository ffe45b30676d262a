package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// Downlink is what the store has to do with what sites are sent.
type Downlink interface {
	PutParcel(ctx context.Context, v center.Viewer, p center.Parcel, bytes []byte) (center.Parcel, error)
	Parcels(ctx context.Context, v center.Viewer) ([]center.Parcel, error)
	// Assign lets a site or a region work by a parcel, or withdraws it.
	Assign(ctx context.Context, v center.Viewer, a center.Assignment) (center.Assignment, error)
	// Assignments lists them, newest first.
	Assignments(ctx context.Context, v center.Viewer) ([]center.Assignment, error)
	// Deliveries tells how far what a site is wanted to work by has come there.
	Deliveries(ctx context.Context, v center.Viewer, site wim.SiteID) (serial uint64, out []center.Delivery, err error)
}

// sentView is the page of what sites are sent to work by.
type sentView struct {
	*frame
	Parcels     []sentParcel
	Assignments []sentAssignment
	Sites       []sentSite
	Targets     []choice
	Kinds       []choice
	Notice      string
}

type sentParcel struct {
	center.Parcel
	words *web.Words
}

// KindName is the kind in words.
func (p *sentParcel) KindName() string { return p.words.T("parcel." + string(p.Kind)) }

type sentAssignment struct {
	center.Assignment
	words *web.Words
	To    string
	Now   wim.Time
}

// KindName is the kind in words.
func (a *sentAssignment) KindName() string { return a.words.T("parcel." + string(a.Parcel.Kind)) }

// Planned tells that its time is yet to come.
func (a *sentAssignment) Planned() bool { return a.From > a.Now }

// Target is what a form sends to name the same sites.
func (a *sentAssignment) Target() string {
	if a.Site != "" {
		return "site " + string(a.Site)
	}
	return "region " + string(a.Region)
}

type sentSite struct {
	Site   wim.SiteID
	Serial uint64
	Lines  []sentDelivery
}

type sentDelivery struct {
	center.Delivery
	words *web.Words
}

// KindName is the kind in words, StateName how far it has come.
func (d *sentDelivery) KindName() string  { return d.words.T("parcel." + string(d.Parcel.Kind)) }
func (d *sentDelivery) StateName() string { return d.words.T("delivery." + string(d.State)) }

// Health is the style of the state.
func (d *sentDelivery) Health() string {
	switch d.State {
	case center.DeliveryActive:
		return "well"
	case center.DeliveryRefused, center.DeliveryRolled:
		return "alarms"
	case center.DeliveryUnderWay, center.DeliveryScheduled:
	}
	return "behind"
}

// sentShown is how many assignments the page lists.
const sentShown = 50

func sendable() []wim.PartKind {
	return []wim.PartKind{wim.PartRules, wim.PartRegistrations, wim.PartPermits, wim.PartHotList, wim.PartSite}
}

// sentPage answers GET /sent.
func (c *Console) sentPage(w http.ResponseWriter, r *http.Request, v visit) {
	c.showSent(w, r, v, http.StatusOK, "")
}

func (c *Console) showSent(w http.ResponseWriter, r *http.Request, v visit, status int, notice string) {
	view := &sentView{Notice: notice}
	if err := c.fillSent(r.Context(), v, view); err != nil {
		c.wrong(w, r, fmt.Errorf("what is sent down: %w", err))
		return
	}
	view.frame = c.newFrame(w, r, v, v.words.T("sent.title"))
	c.page(w, r, status, "sent", view)
}

func (c *Console) fillSent(ctx context.Context, v visit, view *sentView) error {
	parcels, err := c.cfg.Store.Parcels(ctx, v.viewer())
	if err != nil {
		return err
	}
	for _, p := range parcels {
		view.Parcels = append(view.Parcels, sentParcel{p, v.words})
	}
	assignments, err := c.cfg.Store.Assignments(ctx, v.viewer())
	if err != nil {
		return err
	}
	now := wim.TimeOf(c.now())
	for _, a := range assignments[:min(len(assignments), sentShown)] {
		to := v.words.T("sent.site", string(a.Site))
		if a.Site == "" {
			to = c.target(v.words, a.Region)
		}
		view.Assignments = append(view.Assignments, sentAssignment{a, v.words, to, now})
	}
	sites, err := c.cfg.Store.Sites(ctx, v.viewer())
	if err != nil {
		return err
	}
	for _, p := range c.cfg.Regions.Within(v.officer.Region) {
		view.Targets = append(view.Targets, choice{Value: "region " + string(p.Region), Name: c.target(v.words, p.Region)})
	}
	if v.officer.Region == "" {
		view.Targets = append([]choice{{Value: "region ", Name: c.target(v.words, "")}}, view.Targets...)
	}
	for _, s := range sites {
		view.Targets = append(view.Targets, choice{Value: "site " + string(s.Site), Name: v.words.T("sent.site", string(s.Site))})
		serial, deliveries, err := c.cfg.Store.Deliveries(ctx, v.viewer(), s.Site)
		if errors.Is(err, center.ErrNotFound) {
			continue // heard of, and no longer configured
		}
		if err != nil {
			return err
		}
		line := sentSite{Site: s.Site, Serial: serial}
		for _, d := range deliveries {
			line.Lines = append(line.Lines, sentDelivery{d, v.words})
		}
		view.Sites = append(view.Sites, line)
	}
	for _, k := range sendable() {
		view.Kinds = append(view.Kinds, choice{Value: string(k), Name: v.words.T("parcel." + string(k))})
	}
	return nil
}

func (c *Console) target(words *web.Words, r center.Region) string {
	if r == "" {
		return words.T("sent.all")
	}
	return words.T("sent.region", c.region(words, r))
}

// upload answers POST /sent/parcels: a parcel is checked by loading it and kept.
func (c *Console) upload(w http.ResponseWriter, r *http.Request, v visit) {
	r.Body = http.MaxBytesReader(w, r.Body, center.MaxParcel+maxForm)
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	if err := r.ParseMultipartForm(1 << 20); err != nil { //nolint:gosec // bounded above
		c.showSent(w, r, v, http.StatusBadRequest, v.words.T("sent.too-large", center.MaxParcel>>20))
		return
	}
	defer r.MultipartForm.RemoveAll() //nolint:errcheck // temporary files that the system clears too
	f, _, err := r.FormFile("file")
	if err != nil {
		c.showSent(w, r, v, http.StatusUnprocessableEntity, v.words.T("sent.no-file"))
		return
	}
	defer f.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(f)
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	p := center.Parcel{Kind: wim.PartKind(r.FormValue("kind")), Name: strings.TrimSpace(r.FormValue("name")), Version: strings.TrimSpace(r.FormValue("version")), Size: int64(len(b))}
	if err := p.Valid(); err == nil && c.cfg.CheckParcel != nil {
		if err := c.cfg.CheckParcel(p, b); err != nil {
			c.showSent(w, r, v, http.StatusUnprocessableEntity, v.words.T("sent.bad", err.Error()))
			return
		}
	}
	if p, err = c.cfg.Store.PutParcel(r.Context(), v.viewer(), p, b); errors.Is(err, center.ErrNotYours) {
		c.wrong(w, r, err)
		return
	} else if err != nil {
		c.log.WarnContext(r.Context(), "a parcel was not taken", "login", v.officer.Login, "error", err)
		c.showSent(w, r, v, http.StatusUnprocessableEntity, v.words.T("sent.bad", err.Error()))
		return
	}
	c.log.InfoContext(r.Context(), "parcel kept", "kind", p.Kind, "name", p.Name, "digest", p.Digest.Short(), "login", v.officer.Login)
	c.flash(w, "sent.kept")
	http.Redirect(w, r, "/sent", http.StatusSeeOther)
}

// uploadTime bounds the reading of one parcel.
const uploadTime = 5 * time.Minute

// assign answers POST /sent/assign: sites are to work by a parcel, or no longer.
func (c *Console) assign(w http.ResponseWriter, r *http.Request, v visit) {
	f, err := readForm(w, r, v.words)
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	a := center.Assignment{Withdrawn: f.Get("withdraw") != ""}
	if a.Parcel.Digest, err = wim.ParseDigest(f.Get("parcel")); err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	what, target, _ := strings.Cut(f.Values.Get("to"), " ")
	switch what {
	case "site":
		a.Site = wim.SiteID(target)
	case "region":
		a.Region = center.Region(target)
	default:
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	if from := f.Get("from"); from != "" {
		at, err := time.ParseInLocation("2006-01-02T15:04", from, c.cfg.Location)
		if err != nil {
			c.showSent(w, r, v, http.StatusUnprocessableEntity, v.words.T("sent.bad-time"))
			return
		}
		a.From = wim.TimeOf(at)
	}
	if a, err = c.cfg.Store.Assign(r.Context(), v.viewer(), a); err != nil {
		c.wrong(w, r, err)
		return
	}
	c.log.InfoContext(r.Context(), "parcel assigned", "assignment", a.ID, "withdrawn", a.Withdrawn, "login", v.officer.Login)
	c.flash(w, "sent.assigned")
	http.Redirect(w, r, "/sent", http.StatusSeeOther)
}
