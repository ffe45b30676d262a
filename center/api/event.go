package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// longestWait bounds how long a request for events is held open.
const longestWait = 60 * time.Second

// Event is one change.
type Event struct {
	ID         int64          `json:"id"`
	At         time.Time      `json:"at"`
	Kind       string         `json:"kind" enum:"alert-raised,alert-acknowledged,matter-extended,matter-acted"`
	Competence wim.Competence `json:"competence" doc:"The authority whose view changes."`
	Matter     int64          `json:"matter"`
	Alert      int64          `json:"alert"`
}

type eventsIn struct {
	After int64 `query:"after" minimum:"0" doc:"Only events with a higher id; last_event of a page, or the last one seen."`
	Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Wait  int   `query:"wait_s" minimum:"0" maximum:"60" doc:"Seconds to wait for an event when there is none yet."`
}

type eventsOut struct {
	Body struct {
		Events []Event `json:"events" nullable:"false" doc:"In order; ids rise and none is left out."`
	}
}

func (a *api) addEvents(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "list-events", Method: http.MethodGet, Path: "/events", Summary: "What has changed", Tags: []string{"events"},
		Description: "Events after an id, at once or as soon as there is one. Asking again with the last id seen misses nothing.",
		Security:    needs(center.ScopeMattersRead), Errors: []int{401, 403, 422, 429, 500},
	}, a.events)
}

func (a *api) events(ctx context.Context, in *eventsIn) (*eventsOut, error) {
	v := of(ctx).viewer()
	hint, cancel := a.cfg.Store.Changed() // before the first read, so that nothing falls between
	defer cancel()
	t := time.NewTimer(min(time.Duration(in.Wait)*time.Second, longestWait))
	defer t.Stop()
	for {
		all, err := a.cfg.Store.EventsAfter(ctx, v, in.After, in.Limit)
		if err != nil {
			return nil, a.failure(ctx, "events", err)
		}
		if len(all) > 0 || in.Wait == 0 {
			return eventsOf(all), nil
		}
		select {
		case <-hint:
		case <-t.C:
			return eventsOf(nil), nil
		case <-ctx.Done():
			return nil, huma.Error503ServiceUnavailable("the centre is stopping, or the caller has left")
		}
	}
}

func eventsOf(all []center.Event) *eventsOut {
	out := &eventsOut{}
	out.Body.Events = make([]Event, 0, len(all))
	for _, e := range all {
		out.Body.Events = append(out.Body.Events, Event{ID: e.ID, At: e.At.Std(), Kind: string(e.Kind), Competence: e.Competence, Matter: e.Matter, Alert: e.Alert})
	}
	return out
}
