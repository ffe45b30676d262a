package console

import (
	"context"

	"github.com/axlegate/axlegate/center"
)

func (s *fakeStore) Coverage(_ context.Context, v center.Viewer, q center.CoverageQuery) (center.Coverage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := q.Validate(); err != nil {
		return center.Coverage{}, err
	}
	for _, site := range s.sites {
		if site.Site == q.Site && v.Region.Holds(site.Region) {
			c := s.cover
			c.CoverageQuery = q
			return center.NewCoverage(c, s.passed), s.broken
		}
	}
	return center.Coverage{}, center.ErrNotFound
}
