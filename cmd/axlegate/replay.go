package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

type replayCommand struct {
	File  string   `arg:"" optional:"" type:"existingfile" help:"Sealed records, one a line, as \"axlegate verify -o\" exports them; without it standard input."`
	Rules string   `short:"r" help:"Judge by this set instead of the set of their time."`
	Sets  []string `short:"s" type:"existingfile" help:"More rule sets that records may name (.yaml files)."`
	language
}

func (replayCommand) Help() string {
	return `Judges sealed records again and tells every difference from the verdict that was sealed, by authority and outcome.

Without --rules each record is judged by the set that it names: one that ships or is given by --sets with the same digest.
A set with that name and another digest is used too and counted apart. Signatures in an export are passed over. A verdict that differs under the same set and the
same judge is an alarm: it is named by its line, and the exit status is 1.

  axlegate verify journal.db -o records.ndjson
  axlegate replay records.ndjson
  axlegate replay records.ndjson --rules my-province.yaml`
}

func (c replayCommand) Run() error {
	l, err := c.law()
	if err != nil {
		return err
	}
	shelf, err := newShelf(c.Sets)
	if err != nil {
		return err
	}
	r := &replay{shelf: shelf, complain: os.Stderr}
	if c.Rules != "" {
		if r.by, err = daemon.RuleSet(c.Rules); err != nil {
			return err
		}
	}
	if err := fromFile(c.File, r.run); err != nil {
		return err
	}
	if c.JSON {
		err = writeJSON(os.Stdout, &r.result)
	} else {
		err = l.replayed(os.Stdout, &r.result)
	}
	if err == nil && (r.result.Broken > 0 || len(r.result.Alarms) > 0) {
		err = fmt.Errorf("%d lines were not understood, %d verdicts differ under the same set and judge", r.result.Broken, len(r.result.Alarms))
	}
	return err
}

// fromFile reads a file, or standard input for none, with a progress bar.
func fromFile(path string, run func(name string, in io.Reader) error) error {
	in, name := os.Stdin, "standard input"
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // only read
		in, name = f, path
	}
	b := newBar(in)
	defer b.done()
	return run(name, b)
}

// shelf holds the rule sets that records may name.
type shelf struct {
	byDigest map[wim.Digest]*rules.Set
	byID     map[string]*rules.Set
}

func newShelf(files []string) (*shelf, error) {
	s := &shelf{byDigest: map[wim.Digest]*rules.Set{}, byID: map[string]*rules.Set{}}
	for _, n := range append(configs.RuleNames(), files...) {
		set, err := daemon.RuleSet(n)
		if err != nil {
			return nil, err
		}
		s.byDigest[set.Digest()], s.byID[set.ID()] = set, set
	}
	return s, nil
}

// stance is what a verdict says for one competence; none at all where it has no opinion.
type stance struct {
	Outcome  wim.Outcome  `json:"outcome,omitempty"`
	Standing wim.Standing `json:"standing,omitempty"`
}

// turn is a stance before and after.
type turn struct {
	Competence wim.Competence `json:"competence"`
	From       stance         `json:"from"`
	To         stance         `json:"to"`
	Count      int            `json:"count"`
	Lines      []int          `json:"lines"` // the first few
}

// replayResult is what came of judging records again.
type replayResult struct {
	Records int     `json:"records"` // with a verdict
	Broken  int     `json:"broken"`  // lines that were not understood
	Unknown int     `json:"unknown"` // the set that they name is not here
	Other   int     `json:"other"`   // judged by a set of that name with another digest
	Judge   int     `json:"judge"`   // sealed by another version of the judge
	Same    int     `json:"same"`    // the whole verdict is the same
	Turns   []*turn `json:"turns"`   // opinions that differ
	Details int     `json:"details"` // verdicts with the same opinions and other findings
	Alarms  []int   `json:"alarms"`  // lines whose verdict differs under the same set and judge
}

// replay judges records again.
type replay struct {
	shelf    *shelf
	by       *rules.Set // nil: the set of their time
	complain io.Writer
	result   replayResult
	verdict  wim.Verdict
}

// eachRecord reads the sealed verdicts of an export; a line that is not understood is named by its number and passed over.
func eachRecord(name string, in io.Reader, complain io.Writer, each func(line int, f *wim.Facts, sealed *wim.Verdict)) (broken int, err error) {
	return eachLine(name, in, complain, func(n int, line []byte) error {
		f, sealed, err := factsIn(line)
		if err != nil || f == nil {
			return err
		}
		if sealed == nil {
			return errors.New("facts without a sealed verdict: \"axlegate judge\" judges those")
		}
		each(n, f, sealed)
		return nil
	})
}

func (r *replay) run(name string, in io.Reader) (err error) {
	r.result.Turns, r.result.Alarms = []*turn{}, []int{} // a list without entries, not null, in JSON
	r.result.Broken, err = eachRecord(name, in, r.complain, r.judge)
	slices.SortFunc(r.result.Turns, func(a, b *turn) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Competence, b.Competence), cmp.Compare(a.From.Outcome, b.From.Outcome), cmp.Compare(a.From.Standing, b.From.Standing),
			cmp.Compare(a.To.Outcome, b.To.Outcome), cmp.Compare(a.To.Standing, b.To.Standing))
	})
	return err
}

func (r *replay) judge(line int, f *wim.Facts, sealed *wim.Verdict) {
	x := &r.result
	x.Records++
	set := r.by
	if set == nil {
		if set = r.shelf.byDigest[sealed.Rules]; set == nil {
			if set = r.shelf.byID[sealed.RuleSet]; set == nil {
				x.Unknown++
				return
			}
			x.Other++
		}
	}
	set.Judge(f, &r.verdict)
	v := &r.verdict
	same := slices.Equal(v.Opinions, sealed.Opinions) && slices.Equal(v.Findings, sealed.Findings)
	if sealed.Judge != v.Judge {
		x.Judge++
	} else if !same && sealed.Rules == v.Rules {
		x.Alarms = append(x.Alarms, line)
	}
	if same {
		x.Same++
		return
	}
	turned := false
	for _, o := range union(sealed, v) {
		from, to := said(sealed, o), said(v, o)
		if from != to {
			turned = true
			x.turn(o, from, to, line)
		}
	}
	if !turned {
		x.Details++
	}
}

// union lists the competences of two verdicts, in their order.
func union(a, b *wim.Verdict) []wim.Competence {
	var out []wim.Competence
	for _, v := range []*wim.Verdict{a, b} {
		for _, o := range v.Opinions {
			if !slices.Contains(out, o.Competence) {
				out = append(out, o.Competence)
			}
		}
	}
	return out
}

// said is what a verdict says for a competence.
func said(v *wim.Verdict, c wim.Competence) stance {
	o, _ := v.Of(c)
	return stance{o.Outcome, o.Standing}
}

// stance in words, "–" for none.
func (l *law) stance(s stance) string {
	if s.Outcome == "" {
		return "–"
	}
	text := l.words.Outcome(s.Outcome)
	switch s.Standing {
	case wim.Evidence:
		text += l.say("，可作证据", ", evidence")
	case wim.Screening: // the console's word is suspicion, which whoever keeps to the limits is not under
		text += l.say("，仅供预检", ", screening")
	case wim.Void:
		text += l.say("，无效", ", void")
	}
	return text
}

// examples is how many lines are named for each kind of difference.
const examples = 5

func (x *replayResult) turn(c wim.Competence, from, to stance, line int) {
	i := slices.IndexFunc(x.Turns, func(t *turn) bool { return t.Competence == c && t.From == from && t.To == to })
	if i < 0 {
		i = len(x.Turns)
		x.Turns = append(x.Turns, &turn{Competence: c, From: from, To: to})
	}
	t := x.Turns[i]
	if t.Count++; len(t.Lines) < examples {
		t.Lines = append(t.Lines, line)
	}
}

// replayed prints what came of it.
func (l *law) replayed(w io.Writer, x *replayResult) error {
	out := &printer{w: w}
	out.line("%s", l.say(fmt.Sprintf("重新判定 %d 条记录：%d 条完全一致，%d 条意见相同而明细不同", x.Records-x.Unknown, x.Same, x.Details),
		fmt.Sprintf("%d records judged again: %d wholly the same, %d with the same opinions and other findings", x.Records-x.Unknown, x.Same, x.Details)))
	for _, n := range []struct {
		count  int
		zh, en string
	}{
		{x.Unknown, "条记录所指的规则集不在此处，未判定", "name a rule set that is not here and were not judged"},
		{x.Other, "条按同名而摘要不同的规则集判定", "were judged by a set of that name with another digest"},
		{x.Judge, "条由另一版本的判定程序封存", "were sealed by another version of the judge"},
		{x.Broken, "行无法读取", "lines were not understood"},
		{len(x.Alarms), "条在同一规则集与同一判定版本下不同：告警", "differ under the same set and judge: an alarm"},
	} {
		if n.count > 0 {
			out.line("  %d %s", n.count, l.say(n.zh, n.en))
		}
	}
	if len(x.Turns) > 0 {
		out.line("")
		t := sheet{head: []string{l.say("主管", "authority"), l.say("封存", "sealed"), l.say("现在", "now"), l.say("数量", "count"), l.say("行", "lines")}}
		for _, x := range x.Turns {
			t.add(l.words.Or("competence", string(x.Competence)), l.stance(x.From), l.stance(x.To), strconv.Itoa(x.Count), lines(x.Lines, x.Count))
		}
		out.table(&t)
	}
	if len(x.Alarms) > 0 {
		out.line("%s %s", l.say("告警行：", "alarms at lines"), lines(x.Alarms[:min(examples, len(x.Alarms))], len(x.Alarms)))
	}
	return out.err
}

func lines(some []int, all int) string {
	text := ""
	for i, n := range some {
		if i > 0 {
			text += ", "
		}
		text += strconv.Itoa(n)
	}
	if all > len(some) {
		text += " …"
	}
	return text
}
