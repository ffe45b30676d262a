package center

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Level is how far down a region stands.
type Level string

// The four levels of regions, from the top.
const (
	Province Level = "province"
	City     Level = "city"
	County   Level = "county"
	Station  Level = "station"
)

// Levels lists them from the top.
func Levels() []Level { return []Level{Province, City, County, Station} }

// Region names a region by the codes from the province down to it, joined by "/", such as "51/5101/510104".
// The empty region is everything. Codes are letters, digits and "-", so that a region's subregions lie between
// its path with "/" and its path with "0" behind it, in the order of bytes.
type Region string

const (
	maxCode = 32
	codeSet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-"
)

// Valid tells what is wrong with a region's path; the empty one is valid.
func (r Region) Valid() error {
	if r == "" {
		return nil
	}
	codes := strings.Split(string(r), "/")
	if len(codes) > len(Levels()) {
		return fmt.Errorf("region %q has %d levels; province, city, county and station are all there are", r, len(codes))
	}
	for _, c := range codes {
		if c == "" || len(c) > maxCode || strings.Trim(c, codeSet) != "" {
			return fmt.Errorf("region %q: code %q must have 1 to %d letters, digits or \"-\"", r, c, maxCode)
		}
	}
	return nil
}

// Level is the level that a region stands on; ok is false for the empty region, which is above all.
func (r Region) Level() (l Level, ok bool) {
	if r == "" {
		return "", false
	}
	n := strings.Count(string(r), "/")
	if n >= len(Levels()) {
		return "", false
	}
	return Levels()[n], true
}

// Holds tells whether x is r or lies in it.
func (r Region) Holds(x Region) bool {
	return r == "" || x == r || strings.HasPrefix(string(x), string(r)+"/")
}

// Parent is the region that r lies in, empty for a province.
func (r Region) Parent() Region {
	i := strings.LastIndexByte(string(r), '/')
	return r[:max(i, 0)]
}

// Place is a region with its names.
type Place struct {
	Region Region
	Zh, En string
}

// Map is all regions that a centre knows. Its zero value knows none but the empty one.
type Map struct{ places []Place }

// NewMap checks that every region is named once and lies in one that is named too.
func NewMap(places []Place) (Map, error) {
	m := Map{places: slices.Clone(places)}
	slices.SortFunc(m.places, func(a, b Place) int { return strings.Compare(string(a.Region), string(b.Region)) })
	for i, p := range m.places {
		switch {
		case p.Region == "":
			return Map{}, errors.New("a region without a path")
		case p.Region.Valid() != nil:
			return Map{}, p.Region.Valid()
		case i > 0 && m.places[i-1].Region == p.Region:
			return Map{}, fmt.Errorf("region %q is listed twice", p.Region)
		case p.Zh == "" && p.En == "":
			return Map{}, fmt.Errorf("region %q has no name", p.Region)
		}
		if !m.Knows(p.Region.Parent()) {
			return Map{}, fmt.Errorf("region %q lies in %q, which is not listed", p.Region, p.Region.Parent())
		}
	}
	return m, nil
}

// Knows tells whether a region is on the map; the empty one always is.
func (m Map) Knows(r Region) bool {
	_, ok := m.find(r)
	return r == "" || ok
}

// Place gives a region's names; one that is not on the map is named by its path.
func (m Map) Place(r Region) Place {
	if i, ok := m.find(r); ok {
		return m.places[i]
	}
	return Place{Region: r, Zh: string(r), En: string(r)}
}

// Within lists all regions in r, r itself first, by path.
func (m Map) Within(r Region) (out []Place) {
	for _, p := range m.places {
		if r.Holds(p.Region) {
			out = append(out, p)
		}
	}
	return out
}

func (m Map) find(r Region) (int, bool) {
	return slices.BinarySearchFunc(m.places, r, func(p Place, r Region) int { return strings.Compare(string(p.Region), string(r)) })
}
