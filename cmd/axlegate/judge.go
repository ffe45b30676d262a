package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

type judgeCommand struct {
	File  string `arg:"" optional:"" type:"existingfile" help:"Facts, one JSON object a line, or sealed records as \"axlegate verify -o\" exports them; without it standard input."`
	Rules string `short:"r" default:"cn" help:"An embedded rule set, or a .yaml file."`
}

func (judgeCommand) Help() string {
	return `Writes one verdict a line to standard output, in the order of the input; a blank line has none. A line that is
not understood is named by its number on standard error and passed over; then the exit status is 1.

  axlegate judge facts.ndjson > verdicts.ndjson
  axlegate verify journal.db -o records.ndjson && axlegate judge records.ndjson | jq -c .verdict.opinions

Facts are what a record of a passage carries under "passage"."facts" (docs/wire.md). Each line of output has the
line number of the input, the verdict and, for a record, whether it is the one that was sealed ("same").`
}

func (c judgeCommand) Run() error {
	set, err := daemon.RuleSet(c.Rules)
	if err != nil {
		return err
	}
	in := io.Reader(os.Stdin)
	name := "standard input"
	if c.File != "" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // only read
		in, name = f, c.File
	}
	out := bufio.NewWriter(os.Stdout)
	bad, err := judge(set, in, out, name, os.Stderr)
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	if bad > 0 {
		return fmt.Errorf("%s: %d lines were not judged", name, bad)
	}
	return nil
}

// judged is one line of output.
type judged struct {
	Line    int          `json:"line"`
	Verdict *wim.Verdict `json:"verdict"`
	// Same tells, for a sealed record, whether the verdict is the one in it.
	Same *bool `json:"same,omitempty"`
}

// judge reads facts or records and writes verdicts. It returns how many lines were not understood.
func judge(set *rules.Set, in io.Reader, out io.Writer, name string, complain io.Writer) (bad int, err error) {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	var v wim.Verdict
	var unwritten error
	full := false // the output takes nothing more
	bad, err = eachLine(name, in, complain, func(n int, line []byte) error {
		if full {
			return nil
		}
		facts, sealed, err := factsIn(line)
		if err != nil || facts == nil {
			return err // without facts it is a record without a verdict
		}
		set.Judge(facts, &v)
		j := judged{Line: n, Verdict: &v}
		if sealed != nil {
			same := v.Equal(sealed)
			j.Same = &same
		}
		unwritten = enc.Encode(j)
		full = unwritten != nil
		return nil
	})
	if unwritten != nil {
		return bad, fmt.Errorf("output: %w", unwritten)
	}
	return bad, err
}

// factsIn reads a line: facts, or a record with its verdict. Both are nil for a record that has neither.
func factsIn(line []byte) (*wim.Facts, *wim.Verdict, error) {
	var kind struct {
		Kind *wim.RecordKind `json:"kind"`
	}
	if err := json.Unmarshal(line, &kind); err != nil {
		return nil, nil, fmt.Errorf("not JSON: %w", err)
	}
	if kind.Kind != nil {
		var r wim.Record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, nil, fmt.Errorf("not a record: %w", err)
		}
		switch {
		case r.Passage != nil:
			return &r.Passage.Facts, &r.Passage.Verdict, nil
		case r.Supplement != nil:
			return &r.Supplement.Facts, &r.Supplement.Verdict, nil
		}
		switch r.Kind {
		case wim.KindStart, wim.KindGap, wim.KindConfiguration, wim.KindRotation, wim.KindTransaction, wim.KindEvent, wim.KindTombstone:
			return nil, nil, nil // an account that judges nothing
		case wim.KindPassage, wim.KindSupplement:
			return nil, nil, fmt.Errorf("a record of kind %s without its account", r.Kind)
		}
		return nil, nil, fmt.Errorf("a record of kind %q, which this build does not know", r.Kind)
	}
	var f wim.Facts
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, nil, fmt.Errorf("not facts: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("more than one value on the line")
	}
	if f.Time == 0 {
		return nil, nil, errors.New("facts without a time: it picks the law in force")
	}
	if len(f.Vehicle.Axles) == 0 {
		return nil, nil, errors.New("facts without axles")
	}
	return &f, nil, nil
}
