package board

import (
	"context"
	"html/template"
	"net/http"
	"slices"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// frame is what every page has around its content.
type frame struct {
	Shell *web.Shell
	Words *web.Words
	Who   string
	Site  string
	Road  string
	Live  string // where the page's live view comes from
}

func (b *Board) frame(r *http.Request, v visit, heading, live string) frame {
	who := v.person.Name
	if who == "" {
		who = v.person.Login
	}
	return frame{Shell: b.shell(r, heading+" · "+b.cfg.Name), Words: v.words, Who: who, Site: b.cfg.Name, Road: b.cfg.Road, Live: live}
}

// lanesView is the first page's live part.
type lanesView struct {
	Words    *web.Words
	Now      wim.Time
	Health   edge.Health
	Lanes    []laneView
	Devices  []deviceView // of no lane
	Bridges  []*bridgeView
	Passages []*accountView
}

// State says in words how the site is as a whole.
func (v *lanesView) State() string { return v.Words.Or("state", string(v.Health.State)) }

// Amiss is what contacts tell, in words.
func (v *lanesView) Amiss() (out []string) {
	for _, a := range v.Health.Around {
		text := v.Words.Or("around", string(a.What))
		if a.Lane != 0 {
			text = v.Words.T("lane", a.Lane) + ": " + text
		}
		out = append(out, text+" ("+a.Device+")")
	}
	return out
}

// laneView is one lane with its devices and the vehicle that passed last.
type laneView struct {
	Lane    wim.LaneID
	Devices []deviceView
	Last    *accountView
}

// deviceView is one device in words.
type deviceView struct {
	edge.DeviceStatus

	Words *web.Words
}

// Said is the device's state in words.
func (d deviceView) Said() string { return d.Words.Or("device", string(d.State)) }

// Down tells that a device of the lane is down.
func (l *laneView) Down() bool {
	return slices.ContainsFunc(l.Devices, func(d deviceView) bool { return !d.Up })
}

// accountView is one passage in words.
type accountView struct {
	*edge.Account
	Words *web.Words
	Now   wim.Time
}

// Path is the passage's own page.
func (v *accountView) Path() string { return "/passages/" + v.Ref.Chain.String() + "/" + seq(v.Ref) }

// Plates are the plates of all units, drawing vehicle first; a train whose trailer was not read shows it.
func (v *accountView) Plates() []template.HTML { return v.Words.Plates(&v.Facts) }

// Headlines are the competences' opinions.
func (v *accountView) Headlines() []headline {
	var out []headline
	for _, o := range v.Verdict.Opinions {
		out = append(out, headline{o, v.Words.Or("competence", string(o.Competence)), v.Words.Headline(o.Competence, o.Outcome, o.Standing)})
	}
	return out
}

type headline struct {
	wim.Opinion
	Authority, Text string
}

// Keyed tells that staff have keyed something of it.
func (v *accountView) Keyed() bool {
	for _, s := range v.Supplements {
		if s.Cause == wim.SupplementKeyed {
			return true
		}
	}
	return false
}

// home answers GET /.
func (b *Board) home(w http.ResponseWriter, r *http.Request, v visit) {
	lanes, err := b.lanes(r.Context(), v.words)
	if err != nil {
		b.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	f := b.frame(r, v, v.words.T("board.lanes"), "/events")
	f.Shell.Refresh = 15
	b.page(w, r, http.StatusOK, "home", struct {
		frame

		Lanes *lanesView
	}{f, lanes})
}

func (b *Board) lanes(ctx context.Context, words *web.Words) (*lanesView, error) {
	accounts, err := b.newest(ctx)
	if err != nil {
		return nil, err
	}
	v := &lanesView{Words: words, Now: wim.TimeOf(b.now()), Health: b.cfg.Site.Health(ctx), Bridges: b.bridges(words)}
	at := map[wim.LaneID]int{}
	lane := func(id wim.LaneID) *laneView {
		i, ok := at[id]
		if !ok {
			i = len(v.Lanes)
			at[id] = i
			v.Lanes = append(v.Lanes, laneView{Lane: id})
		}
		return &v.Lanes[i]
	}
	for _, d := range v.Health.Devices {
		if d.Lane == 0 {
			v.Devices = append(v.Devices, deviceView{d, words})
			continue
		}
		l := lane(d.Lane)
		l.Devices = append(l.Devices, deviceView{d, words})
	}
	for _, a := range accounts {
		view := &accountView{Account: a, Words: words, Now: v.Now}
		v.Passages = append(v.Passages, view)
		if l := lane(a.Facts.Vehicle.Lane); l.Last == nil {
			l.Last = view
		}
	}
	slices.SortFunc(v.Lanes, func(a, b laneView) int { return int(a.Lane) - int(b.Lane) })
	return v, nil
}
