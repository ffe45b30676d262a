package console

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// Accounts is what the gap report stands on.
type Accounts interface {
	// Coverage returns *center.FieldError for a question that is none, center.ErrNotFound for a site that the viewer may
	// not see.
	Coverage(ctx context.Context, v center.Viewer, q center.CoverageQuery) (center.Coverage, error)
}

// gapsView is the report on what a site's records account for.
type gapsView struct {
	*frame
	Form   *form
	Sites  []choice
	Report *gapReport // nil until a site is chosen
	CSV    string
}

// gapReport is a coverage in words.
type gapReport struct {
	center.Coverage
	words *web.Words
}

// Word says in one word what the period is: "none" when nothing of the site is held, "later" when it lies behind
// everything that is held, "earlier" when it ends before the first record, "partly" when something is missing, else
// "whole".
func (g *gapReport) Word() string {
	switch {
	case g.Coverage.Until == 0:
		return "none"
	case len(g.Gaps)+len(g.Missing)+len(g.Holes) > 0 || g.Pruned:
		return "partly"
	case g.Coverage.Until <= g.From:
		return "later"
	case g.Began >= g.To:
		return "earlier"
	}
	return "whole"
}

// Known is up to when the period is accounted for.
func (g *gapReport) Known() wim.Time { return min(g.Coverage.Until, g.To) }

// Legend lists the kinds of stretches.
func (g *gapReport) Legend() []center.Cover { return center.Covers() }

// CoverName names a kind of stretch.
func (g *gapReport) CoverName(c center.Cover) string { return g.words.T("cover." + string(c)) }

// LaneName names a lane.
func (g *gapReport) LaneName(l wim.LaneID) string {
	if l == 0 {
		return g.words.T("gaps.lane-unknown")
	}
	return g.words.T("lane", l)
}

// Sample draws a kind of stretch for the legend.
func (g *gapReport) Sample(c center.Cover) template.HTML {
	var b strings.Builder
	b.WriteString(`<svg class="cover" viewBox="0 0 3 10" preserveAspectRatio="none" aria-hidden="true">`)
	stretch(&b, c, 0, 3)
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) // names and numbers only
}

// Bar draws a lane's period. What the colours say, heights say as well, and all of it the tables below.
func (g *gapReport) Bar(l center.LaneCover) template.HTML {
	var b strings.Builder
	counts := map[center.Cover]int{}
	for _, c := range l.Slots {
		counts[c]++
	}
	label := make([]string, 0, len(counts))
	for _, c := range center.Covers() {
		if n := counts[c]; n > 0 {
			label = append(label, g.words.T("gaps.share", g.CoverName(c), (n*100+center.Slots/2)/center.Slots))
		}
	}
	name := g.LaneName(l.Lane) + g.words.T("colon") + strings.Join(label, ", ")
	fmt.Fprintf(&b, `<svg class="cover" role="img" aria-label="%s" viewBox="0 0 %d 10" preserveAspectRatio="none">`, template.HTMLEscapeString(name), center.Slots)
	for from := 0; from < center.Slots; {
		to := from + 1
		for to < center.Slots && l.Slots[to] == l.Slots[from] {
			to++
		}
		stretch(&b, l.Slots[from], from, to)
		from = to
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) // the label is escaped; the rest are names and numbers
}

// stretch draws one stretch: passages stand tall, quiet lies low, a gap hangs from above, what is unknown is a thin
// line in the middle.
func stretch(b *strings.Builder, c center.Cover, from, to int) {
	y, h := 0, 10
	switch c {
	case center.CoverPassages:
	case center.CoverQuiet:
		y, h = 7, 3
	case center.CoverGap:
		h = 8
	case center.CoverUnknown:
		y, h = 4, 2
	}
	fmt.Fprintf(b, `<rect class="cover-%s" x="%d" y="%d" width="%d" height="%d"/>`, c, from, y, to-from, h)
}

// CauseName says why there is a gap.
func (g *gapReport) CauseName(c wim.GapCause) string { return g.words.Or("gap-cause", string(c)) }

// KindName names a kind of record.
func (g *gapReport) KindName(k wim.RecordKind) string {
	if k == "" {
		return g.words.T("gaps.kind-unknown")
	}
	return g.words.Or("record-kind", string(k))
}

// Lasted is how long a gap lasted.
func (g *gapReport) Lasted(s center.SealedGap) string {
	since, until := s.Span()
	return strings.TrimPrefix(g.words.Lag(until.Sub(since)), "+")
}

// Since and End are the times of a gap.
func (g *gapReport) Since(s center.SealedGap) wim.Time { since, _ := s.Span(); return since }
func (g *gapReport) End(s center.SealedGap) wim.Time   { _, until := s.Span(); return until }

// gapsDay is the period that is shown when none is asked for.
const gapsDay = 24 * time.Hour

// readGaps makes a question of an address; ok is false when the address cannot be read at all.
func (c *Console) readGaps(v visit, r *http.Request) (q center.CoverageQuery, f *form, ok bool) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(r.URL.RawQuery) > 8<<10 {
		return q, nil, false
	}
	f = newForm(v.words, values)
	now := c.now().In(v.words.Zone()).Truncate(time.Minute).Add(time.Minute)
	for _, d := range []struct {
		name string
		at   time.Time
	}{{"from", now.Add(-gapsDay)}, {"to", now}} {
		if f.Get(d.name) == "" {
			f.Values.Set(d.name, d.at.Format(timeLayouts()[0]))
		}
	}
	q = center.CoverageQuery{Site: wim.SiteID(f.Get("site")), From: f.time("from", v.words.Zone()), To: f.time("to", v.words.Zone())}
	if s := f.Get("lane"); s != "" {
		n, err := strconv.ParseUint(s, 10, 16)
		if err != nil || n == 0 {
			f.Fail("lane", "problem.lane.outside")
		}
		q.Lane = wim.LaneID(n)
	}
	if q.Site != "" && !f.Bad() {
		if err := q.Validate(); err != nil {
			f.Take(err)
		}
	}
	return q, f, true
}

// gaps answers GET /gaps.
func (c *Console) gaps(w http.ResponseWriter, r *http.Request, v visit) {
	q, f, ok := c.readGaps(v, r)
	if !ok {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	sites, err := c.sites(r.Context(), v)
	if err != nil {
		c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("sites: %w", err))
		return
	}
	view := &gapsView{frame: c.newFrame(w, r, v, v.words.T("gaps.title")), Form: f, Sites: []choice{{Name: v.words.T("gaps.choose")}}}
	for _, s := range sites {
		view.Sites = append(view.Sites, choice{Value: string(s.Site), Name: string(s.Site) + " · " + c.region(v.words, s.Region)})
	}
	status := http.StatusOK
	switch {
	case f.Bad():
		status = http.StatusBadRequest
	case q.Site != "":
		report, err := c.cfg.Store.Coverage(r.Context(), v.viewer(), q)
		if err != nil {
			c.wrong(w, r, fmt.Errorf("gap report: %w", err))
			return
		}
		view.Report = &gapReport{report, v.words}
		u := url.Values{}
		for _, k := range []string{"site", "lane", "from", "to"} {
			if s := f.Get(k); s != "" {
				u.Set(k, s)
			}
		}
		view.CSV = "/gaps.csv?" + u.Encode()
	}
	c.page(w, r, status, "gaps", view)
}

// gapsCSV answers GET /gaps.csv: one line for each lane's sum, gap, missing record and hole.
func (c *Console) gapsCSV(w http.ResponseWriter, r *http.Request, v visit) {
	q, f, ok := c.readGaps(v, r)
	if !ok || f.Bad() || q.Site == "" {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	report, err := c.cfg.Store.Coverage(r.Context(), v.viewer(), q)
	if err != nil {
		c.wrong(w, r, fmt.Errorf("gap report: %w", err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="gaps-`+string(q.Site)+`-`+q.From.Std().In(v.words.Zone()).Format("20060102")+`.csv"`)
	if err := writeGaps(w, &gapReport{report, v.words}); err != nil {
		c.log.ErrorContext(r.Context(), "gap report was cut off", "login", v.officer.Login, "error", err)
		panic(http.ErrAbortHandler) // the browser must not take half of it for the whole
	}
}

func writeGaps(w io.Writer, g *gapReport) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil { // spreadsheets take it for UTF-8 then
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	var errs error
	row := func(cells ...string) {
		for i := range cells {
			cells[i] = harmless(cells[i])
		}
		errs = errors.Join(errs, out.Write(cells))
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	t, at := g.words.T, g.words.Machine
	row(t("gaps.what"), t("gaps.lane"), t("gaps.since"), t("gaps.until"), t("gaps.passages"), t("gaps.messages"), t("gaps.cause"), t("gaps.device"), t("gaps.chain"), t("gaps.seq"), t("gaps.detail"))
	for i := range g.Lanes {
		l := &g.Lanes[i]
		row(t("gaps.sum"), number(uint64(l.Lane)), at(g.From), at(min(g.To, max(g.Until, g.From))), strconv.Itoa(l.Passages), number(l.Messages), "", "", "", "", "")
	}
	for i := range g.Gaps {
		s := &g.Gaps[i]
		since, until := s.Span()
		row(t("cover.gap"), number(uint64(s.Lane)), at(since), at(until), "", number(s.Messages()), g.CauseName(s.Cause), s.Device, s.Ref.Chain.String(), number(s.Ref.Seq), s.Detail)
	}
	for i := range g.Missing {
		m := &g.Missing[i]
		row(t("gaps.missing"), "", at(m.Time), at(m.Time), "", "", g.KindName(m.Kind), "", m.Ref.Chain.String(), number(m.Ref.Seq), m.Reason)
	}
	for i := range g.Holes {
		h := &g.Holes[i]
		row(t("gaps.hole"), "", at(h.Since), "", "", "", "", "", h.Chain.String(), number(h.From)+"–"+number(h.To), "")
	}
	out.Flush()
	return errors.Join(errs, out.Error())
}
