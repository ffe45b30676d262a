package console

import (
	"hash/maphash"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// How many wrong sign-ins are let through. A right one costs nothing.
const (
	addressBurst = 20
	addressEvery = 3 * time.Second
	loginBurst   = 8
	loginEvery   = 15 * time.Second
	limitSlots   = 4096
)

// door limits wrong sign-ins per address and per login. Its memory is fixed: names share slots by a keyed
// hash, so whoever tries many names forgets nobody's limit, at the price that two names may now and then
// share one.
type door struct {
	*checker
	seed      maphash.Seed
	addresses [limitSlots]*rate.Limiter
	logins    [limitSlots]*rate.Limiter
}

func newDoor() *door {
	d := &door{checker: newChecker(), seed: maphash.MakeSeed()}
	for i := range limitSlots {
		d.addresses[i] = rate.NewLimiter(rate.Every(addressEvery), addressBurst)
		d.logins[i] = rate.NewLimiter(rate.Every(loginEvery), loginBurst)
	}
	return d
}

// try is one attempt that was let through.
type try struct {
	at   time.Time
	a, b *rate.Reservation
}

// begin lets an attempt through, or says after how long to come back.
func (d *door) begin(now time.Time, remote, login string) (t try, wait time.Duration) {
	t = try{at: now, a: d.slot(&d.addresses, network(remote)).ReserveN(now, 1), b: d.slot(&d.logins, login).ReserveN(now, 1)}
	if wait = max(t.a.DelayFrom(now), t.b.DelayFrom(now)); wait > 0 {
		t.forgive()
	}
	return t, wait
}

// forgive gives the attempt back: it was right, or it was refused.
func (t *try) forgive() {
	t.a.CancelAt(t.at)
	t.b.CancelAt(t.at)
}

func (d *door) slot(s *[limitSlots]*rate.Limiter, key string) *rate.Limiter {
	return s[maphash.String(d.seed, key)%limitSlots]
}

// network is the part of an address that one visitor may hold: an IPv4 address, an IPv6 network of 64 bits.
func network(remote string) string {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	a := ap.Addr().Unmap()
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
