package board

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// Bridge is a static scale of the site.
type Bridge interface {
	Name() string
	// Shown is what it shows now, and why that cannot be weighed; empty when it can.
	Shown() BridgeShown
	// Weigh takes the weight for a vehicle and returns when it is committed. Where it cannot, why says so, as in BridgeShown; err is a
	// failure of the site.
	Weigh(ctx context.Context, w BridgeWeighing) (why string, err error)
}

// BridgeShown is what a static scale shows.
type BridgeShown struct {
	Gross wim.Kg
	Known bool             // Gross is of this moment
	Why   string           // silent, no-weight, empty, moving or twice; empty when it can be weighed
	Last  *wim.Transaction // the last weighing, nil for none
}

// BridgeWeighing is which vehicle stands on the scale.
type BridgeWeighing struct {
	Plate, Trailer string // normalised
	Color          wim.PlateColor
	By             string
}

// bridgeView is a scale in words.
type bridgeView struct {
	BridgeShown

	Name  string
	Words *web.Words
}

// Ready tells that what stands there can be weighed now.
func (v *bridgeView) Ready() bool { return v.Why == "" }

// Said is why it cannot be weighed, or that it can.
func (v *bridgeView) Said() string {
	if v.Why == "" {
		return v.Words.T("bridge.ready")
	}
	return v.Words.Or("bridge", v.Why)
}

// Path is the scale's own page.
func (v *bridgeView) Path() string { return "/bridges/" + v.Name }

func (b *Board) bridges(words *web.Words) []*bridgeView {
	var out []*bridgeView
	for _, x := range b.cfg.Bridges {
		out = append(out, &bridgeView{x.Shown(), x.Name(), words})
	}
	return out
}

// bridge finds a scale by its page's path; nil for none.
func (b *Board) bridge(path string) Bridge {
	name, ok := strings.CutPrefix(path, "/bridges/")
	i := slices.IndexFunc(b.cfg.Bridges, func(x Bridge) bool { return x.Name() == name })
	if !ok || i < 0 {
		return nil
	}
	return b.cfg.Bridges[i]
}

// bridgeForm is the form of a weighing.
type bridgeForm struct {
	Plate, Trailer field
	Color          choice
}

func newBridgeForm(w *web.Words, get func(string) string) bridgeForm {
	f := bridgeForm{
		Plate:   field{Name: "plate", Label: w.T("licence.plate"), Value: get("plate")},
		Trailer: field{Name: "trailer", Label: w.T("bridge.trailer"), Value: get("trailer")},
		Color:   choice{Name: "color", Label: w.T("licence.color")},
	}
	for _, c := range colours() {
		f.Color.Options = append(f.Color.Options, option{string(c), w.Color(c), get("color") == string(c)})
	}
	return f
}

// bridgePage answers GET /bridges/{name}.
func (b *Board) bridgePage(w http.ResponseWriter, r *http.Request, v visit) {
	b.showBridge(w, r, v, http.StatusOK, newBridgeForm(v.words, func(string) string { return "" }), "")
}

func (b *Board) showBridge(w http.ResponseWriter, r *http.Request, v visit, status int, form bridgeForm, notice string) {
	x := b.bridge("/bridges/" + r.PathValue("name"))
	if x == nil {
		b.fail(w, r, http.StatusNotFound, nil)
		return
	}
	view := &bridgeView{x.Shown(), x.Name(), v.words}
	_, saved := r.URL.Query()["saved"]
	b.page(w, r, status, "bridge", struct {
		frame

		Bridge *bridgeView
		Form   bridgeForm
		Notice string
		Saved  bool
	}{b.frame(r, v, v.words.T("bridge.of", view.Name), "/events?of="+view.Path()), view, form, notice, saved && status == http.StatusOK})
}

// weigh answers POST /bridges/{name}/weighings.
func (b *Board) weigh(w http.ResponseWriter, r *http.Request, v visit) {
	x := b.bridge("/bridges/" + r.PathValue("name"))
	if x == nil {
		b.fail(w, r, http.StatusNotFound, nil)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		b.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	form := newBridgeForm(v.words, r.PostForm.Get)
	in := BridgeWeighing{Plate: wim.NormalisePlate(r.PostForm.Get("plate")), Trailer: wim.NormalisePlate(r.PostForm.Get("trailer")),
		Color: wim.PlateColor(r.PostForm.Get("color")), By: v.person.Login}
	switch {
	case in.Plate == "" || !plausible(in.Plate):
		form.Plate.Problem = v.words.T("licence.problem.plate")
	case in.Trailer != "" && !plausible(in.Trailer):
		form.Trailer.Problem = v.words.T("licence.problem.plate")
	case !slices.Contains(colours(), in.Color):
		in.Color = ""
	}
	if form.Plate.Problem+form.Trailer.Problem != "" {
		b.showBridge(w, r, v, http.StatusUnprocessableEntity, form, v.words.T("licence.problem"))
		return
	}
	why, err := x.Weigh(r.Context(), in)
	switch {
	case err != nil:
		b.log.ErrorContext(r.Context(), "a weighing was not recorded", "bridge", x.Name(), "error", err)
		b.showBridge(w, r, v, http.StatusServiceUnavailable, form, v.words.T("licence.problem.disk"))
	case why != "":
		b.showBridge(w, r, v, http.StatusConflict, form, v.words.T("bridge.refused", v.words.Or("bridge", why)))
	default:
		b.log.InfoContext(r.Context(), "weighed at rest", "login", v.person.Login, "bridge", x.Name())
		http.Redirect(w, r, "/bridges/"+x.Name()+"?saved", http.StatusSeeOther)
	}
}

// plausible tells whether a text may be a plate: what is stored and shown is bounded.
func plausible(plate string) bool { return len(plate) <= 24 && utf8.ValidString(plate) }
