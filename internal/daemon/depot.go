package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/edge/parcel"
	"github.com/axlegate/axlegate/wim"
)

// openDepot opens what the centre has sent down, and has the site begin with what its last sealed record says.
func (p *edgeParts) openDepot(ctx context.Context, site *edge.Site, reg *prometheus.Registry, log *slog.Logger) error {
	cfg := &p.cfg
	data := cfg.path(cfg.Data)
	var err error
	p.depot, err = parcel.Open(parcel.Config{
		Dir: filepath.Join(data, "parcels"), KeyFile: filepath.Join(data, "tables.key"), Site: cfg.Site, Keys: p.centerKeys, Signer: site.Signer,
		Base: cfg.Center.Pictures, Client: &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{TLSClientConfig: p.tls, Proxy: http.ProxyFromEnvironment}},
		Own: site.Works(), Trial: func(w *edge.Works) error { return p.trial(ctx, w) }, Healthy: site.Healthy, Now: p.clock.Proven, GrantTime: p.clock.Latest, Logger: log,
	})
	if err != nil {
		return err
	}
	sealed, _, ok, err := p.journal.Configuration(ctx)
	if err != nil {
		return err
	}
	if !ok {
		sealed = nil
	}
	site.Begin(p.depot.Begin(sealed))
	reg.MustRegister(p.depot)
	return nil
}

// trialVehicles is how many of the vehicles of each lane new rules are tried on.
const trialVehicles = 50

// trial judges the vehicles that passed last by new works: they must have an opinion on each, and no other the second
// time. What comes of it is thrown away.
func (p *edgeParts) trial(ctx context.Context, w *edge.Works) error {
	for i := range p.lanes {
		kept, err := p.journal.Recent(ctx, p.lanes[i].Lane, 0, trialVehicles)
		if err != nil {
			return err
		}
		for _, k := range kept {
			var f *wim.Facts
			switch {
			case k.Record.Passage != nil:
				f = &k.Record.Passage.Facts
			case k.Record.Supplement != nil:
				f = &k.Record.Supplement.Facts
			default:
				continue
			}
			var first, second wim.Verdict
			w.Rules.Judge(f, &first)
			w.Rules.Judge(f, &second)
			if len(first.Opinions) == 0 || !first.Equal(&second) {
				return fmt.Errorf("judging record %d again gives no opinion, or another one each time", k.Ref.Seq)
			}
		}
	}
	return nil
}
