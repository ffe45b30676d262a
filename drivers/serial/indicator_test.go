package serial

import (
	"context"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/wim"
)

// terminal puts up a simulated indicator and reads it, on a line or behind a terminal server.
func terminal(t *testing.T, dialect Dialect, overTCP bool) (*simulator.Terminal, *Indicator, <-chan wim.Indication) {
	t.Helper()
	at := simulator.TerminalConfig{Dialect: dialect.Name, Every: 5 * time.Millisecond}
	if overTCP {
		at.Address = "127.0.0.1:0"
	} else {
		at.Line = filepath.Join(t.TempDir(), "line")
	}
	sim, err := simulator.NewTerminal(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	o := options(dialect)
	if o.Shown != "" {
		o.Shown = "net" // what it plays: the display
	}
	cfg := IndicatorConfig{Device: "bridge", Path: at.Line, Address: sim.Addr(), Dialect: dialect.Name, Options: o, Poll: 5 * time.Millisecond, Silence: time.Minute}
	if dialect.Open {
		cfg.Request = []byte("P")
	}
	ind, out := attend(t, cfg)
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return sim, ind, out
}

// attend runs a driver until the test ends.
func attend(t *testing.T, cfg IndicatorConfig) (*Indicator, <-chan wim.Indication) {
	t.Helper()
	ind, err := NewIndicator(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out := make(chan wim.Indication)
	ended := make(chan error, 1)
	go func() {
		ended <- ind.Run(ctx, func(in wim.Indication) {
			select {
			case out <- in:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return ind, out
}

// await takes indications until one is as wanted.
func await(t *testing.T, out <-chan wim.Indication, what string, as func(wim.Indication) bool) wim.Indication {
	t.Helper()
	limit := time.After(20 * time.Second)
	var last wim.Indication
	for {
		select {
		case last = <-out:
			if as(last) {
				return last
			}
		case <-limit:
			t.Fatalf("no indication of %s; the last one: %+v", what, last)
		}
	}
}

func TestEveryDialectReadsTheSimulatedIndicatorOnALineAndOverTCP(t *testing.T) {
	var names []string
	for _, d := range Dialects() {
		names = append(names, d.Name)
		for _, way := range []string{"line", "tcp"} {
			t.Run(d.Name+" on "+way, func(t *testing.T) {
				t.Parallel()
				sim, ind, out := terminal(t, d, way == "tcp")
				for _, load := range []simulator.StaticLoad{
					{Gross: 38460}, {Gross: 38440, Moving: true}, {Gross: 38460, Tare: 14200}, {Gross: -120}, {Gross: 99990, Over: true}, {Gross: 8240},
				} {
					switch {
					case load.Over && !d.Knows.Has(wim.Overload), load.Gross < 0 && d.Name == "paw":
						continue // it cannot tell
					case load.Moving && (d.Name == "mt-sics-stable" || d.Name == "rinstrum"):
						continue // it has no weight then
					}
					sim.Set(load)
					in := await(t, out, d.Name, func(in wim.Indication) bool {
						if load.Over {
							return in.State.Has(wim.Overload)
						}
						return in.Tells.Has(wim.TellsGross) && in.Gross == load.Gross || in.Tells.Has(wim.TellsNet) && in.Net == load.Gross-load.Tare
					})
					if load.Over && in.Tells != 0 || in.Knows.Has(wim.Stable) && !load.Over && in.State.Has(wim.Stable) == load.Moving ||
						in.Knows.Has(wim.NetShown) && !load.Over && in.State.Has(wim.NetShown) != (load.Tare != 0) || in.Arrival == 0 {
						t.Errorf("%+v of %+v", in, load)
					}
				}
				// A spoilt frame costs no more than itself.
				bad := ind.Health().Bad + ind.Health().Skipped
				sim.Spoil([]byte("\x00\xff\x02"))
				await(t, out, "a weight after a spoilt frame", func(in wim.Indication) bool {
					if in.Tells.Has(wim.TellsGross) && in.Gross != 8240 || in.Tells.Has(wim.TellsNet) && in.Net != 8240 {
						t.Errorf("%+v", in)
					}
					return in.Tells != 0 && ind.Health().Bad+ind.Health().Skipped > bad
				})
			})
		}
	}
	slices.Sort(names)
	if kinds := simulator.TerminalKinds(); !slices.Equal(names, kinds) {
		t.Errorf("dialects %v, played %v", names, kinds)
	}
}

func TestAnIndicatorThatIsSilentIsDownUntilItSpeaksAgain(t *testing.T) {
	sim, err := simulator.NewTerminal(t.Context(), simulator.TerminalConfig{Dialect: "toledo", Address: "127.0.0.1:0", Every: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close() //nolint:errcheck // the test is over
	ind, out := attend(t, IndicatorConfig{Device: "bridge", Address: sim.Addr(), Dialect: "toledo", Poll: 5 * time.Millisecond, Silence: 500 * time.Millisecond})
	first := <-out
	if h := ind.Health(); !h.Up || h.Messages == 0 {
		t.Errorf("%+v after %+v", h, first)
	}
	sim.Strike(simulator.IndicatorSilence, time.Hour)
	for ind.Health().Up { // what was on its way is still read
		select {
		case <-out:
		case <-time.After(10 * time.Millisecond):
		}
	}
	if h := ind.Health(); !strings.Contains(h.Reason, "no good frame") {
		t.Errorf("%+v", h)
	}
	sim.Strike(simulator.IndicatorSilence, 0)
	<-out
	if h := ind.Health(); !h.Up || h.Reconnects < 2 {
		t.Errorf("%+v", h)
	}
}

func TestALineThatIsNotThereIsToldAndTriedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "line")
	ind, out := attend(t, IndicatorConfig{Device: "bridge", Path: path, Dialect: "toledo", Framing: "8N1"})
	until(t, "the line to be missed", func() bool { return strings.Contains(ind.Health().Reason, "check the cable") })
	sim, err := simulator.NewTerminal(t.Context(), simulator.TerminalConfig{Dialect: "toledo", Line: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	sim.Set(simulator.StaticLoad{Gross: 38460})
	await(t, out, "a line that came", func(in wim.Indication) bool { return in.Gross == 38460 })
}

func TestAnIndicatorsConfigurationIsCheckedBeforeItRuns(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  IndicatorConfig
		says string
	}{
		{"neither line nor address", IndicatorConfig{Dialect: "toledo"}, "one of path and address"},
		{"both", IndicatorConfig{Dialect: "toledo", Path: "/dev/x", Address: "192.0.2.1:4001"}, "one of path and address"},
		{"no such dialect", IndicatorConfig{Dialect: "morse", Path: "/dev/x"}, "there is"},
		{"a unit that is needed", IndicatorConfig{Dialect: "xk3190", Path: "/dev/x"}, "kg, t or g"},
		{"a speed over TCP", IndicatorConfig{Dialect: "toledo", Address: "192.0.2.1:4001", Baud: 9600}, "terminal server"},
		{"an address without a port", IndicatorConfig{Dialect: "toledo", Address: "192.0.2.1"}, "192.0.2.7:4001"},
		{"a framing that there is not", IndicatorConfig{Dialect: "toledo", Path: "/dev/x", Framing: "9N1"}, "7E1"},
		{"a framing cut short", IndicatorConfig{Dialect: "toledo", Path: "/dev/x", Framing: "8"}, "7E1"},
		{"a parity that there is not", IndicatorConfig{Dialect: "toledo", Path: "/dev/x", Framing: "8X1"}, "7E1"},
		{"a request that is needed", IndicatorConfig{Dialect: "condec-demand", Path: "/dev/x"}, "needs the one"},
		{"a request that is not", IndicatorConfig{Dialect: "toledo", Path: "/dev/x", Request: []byte("P")}, "leave it out"},
		{"a silence shorter than a pause", IndicatorConfig{Dialect: "sma", Path: "/dev/x", Poll: time.Second, Silence: time.Second}, "not longer"},
		{"a speed that is none", IndicatorConfig{Dialect: "sma", Path: "/dev/x", Baud: 5}, "baud"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.Device = "bridge"
			if _, err := NewIndicator(c.cfg); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
	if m, err := modeOf(9600, "7O2"); err != nil || m.DataBits != 7 || m.BaudRate != 9600 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestATerminalServerThatEndsIsTriedAgain(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // the test is over
	_, out := attend(t, IndicatorConfig{Device: "bridge", Address: l.Addr().String(), Dialect: "xk3190", Options: Options{Unit: "kg", Shown: "gross"}})
	for range 2 {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("\x02+038460012\x03")); err != nil {
			t.Fatal(err)
		}
		if in := <-out; in.Gross != 38460 {
			t.Errorf("%+v", in)
		}
		c.Close() //nolint:errcheck // it is the test
	}
}
