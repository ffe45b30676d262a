package center

import "github.com/axlegate/axlegate/wim"

// Overview is what those who run a centre watch: no plate and no matter is in it.
type Overview struct {
	Sites       []SiteOverview // by name
	Alarms      []AlarmCount   // by site and kind
	Open        []OpenAlerts   // by competence; one without an open alert may be left out
	Unreviewed  int64          // records stored and not reviewed yet
	Waiting     int64          // supplements whose passage is not here yet
	Quarantined int64          // messages set aside
}

// SiteOverview is one site's current chain.
type SiteOverview struct {
	Site   wim.SiteID
	Online bool
	Forked bool
	Heard  wim.Time // when the centre last stored something of it
	Behind uint64   // records held beyond a hole; 10000 stands for that many or more
	Unread int      // records of a kind or format that only a later release reads
}

// AlarmCount counts a site's alarms of one kind that nobody has looked into.
type AlarmCount struct {
	Site  wim.SiteID
	Kind  AlarmKind
	Count int
}

// OpenAlerts counts an authority's alerts that it has not acknowledged.
type OpenAlerts struct {
	Competence wim.Competence
	Count      int
	Oldest     wim.Time // when the oldest of them was raised
}
