package page

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The formats of a message.
const (
	JSON = "json"
	CSV  = "csv"
	XML  = "xml"
)

// maxRecords bounds the records of one message.
const maxRecords = 10_000

// Layout says how a message is cut into records. Pages hold it inline.
type Layout struct {
	Format  string `yaml:"format"`  // json, csv or xml
	Records string `yaml:"records"` // path of the records in a message that holds several; from its top
	Decimal string `yaml:"decimal"` // "," for decimals with a comma; empty means a point
	CSV     Cut    `yaml:"csv"`
}

// Cut says how lines of CSV are cut.
type Cut struct {
	Comma   string   `yaml:"comma"`   // one character; empty means ","
	Columns []string `yaml:"columns"` // names in order; empty: the first line has them
}

// Split reads a message and gives its records in order. CSV may hold none, anything else has one at least where Records names no
// place for them. An error means that the message as a whole cannot be read.
func (l *Layout) Split(message []byte) ([]*Node, error) {
	root, err := l.parse(message)
	if err != nil {
		return nil, err
	}
	records := root.kids
	if l.Records != "" {
		records = nil
		for _, top := range root.kids {
			records = append(records, top.Find(l.Records)...)
		}
	}
	switch {
	case len(records) > maxRecords:
		return nil, fmt.Errorf("it holds %d records, more than %d", len(records), maxRecords)
	case len(records) == 0 && l.Format != CSV && l.Records == "":
		return nil, errors.New("it holds no record")
	}
	return records, nil
}

// Mistake is what is wrong at a place of a page.
type Mistake struct{ Path, Msg, Hint string }

// Wrong makes a Mistake without a hint.
func Wrong(path, format string, args ...any) *Mistake {
	return &Mistake{Path: path, Msg: fmt.Sprintf(format, args...)}
}

// Mistake tells what is wrong with a layout, nil for nothing.
func (l *Layout) Mistake() *Mistake {
	switch {
	case l.Format != JSON && l.Format != CSV && l.Format != XML:
		return Wrong("format", "%q, want json, csv or xml", l.Format)
	case l.Decimal != "" && l.Decimal != "," && l.Decimal != ".":
		return Wrong("decimal", "%q, want a comma or a point", l.Decimal)
	case l.Format != CSV && (l.CSV.Comma != "" || l.CSV.Columns != nil):
		return Wrong("csv", "has no meaning for %s", l.Format)
	case l.CSV.Comma != "" && utf8.RuneCountInString(l.CSV.Comma) != 1 || strings.ContainsAny(l.CSV.Comma, "\"\r\n\ufffd"):
		return Wrong("csv.comma", "%q, want one character", l.CSV.Comma)
	case l.Decimal == "," && l.Format == CSV && l.comma() == ',':
		return Wrong("decimal", "a comma cannot both divide cells and stand in numbers")
	case l.Format == CSV && l.Records != "":
		return Wrong("records", "has no meaning for csv: a line is a record")
	}
	return nil
}

// comma is what stands between cells.
func (l *Layout) comma() rune {
	r, n := utf8.DecodeRuneInString(l.CSV.Comma)
	if n == 0 {
		return ','
	}
	return r
}

// pathPattern is names with dots between.
var pathPattern = regexp.MustCompile(`^@?[\pL\pN_ {}/#%()-]+(\.@?[\pL\pN_ {}/#%()-]+)*$`)

// IsPath tells whether a text is names with dots between.
func IsPath(text string) bool { return pathPattern.MatchString(text) }
