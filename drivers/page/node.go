package page

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of one message. No whole-vehicle record comes near them.
const (
	maxDepth = 16
	maxNodes = 65_536
	maxText  = 256 // of one value
)

// Node is a piece of a message, the same for all formats: a value, or named pieces. An element of a JSON list has the list's
// name, an XML attribute its name behind an @, a cell of CSV that of its column.
type Node struct {
	name string
	text string
	kids []*Node
}

// Find gives the pieces at a path of names with dots between, in order.
func (n *Node) Find(path string) []*Node {
	at := []*Node{n}
	for name := range strings.SplitSeq(path, ".") {
		var next []*Node
		for _, x := range at {
			for _, k := range x.kids {
				if k.name == name {
					next = append(next, k)
				}
			}
		}
		at = next
	}
	return at
}

// Value is the text at a path; ok is false where there is none, or it is empty. It is an error where several stand there, it is
// no single value, or longer than 256 bytes.
func (n *Node) Value(path string) (text string, ok bool, err error) {
	found := n.Find(path)
	switch {
	case len(found) == 0:
		return "", false, nil
	case len(found) > 1:
		return "", false, fmt.Errorf("%s stands there %d times", path, len(found))
	case len(found[0].kids) > 0:
		return "", false, fmt.Errorf("%s is no single value", path)
	}
	text = strings.TrimSpace(found[0].text)
	if len(text) > maxText {
		return "", false, fmt.Errorf("%s is longer than %d bytes", path, maxText)
	}
	return text, text != "", nil
}

// Must is a value that has to be there.
func (n *Node) Must(path string) (string, error) {
	text, ok, err := n.Value(path)
	if err == nil && !ok {
		err = fmt.Errorf("%s is missing", path)
	}
	return text, err
}

// reader counts what a message holds.
type reader struct{ nodes int }

func (r *reader) node(name string) (*Node, error) {
	if r.nodes++; r.nodes > maxNodes {
		return nil, fmt.Errorf("more than %d values", maxNodes)
	}
	return &Node{name: name}, nil
}

// parse reads a message. What it returns holds what stands at the top: one JSON object or the elements of a list, the lines of
// CSV, the one element of XML.
func (l *Layout) parse(message []byte) (*Node, error) {
	if !utf8.Valid(message) {
		return nil, errors.New("it is not UTF-8")
	}
	message = bytes.TrimPrefix(message, []byte("\ufeff"))
	switch l.Format {
	case JSON:
		return parseJSON(message)
	case XML:
		return parseXML(message)
	default:
		return l.parseCSV(message)
	}
}

func parseJSON(message []byte) (*Node, error) {
	d := json.NewDecoder(bytes.NewReader(message))
	d.UseNumber()
	r, top := &reader{}, &Node{}
	if err := r.json(d, top, "", 0); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it is not JSON: it ends in the middle")
		}
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the record")
	}
	return top, nil
}

// json adds the next value to its parent under a name.
func (r *reader) json(d *json.Decoder, into *Node, name string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return fmt.Errorf("it is not JSON: %w", err)
	}
	switch t {
	case json.Delim('['):
		for d.More() {
			if err := r.json(d, into, name, depth+1); err != nil {
				return err
			}
		}
		_, err := d.Token()
		return err
	case nil:
		return nil // null is as a field that is not there
	}
	n, err := r.node(name)
	if err != nil {
		return err
	}
	into.kids = append(into.kids, n)
	if t != json.Delim('{') {
		n.text = fmt.Sprint(t)
		return nil
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fmt.Errorf("it is not JSON: %w", err)
		}
		if err := r.json(d, n, fmt.Sprint(key), depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func parseXML(message []byte) (*Node, error) {
	d := xml.NewDecoder(bytes.NewReader(message))
	d.CharsetReader = func(label string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("its encoding is %q, want UTF-8", label)
	}
	r := &reader{}
	stack := []*Node{{}}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("it is not XML: %w", err)
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			if len(stack) > maxDepth {
				return nil, fmt.Errorf("nested deeper than %d", maxDepth)
			}
			n, err := r.node(t.Name.Local)
			if err != nil {
				return nil, err
			}
			for _, a := range t.Attr {
				x, err := r.node("@" + a.Name.Local)
				if err != nil {
					return nil, err
				}
				x.text = a.Value
				n.kids = append(n.kids, x)
			}
			top.kids = append(top.kids, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		case xml.Directive:
			return nil, errors.New("it has a document type or entities of its own, which are not read")
		}
	}
	if len(stack[0].kids) != 1 {
		return nil, errors.New("it is not XML: there is no one element that holds all")
	}
	return stack[0], nil
}

// parseCSV gives one piece named "row" for each line.
func (l *Layout) parseCSV(message []byte) (*Node, error) {
	c := csv.NewReader(bytes.NewReader(message))
	c.Comma = l.comma()
	c.FieldsPerRecord = -1
	header := l.CSV.Columns
	r, top := &reader{}, &Node{}
	for {
		cells, err := c.Read()
		if errors.Is(err, io.EOF) {
			return top, nil
		}
		if err != nil {
			return nil, fmt.Errorf("it is not CSV: %w", err)
		}
		if header == nil {
			for _, name := range cells {
				header = append(header, strings.TrimSpace(name))
			}
			continue
		}
		row, err := r.node("row")
		if err != nil {
			return nil, err
		}
		if len(cells) > len(header) {
			return nil, fmt.Errorf("a line has %d cells, but there are %d columns", len(cells), len(header))
		}
		for i, text := range cells {
			cell, err := r.node(header[i])
			if err != nil {
				return nil, err
			}
			cell.text = text
			row.kids = append(row.kids, cell)
		}
		top.kids = append(top.kids, row)
	}
}
