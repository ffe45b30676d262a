package chaos

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestOneSeedGivesOnePlanAndNothingIsBrokenTwiceAtATime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed, f := rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom([]form{single, cluster}).Draw(t, "form")
		m := means{rapid.Bool().Draw(t, "partitions"), rapid.Bool().Draw(t, "disks")}
		length := time.Duration(rapid.IntRange(20, 600).Draw(t, "seconds")) * time.Second
		p := plan(seed, length, f, m)
		if !slices.Equal(p, plan(seed, length, f, m)) {
			t.Fatal("the same seed gave another plan")
		}
		type hand struct {
			kind   string
			target string
		}
		until := map[hand]time.Duration{}
		for _, fl := range p {
			if fl.At < 0 || fl.At+fl.For > length {
				t.Fatalf("%v at %v is beyond the run", fl, fl.At)
			}
			if !slices.Contains(append(kinds(f, m), backUp), fl.Kind) {
				t.Fatalf("%v cannot be done here", fl)
			}
			h := hand{string(fl.Kind), fl.Target}
			if until[h] > fl.At {
				t.Fatalf("%v begins before the one before it ended", fl)
			}
			until[h] = fl.At + fl.For
		}
	})
}

func TestALongRunDrawsEveryKind(t *testing.T) {
	t.Parallel()
	all := means{partitions: true, disks: true}
	for _, f := range []form{single, cluster} {
		for seed := range uint64(20) {
			p := plan(seed, 4*time.Minute, f, all)
			for _, k := range kinds(f, all) {
				if !slices.ContainsFunc(p, func(fl fault) bool { return fl.Kind == k }) {
					t.Errorf("seed %d, %s: nothing is %q", seed, f, k)
				}
			}
		}
	}
}
