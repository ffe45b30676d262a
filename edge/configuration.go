package edge

import (
	"cmp"
	"context"
	"fmt"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
)

// comparePart orders parts as a configuration record lists them.
func comparePart(a, b wim.Part) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}

// changes is what has to change for a site that works by the parts of was to work by those of now.
func changes(was, now []wim.Part) []wim.Change {
	out := []wim.Change{}
	find := func(in []wim.Part, p wim.Part) wim.Digest {
		for _, x := range in {
			if comparePart(x, p) == 0 {
				return x.Digest
			}
		}
		return wim.Digest{}
	}
	for _, p := range now {
		if from := find(was, p); from != p.Digest {
			out = append(out, wim.Change{Kind: p.Kind, Name: p.Name, From: from, To: p.Digest, Outcome: wim.ChangeActivated})
		}
	}
	for _, p := range was {
		if find(now, p).IsZero() {
			out = append(out, wim.Change{Kind: p.Kind, Name: p.Name, From: p.Digest, Outcome: wim.ChangeActivated})
		}
	}
	return out
}

// configuration is the record of what the site works by from here on, where it is something else than the journal's
// last configuration record says. It goes to the recorder before anything that is weighed.
func (s *Site) configuration(ctx context.Context) (g group, needed bool, err error) {
	works := s.Works()
	active := works.Active
	last, _, ok, err := s.cfg.Journal.Configuration(ctx)
	if err != nil {
		return group{}, false, fmt.Errorf("edge: %w", err)
	}
	body := &wim.SiteConfiguration{Cause: wim.ConfiguredAtStart, Active: active}
	body.Serial = works.Serial
	if ok {
		body.Changed = changes(last.Active, active)
	} else {
		body.Changed = changes(nil, active)
	}
	for _, c := range body.Changed {
		s.log.Info("the site works by something else than when it ran last; that is sealed", "part", c.Kind, "name", c.Name, "from", c.From.Short(), "to", c.To.Short())
	}
	return group{drafts: []journal.Draft{{
		Kind: wim.KindConfiguration, Time: wim.TimeOf(s.cfg.Now()), Clock: s.cfg.Clock(), Configuration: body,
	}}}, len(body.Changed) > 0, nil
}
