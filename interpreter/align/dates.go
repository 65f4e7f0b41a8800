package align

import (
	"strconv"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/lang/types"
)

// dateForms are the ways to write a day that can mean only one day.
var dateForms = []string{
	"2006-1-2", "2006/1/2", "2006.1.2", "20060102",
	"January 2, 2006", "January 2 2006", "Jan 2, 2006", "Jan 2 2006", "Jan. 2, 2006",
	"2 January 2006", "2 Jan 2006", "2. January 2006", "2-Jan-2006", "2 January, 2006",
	"Monday, January 2, 2006", "Monday, 2 January 2006", "Mon, 2 Jan 2006",
	"2006 January 2", "2006-Jan-2",
}

// readDate reads a day in another form than 2026-11-21. 25/12/2026 is one, 5/12/2026
// is not: it may be in May or in December.
func readDate(s string) (string, bool) {
	s = strings.TrimRight(strings.TrimSpace(s), ".")
	if len(s) > 40 {
		return "", false
	}
	if day, clock, ok := strings.Cut(strings.Replace(s, " ", "T", 1), "T"); ok && len(day) == 10 {
		zero := strings.Trim(strings.TrimSuffix(strings.TrimSuffix(clock, "Z"), "+00:00"), "0:.") == ""
		if _, err := types.ReadDate(day, false); err == nil && zero && strings.HasPrefix(clock, "00:00") {
			return day, true
		}
	}
	plain := ordinals.Replace(s)
	for _, form := range dateForms {
		if t, err := time.Parse(form, plain); err == nil {
			return t.Format(time.DateOnly), true
		}
	}
	for _, mark := range []string{"/", ".", "-"} {
		parts := strings.Split(s, mark)
		if len(parts) != 3 || len(parts[2]) != 4 {
			continue
		}
		a, err1 := strconv.Atoi(parts[0])
		b, err2 := strconv.Atoi(parts[1])
		year, err3 := strconv.Atoi(parts[2])
		if err1 != nil || err2 != nil || err3 != nil || a < 1 || b < 1 {
			return "", false
		}
		switch {
		case a > 12 && b <= 12, a == b:
			a, b = b, a // the day first
		case a <= 12 && b > 12:
		default:
			return "", false
		}
		t := time.Date(year, time.Month(a), b, 0, 0, 0, 0, time.UTC)
		return t.Format(time.DateOnly), t.Day() == b
	}
	return "", false
}

var ordinals = strings.NewReplacer("1st", "1", "2nd", "2", "3rd", "3", "4th", "4", "5th", "5", "6th", "6", "7th", "7", "8th", "8", "9th", "9", "0th", "0", " of ", " ")
