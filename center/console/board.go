package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// boardEntries is how many alerts a board shows; the newest ones.
const boardEntries = 120

// boardView is the whole board.
type boardView struct {
	*frame
	Offset int // seconds east of UTC, for the page's clock
	Follow bool
	Entry  *entryView // the one shown large, nil on an empty board
	Open   []*entryView
	Done   []*entryView
	Older  int // open alerts beyond what the board shows
	Status statusView
}

// board answers GET / with the newest open alert large, and GET /alerts/{id} with that one.
func (c *Console) board(w http.ResponseWriter, r *http.Request, v visit) {
	if v.officer.Role != center.Enforcer { // only GET / gets here with another role
		http.Redirect(w, r, home(v.officer.Role), http.StatusSeeOther)
		return
	}
	id := int64(0)
	if s := r.PathValue("id"); s != "" {
		var err error
		if id, err = strconv.ParseInt(s, 10, 64); err != nil {
			c.fail(w, r, http.StatusNotFound, nil)
			return
		}
	}
	c.showBoard(w, r, v, http.StatusOK, id, "", false)
}

func (c *Console) showBoard(w http.ResponseWriter, r *http.Request, v visit, status int, id int64, notice string, good bool) {
	if err := c.look(r.Context(), v, "board", ""); err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	view, err := c.readBoard(w, r, v, id)
	switch {
	case errors.Is(err, center.ErrNotFound):
		c.fail(w, r, http.StatusNotFound, nil)
		return
	case err != nil:
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	if view.Entry != nil {
		if err := c.lookAt(r.Context(), v, view.Entry.Entry, "board"); err != nil {
			c.fail(w, r, http.StatusInternalServerError, err)
			return
		}
		view.Entry.Notice, view.Entry.NoticeGood = notice, good
	}
	c.page(w, r, status, "board", view)
}

func (c *Console) readBoard(w http.ResponseWriter, r *http.Request, v visit, id int64) (*boardView, error) {
	ctx, viewer := r.Context(), v.viewer()
	entries, last, err := c.cfg.Store.Board(ctx, viewer, boardEntries)
	if err != nil {
		return nil, fmt.Errorf("board: %w", err)
	}
	now := c.now()
	b := &boardView{frame: c.newFrame(w, r, v, v.words.T("board.title")), Follow: id == 0}
	b.Last = last
	_, b.Offset = now.In(v.words.Zone()).Zone()
	b.Shell.Refresh = 30
	if id != 0 {
		b.Shell.Back = "/alerts/" + strconv.FormatInt(id, 10)
	}
	for i := range entries {
		e := c.view(v, &entries[i], b.Now)
		if e.Open() {
			b.Open = append(b.Open, e)
		} else {
			b.Done = append(b.Done, e)
		}
		if e.Alert.ID == id {
			b.Entry = e
		}
	}
	switch {
	case b.Entry != nil:
	case id != 0: // older than the board reaches
		e, err := c.cfg.Store.Entry(ctx, viewer, id)
		if err != nil {
			return nil, fmt.Errorf("alert %d: %w", id, err)
		}
		b.Entry = c.view(v, &e, b.Now)
	case len(b.Open) > 0:
		b.Entry = b.Open[0]
	case len(b.Done) > 0:
		b.Entry = b.Done[0]
	}
	if b.Entry != nil {
		b.Entry.Selected = true
	}
	if b.Status, err = c.status(ctx, v); err != nil {
		return nil, err
	}
	b.Older = max(0, b.Status.Totals.Open-len(b.Open))
	return b, nil
}

func (c *Console) view(v visit, e *center.Entry, now wim.Time) *entryView {
	return &entryView{
		Entry: e, Words: v.words, Competence: v.officer.Competence, Now: now, missing: c.pictureMissing,
		authority: func(k wim.Competence) string { return c.authority(v.words, k) },
	}
}

func (c *Console) status(ctx context.Context, v visit) (statusView, error) {
	s := statusView{Words: v.words, Competence: v.officer.Competence}
	now := c.now()
	var err error
	if s.Totals, err = c.cfg.Store.Totals(ctx, v.viewer(), wim.TimeOf(v.words.Midnight(now))); err != nil {
		return s, fmt.Errorf("totals: %w", err)
	}
	sites, err := c.cfg.Store.Sites(ctx, v.viewer())
	if err != nil {
		return s, fmt.Errorf("sites: %w", err)
	}
	for _, st := range sites {
		s.Sites = append(s.Sites, siteView{SiteState: st, Heard: v.words.Moment(st.Heard, wim.TimeOf(now))})
	}
	return s, nil
}

// fragment answers GET /alerts/{id}/fragment: the large view of one alert, for the page's script.
func (c *Console) fragment(w http.ResponseWriter, r *http.Request, v visit) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		c.fail(w, r, http.StatusNotFound, nil)
		return
	}
	c.showFragment(w, r, v, http.StatusOK, id, "", false)
}

func (c *Console) showFragment(w http.ResponseWriter, r *http.Request, v visit, status int, id int64, notice string, good bool) {
	e, err := c.cfg.Store.Entry(r.Context(), v.viewer(), id)
	switch {
	case errors.Is(err, center.ErrNotFound):
		c.fail(w, r, http.StatusNotFound, nil)
		return
	case err != nil:
		c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("alert %d: %w", id, err))
		return
	}
	if err := c.lookAt(r.Context(), v, &e, "board"); err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	view := c.view(v, &e, wim.TimeOf(c.now()))
	view.Selected, view.Notice, view.NoticeGood = true, notice, good
	c.page(w, r, status, "entry", view)
}

// acknowledge answers POST /alerts/{id}/acknowledge. With ?fragment it answers the large view alone, as the
// script wants it; otherwise it leads back to the board. Whoever comes second is told who was first.
func (c *Console) acknowledge(w http.ResponseWriter, r *http.Request, v visit) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		c.fail(w, r, http.StatusNotFound, nil)
		return
	}
	script := r.URL.Query().Has("fragment")
	err = c.cfg.Store.Acknowledge(r.Context(), v.viewer(), id)
	switch {
	case errors.Is(err, center.ErrNotFound):
		c.fail(w, r, http.StatusNotFound, nil)
	case errors.Is(err, center.ErrNotYours): // the officer has become another one since the request began
		c.refuse(w, r)
	case errors.Is(err, center.ErrAlreadyAcknowledged):
		e, err := c.cfg.Store.Entry(r.Context(), v.viewer(), id)
		if err != nil {
			c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("alert %d: %w", id, err))
			return
		}
		notice := v.words.T("entry.already", e.Alert.AcknowledgedBy, v.words.DateTime(e.Alert.AcknowledgedAt))
		if script {
			c.showFragment(w, r, v, http.StatusConflict, id, notice, false)
			return
		}
		c.showBoard(w, r, v, http.StatusConflict, id, notice, false)
	case err != nil:
		c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("acknowledge alert %d: %w", id, err))
	default:
		c.log.InfoContext(r.Context(), "alert acknowledged", "alert", id, "competence", v.officer.Competence, "login", v.officer.Login)
		if script {
			c.showFragment(w, r, v, http.StatusOK, id, v.words.T("entry.acknowledged-now"), true)
			return
		}
		http.Redirect(w, r, "/alerts/"+strconv.FormatInt(id, 10), http.StatusSeeOther)
	}
}

// render gives a template's text, for what travels inside an event.
func (c *Console) render(name string, view any) (string, error) {
	var b bytes.Buffer
	if err := c.pages.ExecuteTemplate(&b, name, view); err != nil {
		return "", fmt.Errorf("page %s: %w", name, err)
	}
	return b.String(), nil
}
