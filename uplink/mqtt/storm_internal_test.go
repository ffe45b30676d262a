package mqtt

import (
	"testing"
	"time"
)

// storm plays sites that lose their broker at one moment in a time of its own. The broker is away for so long; then
// it takes who comes. What is counted is when they come: attempts in each tenth of a second.
func storm(sites int, away time.Duration) (attempts []int, last time.Duration) {
	at := make([]time.Duration, sites)
	pause := make([]*backoff, sites)
	for i := range sites {
		pause[i] = newBackoff(0, 0)
		at[i] = pause[i].next()
	}
	for i := range sites {
		for {
			tenth := int(at[i] / (100 * time.Millisecond))
			for len(attempts) <= tenth {
				attempts = append(attempts, 0)
			}
			attempts[tenth]++
			if at[i] >= away {
				last = max(last, at[i])
				break
			}
			at[i] += pause[i].next() // a refusal costs no time
		}
	}
	return attempts, last
}

func TestAThousandSitesComeBackSpreadOut(t *testing.T) {
	for name, away := range map[string]time.Duration{
		"at once": 0, "after a second": time.Second, "after half a minute": 30 * time.Second, "after an hour": time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			const sites = 1000
			attempts, last := storm(sites, away)
			most := 0
			for _, n := range attempts {
				most = max(most, n)
			}
			t.Logf("%d sites, a broker that is away for %s: at most %d attempts in a tenth of a second, the last is back %s after the broker", sites, away, most, (last - away).Round(time.Millisecond))
			if most > sites/10 {
				t.Errorf("%d of %d come in one tenth of a second", most, sites)
			}
			if last-away > defaultRetryMax {
				t.Errorf("the last comes %s after the broker is back", last-away)
			}
		})
	}
}
