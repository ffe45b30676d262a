package record

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/axlegate/axlegate/drivers/page"
	"github.com/axlegate/axlegate/wim"
)

// Kind is what a record reports.
type Kind uint8

// The kinds of records.
const (
	Vehicle    Kind = iota + 1
	Retraction      // the vehicle of that ID is taken back
	Nothing         // the controller is alive, and the like
)

// Record is one record as read by a page. Of a Retraction only ID and Lane count, of Nothing none.
type Record struct {
	Kind Kind
	Lane string // the controller's own name of the lane; empty where it tells none
	// At is when the vehicle passed by the controller's clock, 0 where it does not tell.
	At     wim.Time
	Axles  []wim.Axle
	Gross  wim.Kg
	Speed  wim.DeciKmh
	Length wim.Mm
	Count  uint8 // how many axles it says there were
	Flags  wim.Flag

	Controller wim.ControllerRecord
}

// Refusal is why a record makes no vehicle although it could be read: a code that the page does not name, a field that is
// missing or is no number.
type Refusal struct {
	ID   string // the record's own name, empty where that is what is missing
	Lane string
	Err  error
}

// Error says which record it is and what is wrong.
func (r *Refusal) Error() string {
	if r.ID == "" {
		return "a record without a name: " + r.Err.Error()
	}
	return "record " + r.ID + ": " + r.Err.Error()
}

// Unwrap gives what is wrong.
func (r *Refusal) Unwrap() error { return r.Err }

// Decode reads a message and calls take for each record in it, in order, with the record or with the reason why it is refused;
// it stops where take returns an error and returns that. Any other error means that the message as a whole cannot be read,
// and then take was not called.
func (p *Page) Decode(message []byte, take func(Record, *Refusal) error) error {
	records, err := p.Split(message)
	if err != nil {
		return err
	}
	for _, n := range records {
		r, refused := p.record(n)
		if err := take(r, refused); err != nil {
			return err
		}
	}
	return nil
}

func (p *Page) record(n *page.Node) (Record, *Refusal) {
	var r Record
	err := p.read(n, &r)
	if err == nil {
		return r, nil
	}
	return Record{}, &Refusal{ID: r.Controller.ID, Lane: r.Lane, Err: err}
}

func (p *Page) read(n *page.Node, r *Record) error {
	kind, err := p.kind(n)
	if err != nil {
		return err
	}
	r.Kind = kind
	if kind == Nothing {
		return nil
	}
	if p.Lane != "" {
		if r.Lane, err = n.Must(p.Lane); err != nil {
			return err
		}
	}
	var names []string
	for _, path := range p.ID {
		name, err := n.Must(path)
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	r.Controller.ID = strings.Join(names, "/")
	if kind == Retraction {
		return nil
	}
	return p.vehicle(n, r)
}

func (p *Page) kind(n *page.Node) (Kind, error) {
	if p.Kinds.At == "" {
		return Vehicle, nil
	}
	code, err := n.Must(p.Kinds.At)
	if err != nil {
		return 0, err
	}
	for _, k := range []struct {
		codes []string
		kind  Kind
	}{{p.Kinds.Vehicle, Vehicle}, {p.Kinds.Retraction, Retraction}, {p.Kinds.Nothing, Nothing}} {
		if slices.Contains(k.codes, code) {
			return k.kind, nil
		}
	}
	return 0, fmt.Errorf("%s is %q, a kind of message that the page does not name", p.Kinds.At, code)
}

func (p *Page) vehicle(n *page.Node, r *Record) error {
	c := &r.Controller
	text, err := n.Must(p.Gross.At)
	if err != nil {
		return err
	}
	gross, err := page.Mass.Read(text, p.Gross.Unit, p.Decimal == ",")
	if err != nil {
		return fmt.Errorf("%s: %w", p.Gross.At, err)
	}
	r.Gross, c.Indication = wim.Kg(gross), text+" "+p.Gross.Unit
	if p.Division != nil {
		text, ok, err := n.Value(p.Division.At)
		if err != nil {
			return err
		}
		if ok {
			c.Division = text + " " + p.Division.Unit
		}
	}
	if p.Time != nil {
		if c.Time, err = n.Must(p.Time.At); err != nil {
			return err
		}
		var unsure bool
		if r.At, unsure, err = p.Time.Read(c.Time); err != nil {
			return fmt.Errorf("%s: %w", p.Time.At, err)
		}
		if unsure {
			r.Flags |= wim.DeviceClock
		}
	}
	if p.Class != nil {
		class, ok, err := n.Value(p.Class.At)
		if err != nil {
			return err
		}
		if ok {
			c.Scheme, c.Class = p.Class.Scheme, class
		}
	}
	speed, _, err := p.Quantity(n, p.Speed, page.Speed)
	if err != nil {
		return err
	}
	length, _, err := p.Quantity(n, p.Length, page.Length)
	if err != nil {
		return err
	}
	r.Speed, r.Length = wim.DeciKmh(speed), wim.Mm(length)
	flags, said, err := codes(n, p.Codes, 0)
	if err != nil {
		return err
	}
	r.Flags |= flags
	c.Codes = said
	return p.axles(n, r)
}

// codes gives the flags that the codes of a record or an axle raise, and what they were.
func codes(n *page.Node, list []Codes, axle int) (f wim.Flag, said []string, err error) {
	for _, c := range list {
		at := numbered(c.At, axle)
		code, err := n.Must(at)
		if err != nil {
			return 0, nil, err
		}
		flags, ok := c.Codes[code]
		if !ok {
			return 0, nil, fmt.Errorf("%s is %q, a code that the page does not name", at, code)
		}
		for _, name := range flags {
			f |= wim.FlagNamed(name)
		}
		said = append(said, at+"="+code)
	}
	return f, said, nil
}

// numbered puts an axle's number into a path.
func numbered(path string, axle int) string {
	if axle == 0 {
		return path
	}
	return strings.ReplaceAll(path, "{n}", strconv.Itoa(axle))
}

// axles reads the list. It says how many axles the controller counted, which may be others than it lists.
func (p *Page) axles(n *page.Node, r *Record) error {
	a := p.Axles
	var raw []int32 // distances as the controller tells them
	one := func(n *page.Node, number int) error {
		at := func(f *page.Field) *page.Field {
			if f == nil {
				return nil
			}
			return &page.Field{At: numbered(f.At, number), Unit: f.Unit}
		}
		x := wim.Axle{Index: uint8(len(r.Axles) + 1), Left: wim.NotMeasured, Right: wim.NotMeasured} //nolint:gosec // at most wim.MaxAxles
		load, ok, err := p.Quantity(n, at(a.Load), page.Mass)
		switch {
		case err != nil:
			return err
		case !ok:
			return fmt.Errorf("%s is missing", at(a.Load).At)
		}
		x.Load = wim.Kg(load)
		for _, w := range []struct {
			field *page.Field
			into  *wim.Kg
		}{{a.Left, &x.Left}, {a.Right, &x.Right}} {
			v, ok, err := p.Quantity(n, at(w.field), page.Mass)
			if err != nil {
				return err
			}
			if ok {
				*w.into = wim.Kg(v)
			}
		}
		speed, _, err := p.Quantity(n, at(a.Speed), page.Speed)
		if err != nil {
			return err
		}
		x.Speed = wim.DeciKmh(speed)
		distance, ok, err := p.Quantity(n, at(a.Spacing.field()), page.Length)
		if err != nil {
			return err
		}
		if !ok {
			distance = -1
		}
		raw = append(raw, distance)
		if x.Flags, _, err = codes(n, a.Codes, number); err != nil {
			return err
		}
		r.Axles = append(r.Axles, x)
		return nil
	}
	if err := a.each(n, one); err != nil {
		return fmt.Errorf("axle %d: %w", len(r.Axles)+1, err)
	}
	if err := a.Spacing.set(r.Axles, raw); err != nil {
		return err
	}
	r.Count = uint8(len(r.Axles)) //nolint:gosec // at most wim.MaxAxles
	if p.Count == "" {
		return nil
	}
	text, err := n.Must(p.Count)
	if err != nil {
		return err
	}
	count, err := strconv.ParseUint(text, 10, 8)
	if err != nil {
		return fmt.Errorf("%s: %q is no number of axles", p.Count, text)
	}
	r.Count = uint8(count)
	return nil
}

// each calls one for each axle with the piece that its paths begin at and its number, 0 in a list.
func (a *Axles) each(n *page.Node, one func(*page.Node, int) error) error {
	if a.List != "" {
		found := n.Find(a.List)
		if len(found) > wim.MaxAxles {
			return fmt.Errorf("%d axles are more than %d", len(found), wim.MaxAxles)
		}
		for _, x := range found {
			if err := one(x, 0); err != nil {
				return err
			}
		}
		return nil
	}
	last := 0
	for i := 1; i <= a.Max; i++ {
		if _, ok, err := n.Value(numbered(a.Load.At, i)); err != nil {
			return err
		} else if ok {
			last = i
		}
	}
	for i := 1; i <= last; i++ {
		if err := one(n, i); err != nil {
			return err
		}
	}
	return nil
}

// set turns the controller's distances, -1 where there is none, into those to the axle before.
func (s *Spacing) set(axles []wim.Axle, raw []int32) error {
	if s == nil {
		return nil
	}
	for i := 1; i < len(axles); i++ {
		from := i
		if s.To == toNext {
			from = i - 1
		}
		if raw[from] < 0 {
			return fmt.Errorf("axle %d: %s is missing", from+1, numbered(s.At, from+1))
		}
		d := raw[from]
		if s.To == toFirst {
			d -= max(raw[i-1], 0)
		}
		if d <= 0 {
			return fmt.Errorf("axle %d stands at the place of axle %d or before it", i+1, i)
		}
		axles[i].Spacing = wim.Mm(d)
	}
	return nil
}
