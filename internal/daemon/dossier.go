package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/dossier"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
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

// siteKeys gives the keys under which a site is or was believed, by configuration, code or rotation.
func (c *Center) siteKeys(ctx context.Context, site wim.SiteID) ([]dossier.SiteKey, error) {
	enrolled, err := c.store.SiteKeys(ctx)
	if err != nil {
		return nil, err
	}
	return keysOf(site, c.p.keys[site], enrolled)
}

// keysOf puts together what the configuration names and what the store knows of it and of others.
func keysOf(site wim.SiteID, configured []*seal.Verifier, enrolled []center.SiteKey) ([]dossier.SiteKey, error) {
	out := make([]dossier.SiteKey, 0, len(configured)+len(enrolled))
	for _, k := range configured {
		out = append(out, dossier.SiteKey{Key: k, Source: dossier.SourceConfigured})
	}
	for i := range enrolled {
		e := &enrolled[i]
		if e.Site != site {
			continue
		}
		at := slices.IndexFunc(out, func(k dossier.SiteKey) bool { return k.Key.ID == e.ID })
		if at < 0 {
			if len(e.DER) == 0 {
				continue // it ended, and the configuration no longer names it: nobody has its bytes
			}
			v, err := seal.ParseVerifier(e.DER)
			if err != nil {
				return nil, fmt.Errorf("key %s of %s: %w", e.ID, site, err)
			}
			out = append(out, dossier.SiteKey{Key: v})
			at = len(out) - 1
		}
		k := &out[at]
		k.Source, k.By, k.Since, k.Until = string(e.How), e.By, e.Since, e.Ended
	}
	return out, nil
}

// ExportDossier makes a matter's dossier from the store of a centre that is stopped, as that officer would get it, and
// notes it in the audit trail. A centre that runs holds its addresses, and then nothing is opened.
func ExportDossier(ctx context.Context, path, login string, matter int64) (archive []byte, err error) {
	cfg, err := LoadCenter(path)
	if err != nil {
		return nil, err
	}
	c, err := NewCenter(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, fmt.Errorf("%w; a centre that runs is asked with --center", err)
	}
	defer func() { err = errors.Join(err, c.close()) }()
	o, err := c.store.Officer(ctx, login)
	if err != nil {
		return nil, err
	}
	if o.Disabled {
		return nil, fmt.Errorf("officer %s may not sign in", login)
	}
	w, err := c.dossiers()
	if err != nil {
		return nil, err
	}
	archive, err = w.Dossier(ctx, o.Viewer(), matter)
	if err != nil {
		return nil, err
	}
	m := center.Matter{ID: matter}
	if err := c.store.Looked(ctx, o.Viewer(), m.String(), "at the stopped centre, dossier "+wim.DigestOf(archive).String()); err != nil {
		return nil, err
	}
	return archive, nil
}
