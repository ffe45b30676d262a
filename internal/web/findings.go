package web

import (
	"slices"

	"github.com/axlegate/axlegate/wim"
)

// Findings is a verdict as the template "findings" shows it: all competences' opinions in words.
type Findings struct {
	Words   *Words
	Verdict *wim.Verdict
	// Competence is the viewer's, whose opinion stands first; empty for who has none.
	Competence wim.Competence
	// Authority names the authority of a competence.
	Authority func(wim.Competence) string
}

// OpinionView is one competence's opinion with its findings.
type OpinionView struct {
	wim.Opinion
	Own       bool
	Authority string
	Headline  string
	Why       string
	Reasons   []string
	Findings  []FindingView
}

// FindingView is one finding in words.
type FindingView struct {
	wim.Finding
	Scope   string
	Band    string
	Assumes string
	Permit  string
	// What is compared, with the unit of a size.
	Measured, Deducted, Permitted, Excess string
	Reasons                               []string // those that the opinion does not name already
}

// Opinions are all opinions with their findings, the viewer's own first.
func (v *Findings) Opinions() []OpinionView {
	var out []OpinionView
	for _, o := range v.Verdict.Opinions {
		ov := OpinionView{
			Opinion: o, Own: o.Competence == v.Competence, Authority: v.Authority(o.Competence),
			Headline: v.Words.Headline(o.Competence, o.Outcome, o.Standing), Reasons: v.Words.Reasons(o.Reasons),
		}
		if o.Why != "" {
			ov.Why = v.Words.Why(o.Why)
		}
		for _, f := range v.Verdict.Findings {
			if f.Competence != o.Competence {
				continue
			}
			fv := FindingView{Finding: f, Scope: v.Words.Scope(&f), Permit: v.Words.Permit(&f), Reasons: v.Words.Reasons(f.Reasons &^ o.Reasons)}
			fv.Measured, fv.Deducted, fv.Permitted, fv.Excess = v.Words.Figures(&f)
			if f.Tolerance > 0 {
				fv.Reasons = append([]string{v.Words.T("finding.tolerance", v.Words.Kg(f.Tolerance))}, fv.Reasons...)
			}
			if f.Informs {
				fv.Reasons = append([]string{v.Words.T("finding.informs")}, fv.Reasons...)
			}
			if f.Band != "" {
				fv.Band = v.Words.Band(f.Band)
			}
			if f.Assumes != "" {
				fv.Assumes = v.Words.Assumes(f.Assumes)
			}
			ov.Findings = append(ov.Findings, fv)
		}
		slices.SortStableFunc(ov.Findings, func(a, b FindingView) int { return int(b.Ratio) - int(a.Ratio) })
		out = append(out, ov)
	}
	slices.SortStableFunc(out, func(a, b OpinionView) int {
		switch {
		case a.Own == b.Own:
			return 0
		case a.Own:
			return -1
		}
		return 1
	})
	return out
}
