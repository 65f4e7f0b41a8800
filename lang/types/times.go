package types

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Dates, moments and lengths of time are held as text in one form each, so that
// equal values are equal texts:
//
//	date      2026-11-21
//	datetime  2026-11-21T09:30:00Z, 2026-11-21T11:30:00.5+02:00: the zone is kept
//	duration  1h30m, 2d, 500ms, -5s, 0s: the largest units first, none twice
//
// The Read functions return that form of a text, or say what is wrong with it.
// In lax reading, forms that others write are taken too.

// DurationPattern is the form of a duration, RE2 and ECMAScript alike.
const DurationPattern = `^-?([0-9]+(\.[0-9]+)?(d|h|ms|us|ns|m|s))+$`

// ReadDate reads a day: 2026-11-21.
func ReadDate(s string, lax bool) (string, error) {
	if lax {
		s = strings.TrimSpace(s)
	}
	if len(s) != len(time.DateOnly) {
		return "", errors.New("a day written YYYY-MM-DD")
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		if strings.Contains(err.Error(), "out of range") {
			return "", errors.New("a day of the calendar, written YYYY-MM-DD")
		}
		return "", errors.New("a day written YYYY-MM-DD")
	}
	return s, nil
}

var datetimeForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\d{4}-\d\d-\d\d)([Tt ])(\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)?$`)
})

// ReadDateTime reads a moment as in RFC 3339: 2026-11-21T09:30:00Z. A zone of
// +00:00 becomes Z, zeros at the end of a fraction are dropped.
func ReadDateTime(s string, lax bool) (string, error) {
	if lax {
		s = strings.TrimSpace(s)
	}
	m := datetimeForm().FindStringSubmatch(s)
	switch {
	case m == nil, !lax && (m[2] != "T" || m[5] == "z"):
		return "", errors.New("a moment written 2026-11-21T09:30:00Z")
	case m[5] == "":
		return "", errors.New("a moment with its zone: " + m[1] + "T" + m[3] + m[4] + "Z")
	}
	day, clock, fraction, zone := m[1], m[3], strings.TrimRight(m[4], "0"), m[5]
	if fraction == "." {
		fraction = ""
	}
	if zone == "z" || zone == "+00:00" || zone == "-00:00" {
		zone = "Z"
	}
	if _, err := time.Parse(time.RFC3339, day+"T"+clock+zone); err != nil {
		return "", errors.New("a moment of the calendar and the clock, written 2026-11-21T09:30:00Z")
	}
	return day + "T" + clock + fraction + zone, nil
}

var (
	durationForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(DurationPattern) })
	durationPart = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?)([a-z]+)`) })
	isoForm      = sync.OnceValue(func() *regexp.Regexp {
		const number = `([0-9]+(?:[.,][0-9]+)?)`
		return regexp.MustCompile(`^([+-])?P(?:` + number + `W)?(?:` + number + `D)?(?:T(?:` + number + `H)?(?:` + number + `M)?(?:` + number + `S)?)?$`)
	})
)

// units are those of a duration, the largest first.
var units = []struct {
	name string
	size time.Duration
}{
	{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second},
	{"ms", time.Millisecond}, {"us", time.Microsecond}, {"ns", time.Nanosecond},
}

// ReadDuration reads a length of time: 1h30m, 2d, 500ms. A day is 24 hours.
func ReadDuration(s string, lax bool) (string, error) {
	d, err := ParseDuration(s, lax)
	if err != nil {
		return "", err
	}
	return FormatDuration(d), nil
}

// ParseDuration is ReadDuration as a number of nanoseconds. Lax also reads the
// form of ISO 8601 without months and years: PT1H30M, P2D.
func ParseDuration(s string, lax bool) (time.Duration, error) {
	var sum time.Duration
	fits, negative := true, false
	add := func(n, unit string) {
		d, ok := amount(n, unit)
		fits = fits && ok && sum+d >= sum
		sum += d
	}
	switch {
	case durationForm().MatchString(s):
		negative = s[0] == '-'
		for _, m := range durationPart().FindAllStringSubmatch(s, -1) {
			add(m[1], m[2])
		}
	case lax:
		text := strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(s), " ", ""), "µ", "u")
		if text != s && durationForm().MatchString(text) {
			return ParseDuration(text, false)
		}
		m := isoForm().FindStringSubmatch(text)
		if m == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
			return 0, errDuration
		}
		negative = m[1] == "-"
		for i, unit := range []string{"w", "d", "h", "m", "s"} {
			if n := m[2+i]; n != "" {
				add(strings.Replace(n, ",", ".", 1), unit)
			}
		}
	default:
		return 0, errDuration
	}
	if !fits {
		return 0, errors.New("a length of time of less than 292 years")
	}
	if negative {
		sum = -sum
	}
	return sum, nil
}

var errDuration = errors.New("a length of time such as 1h30m, 2d or 500ms")

// amount returns n units, and whether that many can be held.
func amount(n, unit string) (time.Duration, bool) {
	size := 7 * 24 * time.Hour // w, which only ISO 8601 has
	for _, u := range units {
		if u.name == unit {
			size = u.size
		}
	}
	whole, fraction, _ := strings.Cut(n, ".")
	w, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || w > math.MaxInt64/int64(size) {
		return 0, false
	}
	part := 0.0
	if fraction != "" {
		part, err = strconv.ParseFloat("0."+fraction, 64)
	}
	d := time.Duration(w)*size + time.Duration(math.Round(part*float64(size)))
	return d, err == nil && d >= 0
}

// FormatDuration writes d as a duration is held: 1h30m, -5s, 0s.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	rest := uint64(d)
	if d < 0 {
		b.WriteByte('-')
		rest = -rest
	}
	for _, u := range units {
		if n := rest / uint64(u.size); n > 0 {
			b.WriteString(strconv.FormatUint(n, 10) + u.name)
			rest %= uint64(u.size)
		}
	}
	return b.String()
}
