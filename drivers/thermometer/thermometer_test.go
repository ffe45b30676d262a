package thermometer

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/axlegate/axlegate/wim"
)

func TestATemperatureIsReadAndNeverGuessed(t *testing.T) {
	for _, c := range []struct {
		text string
		want wim.DeciKelvin
	}{
		{"20000\n", 2931}, {"0", 2731}, {"-10500", 2626}, {"61999", 3351}, {"200000", 4731},
		{"", 0}, {"20.5", 0}, {"85000", 0}, {"200001", 0}, {"-100001", 0}, {"99999999999", 0}, {"NaN", 0},
	} {
		got, err := Parse(c.text)
		if got != c.want || (err == nil) != (c.want != 0) {
			t.Errorf("%q: %d %v, want %d", c.text, got, err, c.want)
		}
	}
}

func TestASensorThatFallsSilentIsForgottenAndComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "temperature")
	synctest.Test(t, func(t *testing.T) {
		write := func(s string) {
			if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		x := New(path)
		if x.Temperature() != 0 {
			t.Error("a temperature before one was read")
		}
		write("20000")
		ctx, cancel := context.WithCancel(t.Context())
		failures := 0
		done := make(chan struct{})
		go func() { x.Run(ctx, func(error) { failures++ }); close(done) }()
		synctest.Wait()
		if got := x.Temperature(); got != 2931 {
			t.Errorf("%d, want 2931", got)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(Keep - Every)
		if got := x.Temperature(); got != 2931 {
			t.Errorf("%d soon after the sensor fell silent, want 2931", got)
		}
		time.Sleep(2 * Every)
		if got := x.Temperature(); got != 0 {
			t.Errorf("%d long after it, want none", got)
		}
		write("30000")
		time.Sleep(2 * Every)
		synctest.Wait()
		if got := x.Temperature(); got != 3031 {
			t.Errorf("%d when it is back, want 3031", got)
		}
		cancel()
		<-done
		if failures != 1 {
			t.Errorf("told of %d failures, want 1", failures)
		}
	})
}

func FuzzNoTextIsATemperatureThatNoRoadHas(f *testing.F) {
	f.Add("20000\n")
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := Parse(s); err == nil && (v < 1731 || v > 4732) {
			t.Fatalf("%q is %d", s, v)
		}
	})
}
