package page

import (
	"slices"
	"testing"
)

func FuzzSplit(f *testing.F) {
	f.Add([]byte(`[{"a":{"b":[1,2.5,null,"x"]}},{"a":true}]`), "a.b", uint8(0))
	f.Add([]byte("id,gross\n1,2\n3,\"4,5\"\n"), "gross", uint8(1))
	f.Add([]byte(`<a n="1"><b>2</b><b>3</b></a>`), "a.b", uint8(2))
	f.Fuzz(func(t *testing.T, message []byte, path string, format uint8) {
		l := Layout{Format: []string{JSON, CSV, XML}[format%3]}
		records, err := l.Split(message)
		if err != nil {
			return
		}
		for _, n := range records {
			text, ok, err := n.Value(path)
			if len(text) > maxText || ok != (text != "") || err != nil && ok {
				t.Fatalf("%q, %v, %v", text, ok, err)
			}
			if found := n.Find(path); ok && len(found) != 1 || slices.Contains(found, nil) {
				t.Fatalf("%d pieces at %q, value %q", len(found), path, text)
			}
		}
	})
}

func FuzzNumbers(f *testing.F) {
	f.Add("57886", "lb", false)
	f.Add("12,75", "t", true)
	f.Fuzz(func(t *testing.T, text, unit string, comma bool) {
		for _, q := range []Quantity{Mass, Speed, Length} {
			if v, err := q.Read(text, unit, comma); err == nil && (v < 0 || v > largest) {
				t.Fatalf("%q %s is %d", text, unit, v)
			}
		}
	})
}
