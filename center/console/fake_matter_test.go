package console

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center"
)

// look is one line that Looked wrote.
type look struct{ login, subject, detail string }

func (s *fakeStore) Looked(_ context.Context, v center.Viewer, subject, detail string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unseen == nil {
		s.looks = append(s.looks, look{v.Login, subject, detail})
	}
	return s.unseen
}

func (s *fakeStore) looked(login, subject string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.looks, func(l look) bool { return l.login == login && l.subject == subject })
}

// change alters a matter behind the pages' back.
func (s *fakeStore) change(id int64, f func(*center.Docket)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.dockets[id])
	s.sync(id)
}

func (s *fakeStore) docket(id int64) center.Docket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.dockets[id]
}

// sync carries a docket into the entries of its alerts.
func (s *fakeStore) sync(id int64) {
	d := s.dockets[id]
	for i := range s.entries {
		if s.entries[i].Matter.ID != id {
			continue
		}
		s.entries[i].Matter = d.Matter
		if own, ok := d.Own(s.entries[i].Alert.Competence); ok {
			own.ID = s.entries[i].Alert.ID
			s.entries[i].Alert = *own
		}
	}
}

func (s *fakeStore) Queue(_ context.Context, v center.Viewer, q center.Query) (p center.Page, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []int64
	for id := range s.dockets {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range slices.Backward(ids) {
		d := s.dockets[id]
		m := &d.Matter
		own, has := d.Own(v.Competence)
		switch {
		case !v.Sees(m.Region, d.Alerts), q.Before != 0 && id >= q.Before, q.Site != "" && m.Site != q.Site, !q.Region.Holds(m.Region),
			q.From != 0 && m.Passed < q.From, q.To != 0 && m.Passed >= q.To, len(q.States) > 0 && !slices.Contains(q.States, m.State),
			q.Owed && (!has || own.Ended != ""), q.Standing != "" && has && own.Standing != q.Standing,
			q.Plate != "" && !slices.ContainsFunc(m.Plates, func(p string) bool { return strings.HasPrefix(plateQuery(p), q.Plate) }):
			continue
		}
		if len(p.Lines) == q.Limit {
			p.Next = p.Lines[len(p.Lines)-1].Matter.ID
			break
		}
		p.Lines = append(p.Lines, center.Line{Docket: *d})
	}
	p.Last = int64(len(s.events))
	return p, s.broken
}

func (s *fakeStore) File(_ context.Context, v center.Viewer, matter int64) (f center.File, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.dockets[matter]
	if !ok || !v.Sees(d.Matter.Region, d.Alerts) {
		return f, center.ErrNotFound
	}
	f.Docket, f.Acts, f.Pruned = *d, slices.Clone(s.acts[matter]), s.pruned[matter]
	for i := range s.entries {
		e := &s.entries[i]
		if e.Matter.ID == matter && (v.Role == center.Auditor && f.Entry.Alert.ID == 0 || e.Alert.Competence == v.Competence) {
			f.Entry = *e
		}
	}
	for _, ref := range f.Records {
		f.Accounts = append(f.Accounts, center.AccountHead{
			Ref: ref, Time: d.Matter.Passed.Add(300 * time.Millisecond), Received: d.Matter.Passed.Add(1700 * time.Millisecond), Key: f.Key,
			Rejudged: f.Rejudged, Reads: f.Reads,
		})
	}
	f.Linked = slices.Clone(s.linked[matter])
	if f.Pruned {
		e := f.Entry
		f.Entry = center.Entry{Alert: e.Alert, Matter: e.Matter, Key: e.Key, Records: e.Records}
	}
	return f, s.broken
}

func (s *fakeStore) Do(_ context.Context, v center.Viewer, matter int64, k center.ActKind, in center.Details, seen int64) (center.Docket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.do(v, matter, k, in, seen)
}

func (s *fakeStore) do(v center.Viewer, matter int64, k center.ActKind, in center.Details, seen int64) (center.Docket, error) {
	d, ok := s.dockets[matter]
	if !ok || !v.Sees(d.Matter.Region, d.Alerts) {
		return center.Docket{}, center.ErrNotFound
	}
	out, act, err := d.Do(v, k, in, seen, s.now())
	if err != nil {
		return center.Docket{}, err
	}
	for id, other := range s.dockets {
		if c, ok := other.Case(v.Competence); ok && id != matter && k == center.ActOpenCase && c.Number == in.Number {
			return center.Docket{}, center.ErrNumberTaken
		}
	}
	act.ID = int64(len(s.acts[matter]) + 1)
	s.acts[matter] = append(s.acts[matter], act)
	*d = out
	s.sync(matter)
	for i := range s.entries {
		e := &s.entries[i]
		switch {
		case e.Matter.ID != matter:
		case k == center.ActAcknowledge && e.Alert.Competence == v.Competence:
			s.event(center.AlertAcknowledged, e)
		default:
			s.event(center.MatterActed, e)
		}
	}
	return out, nil
}
