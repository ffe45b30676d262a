// Package audit holds the ground truth of the simulated hardware against what a centre stores, and says
// what is missing, doubled or invented. It is the judge of every end-to-end run: truth = records + gaps.
//
// It reads sealed records and truth lines only; it knows nothing of how either came about.
package audit

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

// Vehicle is one line of ground truth: a vehicle whose end the scale has sent, or tried to send.
type Vehicle struct {
	Site     string     `json:"site"`
	Lane     wim.LaneID `json:"lane"`
	Device   string     `json:"device"`
	Boot     uint32     `json:"boot"`
	FirstSeq uint32     `json:"first_seq"`
	EndSeq   uint32     `json:"end_seq"`
	// Gross is the true mass; Indicated what the instrument said.
	Gross     wim.Kg `json:"gross_kg"`
	Indicated wim.Kg `json:"indicated_kg"`
	Plates    struct {
		Front string `json:"front"`
		Rear  string `json:"rear"`
	} `json:"plates"`
	Fault string          `json:"fault"`
	Size  *wim.Dimensions `json:"size"` // nil where nothing measures it
}

// ReadTruth reads NDJSON and keeps the lines that are vehicles. A last line that was cut off by a kill is
// left out.
func ReadTruth(r io.Reader) ([]Vehicle, error) {
	var out []Vehicle
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), 1<<20)
	for n := 1; s.Scan(); n++ {
		var v Vehicle
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			if !s.Scan() {
				break
			}
			return nil, fmt.Errorf("truth line %d: %w", n, err)
		}
		if v.EndSeq != 0 {
			out = append(out, v)
		}
	}
	return out, s.Err()
}

type message struct {
	site   string
	device string
	boot   uint32
	seq    uint32
}

// Report is what the audit found.
type Report struct {
	Vehicles    int // in the truth
	Passages    int // records of them
	Supplements int
	Gaps        int // gap records
	Covered     int // vehicles that no passage accounts for but a gap does
	Lost        []string
	Doubled     []string
	Invented    []string // passages whose vehicle end no scale sent
	Wrong       []string // passages whose mass is not what the instrument indicated
	Broken      []string // chains that do not link
}

// Good tells whether truth = records + gaps, record by record.
func (r *Report) Good() bool {
	return len(r.Lost)+len(r.Doubled)+len(r.Invented)+len(r.Wrong)+len(r.Broken) == 0
}

// String gives the figures, then every fault on a line of its own.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "truth %d vehicles = %d passages + %d covered by %d gap records; %d supplements; lost %d, doubled %d, invented %d, wrong %d, broken %d",
		r.Vehicles, r.Passages, r.Covered, r.Gaps, r.Supplements, len(r.Lost), len(r.Doubled), len(r.Invented), len(r.Wrong), len(r.Broken))
	for _, l := range [][]string{r.Lost, r.Doubled, r.Invented, r.Wrong, r.Broken} {
		for _, s := range l {
			b.WriteString("\n  ")
			b.WriteString(s)
		}
	}
	return b.String()
}

// Compare audits records, in any order, against the truth of all sites.
func Compare(truth []Vehicle, records []*wim.Record) *Report {
	rep := &Report{Vehicles: len(truth)}
	passages := map[message]*wim.Record{}
	gaps := map[string][]*wim.Gap{} // by site and device
	for _, r := range records {
		switch {
		case r.Passage != nil:
			rep.Passages++
			s := r.Passage.Source
			k := message{string(r.Site), s.Device, s.Boot, s.Seq}
			if old, ok := passages[k]; ok {
				rep.Doubled = append(rep.Doubled, fmt.Sprintf("%s: vehicle end %d of boot %d is in record %d of chain %s and in record %d of chain %s", r.Site, s.Seq, s.Boot, old.Seq, old.Chain, r.Seq, r.Chain))
			}
			passages[k] = r
		case r.Supplement != nil:
			rep.Supplements++
		case r.Gap != nil:
			rep.Gaps++
			k := string(r.Site) + "/" + r.Gap.Device
			gaps[k] = append(gaps[k], r.Gap)
		}
	}
	known := map[message]bool{}
	for _, v := range truth {
		k := message{v.Site, v.Device, v.Boot, v.EndSeq}
		known[k] = true
		r, recorded := passages[k]
		covered := false
		for _, g := range gaps[v.Site+"/"+v.Device] {
			covered = covered || Covers(g, v.Boot, v.EndSeq)
		}
		name := fmt.Sprintf("%s %s boot %d end %d (%s)", v.Site, v.Device, v.Boot, v.EndSeq, v.Plates.Front)
		switch {
		case recorded && covered:
			rep.Doubled = append(rep.Doubled, name+": both in a passage and in a gap")
		case covered:
			rep.Covered++
		case !recorded:
			rep.Lost = append(rep.Lost, name+": in no passage and in no gap")
		}
		if recorded && v.Indicated != 0 && r.Passage.Facts.Vehicle.Gross != v.Indicated {
			rep.Wrong = append(rep.Wrong, fmt.Sprintf("%s: indicated %d kg, recorded %d kg", name, v.Indicated, r.Passage.Facts.Vehicle.Gross))
		}
	}
	for k, r := range passages {
		if !known[k] && !endless(&r.Passage.Facts.Vehicle) {
			rep.Invented = append(rep.Invented, fmt.Sprintf("%s: record %d rests on vehicle end %d of boot %d, which no scale sent", r.Site, r.Seq, k.seq, k.boot))
		}
	}
	return rep
}

// endless tells whether a passage says itself that it rests on no vehicle end: its time ran out, or the next
// vehicle came before it. No mass was indicated for it.
func endless(v *wim.Vehicle) bool {
	return v.Flags.Has(wim.TimedOut) || v.Flags.Has(wim.DeviceGap) && v.Gross == 0
}

// Covers tells whether a gap record accounts for a message.
func Covers(g *wim.Gap, boot, seq uint32) bool {
	if g.Boot == boot && g.From <= seq && seq <= g.To {
		return true
	}
	return g.Cause == wim.GapRestart && g.LastBoot == boot && seq > g.LastSeq
}
