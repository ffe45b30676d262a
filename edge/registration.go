package edge

import (
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

const registrationHeader = "plate,kind,kerb_kg,rated_load_kg,max_gross_kg,max_towed_kg,drive_axles,axles"

// suspensionColumn may stand behind the others.
const suspensionColumn = ",suspension"

// maxLicenceKg is more than any licence says: a larger number is a slip of the pen.
const maxLicenceKg = 500_000

// Registrations is a local table of vehicle licences by plate. It never changes once read.
type Registrations struct {
	byPlate map[string]*wim.Registration
	digest  wim.Digest
}

// Digest is the SHA-256 of the bytes that the table was read from.
func (r *Registrations) Digest() wim.Digest { return r.digest }

// JoinRegistrations puts tables together; where two know a plate the later one counts. nil stands for none.
func JoinRegistrations(tables ...*Registrations) *Registrations {
	var out *Registrations
	for _, t := range tables {
		switch {
		case t == nil:
		case out == nil:
			out = t
		default:
			all := maps.Clone(out.byPlate)
			maps.Copy(all, t.byPlate)
			out = &Registrations{byPlate: all}
		}
	}
	return out
}

// Find returns the licence of a normalised plate, or nil. The result is shared and must not be changed.
func (r *Registrations) Find(plate string) *wim.Registration {
	if r == nil || plate == "" {
		return nil
	}
	return r.byPlate[plate]
}

// Len is the number of licences.
func (r *Registrations) Len() int {
	if r == nil {
		return 0
	}
	return len(r.byPlate)
}

// LoadRegistrations reads a CSV file with the header
//
//	plate,kind,kerb_kg,rated_load_kg,max_gross_kg,max_towed_kg,drive_axles,axles
//
// in UTF-8, and behind it, where it is known, the column suspension (air or other: that of the drive axles). A number that the licence does not say is empty. Anything unexpected is an error with its line: a
// wrong licence would accuse an innocent driver.
func LoadRegistrations(path string) (r *Registrations, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("registrations: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return ReadRegistrations(path, f)
}

// ReadRegistrations is LoadRegistrations on an open file; name stands in errors.
func ReadRegistrations(name string, from io.Reader) (*Registrations, error) {
	sum := sha256.New()
	c := csv.NewReader(io.TeeReader(from, sum))
	c.ReuseRecord = true
	head, err := c.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s:1: the file is empty; its first line must be: %s", name, registrationHeader)
	case err != nil:
		return nil, fmt.Errorf("%s: %w; the first line must be: %s", name, err, registrationHeader)
	case strings.TrimSuffix(strings.TrimPrefix(strings.Join(head, ","), "\ufeff"), suspensionColumn) != registrationHeader:
		return nil, fmt.Errorf("%s:1: the first line must be: %s", name, registrationHeader)
	}
	r := &Registrations{byPlate: map[string]*wim.Registration{}}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			r.digest = wim.Digest(sum.Sum(nil))
			return r, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		line, _ := c.FieldPos(0)
		reg, err := parseRegistration(row)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		if r.byPlate[reg.Plate] != nil {
			return nil, fmt.Errorf("%s:%d: plate %s stands here a second time", name, line, reg.Plate)
		}
		r.byPlate[reg.Plate] = reg
	}
}

func parseRegistration(row []string) (*wim.Registration, error) {
	reg := &wim.Registration{Plate: wim.NormalisePlate(row[0]), Kind: wim.VehicleKind(row[1])}
	if reg.Plate == "" {
		return nil, fmt.Errorf("plate %q is none", row[0])
	}
	switch reg.Kind {
	case wim.Goods, wim.Bus, wim.Car, wim.Military, wim.SpecialWork, wim.Farm:
	default:
		return nil, fmt.Errorf("kind %q: want goods, bus, car, military, special-work or farm", row[1])
	}
	for i, into := range []*wim.Kg{&reg.Kerb, &reg.Rated, &reg.Gross, &reg.Towed} {
		n, err := parseNumber(row[2+i], maxLicenceKg)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Split(registrationHeader, ",")[2+i], err)
		}
		*into = wim.Kg(n)
	}
	for i, into := range []*uint8{&reg.DriveAxles, &reg.Axles} {
		n, err := parseNumber(row[6+i], wim.MaxAxles)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Split(registrationHeader, ",")[6+i], err)
		}
		*into = uint8(n)
	}
	if len(row) > 8 {
		reg.Suspension = wim.Suspension(strings.Clone(row[8]))
		switch reg.Suspension {
		case wim.SuspensionUnknown, wim.AirSuspension, wim.OtherSuspension:
		default:
			return nil, fmt.Errorf("suspension %q: want air, other or nothing", row[8])
		}
	}
	if reg.DriveAxles > reg.Axles && reg.Axles != 0 {
		return nil, fmt.Errorf("%d drive axles of %d axles", reg.DriveAxles, reg.Axles)
	}
	return reg, nil
}

func parseNumber(s string, limit uint64) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number", s)
	}
	if n > limit {
		return 0, fmt.Errorf("%d is more than %d", n, limit)
	}
	return n, nil
}
