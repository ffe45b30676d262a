package modbusscale

import (
	"testing"
	"time"

	"github.com/axlegate/axlegate/drivers/scaletest"
	"github.com/axlegate/axlegate/internal/conf"
)

func TestTheModbusScaleKeepsTheContract(t *testing.T) {
	scaletest.Run(t, func(t testing.TB) scaletest.Rig {
		d := newDevice(t)
		p := shipped(t)
		p.Poll = conf.Duration(5 * time.Millisecond)
		s, err := New(Config{Device: "scale-1", Address: d.addr, Profile: p, Silence: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		return scaletest.Rig{Scale: s, Device: d, Keeps: 64}
	})
}
