package profile

import (
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/drivers/page"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// PageKind is the kind that such a page names.
const PageKind = "dimensions"

// Page says where a unit's messages have what. A path is names with dots between; what has none is not read.
type Page struct {
	Kind     string   `yaml:"kind"` // PageKind
	Name     string   `yaml:"name"`
	Title    string   `yaml:"title"`
	Source   string   `yaml:"source"`   // where the layout stands
	Recalled []string `yaml:"recalled"` // what of it is remembered and was not read
	Missing  []string `yaml:"missing"`  // what its source does not tell

	page.Layout `yaml:",inline"`

	ID     string      `yaml:"id"`
	Lane   string      `yaml:"lane"` // of a unit that looks at several
	Length *page.Field `yaml:"length"`
	Width  *page.Field `yaml:"width"`
	Height *page.Field `yaml:"height"`
	// Alive, where set, is a path that messages without a vehicle have: they are counted and no more.
	Alive string `yaml:"alive"`
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
	if p.Kind != PageKind {
		return page.Wrong("kind", "%q, want %s", p.Kind, PageKind)
	}
	if m := p.Layout.Mistake(); m != nil {
		return m
	}
	if p.Length == nil && p.Width == nil && p.Height == nil {
		return &page.Mistake{Path: "length", Msg: "is missing, and so are width and height", Hint: "a unit that measures nothing needs no page"}
	}
	for _, f := range []struct {
		key   string
		field *page.Field
	}{{"length", p.Length}, {"width", p.Width}, {"height", p.Height}} {
		if m := f.field.Mistake(f.key, page.Length); m != nil {
			return m
		}
		if f.field != nil && !page.IsPath(f.field.At) {
			return page.Wrong(f.key+".at", "%q is no path: names with dots between", f.field.At)
		}
	}
	for _, x := range []struct{ key, path string }{{"id", p.ID}, {"lane", p.Lane}, {"alive", p.Alive}, {"records", p.Records}} {
		if x.path != "" && !page.IsPath(x.path) {
			return page.Wrong(x.key, "%q is no path: names with dots between", x.path)
		}
	}
	return nil
}

// What no vehicle on a road has, in millimetres: a reading outside is a bird, a sign above the road, or a fault.
const (
	shortest, longest = 500, 100_000
	widest            = 10_000
	highest           = 10_000
)

var errNothing = errors.New("no length, width or height")

// Decode reads one message and calls each with every size in it for the lane that the unit calls code; empty code takes all. alive counts
// messages that tell of no vehicle. An error is of the whole message: nothing of it is taken.
func (p *Page) Decode(message []byte, code string, each func(wim.Dimensions)) (alive int, err error) {
	records, err := p.Split(message)
	if err != nil {
		return 0, err
	}
	var out []wim.Dimensions
	for i, n := range records {
		s, is, err := p.size(n, code)
		switch {
		case err != nil && len(records) > 1:
			return 0, fmt.Errorf("record %d: %w", i+1, err)
		case err != nil:
			return 0, err
		case !is:
			alive++
		default:
			out = append(out, s)
		}
	}
	for _, s := range out {
		each(s)
	}
	return alive, nil
}

// size reads one record; is is false for one of another lane, or one that says that the unit lives.
func (p *Page) size(n *page.Node, code string) (s wim.Dimensions, is bool, err error) {
	if p.Alive != "" {
		if _, ok, err := n.Value(p.Alive); err != nil || ok {
			return s, false, err
		}
	}
	if p.Lane != "" && code != "" {
		lane, err := n.Must(p.Lane)
		if err != nil || lane != code {
			return s, false, err
		}
	}
	if p.ID != "" {
		if s.Event, err = n.Must(p.ID); err != nil {
			return s, false, err
		}
		if len(s.Event) > 64 {
			return s, false, fmt.Errorf("%s: a name of %d bytes", p.ID, len(s.Event))
		}
	}
	for _, f := range []struct {
		field      *page.Field
		to         *wim.Mm
		least, top int32
	}{{p.Length, &s.Length, shortest, longest}, {p.Width, &s.Width, shortest, widest}, {p.Height, &s.Height, shortest, highest}} {
		if f.field == nil {
			continue
		}
		v, ok, err := p.Quantity(n, f.field, page.Length)
		switch {
		case err != nil:
			return s, false, err
		case !ok || v == 0:
			continue // not measured
		case v < f.least || v > f.top:
			return s, false, fmt.Errorf("%s: %d mm is no vehicle's", f.field.At, v)
		}
		*f.to = wim.Mm(v)
	}
	if s.Length|s.Width|s.Height == 0 {
		return s, false, errNothing
	}
	return s, true, nil
}
