package conf

import "testing"

func TestAFaultNamesTheLineOfItsPath(t *testing.T) {
	data := []byte("id: a\nlimits:\n  - id: one\n    value: 5\n  - id: two\n    value: 6\n")
	for _, c := range []struct {
		name, path string
		line       int
	}{
		{"a key", "$.limits[1].value", 6},
		{"a key that is missing falls back to what holds it", "$.limits[1].source", 5},
		{"an index that is missing falls back to the list", "$.limits[7].value", 3},
		{"nothing that exists gives no line", "$.other", 0},
		{"a path that is none gives no line", "]]", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if e := Fault("f.yaml", data, c.path, "m", "h"); e.Line != c.line {
				t.Errorf("line %d, want %d: %v", e.Line, c.line, e)
			}
		})
	}
}
