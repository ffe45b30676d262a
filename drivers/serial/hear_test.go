package serial

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/axlegate/axlegate/simulator"
)

// Whoever sends by itself is heard and recognised; others are silent until they are asked.
func TestAnIndicatorThatSendsByItselfIsRecognised(t *testing.T) {
	for _, d := range Dialects() {
		// One sends only when somebody presses its key.
		if d.Request != nil || d.Name == "condec-demand" || !slices.Contains(simulator.TerminalKinds(), d.Name) {
			continue
		}
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "line")
			s, err := simulator.NewTerminal(t.Context(), simulator.TerminalConfig{Dialect: d.Name, Line: path, Every: 10 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			s.Set(simulator.StaticLoad{Gross: 38460})
			heard, err := Hear(t.Context(), path, 9600, 400*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			found := Recognise(heard)
			if !slices.ContainsFunc(found, func(m Match) bool { return m.Dialect == d.Name }) {
				t.Errorf("%d bytes are %+v", len(heard), found)
			}
		})
	}
}

func TestWhatIsInNoDialectIsNotRecognised(t *testing.T) {
	for name, heard := range map[string][]byte{
		"nothing": nil, "noise": {0x55, 0xAA, 0x02, 0x03, 0x0D, 0x0A, 0x55, 0xAA}, "words": []byte("hello there\r\nhello there\r\n"),
	} {
		if found := Recognise(heard); len(found) > 0 {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// FuzzRecognise: whatever came, looking at it ends.
func FuzzRecognise(f *testing.F) {
	f.Add([]byte("ww00038.46kg\r\nww00038.46kg\r\n"))
	f.Add([]byte{2, '1', '2', 3, 0xAF, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range Recognise(b) {
			if m.Good < 1 || m.Good > len(b) {
				t.Errorf("%+v of %d bytes", m, len(b))
			}
		}
	})
}
