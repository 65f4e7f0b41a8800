package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ranges is a choice of rows: `7,12-20,121-`. The nil ranges is every row.
type ranges []span

// span is the rows from first to last, both included.
type span struct{ first, last int }

// parseRanges reads a choice of rows.
func parseRanges(text string) (ranges, error) {
	if text == "" {
		return nil, nil
	}
	var out ranges
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		s := span{}
		var err1, err2 error
		s.first, err1 = strconv.Atoi(from)
		switch {
		case !isRange:
			s.last = s.first
		case to == "":
			s.last = math.MaxInt
		default:
			s.last, err2 = strconv.Atoi(to)
		}
		if err1 != nil || err2 != nil || s.first < 1 || s.last < s.first {
			return nil, wrong("--rows cannot be %q", text).say("`%s` is no row and no range of rows; rows count from 1.", part).hint("such as: --rows 7,12-20,121-")
		}
		out = append(out, s)
	}
	return out, nil
}

// has reports whether row n is chosen.
func (r ranges) has(n int) bool {
	for _, s := range r {
		if s.first <= n && n <= s.last {
			return true
		}
	}
	return r == nil
}

// last returns the last row that is chosen.
func (r ranges) last() int {
	if r == nil {
		return math.MaxInt
	}
	last := 0
	for _, s := range r {
		last = max(last, s.last)
	}
	return last
}

// from returns the part of the choice that begins with row n.
func (r ranges) from(n int) ranges {
	if r == nil {
		return ranges{{n, math.MaxInt}}
	}
	var out ranges
	for _, s := range r {
		if s.last >= n {
			out = append(out, span{max(s.first, n), s.last})
		}
	}
	return out
}

// count returns how many of n rows are chosen.
func (r ranges) count(n int) int {
	if r == nil {
		return n
	}
	sum := 0
	for i := 1; i <= min(n, r.last()); i++ {
		if r.has(i) {
			sum++
		}
	}
	return sum
}

// add puts row n, which comes behind all others, into the choice.
func (r ranges) add(n int) ranges { return r.join(ranges{{n, n}}) }

// join adds rows that come behind all others.
func (r ranges) join(more ranges) ranges {
	for _, s := range more {
		if k := len(r); k > 0 && r[k-1].last == s.first-1 {
			r[k-1].last = s.last
		} else {
			r = append(r, s)
		}
	}
	return r
}

// String returns the choice as --rows takes it.
func (r ranges) String() string {
	var parts []string
	for _, s := range r {
		switch {
		case s.first == s.last:
			parts = append(parts, strconv.Itoa(s.first))
		case s.last == math.MaxInt:
			parts = append(parts, fmt.Sprintf("%d-", s.first))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", s.first, s.last))
		}
	}
	return strings.Join(parts, ",")
}
