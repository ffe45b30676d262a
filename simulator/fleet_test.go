package simulator

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

func TestEveryVehicleOfAFleetIsBelievable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := Traffic{Fleet: 40, Division: 20, AxleError: 20, Overloaded: wim.Permille(rapid.IntRange(0, 400).Draw(t, "overloaded")),
			OverLimit: wim.Permille(rapid.IntRange(0, 300).Draw(t, "over limit")), OverloadedOnly: wim.Permille(rapid.IntRange(0, 300).Draw(t, "overloaded only"))}
		r := stream(rapid.Uint64().Draw(t, "seed"), 0)
		fleet := newFleet(r, &tr)
		plates := map[string]bool{}
		for i := range fleet {
			v := &fleet[i]
			if plates[v.Front] || v.Train && plates[v.Trailer] {
				t.Fatalf("a plate twice: %s %s", v.Front, v.Trailer)
			}
			plates[v.Front] = true
			if n := utf8.RuneCountInString(v.Front); n != 7 || strings.ContainsAny(v.Front, "IO") {
				t.Fatalf("plate %s", v.Front)
			}
			if v.Train != (v.Trailer != "") || v.Train && (!strings.HasSuffix(v.Trailer, "挂") || utf8.RuneCountInString(v.Trailer) != 7) {
				t.Fatalf("trailer plate %q of %s", v.Trailer, v.Kind)
			}
			plates[v.Trailer] = v.Train
			if v.capacity < 5000 || v.capacity > 45000 || v.Licence.Kerb < 5000 {
				t.Fatalf("%s: capacity %d, kerb %d", v.Kind, v.capacity, v.Licence.Kerb)
			}
			for _, s := range v.Spacings {
				if s < 1000 || s > 9000 {
					t.Fatalf("%s: spacing %d", v.Kind, s)
				}
			}
		}
		for range 50 {
			p := newPassage(r, fleet, &tr)
			var sum, told wim.Kg
			for i, a := range p.axles {
				w := p.indicated[i]
				if a.Left+a.Right != a.Load || w.Left+w.Right != w.Load || w.Load%tr.Division != 0 || a.Load < 1000 || a.Load > 26000 {
					t.Fatalf("axle %+v indicated as %+v", a, w)
				}
				sum += a.Load
				told += w.Load
			}
			if sum != p.gross || told != p.total || p.speed < 300 || p.speed > 900 {
				t.Fatalf("gross %d of %d, indicated %d of %d, speed %d", p.gross, sum, p.total, told, p.speed)
			}
			if off := 1000 * (p.total - p.gross) / p.gross; off > 45 || off < -45 {
				t.Fatalf("indicated %d, true %d", p.total, p.gross)
			}
		}
	})
}

func TestTheSameSeedGivesTheSameTraffic(t *testing.T) {
	draw := func(seed uint64) []passage {
		tr := Traffic{Fleet: 30, Division: 20, AxleError: 20, Overloaded: 300}
		fleet := newFleet(stream(seed, 0), &tr)
		var out []passage
		r := stream(seed, 16)
		for range 20 {
			out = append(out, newPassage(r, fleet, &tr))
		}
		return out
	}
	if !reflect.DeepEqual(draw(3), draw(3)) {
		t.Error("one seed gave two traffics")
	}
	if reflect.DeepEqual(draw(3), draw(4)) {
		t.Error("two seeds gave one traffic")
	}
}

func TestSharesOfTheTrafficAreWhatTheScenarioAsks(t *testing.T) {
	const n = 20000
	tr := Traffic{Fleet: 83, Division: 20, AxleError: 20, Overloaded: 150, OverLimit: 100, OverloadedOnly: 50, Unregistered: 200}
	r := stream(6, 0)
	fleet := newFleet(r, &tr)
	var both, road, papers, neither int
	for range n {
		p := newPassage(r, fleet, &tr)
		cargo := p.gross
		for _, k := range p.vehicle.kerb {
			cargo -= k
		}
		switch overRoad, overPapers := cargo > p.vehicle.road, cargo > p.vehicle.capacity; {
		case overRoad && overPapers:
			both++
		case overRoad:
			road++
		case overPapers:
			papers++
		default:
			neither++
		}
	}
	for _, c := range []struct {
		name      string
		have      int
		permille  int
		tolerance int
	}{{"over both", both, 150, 10}, {"over the road's limit only", road, 100, 10}, {"over the licences only", papers, 50, 10}, {"over nothing", neither, 700, 15}} {
		if got := c.have * 1000 / n; got < c.permille-c.tolerance || got > c.permille+c.tolerance {
			t.Errorf("%s: %d permille, want %d", c.name, got, c.permille)
		}
	}
	unregistered := 0
	for _, v := range newFleet(r, &Traffic{Fleet: 5000, Unregistered: 200}) {
		if !v.Registered {
			unregistered++
		}
	}
	if unregistered < 900 || unregistered > 1100 {
		t.Errorf("%d of 5000 are unregistered, want about 1000", unregistered)
	}
}

func TestRegistrationsAreWrittenForAllThatAreRegistered(t *testing.T) {
	tr := Traffic{Fleet: 50, Unregistered: 300}
	fleet := newFleet(stream(1, 0), &tr)
	var b bytes.Buffer
	if err := writeRegistrations(&b, fleet); err != nil {
		t.Fatal(err)
	}
	for _, v := range fleet {
		if strings.Contains(b.String(), v.Front) != v.Registered || v.Train && strings.Contains(b.String(), v.Trailer) != v.Registered {
			t.Errorf("%s and %s, registered %v", v.Front, v.Trailer, v.Registered)
		}
	}
	if !strings.HasPrefix(b.String(), "plate,kind,kerb_kg,rated_load_kg,max_gross_kg,max_towed_kg,drive_axles,axles\n") {
		t.Errorf("header: %.80s", b.String())
	}
}

func BenchmarkNewPassage(b *testing.B) {
	tr := Traffic{Fleet: 100, Division: 20, AxleError: 20, Overloaded: 200}
	r := stream(1, 0)
	fleet := newFleet(r, &tr)
	b.ReportAllocs()
	var p passage
	for b.Loop() {
		p = newPassage(r, fleet, &tr)
	}
	if p.gross == 0 {
		b.Fatal(fmt.Sprint(p))
	}
}
