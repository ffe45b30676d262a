package store

import (
	"time"

	"github.com/axlegate/axlegate/wim"
)

// An intake number is the month of intake above so many bits and a rising number below them, so that numbers
// rise always and a month's records can be told, and dropped, by their numbers. Stores from before that have
// month 0.
const monthBits = 40

// month counts calendar months of UTC since January 1970.
type month int64

func monthOf(t wim.Time) month {
	u := time.Unix(0, int64(t)).UTC()
	return month(u.Year()-1970)*12 + month(u.Month()-1)
}

// firstOf is a number below every number of a month and above those of earlier months.
func firstOf(m month) int64 { return max(int64(m), 0) << monthBits }

// inMonth tells an intake number's month.
func inMonth(intake int64) month { return month(intake >> monthBits) }

// begin is the month's first instant.
func (m month) begin() time.Time {
	return time.Date(1970, time.January+time.Month(m), 1, 0, 0, 0, 0, time.UTC)
}

// String is the month as 2026-07.
func (m month) String() string { return m.begin().Format("2006-01") }
