package simulator

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/internal/conf"
)

func bridged(t *testing.T, b Bridge) *Simulator {
	t.Helper()
	sim, err := New(Scenario{Site: "north-1", Seed: 5, Control: "127.0.0.1:0", Traffic: Traffic{Fleet: 8, Vehicles: 1, PerMinute: 1},
		Lanes: []Lane{{Lane: 1, ScaleModbus: "127.0.0.1:0"}}, Bridges: []Bridge{b}}, Config{Dir: t.TempDir()})
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
	return sim
}

// call asks the control port and gives status and body.
func call(t *testing.T, sim *Simulator, method, path string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+sim.ControlAddr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, b
}

func TestVehiclesStandOnABridgeOneAfterTheOther(t *testing.T) {
	sim := bridged(t, Bridge{Name: "bridge-1", Kind: "laumas-tlb", Modbus: "127.0.0.1:0", Stay: conf.Duration(200 * time.Millisecond)})
	c, err := modbus.NewClient(&modbus.ClientConfiguration{URL: "tcp://" + sim.BridgeAddr("bridge-1"), Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() }) //nolint:errcheck // the test is over
	plates := map[string]bool{}
	until(t, "three vehicles that stood, each shown as it is", func() bool {
		before, _ := sim.Bridge("bridge-1")
		r, err := c.ReadRegisters(6, 3, modbus.HOLDING_REGISTER)
		if err != nil {
			t.Fatal(err)
		}
		after, _ := sim.Bridge("bridge-1")
		if before != after || !before.Standing {
			return false
		}
		if shown := int32(r[1])<<16 | int32(r[2]); shown != int32(before.Gross) || r[0]&(1<<11) == 0 || shown < 3000 || shown%20 != 0 {
			t.Errorf("%d kg shown, status %04X, %+v stands there", shown, r[0], before)
		}
		plates[before.Plate] = true
		return before.Weighed >= 3
	})
	if len(plates) < 2 {
		t.Errorf("plates: %v", plates)
	}
}

func TestABridgeMaySpeakOnASerialLineBehindATerminalServer(t *testing.T) {
	sim := bridged(t, Bridge{Name: "bridge-1", Kind: "xk3190", Server: "127.0.0.1:0", Stay: conf.Duration(time.Second)})
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", sim.BridgeAddr("bridge-1"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // the test is over
	frames := bufio.NewReader(c)
	until(t, "the weight of a vehicle that stands", func() bool {
		before, _ := sim.Bridge("bridge-1")
		frame, err := frames.ReadString(3)
		if err != nil {
			t.Fatal(err)
		}
		return before.Standing && frame[:9] == fmt.Sprintf("\x02+%06d0", before.Gross)
	})
	for path, want := range map[string]int{
		"/bridges/bridge-1/fault/silence?for=1h": http.StatusOK, "/bridges/bridge-1/fault/reboot": http.StatusOK, "/bridges/bridge-1/fault/exception": http.StatusBadRequest,
	} {
		if code, body := call(t, sim, http.MethodPost, path); code != want {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

func TestABridgeIsLookedAtAndBrokenAtTheControlPort(t *testing.T) {
	sim := bridged(t, Bridge{Name: "bridge-1", Kind: "hbm-wtx", Line: "bridge.tty", Stay: conf.Duration(time.Hour)})
	code, body := call(t, sim, http.MethodGet, "/bridges/bridge-1")
	var st BridgeState
	if err := json.Unmarshal(body, &st); err != nil || code != http.StatusOK || st != (BridgeState{}) {
		t.Errorf("%d %s %v", code, body, err)
	}
	for path, want := range map[string]int{
		"/bridges/bridge-1/fault/silence?for=1h": http.StatusOK, "/bridges/bridge-1/fault/reboot": http.StatusOK, "/bridges/bridge-1/fault/flood": http.StatusBadRequest,
		"/bridges/bridge-1/fault/silence?for=soon": http.StatusBadRequest, "/bridges/bridge-2/fault/silence": http.StatusNotFound,
	} {
		if code, body := call(t, sim, http.MethodPost, path); code != want {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code, _ := call(t, sim, http.MethodGet, "/bridges/bridge-2"); code != http.StatusNotFound {
		t.Errorf("a bridge that there is not: %d", code)
	}
}

func TestAMistakeInABridgeIsNamed(t *testing.T) {
	good := Bridge{Name: "b", Kind: "hbm-wtx", Modbus: "127.0.0.1:0"}
	for _, c := range []struct {
		name, want string
		bend       func(*Bridge)
	}{
		{"no name", "bridges[0].name", func(b *Bridge) { b.Name = "" }},
		{"no such instrument", `"bathroom" is not known`, func(b *Bridge) { b.Kind = "bathroom" }},
		{"no place", "want one of modbus", func(b *Bridge) { b.Modbus = "" }},
		{"two places", "want one of modbus", func(b *Bridge) { b.Line = "x" }},
		{"no address", "no address to listen on", func(b *Bridge) { b.Modbus = "here" }},
		{"a terminal server of Modbus", "want one of modbus", func(b *Bridge) { b.Server = "127.0.0.1:0" }},
		{"Modbus of a terminal", "want one of server", func(b *Bridge) { b.Kind = "toledo" }},
		{"a terminal's unit", "does not speak Modbus", func(b *Bridge) { b.Kind, b.Modbus, b.Server, b.Unit = "toledo", "", "127.0.0.1:0", 3 }},
		{"a negative stay", "cannot be negative", func(b *Bridge) { b.Stay = -1 }},
	} {
		b := good
		c.bend(&b)
		s := Scenario{Site: "north-1", Lanes: []Lane{{Lane: 1, ScaleModbus: "127.0.0.1:0"}}, Bridges: []Bridge{b}}
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	s := Scenario{Site: "north-1", Lanes: []Lane{{Lane: 1, ScaleModbus: "127.0.0.1:0"}}, Bridges: []Bridge{good, good}}
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "used twice") {
		t.Errorf("two of one name: %v", err)
	}
}

func TestADeviceThatCannotBePutUpTakesTheOthersDown(t *testing.T) {
	s := Scenario{Site: "north-1", Lanes: []Lane{{Lane: 1, ScaleModbus: "127.0.0.1:0"}}, Bridges: []Bridge{
		{Name: "b", Kind: "hbm-wtx", Line: "b.tty"}, {Name: "c", Kind: "hbm-wtx", Modbus: "192.0.2.1:1"}}}
	dir := t.TempDir()
	if _, err := New(s, Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "bridge c") {
		t.Errorf("an address of somebody else: %v", err)
	}
	s.Bridges = s.Bridges[:1]
	sim, err := New(s, Config{Dir: dir}) // the line is free again
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.takeDown(); err != nil {
		t.Error(err)
	}
}
