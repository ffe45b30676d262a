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
	return `Tells how many verdicts would be others under SET, by class of vehicle, road and authority.

  axlegate rules what-if my-province.yaml < records.ndjson`
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
	w := &whatIf{set: s, complain: os.Stderr, cells: map[cell]*shift{}}
	if err := fromFile(c.File, w.run); err != nil {
		return err
	}
	if c.JSON {
		err = writeJSON(os.Stdout, w.shifts())
	} else {
		err = l.whatIf(os.Stdout, w)
	}
	if err == nil && w.broken > 0 {
		err = fmt.Errorf("%d lines were not understood", w.broken)
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
	Vehicles   int            `json:"vehicles"`
	Changed    int            `json:"changed"`
	// Accused and Cleared are those that become exceeded, and those that no longer are.
	Accused int `json:"accused"`
	Cleared int `json:"cleared"`
}

type whatIf struct {
	set      *rules.Set
	complain io.Writer
	cells    map[cell]*shift
	records  int
	broken   int
	verdict  wim.Verdict
}

func (w *whatIf) run(name string, in io.Reader) (err error) {
	w.broken, err = eachRecord(name, in, w.complain, w.judge)
	return err
}

func (w *whatIf) judge(_ int, f *wim.Facts, sealed *wim.Verdict) {
	w.records++
	w.set.Judge(f, &w.verdict)
	for _, c := range union(sealed, &w.verdict) {
		at := cell{cmp.Or(f.Vehicle.Class, "unclassified"), f.Road.Name, c}
		s := w.cells[at]
		if s == nil {
			s = &shift{Class: at.class, Road: at.road, Competence: c}
			w.cells[at] = s
		}
		s.Vehicles++
		was, _ := sealed.Of(c)
		is, _ := w.verdict.Of(c)
		if was.Outcome == is.Outcome {
			continue
		}
		s.Changed++
		if is.Outcome == wim.Exceeded {
			s.Accused++
		}
		if was.Outcome == wim.Exceeded {
			s.Cleared++
		}
	}
}

// shifts lists the cells, most changes first.
func (w *whatIf) shifts() []*shift {
	out := make([]*shift, 0, len(w.cells))
	for _, s := range w.cells {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *shift) int {
		return cmp.Or(cmp.Compare(b.Changed, a.Changed), cmp.Compare(a.Competence, b.Competence), cmp.Compare(a.Road, b.Road), cmp.Compare(a.Class, b.Class))
	})
	return out
}

func (l *law) whatIf(to io.Writer, w *whatIf) error {
	out := &printer{w: to}
	all, changed, accused, cleared := w.shifts(), 0, 0, 0
	for _, s := range all {
		changed, accused, cleared = changed+s.Changed, accused+s.Accused, cleared+s.Cleared
	}
	out.line("%s", l.say(fmt.Sprintf("%d 条记录，%s：%d 个结论改变，其中 %d 个变为超过限值，%d 个不再超过", w.records, w.set.TitleIn("zh"), changed, accused, cleared),
		fmt.Sprintf("%d records under %s: %d outcomes change, of which %d become exceeded and %d no longer are", w.records, w.set.TitleIn("en"), changed, accused, cleared)))
	out.line("")
	t := sheet{head: []string{l.say("主管", "authority"), l.say("道路", "road"), l.say("车型", "class"), l.say("车辆", "vehicles"), l.say("改变", "changed"), l.say("变为超过", "now exceeded"), l.say("不再超过", "no longer")}}
	for _, s := range all {
		t.add(l.words.Or("competence", string(s.Competence)), s.Road, s.Class, strconv.Itoa(s.Vehicles), strconv.Itoa(s.Changed), strconv.Itoa(s.Accused), strconv.Itoa(s.Cleared))
	}
	out.table(&t)
	return out.err
}
