package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Site is what the centre last heard of a site.
type Site struct {
	Site     wim.SiteID    `json:"site"`
	Region   center.Region `json:"region"`
	Online   bool          `json:"online"`
	Heard    *time.Time    `json:"heard,omitempty" doc:"When the centre last stored something of it."`
	LastTime *time.Time    `json:"last_record,omitempty" doc:"The site's clock in the last record without a hole before it."`
	Seq      uint64        `json:"sequence" doc:"Up to here its chain is held without a hole."`
	Behind   uint64        `json:"behind_hole" doc:"Records held beyond a hole."`
	Alarms   int           `json:"alarms" doc:"Not looked into yet."`
}

type sitesOut struct {
	Body struct {
		Sites []Site `json:"sites" nullable:"false"`
	}
}

func (a *api) addSites(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "list-sites", Method: http.MethodGet, Path: "/sites", Summary: "The sites of the officer's region", Tags: []string{"sites"},
		Security: needs(center.ScopeSitesRead), Errors: []int{401, 403, 429, 500},
	}, a.sites)
}

func (a *api) sites(ctx context.Context, _ *struct{}) (*sitesOut, error) {
	all, err := a.cfg.Store.Sites(ctx, of(ctx).viewer())
	if err != nil {
		return nil, a.failure(ctx, "sites", err)
	}
	out := &sitesOut{}
	out.Body.Sites = make([]Site, 0, len(all))
	for _, s := range all {
		out.Body.Sites = append(out.Body.Sites, Site{
			Site: s.Site, Region: s.Region, Online: s.Online, Heard: since(s.Heard), LastTime: since(s.LastTime), Seq: s.Seq, Behind: s.Behind, Alarms: s.Alarms,
		})
	}
	return out, nil
}
