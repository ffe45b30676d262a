package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center/store"
)

// long outlasts every test here; short is waited for.
const (
	long  = time.Hour
	short = 50 * time.Millisecond
)

func (b *bench) lease(holder string, slots int, ttl time.Duration) []int {
	b.t.Helper()
	held, err := b.s.Lease(b.t.Context(), holder, slots, ttl)
	if err != nil {
		b.t.Fatal(err)
	}
	return held
}

// until polls a condition, letting the store's clock go on as the world's does.
func (b *bench) until(what string, done func() bool) {
	b.t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
		b.clock.Add(int64(5 * time.Millisecond))
	}
	b.t.Fatalf("never: %s", what)
}

func leaseAlone(t *testing.T, b *bench) {
	for range 2 {
		if got := b.lease("a", 4, long); !slices.Equal(got, []int{0, 1, 2, 3}) {
			t.Errorf("%v", got)
		}
	}
	if got := b.lease("a", 2, long); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("with fewer slots: %v", got)
	}
	for _, x := range []struct {
		holder string
		slots  int
		ttl    time.Duration
	}{{"", 1, 1}, {"a", 0, 1}, {"a", 1, 0}, {"a\x00", 1, 1}} {
		if _, err := b.s.Lease(t.Context(), x.holder, x.slots, x.ttl); !errors.Is(err, store.ErrRefused) {
			t.Errorf("%+v: %v", x, err)
		}
	}
}

func leaseShared(t *testing.T, b *bench) {
	if got := b.lease("a", 5, short); len(got) != 5 {
		t.Fatalf("%v", got)
	}
	if got := b.lease("b", 5, long); len(got) != 0 {
		t.Errorf("b has %v before a's lease has ended", got)
	}
	var a, second []int
	b.until("each has its share", func() bool {
		a, second = b.lease("a", 5, long), b.lease("b", 5, long)
		return len(a) == 3 && len(second) == 2
	})
	if all := slices.Sorted(slices.Values(append(a, second...))); !slices.Equal(all, []int{0, 1, 2, 3, 4}) {
		t.Errorf("%v and %v", a, second)
	}
	if err := b.s.Release(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got := b.lease("b", 5, long); len(got) != 5 {
		t.Errorf("after a has left: %v", got)
	}
}

func leaseTakenOver(t *testing.T, b *bench) {
	b.lease("a", 3, short)
	b.lease("b", 3, long)
	b.until("a is gone and b has everything", func() bool { return len(b.lease("b", 3, long)) == 3 })
	if got := b.lease("a", 3, long); len(got) != 0 {
		t.Errorf("a came back to %v, which b still has", got)
	}
}

// leaseOnce lets holders come, stay away and come back at once, and checks what each is given against what
// the others were promised.
func leaseOnce(t *testing.T, b *bench) {
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b.s = b.open(store.Config{})
	type promise struct {
		holder string
		until  time.Time
	}
	var mu sync.Mutex
	promised := map[int]promise{}
	var all sync.WaitGroup
	for h := range 4 {
		all.Go(func() {
			name := string(rune('a' + h))
			for i := range 30 {
				if (i+h)%9 == 8 {
					time.Sleep(2 * short) // as one that hangs
				}
				until := time.Now().Add(short)
				held, err := b.s.Lease(t.Context(), name, 7, short)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				now := time.Now()
				for slot, p := range promised {
					if p.holder == name {
						delete(promised, slot)
					}
				}
				for _, slot := range held {
					if !until.After(now) {
						break // it came too late to be worked on
					}
					if p, ok := promised[slot]; ok && p.until.After(now) {
						t.Errorf("slot %d is %s's for another %s and was given to %s", slot, p.holder, p.until.Sub(now), name)
					}
					promised[slot] = promise{name, until}
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
}
