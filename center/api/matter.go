package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Matter is a matter as the interface shows it.
type Matter struct {
	ID        int64          `json:"id"`
	Version   int64          `json:"version" doc:"Counts what officers did; send it as seen_version with an act."`
	State     string         `json:"state" enum:"alerted,acknowledged,dispatched,intercepted,weighed,closed,dismissed"`
	Suspicion bool           `json:"suspicion" doc:"Nothing in it may ground a decision yet: every exceeded opinion has the standing screening."`
	Site      wim.SiteID     `json:"site"`
	Region    center.Region  `json:"region" doc:"Codes from the province down to the station, joined by \"/\"."`
	Lane      wim.LaneID     `json:"lane"`
	Passed    time.Time      `json:"passed" doc:"When the vehicle passed, by the site's clock."`
	Opened    time.Time      `json:"opened" doc:"When the centre opened the matter, by its own clock."`
	Plates    []string       `json:"plates" nullable:"false" doc:"The drawing vehicle's first."`
	Gross     wim.Kg         `json:"gross_kg"`
	Axles     int            `json:"axles"`
	Alerts    []Alert        `json:"alerts" nullable:"false"`
	Cases     []Case         `json:"cases" nullable:"false"`
	Owed      []Duty         `json:"owed" nullable:"false" doc:"Which authority owes what."`
	Allowed   []string       `json:"allowed" nullable:"false" doc:"The acts that the token's officer may do now."`
	Opening   *wim.RecordRef `json:"opening_record,omitempty" doc:"The sealed passage."`
}

// Alert is what one authority was told.
type Alert struct {
	ID             int64          `json:"id"`
	Competence     wim.Competence `json:"competence"`
	Outcome        wim.Outcome    `json:"outcome" enum:"not-applicable,compliant,within-tolerance,unknown,exceeded" doc:"What the latest record says was found."`
	Standing       wim.Standing   `json:"standing" enum:"evidence,screening,void" doc:"What it may be used for."`
	Excess         wim.Kg         `json:"excess_kg" doc:"Of the own finding that weighs most."`
	Ratio          wim.Permille   `json:"ratio_permille"`
	Raised         time.Time      `json:"raised"`
	AcknowledgedAt *time.Time     `json:"acknowledged_at,omitempty"`
	AcknowledgedBy string         `json:"acknowledged_by,omitempty"`
	End            string         `json:"end,omitempty" enum:"concluded,dismissed"`
	EndedAt        *time.Time     `json:"ended_at,omitempty"`
	EndedBy        string         `json:"ended_by,omitempty"`
	EndReason      string         `json:"end_reason,omitempty"`
}

// Case is what an officer opened.
type Case struct {
	Competence wim.Competence `json:"competence"`
	Number     string         `json:"number" doc:"The authority's own."`
	Opened     time.Time      `json:"opened"`
	Login      string         `json:"login"`
}

// Duty is what an authority owes.
type Duty struct {
	Competence wim.Competence `json:"competence"`
	Acts       []string       `json:"acts" nullable:"false" doc:"Any of them discharges it."`
	Since      time.Time      `json:"since"`
}

// Details is what goes with an act.
type Details struct {
	Who      string    `json:"who,omitempty" maxLength:"100" doc:"dispatch: who is sent"`
	Place    string    `json:"place,omitempty" maxLength:"100" doc:"dispatch, intercept: where"`
	Number   string    `json:"number,omitempty" maxLength:"100" doc:"open-case: the authority's own number"`
	Reason   string    `json:"reason,omitempty" maxLength:"100" doc:"conclude: case-opened, weighed-compliant, warned, not-found, other; dismiss: measurement, plate, permit, exempt, duplicate, other (which needs a remark)"`
	Remark   string    `json:"remark,omitempty" maxLength:"2000"`
	Weighing *Weighing `json:"weighing,omitempty" doc:"weigh: what the static scale indicated; the sealed record is not changed by it"`
}

// Weighing is a static weighing.
type Weighing struct {
	Gross      wim.Kg     `json:"gross_kg" minimum:"1" maximum:"1000000"`
	Axles      []wim.Kg   `json:"axles_kg,omitempty" maxItems:"40" nullable:"false"`
	Ticket     string     `json:"ticket" minLength:"1" maxLength:"100"`
	Instrument string     `json:"instrument" minLength:"1" maxLength:"100"`
	At         *time.Time `json:"at,omitempty" doc:"When it was weighed; without it, now."`
}

// Act is what an officer did.
type Act struct {
	ID         int64          `json:"id"`
	Version    int64          `json:"version" doc:"Of the matter once it was done."`
	At         time.Time      `json:"at"`
	Login      string         `json:"login"`
	Competence wim.Competence `json:"competence"`
	Kind       string         `json:"kind"`
	Details    Details        `json:"details"`
}

// Account is one sealed record of a matter.
type Account struct {
	Record   wim.RecordRef   `json:"record"`
	Time     time.Time       `json:"time" doc:"The site's clock when it was written."`
	Received time.Time       `json:"received" doc:"The centre's clock when it was stored."`
	Key      string          `json:"key" doc:"The key under which the segment's signature held."`
	Rejudged string          `json:"rejudged" enum:"same,differs,pending" doc:"What came of judging it again here."`
	Reads    []wim.PlateRead `json:"reads" nullable:"false"`
}

// File is all that the centre knows of a matter.
type File struct {
	Matter
	Pruned   bool         `json:"pruned" doc:"Retention has removed the records' bytes: facts and verdict are absent."`
	Facts    *wim.Facts   `json:"facts,omitempty" doc:"Of the latest record, as sealed."`
	Verdict  *wim.Verdict `json:"verdict,omitempty" doc:"Likewise."`
	Order    string       `json:"order,omitempty" doc:"What the sign told the driver."`
	Accounts []Account    `json:"accounts" nullable:"false" doc:"The sealed records, the passage first."`
	Acts     []Act        `json:"acts" nullable:"false" doc:"In order."`
	Linked   []Linked     `json:"linked" nullable:"false" doc:"What toll and checkpoint systems said of the vehicle, in order of arrival. No verdict rests on it."`
}

// Linked is what a toll or checkpoint system said, as a site sealed it.
type Linked struct {
	Record      wim.RecordRef    `json:"record"`
	Time        time.Time        `json:"time" doc:"The site's clock when it was written."`
	Received    time.Time        `json:"received" doc:"The centre's clock when it was stored."`
	Key         string           `json:"key" doc:"The key under which the segment's signature held."`
	Transaction *wim.Transaction `json:"transaction,omitempty" doc:"Absent where retention has removed the record's bytes."`
}

type queueIn struct {
	Plate    string    `query:"plate" maxLength:"16" doc:"The beginning of a plate of any unit."`
	Site     string    `query:"site" maxLength:"64"`
	Region   string    `query:"region" maxLength:"160" doc:"Only in it; such as 51/5101."`
	From     time.Time `query:"from" doc:"Passed at or after."`
	To       time.Time `query:"to" doc:"Passed before."`
	State    []string  `query:"state,explode" maxItems:"7" doc:"Any of them." enum:"alerted,acknowledged,dispatched,intercepted,weighed,closed,dismissed"`
	Standing string    `query:"standing" enum:"evidence,screening,void"`
	Owed     bool      `query:"owed" doc:"Only those in which the officer's authority has not ended its part."`
	Before   int64     `query:"before" minimum:"0" doc:"Only ids below: next of the page before."`
	Limit    int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type queueOut struct {
	Body struct {
		Matters []Matter `json:"matters" nullable:"false" doc:"Newest first."`
		Next    int64    `json:"next" doc:"Ask with before for the next page; 0 when there is none."`
		Last    int64    `json:"last_event" doc:"Ask for events after it to learn of every change since."`
	}
}

type fileOut struct{ Body File }

type actIn struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Kind    string  `json:"kind" enum:"acknowledge,dispatch,intercept,weigh,open-case,conclude,dismiss,remark"`
		Seen    int64   `json:"seen_version" minimum:"0" doc:"The version of the matter that the decision rests on."`
		Details Details `json:"details,omitempty"`
	}
}

type actOut struct{ Body Matter }

func (a *api) addMatters(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "list-matters", Method: http.MethodGet, Path: "/matters", Summary: "The queue of matters", Tags: []string{"matters"},
		Description: "Those that the token's officer may see, newest first. What was asked for is noted in the audit trail.",
		Security:    needs(center.ScopeMattersRead), Errors: []int{401, 403, 422, 429, 500},
	}, a.queue)
	huma.Register(h, huma.Operation{
		OperationID: "get-matter", Method: http.MethodGet, Path: "/matters/{id}", Summary: "A matter's file", Tags: []string{"matters"},
		Description: "With its facts, verdict, sealed records and acts. The look is noted in the audit trail.",
		Security:    needs(center.ScopeMattersRead), Errors: []int{401, 403, 404, 422, 429, 500},
	}, a.file)
	huma.Register(h, huma.Operation{
		OperationID: "act", Method: http.MethodPost, Path: "/matters/{id}/acts", Summary: "Do something to a matter", Tags: []string{"matters"},
		Description:   "In the name of the token's officer. Refused with 409 when the matter has changed since seen_version, or its state does not allow it.",
		DefaultStatus: http.StatusOK, MaxBodyBytes: maxBody,
		Security: needs(center.ScopeMattersAct), Errors: []int{401, 403, 404, 409, 422, 429, 500},
	}, a.act)
}

func (a *api) queue(ctx context.Context, in *queueIn) (*queueOut, error) {
	q := center.Query{
		Plate: wim.NormalisePlate(in.Plate), Site: wim.SiteID(in.Site), Region: center.Region(in.Region), From: wim.TimeOf(in.From), To: wim.TimeOf(in.To),
		Standing: wim.Standing(in.Standing), Owed: in.Owed, Before: in.Before, Limit: in.Limit,
	}
	for _, s := range in.State {
		q.States = append(q.States, center.MatterState(s))
	}
	if err := q.Validate(); err != nil {
		return nil, queryError(err)
	}
	if !a.cfg.Regions.Knows(q.Region) {
		return nil, huma.Error422UnprocessableEntity("no such region", &huma.ErrorDetail{Location: "query.region", Message: "this centre does not know it", Value: in.Region})
	}
	if err := a.looked(ctx, "queue", asked(&q)); err != nil {
		return nil, err
	}
	v := of(ctx).viewer()
	p, err := a.cfg.Store.Queue(ctx, v, q)
	if err != nil {
		return nil, a.failure(ctx, "queue", err)
	}
	out := &queueOut{}
	out.Body.Matters = make([]Matter, 0, len(p.Lines))
	for i := range p.Lines {
		out.Body.Matters = append(out.Body.Matters, matterOf(&p.Lines[i].Docket, v))
	}
	out.Body.Next, out.Body.Last = p.Next, p.Last
	return out, nil
}

// asked is what a query asks for, for the audit trail.
func asked(q *center.Query) string {
	var out []string
	add := func(name, value string) {
		if value != "" {
			out = append(out, name+" "+strconv.Quote(value))
		}
	}
	add("plate", q.Plate)
	add("site", string(q.Site))
	add("region", string(q.Region))
	for _, s := range q.States {
		add("state", string(s))
	}
	add("standing", string(q.Standing))
	if q.From != 0 {
		add("from", q.From.String())
	}
	if q.To != 0 {
		add("to", q.To.String())
	}
	if q.Owed {
		out = append(out, "owed")
	}
	if q.Before != 0 {
		out = append(out, "before "+strconv.FormatInt(q.Before, 10))
	}
	return strings.Join(out, ", ")
}

func (a *api) file(ctx context.Context, in *struct {
	ID int64 `path:"id" minimum:"1"`
}) (*fileOut, error) {
	v := of(ctx).viewer()
	f, err := a.cfg.Store.File(ctx, v, in.ID)
	if err != nil {
		return nil, a.failure(ctx, "matter", err)
	}
	if err := a.looked(ctx, f.Docket.Matter.String(), ""); err != nil {
		return nil, err
	}
	return &fileOut{Body: fileOf(&f, v)}, nil
}

func (a *api) act(ctx context.Context, in *actIn) (*actOut, error) {
	v := of(ctx).viewer()
	d, err := a.cfg.Store.Do(ctx, v, in.ID, center.ActKind(in.Body.Kind), detailsIn(&in.Body.Details), in.Body.Seen)
	if err != nil {
		return nil, a.failure(ctx, "act", err)
	}
	return &actOut{Body: matterOf(&d, v)}, nil
}

func queryError(err error) error {
	d := &huma.ErrorDetail{Location: "query", Message: err.Error()}
	if f, ok := asField(err); ok {
		d = &huma.ErrorDetail{Location: "query." + f.Field, Message: string(f.Problem)}
	}
	return huma.Error422UnprocessableEntity("the query is not accepted", d)
}
