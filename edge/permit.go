package edge

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axlegate/axlegate/wim"
)

const permitHeader = "plate,trailer,number,valid_from,valid_until,roads,axles,max_gross_kg,max_axle_kg,max_length_mm,max_width_mm,max_height_mm"

// What one plate's permits may come to: they stand in every record of the vehicle.
const (
	maxPermits     = 8  // of one plate
	maxPermitRoads = 64 // of one permit
)

// Permits is a table of permits by plate. It never changes once read.
type Permits struct {
	name    string
	byPlate map[string][]wim.Permit
	n       int
}

// Find gives the permits of a normalised plate. The result is shared and must not be changed.
func (p *Permits) Find(plate string) []wim.Permit {
	if p == nil || plate == "" {
		return nil
	}
	return p.byPlate[plate]
}

// Len is the number of permits.
func (p *Permits) Len() int { return p.n }

// ReadPermits reads a CSV table with the header
//
//	plate,trailer,number,valid_from,valid_until,roads,axles,max_gross_kg,max_axle_kg,max_length_mm,max_width_mm,max_height_mm
//
// in UTF-8, times as RFC 3339, the names of the roads parted by ';'. The trailer, the roads and every figure behind
// the gross mass may be empty: the permit then does not say it. Anything unexpected is an error with its line; name
// stands in errors.
func ReadPermits(name string, from io.Reader) (*Permits, error) {
	c := csv.NewReader(from)
	c.ReuseRecord = true
	c.FieldsPerRecord = strings.Count(permitHeader, ",") + 1
	head, err := c.Read()
	if err != nil || strings.TrimPrefix(strings.Join(head, ","), "\ufeff") != permitHeader {
		return nil, fmt.Errorf("%s:1: the first line must be: %s", name, permitHeader)
	}
	p := &Permits{name: name, byPlate: map[string][]wim.Permit{}}
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
		switch {
		case err != nil:
		case numbers[x.Number]:
			err = fmt.Errorf("permit %s stands here twice", x.Number)
		case len(p.byPlate[x.Plate]) == maxPermits:
			err = fmt.Errorf("plate %s has more than %d permits", x.Plate, maxPermits)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		numbers[x.Number] = true
		p.byPlate[x.Plate] = append(p.byPlate[x.Plate], x)
		p.n++
	}
}

func permitOf(row []string) (p wim.Permit, err error) {
	p.Plate, p.Trailer = wim.NormalisePlate(strings.Clone(row[0])), wim.NormalisePlate(strings.Clone(row[1]))
	p.Number = strings.Clone(strings.TrimSpace(row[2]))
	if p.Plate == "" || len(p.Plate) > 64 || len(p.Trailer) > 64 || p.Number == "" || len(p.Number) > 64 {
		return p, errors.New("a plate or a number is missing, or is longer than 64 bytes")
	}
	for i, to := range []*wim.Time{&p.ValidFrom, &p.ValidUntil} {
		at, err := time.Parse(time.RFC3339, row[3+i])
		if err != nil {
			return p, fmt.Errorf("%q is no time such as 2026-11-23T00:00:00+08:00", row[3+i])
		}
		*to = wim.TimeOf(at)
	}
	if p.ValidUntil <= p.ValidFrom {
		return p, errors.New("it ends before it begins")
	}
	if row[5] != "" {
		p.Roads = strings.Split(strings.Clone(row[5]), ";")
	}
	if len(p.Roads) > maxPermitRoads || slices.ContainsFunc(p.Roads, func(r string) bool { return r == "" || len(r) > 64 }) {
		return p, fmt.Errorf("roads: want at most %d names, each of 1 to 64 bytes", maxPermitRoads)
	}
	axles, err := parseNumber(row[6], wim.MaxAxles)
	if err != nil || axles == 0 {
		return p, fmt.Errorf("axles %q: want a number from 1 to %d", row[6], wim.MaxAxles)
	}
	p.Axles = uint8(axles) //nolint:gosec // at most 32
	names := strings.Split(permitHeader, ",")
	for i, to := range []*wim.Kg{&p.Gross, &p.Axle} {
		n, err := parseNumber(row[7+i], maxLicenceKg)
		if err != nil {
			return p, fmt.Errorf("%s: %w", names[7+i], err)
		}
		*to = wim.Kg(n) //nolint:gosec // bounded above
	}
	for i, to := range []*wim.Mm{&p.Length, &p.Width, &p.Height} {
		n, err := parseNumber(row[9+i], maxPermitMm)
		if err != nil {
			return p, fmt.Errorf("%s: %w", names[9+i], err)
		}
		*to = wim.Mm(n) //nolint:gosec // bounded above
	}
	if p.Gross == 0 && p.Length == 0 && p.Width == 0 && p.Height == 0 && p.Axle == 0 {
		return p, errors.New("it permits nothing: " + strconv.Quote(strings.Join(names[7:], ", ")) + " are all empty")
	}
	return p, nil
}

// maxPermitMm is longer than any transport.
const maxPermitMm = 200_000
