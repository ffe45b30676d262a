package simulator

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func rides(t *testing.T, c RidesConfig) *Rides {
	t.Helper()
	g, err := NewRides(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestTheSameSeedGivesTheSameRides(t *testing.T) {
	tell := func(seed uint64) string {
		g := rides(t, RidesConfig{Seed: seed, Near: 500, Sway: 10, Manoeuvres: 300})
		var all []byte
		var r Ride
		for range 200 {
			g.Next(&r)
			b, err := json.Marshal([]any{r.Truth, r.Readings, r.Units})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		return string(all)
	}
	one, again := tell(3), tell(3)
	if one != again {
		t.Error("one seed gives two traffics")
	}
	if one == tell(4) {
		t.Error("two seeds give one traffic")
	}
}

func TestRidesAreTrueWeighedAndNumbered(t *testing.T) {
	g := rides(t, RidesConfig{Seed: 1, Near: 1000, Bias: 10, Traffic: Traffic{AxleError: 20}})
	var r Ride
	last, errs, n := uint32(0), 0.0, 0
	for range 3000 {
		g.Next(&r)
		x := &r.Truth
		if x.FirstSeq != last+1 || len(r.Readings) != len(x.Axles)+1 || x.EndSeq != r.Readings[len(r.Readings)-1].Seq {
			t.Fatalf("messages %d to %d after %d, %d readings of %d axles", x.FirstSeq, x.EndSeq, last, len(r.Readings), len(x.Axles))
		}
		last = x.EndSeq
		var truly, told wim.Kg
		for i, a := range x.Axles {
			truly += a.Load
			told += r.Readings[i].Axle.Load
			if a.Left+a.Right != a.Load {
				t.Fatalf("wheels %d and %d of %d", a.Left, a.Right, a.Load)
			}
		}
		end := r.Readings[len(r.Readings)-1]
		if truly != x.Gross || told != end.Gross || end.Kind != wim.VehicleEnd || x.Indicated != told || x.Flags != 0 || len(r.Beside) != 0 {
			t.Fatalf("gross %d of %d, indicated %d of %d, flags %v", x.Gross, truly, end.Gross, told, x.Flags.Names())
		}
		errs += float64(told-truly) / float64(truly)
		n++
	}
	if mean := 1000 * errs / float64(n); math.Abs(mean-10) > 1 {
		t.Errorf("mean error %.2f permille, want the bias of 10", mean)
	}
}

func TestManoeuvresSpoilAWeighingAndAreTold(t *testing.T) {
	g := rides(t, RidesConfig{Seed: 2, Manoeuvres: 1000})
	seen := map[wim.Flag]int{}
	var r Ride
	for range 600 {
		g.Next(&r)
		x := &r.Truth
		for f := x.Flags; f != 0; f &= f - 1 {
			seen[f&-f]++
		}
		if x.LostFrames > 0 {
			seen[wim.DeviceGap]++
			if len(r.Readings) != len(x.Axles) {
				t.Fatalf("%d messages of %d axles, one lost", len(r.Readings), len(x.Axles))
			}
		}
		if x.Flags.Has(wim.Straddling) && len(r.Beside) != len(x.Axles) {
			t.Fatalf("%d axles beside of %d", len(r.Beside), len(x.Axles))
		}
	}
	for _, f := range []wim.Flag{wim.Acceleration, wim.StopAndGo, wim.Straddling, wim.SpeedOutOfRange, wim.Reverse, wim.DeviceGap} {
		if seen[f] < 20 {
			t.Errorf("%v: %d rides of 600", f.Names(), seen[f])
		}
	}
}

func TestRidesThatCannotBeAreRefused(t *testing.T) {
	for _, c := range []RidesConfig{{Near: 1001}, {Sway: -1}, {Bias: -1001}, {Manoeuvres: 2000}, {Traffic: Traffic{Fleet: -1}}} {
		if _, err := NewRides(c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}
