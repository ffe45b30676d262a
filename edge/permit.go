package edge

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/axlegate/axlegate/wim"
)

const permitHeader = "plate,number,valid_from,valid_until,max_gross_kg,max_axles"

// Permit is a permit for oversize transport (超限运输车辆通行证) as a table has it.
type Permit struct {
	Plate      string // of the drawing vehicle
	Number     string
	ValidFrom  wim.Time
	ValidUntil wim.Time // the first instant at which it is no longer valid
	Gross      wim.Kg   // permitted gross mass
	Axles      uint8
}

// Permits is a table of permits by plate. It never changes once read. The rule sets of this version do not weigh
// permits: whoever has one is still led to the station, where it is shown.
type Permits struct {
	name    string
	byPlate map[string][]Permit
	n       int
}

// Find gives the permits of a normalised plate. The result is shared and must not be changed.
func (p *Permits) Find(plate string) []Permit {
	if p == nil || plate == "" {
		return nil
	}
	return p.byPlate[plate]
}

// Len is the number of permits.
func (p *Permits) Len() int { return p.n }

// ReadPermits reads a CSV table with the header
//
//	plate,number,valid_from,valid_until,max_gross_kg,max_axles
//
// in UTF-8, times as RFC 3339. Anything unexpected is an error with its line; name stands in errors.
func ReadPermits(name string, from io.Reader) (*Permits, error) {
	c := csv.NewReader(from)
	c.ReuseRecord = true
	c.FieldsPerRecord = strings.Count(permitHeader, ",") + 1
	head, err := c.Read()
	if err != nil || strings.TrimPrefix(strings.Join(head, ","), "\ufeff") != permitHeader {
		return nil, fmt.Errorf("%s:1: the first line must be: %s", name, permitHeader)
	}
	p := &Permits{name: name, byPlate: map[string][]Permit{}}
	numbers := map[string]bool{}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		line, _ := c.FieldPos(0)
		x, err := permitOf(row)
		if err == nil && numbers[x.Number] {
			err = fmt.Errorf("permit %s stands here twice", x.Number)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		numbers[x.Number] = true
		p.byPlate[x.Plate] = append(p.byPlate[x.Plate], x)
		p.n++
	}
}

func permitOf(row []string) (p Permit, err error) {
	p.Plate, p.Number = strings.Clone(strings.TrimSpace(row[0])), strings.Clone(strings.TrimSpace(row[1]))
	if p.Plate == "" || len(p.Plate) > 64 || p.Number == "" || len(p.Number) > 64 {
		return p, errors.New("a plate or a number is missing, or is longer than 64 bytes")
	}
	for i, to := range []*wim.Time{&p.ValidFrom, &p.ValidUntil} {
		at, err := time.Parse(time.RFC3339, row[2+i])
		if err != nil {
			return p, fmt.Errorf("%q is no time such as 2026-11-23T00:00:00+08:00", row[2+i])
		}
		*to = wim.TimeOf(at)
	}
	if p.ValidUntil <= p.ValidFrom {
		return p, errors.New("it ends before it begins")
	}
	gross, err := strconv.ParseInt(row[4], 10, 32)
	if err != nil || gross <= 0 || gross > maxLicenceKg {
		return p, fmt.Errorf("max_gross_kg %q: want kilograms from 1 to %d", row[4], maxLicenceKg)
	}
	axles, err := strconv.ParseUint(row[5], 10, 8)
	if err != nil || axles == 0 {
		return p, fmt.Errorf("max_axles %q: want a number from 1 to 255", row[5])
	}
	p.Gross, p.Axles = wim.Kg(gross), uint8(axles)
	return p, nil
}
