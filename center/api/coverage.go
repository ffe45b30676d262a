package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Coverage is what a site's records account for in a period.
type Coverage struct {
	Site    wim.SiteID  `json:"site"`
	From    time.Time   `json:"from"`
	To      time.Time   `json:"to"`
	Began   *time.Time  `json:"began,omitempty" doc:"Time of the site's first record; left out where retention has removed it."`
	Until   *time.Time  `json:"until,omitempty" doc:"The chain is held without a hole up to here; what comes later is not known yet."`
	Lanes   []LaneCover `json:"lanes" nullable:"false"`
	Gaps    []SealedGap `json:"gaps" nullable:"false" doc:"At most 1000."`
	Missing []Missing   `json:"missing" nullable:"false" doc:"Records that the site could not send; at most 1000."`
	Holes   []Hole      `json:"holes" nullable:"false" doc:"Of all chains of the site, not only in the period."`
	More    bool        `json:"more" doc:"There are more gaps or missing records than are listed."`
	Pruned  bool        `json:"pruned" doc:"Retention has removed records of the period, which are not counted."`
}

// LaneCover is one lane's part.
type LaneCover struct {
	Lane     wim.LaneID `json:"lane" doc:"0 for passages whose lane was not noted."`
	Passages int        `json:"passages"`
	Void     int        `json:"void" doc:"Of which could not be measured."`
	Gaps     int        `json:"gaps"`
	Messages uint64     `json:"messages_missing" doc:"Of the device, that the gaps name."`
	Slots    []string   `json:"slots" nullable:"false" enum:"passages,quiet,gap,unknown" doc:"What is known of each of 96 stretches of equal length."`
}

// SealedGap is a gap that the site sealed.
type SealedGap struct {
	Lane     wim.LaneID  `json:"lane"`
	Device   string      `json:"device"`
	Cause    string      `json:"cause" enum:"first-contact,sequence,device-restart,disk,no-vehicle-end"`
	Since    time.Time   `json:"since"`
	Until    time.Time   `json:"until"`
	Messages uint64      `json:"messages_missing"`
	Chain    wim.ChainID `json:"chain"`
	Seq      uint64      `json:"sequence" doc:"Of the record that says so."`
	Detail   string      `json:"detail"`
}

// Missing is a record whose bytes a site could not send.
type Missing struct {
	Chain  wim.ChainID `json:"chain"`
	Seq    uint64      `json:"sequence"`
	Kind   string      `json:"kind" doc:"Of the lost record; empty where it is unknown."`
	Time   time.Time   `json:"time" doc:"Of the lost record, or close to it."`
	Reason string      `json:"reason"`
}

// Hole is a part of a chain that has not come although what follows it has.
type Hole struct {
	Chain wim.ChainID `json:"chain"`
	From  uint64      `json:"from" doc:"First missing sequence."`
	To    uint64      `json:"to" doc:"Last missing sequence of the first hole."`
	Held  int         `json:"held" doc:"Records held behind it; 10000 for that many or more."`
}

type coverageIn struct {
	Site string    `path:"site" maxLength:"64"`
	Lane uint16    `query:"lane" doc:"One lane alone."`
	From time.Time `query:"from" required:"true"`
	To   time.Time `query:"to" required:"true" doc:"At most 31 days after from."`
}

type coverageOut struct{ Body Coverage }

func (a *api) addCoverage(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "site-coverage", Method: http.MethodGet, Path: "/sites/{site}/coverage", Summary: "What a site's records account for in a period", Tags: []string{"sites"},
		Description: "What passed is in a record or inside a sealed gap. No plate is in it.",
		Security:    needs(center.ScopeSitesRead), Errors: []int{401, 403, 404, 422, 429, 500},
	}, a.coverage)
}

func (a *api) coverage(ctx context.Context, in *coverageIn) (*coverageOut, error) {
	q := center.CoverageQuery{Site: wim.SiteID(in.Site), Lane: wim.LaneID(in.Lane), From: wim.TimeOf(in.From), To: wim.TimeOf(in.To)}
	if err := q.Validate(); err != nil {
		return nil, queryError(err)
	}
	c, err := a.cfg.Store.Coverage(ctx, of(ctx).viewer(), q)
	if errors.Is(err, center.ErrNotFound) {
		return nil, huma.Error404NotFound("no such site")
	}
	if err != nil {
		return nil, a.failure(ctx, "coverage", err)
	}
	out := &coverageOut{Body: Coverage{
		Site: c.Site, From: c.From.Std(), To: c.To.Std(), Began: since(c.Began), Until: since(c.Until), More: c.More, Pruned: c.Pruned,
		Lanes: make([]LaneCover, 0, len(c.Lanes)), Gaps: make([]SealedGap, 0, len(c.Gaps)), Missing: make([]Missing, 0, len(c.Missing)), Holes: make([]Hole, 0, len(c.Holes)),
	}}
	b := &out.Body
	for i := range c.Lanes {
		l := &c.Lanes[i]
		lane := LaneCover{Lane: l.Lane, Passages: l.Passages, Void: l.Void, Gaps: l.Gaps, Messages: l.Messages, Slots: make([]string, center.Slots)}
		for k, s := range l.Slots {
			lane.Slots[k] = string(s)
		}
		b.Lanes = append(b.Lanes, lane)
	}
	for i := range c.Gaps {
		g := &c.Gaps[i]
		from, to := g.Span()
		b.Gaps = append(b.Gaps, SealedGap{
			Lane: g.Lane, Device: g.Device, Cause: string(g.Cause), Since: from.Std(), Until: to.Std(), Messages: g.Messages(), Chain: g.Ref.Chain, Seq: g.Ref.Seq, Detail: g.Detail,
		})
	}
	for _, m := range c.Missing {
		b.Missing = append(b.Missing, Missing{Chain: m.Ref.Chain, Seq: m.Ref.Seq, Kind: string(m.Kind), Time: m.Time.Std(), Reason: m.Reason})
	}
	for _, x := range c.Holes {
		b.Holes = append(b.Holes, Hole{Chain: x.Chain, From: x.From, To: x.To, Held: x.Held})
	}
	return out, nil
}
