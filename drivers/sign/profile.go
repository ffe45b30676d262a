package sign

import (
	"errors"
	"fmt"
	"math"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// Profile is the register layout of a kind of sign: a page of YAML in configs/devices. All addresses are the
// ones in the frame, from 0.
type Profile struct {
	Kind  string `yaml:"kind"` // "sign"
	Name  string `yaml:"name"`
	Order struct {
		Message     uint16 `yaml:"message"`
		Number      uint16 `yaml:"number"`
		Hold        uint16 `yaml:"hold"`
		Plate       uint16 `yaml:"plate"`
		PlateLength uint16 `yaml:"plate_length"`
	} `yaml:"order"`
	Messages struct {
		Blank        uint16 `yaml:"blank"`
		Proceed      uint16 `yaml:"proceed"`
		EnterStation uint16 `yaml:"enter_station"`
	} `yaml:"messages"`
	Light struct {
		Coil  uint16 `yaml:"coil"`
		Shown uint16 `yaml:"shown"`
	} `yaml:"light"`
	Shown struct {
		Message   uint16 `yaml:"message"`
		Number    uint16 `yaml:"number"`
		Heartbeat uint16 `yaml:"heartbeat"`
	} `yaml:"shown"`
}

// LoadProfile reads a profile strictly; name stands in errors.
func LoadProfile(name string, yaml []byte) (Profile, error) {
	var p Profile
	if err := conf.Decode(name, yaml, &p); err != nil {
		return Profile{}, err
	}
	return p, nil
}

// Validate says what is wrong with a profile.
func (p *Profile) Validate() error {
	if p.Kind != "sign" {
		return fmt.Errorf("kind is %q, want sign", p.Kind)
	}
	m := p.Messages
	if m.Blank == m.Proceed || m.Proceed == m.EnterStation || m.Blank == m.EnterStation {
		return errors.New("messages: two messages have one number, so reading back could not tell them apart")
	}
	first, last := p.span()
	if n := last - first + 1; n > 123 {
		return fmt.Errorf("order: registers %d to %d do not fit one request of 123", first, last)
	}
	taken := map[int]bool{}
	regs := []int{int(p.Order.Message), int(p.Order.Number), int(p.Order.Hold)}
	for i := range int(p.Order.PlateLength) {
		regs = append(regs, int(p.Order.Plate)+i)
	}
	for _, r := range regs {
		if taken[r] {
			return fmt.Errorf("order: register %d is used twice", r)
		}
		taken[r] = true
	}
	if last > math.MaxUint16 {
		return fmt.Errorf("order: register %d is beyond the last one, %d", last, math.MaxUint16)
	}
	if len(regs) != last-first+1 {
		return fmt.Errorf("order: of registers %d to %d only %d have a meaning here; one request writes them all, so the others would be overwritten", first, last, len(regs))
	}
	if first, last := p.shownSpan(); last-first+1 > 125 {
		return fmt.Errorf("shown: registers %d to %d do not fit one request of 125", first, last)
	}
	return nil
}

// span is the first and last register of an order.
func (p *Profile) span() (first, last int) {
	first = int(min(p.Order.Message, p.Order.Number, p.Order.Hold))
	last = int(max(p.Order.Message, p.Order.Number, p.Order.Hold))
	if p.Order.PlateLength > 0 {
		first = min(first, int(p.Order.Plate))
		last = max(last, int(p.Order.Plate)+int(p.Order.PlateLength)-1)
	}
	return first, last
}

// shownSpan is the first and last register that is read back.
func (p *Profile) shownSpan() (first, last int) {
	return int(min(p.Shown.Message, p.Shown.Number, p.Shown.Heartbeat)), int(max(p.Shown.Message, p.Shown.Number, p.Shown.Heartbeat))
}

// message is the number of an order's message; the light burns only for OrderEnter.
func (p *Profile) message(o wim.Order) (m uint16, light bool, err error) {
	switch o {
	case wim.OrderNone:
		return p.Messages.Blank, false, nil
	case wim.OrderProceed:
		return p.Messages.Proceed, false, nil
	case wim.OrderEnter:
		return p.Messages.EnterStation, true, nil
	}
	return 0, false, fmt.Errorf("order %q has no message on a sign", o)
}
