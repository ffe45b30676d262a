package daemon

import (
	"context"

	"github.com/axlegate/axlegate/center/dossier"
	"github.com/axlegate/axlegate/wim"
)

// dossiers makes matters' evidence archives out of the centre's store, pictures, rules and keys.
func (c *Center) dossiers() (*dossier.Writer, error) {
	return dossier.NewWriter(dossier.Config{
		Evidence: c.store.Evidence, Picture: c.pictures.Get, Rules: c.ruleBytes, Keys: c.siteKeys,
		Signer: c.p.signer, Software: Version,
	})
}

// ruleBytes gives a rule set that the configuration names or that was sent down to sites.
func (c *Center) ruleBytes(ctx context.Context, d wim.Digest) ([]byte, error) {
	for _, name := range c.p.cfg.Rules {
		// A file may have been replaced since the start: it counts as what it is now.
		if _, b, err := ruleText(c.p.cfg.dir, name); err == nil && wim.DigestOf(b) == d {
			return b, nil
		}
	}
	return c.store.RuleSet(ctx, d)
}

// siteKeys gives the keys that the configuration names for a site.
func (c *Center) siteKeys(_ context.Context, site wim.SiteID) ([]dossier.SiteKey, error) {
	var out []dossier.SiteKey
	for _, k := range c.p.keys[site] {
		out = append(out, dossier.SiteKey{Key: k, Source: dossier.SourceConfigured})
	}
	return out, nil
}
