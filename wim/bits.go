package wim

import (
	"encoding/json"
	"fmt"
)

func unmarshalBits(b []byte, names []string, what string) (uint32, error) {
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return 0, fmt.Errorf("%s list: %w", what, err)
	}
	var v uint32
next:
	for _, s := range list {
		for i, n := range names {
			if s == n {
				v |= 1 << i
				continue next
			}
		}
		return 0, fmt.Errorf("unknown %s %q", what, s)
	}
	return v, nil
}

func bitNames(v uint32, names []string) []string {
	var out []string
	for i, n := range names {
		if v&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

func marshalBits(v uint32, names []string, what string) ([]byte, error) {
	if v>>len(names) != 0 {
		return nil, fmt.Errorf("%s set %#x has bits without a name", what, v)
	}
	b := []byte{'['}
	for i, n := range names {
		if v&(1<<i) == 0 {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, n...)
		b = append(b, '"')
	}
	return append(b, ']'), nil
}
