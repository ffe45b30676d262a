// Package configs carries the data files that ship inside every binary: rule sets, device descriptions and
// samples. It promises bytes exactly as they lie in this folder and never interprets them.
package configs

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed rules/*.yaml
var rules embed.FS

//go:embed devices/*.yaml
var devices embed.FS

// Rules returns the shipped rule set of that name, such as "cn-2016-62". The error of an unknown name says
// which names there are.
func Rules(name string) ([]byte, error) { return read(rules, "rules", name, "rule set") }

// RuleNames lists the shipped rule sets in order of name.
func RuleNames() []string { return names(rules, "rules") }

// Device returns the shipped device description of that name, such as "sign-modbus-tcp".
func Device(name string) ([]byte, error) { return read(devices, "devices", name, "device description") }

// DeviceNames lists the shipped device descriptions in order of name.
func DeviceNames() []string { return names(devices, "devices") }

func read(files embed.FS, dir, name, what string) ([]byte, error) {
	b, err := files.ReadFile(dir + "/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no %s %q is shipped; there are: %s", what, name, strings.Join(names(files, dir), ", "))
	}
	return b, nil
}

// names lists the .yaml files of one folder without their ending; the names lie in order.
func names(files embed.FS, dir string) []string {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil // the folder is fixed at compile time
	}
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		if n, ok := strings.CutSuffix(e.Name(), ".yaml"); ok {
			out = append(out, n)
		}
	}
	return out
}
