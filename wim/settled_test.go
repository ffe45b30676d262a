package wim

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestALoadHasSettledWhenItsWeightKeepsForLongEnough(t *testing.T) {
	type step struct {
		ms    int64
		kg    Kg
		state Condition
		want  bool
	}
	const knows = Stable | Overload
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"steady", []step{{0, 38460, Stable, false}, {500, 38460, Stable, false}, {1000, 38460, Stable, true}, {1500, 38460, Stable, true}}},
		{"within the band", []step{{0, 38460, Stable, false}, {500, 38480, Stable, false}, {1000, 38470, Stable, true}}},
		{"out of the band", []step{{0, 38460, Stable, false}, {500, 38480, Stable, false}, {1000, 38455, Stable, false}, {2000, 38455, Stable, false}, {2100, 38455, Stable, true}}},
		{"creeping slowly", []step{{0, 100, Stable, false}, {400, 110, Stable, false}, {800, 120, Stable, false}, {1200, 130, Stable, false}, {1600, 140, Stable, false}}},
		{"moving in between", []step{{0, 38460, Stable, false}, {500, 38460, 0, false}, {1000, 38460, Stable, false}}},
		{"overloaded in between", []step{{0, 38460, Stable, false}, {500, 38460, Stable | Overload, false}, {1000, 38460, Stable, false}}},
		{"a gap", []step{{0, 38460, Stable, false}, {500, 38460, Stable, false}, {1600, 38460, Stable, false}}},
		{"a clock that was set back", []step{{5000, 38460, Stable, false}, {5500, 38460, Stable, false}, {4000, 38460, Stable, false}, {5000, 38460, Stable, false}, {5200, 38460, Stable, true}}},
		{"too few", []step{{0, 38460, Stable, false}, {1000, 38460, Stable, false}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Settled{Span: time.Second, Gap: time.Second, Band: 20, Least: 3}
			for i, x := range c.steps {
				kg, ok := s.Take(Indication{Arrival: Time(x.ms * 1e6), Gross: x.kg, Tells: TellsGross, State: x.state, Knows: knows})
				if ok != x.want || ok && kg != x.kg {
					t.Errorf("step %d: %d kg, %v", i, kg, ok)
				}
			}
		})
	}
}

func TestOnlyTheWeightThatIsAskedForSettles(t *testing.T) {
	for _, which := range []Weights{TellsGross, TellsNet, TellsTare} {
		s := Settled{Span: 1, Gap: time.Second, Least: 1, Which: which}
		in := Indication{Gross: 3, Net: 2, Tare: 1, Tells: which}
		s.Take(in)
		in.Arrival = 1
		if kg, ok := s.Take(in); !ok || kg != map[Weights]Kg{TellsGross: 3, TellsNet: 2, TellsTare: 1}[which] {
			t.Errorf("%v: %d, %v", which.Names(), kg, ok)
		}
		in.Tells = 7 &^ which
		if _, ok := s.Take(in); ok {
			t.Errorf("%v settled without being told", which.Names())
		}
	}
}

// Whatever comes, a weight settles only when every indication of the last span was within the band of every other.
func TestPropertyWhatSettledWasSteadyForTheWholeSpan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Settled{Span: 10, Gap: 4, Band: 3, Least: 4}
		var all []Indication
		var now Time
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			now += Time(rapid.IntRange(0, 5).Draw(t, "pause"))
			in := Indication{Arrival: now, Gross: Kg(rapid.IntRange(0, 5).Draw(t, "kg")), Tells: TellsGross, Knows: Stable, State: Stable}
			if rapid.IntRange(0, 12).Draw(t, "moves") == 0 {
				in.State = 0
			}
			all = append(all, in)
			kg, ok := s.Take(in)
			if !ok {
				continue
			}
			for i := len(all) - 1; i >= 0 && now-all[i].Arrival < 10; i-- {
				if x := all[i]; x.State == 0 || x.Gross-kg > 3 || kg-x.Gross > 3 {
					t.Fatalf("%d kg settled at %d, but %+v", kg, now, x)
				}
			}
		}
	})
}
