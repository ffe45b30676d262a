package console

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// fakeOffice is what the fake store keeps for administration.
type fakeOffice struct {
	alarms  map[wim.SiteID][]center.Alarm
	tokens  []center.Token
	digests [][32]byte
	trail   []center.Trace // oldest first
	asked   []center.TrailQuery
	keys    []center.SiteKey
	codes   map[wim.SiteID][32]byte
	lost    bool // of the last code

	parcels     []center.Parcel
	assignments []center.Assignment
	deliveries  []center.Delivery
	fails       int // the Trail calls from which on it fails; 0 for never
}

func (s *fakeStore) trace(login, action, subject, detail string) {
	s.office.trail = append(s.office.trail, center.Trace{
		ID: int64(len(s.office.trail) + 1), At: s.now(), Login: login, Action: action, Subject: subject, Detail: detail,
	})
}

func (s *fakeStore) Alarms(_ context.Context, _ center.Viewer, site wim.SiteID) ([]center.Alarm, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.office.alarms[site]), s.broken
}

func (s *fakeStore) LookedInto(_ context.Context, v center.Viewer, site wim.SiteID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !v.Manages() {
		return center.ErrNotYours
	}
	for _, a := range s.office.alarms[site] {
		s.trace(v.Login, "look-into-alarm", string(site), a.Subject)
	}
	delete(s.office.alarms, site)
	return s.broken
}

func (s *fakeStore) SiteKeys(context.Context) ([]center.SiteKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.office.keys), s.broken
}

func (s *fakeStore) PutCode(_ context.Context, v center.Viewer, site wim.SiteID, digest [32]byte, lost bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !v.Manages() {
		return center.ErrNotYours
	}
	if s.office.codes == nil {
		s.office.codes = map[wim.SiteID][32]byte{}
	}
	s.office.codes[site], s.office.lost = digest, lost
	s.trace(v.Login, "put-enrolment-code", string(site), "")
	return s.broken
}

func (s *fakeStore) Trail(_ context.Context, v center.Viewer, q center.TrailQuery) (out []center.Trace, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !v.Trail() {
		return nil, center.ErrNotYours
	}
	if err := q.Validate(); err != nil {
		return nil, err
	}
	s.office.asked = append(s.office.asked, q)
	if s.office.fails > 0 && len(s.office.asked) >= s.office.fails {
		return nil, errBroken
	}
	for _, t := range slices.Backward(s.office.trail) {
		switch {
		case q.Before != 0 && t.ID >= q.Before, q.Login != "" && t.Login != q.Login, q.Action != "" && t.Action != q.Action,
			q.Subject != "" && t.Subject != q.Subject, t.At < q.From, q.To != 0 && t.At >= q.To, len(out) == q.Limit:
		default:
			out = append(out, t)
		}
	}
	return out, s.broken
}

func (s *fakeStore) Officers(_ context.Context, v center.Viewer) (out []center.Officer, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !v.Manages() {
		return nil, center.ErrNotYours
	}
	for _, login := range slices.Sorted(maps.Keys(s.officers)) {
		if o := s.officers[login]; v.Region.Holds(o.Region) {
			o.Hash = ""
			out = append(out, o)
		}
	}
	return out, s.broken
}

func (s *fakeStore) PutOfficer(_ context.Context, by string, o center.Officer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := o.Valid(); err != nil {
		return err
	}
	if o.Hash == "" {
		o.Hash = s.officers[o.Login].Hash
	}
	s.officers[o.Login] = o
	s.trace(by, "put-officer", o.Login, "")
	return s.broken
}

func (s *fakeStore) ChangePassword(_ context.Context, login, hash string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.officers[login]
	if !ok {
		return center.ErrNotFound
	}
	o.Hash, o.MustChange = hash, false
	s.officers[login] = o
	s.trace(login, "change-password", login, "")
	return s.broken
}

func (s *fakeStore) PutToken(_ context.Context, by string, t center.Token, digest [32]byte) (center.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := t.Valid(); err != nil {
		return t, err
	}
	t.ID = int64(len(s.office.tokens) + 1)
	s.office.tokens, s.office.digests = append(s.office.tokens, t), append(s.office.digests, digest)
	s.trace(by, "put-token", t.Name, strings.Repeat("s", len(t.Scopes)))
	return t, s.broken
}

func (s *fakeStore) Tokens(_ context.Context, v center.Viewer) (out []center.Token, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.office.tokens {
		if v.Manages() && v.Region.Holds(s.officers[t.Login].Region) || t.Login == v.Login {
			out = append(out, t)
		}
	}
	return out, s.broken
}

func (s *fakeStore) RevokeToken(_ context.Context, v center.Viewer, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || id > int64(len(s.office.tokens)) {
		return center.ErrNotFound
	}
	t := &s.office.tokens[id-1]
	if t.Login != v.Login && (!v.Manages() || !v.Region.Holds(s.officers[t.Login].Region)) {
		return center.ErrNotFound
	}
	t.Revoked = s.now()
	return s.broken
}

func (s *fakeStore) PutParcel(_ context.Context, v center.Viewer, p center.Parcel, b []byte) (center.Parcel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !v.Manages() {
		return p, center.ErrNotYours
	}
	if err := p.Valid(); err != nil {
		return p, err
	}
	p.Digest, p.By, p.Added = wim.DigestOf(b), v.Login, s.now()
	s.office.parcels = append([]center.Parcel{p}, s.office.parcels...)
	return p, s.broken
}

func (s *fakeStore) Parcels(context.Context, center.Viewer) ([]center.Parcel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.office.parcels), s.broken
}

func (s *fakeStore) Assign(_ context.Context, v center.Viewer, a center.Assignment) (center.Assignment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.office.parcels, func(p center.Parcel) bool { return p.Digest == a.Parcel.Digest })
	if i < 0 || !v.Manages() {
		return a, center.ErrNotFound
	}
	a.ID, a.Parcel, a.At, a.By = int64(len(s.office.assignments)+1), s.office.parcels[i], s.now(), v.Login
	s.office.assignments = append([]center.Assignment{a}, s.office.assignments...)
	return a, s.broken
}

func (s *fakeStore) Assignments(context.Context, center.Viewer) ([]center.Assignment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.office.assignments), s.broken
}

func (s *fakeStore) Deliveries(context.Context, center.Viewer, wim.SiteID) (uint64, []center.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return 7, slices.Clone(s.office.deliveries), s.broken
}
