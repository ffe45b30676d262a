package console

import (
	"html/template"
	"slices"
	"strconv"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// entryView is one alert as the templates see it, for an officer of one competence.
type entryView struct {
	*center.Entry
	Words      *web.Words
	Competence wim.Competence // the viewer's; empty for an auditor
	Now        wim.Time
	Selected   bool
	Notice     string // what came of an acknowledgement
	NoticeGood bool
	authority  func(wim.Competence) string
	missing    func(wim.Digest) bool // tells that the centre does not have a picture yet
}

// Open tells whether nobody has acknowledged the alert.
func (v *entryView) Open() bool { return v.Alert.AcknowledgedAt == 0 }

// Path is the alert's own page.
func (v *entryView) Path() string { return "/alerts/" + strconv.FormatInt(v.Alert.ID, 10) }

// Authority names a competence's authority.
func (v *entryView) Authority(c wim.Competence) string { return v.authority(c) }

// Opinion is the viewer's competence's own opinion; before a verdict names it, what the alert says.
func (v *entryView) Opinion() wim.Opinion {
	if o, ok := v.Verdict.Of(v.Competence); ok {
		return o
	}
	return wim.Opinion{Competence: v.Competence, Outcome: v.Alert.Outcome, Standing: v.Alert.Standing}
}

// Headline is the opinion in the officers' words.
func (v *entryView) Headline() string {
	o := v.Opinion()
	return v.Words.Headline(o.Competence, o.Outcome, o.Standing)
}

// Lead is the own finding that weighs most, nil when there is none: the highest ratio of those exceeded.
func (v *entryView) Lead() *wim.Finding { return center.Lead(&v.Verdict, v.Competence) }

// Plates are the plates of all units, drawing vehicle first; a train whose trailer was not read shows it.
func (v *entryView) Plates() []template.HTML { return v.Words.Plates(&v.Facts) }

// pictureView is one plate picture.
type pictureView struct {
	URL     string
	Read    wim.PlateRead
	Missing bool
	Label   string
}

// Pictures are the pictures of the entry's reads, front first, each once.
func (v *entryView) Pictures() []pictureView {
	var out []pictureView
	seen := map[wim.Digest]bool{}
	for _, end := range []wim.End{wim.Front, wim.Rear} {
		for _, r := range v.Reads {
			if r.Picture.IsZero() || seen[r.Picture] || (r.End == wim.Rear) != (end == wim.Rear) {
				continue
			}
			seen[r.Picture] = true
			out = append(out, pictureView{
				URL:  "/pictures/" + r.Picture.String() + "?alert=" + strconv.FormatInt(v.Alert.ID, 10),
				Read: r, Missing: v.missing(r.Picture), Label: v.Words.T("picture."+string(end), r.Text),
			})
		}
	}
	return out
}

// PicturePending tells that a picture is still on its way.
func (v *entryView) PicturePending() bool {
	return slices.ContainsFunc(v.Pictures(), func(p pictureView) bool { return p.Missing })
}

// Diagram is the axle diagram.
func (v *entryView) Diagram() template.HTML {
	return v.Words.Diagram(web.Diagram{
		ID: "a" + strconv.FormatInt(v.Alert.ID, 10), Facts: &v.Facts, Verdict: &v.Verdict, Competence: v.Competence,
	})
}

// Findings are all competences' opinions, the viewer's own first.
func (v *entryView) Findings() *web.Findings {
	return &web.Findings{Words: v.Words, Verdict: &v.Verdict, Competence: v.Competence, Authority: v.authority}
}

// Flags are the vehicle's flags in words.
func (v *entryView) Flags() []string { return v.Words.Flags(v.Facts.Vehicle.Flags) }

// Record is the passage's own record, zero when the store names none.
func (v *entryView) Record() wim.RecordRef {
	if len(v.Records) == 0 {
		return wim.RecordRef{}
	}
	return v.Records[0]
}

// Chain is the beginning of the record's chain id.
func (v *entryView) Chain() string { return v.Record().Chain.String()[:8] }

// ShortKey is the beginning of the key's id, as much as tells keys apart at a glance.
func (v *entryView) ShortKey() string { return shortKey(v.Key) }

func shortKey(k string) string {
	if r := []rune(k); len(r) > 20 {
		return string(r[:14]) + "…"
	}
	return k
}

// Supplements counts what was added to the passage later.
func (v *entryView) Supplements() int { return max(0, len(v.Records)-1) }

// siteView is one site in the strip.
type siteView struct {
	center.SiteState
	Heard string
}

// statusView is what changes without an alert: totals and sites.
type statusView struct {
	Words      *web.Words
	Competence wim.Competence
	Totals     center.Totals
	Sites      []siteView
}
