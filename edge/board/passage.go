package board

import (
	"context"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// passageView is one passage in full.
type passageView struct {
	accountView
}

// Diagram is the axle diagram.
func (v *passageView) Diagram() template.HTML {
	return v.Words.Diagram(web.Diagram{ID: "p" + seq(v.Ref), Facts: &v.Facts, Verdict: &v.Verdict})
}

// Findings are all competences' opinions.
func (v *passageView) Findings() *web.Findings {
	return &web.Findings{Words: v.Words, Verdict: &v.Verdict, Authority: func(c wim.Competence) string { return v.Words.Or("competence", string(c)) }}
}

// Flags are the vehicle's flags in words.
func (v *passageView) Flags() []string { return v.Words.Flags(v.Facts.Vehicle.Flags) }

// picture is one plate picture.
type picture struct{ URL, Label string }

// Pictures are the pictures of the reads, front first, each once.
func (v *passageView) Pictures() []picture {
	var out []picture
	seen := map[wim.Digest]bool{}
	for _, end := range []wim.End{wim.Front, wim.Rear} {
		for _, r := range v.Reads {
			if r.Picture.IsZero() || seen[r.Picture] || (r.End == wim.Rear) != (end == wim.Rear) {
				continue
			}
			seen[r.Picture] = true
			out = append(out, picture{"/pictures/" + r.Picture.String(), v.Words.T("picture."+string(end), r.Text)})
		}
	}
	return out
}

// later is a supplement in words.
type later struct {
	Time  wim.Time
	Cause string
	By    string
}

// Later lists what came after the passage.
func (v *passageView) Later() []later {
	var out []later
	for _, s := range v.Supplements {
		out = append(out, later{s.Recorded, v.Words.Or("supplement", s.Cause), s.By})
	}
	return out
}

func seq(r wim.RecordRef) string { return strconv.FormatUint(r.Seq, 10) }

// passagePath reads the path of a passage's page.
func passagePath(p string) (chain wim.ChainID, n uint64, ok bool) {
	rest, ok := strings.CutPrefix(p, "/passages/")
	if !ok {
		return chain, 0, false
	}
	c, s, _ := strings.Cut(rest, "/")
	chain, err := wim.ParseChainID(c)
	if err != nil {
		return chain, 0, false
	}
	n, err = strconv.ParseUint(s, 10, 64)
	return chain, n, err == nil
}

func (b *Board) account(ctx context.Context, words *web.Words, chain wim.ChainID, n uint64) (*passageView, error) {
	a, err := b.cfg.Site.Account(ctx, chain, n)
	if err != nil {
		return nil, err
	}
	return &passageView{accountView{Account: a, Words: words, Now: wim.TimeOf(b.now())}}, nil
}

// passage answers GET /passages/{chain}/{seq}.
func (b *Board) passage(w http.ResponseWriter, r *http.Request, v visit) {
	b.showPassage(w, r, v, http.StatusOK, nil, "")
}

// showPassage shows a passage with its form: as it was sent where sent is not nil, with what is wrong with it.
func (b *Board) showPassage(w http.ResponseWriter, r *http.Request, v visit, status int, sent *form, notice string) {
	path := "/passages/" + r.PathValue("chain") + "/" + r.PathValue("seq")
	chain, n, ok := passagePath(path)
	if !ok {
		b.fail(w, r, http.StatusNotFound, nil)
		return
	}
	a, err := b.account(r.Context(), v.words, chain, n)
	switch {
	case errors.Is(err, edge.ErrNoPassage):
		b.fail(w, r, http.StatusNotFound, nil)
		return
	case err != nil:
		b.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	if sent == nil {
		sent = filled(v.words, &a.Facts)
	}
	f := b.frame(r, v, v.words.T("board.passage"), "/events?of="+path)
	f.Shell.Back = path
	b.page(w, r, status, "passage", struct {
		frame

		Account *passageView
		Form    *form
		Notice  string
		Saved   bool
	}{f, a, sent, notice, r.URL.Query().Has("saved")})
}

// picture answers GET /pictures/{digest}.
func (b *Board) picture(w http.ResponseWriter, r *http.Request, _ visit) {
	d, err := wim.ParseDigest(r.PathValue("digest"))
	if err != nil {
		b.fail(w, r, http.StatusNotFound, nil)
		return
	}
	f, err := b.cfg.Site.Picture(d)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		b.fail(w, r, http.StatusNotFound, nil)
		return
	case err != nil:
		b.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	defer f.Close() //nolint:errcheck // it was only read
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, f)
}
