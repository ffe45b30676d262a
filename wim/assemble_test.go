package wim

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const second = Time(time.Second)

// feed is a scale of one lane that numbers its messages.
type feed struct {
	boot, seq uint32
	now       Time
}

func (f *feed) next(r Reading) Reading {
	f.seq++
	f.now += second / 10
	r.Boot, r.Seq, r.Arrival = f.boot, f.seq, f.now
	return r
}

func (f *feed) axle(i uint8, load Kg, spacing Mm) Reading {
	return f.next(Reading{Kind: AxleReading, Axle: Axle{Index: i, Load: load, Left: load / 2, Right: load - load/2, Speed: 600, Spacing: spacing}})
}

func (f *feed) end(axles uint8, gross Kg) Reading {
	return f.next(Reading{Kind: VehicleEnd, AxleCount: axles, Gross: gross, Speed: 600, Length: 9000})
}

func newFeed() *feed { return &feed{boot: 7, now: 1000 * second} }

// push feeds readings and returns clones of the vehicles that they complete.
func push(a *Assembler, rs ...Reading) []Vehicle {
	var out []Vehicle
	for _, r := range rs {
		if v, done := a.Push(r); done {
			out = append(out, v.Clone())
		}
	}
	return out
}

// threeAxles are the readings of one sound truck.
func threeAxles(f *feed) []Reading {
	return []Reading{f.axle(1, 6000, 0), f.axle(2, 8000, 4500), f.axle(3, 8010, 1350), f.end(3, 22000)}
}

func TestOneVehicle(t *testing.T) {
	a, f := NewAssembler(AssemblerConfig{Lane: 2}), newFeed()
	got := push(a, threeAxles(f)...)
	if len(got) != 1 {
		t.Fatalf("%d vehicles, want 1", len(got))
	}
	v := got[0]
	if v.Lane != 2 || v.Gross != 22000 || v.AxleSum != 22010 || v.Flags != 0 || v.Speed != 600 || v.Length != 9000 {
		t.Errorf("vehicle %+v", v)
	}
	if v.Start != 1000*second+second/10 || v.End != 1000*second+4*second/10 {
		t.Errorf("from %s to %s", v.Start, v.End)
	}
	if len(v.Axles) != 3 || v.Axles[2] != (Axle{Index: 3, Load: 8010, Left: 4005, Right: 4005, Speed: 600, Spacing: 1350}) {
		t.Errorf("axles %+v", v.Axles)
	}
	if boot, seq := a.Rest(); boot != 7 || seq != 4 {
		t.Errorf("rests on %d/%d, want 7/4", boot, seq)
	}
	if a.Open() {
		t.Error("still open after its end")
	}
}

func TestFlagsOfOneVehicle(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(rs []Reading) []Reading
		want   Flag
	}{
		{"a sound vehicle has none", func(rs []Reading) []Reading { return rs }, 0},
		{"an axle sum 3 % off is believed", func(rs []Reading) []Reading { rs[3].Gross = 21370; return rs }, 0},
		{"an axle sum further off is a mismatch", func(rs []Reading) []Reading { rs[3].Gross = 21360; return rs }, SumMismatch},
		{"an indication below the axle sum is a mismatch too", func(rs []Reading) []Reading { rs[3].Gross = 24000; return rs }, SumMismatch},
		{"the device counted one axle more", func(rs []Reading) []Reading { rs[3].AxleCount = 4; return rs }, MissedAxle},
		{"the device counted one axle less", func(rs []Reading) []Reading { rs[3].AxleCount = 2; return rs }, MissedAxle},
		{"wheels 70 to 30 are believed", func(rs []Reading) []Reading { rs[1].Axle.Left, rs[1].Axle.Right = 5600, 2400; return rs }, 0},
		{"wheels beyond 70 to 30 are not", func(rs []Reading) []Reading { rs[1].Axle.Left, rs[1].Axle.Right = 5601, 2399; return rs }, Imbalance},
		{"a wheel that is not measured balances with anything", func(rs []Reading) []Reading { rs[1].Axle.Left = NotMeasured; return rs }, 0},
		{"braking by a fifth", func(rs []Reading) []Reading { rs[2].Axle.Speed = 500; return rs }, Acceleration},
		{"slowing by a tenth is not braking", func(rs []Reading) []Reading { rs[2].Axle.Speed = 550; return rs }, 0},
		{"an axle without speed says nothing of braking", func(rs []Reading) []Reading { rs[2].Axle.Speed = 0; return rs }, 0},
		{"an axle message is missing", func(rs []Reading) []Reading { return slices.Delete(rs, 1, 2) }, DeviceGap | MissedAxle | SumMismatch},
		{"the first axle is missing", func(rs []Reading) []Reading { return rs[1:] }, DeviceGap | MissedAxle | SumMismatch},
		{"all axles are missing", func(rs []Reading) []Reading { return rs[3:] }, MissedAxle | SumMismatch},
		{"the device's own flags of the end are kept", func(rs []Reading) []Reading { rs[3].Flags = Straddling; return rs }, Straddling},
		{"the device's own flags of an axle are kept", func(rs []Reading) []Reading { rs[0].Flags = OffScale; return rs }, OffScale},
		{"a bit without a name is dropped, or the record could not be written", func(rs []Reading) []Reading { rs[3].Flags = 1 << 30; return rs }, 0},
		{"the line is lost inside the vehicle", func(rs []Reading) []Reading {
			return slices.Insert(rs, 2, Reading{Kind: LinkDown}, Reading{Kind: LinkUp})
		}, DeviceGap},
		{"one message is missing though the axles count on", func(rs []Reading) []Reading {
			for i := 1; i < len(rs); i++ {
				rs[i].Seq++
			}
			return rs
		}, DeviceGap},
		{"one message is missing before the end", func(rs []Reading) []Reading { rs[3].Seq++; return rs }, DeviceGap},
		{"a heartbeat tells of a message that never came", func(rs []Reading) []Reading {
			return slices.Insert(rs, 2, Reading{Kind: Heartbeat, Boot: 7, Seq: 3})
		}, DeviceGap},
		{"a heartbeat that tells nothing new changes nothing", func(rs []Reading) []Reading {
			return slices.Insert(rs, 2, Reading{Kind: Heartbeat, Boot: 7, Seq: 2})
		}, 0},
		{"a repeated message changes nothing", func(rs []Reading) []Reading { return slices.Insert(rs, 2, rs[1]) }, 0},
		{"a device that numbers neither axles nor messages", func(rs []Reading) []Reading {
			for i := range rs {
				rs[i].Seq, rs[i].Axle.Index = 0, 0
			}
			return rs
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := NewAssembler(AssemblerConfig{})
			got := push(a, c.change(threeAxles(newFeed()))...)
			if len(got) != 1 {
				t.Fatalf("%d vehicles, want 1", len(got))
			}
			if got[0].Flags != c.want {
				t.Errorf("flags %v, want %v", got[0].Flags.Names(), c.want.Names())
			}
		})
	}
}

func TestACrawlIsNoAcceleration(t *testing.T) {
	a, f := NewAssembler(AssemblerConfig{}), newFeed()
	rs := threeAxles(f)
	for i, s := range []DeciKmh{60, 70, 80} {
		rs[i].Axle.Speed = s
	}
	if v := push(a, rs...)[0]; v.Flags != 0 {
		t.Errorf("flags %v", v.Flags.Names())
	}
}

func TestAnEndThatWasLostClosesTheVehicleWithTheNextOnesFirstAxle(t *testing.T) {
	a, f := NewAssembler(AssemblerConfig{}), newFeed()
	first := threeAxles(f)
	got := push(a, first[:3]...)
	second := threeAxles(f)
	for i := range 3 { // other loads and spacings than the first, or an overwritten buffer would not show
		second[i].Axle.Load += 10
		second[i].Axle.Spacing += 20
	}
	second[3].Gross += 30
	v, done := a.Push(second[0])
	if !done || len(got) != 0 {
		t.Fatal("the first vehicle was not closed by the next one's first axle")
	}
	if boot, seq := a.Rest(); boot != 7 || seq != 3 {
		t.Errorf("rests on %d/%d, want its last axle 7/3", boot, seq)
	}
	if v.Gross != 0 || v.Flags != DeviceGap || len(v.Axles) != 3 || v.Axles[0].Load != 6000 {
		t.Errorf("the first vehicle is %+v", v)
	}
	next := push(a, second[1:]...)
	if len(next) != 1 || next[0].Flags != 0 || next[0].Gross != 22030 || len(next[0].Axles) != 3 {
		t.Errorf("the second vehicle is %+v", next)
	}
	if len(v.Axles) != 3 || v.Axles[0].Load != 6000 || v.Axles[1].Spacing != 4500 {
		t.Error("the first vehicle's axles were overwritten within the second")
	}
}

func TestARestartOfTheDeviceEndsTheVehicleBeforeIt(t *testing.T) {
	t.Run("by an axle", func(t *testing.T) {
		a, f := NewAssembler(AssemblerConfig{}), newFeed()
		got := push(a, threeAxles(f)[:2]...)
		f.boot, f.seq = 8, 0
		got = append(got, push(a, threeAxles(f)...)...)
		if len(got) != 2 || got[0].Flags != DeviceGap || got[1].Flags != 0 || got[1].Gross != 22000 {
			t.Errorf("vehicles %+v", got)
		}
	})
	t.Run("by an end whose axles belong to no one", func(t *testing.T) {
		a, f := NewAssembler(AssemblerConfig{}), newFeed()
		got := push(a, threeAxles(f)[:2]...)
		f.boot, f.seq = 8, 3
		got = append(got, push(a, f.end(3, 30000))...)
		if len(got) != 1 || got[0].Gross != 30000 || len(got[0].Axles) != 0 || !got[0].Flags.Has(DeviceGap|MissedAxle) {
			t.Errorf("vehicles %+v", got)
		}
	})
}

func TestExpire(t *testing.T) {
	begun := func() (*Assembler, *feed) {
		a, f := NewAssembler(AssemblerConfig{Wait: 5 * time.Second}), newFeed()
		push(a, threeAxles(f)[:2]...)
		return a, f
	}
	last := 1000*second + 2*second/10
	t.Run("waits as long as it was told", func(t *testing.T) {
		a, _ := begun()
		if _, done := a.Expire(last + 5*second - 1); done {
			t.Error("closed too early")
		}
		v, done := a.Expire(last + 5*second)
		if !done || v.Flags != TimedOut || v.Gross != 0 || v.End != last || len(v.Axles) != 2 {
			t.Errorf("%v %+v", done, v)
		}
		if _, seq := a.Rest(); seq != 2 {
			t.Errorf("rests on %d, want its last axle 2", seq)
		}
	})
	t.Run("closes nothing where nothing is open", func(t *testing.T) {
		a := NewAssembler(AssemblerConfig{})
		if _, done := a.Expire(math.MaxInt64); done {
			t.Error("closed a vehicle out of nothing")
		}
	})
	t.Run("starts anew when the clock was set back", func(t *testing.T) {
		a, _ := begun()
		if _, done := a.Expire(last - 3600*second); done {
			t.Error("closed by a clock set back")
		}
		if _, done := a.Expire(last - 3600*second + 5*second); !done {
			t.Error("never closed after the clock was set back")
		}
	})
	t.Run("the end that comes after all is a vehicle without axles", func(t *testing.T) {
		a, f := begun()
		a.Expire(last + 6*second)
		got := push(a, f.end(2, 14000))
		if len(got) != 1 || got[0].Gross != 14000 || !got[0].Flags.Has(MissedAxle|DeviceGap) {
			t.Errorf("vehicles %+v", got)
		}
	})
}

func TestMoreAxlesThanAnyVehicleHas(t *testing.T) {
	a, f := NewAssembler(AssemblerConfig{}), newFeed()
	for i := range 300 {
		if got := push(a, f.axle(uint8(min(i+1, 255)), 1000, 1500)); len(got) != 0 && i < 255 {
			t.Fatalf("closed at axle %d", i+1)
		}
	}
	v := push(a, f.end(255, 300000))[0]
	if len(v.Axles) > MaxAxles || !v.Flags.Has(MissedAxle) {
		t.Errorf("%d axles, flags %v", len(v.Axles), v.Flags.Names())
	}

	a, f = NewAssembler(AssemblerConfig{}), newFeed()
	for i := range MaxAxles + 1 {
		push(a, f.axle(uint8(i+1), 1000, 1500))
	}
	if v := push(a, f.end(MaxAxles+1, 33000))[0]; len(v.Axles) != MaxAxles || !v.Flags.Has(MissedAxle) {
		t.Errorf("%d axles, flags %v", len(v.Axles), v.Flags.Names())
	}
}

func TestAssemblerConfigRefusesWhatCannotBeMeant(t *testing.T) {
	for _, c := range []AssemblerConfig{{Wait: -1}, {SumTolerance: -1}, {Imbalance: 1001}, {Acceleration: -5}} {
		if c.Validate() == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if err := (AssemblerConfig{}).Validate(); err != nil {
		t.Error(err)
	}
}

// anyReading draws a reading with no regard for sense.
func anyReading() *rapid.Generator[Reading] {
	return rapid.Custom(func(t *rapid.T) Reading {
		return Reading{
			Kind: ReadingKind(rapid.IntRange(0, 6).Draw(t, "kind")), Boot: rapid.Uint32Range(0, 3).Draw(t, "boot"),
			Seq:     rapid.OneOf(rapid.Uint32Range(0, 20), rapid.Uint32()).Draw(t, "seq"),
			Arrival: Time(rapid.Int64().Draw(t, "arrival")),
			Axle: Axle{
				Index: rapid.OneOf(rapid.Uint8Range(0, 4), rapid.Uint8()).Draw(t, "index"), Load: Kg(rapid.Int32().Draw(t, "load")),
				Left: Kg(rapid.Int32().Draw(t, "left")), Right: Kg(rapid.Int32().Draw(t, "right")),
				Speed: DeciKmh(rapid.Int32().Draw(t, "axle speed")), Spacing: Mm(rapid.Int32().Draw(t, "spacing")), Flags: Flag(rapid.Uint32().Draw(t, "axle flags")),
			},
			Gross: Kg(rapid.Int32().Draw(t, "gross")), AxleCount: rapid.Uint8().Draw(t, "count"), Speed: DeciKmh(rapid.Int32().Draw(t, "speed")),
			Length: Mm(rapid.Int32().Draw(t, "length")), Flags: Flag(rapid.Uint32().Draw(t, "flags")),
		}
	})
}

// What no sequence of readings can bring about: a panic, an invented axle, another gross than indicated, a
// vehicle end without its vehicle.
func TestPropertyAnyReadingsAtAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := NewAssembler(AssemblerConfig{Wait: time.Duration(rapid.Int64().Draw(t, "wait"))})
		axles := 0
		for _, r := range rapid.SliceOfN(anyReading(), 0, 80).Draw(t, "readings") {
			if r.Kind == AxleReading {
				axles++
			}
			repeat, _, _ := a.follow(&r)
			v, done := a.Push(r)
			if r.Kind == VehicleEnd && done == repeat {
				t.Fatalf("an end gave vehicle %v, repeat %v", done, repeat)
			}
			if r.Kind == VehicleEnd && done && v.Gross != r.Gross {
				t.Fatalf("gross %d, indicated %d", v.Gross, r.Gross)
			}
			if r.Kind != VehicleEnd && done && v.Gross != 0 {
				t.Fatalf("gross %d was never indicated", v.Gross)
			}
			if rapid.Bool().Draw(t, "expire") && !done {
				v, done = a.Expire(Time(rapid.Int64().Draw(t, "now")))
			}
			if done {
				axles -= len(v.Axles)
				Classify(&v)
				if _, err := v.Flags.MarshalJSON(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if axles < 0 {
			t.Fatalf("%d axles more than came", -axles)
		}
	})
}

// Heartbeats, repeats and other link news between the messages of one vehicle do not change it.
func TestPropertyWhatLiesBetweenDoesNotChangeAVehicle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFeed()
		n := rapid.IntRange(2, 12).Draw(t, "axles")
		var rs []Reading
		var sum Kg
		for i := range n {
			load := Kg(rapid.IntRange(500, 20000).Draw(t, "load"))
			sum += load
			rs = append(rs, f.axle(uint8(i+1), load, Mm(rapid.IntRange(500, 9000).Draw(t, "spacing"))))
		}
		rs = append(rs, f.end(uint8(n), sum))
		want := push(NewAssembler(AssemblerConfig{}), rs...)
		var noisy []Reading
		for i, r := range rs {
			noisy = append(noisy, r)
			switch rapid.IntRange(0, 3).Draw(t, "between") {
			case 1:
				noisy = append(noisy, Reading{Kind: Heartbeat, Boot: r.Boot, Seq: r.Seq, Arrival: r.Arrival})
			case 2:
				noisy = append(noisy, rs[rapid.IntRange(0, i).Draw(t, "repeat")])
			case 3:
				noisy = append(noisy, Reading{Kind: LinkUp})
			}
		}
		got := push(NewAssembler(AssemblerConfig{}), noisy...)
		if len(want) != 1 || len(got) != 1 {
			t.Fatalf("%d and %d vehicles, want 1 and 1", len(want), len(got))
		}
		if !slices.Equal(got[0].Axles, want[0].Axles) || got[0].Gross != want[0].Gross || got[0].Flags != want[0].Flags || got[0].End != want[0].End {
			t.Fatalf("got %+v, want %+v", got[0], want[0])
		}
	})
}

func TestAssemblingAllocatesNothing(t *testing.T) {
	a, f := NewAssembler(AssemblerConfig{}), newFeed()
	if n := testing.AllocsPerRun(200, func() {
		for i := range uint8(6) {
			a.Push(f.axle(i+1, 8000, 1350))
		}
		v, done := a.Push(f.end(6, 48000))
		if !done {
			t.Fatal("no vehicle")
		}
		Classify(&v)
	}); n != 0 {
		t.Errorf("%v allocations a vehicle, want none", n)
	}
}

func BenchmarkAssembleAndClassify(b *testing.B) {
	a, f := NewAssembler(AssemblerConfig{}), newFeed()
	spacing := [6]Mm{0, 3130, 1320, 6420, 1290, 1290}
	b.ReportAllocs()
	for b.Loop() {
		for i := range uint8(6) {
			a.Push(f.axle(i+1, 8000, spacing[i]))
		}
		v, _ := a.Push(f.end(6, 48000))
		Classify(&v)
	}
}
