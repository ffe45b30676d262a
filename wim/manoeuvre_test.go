package wim

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// rolling is a scale of one lane that stamps messages as the vehicle rolls: arrival and, where it has one, its own clock.
type rolling struct {
	feed
	device bool
}

func (f *rolling) axle(i uint8, after time.Duration, speed DeciKmh, spacing Mm) Reading {
	f.seq++
	f.now = f.now.Add(after)
	r := Reading{Kind: AxleReading, Boot: f.boot, Seq: f.seq, Arrival: f.now, Axle: Axle{Index: i, Load: 8000, Left: 4000, Right: 4000, Speed: speed, Spacing: spacing}}
	if f.device {
		r.DeviceTime = int64(f.now)
	}
	return r
}

func (f *rolling) end(axles uint8) Reading {
	f.seq++
	f.now = f.now.Add(100 * time.Millisecond)
	return Reading{Kind: VehicleEnd, Boot: f.boot, Seq: f.seq, Arrival: f.now, AxleCount: axles, Gross: 8000 * Kg(axles), Speed: 600}
}

// truck is a sound vehicle of three axles at 60 km/h, so long after the vehicle before it.
func (f *rolling) truck(after time.Duration) []Reading {
	return []Reading{f.axle(1, after, 600, 0), f.axle(2, 270*time.Millisecond, 600, 4500), f.axle(3, 81*time.Millisecond, 600, 1350), f.end(3)}
}

func newRolling() *rolling { return &rolling{feed: feed{boot: 7, now: 1000 * second}} }

func TestEveryManoeuvreHasItsFlag(t *testing.T) {
	cfg := AssemblerConfig{SpeedMin: 50, SpeedMax: 1200, Tailgate: 5000}
	for _, c := range []struct {
		name  string
		drive func(f *rolling) []Reading
		want  []Flag // of the vehicles in turn
	}{
		{"a truck that rolls has none", func(f *rolling) []Reading { return f.truck(0) }, []Flag{0}},
		{"braking between the axles", func(f *rolling) []Reading {
			return []Reading{f.axle(1, 0, 600, 0), f.axle(2, 300*time.Millisecond, 550, 4500), f.axle(3, 300*time.Millisecond, 480, 1350), f.end(3)}
		}, []Flag{Acceleration}},
		{"accelerating between the axles", func(f *rolling) []Reading {
			return []Reading{f.axle(1, 0, 300, 0), f.axle(2, 300*time.Millisecond, 360, 4500), f.end(2)}
		}, []Flag{Acceleration}},
		{"standing on the scale for ten seconds", func(f *rolling) []Reading {
			return []Reading{f.axle(1, 0, 100, 0), f.axle(2, 10*time.Second, 100, 4500), f.end(2)}
		}, []Flag{StopAndGo}},
		{"a crawl is no stop", func(f *rolling) []Reading {
			return []Reading{f.axle(1, 0, 50, 0), f.axle(2, 3240*time.Millisecond, 50, 4500), f.end(2)}
		}, []Flag{0}},
		{"axles without speed are taken to crawl", func(f *rolling) []Reading {
			return []Reading{f.axle(1, 0, 0, 0), f.axle(2, 9*time.Second, 0, 4500), f.end(2)}
		}, []Flag{0}},
		{"and then they stood", func(f *rolling) []Reading {
			return []Reading{f.axle(1, 0, 0, 0), f.axle(2, 10*time.Second, 0, 4500), f.end(2)}
		}, []Flag{StopAndGo}},
		{"too slow for the scale", func(f *rolling) []Reading {
			return []Reading{f.axle(1, 0, 49, 0), f.axle(2, 3300*time.Millisecond, 49, 4500), f.end(2)}
		}, []Flag{SpeedOutOfRange}},
		{"as fast as the scale weighs", func(f *rolling) []Reading {
			return []Reading{f.axle(1, 0, 1200, 0), f.axle(2, 135*time.Millisecond, 1200, 4500), f.end(2)}
		}, []Flag{0}},
		{"too fast for it", func(f *rolling) []Reading {
			return []Reading{f.axle(1, 0, 1201, 0), f.axle(2, 135*time.Millisecond, 1201, 4500), f.end(2)}
		}, []Flag{SpeedOutOfRange}},
		{"five metres behind the vehicle before", func(f *rolling) []Reading { return append(f.truck(0), f.truck(200*time.Millisecond)...) }, []Flag{0, 0}},
		{"less than five", func(f *rolling) []Reading { return append(f.truck(0), f.truck(190*time.Millisecond)...) }, []Flag{0, Tailgating}},
		{"the line brings a batch at once and the device's clock knows better", func(f *rolling) []Reading {
			f.device = true
			rs := append(f.truck(0), f.truck(5*time.Second)...)
			for i := range rs {
				rs[i].Arrival = rs[0].Arrival
			}
			return rs
		}, []Flag{0, 0}},
		{"the device's clock runs backwards", func(f *rolling) []Reading {
			f.device = true
			rs := f.truck(0)
			rs[1].DeviceTime = rs[0].DeviceTime - 1
			return rs
		}, []Flag{DeviceClock}},
		{"over the exit loop first, against the lane", func(f *rolling) []Reading {
			return append([]Reading{{Kind: LoopOn, Loop: ExitLoop, Arrival: f.now}}, f.truck(0)...)
		}, []Flag{Reverse}},
		{"over the entry loop first", func(f *rolling) []Reading {
			return append([]Reading{{Kind: LoopOn, Loop: EntryLoop, Arrival: f.now}, {Kind: LoopOn, Loop: ExitLoop, Arrival: f.now}}, f.truck(0)...)
		}, []Flag{0}},
		{"the vehicle before still covers the exit loop", func(f *rolling) []Reading {
			rs := append([]Reading{{Kind: LoopOn, Loop: EntryLoop, Arrival: f.now}}, f.truck(0)...)
			rs = append(rs, Reading{Kind: LoopOff, Loop: EntryLoop, Arrival: f.now}, Reading{Kind: LoopOn, Loop: EntryLoop, Arrival: f.now}, Reading{Kind: LoopOn, Loop: ExitLoop, Arrival: f.now})
			return append(rs, f.truck(5*time.Second)...)
		}, []Flag{0, 0}},
		{"a loop that nobody named says nothing", func(f *rolling) []Reading {
			return append([]Reading{{Kind: LoopOn, Loop: 9, Arrival: f.now}}, f.truck(0)...)
		}, []Flag{0}},
		{"a loop's message is missing", func(f *rolling) []Reading {
			a := f.axle(1, 0, 600, 0)
			f.seq++ // lost
			f.seq++
			on := Reading{Kind: LoopOn, Loop: ExitLoop, Boot: f.boot, Seq: f.seq, Arrival: f.now}
			return []Reading{a, on, f.axle(2, 270*time.Millisecond, 600, 4500), f.end(2)}
		}, []Flag{DeviceGap}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := push(NewAssembler(cfg), c.drive(newRolling())...)
			if len(got) != len(c.want) {
				t.Fatalf("%d vehicles, want %d", len(got), len(c.want))
			}
			for i, v := range got {
				if v.Flags != c.want[i] {
					t.Errorf("vehicle %d: flags %v, want %v", i+1, v.Flags.Names(), c.want[i].Names())
				}
			}
		})
	}
}

func TestAnIndicationBetweenTwoDivisionsIsVoid(t *testing.T) {
	for gross, want := range map[Kg]Flag{24_000: 0, 24_020: 0, 24_010: OffDivision, 24_001: OffDivision} {
		a, f := NewAssembler(AssemblerConfig{Division: 20}), newRolling()
		rs := f.truck(0)
		rs[3].Gross, rs[3].Temperature = gross, 2931
		if v := push(a, rs...)[0]; v.Flags != want || v.Temperature != 2931 {
			t.Errorf("%d kg: flags %v, want %v; temperature %d", gross, v.Flags.Names(), want.Names(), v.Temperature)
		}
	}
}

func TestTwoLanesTellWhoDrivesOnTheLineBetween(t *testing.T) {
	for _, c := range []struct {
		name                  string
		left, right           Kg // of this lane's second axle
		otherLeft, otherRight Kg
		later                 time.Duration
		want                  Flag
	}{
		{"both wheels on this lane, nobody beside", 4000, 4000, 0, 0, 0, 0},
		{"the right wheel runs over the neighbour's sensor", 4000, 0, 0, 4000, 0, Straddling},
		{"the left one does", 0, 4000, 4000, 0, 0, Straddling},
		{"the same wheel on both is no straddling", 4000, 0, 4000, 0, 0, 0},
		{"a whole axle beside", 4000, 4000, 3000, 3000, 0, SideBySide},
		{"a whole axle beside, of a scale that does not tell wheels apart", 4000, 4000, NotMeasured, NotMeasured, 0, SideBySide},
		{"a whole axle long before", 4000, 4000, 3000, 3000, -2 * time.Second, 0},
		{"half an axle long before", 4000, 0, 0, 4000, -2 * time.Second, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, f := NewAssembler(AssemblerConfig{Imbalance: 1000}), newRolling()
			rs := f.truck(0)
			rs[1].Axle.Left, rs[1].Axle.Right = c.left, c.right
			other := Reading{Kind: AxleReading, Arrival: rs[1].Arrival.Add(c.later), Axle: Axle{Left: c.otherLeft, Right: c.otherRight}}
			a.Neighbour(&Reading{Kind: Heartbeat})
			var got []Vehicle
			for i, r := range rs {
				if i == 2 && (c.otherLeft != 0 || c.otherRight != 0) {
					a.Neighbour(&other)
				}
				got = append(got, push(a, r)...)
			}
			if len(got) != 1 || got[0].Flags != c.want {
				t.Errorf("%d vehicles, flags %v, want %v", len(got), got[0].Flags.Names(), c.want.Names())
			}
		})
	}
}

func TestManyNeighboursAreForgottenInTurn(t *testing.T) {
	a, f := NewAssembler(AssemblerConfig{}), newRolling()
	a.Neighbour(&Reading{Kind: AxleReading, Arrival: f.now, Axle: Axle{Left: 1, Right: 1}})
	for range besideKept {
		a.Neighbour(&Reading{Kind: AxleReading, Arrival: f.now - 100*second, Axle: Axle{Left: 1, Right: 1}})
	}
	if v := push(a, f.truck(0)...)[0]; v.Flags != 0 {
		t.Errorf("flags %v of a glimpse that was pushed out", v.Flags.Names())
	}
}

func TestMessagesOutOfOrderOrLateWithinTheWindowMakeTheSameVehicle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newRolling()
		f.device = true
		var sent []Reading
		for range rapid.IntRange(1, 4).Draw(t, "vehicles") {
			sent = append(sent, f.truck(3*time.Second)...)
		}
		// Each message takes its own time on the way, less than the window; the first of all is not overtaken.
		const window = 500 * time.Millisecond
		came := append([]Reading(nil), sent...)
		due := make([]Time, len(came))
		for i := range came {
			due[i] = came[i].Arrival.Add(time.Duration(rapid.IntRange(0, int(window/time.Millisecond)-1).Draw(t, "delay")) * time.Millisecond)
			if i == 0 {
				due[i] = came[i].Arrival
			}
			came[i].Arrival = due[i]
		}
		for i := range came {
			for j := i; j > 0 && came[j].Arrival < came[j-1].Arrival; j-- {
				came[j], came[j-1] = came[j-1], came[j]
			}
		}
		if rapid.Bool().Draw(t, "one comes twice") {
			i := rapid.IntRange(0, len(came)-1).Draw(t, "which")
			came = append(came, came[i])
			came[len(came)-1].Arrival = came[len(came)-2].Arrival
		}
		var got []Vehicle
		a, o := NewAssembler(AssemblerConfig{}), Reorder{Window: window}
		take := func(r Reading) { got = append(got, push(a, r)...) }
		for _, r := range came {
			o.Push(r, take)
		}
		o.Expire(f.now.Add(time.Hour), take)
		want := push(NewAssembler(AssemblerConfig{}), sent...)
		if len(got) != len(want) {
			t.Fatalf("%d vehicles, want %d", len(got), len(want))
		}
		for i := range got {
			g, w := got[i], want[i]
			g.Start, g.End, w.Start, w.End = 0, 0, 0, 0 // when they came is not what passed
			if !g.same(&w) {
				t.Fatalf("vehicle %d: %+v, want %+v", i+1, g, w)
			}
		}
	})
}

func (v *Vehicle) same(w *Vehicle) bool {
	if v.Gross != w.Gross || v.AxleSum != w.AxleSum || v.Flags != w.Flags || v.Speed != w.Speed || len(v.Axles) != len(w.Axles) {
		return false
	}
	for i := range v.Axles {
		if v.Axles[i] != w.Axles[i] {
			return false
		}
	}
	return true
}

func TestAReorderLosesAndInventsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := Reorder{Window: time.Second}
		type name struct {
			kind      ReadingKind
			boot, seq uint32
		}
		in, out := map[name]int{}, map[name]int{}
		now := Time(0)
		take := func(r Reading) { out[name{r.Kind, r.Boot, r.Seq}]++ }
		for range rapid.IntRange(0, 100).Draw(t, "messages") {
			r := Reading{Kind: rapid.SampledFrom([]ReadingKind{AxleReading, VehicleEnd, Heartbeat, LinkDown, LoopOn}).Draw(t, "kind"),
				Boot: rapid.Uint32Range(1, 2).Draw(t, "boot"), Seq: rapid.Uint32Range(0, 60).Draw(t, "seq")}
			now += Time(rapid.Int64Range(-1e9, 2e9).Draw(t, "passes"))
			r.Arrival = now
			in[name{r.Kind, r.Boot, r.Seq}] = 1
			o.Push(r, take)
			if rapid.IntRange(0, 9).Draw(t, "look") == 0 {
				o.Expire(now, take)
			}
		}
		o.Flush(take)
		if o.Waiting() {
			t.Fatal("something waits after a flush")
		}
		seqs := map[[2]uint32]bool{} // two messages under one number are one, of whichever kind came first
		for k := range out {
			if in[k] == 0 {
				t.Fatalf("%+v was invented", k)
			}
			seqs[[2]uint32{k.boot, k.seq}] = true
		}
		for k := range in {
			if !seqs[[2]uint32{k.boot, k.seq}] {
				t.Fatalf("%+v is lost", k)
			}
		}
	})
}
