package main

import (
	"io"
	"strings"
)

// sheet is a table for a terminal whose cells may hold Chinese: a Han character is two columns wide, which
// text/tabwriter does not know.
type sheet struct {
	head []string
	rows [][]string
}

func (s *sheet) add(cells ...string) { s.rows = append(s.rows, cells) }

// columns is how wide a text stands in a terminal.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0xffe0 && r <= 0xffe6) {
			n++
		}
	}
	return n
}

// write prints the table with two spaces between columns, and a line under the head.
func (s *sheet) write(w io.Writer, indent string) error {
	width := make([]int, len(s.head))
	for _, r := range append([][]string{s.head}, s.rows...) {
		for i := range r {
			width[i] = max(width[i], columns(r[i]))
		}
	}
	var b strings.Builder
	line := func(cells []string, fill string) {
		text := indent
		for i, c := range cells {
			if i > 0 {
				text += "  "
			}
			text += c + strings.Repeat(fill, width[i]-columns(c))
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	line(s.head, " ")
	line(make([]string, len(s.head)), "─")
	for _, r := range s.rows {
		line(r, " ")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
