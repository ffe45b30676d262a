package edge

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

const hotListHeader = "plate,reason"

// HotList is a table of plates that somebody looks for (布控). It never changes once read.
type HotList struct {
	name    string
	byPlate map[string]string
}

// Name is the list's own.
func (h *HotList) Name() string { return h.name }

// Find tells whether a normalised plate is on the list, and why.
func (h *HotList) Find(plate string) (reason string, ok bool) {
	reason, ok = h.byPlate[plate]
	return reason, ok && plate != ""
}

// Len is the number of plates.
func (h *HotList) Len() int { return len(h.byPlate) }

// ReadHotList reads a CSV table with the header "plate,reason" in UTF-8. Plates may be written as people write them,
// with a dot or in small letters; they are normalised as a camera's are. Anything unexpected is an error with its
// line; name stands in errors and names the list.
func ReadHotList(name string, from io.Reader) (*HotList, error) {
	c := csv.NewReader(from)
	c.ReuseRecord = true
	c.FieldsPerRecord = 2
	head, err := c.Read()
	if err != nil || strings.TrimPrefix(strings.Join(head, ","), "\ufeff") != hotListHeader {
		return nil, fmt.Errorf("%s:1: the first line must be: %s", name, hotListHeader)
	}
	h := &HotList{name: name, byPlate: map[string]string{}}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return h, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		line, _ := c.FieldPos(0)
		plate := wim.NormalisePlate(row[0])
		if plate == "" || len(plate) > 64 {
			return nil, fmt.Errorf("%s:%d: plate %q is none, or is longer than 64 bytes", name, line, row[0])
		}
		if _, twice := h.byPlate[plate]; twice {
			return nil, fmt.Errorf("%s:%d: plate %s stands here twice", name, line, plate)
		}
		h.byPlate[strings.Clone(plate)] = strings.Clone(strings.TrimSpace(row[1]))
	}
}
