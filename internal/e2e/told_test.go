package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/axlegate/axlegate/internal/audit"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/wim"
)

// checkTold holds what the checkpoints pushed against the centre's records: each weighing once, and linked to a passage that bears its
// plate. That passage is another vehicle's where its plate is: traffic is squeezed here, but not the time in which a plate is looked for.
func (r *run) checkTold(t *testing.T, truth []audit.Vehicle, records []*wim.Record) {
	t.Helper()
	type place struct {
		site  wim.SiteID
		chain wim.ChainID
		seq   uint64
	}
	type end struct {
		site string
		lane wim.LaneID
		boot uint32
		seq  uint32
	}
	vehicles := map[end]string{}
	for _, v := range truth {
		vehicles[end{v.Site, v.Lane, v.Boot, v.EndSeq}] = v.Plates.Front
	}
	passages, plates := map[place]end{}, map[place][]string{}
	read := func(at place, f *wim.Facts, reads []wim.PlateRead) {
		for _, u := range f.Units {
			plates[at] = append(plates[at], u.Plate)
		}
		for _, x := range reads {
			plates[at] = append(plates[at], x.Text)
		}
	}
	directed, absent := map[place]bool{}, map[place]int{}
	first, links := map[string]int{}, map[string]*wim.Record{}
	for _, rec := range records {
		switch {
		case rec.Passage != nil:
			p := rec.Passage
			at := place{rec.Site, rec.Chain, rec.Seq}
			directed[at] = p.Order == wim.OrderEnter
			passages[at] = end{string(rec.Site), p.Facts.Vehicle.Lane, p.Source.Boot, p.Source.Seq}
			read(at, &p.Facts, p.Reads)
		case rec.Supplement != nil:
			read(place{rec.Supplement.Of.Site, rec.Supplement.Of.Chain, rec.Supplement.Of.Seq}, &rec.Supplement.Facts, rec.Supplement.Reads)
		case rec.Transaction != nil && rec.Transaction.Type == wim.TransactionNoShow:
			of := rec.Transaction.Link.Of
			absent[place{of.Site, of.Chain, of.Seq}]++
		case rec.Transaction != nil:
			id := string(rec.Site) + "/" + rec.Transaction.ID
			if l := rec.Transaction.Link; l == nil || l.First == nil {
				first[id]++
			}
			if rec.Transaction.Link != nil {
				if links[id] != nil {
					t.Errorf("%s is linked twice", id)
				}
				links[id] = rec
			}
		}
	}
	told, right := 0, 0
	for _, s := range r.stand.Sites {
		f, err := os.Open(s.Truth)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var w simulator.Told
			if err := json.Unmarshal(lines.Bytes(), &w); err != nil || w.Event != "weighed" {
				continue
			}
			told++
			id := string(s.Site) + "/" + w.ID
			if first[id] != 1 {
				t.Errorf("%s has %d records", id, first[id])
			}
			rec := links[id]
			if rec == nil {
				continue
			}
			l := rec.Transaction.Link
			at := place{l.Of.Site, l.Of.Chain, l.Of.Seq}
			if !slices.ContainsFunc(plates[at], func(p string) bool { return wim.AlikePlates(p, w.Plate) }) {
				t.Errorf("%s of %s is linked to a passage of %v", id, w.Plate, plates[at])
			}
			if vehicles[passages[at]] == vehicles[end{string(s.Site), w.Lane, w.Boot, w.EndSeq}] {
				right++
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d weighings at rest, %d of them linked, %d to a passage of the very vehicle", told, len(links), right)
	for at, n := range absent {
		if n != 1 || !directed[at] {
			t.Errorf("passage %+v, directed %v, is told to be absent %d times", at, directed[at], n)
		}
	}
	for id, rec := range links {
		l := rec.Transaction.Link
		if absent[place{l.Of.Site, l.Of.Chain, l.Of.Seq}] > 0 {
			t.Errorf("%s is of a passage that is told to be absent", id)
		}
	}
	t.Logf("%d vehicles that were directed in were not weighed in time", len(absent))
	if told == 0 || 2*len(links) < told || len(first) != told {
		t.Errorf("%d weighings, %d recorded, %d linked", told, len(first), len(links))
	}
}
