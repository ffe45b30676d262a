package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/axlegate/axlegate/wim"
)

type classesCommand struct {
	File string `arg:"" optional:"" type:"existingfile" help:"Facts or sealed records, one a line; without it the schemes are listed."`
	language
}

func (classesCommand) Help() string {
	return `Counts the vehicles of records by class, in every scheme that this build knows:

  ` + wim.Scheme + `  truck or train and its axles, from spacings; ours, drawn from common Chinese trucks; verdicts go by it
  ` + wim.FHWAScheme + `          the thirteen classes of FHWA; its spacings and masses are recalled, so it is for statistics alone

The European thirteen classes (EUR13) are not here: no table of theirs was found that could be read.

  axlegate classes
  axlegate verify journal.db -o records.ndjson && axlegate classes records.ndjson`
}

// counted is how many vehicles of a scheme have a class.
type counted struct {
	Scheme string `json:"scheme"`
	Class  string `json:"class"`
	Count  int    `json:"count"`
}

func (c classesCommand) Run() error {
	l, err := c.law()
	if err != nil {
		return err
	}
	if c.File == "" {
		return l.schemes(os.Stdout)
	}
	var list []counted
	broken := 0
	if err := fromFile(c.File, func(name string, in io.Reader) error {
		list, broken, err = countClasses(name, in, os.Stderr)
		return err
	}); err != nil {
		return err
	}
	if c.JSON {
		err = writeJSON(os.Stdout, list)
	} else {
		err = l.classes(os.Stdout, list)
	}
	if err == nil && broken > 0 {
		err = fmt.Errorf("%s: %d lines were not understood", c.File, broken)
	}
	return err
}

// countClasses counts passages by scheme and class; supplements tell of vehicles that are counted already.
func countClasses(name string, in io.Reader, complain io.Writer) (list []counted, broken int, err error) {
	list = []counted{}
	at := map[counted]int{}
	add := func(scheme, class string) {
		k := counted{Scheme: scheme, Class: class}
		if _, ok := at[k]; !ok {
			at[k] = len(list)
			list = append(list, k)
		}
		list[at[k]].Count++
	}
	broken, err = eachLine(name, in, complain, func(_ int, line []byte) error {
		r, err := passageIn(line)
		if err != nil || r == nil {
			return err
		}
		add(r.Scheme, r.Class)
		class := "–"
		if n, form := wim.ClassFHWA(r); n > 0 {
			class = strconv.Itoa(int(n))
			if form != "" {
				class += " (" + form + ")"
			}
		}
		add(wim.FHWAScheme, class)
		return nil
	})
	slices.SortFunc(list, func(a, b counted) int {
		return cmp.Or(cmp.Compare(a.Scheme, b.Scheme), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Class, b.Class))
	})
	return list, broken, err
}

// passageIn is the vehicle that a line of facts or a passage tells of, nil for any other record.
func passageIn(line []byte) (*wim.Vehicle, error) {
	f, _, err := factsIn(line)
	if err != nil || f == nil || bytes.Contains(line, []byte(`"supplement":`)) {
		return nil, err
	}
	return &f.Vehicle, nil
}

// schemes lists what the classes are.
func (l *law) schemes(w io.Writer) error {
	out := &printer{w: w}
	out.line("%s: %s", wim.Scheme, l.say("由轴距判断单车或列车及其轴型；本程序自定，判定以此为准", "truck or train and its axles, from spacings; ours, and what verdicts go by"))
	out.line("")
	out.line("%s: %s", wim.FHWAScheme, l.say("美国 FHWA 十三类；类别定义已核对，轴距与质量界限仅凭回忆，只用于统计", "the thirteen classes of FHWA; what they are was read, the spacings and masses they are told by are recalled: for statistics alone"))
	t := sheet{head: []string{l.say("类", "class"), l.say("车辆", "vehicle")}}
	for _, c := range wim.FHWAClasses() {
		t.add(strconv.Itoa(int(c.Number)), l.say(c.Zh, c.En))
	}
	out.table(&t)
	out.line("%s", l.say("EUR13：未找到可核对的分类表，故不提供", "EUR13: no table was found that could be read, so it is not here"))
	return out.err
}

func (l *law) classes(w io.Writer, list []counted) error {
	out := &printer{w: w}
	t := sheet{head: []string{l.say("分类体系", "scheme"), l.say("类", "class"), l.say("数量", "count")}}
	for _, c := range list {
		t.add(c.Scheme, c.Class, strconv.Itoa(c.Count))
	}
	out.table(&t)
	return out.err
}
