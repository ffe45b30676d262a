package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// kind is what can be done to the installation.
type kind string

const (
	killEdge       kind = "edge killed"
	killCentre     kind = "centre killed"
	killBroker     kind = "broker killed"
	wipeBroker     kind = "broker wiped"
	killDatabase   kind = "database killed"
	cutLink        kind = "link cut"
	swallowUp      kind = "link swallows what goes up"
	swallowDown    kind = "link swallows what comes down"
	delayLink      kind = "link slow"
	partSite       kind = "site partitioned"
	partDatabase   kind = "database partitioned"
	fillDisk       kind = "disk full"
	setClock       kind = "clock set"
	backUp         kind = "backup taken"
	restore        kind = "centre restored from backup"
	killEverything kind = "power cut everywhere"
	rotateKey      kind = "key changed"
)

// form is how the centre is laid out.
type form string

const (
	single  form = "single"  // one centre with its embedded broker and store
	cluster form = "cluster" // two centres, Mosquitto and PostgreSQL
)

// fault is one thing that is done, and undone after a while.
type fault struct {
	At     time.Duration // since traffic began
	For    time.Duration // until it is undone; 0 where there is nothing to undo
	Kind   kind
	Target string
	By     time.Duration // how far a clock is set, how slow a link is
}

func (f fault) String() string {
	s := string(f.Kind)
	if f.Target != "" {
		s += " (" + f.Target + ")"
	}
	if f.By != 0 {
		s += " by " + f.By.String()
	}
	if f.For != 0 {
		s += " for " + f.For.String()
	}
	return s
}

// means is what this machine lets a run do beside killing and proxies.
type means struct {
	partitions bool // packets can be dropped in a network namespace of the run's own
	disks      bool // file systems can be mounted in a mount namespace of the run's own
}

const (
	small = "north-1" // the site whose disk is small
	large = "river-2"
)

// kinds is what a run of a form draws from.
func kinds(f form, m means) []kind {
	out := []kind{killEdge, killCentre, wipeBroker, cutLink, swallowUp, swallowDown, delayLink, setClock, restore, killEverything, rotateKey}
	if f == cluster {
		out = append(out, killBroker, killDatabase)
	}
	if m.partitions {
		out = append(out, partSite)
		if f == cluster {
			out = append(out, partDatabase)
		}
	}
	if m.disks {
		out = append(out, fillDisk)
	}
	return out
}

// plan draws the faults of a run. Each kind comes once in an order that is drawn before any comes twice, as far
// as the time goes; what one fault has in its hands no other touches, and other things may break meanwhile.
func plan(seed uint64, length time.Duration, f form, m means) []fault {
	rng := rand.New(rand.NewPCG(seed, 0xa81e6a7e)) //nolint:gosec // a plan, not a secret
	between := func(low, high time.Duration) time.Duration {
		return (low + time.Duration(rng.Int64N(int64(high-low)))).Round(10 * time.Millisecond)
	}
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	busy := map[string]time.Duration{}
	var out []fault
	place := func(fl fault, margin time.Duration, hands ...string) bool {
		for _, h := range hands {
			if busy[h] > fl.At {
				return false
			}
		}
		for _, h := range hands {
			busy[h] = fl.At + fl.For + margin
		}
		out = append(out, fl)
		return true
	}
	var bag []kind
	for at := between(2*time.Second, 4*time.Second); at < length-4*time.Second; at += between(500*time.Millisecond, 3*time.Second) {
		if len(bag) == 0 {
			bag = kinds(f, m)
			rng.Shuffle(len(bag), func(i, j int) { bag[i], bag[j] = bag[j], bag[i] })
		}
		k := bag[0]
		fl := fault{At: at, For: between(time.Second, 6*time.Second), Kind: k}
		fl.For = min(fl.For, length-at)
		site := pick(small, large)
		var placed bool
		switch k {
		case killEdge:
			fl.Target = site
			placed = place(fl, 2*time.Second, "site "+site)
		case rotateKey:
			fl.Target, fl.For = site, 0
			placed = place(fl, 2*time.Second, "site "+site)
		case fillDisk:
			fl.Target = small
			placed = place(fl, 3*time.Second, "site "+small)
		case setClock:
			fl.Target = site
			fl.By = []time.Duration{-365 * 24 * time.Hour, 365 * 24 * time.Hour, -90 * time.Second, 10 * time.Minute}[rng.IntN(4)]
			placed = place(fl, time.Second, "clock "+site)
		case cutLink, swallowUp, swallowDown, partSite:
			fl.Target = site
			placed = place(fl, time.Second, "link "+site)
		case delayLink:
			fl.Target, fl.By = site, between(20*time.Millisecond, 400*time.Millisecond)
			placed = place(fl, time.Second, "link "+site)
		case killCentre:
			fl.Target = "first"
			if f == cluster {
				fl.Target = pick("first", "second")
			}
			placed = place(fl, 2*time.Second, "centre "+fl.Target)
		case killBroker:
			placed = place(fl, 2*time.Second, "broker")
		case wipeBroker:
			fl.For = 0
			hands := []string{"broker"}
			if f == single {
				hands = append(hands, "centre first")
			}
			placed = place(fl, 4*time.Second, hands...)
		case killDatabase, partDatabase:
			placed = place(fl, 3*time.Second, "database")
		case killEverything:
			fl.For = 0
			placed = place(fl, 6*time.Second, "site "+small, "site "+large, "broker", "database", "centre first", "centre second")
		case restore:
			back := fault{At: at, Kind: backUp}
			fl.At, fl.For = at+between(5*time.Second, 15*time.Second), 0
			if fl.At < length-2*time.Second {
				// From the backup to the restore these are left alone: a dump needs a database that answers.
				placed = place(back, fl.At-at+5*time.Second, "database", "centre first", "centre second", "backup")
				if placed {
					out = append(out, fl)
				}
			}
		case backUp:
			panic("a backup is taken where a restore is drawn")
		}
		bag = bag[1:]
		if !placed && len(bag) > 0 {
			bag = append(bag, k) // later
		}
	}
	slices.SortStableFunc(out, func(a, b fault) int { return int(a.At - b.At) })
	return out
}

// step is one entry of what a run does: a fault begins, or ends.
type step struct {
	at    time.Duration
	fault int // index in the plan
	undo  bool
}

func steps(faults []fault) []step {
	var out []step
	for i, f := range faults {
		out = append(out, step{f.At, i, false})
		if f.For > 0 {
			out = append(out, step{f.At + f.For, i, true})
		}
	}
	slices.SortStableFunc(out, func(a, b step) int { return int(a.at - b.at) })
	return out
}

// tally counts faults by kind, in a fixed order.
func tally(faults []fault) string {
	n := map[kind]int{}
	for _, f := range faults {
		n[f.Kind]++
	}
	var names []string
	for k := range n {
		names = append(names, string(k))
	}
	slices.Sort(names)
	for i, k := range names {
		names[i] = fmt.Sprintf("%s %d", k, n[kind(k)])
	}
	return strings.Join(names, ", ")
}

func siteIDs() []wim.SiteID { return []wim.SiteID{small, large} }
