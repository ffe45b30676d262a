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
	fails   int  // the Trail calls from which on it fails; 0 for never
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
