package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDevicesListsEveryKindOnce(t *testing.T) {
	all, err := devices()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, d := range all {
		if kinds[d.kind]++; d.name == "" || d.what == "" || d.source == "" {
			t.Errorf("%+v", d)
		}
	}
	for _, k := range []string{"axle scale, serial", "axle scale, Modbus", "controller, whole vehicles", "indicator, Modbus", "indicator, serial", "camera", "sign, Modbus"} {
		if kinds[k] == 0 {
			t.Errorf("no %s", k)
		}
	}
}

func TestDevicesAreFoundByEveryWord(t *testing.T) {
	for _, c := range []struct {
		name  string
		cmd   devicesCommand
		with  []string
		never string
		err   string
	}{
		{"a maker", devicesCommand{Words: []string{"mettler"}}, []string{"indicator-mettler-ind570", "toledo-short", "mt-sics"}, "laumas", ""},
		{"a maker and a kind", devicesCommand{Words: []string{"Mettler", "SERIAL"}}, []string{"mt-sics"}, "ind570", ""},
		{"in Chinese", devicesCommand{Words: []string{"耀华"}}, []string{"xk3190-command"}, "toledo", ""},
		{"with what is missing", devicesCommand{Words: []string{"xk3190-reversed"}, Missing: true}, []string{"missing: formats 1 and 2 look alike", "from: "}, "toledo", ""},
		{"nothing", devicesCommand{Words: []string{"abacus", "1900"}}, nil, "", "abacus and 1900"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			err := c.cmd.list(&out)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v", err)
			}
			for _, w := range c.with {
				if !strings.Contains(out.String(), w) {
					t.Errorf("no %q in\n%s", w, out.String())
				}
			}
			if c.never != "" && strings.Contains(out.String(), c.never) {
				t.Errorf("%q in\n%s", c.never, out.String())
			}
		})
	}
}

var update = flag.Bool("update", false, "write docs/devices.md anew")

func TestThePageOfDevicesSaysWhatThereIs(t *testing.T) {
	const path = "../../docs/devices.md"
	var want strings.Builder
	if err := markdown(&want); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, []byte(want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want.String() {
		t.Errorf("%s is not what the profiles say; write it anew with: go test ./cmd/axlegate -run ThePageOfDevices -update", path)
	}
	all, err := devices()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if _, err := os.Stat(filepath.Join("../../docs", page(d.kind))); err != nil {
			t.Errorf("%s has no page: %v", d.kind, err)
		}
	}
}
