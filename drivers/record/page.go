package record

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// The formats of a message.
const (
	formatJSON = "json"
	formatCSV  = "csv"
	formatXML  = "xml"
)

// The frames of a stream.
const (
	frameLine   = "line"    // a message ends with a line feed
	frameLength = "length4" // four bytes before a message are its length, the highest first
)

// What a spacing is measured to.
const (
	toPrevious = "previous" // the axle before; the first axle has none
	toNext     = "next"     // the axle behind; the last axle has none
	toFirst    = "first"    // the first axle
)

// Page says where a controller's records have what, and what its codes mean: a page of YAML. A path is names with dots
// between, from the record; an XML attribute has an @ before its name, and XML's name spaces are not looked at.
type Page struct {
	Kind     string   `yaml:"kind"` // "whole-vehicle"
	Name     string   `yaml:"name"`
	Title    string   `yaml:"title"`
	Source   string   `yaml:"source"`   // where the layout stands
	Recalled []string `yaml:"recalled"` // what of it is remembered and was not read
	Missing  []string `yaml:"missing"`  // what its source does not tell

	Format  string `yaml:"format"`  // json, csv or xml
	Records string `yaml:"records"` // path of the records in a message that holds several; from its top
	Decimal string `yaml:"decimal"` // "," for decimals with a comma; empty means a point
	CSV     CSV    `yaml:"csv"`
	Stream  Stream `yaml:"stream"` // on a TCP connection
	Files   string `yaml:"files"`  // in a folder: names such as "*.json"

	Kinds Kinds `yaml:"kinds"` // empty: all messages are vehicles

	ID   []string `yaml:"id"` // paths that together name a record, for ever and for this controller
	Time *Clock   `yaml:"time"`
	Lane string   `yaml:"lane"` // path of the controller's own name of the lane; empty where it tells none

	Gross    *Field  `yaml:"gross"`
	Division *Field  `yaml:"division"`
	Speed    *Field  `yaml:"speed"`
	Length   *Field  `yaml:"length"`
	Count    string  `yaml:"axle_count"` // path; held against the axles that are listed
	Class    *Class  `yaml:"class"`
	Codes    []Codes `yaml:"codes"`
	Axles    *Axles  `yaml:"axles"`
}

// CSV says how lines are cut.
type CSV struct {
	Comma   string   `yaml:"comma"`   // one character; empty means ","
	Columns []string `yaml:"columns"` // names in order; empty: the first line has them
}

// Stream says how messages follow each other.
type Stream struct {
	Frame string `yaml:"frame"` // line or length4
	// Ack is sent when a record is committed, {id} in it is its name; empty: nothing is ever sent.
	Ack string `yaml:"ack"`
	// Silence is how long nothing may come before the connection is made anew; 0: for ever, as TCP itself finds it alive.
	Silence conf.Duration `yaml:"silence"`
}

// Kinds tells messages apart by a code.
type Kinds struct {
	At         string   `yaml:"at"`
	Vehicle    []string `yaml:"vehicle"`
	Retraction []string `yaml:"retraction"` // takes back the record of the same ID
	Nothing    []string `yaml:"nothing"`    // the controller is alive, and the like
}

// Clock says how a record tells when the vehicle passed.
type Clock struct {
	At     string `yaml:"at"`
	Layout string `yaml:"layout"` // rfc3339, unix, unix-ms, or a pattern of yyyy, MM, dd, HH, mm, ss and SSS
	Zone   string `yaml:"zone"`   // of a pattern: as Asia/Shanghai, or UTC
}

// Field is a quantity.
type Field struct {
	At   string `yaml:"at"`
	Unit string `yaml:"unit"`
}

// Class is the controller's own classification.
type Class struct {
	At     string `yaml:"at"`
	Scheme string `yaml:"scheme"` // its name
}

// Codes says which flags each code of a field raises. A code that is not there is refused.
type Codes struct {
	At    string              `yaml:"at"`
	Codes map[string][]string `yaml:"codes"`
}

// Axles says where the axles are: as pieces at List, with paths from there; or, where List is empty, with {n} in the
// paths for an axle's number from 1 to Max.
type Axles struct {
	List    string   `yaml:"list"`
	Max     int      `yaml:"max"`
	Load    *Field   `yaml:"load"`
	Left    *Field   `yaml:"left"`
	Right   *Field   `yaml:"right"`
	Spacing *Spacing `yaml:"spacing"` // nil: it tells none, and a truck cannot be told from a train
	Speed   *Field   `yaml:"speed"`
	Codes   []Codes  `yaml:"codes"`
}

// Spacing is a distance between axles.
type Spacing struct {
	At   string `yaml:"at"`
	Unit string `yaml:"unit"`
	To   string `yaml:"to"` // previous, next or first
}

func (s *Spacing) field() *Field {
	if s == nil {
		return nil
	}
	return &Field{s.At, s.Unit}
}

// LoadPage reads a page strictly; name stands in errors, with line and column.
func LoadPage(name string, yaml []byte) (Page, error) {
	var p Page
	if err := conf.Decode(name, yaml, &p); err != nil {
		return Page{}, err
	}
	if m := p.mistake(); m != nil {
		return Page{}, conf.Fault(name, yaml, "$."+m.path, m.path+": "+m.msg, m.hint)
	}
	return p, nil
}

// mistake is what is wrong at a place of the page.
type mistake struct{ path, msg, hint string }

func wrong(path, format string, args ...any) *mistake {
	return &mistake{path: path, msg: fmt.Sprintf(format, args...)}
}

func (p *Page) mistake() *mistake {
	switch {
	case p.Kind != "whole-vehicle":
		return wrong("kind", "%q, want whole-vehicle", p.Kind)
	case !slices.Contains([]string{formatJSON, formatCSV, formatXML}, p.Format):
		return wrong("format", "%q, want json, csv or xml", p.Format)
	case p.Decimal != "" && p.Decimal != "," && p.Decimal != ".":
		return wrong("decimal", "%q, want a comma or a point", p.Decimal)
	case p.Format != formatCSV && (p.CSV.Comma != "" || p.CSV.Columns != nil):
		return wrong("csv", "has no meaning for %s", p.Format)
	case p.CSV.Comma != "" && utf8.RuneCountInString(p.CSV.Comma) != 1 || strings.ContainsAny(p.CSV.Comma, "\"\r\n\ufffd"):
		return wrong("csv.comma", "%q, want one character", p.CSV.Comma)
	case p.Decimal == "," && p.Format == formatCSV && p.comma() == ',':
		return wrong("decimal", "a comma cannot both divide cells and stand in numbers")
	case p.Format == formatCSV && p.Records != "":
		return wrong("records", "has no meaning for csv: a line is a record")
	case p.Stream.Frame != "" && p.Stream.Frame != frameLine && p.Stream.Frame != frameLength:
		return wrong("stream.frame", "%q, want line or length4", p.Stream.Frame)
	case p.Stream.Frame == "" && (p.Stream.Ack != "" || p.Stream.Silence != 0):
		return wrong("stream.frame", "is missing")
	case p.Stream.Frame == frameLine && p.Format == formatCSV && p.CSV.Columns == nil:
		return wrong("csv.columns", "are missing: a line of a stream has no first line with their names")
	case strings.ContainsAny(p.Files, "/\\") || !globs(p.Files):
		return wrong("files", "%q is no pattern for names, such as *.json", p.Files)
	case len(p.ID) == 0:
		return &mistake{"id", "is missing", "without a name of its own a record that comes twice would count twice"}
	case p.Gross == nil:
		return wrong("gross", "is missing")
	case p.Axles == nil:
		return wrong("axles", "is missing")
	}
	if m := p.Kinds.mistake(); m != nil {
		return m
	}
	if m := p.Time.mistake(); m != nil {
		return m
	}
	if m := p.fieldMistake(); m != nil {
		return m
	}
	return p.pathMistake()
}

func globs(pattern string) bool {
	_, err := matches(pattern, "x")
	return err == nil
}

func (k *Kinds) mistake() *mistake {
	if k.At == "" {
		if len(k.Vehicle)+len(k.Retraction)+len(k.Nothing) > 0 {
			return wrong("kinds.at", "is missing")
		}
		return nil
	}
	seen := map[string]bool{}
	for _, list := range [][]string{k.Vehicle, k.Retraction, k.Nothing} {
		for _, c := range list {
			if seen[c] {
				return wrong("kinds", "code %q stands there twice", c)
			}
			seen[c] = true
		}
	}
	if len(k.Vehicle) == 0 {
		return wrong("kinds.vehicle", "is missing")
	}
	return nil
}

func (c *Clock) mistake() *mistake {
	if c == nil {
		return nil
	}
	switch c.Layout {
	case "":
		return wrong("time.layout", "is missing; there is: rfc3339, unix, unix-ms, or a pattern such as yyyy-MM-dd HH:mm:ss")
	case "rfc3339", "unix", "unix-ms":
		if c.Zone != "" {
			return wrong("time.zone", "has no meaning for %s, which tells the zone itself", c.Layout)
		}
		return nil
	}
	if _, err := layoutOf(c.Layout); err != nil {
		return wrong("time.layout", "%s", err)
	}
	if c.Zone == "" {
		return &mistake{"time.zone", "is missing", "write it as Asia/Shanghai, or UTC"}
	}
	if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "Local" {
		return &mistake{"time.zone", fmt.Sprintf("%q is not known", c.Zone), "write it as Asia/Shanghai, or UTC"}
	}
	return nil
}

func (p *Page) fieldMistake() *mistake {
	a := p.Axles
	if a.Load == nil {
		return wrong("axles.load", "is missing")
	}
	for _, f := range []struct {
		path  string
		field *Field
		what  quantity
	}{
		{"gross", p.Gross, aMass}, {"division", p.Division, aMass}, {"speed", p.Speed, aSpeed}, {"length", p.Length, aLength},
		{"axles.load", a.Load, aMass}, {"axles.left", a.Left, aMass}, {"axles.right", a.Right, aMass}, {"axles.speed", a.Speed, aSpeed},
		{"axles.spacing", a.Spacing.field(), aLength},
	} {
		if f.field == nil {
			continue
		}
		if _, ok := f.what.unit(f.field.Unit); !ok {
			return wrong(f.path+".unit", "%q is no unit of it; there is: %s", f.field.Unit, f.what)
		}
	}
	switch {
	case (a.Left == nil) != (a.Right == nil):
		return wrong("axles", "left and right go together")
	case a.Spacing != nil && !slices.Contains([]string{toPrevious, toNext, toFirst}, a.Spacing.To):
		return wrong("axles.spacing.to", "%q, want previous, next or first", a.Spacing.To)
	case a.List == "" && (a.Max < 2 || a.Max > wim.MaxAxles):
		return wrong("axles.max", "%d, want 2 to %d where the axles are not a list", a.Max, wim.MaxAxles)
	case a.List != "" && a.Max != 0:
		return wrong("axles.max", "has no meaning for a list")
	}
	for i, c := range p.Codes {
		if m := c.mistake(fmt.Sprintf("codes[%d]", i)); m != nil {
			return m
		}
	}
	for i, c := range a.Codes {
		if m := c.mistake(fmt.Sprintf("axles.codes[%d]", i)); m != nil {
			return m
		}
	}
	return nil
}

func (c *Codes) mistake(path string) *mistake {
	if len(c.Codes) == 0 {
		return wrong(path+".codes", "is missing")
	}
	for code, flags := range c.Codes {
		for _, f := range flags {
			if wim.FlagNamed(f) == 0 {
				return &mistake{path + ".codes", fmt.Sprintf("code %q: %q is no flag", code, f), "there is: " + strings.Join((wim.Voiding|wim.Doubting|wim.SideBySide).Names(), ", ")}
			}
		}
	}
	return nil
}

// pathPattern is names with dots between.
var pathPattern = regexp.MustCompile(`^@?[\pL\pN_ {}/#%()-]+(\.@?[\pL\pN_ {}/#%()-]+)*$`)

func (p *Page) pathMistake() *mistake {
	a := p.Axles
	type place struct {
		key, path string
		numbered  bool
		optional  bool
	}
	places := []place{{key: "records", path: p.Records, optional: true}, {key: "kinds.at", path: p.Kinds.At, optional: true}, {key: "lane", path: p.Lane, optional: true},
		{key: "axle_count", path: p.Count, optional: true}, {key: "gross.at", path: p.Gross.At}, {key: "axles.list", path: a.List, optional: true}}
	for i, id := range p.ID {
		places = append(places, place{key: fmt.Sprintf("id[%d]", i), path: id})
	}
	if p.Time != nil {
		places = append(places, place{key: "time.at", path: p.Time.At})
	}
	if p.Class != nil {
		places = append(places, place{key: "class.at", path: p.Class.At})
	}
	for i, c := range p.Codes {
		places = append(places, place{key: fmt.Sprintf("codes[%d].at", i), path: c.At})
	}
	for _, f := range []struct {
		key   string
		field *Field
	}{{"division.at", p.Division}, {"speed.at", p.Speed}, {"length.at", p.Length}} {
		if f.field != nil {
			places = append(places, place{key: f.key, path: f.field.At})
		}
	}
	n := a.List == ""
	places = append(places, place{key: "axles.load.at", path: a.Load.At, numbered: n})
	for _, f := range []struct {
		key   string
		field *Field
	}{{"axles.spacing.at", a.Spacing.field()}, {"axles.left.at", a.Left}, {"axles.right.at", a.Right}, {"axles.speed.at", a.Speed}} {
		if f.field != nil {
			places = append(places, place{key: f.key, path: f.field.At, numbered: n})
		}
	}
	for i, c := range a.Codes {
		places = append(places, place{key: fmt.Sprintf("axles.codes[%d].at", i), path: c.At, numbered: n})
	}
	for _, x := range places {
		has := strings.Contains(x.path, "{n}")
		switch {
		case x.path == "" && x.optional:
		case x.path == "":
			return wrong(x.key, "is missing")
		case !pathPattern.MatchString(x.path):
			return wrong(x.key, "%q is no path: names with dots between", x.path)
		case has && !x.numbered:
			return wrong(x.key, "%q: {n} is for axles without a list", x.path)
		case !has && x.numbered:
			return wrong(x.key, "%q: without axles.list it needs {n} for the axle's number", x.path)
		}
	}
	return nil
}

// comma is what stands between cells.
func (p *Page) comma() rune {
	r, n := utf8.DecodeRuneInString(p.CSV.Comma)
	if n == 0 {
		return ','
	}
	return r
}
