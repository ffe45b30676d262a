package console

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// fakeStore keeps everything in memory and, like the real one, gives ids under one lock.
type fakeStore struct {
	mu       sync.Mutex
	officers map[string]center.Officer
	entries  []center.Entry // by alert id
	events   []center.Event
	hints    map[chan struct{}]bool
	sites    []center.SiteState
	totals   center.Totals
	dockets  map[int64]*center.Docket
	acts     map[int64][]center.Act
	pruned   map[int64]bool
	linked   map[int64][]center.Linked
	looks    []look
	unseen   error // what Looked returns, when set
	now      func() wim.Time
	broken   error // what every read returns, when set
	office   fakeOffice
	cover    center.Coverage // what Coverage answers, with these passages
	passed   map[wim.LaneID]*[center.Slots][2]int
}

func newFakeStore() *fakeStore {
	return &fakeStore{officers: map[string]center.Officer{}, hints: map[chan struct{}]bool{}, dockets: map[int64]*center.Docket{}, acts: map[int64][]center.Act{}, pruned: map[int64]bool{}, now: func() wim.Time { return wim.TimeOf(time.Now()) }}
}

func (s *fakeStore) Officer(_ context.Context, login string) (center.Officer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.officers[login]; ok {
		return o, s.broken
	}
	return center.Officer{}, center.ErrNotFound
}

func (s *fakeStore) put(o center.Officer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.officers[o.Login] = o
}

func (s *fakeStore) remove(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.officers, login)
}

// raise adds an alert and its event, and hints.
func (s *fakeStore) raise(e center.Entry) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Alert.ID = int64(len(s.entries) + 1)
	for { // the next matter that lacks an alert of this competence
		d, ok := s.dockets[e.Matter.ID]
		if !ok {
			s.dockets[e.Matter.ID] = &center.Docket{Matter: e.Matter}
			continue
		}
		if _, taken := d.Own(e.Alert.Competence); !taken {
			e.Matter = d.Matter
			e.Alert.Matter = d.Matter.ID
			d.Alerts = append(d.Alerts, e.Alert)
			break
		}
		e.Matter.ID++
	}
	s.entries = append(s.entries, e)
	s.event(center.AlertRaised, &e)
	return e.Alert.ID
}

func (s *fakeStore) event(k center.EventKind, e *center.Entry) {
	s.events = append(s.events, center.Event{
		ID: int64(len(s.events) + 1), At: s.now(), Kind: k, Competence: e.Alert.Competence, Alert: e.Alert.ID, Matter: e.Matter.ID,
	})
	for h := range s.hints {
		select {
		case h <- struct{}{}:
		default:
		}
	}
}

func (s *fakeStore) Board(_ context.Context, v center.Viewer, limit int) (out []center.Entry, last int64, err error) {
	c := v.Competence
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.entries) - 1; i >= 0 && len(out) < limit; i-- {
		if s.entries[i].Alert.Competence == c {
			out = append(out, s.entries[i])
		}
	}
	return out, int64(len(s.events)), s.broken
}

func (s *fakeStore) Entry(_ context.Context, v center.Viewer, alert int64) (center.Entry, error) {
	c := v.Competence
	s.mu.Lock()
	defer s.mu.Unlock()
	if alert < 1 || alert > int64(len(s.entries)) || s.entries[alert-1].Alert.Competence != c {
		return center.Entry{}, center.ErrNotFound
	}
	return s.entries[alert-1], s.broken
}

func (s *fakeStore) EventsAfter(_ context.Context, v center.Viewer, after int64, limit int) (out []center.Event, err error) {
	c := v.Competence
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.ID > after && e.Competence == c && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, s.broken
}

func (s *fakeStore) Changed() (<-chan struct{}, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := make(chan struct{}, 1)
	s.hints[h] = true
	return h, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.hints, h)
	}
}

func (s *fakeStore) Acknowledge(_ context.Context, v center.Viewer, alert int64) error {
	c := v.Competence
	s.mu.Lock()
	defer s.mu.Unlock()
	if alert < 1 || alert > int64(len(s.entries)) || s.entries[alert-1].Alert.Competence != c {
		return center.ErrNotFound
	}
	e := &s.entries[alert-1]
	if e.Alert.AcknowledgedAt != 0 {
		return center.ErrAlreadyAcknowledged
	}
	_, err := s.do(v, e.Matter.ID, center.ActAcknowledge, center.Details{}, s.dockets[e.Matter.ID].Matter.Version)
	return err
}

func (s *fakeStore) Totals(_ context.Context, v center.Viewer, _ wim.Time) (center.Totals, error) {
	c := v.Competence
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.totals
	for i := range s.entries {
		if a := &s.entries[i].Alert; a.Competence == c && a.AcknowledgedAt == 0 {
			t.Open++
		}
	}
	return t, s.broken
}

func (s *fakeStore) Sites(context.Context, center.Viewer) ([]center.SiteState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sites), s.broken
}

// fakePictures is a folder of files named by digest.
type fakePictures struct{ dir string }

func (p fakePictures) Get(d wim.Digest) (*os.File, error) {
	return os.Open(filepath.Join(p.dir, d.String()))
}

func (p fakePictures) put(t testing.TB, b []byte) wim.Digest {
	t.Helper()
	d := wim.DigestOf(b)
	if err := os.WriteFile(filepath.Join(p.dir, d.String()), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

func testJPEG(t testing.TB) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 8, 6))
	m.Set(1, 1, color.White)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var errBroken = errors.Join(errors.New("the disk is on fire"), fs.ErrPermission)

// axles builds axles from loads and spacings in front of each.
func axles(loads []wim.Kg, spacings []wim.Mm) (out []wim.Axle, gross wim.Kg) {
	for i, l := range loads {
		a := wim.Axle{Index: uint8(i + 1), Load: l, Left: l/2 + 40, Right: l - l/2 - 40, Speed: 612}
		if i > 0 {
			a.Spacing = spacings[i-1]
		}
		out, gross = append(out, a), gross+l
	}
	return out, gross
}

func against(c wim.Competence, limit, article string, k wim.ScopeKind, measured, permitted wim.Kg, band string, r wim.Reason) wim.Finding {
	deducted := wim.Kg(2921)
	f := wim.Finding{
		Competence: c, Limit: limit, Article: article, Scope: k, Outcome: wim.Compliant, Measured: measured,
		Deducted: deducted, Permitted: permitted, Reasons: r,
	}
	if over := measured - deducted - permitted; over > 0 {
		f.Outcome, f.Excess, f.Ratio, f.Band = wim.Exceeded, over, over.Of(permitted), band
	}
	return f
}

// sample is a six-axle train at 58,420 kg: over the road's limit as evidence, a suspicion for the police.
func sample(c wim.Competence, at wim.Time, picture wim.Digest) center.Entry {
	loads := []wim.Kg{6480, 10210, 9870, 10760, 10620, 10480}
	ax, gross := axles(loads, []wim.Mm{3150, 1350, 6420, 1310, 1310})
	v := wim.Vehicle{
		Lane: 1, Start: at, End: at, Speed: 612, Length: 16400, Axles: ax, Gross: gross, AxleSum: gross,
		Groups: []wim.AxleGroup{{First: 1, Count: 1, Load: 6480}, {First: 2, Count: 2, Load: 20080, Span: 1350}, {First: 4, Count: 3, Load: 31860, Span: 2620}},
		Scheme: wim.Scheme, Class: "train-6 (3S3)", Configuration: wim.Train, Sure: true,
	}
	verdict := wim.Verdict{
		RuleSet: "cn-2016-62", Rules: wim.DigestOf([]byte("rules")), Judge: "1",
		Opinions: []wim.Opinion{
			{Competence: wim.RoadAdministration, Outcome: wim.Exceeded, Standing: wim.Evidence},
			{Competence: wim.TrafficPolice, Outcome: wim.Exceeded, Standing: wim.Screening, Reasons: wim.LimitInferred},
		},
		Findings: []wim.Finding{
			against(wim.RoadAdministration, "order-62-3-8-train", "Order 62 Art. 3(8)", wim.ScopeGross, gross, 49000, "fine", 0),
			against(wim.TrafficPolice, "rated-load", "Road Traffic Safety Law Art. 92", wim.ScopeCargo, gross-15500, 33500, "under-30", wim.LimitInferred),
			against(wim.TrafficPolice, "licence-gross", "Points Rules Art. 12(6)", wim.ScopeLicence, gross, 49000, "points-1", 0),
			against(wim.TrafficPolice, "towed-mass", "Road Traffic Safety Law Art. 48", wim.ScopeTowed, gross-8800, 40000, "", 0),
		},
	}
	ref := wim.RecordRef{Site: "g107-north", Chain: wim.ChainID{0x7a, 0x31, 0xc0, 0x4e}, Seq: 18243, Digest: wim.DigestOf([]byte("record"))}
	o, _ := verdict.Of(c)
	return center.Entry{
		Alert: center.Alert{
			Matter: 311, Competence: c, Outcome: o.Outcome, Standing: o.Standing, Raised: at, Excess: center.Lead(&verdict, c).Excess, Ratio: center.Lead(&verdict, c).Ratio,
		},
		Matter: center.Matter{
			ID: 311, Opening: ref, Site: "g107-north", Lane: 1, Passed: at, Opened: at, Plates: []string{"豫A7K882", "豫AK352挂"}, State: center.Alerted,
			Gross: gross, Axles: len(ax),
		},
		Facts: wim.Facts{
			Time: at, Clock: wim.ClockSynchronised, Purpose: wim.Enforcement, Road: wim.Road{Name: "G107 K742+300", Class: "class-1"},
			Instrument: wim.Instrument{ID: "scale-1", Certificate: &wim.Certificate{
				Number: "豫计检 2026-0418", Class: "5", MassError: 50, ValidFrom: at.Add(-time.Hour), ValidUntil: at.Add(4000 * time.Hour), Lanes: []wim.LaneID{1},
			}},
			Vehicle: v,
			Units:   []wim.Unit{{Plate: "豫A7K882", Color: wim.Yellow, Kind: wim.Goods}, {Plate: "豫AK352挂", Color: wim.Yellow, Kind: wim.Goods}},
		},
		Verdict: verdict,
		Reads: []wim.PlateRead{
			{Camera: "front-1", Event: "e1", Lane: 1, End: wim.Front, Text: "豫A7K882", Color: wim.Yellow, Confidence: 985, Picture: picture},
		},
		Order: wim.OrderEnter, Key: "ed25519:4f1c9a22", Rejudged: center.RejudgedSame, Records: []wim.RecordRef{ref},
	}
}
