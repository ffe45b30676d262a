package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/internal/capture"
	"github.com/axlegate/axlegate/simulator"
)

// exchanges decodes and gives what was written.
func exchanges(t *testing.T, c decodeModbusCommand, in []byte) (out []overheard, err error) {
	t.Helper()
	var b bytes.Buffer
	err = c.decode(bytes.NewReader(in), &b)
	for d := json.NewDecoder(&b); ; {
		var l overheard
		if derr := d.Decode(&l); derr == io.EOF {
			return out, err
		} else if derr != nil {
			t.Fatal(derr)
		}
		out = append(out, l)
	}
}

func TestWhatAMasterReadsOfAnIndicatorIsUnderstoodBeside(t *testing.T) {
	for _, rtu := range []bool{false, true} {
		dir := t.TempDir()
		cfg := simulator.IndicatorConfig{Kind: "laumas-tlb", Unit: 1, Logger: slog.New(slog.DiscardHandler)}
		link := filepath.Join(dir, "tap")
		var c captureCommand
		ready := there(link)
		if rtu {
			cfg.Line = filepath.Join(dir, "device")
			c = captureCommand{Device: cfg.Line, Baud: 9600, Frame: "8N1", Link: link}
		} else {
			cfg.Address = "127.0.0.1:0"
		}
		slave, err := simulator.NewIndicator(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		slave.Set(simulator.StaticLoad{Gross: 38_460})
		m := modbus.Config{Line: link, Baud: 9600, Unit: 1}
		if !rtu {
			listen := address(t)
			c, ready, m = captureCommand{Device: slave.Addr(), Listen: listen}, listens(listen), modbus.Config{Address: listen, Unit: 1}
		}
		file := captured(t, c, ready, func() {
			client, err := modbus.New(m)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close() //nolint:errcheck // it was only read
			if _, err := client.ReadHolding(t.Context(), 6, 10); err != nil {
				t.Error(err)
			}
			if _, err := client.ReadHolding(t.Context(), 60_000, 1); err == nil {
				t.Error("the simulator has a register that no such instrument has")
			}
		})
		if err := slave.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := exchanges(t, decodeModbusCommand{Profile: "indicator-laumas-tlb", RTU: rtu}, file)
		if err != nil || len(got) != 2 {
			t.Fatalf("rtu %v: %+v, %v\n%s", rtu, got, err, file)
		}
		if g := got[0]; !g.Answered || g.Address != 6 || len(g.Registers) != 10 || g.Indication == nil || g.Indication.Gross == nil || *g.Indication.Gross != 38_460 {
			t.Errorf("rtu %v: %+v", rtu, g)
		}
		if got[1].Exception != 2 || !got[1].Answered {
			t.Errorf("rtu %v: refused: %+v", rtu, got[1])
		}
		if !rtu {
			continue
		}
		// As one who listens on the two wires hears it, with garbage between.
		var wire []byte
		r, err := capture.NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		for {
			e, err := r.Next()
			if err != nil {
				break
			}
			wire = append(wire, e.Bytes...)
		}
		clean, err := exchanges(t, decodeModbusCommand{Profile: "indicator-laumas-tlb"}, wire)
		if err != nil || len(clean) != 2 || clean[0].Indication == nil || *clean[0].Indication.Gross != 38_460 {
			t.Errorf("on the wire: %+v, %v", clean, err)
		}
		for at := range wire {
			spoilt := append(append(bytes.Clone(wire[:at]), 0x55, 0x03), wire[at:]...)
			got, err := exchanges(t, decodeModbusCommand{}, spoilt)
			if err == nil {
				t.Errorf("garbage at byte %d is not counted", at)
			}
			if len(got) > 0 && got[0].Answered && got[0].Registers != nil && (got[0].Count != 10 || got[0].Registers[1] != clean[0].Registers[1]) {
				t.Errorf("garbage at byte %d gives %+v", at, got[0])
			}
		}
	}
}

func TestWhatIsNoModbusSaysSo(t *testing.T) {
	for want, in := range map[string]string{
		"no exchange was understood": "hello, this is an indicator in its own dialect",
		"0 bytes are in no frame":    "",
	} {
		if _, err := exchanges(t, decodeModbusCommand{}, []byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if err := (decodeModbusCommand{Profile: "sign-modbus-tcp"}).decode(strings.NewReader(""), io.Discard); err == nil || !strings.Contains(err.Error(), "want that of an indicator or an axle scale") {
		t.Errorf("a sign's profile: %v", err)
	}
}
