package scoring

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
)

// Judge gives the verdict of one rule set.
type Judge interface {
	Judge(f *wim.Facts, v *wim.Verdict)
}

// maxAmended bounds how many passages one score may have supplements of.
const maxAmended = 500_000

// name names a record, as a supplement does.
type name struct {
	site  wim.SiteID
	chain wim.ChainID
	seq   uint64
}

type lane struct {
	site wim.SiteID
	lane wim.LaneID
}

// amended is what the last supplement of a passage says.
type amended struct {
	seq     uint64
	facts   wim.Facts
	verdict wim.Verdict
}

// Book is one score: first every line of truth, then every record for its supplements (Amend), then every record again
// (Record), then Finish. One goroutine owns it.
type Book struct {
	// Sets finds the rule set that a verdict names, nil for one that is not here.
	Sets func(*wim.Verdict) Judge
	// Each, where not nil, is told of every vehicle that was found in the records, as it was assembled.
	Each func(*accuracy.Truth, *wim.Facts)

	scorer *accuracy.Scorer
	ledger accuracy.Ledger
	known  map[accuracy.Source]bool // devices that the truth is of; Boot 0
	seen   []bool
	later  map[name]amended
	like   map[lane]wim.Facts // of the last passage, for those that were missed
	law    map[lane]Judge
	result Result
	truth  wim.Verdict
}

// Result is what a score says beside the report.
type Result struct {
	Report *accuracy.Report `json:"report"`
	// Elsewhere are passages of scales that the truth is not of; they are not scored.
	Elsewhere int `json:"passages_of_other_scales"`
	// Unjudged are vehicles whose true masses no law was found for: the record's rule set is not here, or a vehicle was missed
	// on a lane that has no record.
	Unjudged int `json:"unjudged"`
}

// NewBook returns an empty Book.
func NewBook(cfg accuracy.Config, sets func(*wim.Verdict) Judge) (*Book, error) {
	s, err := accuracy.New(cfg)
	if err != nil {
		return nil, err
	}
	return &Book{Sets: sets, scorer: s, known: map[accuracy.Source]bool{}, later: map[name]amended{}, like: map[lane]wim.Facts{}, law: map[lane]Judge{}}, nil
}

// Truth takes in a line of truth.
func (b *Book) Truth(line []byte) error {
	t, err := accuracy.ParseTruth(line)
	if err != nil || t == nil {
		return err
	}
	if err := b.ledger.Add(t); err != nil {
		return err
	}
	b.known[accuracy.Source{Site: t.Site, Device: t.Device}] = true
	b.seen = append(b.seen, false)
	return nil
}

// Vehicles is how many vehicles the truth has.
func (b *Book) Vehicles() int { return b.ledger.Len() }

func recordIn(line []byte) (*wim.Record, error) {
	var r wim.Record
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, fmt.Errorf("not a record: %w", err)
	}
	switch r.Kind {
	case wim.KindPassage:
		if r.Passage == nil {
			return nil, errors.New("a record of kind passage without its account")
		}
	case wim.KindSupplement:
		if r.Supplement == nil {
			return nil, errors.New("a record of kind supplement without its account")
		}
	case wim.KindStart, wim.KindGap, wim.KindConfiguration, wim.KindRotation, wim.KindTransaction, wim.KindEvent, wim.KindTombstone:
	default:
		return nil, fmt.Errorf("a record of kind %q: want sealed records, as \"axlegate verify -o\" exports them", string(r.Kind))
	}
	return &r, nil
}

// Amend takes in what a line supplements, if it does: of a passage the last supplement counts.
func (b *Book) Amend(line []byte) error {
	r, err := recordIn(line)
	if err != nil || r.Supplement == nil {
		return err
	}
	of := r.Supplement.Of
	k := name{of.Site, of.Chain, of.Seq}
	old, ok := b.later[k]
	if ok && old.seq > r.Seq {
		return nil
	}
	if !ok && len(b.later) >= maxAmended {
		return fmt.Errorf("more than %d passages with supplements: score them in parts", maxAmended)
	}
	b.later[k] = amended{r.Seq, r.Supplement.Facts, r.Supplement.Verdict}
	return nil
}

// Record scores the passage in a line, if there is one.
func (b *Book) Record(line []byte) error {
	r, err := recordIn(line)
	if err != nil || r.Passage == nil {
		return err
	}
	p := r.Passage
	if !b.known[accuracy.Source{Site: r.Site, Device: p.Source.Device}] {
		b.result.Elsewhere++
		return nil
	}
	facts, verdict := &p.Facts, &p.Verdict
	if a, ok := b.later[name{r.Site, r.Chain, r.Seq}]; ok {
		facts, verdict = &a.facts, &a.verdict
	}
	at := lane{r.Site, facts.Vehicle.Lane}
	law := b.Sets(verdict)
	b.like[at], b.law[at] = *facts, law
	i := b.ledger.Find(accuracy.Source{Site: r.Site, Device: p.Source.Device, Boot: p.Source.Boot}, p.Source.Seq)
	if i < 0 || b.seen[i] {
		b.scorer.False()
		return nil
	}
	b.seen[i] = true
	t := b.ledger.At(i)
	if b.Each != nil {
		b.Each(t, facts)
	}
	b.scorer.Passage(t, &facts.Vehicle, b.cases(law, facts, t, verdict))
	return nil
}

func (b *Book) cases(law Judge, f *wim.Facts, t *accuracy.Truth, found *wim.Verdict) []accuracy.Case {
	if law == nil {
		b.result.Unjudged++
		return nil
	}
	ref := Reference(f, t)
	law.Judge(&ref, &b.truth)
	return accuracy.Cases(&b.truth, found)
}

// Finish takes the vehicles that have no record as missed, and gives the result.
func (b *Book) Finish() (*Result, error) {
	for i, seen := range b.seen {
		if seen {
			continue
		}
		t := b.ledger.At(i)
		at := lane{t.Site, t.Lane}
		f, ok := b.like[at]
		if !ok || b.law[at] == nil {
			b.result.Unjudged++
			b.scorer.Missed(t, nil)
			continue
		}
		f.Time, f.Units, f.Permits = wim.TimeOf(t.Start), []wim.Unit{{Plate: t.Plates.Front}}, nil
		f.Vehicle.Length, f.Vehicle.Width, f.Vehicle.Height = 0, 0, 0
		b.scorer.Missed(t, b.cases(b.law[at], &f, t, nil))
	}
	var err error
	b.result.Report, err = b.scorer.Report()
	return &b.result, err
}
