package format

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// shape is the kind of a row. Rows of one shape are aligned with each other.
type shape uint8

const (
	shapeOther shape = iota
	shapeComment
	shapeOpen      // kind name {
	shapeClose     // }
	shapeAttribute // name | = value
	shapeLet       // let name | = value
	shapeField     // name: | type = default | "description"
	shapeArrow     // ->
	shapeSignature // several fields and arrows
	shapeMember    // name | = "shown" | "description"
	shapeBlock     // kind name | { … }
)

// row is a line to be, or an item of several lines. Its text is given, or made
// of the cells.
type row struct {
	indent  int
	blank   bool // a blank line precedes it
	shape   shape
	key     string // rows of shapeBlock with one key are aligned
	several bool   // it takes several lines
	whole   bool   // the text brings its indentation

	text        string
	name, value string
	about       string // the description
	aboutCol    int    // where it stood
	aboutBelow  bool   // on a line of its own
	apart       bool   // the type was set off from the name

	comment    string
	commentCol int // where it stood
}

// verbatim makes text the row's.
func (r *row) verbatim(text string) {
	r.text = text
	r.several = strings.Contains(text, "\n")
	r.shape = shapeOther
	if text != "" && (text[0] == ' ' || text[0] == '\t') {
		r.whole = true
	}
}

// plain writes the cells with single spaces between them.
func (r *row) plain() string {
	if r.text != "" {
		return r.text
	}
	out := r.name
	if r.value != "" {
		out += " " + r.value
	}
	if r.about != "" {
		if r.aboutBelow {
			return out + r.about
		}
		out += " " + r.about
	}
	return out
}

func width(s string) int { return utf8.RuneCountInString(s) }

func pad(s string, n int) string {
	if k := n - width(s); k > 0 {
		return s + strings.Repeat(" ", k)
	}
	return s
}

// write writes rows as text.
func write(out *bytes.Buffer, rows []row) {
	for i := 0; i < len(rows); {
		n := 1
		for i+n < len(rows) && together(&rows[i+n-1], &rows[i+n]) {
			n++
		}
		align(rows[i : i+n])
		i += n
	}
	for i := 0; i < len(rows); {
		n := 1
		for rows[i].comment != "" && !rows[i].several && i+n < len(rows) && rows[i+n].comment != "" && !rows[i+n].several && !rows[i+n].blank {
			n++
		}
		placeComments(rows[i : i+n])
		i += n
	}
	for i := range rows {
		r := &rows[i]
		if r.blank {
			out.WriteByte('\n')
		}
		if !r.whole {
			out.WriteString(strings.Repeat(" ", r.indent))
		}
		out.WriteString(r.text)
		out.WriteByte('\n')
	}
}

// together reports whether b belongs to the paragraph of a, the row before it.
func together(a, b *row) bool {
	if b.blank || a.several || b.several || a.indent != b.indent {
		return false
	}
	fields := func(r *row) bool { return r.shape == shapeField || r.shape == shapeArrow }
	switch {
	case fields(a) && fields(b):
		return true
	case a.shape != b.shape:
		return false
	case a.shape == shapeBlock:
		return a.key == b.key
	}
	return a.shape == shapeAttribute || a.shape == shapeLet || a.shape == shapeMember
}

// align makes the text of a paragraph's rows out of their cells.
func align(rows []row) {
	names, apart := 0, false
	for i := range rows {
		r := &rows[i]
		if r.value != "" {
			names = max(names, width(r.name))
		}
		apart = apart || r.apart
	}
	if len(rows) == 1 && rows[0].shape != shapeField || rows[0].several {
		names = 0
	}
	for i := range rows {
		r := &rows[i]
		if r.text != "" {
			continue
		}
		r.text = r.name
		switch {
		case r.value == "":
		case r.shape == shapeField && !apart:
			r.text += " " + r.value
		default:
			r.text = pad(r.name, names) + " " + r.value
		}
	}
	if placeAbouts(rows, true) {
		return
	}
	// Not all agree. Where each run of lines that have descriptions does, it stays.
	var runs [][]row
	for i := range rows {
		if rows[i].about == "" {
			continue
		}
		if i > 0 && rows[i-1].about != "" {
			runs[len(runs)-1] = append(runs[len(runs)-1], rows[i])
		} else {
			runs = append(runs, rows[i:i+1:i+1])
		}
	}
	for _, run := range runs {
		if _, ok := aboutColumn(run); !ok {
			placeAbouts(rows, false)
			return
		}
	}
	for i := 0; i < len(rows); {
		n := 1
		for rows[i].about != "" && i+n < len(rows) && rows[i+n].about != "" {
			n++
		}
		placeAbouts(rows[i:i+n], false)
		i += n
	}
}

// aboutColumn returns where, from the indentation on, the descriptions of rows
// go, and whether that is where all of them stood.
func aboutColumn(rows []row) (at int, stood bool) {
	col, agree := -1, true
	for i := range rows {
		if r := &rows[i]; r.about != "" && !r.aboutBelow {
			at = max(at, width(r.text)+2)
			agree = agree && (col < 0 || col == r.aboutCol)
			col = r.aboutCol
		}
	}
	if col -= rows[0].indent; agree && col >= at {
		return col, true
	}
	return at, false
}

// placeAbouts appends the descriptions of rows to their text: with only, if they
// stood in one column already.
func placeAbouts(rows []row, only bool) bool {
	at, stood := aboutColumn(rows)
	if only && !stood {
		return false
	}
	for i := range rows {
		switch r := &rows[i]; {
		case r.about == "":
		case r.aboutBelow:
			r.text += r.about
		case r.several:
			r.text += "  " + r.about
		default:
			r.text = pad(r.text, at) + r.about
		}
	}
	return true
}

// placeComments appends the comments of rows to their text.
func placeComments(rows []row) {
	if rows[0].comment == "" {
		return
	}
	longest, agree := 0, true
	for i := range rows {
		r := &rows[i]
		longest = max(longest, end(r))
		agree = agree && r.commentCol == rows[0].commentCol
	}
	at := longest + 2
	if agree && rows[0].commentCol > longest && !rows[0].several {
		at = rows[0].commentCol
	}
	for i := range rows {
		r := &rows[i]
		r.text += strings.Repeat(" ", at-end(r)) + r.comment
	}
}

// end returns the column at which a row's text ends.
func end(r *row) int {
	text := r.text
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		return width(text[i+1:])
	}
	if r.whole {
		return width(text)
	}
	return r.indent + width(text)
}
