package modbusscale

import (
	"errors"
	"testing"

	"github.com/axlegate/axlegate/drivers/modbus"
)

func TestAScaleIsKnownByItsState(t *testing.T) {
	d := newDevice(t)
	c, err := modbus.New(modbus.Config{Address: d.addr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	p := shipped(t)
	if boot, newest, err := Look(t.Context(), c, p); err != nil || boot != 0x0A0B0C0D || newest != 0 {
		t.Errorf("boot %08X, newest %d, %v", boot, newest, err)
	}
	p.Ring.Slots = 32
	if _, _, err := Look(t.Context(), c, p); !errors.Is(err, ErrOther) {
		t.Errorf("a ring of another length: %v", err)
	}
}
