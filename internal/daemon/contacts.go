package daemon

import (
	"errors"
	"fmt"
	"slices"

	"github.com/axlegate/axlegate/drivers/contact"
	"github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/wim"
)

// ContactsConfig is a contact that tells of something around the scales: docs/devices/contacts.md.
type ContactsConfig struct {
	Contact  string        `yaml:"contact"` // its name in records
	What     wim.EventKind `yaml:"what"`    // door, mains-lost, battery-low, surface or lens
	Lane     wim.LaneID    `yaml:"lane"`    // of a surface or lens; 0 for all
	File     string        `yaml:"file"`    // that holds 0 or 1, or an input of a module on Modbus TCP
	Address  string        `yaml:"address"`
	Unit     uint8         `yaml:"unit"`  // 0 means 1
	Input    uint16        `yaml:"input"` // discrete input, from 0
	Inverted bool          `yaml:"inverted"`
}

func (c *ContactsConfig) valid() error {
	switch {
	case c.Contact == "":
		return errors.New("contact: a name is needed")
	case !slices.Contains(wim.EventKinds(), c.What):
		return fmt.Errorf("what: %q is not known; there are %v", c.What, wim.EventKinds())
	case (c.File == "") == (c.Address == ""):
		return errors.New("file: want one of file, which holds 0 or 1, and address, of a module on Modbus TCP")
	case c.File != "" && (c.Unit != 0 || c.Input != 0):
		return errors.New("unit and input go with address")
	case c.Lane != 0 && c.What != wim.EventSurface && c.What != wim.EventLens:
		return fmt.Errorf("lane: a contact of kind %s is of the whole site; leave lane out", c.What)
	}
	return nil
}

// openContacts makes the drivers.
func openContacts(cfg *EdgeConfig) (out []edge.ContactConfig, err error) {
	for i := range cfg.Contacts {
		c := &cfg.Contacts[i]
		d := contact.Config{Device: c.Contact, Input: c.Input, Inverted: c.Inverted}
		if c.File != "" {
			d.File = cfg.path(c.File)
		} else if d.Bus, err = modbus.New(modbus.Config{Address: c.Address, Unit: max(c.Unit, 1)}); err != nil {
			return nil, fmt.Errorf("contacts[%d]: %w", i, err)
		}
		x, err := contact.New(d)
		if err != nil {
			return nil, fmt.Errorf("contacts[%d]: %w", i, err)
		}
		out = append(out, edge.ContactConfig{Device: c.Contact, Contact: x, What: c.What, Lane: c.Lane})
	}
	return out, nil
}
