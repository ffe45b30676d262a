package modbusscale

import (
	"context"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/drivers/modbus"
)

// ErrOther marks registers that are not the state of a profile's scale.
var ErrOther = errors.New("no scale of this profile")

// Look asks a slave once for the state of a profile's scale, for who wants to know what stands there: its boot and the
// number of its newest event, in the counter's own width. A boot of 0 or another length of the ring is ErrOther.
func Look(ctx context.Context, c *modbus.Client, p Profile) (boot, newest uint32, err error) {
	if err := p.check(); err != nil {
		return 0, 0, err
	}
	l := newLayout(p)
	read := c.ReadInput
	if l.Function == 3 {
		read = c.ReadHolding
	}
	regs, err := read(ctx, l.first, l.count)
	if err != nil {
		return 0, 0, err
	}
	st := l.state(regs)
	if st.boot == 0 || l.State.Slots != nil && st.slots != l.Ring.Slots {
		return 0, 0, fmt.Errorf("%w %s: boot %08X, a ring of %d slots", ErrOther, l.Name, st.boot, st.slots)
	}
	return st.boot, st.counter, nil
}
