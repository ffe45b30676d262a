package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

type rulesCommand struct {
	List    rulesList    `cmd:"" help:"The rule sets that ship, and how much of each was verified."`
	Show    rulesShow    `cmd:"" help:"One rule set as tables that a lawyer can read."`
	Check   rulesCheck   `cmd:"" help:"Check rule set files; the first mistake of each is named with its line."`
	Diff    rulesDiff    `cmd:"" help:"What changes for whom from one rule set to another."`
	Explain rulesExplain `cmd:"" help:"Every limit that was considered for one vehicle, and why."`
	WhatIf  rulesWhatIf  `cmd:"" help:"How many sealed verdicts would be others under a set."`
}

func (rulesCommand) Help() string {
	return `A rule set is the law of one jurisdiction as dated, cited data. SET is the name of one that ships ("axlegate rules
list") or a .yaml file; docs/rules.md explains how one is written.

  axlegate rules show cn --lang zh
  axlegate rules check my-province.yaml
  axlegate rules diff cn my-province.yaml
  axlegate rules explain cn vehicle.json`
}

// language is what every one of them can be asked in.
type language struct {
	Lang string `enum:"zh,en,auto" default:"auto" help:"Language of the tables: zh, en, or by the environment (${enum})."`
	JSON bool   `name:"json" help:"Write JSON instead."`
}

func (l language) law() (*law, error) {
	lang := l.Lang
	if lang == "auto" {
		lang = "en"
		if strings.HasPrefix(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")), "zh") {
			lang = "zh"
		}
	}
	return newLaw(lang)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

type rulesList struct{ language }

// listed is one line of rules list.
type listed struct {
	ID       string     `json:"id"`
	Version  string     `json:"version"`
	Title    rules.Text `json:"title"`
	Digest   wim.Digest `json:"digest"`
	Cases    int        `json:"cases"`
	Verified int        `json:"verified"`
}

func (c rulesList) Run() error {
	l, err := c.law()
	if err != nil {
		return err
	}
	var all []listed
	for _, n := range configs.RuleNames() {
		s, err := daemon.RuleSet(n)
		if err != nil {
			return err
		}
		x := listed{ID: s.ID(), Version: s.Version(), Title: rules.Text{Zh: s.TitleIn("zh"), En: s.TitleIn("en")}, Digest: s.Digest()}
		for _, f := range s.File().Competences {
			for i := range f.Limits {
				for _, r := range f.Limits[i].Cases() {
					x.Cases++
					if r.Status == "verified" {
						x.Verified++
					}
				}
			}
		}
		all = append(all, x)
	}
	if c.JSON {
		return writeJSON(os.Stdout, all)
	}
	t := sheet{head: []string{l.say("名称", "name"), l.say("版本", "version"), l.say("条目", "cases"), l.say("已核", "verified"), l.say("摘要", "digest"), l.say("标题", "title")}}
	for _, x := range all {
		t.add(x.ID, x.Version, fmt.Sprint(x.Cases), fmt.Sprint(x.Verified), x.Digest.String()[:12], x.Title.In(l.lang))
	}
	return t.write(os.Stdout, "")
}

type rulesShow struct {
	Set string `arg:"" help:"A set that ships, or a .yaml file."`
	language
}

func (c rulesShow) Run() error {
	s, err := daemon.RuleSet(c.Set)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(os.Stdout, s.File())
	}
	l, err := c.law()
	if err != nil {
		return err
	}
	return l.show(os.Stdout, s)
}

// show prints a set: limits by authority, what is presumed and tolerated, bands, and what is left out.
func (l *law) show(w io.Writer, s *rules.Set) error {
	f := s.File()
	out := &printer{w: w}
	out.line("%s  %s", f.Title.In(l.lang), l.say("版本 ", "version ")+cmp.Or(f.Version, "–"))
	out.line("%s %s", l.say("摘要", "digest"), s.Digest())
	out.line("")
	for i := range f.Competences {
		c := &f.Competences[i]
		out.line("■ %s", l.competence(c))
		if len(c.NotFor) > 0 {
			names := make([]string, len(c.NotFor))
			for k, n := range c.NotFor {
				names[k] = l.words.Why(n)
			}
			out.line("  %s%s", l.say("不适用于：", "does not cover: "), strings.Join(names, l.say("、", ", ")))
		}
		for k := range c.Limits {
			l.limit(out, &c.Limits[k])
		}
		out.line("")
	}
	if len(f.Presumes) > 0 {
		out.line("■ %s", l.say("推定", "presumed where not known"))
		t := sheet{head: []string{l.say("信息", "input"), l.say("车轴", "axles"), l.say("取值", "value"), l.say("依据", "basis"), l.say("状态", "status")}}
		for _, p := range f.Presumes {
			where := strings.Join(p.Where, ", ")
			if p.Driven != "" {
				where += l.say("，驱动=", ", driven=") + p.Driven
			}
			t.add(p.Input, where, p.Value, cmp.Or(l.words.Article(p.Article), p.Basis), l.status(p.Status))
		}
		out.table(&t)
	}
	if len(f.Tolerances) > 0 {
		out.line("■ %s", l.say("容许量", "tolerances of the law"))
		t := sheet{head: []string{"", l.say("方式", "mode"), "‰", l.say("适用站点", "stations"), l.say("条款", "article"), l.say("状态", "status"), l.say("施行", "in force")}}
		for _, x := range f.Tolerances {
			t.add(x.ID, x.Mode, fmt.Sprint(x.Permille), strings.Join(x.Station, ", "), l.words.Article(x.Article), l.status(x.Status), l.since(&x.Origin))
		}
		out.table(&t)
	}
	for i := range f.Ladders {
		x := &f.Ladders[i]
		out.line("■ %s %s", l.say("档次", "bands"), x.ID)
		t := sheet{head: []string{l.say("档", "band"), l.say("起", "from"), l.say("法律后果（仅供参考）", "what the law provides (for information)")}}
		for _, st := range x.Steps {
			at := fmt.Sprint(st.At)
			if x.Unit == "permille" {
				at = fmt.Sprintf("%d.%d %%", st.At/10, st.At%10)
			} else {
				at += " " + x.Unit
			}
			edge := map[string]string{"ge": "≥ ", "gt": "> "}[st.Edge]
			t.add(l.words.Band(st.Band), edge+at, l.step(st.Provides))
		}
		out.table(&t)
	}
	if len(f.Omits) > 0 {
		out.line("■ %s", l.say("本规则集未判定", "not judged by this set"))
		for _, o := range f.Omits {
			out.line("  – %s", o.In(l.lang))
		}
		out.line("")
	}
	out.line("■ %s", l.say("来源", "sources"))
	t := sheet{head: []string{l.say("条款", "article"), l.say("原文地址", "where its text was read")}}
	seen := map[string]bool{}
	for i := range f.Competences {
		for k := range f.Competences[i].Limits {
			for _, r := range f.Competences[i].Limits[k].Cases() {
				if key := r.Article + r.Source; !seen[key] {
					seen[key] = true
					t.add(l.words.Article(r.Article), r.Source)
				}
			}
		}
	}
	out.table(&t)
	return out.err
}

// limit prints one limit with its cases.
func (l *law) limit(out *printer, f *rules.LimitFile) {
	head := l.on(f)
	if f.Informs {
		head += l.say("（仅供参考）", " (for information)")
	}
	if f.Permit {
		head += l.say("，可凭通行证", ", a permit may raise it")
	}
	out.line("")
	out.line("  ▸ %s", head)
	t := sheet{head: []string{l.say("情形", "case"), l.say("限值", "permitted"), l.say("条款", "article"), l.say("状态", "status"), l.say("施行", "in force")}}
	for _, r := range f.Cases() {
		t.add(l.when(&r.CaseFile), l.permits(f, &r.CaseFile), l.words.Article(r.Article), l.status(r.Status), l.since(&r.Origin))
	}
	if out.err == nil {
		out.err = t.write(out.w, "    ")
	}
	for _, a := range f.Adjust {
		out.line("    %s: %s%s%s (%s, %s)", a.By, l.say("每根", "for each axle with "), l.tyres(a.Tyres), l.say("的轴", ""), l.words.Article(a.Article), l.status(a.Status))
	}
}

// printer keeps the first error of what it prints.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) table(t *sheet) {
	if p.err == nil {
		p.err = t.write(p.w, "  ")
	}
	p.line("")
}

type rulesCheck struct {
	Files []string `arg:"" type:"existingfile" help:"Rule set files."`
}

func (c rulesCheck) Run() error {
	var all error
	for _, f := range c.Files {
		b, err := os.ReadFile(f)
		if err == nil {
			var s *rules.Set
			if s, err = rules.Load(f, b); err == nil {
				fmt.Printf("%s: %s %s, %s\n", f, s.ID(), s.Version(), s.Digest())
				continue
			}
		}
		all = errors.Join(all, err)
	}
	return all
}

type rulesExplain struct {
	Set  string `arg:"" help:"A set that ships, or a .yaml file."`
	File string `arg:"" optional:"" type:"existingfile" help:"Facts or a sealed record as one JSON object; without it standard input."`
	language
}

func (rulesExplain) Help() string {
	return `The vehicle's facts are what a record of a passage carries under "passage"."facts" (docs/wire.md).

  axlegate rules explain cn vehicle.json
  axlegate verify journal.db -o records.ndjson && sed -n 12p records.ndjson | axlegate rules explain cn`
}

func (c rulesExplain) Run() error {
	s, err := daemon.RuleSet(c.Set)
	if err != nil {
		return err
	}
	in, name := io.Reader(os.Stdin), "standard input"
	if c.File != "" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // only read
		in, name = f, c.File
	}
	b, err := io.ReadAll(io.LimitReader(in, maxFacts))
	if err != nil {
		return err
	}
	facts, _, err := factsIn(bytes.TrimSpace(b))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if facts == nil {
		return fmt.Errorf("%s: a record without facts: only passages and supplements have them", name)
	}
	e := s.Explain(facts)
	if c.JSON {
		return writeJSON(os.Stdout, struct {
			*rules.Explanation

			Consequences rules.Consequences `json:"consequences"`
		}{e, s.Consequences(facts, &e.Verdict)})
	}
	l, err := c.law()
	if err != nil {
		return err
	}
	return l.explain(os.Stdout, s, facts, e)
}

// explain tells what was found, by which limits, and what every other case was left out for.
func (l *law) explain(w io.Writer, s *rules.Set, f *wim.Facts, e *rules.Explanation) error {
	out := &printer{w: w}
	v := &f.Vehicle
	out.line("%s  %s %s", s.TitleIn(l.lang), l.say("版本", "version"), cmp.Or(s.Version(), "–"))
	out.line("%s", l.say(fmt.Sprintf("%d 轴，%s，总质量 %s，%s", len(v.Axles), v.Class, l.words.Kg(v.Gross), f.Time),
		fmt.Sprintf("%d axles, %s, gross %s, %s", len(v.Axles), cmp.Or(v.Class, "unclassified"), l.words.Kg(v.Gross), f.Time)))
	out.line("")
	out.line("%s", l.say("车型："+l.configuration(string(e.Configuration))+"，"+l.evidence(e.Evidence), "made up as "+l.configuration(string(e.Configuration))+", "+l.evidence(e.Evidence)))
	out.line("")
	for i := range e.Verdict.Opinions {
		o := &e.Verdict.Opinions[i]
		out.line("■ %s: %s", l.words.Or("competence", string(o.Competence)), l.opinion(o))
		for _, r := range l.words.Reasons(o.Reasons) {
			out.line("  %s %s", l.say("原因：", "because"), r)
		}
		t := sheet{head: []string{l.say("项目", "limit"), l.say("实测", "measured"), l.say("扣除", "deducted"), l.say("限值", "permitted"), l.say("超出", "excess"), l.say("概率", "chance"), l.say("结论", "outcome"), l.say("假定", "supposing"), l.say("条款", "article")}}
		for k := range e.Verdict.Findings {
			x := &e.Verdict.Findings[k]
			if x.Competence != o.Competence {
				continue
			}
			m, d, p, ex := l.words.Figures(x)
			if x.Excess > 0 || x.Size.Excess > 0 {
				ex += " (" + l.words.Percent(x.Ratio) + ")"
			}
			said := l.words.Outcome(x.Outcome)
			if x.Informs {
				said += l.say("（仅供参考）", " (for information)")
			}
			if x.Tolerance > 0 {
				said += l.say("，", ", ") + l.words.T("finding.tolerance", l.words.Kg(x.Tolerance))
			}
			if p := l.words.Permit(x); p != "" {
				said += l.say("，", ", ") + p
			}
			supposed := ""
			if x.Assumes != "" {
				supposed = l.words.Assumes(x.Assumes)
			}
			chance := ""
			if x.Outcome == wim.Exceeded || x.Outcome == wim.WithinTolerance {
				chance = l.words.Percent(rules.Chance(x))
			}
			t.add(l.words.Scope(x), m, d, p, ex, chance, said, supposed, l.words.Article(x.Article))
		}
		if len(t.rows) > 0 {
			out.table(&t)
		}
	}
	out.line("%s", l.say("概率：真值超过限值的概率，假定误差服从正态分布、标准差为所扣除最大允许误差的一半、无先验信息；仅供工程人员参考，不得作为证据。",
		"chance: that the true value is above the limit, if errors are normal with half the deducted maximum error as standard deviation\nand nothing was known before; for engineers, and no evidence."))
	out.line("")
	c := s.Consequences(f, &e.Verdict)
	if len(c.Provisions) > 0 {
		out.line("■ %s", l.say("法律后果（仅供参考，由执法人员决定）", "what the law provides (for information; an officer decides)"))
		for i := range c.Provisions {
			p := &c.Provisions[i]
			supposed := ""
			if p.Assumes != "" {
				supposed = " [" + l.words.Assumes(p.Assumes) + "]"
			}
			out.line("  – %s: %s (%s)%s", l.words.Or("competence", string(p.Competence)), l.provision(p), l.words.Article(p.Article), supposed)
		}
		if c.OneAct != "" && c.Single != nil {
			out.line("  %s", l.say("同一行为只处一次罚款，取较高者（"+l.words.Article(c.OneAct)+"）："+l.provision(c.Single), "one act has one fine, the higher ("+c.OneAct+"): "+l.provision(c.Single)))
		}
		if c.Decides != "" {
			out.line("  %s %s", l.say("处罚决定机关：", "the penalty is decided by"), l.words.Or("competence", string(c.Decides)))
		}
		out.line("")
	}
	out.line("■ %s", l.say("逐项考虑的限值", "every limit that was considered"))
	for i := range e.Limits {
		l.considered(out, &e.Limits[i])
	}
	return out.err
}

// evidence says from what the configuration was told.
func (l *law) evidence(e rules.Evidence) string {
	switch e {
	case rules.BySpacings:
		return l.say("由轴距判定", "told from the axle distances")
	case rules.ByPlates:
		return l.say("由挂车号牌判定", "told from the trailer's plate")
	case rules.ByLicence:
		return l.say("由行驶证轴数判定", "told from the licence's number of axles")
	case rules.ByNothing:
	}
	return l.say("无法判定", "not known: every configuration is judged")
}

// considered prints one limit asked about one subject.
func (l *law) considered(out *printer, x *rules.Considered) {
	scope := l.words.Scope(&wim.Finding{Scope: x.Scope, Index: x.First, Last: x.Last})
	out.line("  ▸ %s  %s", x.Limit, scope)
	if len(x.Known) > 0 {
		out.line("    %s %s", l.say("已知：", "known:"), strings.Join(x.Known, ", "))
	}
	for _, k := range x.Cases {
		switch k.Applies {
		case "yes":
			out.line("    ✓ %s  %d", k.Row, k.Permitted)
		case "maybe":
			out.line("    ? %s  %d", k.Row, k.Permitted)
		default:
			out.line("    · %s  %s %s", k.Row, l.say("不适用：", "no:"), l.not(k.Why))
		}
	}
}

// not says by which input a case does not apply.
func (l *law) not(why string) string {
	for _, x := range []struct{ why, zh, en string }{
		{"date", "当日不施行", "not in force that day"}, {"axles", "轴数", "number of axles"}, {"configuration", "货车或列车", "truck or train"}, {"drive-axles", "驱动轴数", "drive axles"},
		{"suspension", "悬架", "suspension"}, {"tyres", "轮胎", "tyres"}, {"driven", "是否驱动轴", "driven"}, {"unit", "主车或挂车", "truck or trailer"}, {"steering", "是否转向轴", "steering"},
		{"tandems", "轴组构成", "make-up of the run"}, {"road", "道路等级", "class of the road"}, {"spacing", "轴距", "distance of the axles"},
	} {
		if x.why == why {
			return l.say(x.zh, x.en)
		}
	}
	return why
}
