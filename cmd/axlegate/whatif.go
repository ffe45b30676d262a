package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

type rulesWhatIf struct {
	Set  string `arg:"" help:"A set that ships, or a .yaml file."`
	File string `arg:"" optional:"" type:"existingfile" help:"Sealed records, one a line; without it standard input."`
	language
}

func (rulesWhatIf) Help() string {
	return `Tells how many sealed verdicts would be others under SET: from which outcome to which, by authority, road and class of
vehicle; "–" is an authority that one of the two sets does not ask. Each supplement is a record too. What a standing is worth is not counted; "axlegate replay --rules SET" tells that too.

  axlegate verify journal.db -o records.ndjson
  axlegate rules what-if my-province.yaml < records.ndjson
  axlegate rules what-if us records.ndjson --json | jq '.shifts[] | select(.accused > 0)'

A line that is not understood is named by its number and passed over; then the exit status is 1.`
}

func (c rulesWhatIf) Run() error {
	s, err := daemon.RuleSet(c.Set)
	if err != nil {
		return err
	}
	l, err := c.law()
	if err != nil {
		return err
	}
	w := newWhatIf(s, os.Stderr)
	if err := fromFile(c.File, w.run); err != nil {
		return err
	}
	if c.JSON {
		err = writeJSON(os.Stdout, &w.result)
	} else {
		err = l.whatIf(os.Stdout, w)
	}
	if err == nil && w.result.Broken > 0 {
		err = fmt.Errorf("%d lines were not understood", w.result.Broken)
	}
	return err
}

// cell is whom a change is counted for.
type cell struct {
	class, road string
	competence  wim.Competence
}

// shift is how the outcomes of one class of vehicle on one road change for one authority.
type shift struct {
	Class      string         `json:"class"`
	Road       string         `json:"road"`
	Competence wim.Competence `json:"competence"`
	Records    int            `json:"records"` // of a vehicle: its passage, and each supplement to it
	Changed    int            `json:"changed"`
	// Accused and Cleared are those that become exceeded, and those that no longer are.
	Accused int    `json:"accused"`
	Cleared int    `json:"cleared"`
	Moves   []move `json:"moves"` // most first
}

// move is how many outcomes go from one to another; empty where the set knows no such authority.
type move struct {
	From  wim.Outcome `json:"from,omitempty"`
	To    wim.Outcome `json:"to,omitempty"`
	Count int         `json:"count"`
}

// whatIfResult is what another set would come to.
type whatIfResult struct {
	RuleSet string     `json:"rule_set"`
	Rules   wim.Digest `json:"rules_digest"`
	Records int        `json:"records"` // with a verdict
	Broken  int        `json:"broken"`  // lines that were not understood
	Changed int        `json:"changed"` // verdicts with an outcome that would be another, for whichever authority
	Shifts  []*shift   `json:"shifts"`  // most changes first
}

// whatIf judges records by a set that was not theirs.
type whatIf struct {
	set      *rules.Set
	complain io.Writer
	cells    map[cell]*shift
	result   whatIfResult
	verdict  wim.Verdict
}

func newWhatIf(s *rules.Set, complain io.Writer) *whatIf {
	return &whatIf{set: s, complain: complain, cells: map[cell]*shift{}, result: whatIfResult{RuleSet: s.ID(), Rules: s.Digest(), Shifts: []*shift{}}}
}

func (w *whatIf) run(name string, in io.Reader) (err error) {
	x := &w.result
	x.Broken, err = eachRecord(name, in, w.complain, w.judge)
	for _, s := range x.Shifts {
		slices.SortFunc(s.Moves, func(a, b move) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
		})
	}
	slices.SortFunc(x.Shifts, func(a, b *shift) int {
		return cmp.Or(cmp.Compare(b.Changed, a.Changed), cmp.Compare(a.Competence, b.Competence), cmp.Compare(a.Road, b.Road), cmp.Compare(a.Class, b.Class))
	})
	return err
}

func (w *whatIf) judge(_ int, f *wim.Facts, sealed *wim.Verdict) {
	x := &w.result
	x.Records++
	w.set.Judge(f, &w.verdict)
	changed := false
	for _, c := range union(sealed, &w.verdict) {
		at := cell{cmp.Or(f.Vehicle.Class, "unclassified"), f.Road.Name, c}
		s := w.cells[at]
		if s == nil {
			s = &shift{Class: at.class, Road: at.road, Competence: c, Moves: []move{}}
			w.cells[at] = s
			x.Shifts = append(x.Shifts, s)
		}
		s.Records++
		if from, to := said(sealed, c).Outcome, said(&w.verdict, c).Outcome; from != to {
			changed = true
			s.move(from, to)
		}
	}
	if changed {
		x.Changed++
	}
}

func (s *shift) move(from, to wim.Outcome) {
	s.Changed++
	if to == wim.Exceeded {
		s.Accused++
	}
	if from == wim.Exceeded {
		s.Cleared++
	}
	i := slices.IndexFunc(s.Moves, func(m move) bool { return m.From == from && m.To == to })
	if i < 0 {
		i = len(s.Moves)
		s.Moves = append(s.Moves, move{From: from, To: to})
	}
	s.Moves[i].Count++
}

// whatIf prints one line for each change, with the class that it concerns; what stays is in the first two lines only.
func (l *law) whatIf(to io.Writer, w *whatIf) error {
	out := &printer{w: to}
	x := &w.result
	outcomes, accused, cleared := 0, 0, 0
	for _, s := range x.Shifts {
		outcomes, accused, cleared = outcomes+s.Changed, accused+s.Accused, cleared+s.Cleared
	}
	out.line("%s", l.say(fmt.Sprintf("%d 条记录，%s：%d 条的结论改变", x.Records, w.set.TitleIn("zh"), x.Changed),
		fmt.Sprintf("%d records under %s: %d would be judged otherwise", x.Records, w.set.TitleIn("en"), x.Changed)))
	out.line("%s", l.say(fmt.Sprintf("按主管计 %d 个结论改变：%d 个变为超过限值，%d 个不再超过", outcomes, accused, cleared),
		fmt.Sprintf("by authority %d outcomes change: %d become exceeded, %d no longer are", outcomes, accused, cleared)))
	if outcomes == 0 {
		return out.err
	}
	out.line("")
	t := sheet{head: []string{l.say("主管", "authority"), l.say("道路", "road"), l.say("车型", "class"), l.say("记录", "records"), l.say("现为", "from"), l.say("将为", "to"), l.say("数量", "count")}}
	for _, s := range x.Shifts {
		for _, m := range s.Moves {
			t.add(l.words.Or("competence", string(s.Competence)), s.Road, s.Class, strconv.Itoa(s.Records), l.outcome(m.From), l.outcome(m.To), strconv.Itoa(m.Count))
		}
	}
	out.table(&t)
	return out.err
}

// outcome in words, "–" for none.
func (l *law) outcome(o wim.Outcome) string {
	if o == "" {
		return "–"
	}
	return l.words.Outcome(o)
}
