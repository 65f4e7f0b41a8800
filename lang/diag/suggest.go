package diag

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Nearest returns the candidate that name is a misspelling of, if one is near
// enough and no other is as near:
//
//   - a name that differs only in case, `_` or `-` (`topP`, `Top_p`) is always near;
//   - a candidate of 8 letters or more may be two edits away, one of 4 to 7 one;
//   - one of 3 letters may be one edit away that keeps its first letter or swaps
//     two letters; shorter ones must be spelled right.
//
// An edit adds, drops or changes a letter or swaps two neighbours; case does not
// count. Among candidates at the same distance one that agrees better in case,
// then in its first letter, then in length is nearer. A name that is among the
// candidates is spelled right and gets no suggestion.
func Nearest(name string, candidates []string) (string, bool) {
	if name == "" || slices.Contains(candidates, name) {
		return "", false
	}
	low := []rune(strings.ToLower(name))
	var best nearness
	found, tied := "", false
	for _, c := range candidates {
		if c == found || c == "" {
			continue
		}
		n, ok := near(name, low, c)
		if !ok {
			continue
		}
		switch order := n.compare(best); {
		case found == "" || order < 0:
			best, found, tied = n, c, false
		case order == 0:
			tied = true
		}
	}
	if found == "" || tied {
		return "", false
	}
	return found, true
}

// AllNear returns the candidates that name is a misspelling of and that take the fewest
// edits, the nearest first: several, where Nearest would not choose between them or
// would choose by little.
func AllNear(name string, candidates []string) []string {
	if name == "" || slices.Contains(candidates, name) {
		return nil
	}
	low := []rune(strings.ToLower(name))
	type found struct {
		nearness
		name string
	}
	var all []found
	for _, c := range candidates {
		if n, ok := near(name, low, c); ok && c != "" {
			all = append(all, found{n, c})
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Or(a.compare(b.nearness), cmp.Compare(a.name, b.name)) })
	var out []string
	for _, f := range all {
		if f.edits == all[0].edits && !slices.Contains(out, f.name) {
			out = append(out, f.name)
		}
	}
	return out
}

// nearness orders candidates; the smaller is the nearer.
type nearness struct{ edits, caseEdits, firstLetter, length int }

func (n nearness) compare(o nearness) int {
	return cmp.Or(
		cmp.Compare(n.edits, o.edits),
		cmp.Compare(n.caseEdits, o.caseEdits),
		cmp.Compare(n.firstLetter, o.firstLetter),
		cmp.Compare(n.length, o.length),
	)
}

// near measures candidate against name, whose letters in lower case are low, and
// reports whether it is near enough.
func near(name string, low []rune, candidate string) (nearness, bool) {
	cand := []rune(strings.ToLower(candidate))
	size := len(cand)
	limit := 2
	switch {
	case size < 3:
		limit = 0
	case size < 8:
		limit = 1
	}
	bare := func(s string) string {
		return strings.ToLower(strings.Map(func(r rune) rune {
			if r == '_' || r == '-' {
				return -1
			}
			return r
		}, s))
	}
	n := nearness{}
	switch {
	case bare(name) == bare(candidate) && bare(name) != "":
		if string(low) != string(cand) {
			n.edits = 1
		}
	case abs(len(low)-size) > limit:
		return n, false
	default:
		n.edits = edits(low, cand)
		if n.edits > limit {
			return n, false
		}
		if size == 3 && n.edits == 1 && low[0] != cand[0] && !swapped(low, cand) {
			return n, false
		}
	}
	n.caseEdits = edits([]rune(name), []rune(candidate))
	if a, _ := utf8.DecodeRuneInString(name); unicode.ToLower(a) != cand[0] {
		n.firstLetter = 1
	}
	n.length = abs(len(low) - size)
	return n, true
}

// edits returns the Damerau-Levenshtein distance of a and b in which no place is
// edited twice: letters added, dropped, changed, or swapped with their neighbour.
func edits(a, b []rune) int {
	before := make([]int, len(b)+1) // two rows up
	above := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := above[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, above[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}

// swapped reports whether a and b have the same letters in another order.
func swapped(a, b []rune) bool {
	if len(a) != len(b) {
		return false
	}
	for _, r := range a {
		if strings.Count(string(a), string(r)) != strings.Count(string(b), string(r)) {
			return false
		}
	}
	return true
}

func abs(n int) int { return max(n, -n) }
