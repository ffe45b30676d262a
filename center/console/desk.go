package console

import (
	"context"
	"fmt"
	"strconv"

	"github.com/axlegate/axlegate/center"
)

// Matters is what the queue and the matter pages stand on.
type Matters interface {
	Queue(ctx context.Context, v center.Viewer, q center.Query) (center.Page, error)
	// File returns center.ErrNotFound for a matter that the viewer may not see.
	File(ctx context.Context, v center.Viewer, matter int64) (center.File, error)
	// Do writes an act, or nothing: *center.FieldError, center.ErrStale, ErrNotNow, ErrNotYours, ErrNumberTaken
	// and ErrNotFound.
	Do(ctx context.Context, v center.Viewer, matter int64, k center.ActKind, in center.Details, seen int64) (center.Docket, error)
	// Looked writes one line of the audit trail: what the viewer is about to be shown.
	Looked(ctx context.Context, v center.Viewer, subject, detail string) error
}

// viewer is for whom the visit reads and acts.
func (v *visit) viewer() center.Viewer { return v.officer.Viewer() }

// look writes into the audit trail what the officer is about to be shown. Where that fails nothing is shown.
func (c *Console) look(ctx context.Context, v visit, subject, detail string) error {
	if err := c.cfg.Store.Looked(ctx, v.viewer(), subject, detail); err != nil {
		return fmt.Errorf("look at %s: %w", subject, err)
	}
	return nil
}

// lookAt traces a look at an alert under its matter, so that the trail of a matter names everybody who saw it.
func (c *Console) lookAt(ctx context.Context, v visit, e *center.Entry, how string) error {
	return c.look(ctx, v, e.Matter.String(), how+", alert "+strconv.FormatInt(e.Alert.ID, 10))
}

// newest is the id of the last event, where a page's stream starts.
func (c *Console) newest(ctx context.Context, v visit) (int64, error) {
	_, last, err := c.cfg.Store.Board(ctx, v.viewer(), 1)
	if err != nil {
		return 0, fmt.Errorf("last event: %w", err)
	}
	return last, nil
}

func (c *Console) sites(ctx context.Context, v visit) ([]center.SiteState, error) {
	return c.cfg.Store.Sites(ctx, v.viewer())
}
