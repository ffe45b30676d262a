package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

// law puts a rule set into words, Chinese or English.
type law struct {
	lang  string
	words *web.Words
}

func newLaw(lang string) (*law, error) {
	c, err := web.NewCatalogue()
	if err != nil {
		return nil, err
	}
	l := web.English
	if lang == "zh" {
		l = web.Chinese
	}
	return &law{lang: lang, words: c.Words(l, time.UTC)}, nil
}

// say gives the text in the language.
func (l *law) say(zh, en string) string {
	if l.lang == "zh" {
		return zh
	}
	return en
}

// on names what a limit is about.
func (l *law) on(f *rules.LimitFile) string {
	if f.Name.En != "" {
		return f.Name.In(l.lang)
	}
	for _, x := range []struct{ on, zh, en string }{
		{"gross", "车货总质量", "gross mass"}, {"axle", "单轴", "each axle"}, {"group", "轴组", "each axle group"}, {"run", "任意连续车轴", "every run of axles"},
		{"axle-sum", "各轴限值之和", "sum of axle limits"}, {"length", "总长", "length"}, {"width", "总宽", "width"}, {"height", "总高", "height"},
		{"posted-gross", "标志：总质量", "sign: gross mass"}, {"posted-axle", "标志：轴荷", "sign: axle load"}, {"posted-length", "标志：总长", "sign: length"},
		{"posted-width", "标志：总宽", "sign: width"}, {"posted-height", "标志：总高", "sign: height"}, {"rated-load", "载货质量（核定）", "cargo (rated load)"},
		{"licence-gross", "行驶证总质量", "gross mass of the licence"}, {"towed-mass", "准牵引总质量", "towed mass of the licence"},
	} {
		if x.on == f.On {
			return l.say(x.zh, x.en)
		}
	}
	return f.On
}

// list joins words that mean "one of these".
func (l *law) list(all []string, name func(string) string) string {
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = name(w)
	}
	return strings.Join(out, l.say("或", " or "))
}

func (l *law) configuration(w string) string {
	switch w {
	case "rigid":
		return l.say("货车", "truck")
	case "train":
		return l.say("汽车列车", "train")
	case "articulated":
		return l.say("铰接列车", "articulated")
	case "drawbar":
		return l.say("全挂列车", "full trailer train")
	case "centre-axle":
		return l.say("中置轴挂车列车", "centre-axle trailer train")
	case "road-train":
		return l.say("多挂列车", "road train")
	}
	return w
}

func (l *law) tyres(w string) string {
	switch w {
	case "single":
		return l.say("单胎", "single tyres")
	case "dual":
		return l.say("双胎", "dual tyres")
	case "wide":
		return l.say("宽胎", "wide tyres")
	}
	return w
}

// when says in which case a row applies.
func (l *law) when(c *rules.CaseFile) string {
	var out []string
	add := func(text string) { out = append(out, text) }
	if c.Axles != "" {
		unit := " axles"
		if c.Axles == "1" {
			unit = " axle"
		}
		add(c.Axles + l.say(" 轴", unit))
	}
	if len(c.Configuration) > 0 {
		add(l.list(c.Configuration, l.configuration))
	}
	if c.DriveAxles != "" {
		add(l.say("驱动轴 "+c.DriveAxles, c.DriveAxles+" driven"))
	}
	yes := func(v, zhYes, zhNo, enYes, enNo string) {
		switch v {
		case "yes":
			add(l.say(zhYes, enYes))
		case "no":
			add(l.say(zhNo, enNo))
		}
	}
	yes(c.Driven, "驱动轴", "非驱动轴", "driven", "not driven")
	yes(c.Steering, "转向轴", "非转向轴", "steering", "not steering")
	yes(c.Tandems, "两个双联轴", "非两个双联轴", "two tandems", "not two tandems")
	switch c.Unit {
	case "motor":
		add(l.say("机动车", "motor vehicle"))
	case "trailer":
		add(l.say("挂车", "trailer"))
	}
	if len(c.Tyres) > 0 {
		add(l.list(c.Tyres, l.tyres))
	}
	switch c.Suspension {
	case "air":
		add(l.say("空气悬架", "air suspension"))
	case "other":
		add(l.say("非空气悬架", "no air suspension"))
	}
	if c.Spacing != "" {
		add(l.say("轴距 ", "spacing ") + c.Spacing)
	}
	if c.Span != "" {
		add(l.say("首末轴距 ", "first to last ") + c.Span)
	}
	if len(c.Road) > 0 {
		add(l.say("道路 ", "road ") + strings.Join(c.Road, ", "))
	}
	if len(out) == 0 {
		return l.say("全部", "all")
	}
	return strings.Join(out, l.say("，", ", "))
}

// permits says what a row permits.
func (l *law) permits(f *rules.LimitFile, c *rules.CaseFile) string {
	switch {
	case f.On == "axle-sum":
		return "Σ " + f.Of
	case strings.HasPrefix(f.On, "posted-"):
		return l.say("标志所示", "as posted")
	case f.On == "rated-load" || f.On == "licence-gross" || f.On == "towed-mass":
		return l.say("行驶证所载", "as licensed")
	}
	text := c.Value
	switch c.Formula {
	case "bridge-b":
		text = "500 (L·N/(N−1) + 12 N + 36) lb"
	case "linear":
		text = c.PerMetre + " × m"
		if c.Plus != "" {
			text += " + " + c.Plus
		}
	}
	if c.Each != "" {
		text += l.say("，每轴至多 ", ", at most ") + c.Each + l.say("", " an axle")
	}
	if c.Most != "" {
		text += l.say("，至多 ", ", at most ") + c.Most
	}
	if c.Cap != "" {
		text += l.say("，且不超过行驶证总质量", ", never above the licence")
	}
	return text
}

// status names how sure a figure is.
func (l *law) status(s string) string {
	switch s {
	case "verified":
		return l.say("已核", "verified")
	case "recalled":
		return l.say("待核", "recalled")
	case "inferred":
		return l.say("推断", "inferred")
	}
	return s
}

// since says from when to when something holds.
func (l *law) since(o *rules.Origin) string {
	if o.EffectiveTo != "" {
		return o.EffectiveFrom + " – " + o.EffectiveTo
	}
	return o.EffectiveFrom + " –"
}

// competence names an authority.
func (l *law) competence(c *rules.CompetenceFile) string {
	if c.Name.En != "" {
		return c.Name.In(l.lang)
	}
	return l.words.Or("competence", c.Competence)
}

// amount writes hundredths of a currency.
func amount(n int64) string {
	if n%100 == 0 {
		return fmt.Sprint(n / 100)
	}
	return fmt.Sprintf("%d.%02d", n/100, n%100)
}

// provision says what the law provides.
func (l *law) provision(p *rules.Provision) string {
	var out []string
	switch {
	case p.FineTo > 0 && p.FineFrom == p.FineTo:
		out = append(out, l.say("罚款 ", "fine ")+p.Currency+" "+amount(p.FineTo))
	case p.FineTo > 0:
		out = append(out, l.say("罚款 ", "fine ")+p.Currency+" "+amount(p.FineFrom)+"–"+amount(p.FineTo))
	}
	if p.Points > 0 {
		out = append(out, l.say(fmt.Sprintf("记 %d 分", p.Points), fmt.Sprintf("%d points", p.Points)))
	}
	if p.Detain {
		out = append(out, l.say("扣留车辆至违法状态消除", "the vehicle is held until the excess is removed"))
	}
	if p.Unload {
		out = append(out, l.say("卸载", "unloading"))
	}
	if t := p.Text.In(l.lang); t != "" {
		out = append(out, t)
	}
	return strings.Join(out, l.say("；", "; "))
}

// step says what a ladder's step provides.
func (l *law) step(p *rules.ProvisionFile) string {
	if p == nil {
		return ""
	}
	x := rules.Provision{Points: p.Points, Detain: p.Detain, Unload: p.Unload, Revoke: p.Revoke, Text: p.Text}
	text := ""
	if f := p.Fine; f != nil {
		unit := int64(100)
		if f.Hundredths {
			unit = 1
		}
		x.Currency = f.Currency
		if f.Each > 0 {
			text = l.say("每 ", "") + l.say(f.Per+" 罚 "+f.Currency+" "+amount(int64(f.Each)*unit), f.Currency+" "+amount(int64(f.Each)*unit)+" for every "+f.Per)
			if f.Base > 0 {
				text += l.say("，另加 ", ", and ") + amount(int64(f.Base)*unit)
			}
			if f.Most > 0 {
				text += l.say("，至多 ", ", at most ") + amount(int64(f.Most)*unit)
			}
		} else {
			x.FineFrom, x.FineTo = int64(f.From)*unit, int64(f.To)*unit
		}
	}
	if rest := l.provision(&x); rest != "" && text != "" {
		return text + l.say("；", "; ") + rest
	} else if text == "" {
		return rest
	}
	return text
}

// opinion says what was found of one competence.
func (l *law) opinion(o *wim.Opinion) string {
	text := l.words.Headline(o.Competence, o.Outcome, o.Standing)
	if o.Why != "" {
		text += l.say("（", " (") + l.words.Why(o.Why) + l.say("）", ")")
	}
	return text + l.say("，", ", ") + l.words.Standing(o.Standing)
}
