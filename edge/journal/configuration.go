package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Configuration is what the site works by according to the last configuration record that was sealed here, with
// the record's name; ok is false where there was none. It outlives the pruning of its record.
func (j *Journal) Configuration(ctx context.Context) (c *wim.SiteConfiguration, ref wim.RecordRef, ok bool, err error) {
	var raw []byte
	err = j.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'configuration'`).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, wim.RecordRef{}, false, nil
	}
	if err != nil {
		return nil, wim.RecordRef{}, false, wrap("read the last configuration", err)
	}
	r, err := seal.Open(raw)
	if err != nil || r.Configuration == nil {
		return nil, wim.RecordRef{}, false, fmt.Errorf("%w: the last configuration record does not open: %w", ErrDamaged, err)
	}
	return r.Configuration, wim.RecordRef{Site: r.Site, Chain: r.Chain, Seq: r.Seq, Digest: wim.DigestOf(raw)}, true, nil
}

// keepConfiguration keeps the bytes of a configuration record beside the records.
func keepConfiguration(ctx context.Context, tx *sql.Tx, s *seal.Sealed) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('configuration', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, string(s.Raw))
	return wrap("keep the configuration", err)
}

// configurationIn seals the last configuration once more as the second record of a new chain, so that each chain
// says by itself what its passages were judged by; nil where there was none.
func (j *Journal) configurationIn(ctx context.Context, chain wim.ChainID, prev wim.Digest, now wim.Time) (*seal.Sealed, error) {
	c, _, ok, err := j.Configuration(ctx)
	if err != nil || !ok {
		return nil, err
	}
	s, err := seal.Record(&wim.Record{
		Format: wim.RecordFormat, Site: j.cfg.Site, Chain: chain, Seq: 2, Prev: prev, Nonce: wim.NewNonce(), Kind: wim.KindConfiguration,
		Time: now, Clock: j.cfg.Clock(), Software: j.cfg.Software,
		Configuration: &wim.SiteConfiguration{Cause: wim.ConfiguredAtStart, Serial: c.Serial, Active: c.Active, Changed: []wim.Change{}},
	})
	if err != nil {
		return nil, err
	}
	return &s, nil
}
