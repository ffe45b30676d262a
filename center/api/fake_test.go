package api

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// fake is a store of one matter in memory, with the rules of package center.
type fake struct {
	mu     sync.Mutex
	dir    string // of pictures
	docket center.Docket
	acts   []center.Act
	events []center.Event
	trail  []center.Trace
	tokens map[[32]byte]center.Token
	staff  map[string]center.Officer
	query  center.Query
	hint   chan struct{}
	broken error // what every read answers
	mute   error // what Looked answers
}

const (
	road   = wim.RoadAdministration
	police = wim.TrafficPolice
)

func newFake(t *testing.T) *fake {
	t.Helper()
	return &fake{
		dir: t.TempDir(), tokens: map[[32]byte]center.Token{}, staff: map[string]center.Officer{}, hint: make(chan struct{}, 1),
		docket: center.Docket{
			Matter: center.Matter{ID: 7, Site: "north-1", Region: "51/5101", Lane: 2, Passed: 1000, Opened: 2000, Plates: []string{`川A<b>'"`}, Gross: 52340, Axles: 6, State: center.Alerted},
			Alerts: []center.Alert{
				{ID: 1, Matter: 7, Competence: road, Outcome: wim.Exceeded, Standing: wim.Evidence, Raised: 2000, Excess: 640, Ratio: 13},
				{ID: 2, Matter: 7, Competence: police, Outcome: wim.Exceeded, Standing: wim.Screening, Raised: 2000},
			},
		},
	}
}

// officer adds one and returns the secret of a token with those scopes.
func (f *fake) officer(t *testing.T, o center.Officer, scopes ...center.Scope) (secret string) {
	t.Helper()
	f.staff[o.Login] = o
	secret = center.TokenSecret([32]byte{byte(len(f.tokens) + 1)})
	d, err := center.SecretDigest(secret)
	if err != nil {
		t.Fatal(err)
	}
	f.tokens[d] = center.Token{ID: int64(len(f.tokens) + 1), Name: "report", Login: o.Login, Scopes: scopes}
	return secret
}

func (f *fake) TokenOf(_ context.Context, d [32]byte) (center.Token, center.Officer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t, ok := f.tokens[d]
	if !ok {
		return center.Token{}, center.Officer{}, center.ErrNotFound
	}
	return t, f.staff[t.Login], nil
}

func (f *fake) sees(v center.Viewer) bool { return v.Sees(f.docket.Matter.Region, f.docket.Alerts) }

func (f *fake) Queue(_ context.Context, v center.Viewer, q center.Query) (center.Page, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.query = q
	if f.broken != nil || !f.sees(v) {
		return center.Page{}, f.broken
	}
	return center.Page{Lines: []center.Line{{Docket: f.docket}}, Last: int64(len(f.events))}, nil
}

func (f *fake) File(_ context.Context, v center.Viewer, matter int64) (center.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return center.File{}, f.broken
	}
	if matter != 7 || !f.sees(v) {
		return center.File{}, center.ErrNotFound
	}
	e := center.Entry{Alert: f.docket.Alerts[0], Order: "enter", Reads: []wim.PlateRead{{Camera: "c", Picture: wim.Digest{1}}}}
	return center.File{Docket: f.docket, Entry: e, Acts: slices.Clone(f.acts)}, nil
}

func (f *fake) Do(_ context.Context, v center.Viewer, matter int64, k center.ActKind, in center.Details, seen int64) (center.Docket, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if matter != 7 || v.Role == center.Enforcer && !f.sees(v) {
		return center.Docket{}, center.ErrNotFound
	}
	if in.Number == "taken" {
		return center.Docket{}, center.ErrNumberTaken
	}
	d, a, err := f.docket.Do(v, k, in, seen, wim.TimeOf(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)))
	if err != nil {
		return center.Docket{}, err
	}
	f.docket, f.acts = d, append(f.acts, a)
	f.events = append(f.events, center.Event{ID: int64(len(f.events) + 1), At: 5000, Kind: center.MatterActed, Competence: road, Matter: 7, Alert: 1})
	select {
	case f.hint <- struct{}{}:
	default:
	}
	return d, nil
}

func (f *fake) EventsAfter(_ context.Context, _ center.Viewer, after int64, limit int) ([]center.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Clone(f.events[min(int(after), len(f.events)):])
	return all[:min(limit, len(all))], f.broken
}

func (f *fake) Changed() (<-chan struct{}, func()) { return f.hint, func() {} }

func (f *fake) Sites(context.Context, center.Viewer) ([]center.SiteState, error) {
	return []center.SiteState{{Site: "north-1", Region: "51/5101", Seq: 9, Online: true}}, f.broken
}

func (f *fake) Trail(_ context.Context, _ center.Viewer, q center.TrailQuery) ([]center.Trace, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := slices.Clone(f.trail)
	slices.Reverse(out)
	return out[:min(q.Limit, len(out))], f.broken
}

func (f *fake) Looked(_ context.Context, v center.Viewer, subject, detail string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mute != nil {
		return f.mute
	}
	f.trail = append(f.trail, center.Trace{ID: int64(len(f.trail) + 1), Login: v.Login, Action: "look", Subject: subject, Detail: detail})
	return nil
}

func (f *fake) Get(d wim.Digest) (*os.File, error) { return os.Open(filepath.Join(f.dir, d.String())) }

func (f *fake) Coverage(_ context.Context, _ center.Viewer, q center.CoverageQuery) (center.Coverage, error) {
	if q.Site != "north-1" {
		return center.Coverage{}, center.ErrNotFound
	}
	c := center.Coverage{
		CoverageQuery: q, Until: q.To, Gaps: []center.SealedGap{{Gap: wim.Gap{Lane: 1, Cause: wim.GapDisk, From: 1, To: 3, Until: q.From}, Ref: wim.RecordRef{Seq: 5}}},
		Missing: []center.Missing{{Ref: wim.RecordRef{Seq: 6}, Time: q.From}}, Holes: []center.Hole{{From: 7, To: 8, Held: 2}},
	}
	return center.NewCoverage(c, nil), f.broken
}
