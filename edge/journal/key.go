package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

// causeKeyLost opens the chain of a site that was enrolled anew: the key of the chain before signs nothing any more.
const causeKeyLost = "key-lost"

// SetKey says which key signs the chains that are started from here on, and notes it.
func (j *Journal) SetKey(ctx context.Context, id string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cfg.Key = id
	return j.noteKey(ctx)
}

func (j *Journal) noteKey(ctx context.Context) error {
	return j.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('key', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, j.cfg.Key)
		return wrap("note the key", err)
	}, func() bool { return false })
}

// leaveChain starts a chain under another key. What the one before holds without a receipt is sent after it, under the
// new key: the centre believes that for every chain of the site.
func (j *Journal) leaveChain(ctx context.Context) (wim.ChainID, error) {
	old := j.active.link
	if old.receipted < old.head {
		unsent, err := readUnsent(ctx, j.write)
		if err != nil {
			return wim.ChainID{}, err
		}
		if unsent == nil {
			unsent = map[string]uint64{}
		}
		unsent[old.id.String()] = old.head
		text, err := json.Marshal(unsent)
		if err != nil {
			return wim.ChainID{}, fmt.Errorf("note what is unsent: %w", err)
		}
		if err := j.transact(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('unsent', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, string(text))
			return wrap("note what is unsent", err)
		}, func() bool { return false }); err != nil {
			return wim.ChainID{}, err
		}
	}
	started, err := j.startChain(ctx, causeKeyLost)
	if err != nil {
		return wim.ChainID{}, err
	}
	return started, j.load(ctx)
}

// CheckKey starts a new chain where the active one was signed by another key than the journal was opened with and no
// rotation handed it over: the site lost its key and was enrolled anew. It returns the new chain, zero for none.
func (j *Journal) CheckKey(ctx context.Context) (wim.ChainID, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.ready(ctx); err != nil {
		return wim.ChainID{}, fmt.Errorf("check the key: %w", err)
	}
	var held string
	err := j.write.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'key'`).Scan(&held)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return wim.ChainID{}, wrap("check the key", err)
	}
	if held == j.cfg.Key {
		return wim.ChainID{}, nil
	}
	var started wim.ChainID
	if err == nil {
		all, err := rotations(ctx, j.write)
		if err != nil {
			return wim.ChainID{}, err
		}
		handed := false
		for _, r := range all {
			handed = handed || r.Chain == j.active.id && r.Old == held && r.New == j.cfg.Key
		}
		if !handed {
			if started, err = j.leaveChain(ctx); err != nil {
				return wim.ChainID{}, err
			}
		}
	}
	return started, j.noteKey(ctx)
}
