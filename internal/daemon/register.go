package daemon

import (
	"bytes"
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/wim"
)

// register is the centre's register of vehicles, by which sites are answered: the table of licences that was kept last
// under the name "register".
type register struct {
	store *store.Store
	log   *slog.Logger
	now   atomic.Pointer[registerTable]
}

type registerTable struct {
	table  *edge.Registrations
	digest wim.Digest
	source string
}

// registerName is the name of a parcel that is the centre's register.
const registerName = "register"

// registerEvery is how often a newer register is looked for.
const registerEvery = 15 * time.Second

// Find gives the licence of a plate; ok is false while no register is kept.
func (r *register) Find(plate string) (licence *wim.Registration, source string, ok bool) {
	t := r.now.Load()
	if t == nil {
		return nil, "", false
	}
	return t.table.Find(plate), t.source, true
}

// run keeps the register fresh until ctx ends.
func (r *register) run(ctx context.Context) error {
	tick := time.NewTicker(registerEvery)
	defer tick.Stop()
	for {
		r.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (r *register) look(ctx context.Context) {
	p, ok, err := r.store.NewestParcel(ctx, wim.PartRegistrations, registerName)
	if t := r.now.Load(); err != nil || !ok || t != nil && t.digest == p.Digest {
		if err != nil && ctx.Err() == nil {
			r.log.Warn("the register of vehicles could not be looked at", "error", err)
		}
		return
	}
	b, err := r.store.ParcelBytes(ctx, p.Digest)
	if err != nil {
		r.log.Warn("the register of vehicles could not be read", "error", err)
		return
	}
	table, err := edge.ReadRegistrations(registerName, bytes.NewReader(b))
	if err != nil {
		r.log.Error("the register of vehicles does not hold; the one before stays", "error", err)
		return
	}
	r.now.Store(&registerTable{table, p.Digest, registerName + " " + p.Version})
	r.log.Info("sites are answered from a register of vehicles", "vehicles", table.Len(), "version", p.Version, "digest", p.Digest.Short())
}
