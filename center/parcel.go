package center

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/axlegate/axlegate/wim"
)

// MaxParcel bounds a parcel in bytes: a registration table of some 200,000 vehicles.
const MaxParcel = 32 << 20

// Parcel is something that sites can be sent to work by: a rule set, a table, settings. Its bytes never change.
type Parcel struct {
	Digest  wim.Digest
	Kind    wim.PartKind
	Name    string
	Version string
	Size    int64 // bytes
	Added   wim.Time
	By      string // login
}

// Sendable tells whether parcels of a kind exist: what a site is made of, it cannot be sent.
func Sendable(k wim.PartKind) bool {
	switch k {
	case wim.PartRules, wim.PartRegistrations, wim.PartPermits, wim.PartHotList, wim.PartSite:
		return true
	case wim.PartSiteFile, wim.PartCalibration, wim.PartSoftware, wim.PartLegal:
	}
	return false
}

// Valid tells what is wrong with a parcel's words; its bytes are checked by loading them.
func (p *Parcel) Valid() error {
	if !Sendable(p.Kind) {
		return fmt.Errorf("a parcel of kind %q cannot be sent; rules, registrations, permits, hot-list and site can", p.Kind)
	}
	for what, s := range map[string]string{"name": p.Name, "version": p.Version} {
		if len(s) > 100 || !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\r\n\t") {
			return fmt.Errorf("the %s of a parcel has at most 100 bytes of text in one line", what)
		}
	}
	if p.Name == "" {
		return errors.New("a parcel needs a name")
	}
	if p.Size <= 0 || p.Size > MaxParcel {
		return fmt.Errorf("a parcel of %d bytes: at least 1 and at most %d", p.Size, MaxParcel)
	}
	return nil
}

// Place of a parcel among what a site works by. A site has one rule set and one list of settings, whatever their
// names, and any number of tables.
func (p *Parcel) Place() string {
	if p.Kind == wim.PartRules || p.Kind == wim.PartSite {
		return string(p.Kind)
	}
	return string(p.Kind) + " " + p.Name
}

// Assignment says that one site, or all sites of a region, are to work by a parcel from a time on. A later one for
// the same place takes its place.
type Assignment struct {
	ID     int64 // rises
	Site   wim.SiteID
	Region Region // where Site is empty; both empty is every site
	Parcel Parcel
	// Withdrawn takes the parcel's place away instead: the site goes back to its own file's.
	Withdrawn bool
	From      wim.Time // 0 is at once
	At        wim.Time // when it was made
	By        string   // login
}

// Covers tells whether an assignment is for a site that lies in a region.
func (a *Assignment) Covers(site wim.SiteID, in Region) bool {
	if a.Site != "" {
		return a.Site == site
	}
	return a.Region.Holds(in)
}

// Wish is a parcel that a site is to work by from a time on.
type Wish struct {
	Parcel Parcel
	From   wim.Time // 0 is at once
}

// Wanted is what a site in a region is to work by now and later, of all assignments: for each place the last one
// made of those that are due, and those after it that are yet to come. It is in a fixed order, so that two that are
// equal have equal text.
func Wanted(all []Assignment, site wim.SiteID, in Region, now wim.Time) []Wish {
	byPlace := map[string][]Assignment{}
	for _, a := range all {
		if a.Covers(site, in) {
			byPlace[a.Parcel.Place()] = append(byPlace[a.Parcel.Place()], a)
		}
	}
	out := []Wish{}
	for _, list := range byPlace {
		slices.SortFunc(list, func(a, b Assignment) int { return cmp.Compare(a.ID, b.ID) })
		var due *Assignment
		for i := range list {
			if list[i].From <= now {
				due = &list[i]
			}
		}
		planned := map[wim.Time]Assignment{} // the last made for a time counts
		for _, a := range list {
			switch {
			case a.From > now && (due == nil || a.ID > due.ID):
				planned[a.From] = a
			case due != nil && a.ID == due.ID && !a.Withdrawn:
				out = append(out, Wish{a.Parcel, a.From})
			}
		}
		for _, a := range planned {
			if !a.Withdrawn {
				out = append(out, Wish{a.Parcel, a.From})
			}
		}
	}
	slices.SortFunc(out, func(a, b Wish) int {
		return cmp.Or(cmp.Compare(a.Parcel.Kind, b.Parcel.Kind), cmp.Compare(a.Parcel.Name, b.Parcel.Name), cmp.Compare(a.From, b.From),
			slices.Compare(a.Parcel.Digest[:], b.Parcel.Digest[:]))
	})
	return out
}

// DeliveryState is how far a parcel has come at a site.
type DeliveryState string

// The states of a delivery. All but the first are what the site itself has sealed.
const (
	DeliveryUnderWay  DeliveryState = "under-way" // the site has not said anything about it yet
	DeliveryScheduled DeliveryState = "scheduled" // it has it, and waits for its time
	DeliveryActive    DeliveryState = "active"
	DeliveryRefused   DeliveryState = "refused"
	DeliveryRolled    DeliveryState = "rolled-back"
)

// Delivery is one wanted parcel as a site has taken it.
type Delivery struct {
	Wish
	State  DeliveryState
	Since  wim.Time // of the state, by the site's clock; 0 while under way
	Reason string   // of a refusal
}

// Configured is a sealed configuration record of a site.
type Configured struct {
	Intake int64
	Site   wim.SiteID
	Ref    wim.RecordRef
	Time   wim.Time
	wim.SiteConfiguration
}

// Deliveries compares what a site is wanted to work by with what it has sealed, its configuration records in order.
func Deliveries(wanted []Wish, sealed []Configured) []Delivery {
	out := make([]Delivery, len(wanted))
	for i, p := range wanted {
		out[i] = Delivery{Wish: p, State: DeliveryUnderWay}
		for _, c := range sealed {
			out[i].take(&c)
		}
	}
	return out
}

func (d *Delivery) take(c *Configured) {
	for _, x := range c.Changed {
		if x.To != d.Parcel.Digest && (x.From != d.Parcel.Digest || x.Outcome != wim.ChangeRolledBack) {
			continue
		}
		switch x.Outcome {
		case wim.ChangeScheduled:
			d.State = DeliveryScheduled
		case wim.ChangeActivated:
			d.State = DeliveryActive
		case wim.ChangeRefused:
			d.State = DeliveryRefused
		case wim.ChangeRolledBack:
			d.State = DeliveryRolled
		default:
			continue
		}
		d.Since, d.Reason = c.Time, x.Reason
	}
	active := slices.ContainsFunc(c.Active, func(p wim.Part) bool { return p.Kind == d.Parcel.Kind && p.Digest == d.Parcel.Digest })
	switch {
	case active && d.State != DeliveryActive:
		d.State, d.Since, d.Reason = DeliveryActive, c.Time, ""
	case !active && d.State == DeliveryActive:
		d.State, d.Since = DeliveryUnderWay, 0
	}
}
