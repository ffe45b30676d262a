package weighbridge

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/axlegate/axlegate/drivers/serial"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/wim"
)

// told is an indicator that shows what the test says, ten times a second.
type told struct {
	mu  sync.Mutex
	in  wim.Indication
	off bool
}

func (i *told) show(in wim.Indication) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.in = in
}

func (i *told) Run(ctx context.Context, emit func(wim.Indication)) error {
	for ctx.Err() == nil {
		i.mu.Lock()
		in, off := i.in, i.off
		i.mu.Unlock()
		if !off {
			emit(in)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return nil
}

func (*told) Health() wim.DeviceHealth { return wim.DeviceHealth{Up: true} }

func load(kg wim.Kg, state wim.Condition) wim.Indication {
	return wim.Indication{Gross: kg, Tells: wim.TellsGross, State: state, Knows: wim.Stable | wim.Overload | wim.Faulty}
}

func TestAWeightCountsWhenNothingHasMovedForAWhile(t *testing.T) {
	type step struct {
		show   wim.Indication
		length time.Duration
	}
	const s = time.Second
	at := wim.Stable
	for name, c := range map[string]struct {
		steps []step
		want  error
		kg    wim.Kg
	}{
		"at rest":                              {[]step{{load(48_260, at), 4 * s}}, nil, 48_260},
		"just driven on":                       {[]step{{load(0, at), 5 * s}, {load(48_260, at), 2 * s}}, ErrMoving, 0},
		"rocks within what the scale flickers": {[]step{{load(48_260, at), 2 * s}, {load(48_280, at), 2 * s}}, nil, 48_280},
		"rocks beyond it":                      {[]step{{load(48_260, at), 4 * s}, {load(48_300, at), s}}, ErrMoving, 0},
		"creeps in small steps":                {[]step{{load(48_260, at), s}, {load(48_280, at), s}, {load(48_300, at), s}, {load(48_320, at), s}}, ErrMoving, 0},
		"the indicator says it moves":          {[]step{{load(48_260, 0), 9 * s}}, ErrMoving, 0},
		"the indicator never says whether":     {[]step{{wim.Indication{Gross: 48_260, Tells: wim.TellsGross}, 4 * s}}, nil, 48_260},
		"overloaded":                           {[]step{{load(48_260, at|wim.Overload), 9 * s}}, ErrNoWeight, 0},
		"broken":                               {[]step{{load(48_260, at|wim.Faulty), 9 * s}}, ErrNoWeight, 0},
		"a held value":                         {[]step{{load(48_260, at|wim.Held), 9 * s}}, ErrNoWeight, 0},
		"only a net weight":                    {[]step{{wim.Indication{Net: 30_000, Tells: wim.TellsNet, State: at, Knows: at}, 9 * s}}, ErrNoWeight, 0},
		"nobody":                               {[]step{{load(20, at), 9 * s}}, ErrEmpty, 0},
		"below zero":                           {[]step{{load(-40, at), 9 * s}}, ErrEmpty, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ind := &told{in: c.steps[0].show}
				b, err := New(Config{Bridge: "bridge-1", Indicator: ind})
				if err != nil {
					t.Fatal(err)
				}
				var got []wim.Transaction
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() {
					done <- b.Run(ctx, func(_ context.Context, x wim.Transaction) error { got = append(got, x); return nil })
				}()
				for _, s := range c.steps {
					ind.show(s.show)
					time.Sleep(s.length)
				}
				if why := b.Shown().Why; !errors.Is(why, c.want) || (why == nil) != (c.want == nil) {
					t.Errorf("shown: %v, want %v", why, c.want)
				}
				x, err := b.Weigh(ctx, Weighing{Plate: "川A12345", By: "chen"})
				if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || x.Gross != c.kg || (err == nil) != (len(got) == 1) {
					t.Errorf("%+v, %v, want %d kg, %v", x, err, c.kg, c.want)
				}
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestALoadIsWeighedOnceForOneVehicle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ind := &told{in: load(40_000, wim.Stable)}
		b, err := New(Config{Bridge: "bridge-1", Indicator: ind, Station: "K12"})
		if err != nil {
			t.Fatal(err)
		}
		full := errors.New("the disk is full")
		fail := full
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx, func(context.Context, wim.Transaction) error { return fail }) }()
		time.Sleep(5 * time.Second)
		if _, err := b.Weigh(ctx, Weighing{}); !errors.Is(err, ErrNoPlate) {
			t.Errorf("without a plate: %v", err)
		}
		if _, err := b.Weigh(ctx, Weighing{Plate: "A"}); !errors.Is(err, full) || b.Shown().Last != nil {
			t.Errorf("what is not committed is no weighing: %v", err)
		}
		fail = nil
		first, err := b.Weigh(ctx, Weighing{Plate: "A", Trailer: "B挂", Color: wim.Yellow, By: "chen"})
		if err != nil || first.Gross != 40_000 || first.System != "bridge-1" || first.By != "chen" || first.Station != "K12" || first.Trailer != "B挂" || b.Shown().Last.ID != first.ID {
			t.Fatalf("%+v, %v", first, err)
		}
		if _, err := b.Weigh(ctx, Weighing{Plate: "C"}); !errors.Is(err, ErrTwice) {
			t.Errorf("the same load for another vehicle: %v", err)
		}
		ind.show(load(0, wim.Stable))
		time.Sleep(time.Second)
		ind.show(load(31_000, wim.Stable))
		time.Sleep(5 * time.Second)
		second, err := b.Weigh(ctx, Weighing{Plate: "A"})
		if err != nil || second.Gross != 31_000 || second.ID == first.ID {
			t.Errorf("the next load: %+v, %v", second, err)
		}
		ind.mu.Lock()
		ind.off = true
		ind.mu.Unlock()
		time.Sleep(3 * time.Second)
		if s := b.Shown(); !errors.Is(s.Why, ErrSilent) || s.Known {
			t.Errorf("a silent indicator: %+v", s)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := b.Weigh(ctx, Weighing{Plate: "A"}); !errors.Is(err, ErrNotAtWork) {
			t.Errorf("after the site: %v", err)
		}
	})
}

// A real line: the simulator's terminal, the driver of its dialect.
func TestATerminalOnALineIsWeighed(t *testing.T) {
	path := t.TempDir() + "/bridge"
	sim, err := simulator.NewTerminal(t.Context(), simulator.TerminalConfig{Dialect: "toledo", Line: path, Every: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close() //nolint:errcheck // taken down with the test
	sim.Set(simulator.StaticLoad{Gross: 48_260})
	ind, err := serial.NewIndicator(serial.IndicatorConfig{Device: "bridge-1", Path: path, Dialect: "toledo"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(Config{Bridge: "bridge-1", Indicator: ind, Steady: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx, func(context.Context, wim.Transaction) error { return nil }) }()
	for end := time.Now().Add(30 * time.Second); b.Shown().Why != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v, %+v", b.Shown(), b.Health())
		}
	}
	x, err := b.Weigh(ctx, Weighing{Plate: "川A12345"})
	if err != nil || x.Gross != 48_260 {
		t.Errorf("%+v, %v", x, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
