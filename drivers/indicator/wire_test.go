package indicator

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/internal/testenv"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/wim"
)

func simulated(t *testing.T, cfg simulator.IndicatorConfig) *simulator.Indicator {
	t.Helper()
	s, err := simulator.NewIndicator(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Simulator and profiles were written from the makers' tables apart from each other.
func TestEveryProfileReadsTheSimulatedInstrumentOverBothWires(t *testing.T) {
	for _, kind := range simulator.IndicatorKinds() {
		for _, wire := range []string{"TCP", "RTU"} {
			t.Run(kind+" "+wire, func(t *testing.T) {
				t.Parallel()
				cfg := Config{Profile: shipped(t, "indicator-"+kind)}
				sim := simulator.IndicatorConfig{Kind: kind}
				if wire == "TCP" {
					sim.Address = "127.0.0.1:0"
				} else {
					sim.Line, sim.Unit = filepath.Join(t.TempDir(), "bus"), 5
					cfg.Line, cfg.Baud, cfg.Parity, cfg.Unit = sim.Line, 115200, "none", 5
				}
				s := simulated(t, sim)
				cfg.Address = s.Addr()
				_, got := run(t, cfg)
				for _, l := range []simulator.StaticLoad{
					{Gross: 38460, Tare: 14460}, {Gross: 71234, Moving: true}, {}, {Gross: -120},
				} {
					s.Set(l)
					in := wait(t, got, "the load", func(in wim.Indication) bool {
						return in.Gross == l.Gross && (!in.Tells.Has(wim.TellsNet) || in.Net == l.Gross-l.Tare) && (!in.Tells.Has(wim.TellsTare) || in.Tare == l.Tare) &&
							(!in.Knows.Has(wim.Stable) || in.State.Has(wim.Stable) != l.Moving) && (!in.Knows.Has(wim.NetShown) || in.State.Has(wim.NetShown) == (l.Tare != 0))
					})
					if !in.Tells.Has(wim.TellsGross) || in.State.Any(wim.Unweighable) {
						t.Errorf("%+v", in)
					}
				}
				s.Set(simulator.StaticLoad{Gross: 99000, Over: true})
				wait(t, got, "the overload, where it is told", func(in wim.Indication) bool {
					return in.Tells == 0 && in.State.Any(wim.Overload|wim.Faulty) || !in.Knows.Any(wim.Overload|wim.Faulty) && in.Gross == 99000
				})
			})
		}
	}
}

// Whatever goes wrong on the wire, what is handed on is what stood on the scale.
func TestFaultsOnTheWireGiveNoWrongWeight(t *testing.T) {
	for _, wire := range []string{"TCP", "RTU"} {
		t.Run(wire, func(t *testing.T) {
			t.Parallel()
			p := shipped(t, "indicator-flintec-ft112")
			p.Timeout = conf.Duration(60 * time.Millisecond)
			cfg := Config{Profile: p, Silence: 200 * time.Millisecond}
			sim := simulator.IndicatorConfig{Kind: "flintec-ft112"}
			if wire == "TCP" {
				sim.Address = "127.0.0.1:0"
			} else {
				sim.Line = filepath.Join(t.TempDir(), "bus")
				cfg.Line, cfg.Baud, cfg.Parity = sim.Line, 115200, "none"
			}
			s := simulated(t, sim)
			cfg.Address = s.Addr()
			s.Set(simulator.StaticLoad{Gross: 38460})
			d, got := run(t, cfg)
			good := func(in wim.Indication) bool {
				if in.Gross != 38460 {
					t.Errorf("%+v", in)
				}
				return true
			}
			wait(t, got, "the first indication", good)
			for _, f := range []simulator.IndicatorFault{simulator.IndicatorSilence, simulator.IndicatorLate, simulator.IndicatorWrongUnit, simulator.IndicatorBusy, simulator.IndicatorReboot} {
				before := d.Health().Bad
				s.Strike(f, 90*time.Millisecond)
				limit := time.After(20 * time.Second)
				for d.Health().Bad == before && (wire == "TCP" || f != simulator.IndicatorReboot) { // a line has no connection to lose
					select {
					case in := <-got:
						good(in)
					case <-time.After(10 * time.Millisecond):
					case <-limit:
						t.Fatalf("%s did not show", f)
					}
				}
				for range 5 {
					wait(t, got, "indications after "+string(f), good)
				}
			}
		})
	}
}

func TestSwappedWordsAreNoWeight(t *testing.T) {
	s := simulated(t, simulator.IndicatorConfig{Kind: "bilancial-dd700", Address: "127.0.0.1:0"})
	s.Set(simulator.StaticLoad{Gross: 38460, Tare: 14460})
	d, got := run(t, Config{Address: s.Addr(), Profile: shipped(t, "indicator-bilancial-dd700"), Silence: 100 * time.Millisecond})
	wait(t, got, "the first indication", func(in wim.Indication) bool { return in.Gross == 38460 })
	s.Strike(simulator.IndicatorSwapped, time.Hour)
	down(t, d, got, "word order")
}

func TestAServerInAnotherLanguageIsRead(t *testing.T) {
	regs := map[uint16]uint16{}
	for at := range uint16(12) {
		regs[at] = 0
	}
	regs[5], regs[3], regs[6], regs[7], regs[11] = 38460, 14460, 0x8000, 1<<3, 1
	_, got := run(t, Config{Address: testenv.Pymodbus(t, regs), Profile: shipped(t, "indicator-flintec-ft112"), Silence: time.Minute})
	in := wait(t, got, "an indication", func(wim.Indication) bool { return true })
	if in.Gross != 38460 || in.Tare != 14460 || in.State != wim.Stable|wim.NetShown {
		t.Errorf("%+v", in)
	}
}
