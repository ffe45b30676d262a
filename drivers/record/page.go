package record

import (
	"fmt"
	"slices"
	"strings"

	"github.com/axlegate/axlegate/drivers/inbox"
	"github.com/axlegate/axlegate/drivers/page"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
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

	page.Layout `yaml:",inline"`

	Stream Stream `yaml:"stream"` // on a TCP connection
	Files  string `yaml:"files"`  // in a folder: names such as "*.json"

	Kinds Kinds `yaml:"kinds"` // empty: all messages are vehicles

	ID   []string    `yaml:"id"` // paths that together name a record, for ever and for this controller
	Time *page.Clock `yaml:"time"`
	Lane string      `yaml:"lane"` // path of the controller's own name of the lane; empty where it tells none

	Gross    *page.Field `yaml:"gross"`
	Division *page.Field `yaml:"division"`
	Speed    *page.Field `yaml:"speed"`
	Length   *page.Field `yaml:"length"`
	Count    string      `yaml:"axle_count"` // path; held against the axles that are listed
	Class    *Class      `yaml:"class"`
	Codes    []Codes     `yaml:"codes"`
	Axles    *Axles      `yaml:"axles"`
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
	List    string      `yaml:"list"`
	Max     int         `yaml:"max"`
	Load    *page.Field `yaml:"load"`
	Left    *page.Field `yaml:"left"`
	Right   *page.Field `yaml:"right"`
	Spacing *Spacing    `yaml:"spacing"` // nil: it tells none, and a truck cannot be told from a train
	Speed   *page.Field `yaml:"speed"`
	Codes   []Codes     `yaml:"codes"`
}

// Spacing is a distance between axles.
type Spacing struct {
	At   string `yaml:"at"`
	Unit string `yaml:"unit"`
	To   string `yaml:"to"` // previous, next or first
}

func (s *Spacing) field() *page.Field {
	if s == nil {
		return nil
	}
	return &page.Field{At: s.At, Unit: s.Unit}
}

// LoadPage reads a page strictly; name stands in errors, with line and column.
func LoadPage(name string, yaml []byte) (Page, error) {
	var p Page
	if err := conf.Decode(name, yaml, &p); err != nil {
		return Page{}, err
	}
	if m := p.mistake(); m != nil {
		return Page{}, conf.Fault(name, yaml, "$."+m.Path, m.Path+": "+m.Msg, m.Hint)
	}
	return p, nil
}

func (p *Page) mistake() *page.Mistake {
	switch {
	case p.Kind != "whole-vehicle":
		return page.Wrong("kind", "%q, want whole-vehicle", p.Kind)
	case p.Stream.Frame != "" && p.Stream.Frame != frameLine && p.Stream.Frame != frameLength:
		return page.Wrong("stream.frame", "%q, want line or length4", p.Stream.Frame)
	case p.Stream.Frame == "" && (p.Stream.Ack != "" || p.Stream.Silence != 0):
		return page.Wrong("stream.frame", "is missing")
	case p.Stream.Frame == frameLine && p.Format == page.CSV && p.CSV.Columns == nil:
		return page.Wrong("csv.columns", "are missing: a line of a stream has no first line with their names")
	case !inbox.IsPattern(p.Files):
		return page.Wrong("files", "%q is no pattern for names, such as *.json", p.Files)
	case len(p.ID) == 0:
		return &page.Mistake{Path: "id", Msg: "is missing", Hint: "without a name of its own a record that comes twice would count twice"}
	case p.Gross == nil:
		return page.Wrong("gross", "is missing")
	case p.Axles == nil:
		return page.Wrong("axles", "is missing")
	}
	if m := p.Layout.Mistake(); m != nil {
		return m
	}
	if m := p.Kinds.mistake(); m != nil {
		return m
	}
	if m := p.Time.Mistake("time"); m != nil {
		return m
	}
	if m := p.fieldMistake(); m != nil {
		return m
	}
	return p.pathMistake()
}

func (k *Kinds) mistake() *page.Mistake {
	if k.At == "" {
		if len(k.Vehicle)+len(k.Retraction)+len(k.Nothing) > 0 {
			return page.Wrong("kinds.at", "is missing")
		}
		return nil
	}
	seen := map[string]bool{}
	for _, list := range [][]string{k.Vehicle, k.Retraction, k.Nothing} {
		for _, c := range list {
			if seen[c] {
				return page.Wrong("kinds", "code %q stands there twice", c)
			}
			seen[c] = true
		}
	}
	if len(k.Vehicle) == 0 {
		return page.Wrong("kinds.vehicle", "is missing")
	}
	return nil
}

func (p *Page) fieldMistake() *page.Mistake {
	a := p.Axles
	if a.Load == nil {
		return page.Wrong("axles.load", "is missing")
	}
	for _, f := range []struct {
		path  string
		field *page.Field
		what  page.Quantity
	}{
		{"gross", p.Gross, page.Mass}, {"division", p.Division, page.Mass}, {"speed", p.Speed, page.Speed}, {"length", p.Length, page.Length},
		{"axles.load", a.Load, page.Mass}, {"axles.left", a.Left, page.Mass}, {"axles.right", a.Right, page.Mass}, {"axles.speed", a.Speed, page.Speed},
		{"axles.spacing", a.Spacing.field(), page.Length},
	} {
		if m := f.field.Mistake(f.path, f.what); m != nil {
			return m
		}
	}
	switch {
	case (a.Left == nil) != (a.Right == nil):
		return page.Wrong("axles", "left and right go together")
	case a.Spacing != nil && !slices.Contains([]string{toPrevious, toNext, toFirst}, a.Spacing.To):
		return page.Wrong("axles.spacing.to", "%q, want previous, next or first", a.Spacing.To)
	case a.List == "" && (a.Max < 2 || a.Max > wim.MaxAxles):
		return page.Wrong("axles.max", "%d, want 2 to %d where the axles are not a list", a.Max, wim.MaxAxles)
	case a.List != "" && a.Max != 0:
		return page.Wrong("axles.max", "has no meaning for a list")
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

func (c *Codes) mistake(path string) *page.Mistake {
	if len(c.Codes) == 0 {
		return page.Wrong(path+".codes", "is missing")
	}
	for code, flags := range c.Codes {
		for _, f := range flags {
			if wim.FlagNamed(f) == 0 {
				return &page.Mistake{Path: path + ".codes", Msg: fmt.Sprintf("code %q: %q is no flag", code, f), Hint: "there is: " + strings.Join((wim.Voiding|wim.Doubting|wim.SideBySide).Names(), ", ")}
			}
		}
	}
	return nil
}

func (p *Page) pathMistake() *page.Mistake {
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
		field *page.Field
	}{{"division.at", p.Division}, {"speed.at", p.Speed}, {"length.at", p.Length}} {
		if f.field != nil {
			places = append(places, place{key: f.key, path: f.field.At})
		}
	}
	n := a.List == ""
	places = append(places, place{key: "axles.load.at", path: a.Load.At, numbered: n})
	for _, f := range []struct {
		key   string
		field *page.Field
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
			return page.Wrong(x.key, "is missing")
		case !page.IsPath(x.path):
			return page.Wrong(x.key, "%q is no path: names with dots between", x.path)
		case has && !x.numbered:
			return page.Wrong(x.key, "%q: {n} is for axles without a list", x.path)
		case !has && x.numbered:
			return page.Wrong(x.key, "%q: without axles.list it needs {n} for the axle's number", x.path)
		}
	}
	return nil
}
