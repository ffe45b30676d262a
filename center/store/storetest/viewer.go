package storetest

import (
	"slices"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Viewer is an enforcer of an authority who sees every region.
func Viewer(c wim.Competence) center.Viewer {
	return center.Viewer{Login: "somebody", Role: center.Enforcer, Competence: c}
}

// Overseer is an administrator of every region.
func Overseer() center.Viewer { return center.Viewer{Login: "sun", Role: center.Administrator} }

// trail is the whole audit trail, oldest first.
func (b *bench) trail() []center.Trace {
	b.t.Helper()
	all, err := b.s.Trail(b.t.Context(), center.Viewer{Login: "zhao", Role: center.Auditor}, center.TrailQuery{Limit: center.MaxTrail})
	if err != nil {
		b.t.Fatal(err)
	}
	slices.Reverse(all)
	return all
}
