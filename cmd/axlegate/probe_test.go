package main

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/pty"

	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/simulator"
)

func probed(t *testing.T, c probeCommand) (out string, err error) {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = 150 * time.Millisecond
	}
	c.Limit = time.Minute
	var text, progress bytes.Buffer
	p := probe{probeCommand: c, out: &text, progress: &progress, line: true}
	err = p.run(t.Context())
	if !strings.Contains(progress.String(), c.Target) {
		t.Errorf("the progress line says %q", progress.String())
	}
	return text.String(), err
}

func onScale(t *testing.T, cfg simulator.IndicatorConfig) *simulator.Indicator {
	t.Helper()
	d, err := simulator.NewIndicator(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	d.Set(simulator.StaticLoad{Gross: 38460, Tare: 14460})
	return d
}

func TestProbeNamesWhatAnswersAtAnAddress(t *testing.T) {
	d := onScale(t, simulator.IndicatorConfig{Kind: "laumas-tlb", Address: "127.0.0.1:0"})
	out, err := probed(t, probeCommand{Target: d.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"unit 1 answers: holding registers (function 3) at 0 can be read, input registers (function 4) at 0 are refused with exception 1\n",
		"    indicator-laumas-tlb         gross 38460 kg, net 24000 kg; stable, net-shown\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if strings.Contains(out, "unit 255") || strings.Contains(out, "eagle") || strings.Contains(out, "dad141") {
		t.Errorf("it answers to one unit and has neither the registers of an Eagle nor of a DAD:\n%s", out)
	}
	if d.Load().Tare != 14460 {
		t.Error("probing changed the scale")
	}
}

func TestProbeFollowsALoad(t *testing.T) {
	d := onScale(t, simulator.IndicatorConfig{Kind: "flintec-ft112", Address: "127.0.0.1:0"})
	go func() { // while it is followed
		d.Set(simulator.StaticLoad{Gross: 20000, Moving: true})
	}()
	out, err := probed(t, probeCommand{Target: d.Addr(), Units: "1", Profile: []string{"indicator-flintec-ft112"}, Follow: 700 * time.Millisecond})
	if err != nil || !strings.Contains(out, "gross 20000 kg, tare 0 kg; no condition\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestProbeKnowsAnAxleScale(t *testing.T) {
	sim, err := simulator.New(simulator.Scenario{Site: "north-1", Lanes: []simulator.Lane{{Lane: 1, ScaleModbus: "127.0.0.1:0"}}}, simulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	out, err := probed(t, probeCommand{Target: sim.ScaleAddr(1), Units: "1"})
	if err != nil || !strings.Contains(out, "    axle-ring-tcp                boot ") || strings.Contains(out, "indicator-") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestProbeFindsAnInstrumentOfUnitZero(t *testing.T) {
	d := onScale(t, simulator.IndicatorConfig{Kind: "hbm-wtx", Address: "127.0.0.1:0"})
	out, err := probed(t, probeCommand{Target: d.Addr()})
	if err != nil || !strings.Contains(out, "unit 0 answers") || !strings.Contains(out, "indicator-hbm-wtx            gross 38460 kg") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestProbeNamesWhatAnswersOnALine(t *testing.T) {
	d := onScale(t, simulator.IndicatorConfig{Kind: "flintec-ft112", Line: filepath.Join(t.TempDir(), "bus"), Unit: 3})
	out, err := probed(t, probeCommand{Target: d.Line(), Units: "2-3", Baud: []int{19200}, Parity: []string{"none"}, Listen: 50 * time.Millisecond, Profile: []string{"indicator-flintec-ft112"}})
	if err != nil || !strings.Contains(out, "19200 baud, parity none, unit 3 answers") || !strings.Contains(out, "gross 38460 kg, tare 14460 kg; stable, net-shown") || strings.Contains(out, "unit 2") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestProbeHearsWhatTalksByItselfAndSaysWhenNothingIsThere(t *testing.T) {
	m, s, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close() //nolint:errcheck // a cable does not say goodbye
		m.Close() //nolint:errcheck // likewise
	})
	c := probeCommand{Target: s.Name(), Units: "1", Baud: []int{9600}, Parity: []string{"none"}, Listen: 300 * time.Millisecond, Timeout: 50 * time.Millisecond}
	if out, err := probed(t, c); err == nil || !strings.Contains(err.Error(), "nothing answered") || out != "" {
		t.Errorf("an empty line: %v\n%s", err, out)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			if _, err := m.WriteString("what a kettle says\r\n"); err != nil {
				return
			}
			<-tick.C
		}
	}()
	out, err := probed(t, c)
	stop()
	<-done
	if err == nil || !strings.Contains(out, "bytes came unasked that are in no dialect") {
		t.Errorf("a talking line: %v\n%s", err, out)
	}
}

func TestProbeKnowsTheDialectOfALineThatTalksByItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "line")
	d, err := simulator.NewTerminal(t.Context(), simulator.TerminalConfig{Dialect: "toledo", Line: path, Every: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	out, err := probed(t, probeCommand{Target: path, Units: "1", Baud: []int{9600}, Parity: []string{"none"}, Listen: 500 * time.Millisecond})
	if err != nil || !strings.Contains(out, "talks by itself in the dialect toledo: ") || strings.Contains(out, "unit 1") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestProbeSaysWhyItCannotAsk(t *testing.T) {
	addr, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		cmd        probeCommand
	}{
		{"nobody listens", "check the address, the port", probeCommand{Target: addr, Timeout: time.Second}},
		{"units that are none", "write them as 1-10,247", probeCommand{Target: addr, Timeout: time.Second, Units: "1-x"}},
		{"a range the wrong way round", "write them as 1-10,247", probeCommand{Target: addr, Timeout: time.Second, Units: "9-1"}},
		{"a profile that is not shipped", `"bathroom" is shipped`, probeCommand{Target: addr, Timeout: time.Second, Profile: []string{"bathroom"}}},
		{"a line that there is not", "/dev/serial/by-id", probeCommand{Target: "/dev/none", Timeout: time.Second}},
		{"a profile of another device", `unknown key "order"`, probeCommand{Target: addr, Timeout: time.Second, Profile: []string{"../../configs/devices/sign-modbus-tcp.yaml"}}},
		{"following by all profiles", "exactly one profile", probeCommand{Target: addr, Timeout: time.Second, Follow: time.Second}},
		{"no time", "above zero", probeCommand{Target: addr}},
	} {
		c.cmd.Limit = time.Minute
		p := probe{probeCommand: c.cmd, out: &bytes.Buffer{}}
		if err := p.run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestUnitListsAreReadAsWritten(t *testing.T) {
	if got, err := unitList("1-3, 247,2"); err != nil || !slices.Equal(got, []uint8{1, 2, 3, 247}) {
		t.Errorf("%v, %v", got, err)
	}
}
