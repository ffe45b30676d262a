package signin

import (
	"context"
	"crypto/rand"
	"hash/maphash"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/time/rate"
)

// How many wrong sign-ins are let through: so many at once, and then one in every so long. A right one costs nothing.
const (
	AddressBurst = 20
	AddressEvery = 3 * time.Second
	LoginBurst   = 8
	LoginEvery   = 15 * time.Second
	limitSlots   = 4096
)

// Door verifies passwords, a few at a time because every one takes tens of megabytes, and limits wrong sign-ins per
// address and per login. Its memory is fixed: names share slots by a keyed hash, so whoever tries many names forgets
// nobody's limit, at the price that two names may now and then share one.
type Door struct {
	turns     chan struct{}
	nobody    hash // what an unknown login's password is held against, so that it takes as long
	seed      maphash.Seed
	addresses [limitSlots]*rate.Limiter
	logins    [limitSlots]*rate.Limiter
}

// NewDoor returns a door through which nobody has tried to go yet.
func NewDoor() *Door {
	h := hash{memory: hashMemory, time: hashTime, threads: hashThreads, salt: make([]byte, hashSalt), key: make([]byte, hashLength)}
	rand.Read(h.salt) // never fails since Go 1.24
	rand.Read(h.key)  // likewise
	d := &Door{turns: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)/2)), nobody: h, seed: maphash.MakeSeed()}
	for i := range limitSlots {
		d.addresses[i] = rate.NewLimiter(rate.Every(AddressEvery), AddressBurst)
		d.logins[i] = rate.NewLimiter(rate.Every(LoginEvery), LoginBurst)
	}
	return d
}

// Like has a password for a login that does not exist take as long as one that is held against stored. Without it, it
// takes as long as with a hash that HashPassword makes.
func (d *Door) Like(stored string) error {
	h, err := parseHash(stored)
	if err != nil {
		return err
	}
	d.nobody.memory, d.nobody.time, d.nobody.threads = h.memory, h.time, h.threads
	return nil
}

// Check tells whether the password belongs to the stored hash. An empty stored hash is a person that does not exist: it
// takes the work of a check and is always wrong. The error is that of a stored text which is no hash, or ctx's.
func (d *Door) Check(ctx context.Context, stored, password string) (bool, error) {
	leave, err := d.turn(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if len(password) > MaxPassword {
		password = ""
	}
	if stored == "" {
		d.nobody.matches(password)
		return false, nil
	}
	h, err := parseHash(stored)
	if err != nil {
		d.nobody.matches(password)
		return false, err
	}
	return h.matches(password), nil
}

// Hash is HashPassword in turn with the checks.
func (d *Door) Hash(ctx context.Context, password string) (string, error) {
	leave, err := d.turn(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return HashPassword(password)
}

func (d *Door) turn(ctx context.Context) (leave func(), err error) {
	select {
	case d.turns <- struct{}{}:
		return func() { <-d.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Try is one attempt that was let through.
type Try struct {
	at   time.Time
	a, b *rate.Reservation
}

// Begin lets an attempt of a remote address, host:port, through, or says after how long to come back. It counts as wrong
// until it is forgiven.
func (d *Door) Begin(now time.Time, remote, login string) (t Try, wait time.Duration) {
	t = Try{at: now, a: d.slot(&d.addresses, network(remote)).ReserveN(now, 1), b: d.slot(&d.logins, login).ReserveN(now, 1)}
	if wait = max(t.a.DelayFrom(now), t.b.DelayFrom(now)); wait > 0 {
		t.Forgive()
	}
	return t, wait
}

// Forgive gives the attempt back: it was right, or it was refused.
func (t *Try) Forgive() {
	t.a.CancelAt(t.at)
	t.b.CancelAt(t.at)
}

func (d *Door) slot(s *[limitSlots]*rate.Limiter, key string) *rate.Limiter {
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
