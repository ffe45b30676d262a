package edge

import (
	"context"
	"slices"

	"github.com/axlegate/axlegate/wim"
)

// keyOf is the controller's own name of a vehicle that it reported whole, under which the journal knows it again; empty for
// one that the site assembled.
func keyOf(v *wim.Vehicle) string {
	if v.Controller == nil {
		return ""
	}
	return v.Controller.ID
}

// RetractionKey is the name under which the journal knows that the record of that name was taken back.
func RetractionKey(id string) string { return "retraction of " + id }

// retract records that a controller took a vehicle back: what was recorded stays, a supplement marks the weighing as void.
// One that names no passage of this lane, or one that lies too far back, becomes a gap.
func (l *lane) retract(r *wim.Reading) {
	id := ""
	if r.Controller != nil {
		id = r.Controller.ID
	}
	p := l.reported(id)
	if p == nil {
		l.pending = append(l.pending, &wim.Gap{Lane: l.cfg.Lane, Device: l.cfg.Device, Cause: wim.GapSequence, Boot: r.Boot, From: r.Seq, To: r.Seq,
			Since: r.Arrival, Until: r.Arrival, Detail: "the controller took back its record " + shorten(id) + ", which is not among this lane's recent passages"})
		return
	}
	p.facts.Vehicle = p.facts.Vehicle.Clone()
	p.facts.Vehicle.Flags |= wim.Reverse
	l.supply(p, wim.Supplement{Cause: wim.SupplementRetraction, Reads: []wim.PlateRead{}}, along{
		cursors: []wim.DeviceCursor{{Device: l.cfg.Device, Boot: r.Boot, Seq: r.Seq}}, key: RetractionKey(id)})
}

// reported finds the vehicle that a controller reported under that name: among those that passed last, or in the journal.
func (l *lane) reported(id string) *passed {
	if id == "" {
		return nil
	}
	for _, p := range slices.Backward(l.match.passed) {
		if keyOf(&p.facts.Vehicle) == id {
			return p
		}
	}
	kept, err := l.site.Journal.Recent(context.Background(), l.cfg.Lane, 0, accountsBack)
	if err != nil {
		l.log.Error("the journal could not be searched for a vehicle that is taken back", "id", id, "err", err)
		return nil
	}
	for _, a := range slices.Backward(accounts(kept)) {
		if keyOf(&a.Passage.Facts.Vehicle) == id && a.Passage.Source.Device == l.cfg.Device {
			return l.again(a)
		}
	}
	return nil
}

// again makes a passage of the journal one that a supplement can add to.
func (l *lane) again(a *Account) *passed {
	ref := a.Ref
	return &passed{name: &ref, source: a.Passage.Source, start: a.Facts.Vehicle.Start, end: a.Facts.Vehicle.End,
		facts: a.Facts, reads: a.Reads, order: a.Passage.Order, rules: l.works.former(a.Passage.Verdict.Rules)}
}
