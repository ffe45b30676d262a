package console

import (
	"context"
	"fmt"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
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
	if c.desk == nil {
		return nil
	}
	if err := c.desk.Looked(ctx, v.viewer(), subject, detail); err != nil {
		return fmt.Errorf("look at %s: %w", subject, err)
	}
	return nil
}

// What follows reads for the visit's officer. Every read of the store names for whom it is.

// newest is the id of the last event, where a page's stream starts.
func (c *Console) newest(ctx context.Context, v visit) (int64, error) {
	_, last, err := c.entries(ctx, v, 1)
	return last, err
}

func (c *Console) entries(ctx context.Context, v visit, limit int) (out []center.Entry, last int64, err error) {
	if out, last, err = c.cfg.Store.Board(ctx, v.officer.Competence, limit); err != nil {
		return nil, 0, fmt.Errorf("board: %w", err)
	}
	return out, last, nil
}

func (c *Console) entry(ctx context.Context, v visit, alert int64) (center.Entry, error) {
	e, err := c.cfg.Store.Entry(ctx, v.officer.Competence, alert)
	if err != nil {
		return e, fmt.Errorf("alert %d: %w", alert, err)
	}
	return e, nil
}

func (c *Console) eventsAfter(ctx context.Context, v visit, after int64) ([]center.Event, error) {
	all, err := c.cfg.Store.EventsAfter(ctx, v.officer.Competence, after, c.batch)
	if err != nil {
		return nil, fmt.Errorf("events after %d: %w", after, err)
	}
	return all, nil
}

func (c *Console) totals(ctx context.Context, v visit, since wim.Time) (center.Totals, error) {
	t, err := c.cfg.Store.Totals(ctx, v.officer.Competence, since)
	if err != nil {
		return t, fmt.Errorf("totals: %w", err)
	}
	return t, nil
}

func (c *Console) sites(ctx context.Context, _ visit) ([]center.SiteState, error) {
	all, err := c.cfg.Store.Sites(ctx)
	if err != nil {
		return nil, fmt.Errorf("sites: %w", err)
	}
	return all, nil
}

func (c *Console) takeNote(ctx context.Context, v visit, alert int64) error {
	return c.cfg.Store.Acknowledge(ctx, v.officer.Competence, alert, v.officer.Login)
}
