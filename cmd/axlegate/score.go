package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/axlegate/axlegate/internal/scoresheet"
	"github.com/axlegate/axlegate/internal/scoring"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
)

type scoreCommand struct {
	Truth       string   `short:"t" type:"existingfile" placeholder:"FILE" help:"Ground truth, one vehicle a line, as \"axlegate-sim --truth\" writes it."`
	Records     []string `short:"r" type:"existingfile" placeholder:"FILE" help:"Sealed records, one a line, as \"axlegate verify -o\" or \"axlegate export\" write them; more may be given."`
	Sets        []string `short:"s" type:"existingfile" help:"More rule sets that records may name (.yaml files)."`
	Plan        string   `enum:"r1,r2,R1,R2" default:"R2" help:"Test plan of COST 323: r1 one vehicle, r2 one vehicle varied, R1 some vehicles, R2 full traffic."`
	Environment string   `enum:"I,II,III" default:"I" help:"Environment of COST 323: I some hours, II some days of a season, III over a year."`
	Initial     bool     `help:"COST 323 as at an initial verification, with 0.8 of its tolerances."`
	HTML        string   `name:"html" placeholder:"FILE" help:"Write the report as one HTML file too, which stands alone; it must not be there yet."`
	Division    int32    `default:"0" help:"Scale division d in kg, for the smallest limits of OIML R 134; 0 for none."`
	Simulate    int      `placeholder:"N" help:"Score so many simulated vehicles instead, in this process and as fast as it goes."`
	simulateOptions
	language
}

func (scoreCommand) Help() string {
	return `Holds records against what truly passed and says how well the site weighs and whom it accuses:

  COST 323   the class that the scatter of the errors stands for, with the confidence reached (a share of all weighings)
  OIML R 134 how many single weighings lie beyond each class's limit (a hard limit on each)
  ASTM E1318 the types that 95 % of the values conform to (its tolerances are recalled, not read)
  detection  vehicles and axles missed and invented; how right each flag is
  the law    which share of vehicles that keep to every limit was accused, near a limit and in all, and which share of those
             that exceed one was missed, by excess. What is true is judged by the rule set that the record names, with
             nothing deducted.

None of these classes lets a weight be evidence; only a verification certificate does.

  axlegate-sim site.yaml --truth truth.ndjson &
  axlegate verify journal.db -o records.ndjson
  axlegate score --truth truth.ndjson --records records.ndjson --html score.html

With --simulate the whole way of a vehicle but its wires and plates runs in this process: drawn by the simulator, assembled, classified,
judged, and held against its truth. Half of the vehicles are loaded to 80 to 130 % of the road's limit, so that many stand where an
accusation is decided. The instrument's errors are what you say they are; the figures are of the deductions and the rules, not of
any real scale.

  axlegate score --simulate 1000000`
}

// maxComplaints is how many lines of a file are named that were not understood.
const maxComplaints = 20

func (c scoreCommand) Run() error {
	l, err := c.law()
	if err != nil {
		return err
	}
	if c.Division < 0 || c.Division > 1000 {
		return fmt.Errorf("--division %d: want 0 to 1000 kg", c.Division)
	}
	shelf, err := newShelf(c.Sets)
	if err != nil {
		return err
	}
	if (c.Simulate > 0) == (c.Truth != "" || len(c.Records) > 0) || c.Simulate == 0 && (c.Truth == "" || len(c.Records) == 0) {
		return errors.New("score: want --truth with --records, or --simulate")
	}
	cfg := accuracy.Config{Plan: accuracy.TestPlan(c.Plan), Environment: accuracy.Environment(c.Environment), Initial: c.Initial, Division: wim.Kg(c.Division)}
	var result *scoring.Result
	broken := 0
	if c.Simulate > 0 {
		result, err = c.simulate(c.Simulate, cfg)
	} else {
		result, broken, err = score(cfg, shelf, c.Truth, c.Records, os.Stderr)
	}
	if err != nil {
		return err
	}
	if c.HTML != "" {
		if err := c.sheet(l, result); err != nil {
			return err
		}
	}
	if c.JSON {
		err = writeJSON(os.Stdout, result)
	} else {
		err = l.scored(os.Stdout, result)
	}
	if err == nil && c.Simulate > 0 && !c.JSON {
		err = l.goals(os.Stdout, goalsOf(result.Report))
	}
	if err == nil && broken > 0 {
		err = fmt.Errorf("%d lines were not understood and are not scored", broken)
	}
	return err
}

// sheet writes the report as a page.
func (c scoreCommand) sheet(l *law, x *scoring.Result) error {
	head := scoresheet.Head{Lang: l.words.Language(), Made: time.Now().UTC().Format("2006-01-02 15:04 UTC"), Title: filepath.Base(c.Truth)}
	if c.Simulate > 0 {
		head.Title = fmt.Sprintf("%d simulated vehicles, seed %d, class %s, axle error %d ‰, sway %d ‰, bias %d ‰, manoeuvres %d ‰", c.Simulate, c.Seed, c.Class, c.AxleError, c.Sway, c.Bias, c.Manoeuvres)
	}
	for _, r := range c.Records {
		head.Title += ", " + filepath.Base(r)
	}
	return writeNew(c.HTML, func(w io.Writer) error { return scoresheet.Write(w, head, x) })
}

// score reads truth and records. The records are read twice: a supplement stands behind the passage that it amends.
func score(cfg accuracy.Config, shelf *shelf, truth string, records []string, complain io.Writer) (*scoring.Result, int, error) {
	return scoreEach(cfg, shelf, truth, records, complain, nil)
}

// scoreEach is score that tells of every vehicle.
func scoreEach(cfg accuracy.Config, shelf *shelf, truth string, records []string, complain io.Writer, each func(*accuracy.Truth, *wim.Facts)) (*scoring.Result, int, error) {
	book, err := scoring.NewBook(cfg, func(v *wim.Verdict) scoring.Judge {
		if s := cmp.Or(shelf.byDigest[v.Rules], shelf.byID[v.RuleSet]); s != nil {
			return s
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	book.Each = each
	broken := 0
	read := func(path string, complain io.Writer, use func([]byte) error) error {
		return fromFile(path, func(name string, in io.Reader) error {
			n, err := eachLine(name, in, complain, func(_ int, line []byte) error { return use(line) })
			broken += n
			return err
		})
	}
	if err := read(truth, &few{w: complain, left: maxComplaints}, book.Truth); err != nil {
		return nil, broken, err
	}
	if book.Vehicles() == 0 {
		return nil, broken, fmt.Errorf("%s: no vehicle in it; want lines as \"axlegate-sim --truth\" writes them", truth)
	}
	said := &few{w: complain, left: maxComplaints}
	for _, f := range records {
		if err := read(f, said, book.Amend); err != nil {
			return nil, broken, err
		}
	}
	for _, f := range records {
		before := broken
		if err := read(f, io.Discard, book.Record); err != nil {
			return nil, broken, err
		}
		broken = before // the same lines were refused the first time
	}
	result, err := book.Finish()
	return result, broken, err
}

// few passes a few lines on, and says once that there are more.
type few struct {
	w    io.Writer
	left int
}

func (f *few) Write(p []byte) (int, error) {
	f.left--
	switch {
	case f.left >= 0:
		return f.w.Write(p)
	case f.left == -1:
		if _, err := io.WriteString(f.w, "… and more\n"); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// scored prints the result as tables.
func (l *law) scored(w io.Writer, x *scoring.Result) error {
	var b bytes.Buffer
	out := &printer{w: &b}
	r := x.Report
	l.scoredCounts(out, x)
	l.scoredCOST(out, &r.COST323)
	l.scoredOIML(out, &r.OIML)
	l.scoredASTM(out, &r.ASTM)
	l.scoredFlags(out, r.Flags)
	l.scoredLaw(out, r)
	_, err := w.Write(b.Bytes())
	return errors.Join(out.err, err)
}

func (l *law) scoredCounts(out *printer, x *scoring.Result) {
	c := &x.Report.Counts
	out.line("%s", l.say("检出", "detection"))
	t := sheet{head: []string{"", l.say("数量", "count"), l.say("占比", "share")}}
	t.add(l.say("真实车辆", "vehicles that passed"), fmt.Sprint(c.Vehicles), "")
	t.add(l.say("有记录", "with a record"), fmt.Sprint(c.Recorded), pct(x.Report.Detection))
	t.add(l.say("  其中称重有效", "  whose weighing is valid"), fmt.Sprint(c.Recorded-c.Void-c.Unweighed), pct(x.Report.Valid))
	t.add(l.say("漏车", "missed"), fmt.Sprint(c.Missed), pct(accuracy.Share(c.Missed, c.Vehicles)))
	t.add(l.say("多出的记录", "false vehicles"), fmt.Sprint(c.False), "")
	t.add(l.say("车轴", "axles"), fmt.Sprint(c.Axles), "")
	t.add(l.say("漏轴", "missed axles"), fmt.Sprint(c.MissedAxles), pct(accuracy.Share(c.MissedAxles, c.Axles)))
	t.add(l.say("多轴", "false axles"), fmt.Sprint(c.FalseAxles), pct(accuracy.Share(c.FalseAxles, c.Axles)))
	out.table(&t)
	if x.Elsewhere > 0 {
		out.line("  %d %s", x.Elsewhere, l.say("条通行记录来自真值未涉及的秤，未评分", "passages are of scales that the truth is not of, and are not scored"))
	}
	if x.Unjudged > 0 {
		out.line("  %d %s", x.Unjudged, l.say("辆车的真实质量无规则集可判定", "vehicles' true masses were judged by no law"))
	}
}

func (l *law) scoredCOST(out *printer, c *accuracy.COST323) {
	stage := l.say("使用中", "in service")
	if c.Initial {
		stage = l.say("首次检定", "initial verification")
	}
	out.line("%s", l.say(fmt.Sprintf("COST 323（置信度）：%s，试验方案 %s，环境 %s，%s", cmp.Or(c.Class, "无等级"), c.Plan, c.Environment, stage),
		fmt.Sprintf("COST 323 (a confidence): class %s, test plan %s, environment %s, %s", cmp.Or(c.Class, "none"), c.Plan, c.Environment, stage)))
	t := sheet{head: []string{l.say("指标", "criterion"), "n", l.say("均值 %", "mean %"), l.say("标准差 %", "deviation %"), l.say("要求置信度 %", "required %"),
		l.say("最小允差 %", "smallest tolerance %"), l.say("等级", "class")}}
	for _, f := range c.Fits {
		if f.TooFew {
			t.add(l.criterion(f.Criterion), fmt.Sprint(f.N), "", "", "", "", l.say("不足 10 次", "fewer than 10"))
			continue
		}
		t.add(l.criterion(f.Criterion), fmt.Sprint(f.N), fmt.Sprintf("%+.2f", f.Mean), fmt.Sprintf("%.2f", f.Deviation), fmt.Sprintf("%.1f", f.Required),
			fmt.Sprintf("%.2f", f.Tolerance), cmp.Or(f.Class, "–"))
	}
	out.table(&t)
}

func (l *law) criterion(c accuracy.Criterion) string {
	switch c {
	case accuracy.Gross:
		return l.say("总质量", "gross mass")
	case accuracy.Group:
		return l.say("轴组", "axle group")
	case accuracy.SingleAxle:
		return l.say("单轴", "single axle")
	case accuracy.AxleOfGroup:
		return l.say("轴组中的轴", "axle of a group")
	}
	return c.String()
}

func (l *law) scoredOIML(out *printer, o *accuracy.OIML) {
	out.line("%s", l.say(fmt.Sprintf("OIML R 134（每次称重的硬限值）：使用中 %s 级，最大误差 %.2f %%", cmp.Or(o.Class, "无"), o.Worst),
		fmt.Sprintf("OIML R 134 (a hard limit on each weighing): in service class %s, largest error %.2f %%", cmp.Or(o.Class, "none"), o.Worst)))
	l.hardLimits(out, o.Limits, o.N)
	if o.Axles > 0 {
		out.line("  %s", l.say("两轴单车的轴载荷（限值未经核实，仅凭回忆）", "axle loads of two-axle rigid vehicles (limits recalled, not read)"))
		l.hardLimits(out, o.AxleLimit, o.Axles)
	}
}

func (l *law) hardLimits(out *printer, limits []accuracy.HardLimit, n int) {
	t := sheet{head: []string{l.say("等级", "class"), l.say("首次 %", "initial %"), l.say("超出", "beyond"), l.say("使用中 %", "in service %"), l.say("超出", "beyond"), l.say("共", "of")}}
	for _, h := range limits {
		t.add(h.Class, fmt.Sprintf("±%.2f", h.Initial), fmt.Sprint(h.BeyondInitial), fmt.Sprintf("±%.2f", h.InService), fmt.Sprint(h.BeyondService), fmt.Sprint(n))
	}
	out.table(&t)
}

func (l *law) scoredASTM(out *printer, a *accuracy.ASTM) {
	out.line("%s", l.say("ASTM E1318-09（95 % 的值须符合；全部允差仅凭回忆，未经核实）", "ASTM E1318-09 (95 % of the values must conform; all tolerances are recalled, not read)"))
	t := sheet{head: []string{l.say("类型", "type"), l.say("量", "quantity"), l.say("允差", "tolerance"), "n", l.say("符合 %", "conform %"), l.say("结论", "kept")}}
	for _, y := range a.Types {
		for i, q := range y.Quantities {
			name := ""
			if i == 0 {
				name = y.Type
			}
			t.add(name, l.quantity(q.Quantity), q.Tolerance, fmt.Sprint(q.N), pct(q.Share), l.yes(q.Kept))
		}
	}
	out.table(&t)
}

func (l *law) yes(b bool) string {
	if b {
		return l.say("是", "yes")
	}
	return l.say("否", "no")
}

func (l *law) quantity(q string) string {
	for _, x := range [][3]string{
		{"wheel-load", "轮载荷", "wheel load"}, {"axle-load", "轴载荷", "axle load"}, {"axle-group", "轴组", "axle group"}, {"gross", "总质量", "gross mass"},
		{"speed", "车速", "speed"}, {"axle-spacing", "轴距", "axle spacing"},
	} {
		if x[0] == q {
			return l.say(x[1], x[2])
		}
	}
	return q
}

func (l *law) scoredFlags(out *printer, flags []accuracy.FlagScore) {
	if len(flags) == 0 {
		return
	}
	out.line("%s", l.say("标志", "flags"))
	t := sheet{head: []string{l.say("标志", "flag"), l.say("正确", "right"), l.say("误报", "false"), l.say("漏报", "missed"), l.say("查准率", "precision"), l.say("查全率", "recall")}}
	for _, f := range flags {
		t.add(l.words.Or("flag", f.Flag), fmt.Sprint(f.Right), fmt.Sprint(f.False), fmt.Sprint(f.Missed), maybe(f.Precision), maybe(f.Recall))
	}
	out.table(&t)
}

func (l *law) scoredLaw(out *printer, r *accuracy.Report) {
	for _, a := range r.Accusations {
		if a.Kind != "" {
			continue
		}
		scope := l.say("全部质量限值", "all limits by mass")
		if a.Gross {
			scope = l.say("仅总质量", "gross mass alone")
		}
		out.line("%s: %s", l.words.Or("competence", string(a.Competence)), scope)
		t := sheet{head: []string{l.say("真实情况", "truly"), "n", l.say("被指超限", "accused"), l.say("其中作证据", "as evidence"), l.say("误差范围内", "within tolerance"),
			l.say("无法判定", "undecided"), l.say("称重无效", "void"), l.say("无记录", "no record"), l.say("被指占比", "share accused")}}
		row := func(name string, b *accuracy.Band) {
			if b.N > 0 {
				t.add(name, fmt.Sprint(b.N), fmt.Sprint(b.Accused), fmt.Sprint(b.Evidence), fmt.Sprint(b.WithinTolerance), fmt.Sprint(b.Undecided), fmt.Sprint(b.Void), fmt.Sprint(b.Missed),
					pct(accuracy.Share(b.Accused, b.N)))
			}
		}
		row(l.say("未超", "keeps to every limit"), &a.Keeping)
		row(l.say("  限值的 95–100 %", "  at 95 to 100 % of one"), &a.Near)
		row(l.say("超过", "exceeds a limit"), &a.Exceeding)
		for i := range a.ExcessBands {
			above := ""
			if i+1 < len(a.ExcessBands) {
				above = fmt.Sprintf("–%g", float64(a.ExcessBands[i+1].From)/10)
			}
			row(fmt.Sprintf("  %s %g%s %%", l.say("超", "by"), float64(a.ExcessBands[i].From)/10, above), &a.ExcessBands[i])
		}
		row(l.say("法律本身无法判定", "open by the law itself"), &a.Open)
		out.table(&t)
	}
}

// pct writes a share of a hundred with as many decimals as a rare thing needs.
func pct(p float64) string {
	if p > 0 && p < 0.01 || p > 99.99 && p < 100 {
		return fmt.Sprintf("%.5f %%", p)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.2f", p), ".00") + " %"
}

func maybe(p *float64) string {
	if p == nil {
		return "–"
	}
	return pct(*p)
}
