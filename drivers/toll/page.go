package toll

import (
	"fmt"
	"slices"
	"strings"

	"github.com/axlegate/axlegate/drivers/inbox"
	"github.com/axlegate/axlegate/drivers/page"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// PageKind is the kind that such a page names.
const PageKind = "transactions"

// Page says where a system's messages have what, and what its codes mean. A path is names with dots between, from the record; what
// has none is not read.
type Page struct {
	Kind     string   `yaml:"kind"` // PageKind
	Name     string   `yaml:"name"`
	Title    string   `yaml:"title"`
	Source   string   `yaml:"source"`   // where the layout stands
	Recalled []string `yaml:"recalled"` // what of it is remembered and was not read
	Missing  []string `yaml:"missing"`  // what its source does not tell

	page.Layout `yaml:",inline"`

	Files string `yaml:"files"` // in a folder: names such as "*.json"

	ID   []string    `yaml:"id"` // paths that together name a transaction, for ever and for this system
	Type Type        `yaml:"type"`
	Time *page.Clock `yaml:"time"`

	Plate     string      `yaml:"plate"`
	Trailer   string      `yaml:"trailer"`
	Color     *Codes      `yaml:"color"` // codes mean yellow, blue, green, yellow-green, white, black or nothing
	Station   string      `yaml:"station"`
	Lane      string      `yaml:"lane"`
	Gross     *page.Field `yaml:"gross"`
	Permitted *page.Field `yaml:"permitted"`
	Axles     string      `yaml:"axles"` // how many
	AxleType  string      `yaml:"axle_type"`
	Ticket    string      `yaml:"ticket"`
	Scale     string      `yaml:"scale"`
	Journey   string      `yaml:"journey"`
	Payment   *Codes      `yaml:"payment"` // codes mean etc, manual or nothing
	Entry     *Entry      `yaml:"entry"`   // what an exit says of the entry
}

// Type says what kind of transactions there are: all are one, or a code tells.
type Type struct {
	Is    string            `yaml:"is"`
	At    string            `yaml:"at"`
	Codes map[string]string `yaml:"codes"`
}

// Codes says what the codes of a field mean. One that is not there is refused.
type Codes struct {
	At string `yaml:"at"`
	// Behind, where not empty, stands before the code within the field: "_" for 川A12345_1.
	Behind string            `yaml:"behind"`
	Codes  map[string]string `yaml:"codes"`
}

// Entry is where an exit tells of the entry.
type Entry struct {
	Station string      `yaml:"station"`
	Time    *page.Clock `yaml:"time"`
	Gross   *page.Field `yaml:"gross"`
	Axles   string      `yaml:"axles"`
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

func colors() []string {
	var out []string
	for _, c := range []wim.PlateColor{wim.Yellow, wim.Blue, wim.Green, wim.YellowGreen, wim.White, wim.Black} {
		out = append(out, string(c))
	}
	return out
}

func types() []string {
	var out []string
	for _, t := range wim.TransactionTypes() {
		if t != wim.TransactionNoShow { // the site's own
			out = append(out, string(t))
		}
	}
	return out
}

func (p *Page) mistake() *page.Mistake {
	if p.Kind != PageKind {
		return page.Wrong("kind", "%q, want %s", p.Kind, PageKind)
	}
	if m := p.Layout.Mistake(); m != nil {
		return m
	}
	switch {
	case !inbox.IsPattern(p.Files):
		return page.Wrong("files", "%q is no pattern for names, such as *.json", p.Files)
	case len(p.ID) == 0:
		return &page.Mistake{Path: "id", Msg: "is missing", Hint: "without a name of its own a transaction that comes twice would count twice"}
	case p.Time == nil:
		return page.Wrong("time", "is missing")
	}
	entry := p.Entry
	if entry == nil {
		entry = &Entry{}
	}
	for _, m := range []*page.Mistake{
		p.Type.mistake(), p.Time.Mistake("time"), entry.Time.Mistake("entry.time"), p.Color.mistake("color", colors()),
		p.Payment.mistake("payment", []string{string(wim.PaidETC), string(wim.PaidManual)}),
		p.Gross.Mistake("gross", page.Mass), p.Permitted.Mistake("permitted", page.Mass), entry.Gross.Mistake("entry.gross", page.Mass),
		p.pathMistake(entry),
	} {
		if m != nil {
			return m
		}
	}
	return nil
}

func (t *Type) mistake() *page.Mistake {
	hint := "there is: " + strings.Join(types(), ", ")
	switch {
	case (t.Is == "") == (t.At == ""):
		return &page.Mistake{Path: "type", Msg: "want is, or at with codes", Hint: hint}
	case t.Is != "" && t.Codes != nil:
		return page.Wrong("type.codes", "have no meaning without at")
	case t.Is != "" && !slices.Contains(types(), t.Is):
		return &page.Mistake{Path: "type.is", Msg: fmt.Sprintf("%q is no type", t.Is), Hint: hint}
	case t.At != "" && len(t.Codes) == 0:
		return page.Wrong("type.codes", "is missing")
	}
	for code, means := range t.Codes {
		if !slices.Contains(types(), means) {
			return &page.Mistake{Path: "type.codes", Msg: fmt.Sprintf("code %q: %q is no type", code, means), Hint: hint}
		}
	}
	return nil
}

func (c *Codes) mistake(path string, meanings []string) *page.Mistake {
	if c == nil {
		return nil
	}
	if len(c.Codes) == 0 {
		return page.Wrong(path+".codes", "is missing")
	}
	for code, means := range c.Codes {
		if means != "" && !slices.Contains(meanings, means) {
			return &page.Mistake{Path: path + ".codes", Msg: fmt.Sprintf("code %q: %q is none", code, means), Hint: "there is: " + strings.Join(meanings, ", ") + `, or "" where it says nothing`}
		}
	}
	return nil
}

func (p *Page) pathMistake(entry *Entry) *page.Mistake {
	type place struct {
		key, path string
		must      bool
	}
	places := []place{
		{"records", p.Records, false}, {"type.at", p.Type.At, false}, {"time.at", p.Time.At, true}, {"plate", p.Plate, false}, {"trailer", p.Trailer, false}, {"station", p.Station, false},
		{"lane", p.Lane, false}, {"axles", p.Axles, false}, {"axle_type", p.AxleType, false}, {"ticket", p.Ticket, false}, {"scale", p.Scale, false},
		{"journey", p.Journey, false}, {"entry.station", entry.Station, false}, {"entry.axles", entry.Axles, false},
	}
	for i, id := range p.ID {
		places = append(places, place{fmt.Sprintf("id[%d]", i), id, true})
	}
	if entry.Time != nil {
		places = append(places, place{"entry.time.at", entry.Time.At, true})
	}
	for _, f := range []struct {
		key   string
		field *page.Field
	}{{"gross.at", p.Gross}, {"permitted.at", p.Permitted}, {"entry.gross.at", entry.Gross}} {
		if f.field != nil {
			places = append(places, place{f.key, f.field.At, true})
		}
	}
	for _, c := range []struct {
		key   string
		codes *Codes
	}{{"color.at", p.Color}, {"payment.at", p.Payment}} {
		if c.codes != nil {
			places = append(places, place{c.key, c.codes.At, true})
		}
	}
	for _, x := range places {
		switch {
		case x.path == "" && x.must:
			return page.Wrong(x.key, "is missing")
		case x.path != "" && !page.IsPath(x.path):
			return page.Wrong(x.key, "%q is no path: names with dots between", x.path)
		}
	}
	return nil
}
