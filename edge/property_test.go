package edge

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

// Whatever is lost, repeated or restarted, every message of a boot up to the last one heard of is taken in once
// or lies in exactly one gap.
func TestMessagesTakenInAndGapsPartitionEveryBoot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sequence{lane: 1, device: "d"}
		type name struct{ boot, seq uint32 }
		times := map[name]int{}
		heard := map[uint32]uint32{} // boot → last number heard of
		boot, seq := uint32(1), uint32(rapid.IntRange(0, 5).Draw(t, "start"))
		for range rapid.IntRange(1, 80).Draw(t, "messages") {
			r := wim.Reading{Kind: wim.AxleReading}
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0: // a restart of the device
				boot, seq = boot+1, uint32(rapid.IntRange(0, 3).Draw(t, "already"))
				continue
			case 1, 2: // lost on the line
				seq++
				continue
			case 3:
				r.Kind = wim.Heartbeat
			case 4: // repeated
				if seq == 0 {
					continue
				}
			default:
				seq++
			}
			r.Boot, r.Seq = boot, seq
			st, gap := s.look(&r)
			if gap != nil {
				if gap.Boot != boot || gap.From == 0 {
					t.Fatalf("%+v", gap)
				}
				for n := gap.From; n <= gap.To; n++ {
					times[name{boot, n}]++
				}
			}
			if st == stepRepeated {
				continue
			}
			if r.Kind != wim.Heartbeat && r.Seq > 0 {
				times[name{boot, r.Seq}]++
			}
			s.take(&r)
			heard[boot] = seq
		}
		for b, upto := range heard {
			for n := uint32(1); n <= upto; n++ {
				if c := times[name{b, n}]; c != 1 {
					t.Fatalf("message %d of boot %d is accounted for %d times", n, b, c)
				}
			}
		}
	})
}

// Whatever the order of reads and vehicles, a read goes to one vehicle or to none, and a vehicle has at most one
// front and one rear plate text.
func TestAReadNeverGoesToTwoVehicles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMatcher(PlateConfig{Before: 3 * time.Second, After: 3 * time.Second, Late: 20 * time.Second})
		now, begun := 10.0, 0.0
		var vehicles []*passed
		arrived, dropped := 0, 0
		settle := func(final bool) {
			b := wim.Time(0)
			if begun > 0 {
				b = at(begun)
			}
			_, d := m.settle(at(now), b, final)
			dropped += d
		}
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			now += float64(rapid.IntRange(0, 1500).Draw(t, "ms")) / 1000
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				if begun == 0 {
					begun = now
				}
			case 1:
				if begun > 0 {
					p := &passed{name: &wim.RecordRef{}, start: at(begun), end: at(now)}
					m.closed(p)
					vehicles, begun = append(vehicles, p), 0
				}
			case 2:
				side := rapid.SampledFrom([]wim.End{wim.Front, wim.Rear}).Draw(t, "end")
				m.arrived(arrivedPlate{read: wim.PlateRead{Camera: "c", Event: fmt.Sprint(arrived), End: side,
					Text: rapid.SampledFrom([]string{"", "A", "B", "C"}).Draw(t, "text"), Arrival: at(now)}})
				arrived++
				dropped += m.overflow()
			}
			settle(false)
		}
		begun, now = 0, now+60
		settle(true)
		given := map[string]bool{}
		for _, p := range vehicles {
			texts := map[wim.End]string{}
			for _, r := range p.reads {
				if given[r.Event] {
					t.Fatalf("read %s has two vehicles", r.Event)
				}
				given[r.Event] = true
				if old := texts[r.End]; r.Text != "" && old != "" && old != r.Text {
					t.Fatalf("a vehicle has the %s plates %s and %s", r.End, old, r.Text)
				} else if r.Text != "" {
					texts[r.End] = r.Text
				}
			}
		}
		if len(given)+dropped != arrived {
			t.Fatalf("%d reads: %d given, %d dropped", arrived, len(given), dropped)
		}
	})
}
