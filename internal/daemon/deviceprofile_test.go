package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestADeviceProfileIsCheckedByItsKind(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "configs", "devices", "*.yaml"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		if kind, err := KindOf(f); err != nil || kind != "device" {
			t.Errorf("%s: %q, %v", f, kind, err)
		}
		if err := CheckDevice(f); err != nil {
			t.Error(err)
		}
		good, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		bad := filepath.Join(t.TempDir(), "x.yaml")
		if err := os.WriteFile(bad, append(good, "colour: red\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := CheckDevice(bad); err == nil || !strings.Contains(err.Error(), `x.yaml:`) || !strings.Contains(err.Error(), `unknown key "colour"`) {
			t.Errorf("%s with a key that there is not: %v", f, err)
		}
	}
	other := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(other, []byte("kind: kettle\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckDevice(other); err == nil || !strings.Contains(err.Error(), `kind is "kettle"`) {
		t.Errorf("a kind that there is not: %v", err)
	}
}
