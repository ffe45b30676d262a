package toll

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/axlegate/axlegate/drivers/page"
	"github.com/axlegate/axlegate/wim"
)

// Refusal is why a record makes no transaction.
type Refusal struct {
	ID  string // the transaction's own name, empty where that is what is missing
	Err error
}

// Error says which record it is and what is wrong.
func (r *Refusal) Error() string {
	if r.ID == "" {
		return "a transaction without a name: " + r.Err.Error()
	}
	return "transaction " + r.ID + ": " + r.Err.Error()
}

// Unwrap gives what is wrong.
func (r *Refusal) Unwrap() error { return r.Err }

// Decode reads a message and calls take for each record in it, in order, with the transaction or with the reason why it is refused; it
// stops where take returns an error and returns that. Any other error means that the message as a whole cannot be read, and then take
// was not called. System and Arrival of a transaction are not set.
func (p *Page) Decode(message []byte, take func(wim.Transaction, *Refusal) error) error {
	records, err := p.Split(message)
	if err != nil {
		return err
	}
	for _, n := range records {
		var t wim.Transaction
		var refused *Refusal
		if err := p.read(n, &t); err != nil {
			t, refused = wim.Transaction{}, &Refusal{ID: t.ID, Err: err}
		}
		if err := take(t, refused); err != nil {
			return err
		}
	}
	return nil
}

func (p *Page) read(n *page.Node, t *wim.Transaction) error {
	var names []string
	for _, path := range p.ID {
		name, err := n.Must(path)
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	t.ID = strings.Join(names, "/")
	kind, err := p.Type.of(n)
	if err != nil {
		return err
	}
	t.Type = kind
	text, err := n.Must(p.Time.At)
	if err != nil {
		return err
	}
	if t.Time, t.TimeUnsure, err = p.Time.Read(text); err != nil {
		return fmt.Errorf("%s: %w", p.Time.At, err)
	}
	texts := []struct {
		path string
		into *string
	}{{p.Plate, &t.Plate}, {p.Trailer, &t.Trailer}, {p.Station, &t.Station}, {p.Lane, &t.Lane}, {p.AxleType, &t.AxleType}, {p.Ticket, &t.Ticket}, {p.Scale, &t.Scale}, {p.Journey, &t.Journey}}
	for _, x := range texts {
		if x.path == "" {
			continue
		}
		if *x.into, _, err = n.Value(x.path); err != nil {
			return err
		}
	}
	t.Plate, t.Trailer = wim.NormalisePlate(t.Plate), wim.NormalisePlate(t.Trailer)
	color, err := p.Color.of(n)
	if err != nil {
		return err
	}
	payment, err := p.Payment.of(n)
	if err != nil {
		return err
	}
	t.Color, t.Payment = wim.PlateColor(color), wim.Payment(payment)
	if t.Gross, err = p.mass(n, p.Gross); err != nil {
		return err
	}
	if t.Permitted, err = p.mass(n, p.Permitted); err != nil {
		return err
	}
	if t.Axles, err = count(n, p.Axles); err != nil {
		return err
	}
	if p.Entry == nil {
		return nil
	}
	e, err := p.entry(n)
	if err == nil && e != (wim.TollPlace{}) {
		t.Entry = &e
	}
	return err
}

func (p *Page) entry(n *page.Node) (e wim.TollPlace, err error) {
	if p.Entry.Station != "" {
		if e.Station, _, err = n.Value(p.Entry.Station); err != nil {
			return e, err
		}
	}
	if c := p.Entry.Time; c != nil {
		text, ok, err := n.Value(c.At)
		if err != nil {
			return e, err
		}
		if ok {
			if e.Time, _, err = c.Read(text); err != nil {
				return e, fmt.Errorf("%s: %w", c.At, err)
			}
		}
	}
	if e.Gross, err = p.mass(n, p.Entry.Gross); err != nil {
		return e, err
	}
	if e.Axles, err = count(n, p.Entry.Axles); err != nil {
		return e, err
	}
	return e, nil
}

func (p *Page) mass(n *page.Node, f *page.Field) (wim.Kg, error) {
	v, _, err := p.Quantity(n, f, page.Mass)
	return wim.Kg(v), err
}

func count(n *page.Node, path string) (uint8, error) {
	if path == "" {
		return 0, nil
	}
	text, ok, err := n.Value(path)
	if err != nil || !ok {
		return 0, err
	}
	v, err := strconv.ParseUint(text, 10, 8)
	if err != nil || v > wim.MaxAxles {
		return 0, fmt.Errorf("%s: %q is no number of axles", path, text)
	}
	return uint8(v), nil
}

func (t *Type) of(n *page.Node) (wim.TransactionType, error) {
	if t.Is != "" {
		return wim.TransactionType(t.Is), nil
	}
	code, err := n.Must(t.At)
	if err != nil {
		return "", err
	}
	means, ok := t.Codes[code]
	if !ok {
		return "", fmt.Errorf("%s is %q, a code that the page does not name", t.At, code)
	}
	return wim.TransactionType(means), nil
}

// of is what the code means; nothing where there is none.
func (c *Codes) of(n *page.Node) (string, error) {
	if c == nil {
		return "", nil
	}
	code, ok, err := n.Value(c.At)
	if err != nil || !ok {
		return "", err
	}
	if c.Behind != "" {
		i := strings.LastIndex(code, c.Behind)
		if i < 0 {
			return "", nil
		}
		code = code[i+len(c.Behind):]
	}
	means, ok := c.Codes[code]
	if !ok {
		return "", fmt.Errorf("%s has %q, a code that the page does not name", c.At, code)
	}
	return means, nil
}
