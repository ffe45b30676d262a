package main

import (
	"fmt"
	"os"
	"reflect"

	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/rules"
)

type rulesDiff struct {
	Old string `arg:"" help:"A set that ships, or a .yaml file."`
	New string `arg:"" help:"Another."`
	language
}

func (rulesDiff) Help() string {
	return `Cases are compared by their ids. A line tells for whom something changes and what; the exit status is 0 whether or not
there is a difference. How many vehicles would be judged otherwise is told by "axlegate rules what-if".`
}

// change is one difference.
type change struct {
	Competence string `json:"competence"`
	Limit      string `json:"limit"`
	Case       string `json:"case"`
	What       string `json:"what"` // added, removed, or the key that changed
	For        string `json:"for"`  // in words
	Old        string `json:"old,omitempty"`
	New        string `json:"new,omitempty"`
}

func (c rulesDiff) Run() error {
	a, err := daemon.RuleSet(c.Old)
	if err != nil {
		return err
	}
	b, err := daemon.RuleSet(c.New)
	if err != nil {
		return err
	}
	l, err := c.law()
	if err != nil {
		return err
	}
	all := l.diff(a.File(), b.File())
	if c.JSON {
		return writeJSON(os.Stdout, all)
	}
	if len(all) == 0 {
		fmt.Println(l.say("没有差别", "no difference in any limit"))
		return nil
	}
	t := sheet{head: []string{l.say("主管", "authority"), l.say("条目", "case"), l.say("对象", "for"), l.say("变化", "what"), l.say("旧", "old"), l.say("新", "new")}}
	for _, x := range all {
		t.add(x.Competence, x.Case, x.For, l.what(x.What), x.Old, x.New)
	}
	return t.write(os.Stdout, "")
}

func (l *law) what(w string) string {
	switch w {
	case "added":
		return l.say("新增", "added")
	case "removed":
		return l.say("删除", "removed")
	}
	return w
}

// placed is a case with where it stands.
type placed struct {
	competence *rules.CompetenceFile
	limit      *rules.LimitFile
	row        rules.RowFile
}

func casesOf(f *rules.File) (order []string, all map[string]placed) {
	all = map[string]placed{}
	for i := range f.Competences {
		c := &f.Competences[i]
		for k := range c.Limits {
			for _, r := range c.Limits[k].Cases() {
				key := c.Competence + " " + r.ID
				order = append(order, key)
				all[key] = placed{c, &c.Limits[k], r}
			}
		}
	}
	return order, all
}

// diff compares two sets case by case.
func (l *law) diff(old, now *rules.File) []change {
	oldOrder, before := casesOf(old)
	newOrder, after := casesOf(now)
	var out []change
	for _, key := range oldOrder {
		a := before[key]
		b, ok := after[key]
		base := change{Competence: l.competence(a.competence), Limit: a.limit.ID, Case: a.row.ID, For: l.on(a.limit) + l.say("：", ": ") + l.when(&a.row.CaseFile)}
		if !ok {
			base.What, base.Old = "removed", l.permits(a.limit, &a.row.CaseFile)
			out = append(out, base)
			continue
		}
		out = append(out, l.rowDiff(base, &a, &b)...)
	}
	for _, key := range newOrder {
		if _, ok := before[key]; ok {
			continue
		}
		b := after[key]
		out = append(out, change{
			Competence: l.competence(b.competence), Limit: b.limit.ID, Case: b.row.ID, What: "added",
			For: l.on(b.limit) + l.say("：", ": ") + l.when(&b.row.CaseFile), New: l.permits(b.limit, &b.row.CaseFile),
		})
	}
	return out
}

// rowDiff compares two forms of one case.
func (l *law) rowDiff(base change, a, b *placed) []change {
	var out []change
	add := func(what, old, now string) {
		if old != now {
			x := base
			x.What, x.Old, x.New = what, old, now
			out = append(out, x)
		}
	}
	add(l.say("限值", "permitted"), l.permits(a.limit, &a.row.CaseFile), l.permits(b.limit, &b.row.CaseFile))
	add(l.say("情形", "case"), l.when(&a.row.CaseFile), l.when(&b.row.CaseFile))
	add(l.say("条款", "article"), l.words.Article(a.row.Article), l.words.Article(b.row.Article))
	add(l.say("状态", "status"), l.status(a.row.Status), l.status(b.row.Status))
	add(l.say("来源", "source"), a.row.Source, b.row.Source)
	add(l.say("施行", "in force"), l.since(&a.row.Origin), l.since(&b.row.Origin))
	add(l.say("档次", "bands"), a.row.Ladder, b.row.Ladder)
	yes := map[bool]string{true: l.say("是", "yes"), false: l.say("否", "no")}
	add(l.say("可凭通行证", "a permit may raise it"), yes[a.limit.Permit], yes[b.limit.Permit])
	add(l.say("仅供参考", "for information"), yes[a.limit.Informs], yes[b.limit.Informs])
	if !reflect.DeepEqual(a.limit.Adjust, b.limit.Adjust) {
		add(l.say("按轴调整", "adjusted for axles"), fmt.Sprint(len(a.limit.Adjust)), fmt.Sprint(len(b.limit.Adjust))+l.say("（有变化）", " (changed)"))
	}
	return out
}
