package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// A narrow no-break space keeps number and unit together without a wide hole between them.
const thin = "\u202f"

// absent stands where a value was not measured or is not known.
const absent = "–"

// Kg is a mass in whole kilograms, "58 420 kg".
func (w *Words) Kg(m wim.Kg) string {
	if m == wim.NotMeasured {
		return absent
	}
	return group(int64(m)) + thin + "kg"
}

// KgNumber is a mass in kilograms without its unit, for columns that name it in their head.
func (w *Words) KgNumber(m wim.Kg) string {
	if m == wim.NotMeasured {
		return absent
	}
	return group(int64(m))
}

// Tonnes is a mass in tonnes with its unit. It is exact: nothing is rounded that stands beside a limit.
func (w *Words) Tonnes(m wim.Kg) string {
	if m == wim.NotMeasured {
		return absent
	}
	return tonnes(m) + thin + "t"
}

// tonnes is a mass in tonnes without its unit, with two decimals, or three where the kilogram counts.
func tonnes(m wim.Kg) string {
	n, sign := int64(m), ""
	if n < 0 {
		n, sign = -n, "-"
	}
	f := strconv.FormatInt(n%1000+1000, 10)[1:]
	return sign + strconv.FormatInt(n/1000, 10) + "." + f[:2] + strings.TrimSuffix(f[2:], "0")
}

// Limit is a mass in tonnes as a sign shows it, without needless decimals: "49 t", "24.5 t".
func (w *Words) Limit(m wim.Kg) string {
	s := strings.TrimRight(tonnes(m), "0")
	return strings.TrimSuffix(s, ".") + thin + "t"
}

// Speed is a speed in km/h with one decimal; 0 is not measured.
func (w *Words) Speed(v wim.DeciKmh) string {
	if v <= 0 {
		return absent
	}
	return tenths(int64(v)) + thin + "km/h"
}

// Percent is a ratio with one decimal.
func (w *Words) Percent(p wim.Permille) string {
	gap := thin
	if w.language == Chinese {
		gap = ""
	}
	return tenths(int64(p)) + gap + "%"
}

// Metres is a length with two decimals; 0 is not measured.
func (w *Words) Metres(l wim.Mm) string {
	if l <= 0 {
		return absent
	}
	n := int64(l) + 5
	return strconv.FormatInt(n/1000, 10) + "." + strconv.FormatInt(n%1000/10+100, 10)[1:] + thin + "m"
}

// Length is a length to the millimetre, in metres: nothing is rounded that stands beside a limit.
func (w *Words) Length(l wim.Mm) string { return tonnes(wim.Kg(l)) + thin + "m" }

// Clock is the time of day in the zone, "15:04:05".
func (w *Words) Clock(t wim.Time) string { return w.format(t, "15:04:05") }

// Date is the day in the zone, "2006-01-02".
func (w *Words) Date(t wim.Time) string { return w.format(t, "2006-01-02") }

// DateTime is day and time in the zone.
func (w *Words) DateTime(t wim.Time) string { return w.format(t, "2006-01-02 15:04:05") }

// Moment is the time of day where t is on the day of now, and day and time otherwise.
func (w *Words) Moment(t, now wim.Time) string {
	if w.Date(t) == w.Date(now) {
		return w.Clock(t)
	}
	return w.format(t, "01-02 15:04")
}

// Age is how long ago t was, in the largest whole unit: minutes, hours, days.
func (w *Words) Age(now, t wim.Time) string {
	if t == 0 {
		return absent
	}
	d := max(now.Sub(t), 0)
	switch {
	case d < time.Minute:
		return w.T("age.now")
	case d < time.Hour:
		return w.T("age.minutes", int(d/time.Minute))
	case d < 48*time.Hour:
		return w.T("age.hours", int(d/time.Hour))
	}
	return w.T("age.days", int(d/(24*time.Hour)))
}

// SignedKg is a difference of masses with its sign.
func (w *Words) SignedKg(m wim.Kg) string {
	switch {
	case m > 0:
		return "+" + w.Kg(m)
	case m < 0:
		return "−" + w.Kg(-m)
	}
	return "±" + w.Kg(0)
}

// SignedPercent is a difference relative to a whole, with its sign and one decimal.
func (w *Words) SignedPercent(p wim.Permille) string {
	switch {
	case p > 0:
		return "+" + w.Percent(p)
	case p < 0:
		return "−" + w.Percent(-p)
	}
	return "±" + w.Percent(0)
}

// Lag is the time between two clocks or events, signed: "+1.4 s", "+3 min".
func (w *Words) Lag(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "−", -d
	}
	switch {
	case d < time.Minute:
		return sign + tenths(int64(d/(100*time.Millisecond))) + thin + "s"
	case d < 2*time.Hour:
		return sign + strconv.FormatInt(int64(d/time.Minute), 10) + thin + "min"
	}
	return sign + strconv.FormatInt(int64(d/time.Hour), 10) + thin + "h"
}

// Machine is the instant for a datetime attribute.
func (w *Words) Machine(t wim.Time) string { return w.format(t, time.RFC3339) }

func (w *Words) format(t wim.Time, layout string) string {
	if t == 0 {
		return absent
	}
	return t.Std().In(w.zone).Format(layout)
}

// Midnight is the start of the day of t in the zone.
func (w *Words) Midnight(t time.Time) time.Time {
	y, m, d := t.In(w.zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, w.zone)
}

func tenths(n int64) string {
	return strconv.FormatInt(n/10, 10) + "." + strconv.FormatInt(n%10, 10)
}

func group(n int64) string {
	s, sign := strconv.FormatInt(n, 10), ""
	if n < 0 {
		s, sign = s[1:], "-"
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteString(thin)
		}
		b.WriteRune(r)
	}
	return b.String()
}
