package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Trace is one line of the audit trail.
type Trace struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	Login   string    `json:"login" doc:"Empty for the program's own start from its configuration."`
	Action  string    `json:"action"`
	Subject string    `json:"subject"`
	Detail  string    `json:"detail"`
}

type trailIn struct {
	Login   string    `query:"login" maxLength:"200"`
	Action  string    `query:"action" maxLength:"200"`
	Subject string    `query:"subject" maxLength:"200" example:"matter 12"`
	From    time.Time `query:"from"`
	To      time.Time `query:"to"`
	Before  int64     `query:"before" minimum:"0"`
	Limit   int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type trailOut struct {
	Body struct {
		Lines []Trace `json:"lines" nullable:"false" doc:"Newest first."`
		Next  int64   `json:"next" doc:"Ask with before for older ones; 0 when there are none."`
	}
}

func (a *api) addTrail(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "list-trail", Method: http.MethodGet, Path: "/trail", Summary: "The audit trail", Tags: []string{"trail"},
		Description: "For auditors. Reading it is noted in it.",
		Security:    needs(center.ScopeTrailRead), Errors: []int{401, 403, 422, 429, 500},
	}, a.trail)
}

func (a *api) trail(ctx context.Context, in *trailIn) (*trailOut, error) {
	v := of(ctx).viewer()
	if !v.Trail() {
		return nil, huma.Error403Forbidden("the audit trail is for auditors")
	}
	q := center.TrailQuery{
		Login: in.Login, Action: in.Action, Subject: in.Subject, From: wim.TimeOf(in.From), To: wim.TimeOf(in.To), Before: in.Before, Limit: in.Limit,
	}
	if err := q.Validate(); err != nil {
		return nil, queryError(err)
	}
	if err := a.looked(ctx, "trail", ""); err != nil {
		return nil, err
	}
	all, err := a.cfg.Store.Trail(ctx, v, q)
	if err != nil {
		return nil, a.failure(ctx, "trail", err)
	}
	out := &trailOut{}
	out.Body.Lines = make([]Trace, 0, len(all))
	for _, t := range all {
		out.Body.Lines = append(out.Body.Lines, Trace{ID: t.ID, At: t.At.Std(), Login: t.Login, Action: t.Action, Subject: t.Subject, Detail: t.Detail})
	}
	if len(all) == in.Limit {
		out.Body.Next = all[len(all)-1].ID
	}
	return out, nil
}
