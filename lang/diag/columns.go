package diag

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/rivo/uniseg"
)

const (
	tabWidth = 4
	// wideLine is the number of bytes of a line from which on only the part
	// around a label is laid out.
	wideLine = 8 << 10
	// clusterBytes is how much of one character (with its accents, joiners
	// and so on) is written.
	clusterBytes = 64
)

// cell is one character as a person counts them: a grapheme cluster.
type cell struct {
	text       string // as it is written, clean
	start, end int    // bytes of the line
	column     int
	width      int
}

// cells lays out a part of a line that begins at byte base of it.
func cells(part string, base int) []cell {
	list := make([]cell, 0, len(part))
	column, state := 0, -1
	for len(part) > 0 {
		if n := hiddenRun(part); n > 0 {
			width := uniseg.StringWidth(Mask)
			list = append(list, cell{Mask, base, base + n, column, width})
			base, column, part, state = base+n, column+width, part[n:], -1
			continue
		}
		var c string
		var width int
		c, part, width, state = uniseg.FirstGraphemeClusterInString(part, state)
		text := c
		switch {
		case c == "\t":
			width = tabWidth - column%tabWidth
			text = strings.Repeat(" ", width)
		default:
			if shown, changed := visible(c); changed {
				text, width = shown, uniseg.StringWidth(shown)
			}
		}
		list = append(list, cell{text, base, base + len(c), column, width})
		base += len(c)
		column += width
	}
	return list
}

// Mask stands where a secret is: as long for a short one as for a long one.
const Mask = "••••"

// hiddenRun returns how many bytes of hidden characters s begins with.
func hiddenRun(s string) int {
	for i, r := range s {
		if !source.IsHidden(r) {
			return i
		}
	}
	return len(s)
}

// visible returns a grapheme cluster as it may be written on a terminal, and
// whether that differs from the cluster: control characters as pictures, marks
// that turn text around or cannot be seen as \u202e, bytes that are not UTF-8
// as �.
func visible(cluster string) (string, bool) {
	r, size := utf8.DecodeRuneInString(cluster)
	switch {
	case size < len(cluster):
		if cluster == "\r\n" {
			return "␍␊", true
		}
		s := cluster
		if len(s) > clusterBytes {
			end := clusterBytes
			for end > 0 && !utf8.RuneStart(s[end]) {
				end--
			}
			s = s[:end]
		}
		s = strings.ToValidUTF8(s, "�")
		return s, s != cluster
	case r == utf8.RuneError && size == 1:
		return "�", true
	case r < 0x20:
		return string(0x2400 + r), true
	case r == 0x7f:
		return "␡", true
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) &&
		!unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return fmt.Sprintf(`\u%04x`, r), true
	}
	return cluster, false
}

// clean returns a message of one line as it may be written on a terminal.
func clean(s string) string {
	ok := true
	for i := 0; i < len(s) && ok; i++ {
		ok = s[i] >= 0x20 && s[i] < 0x7f
	}
	if ok {
		return s
	}
	var b strings.Builder
	for _, c := range cells(s, 0) {
		b.WriteString(c.text)
	}
	return b.String()
}

// wrap breaks s at spaces into lines of at most width columns. What stands in
// backticks is kept together, so that it can be copied.
func wrap(s string, width int) []string {
	if uniseg.StringWidth(s) <= width {
		return []string{s}
	}
	var lines []string
	line, used := "", 0
	for _, word := range words(s) {
		n := uniseg.StringWidth(word)
		switch {
		case line == "":
			line, used = word, n
		case used+1+n <= width:
			line, used = line+" "+word, used+1+n
		default:
			lines = append(lines, line)
			line, used = word, n
		}
	}
	return append(lines, line)
}

func words(s string) []string {
	if strings.Count(s, "`")%2 != 0 {
		return strings.Fields(s)
	}
	var list []string
	start, quoted := 0, false
	for i, r := range s {
		switch {
		case r == '`':
			quoted = !quoted
		case r == ' ' && !quoted:
			if i > start {
				list = append(list, s[start:i])
			}
			start = i + 1
		}
	}
	if start < len(s) {
		list = append(list, s[start:])
	}
	return list
}

// excerpt is the part of a line that is shown.
type excerpt struct {
	cells       []cell
	left, right bool // something is cut off there
}

// cut returns the part of a line that holds pieces[focus], and as many of the
// others as fit with it in width columns.
func cut(line string, pieces []piece, focus, width int) excerpt {
	lo, hi := 0, len(line)
	if len(line) > wideLine {
		lo, hi = max(0, pieces[focus].from-wideLine/4), min(hi, pieces[focus].from+wideLine*3/4)
		for lo > 0 && !utf8.RuneStart(line[lo]) {
			lo--
		}
		for hi < len(line) && !utf8.RuneStart(line[hi]) {
			hi--
		}
	}
	x := excerpt{cells(line[lo:hi], lo), lo > 0, hi < len(line)}
	total := 0
	if n := len(x.cells); n > 0 {
		total = x.cells[n-1].column + x.cells[n-1].width
	}
	if total <= width && !x.left && !x.right {
		return x
	}
	// [a, b) are the columns to show, grown from the focus over its neighbours.
	const context = 8
	room := width - 2                         // for the two …
	whole := excerpt{x.cells, false, x.right} // columns without a … before them
	a, b := whole.columns(pieces[focus])
	for i := focus - 1; i >= 0; i-- {
		if from, _ := whole.columns(pieces[i]); x.shows(pieces[i]) && b-from+context <= room {
			a = min(a, from)
		}
	}
	for i := focus + 1; i < len(pieces); i++ {
		if _, to := whole.columns(pieces[i]); x.shows(pieces[i]) && to-a+context <= room {
			b = max(b, to)
		}
	}
	left := a - context
	if b-a+2*context < room {
		left = a - (room-(b-a))/2
	}
	left = max(0, min(left, total-room))
	first, last := len(x.cells), 0
	for i, c := range x.cells {
		if c.column >= left && c.column+c.width <= left+room {
			first, last = min(first, i), i+1
		}
	}
	if first >= last {
		return excerpt{nil, true, true}
	}
	return excerpt{x.cells[first:last], x.left || first > 0, x.right || last < len(x.cells)}
}

// shows reports whether q begins in what is shown.
func (x excerpt) shows(q piece) bool {
	if len(x.cells) == 0 {
		return !x.left && !x.right
	}
	n := len(x.cells) - 1
	return q.from >= x.cells[0].start &&
		(q.from < x.cells[n].end || !x.right) &&
		(q.to <= x.cells[n].end || !x.right || q.from < x.cells[n].start)
}

// columns returns where q stands in what is shown: at least one column.
func (x excerpt) columns(q piece) (from, to int) {
	from, to = -1, 0
	shift, end := 0, 0
	if x.left {
		shift = 1
	}
	if len(x.cells) > 0 {
		shift -= x.cells[0].column
	}
	for _, c := range x.cells {
		if from < 0 && c.end > q.from {
			from = c.column
		}
		if c.start < q.to {
			to = c.column + c.width
		}
		end = c.column + c.width
	}
	if from < 0 {
		from = end
	}
	return from + shift, max(to, from+1) + shift
}

// text returns what is shown, with … where something is cut off.
func (x excerpt) text() string {
	var b strings.Builder
	if x.left {
		b.WriteString("…")
	}
	for _, c := range x.cells {
		b.WriteString(c.text)
	}
	if x.right {
		b.WriteString("…")
	}
	return b.String()
}
