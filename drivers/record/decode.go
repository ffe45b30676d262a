package record

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

// maxRecords bounds the records of one message.
const maxRecords = 10_000

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
	root, err := p.parse(message)
	if err != nil {
		return err
	}
	records := root.kids
	if p.Records != "" {
		records = nil
		for _, top := range root.kids {
			records = append(records, top.find(p.Records)...)
		}
	}
	switch {
	case len(records) > maxRecords:
		return fmt.Errorf("it holds %d records, more than %d", len(records), maxRecords)
	case len(records) == 0 && p.Format != formatCSV && p.Records == "":
		return errors.New("it holds no record")
	}
	for _, n := range records {
		r, refused := p.record(n)
		if err := take(r, refused); err != nil {
			return err
		}
	}
	return nil
}

func (p *Page) record(n *node) (Record, *Refusal) {
	var r Record
	err := p.read(n, &r)
	if err == nil {
		return r, nil
	}
	return Record{}, &Refusal{ID: r.Controller.ID, Lane: r.Lane, Err: err}
}

func (p *Page) read(n *node, r *Record) error {
	kind, err := p.kind(n)
	if err != nil {
		return err
	}
	r.Kind = kind
	if kind == Nothing {
		return nil
	}
	if p.Lane != "" {
		if r.Lane, err = must(n, p.Lane); err != nil {
			return err
		}
	}
	var names []string
	for _, path := range p.ID {
		name, err := must(n, path)
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

func (p *Page) kind(n *node) (Kind, error) {
	if p.Kinds.At == "" {
		return Vehicle, nil
	}
	code, err := must(n, p.Kinds.At)
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

// must is a value that has to be there.
func must(n *node, path string) (string, error) {
	text, ok, err := n.value(path)
	if err == nil && !ok {
		err = fmt.Errorf("%s is missing", path)
	}
	return text, err
}

func (p *Page) vehicle(n *node, r *Record) error {
	c := &r.Controller
	text, err := must(n, p.Gross.At)
	if err != nil {
		return err
	}
	gross, err := aMass.read(text, p.Gross.Unit, p.Decimal == ",")
	if err != nil {
		return fmt.Errorf("%s: %w", p.Gross.At, err)
	}
	r.Gross, c.Indication = wim.Kg(gross), text+" "+p.Gross.Unit
	if p.Division != nil {
		text, ok, err := n.value(p.Division.At)
		if err != nil {
			return err
		}
		if ok {
			c.Division = text + " " + p.Division.Unit
		}
	}
	if p.Time != nil {
		if c.Time, err = must(n, p.Time.At); err != nil {
			return err
		}
		var unsure bool
		if r.At, unsure, err = p.Time.read(c.Time); err != nil {
			return fmt.Errorf("%s: %w", p.Time.At, err)
		}
		if unsure {
			r.Flags |= wim.DeviceClock
		}
	}
	if p.Class != nil {
		class, ok, err := n.value(p.Class.At)
		if err != nil {
			return err
		}
		if ok {
			c.Scheme, c.Class = p.Class.Scheme, class
		}
	}
	speed, _, err := p.quantity(n, p.Speed, aSpeed)
	if err != nil {
		return err
	}
	length, _, err := p.quantity(n, p.Length, aLength)
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

// quantity reads a field that may be missing.
func (p *Page) quantity(n *node, f *Field, what quantity) (v int32, ok bool, err error) {
	if f == nil {
		return 0, false, nil
	}
	text, ok, err := n.value(f.At)
	if err != nil || !ok {
		return 0, false, err
	}
	if v, err = what.read(text, f.Unit, p.Decimal == ","); err != nil {
		return 0, false, fmt.Errorf("%s: %w", f.At, err)
	}
	return v, true, nil
}

// codes gives the flags that the codes of a record or an axle raise, and what they were.
func codes(n *node, list []Codes, axle int) (f wim.Flag, said []string, err error) {
	for _, c := range list {
		at := numbered(c.At, axle)
		code, err := must(n, at)
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
func (p *Page) axles(n *node, r *Record) error {
	a := p.Axles
	var raw []int32 // distances as the controller tells them
	one := func(n *node, number int) error {
		at := func(f *Field) *Field {
			if f == nil {
				return nil
			}
			return &Field{numbered(f.At, number), f.Unit}
		}
		x := wim.Axle{Index: uint8(len(r.Axles) + 1), Left: wim.NotMeasured, Right: wim.NotMeasured} //nolint:gosec // at most wim.MaxAxles
		load, ok, err := p.quantity(n, at(a.Load), aMass)
		switch {
		case err != nil:
			return err
		case !ok:
			return fmt.Errorf("%s is missing", at(a.Load).At)
		}
		x.Load = wim.Kg(load)
		for _, w := range []struct {
			field *Field
			into  *wim.Kg
		}{{a.Left, &x.Left}, {a.Right, &x.Right}} {
			v, ok, err := p.quantity(n, at(w.field), aMass)
			if err != nil {
				return err
			}
			if ok {
				*w.into = wim.Kg(v)
			}
		}
		speed, _, err := p.quantity(n, at(a.Speed), aSpeed)
		if err != nil {
			return err
		}
		x.Speed = wim.DeciKmh(speed)
		distance, ok, err := p.quantity(n, at(a.Spacing.field()), aLength)
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
	text, err := must(n, p.Count)
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
func (a *Axles) each(n *node, one func(*node, int) error) error {
	if a.List != "" {
		found := n.find(a.List)
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
		if _, ok, err := n.value(numbered(a.Load.At, i)); err != nil {
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
