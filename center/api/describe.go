package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// tokenScheme names how requests are authenticated.
const tokenScheme = "token"

const about = `What programs may do at an Axlegate centre.

A *matter* (线索) is what one passage of a vehicle raised; the program opens it and alerts every authority that found a
limit exceeded. A *case* (立案) is opened only by an officer. *Outcome* says what was found, *standing* what it may be used
for: ` + "`evidence`, `screening` (a suspicion) or `void`" + `; the two are never mixed.

Requests carry a token of an officer: ` + "`Authorization: Bearer axg_…`" + `. A token can do what its scopes name, within what
the officer may see and do: an enforcer sees matters of the own authority and region, an auditor all of a region. Every
look at a matter stands in the audit trail.

Masses are whole kilograms, lengths millimetres, speeds tenths of km/h, ratios permille, times RFC 3339 in UTC.`

func (a *api) description() huma.Config {
	c := huma.DefaultConfig("Axlegate centre", a.cfg.Version)
	c.Info.Description = about
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	// The page of documentation that the library offers is loaded from elsewhere; the document itself is not.
	c.DocsPath, c.SchemasPath = "", ""
	c.CreateHooks = nil
	c.RejectUnknownQueryParameters = true
	if a.cfg.Server != "" {
		c.Servers = []*huma.Server{{URL: strings.TrimSuffix(a.cfg.Server, "/") + Prefix}}
	}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		tokenScheme: {Type: "http", Scheme: "bearer", BearerFormat: "axg_…", Description: "A token that an administrator or the officer made on the console."},
	}
	c.Tags = []*huma.Tag{
		{Name: "matters", Description: "The queue, a matter's file, and what officers do to it."},
		{Name: "events", Description: "What has changed, without a gap."},
		{Name: "sites", Description: "What the centre last heard of each site."},
		{Name: "trail", Description: "Who looked at what and did what; it only grows."},
	}
	r := c.Components.Schemas
	for t, as := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[wim.Flag]():   reflect.TypeFor[[]string](),
		reflect.TypeFor[wim.Reason](): reflect.TypeFor[[]string](),
	} {
		r.RegisterTypeAlias(t, as)
	}
	return c
}

// needs is what an operation asks of a token.
func needs(s center.Scope) []map[string][]string {
	return []map[string][]string{{tokenScheme: {string(s)}}}
}
