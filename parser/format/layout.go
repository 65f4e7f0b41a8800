package format

import (
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// layout turns the items and comments of a file into rows.
type layout struct {
	src      string
	comments []syntax.Comment
	faults   []syntax.Fault
	rows     []row
	next     int // the first comment that is not yet placed
}

// slice returns the text of s.
func (l *layout) slice(s source.Span) string { return l.src[s.Start:s.End] }

// lines returns how many lines end between a and b.
func (l *layout) lines(a, b int32) int {
	if a >= b {
		return 0
	}
	return strings.Count(l.src[a:b], "\n")
}

// column returns how many characters precede i in its line.
func (l *layout) column(i int32) int {
	from := strings.LastIndexByte(l.src[:i], '\n') + 1
	return utf8.RuneCountInString(l.src[from:i])
}

// body lays out the items between open and close, and the comments among them.
func (l *layout) body(items []syntax.Item, within source.Span, indent int) {
	last := within.Start // where what is laid out ends
	fresh := true        // nothing precedes it in the body
	for len(items) > 0 {
		first := items[0]
		last = l.commentsBefore(first.Range().Start, last, indent, &fresh)
		n := l.group(items)
		n, copied := l.withBad(items, n)
		r := row{indent: indent, blank: !fresh && l.lines(last, first.Range().Start) > 1}
		at := len(l.rows)
		end := items[n-1].Range().End
		switch {
		case indent == 0 && l.fragile(items, n, within.End):
			r.verbatim(l.wholeLines(first.Range().Start, end))
			l.rows = append(l.rows, r)
			l.skipComments(end)
		case copied:
			r.verbatim(strings.TrimRight(l.src[first.Range().Start:end], " \t\r\n"))
			l.rows = append(l.rows, r)
			l.skipComments(end)
		case n > 1:
			r.shape = shapeSignature
			r.text = l.signature(items[:n], indent)
			r.several = strings.Contains(r.text, "\n")
			l.rows = append(l.rows, r)
		default:
			l.item(r, first)
		}
		if fresh && at < len(l.rows) {
			l.rows[at].blank = false
		}
		fresh = false
		last = l.trailing(end)
		items = items[n:]
	}
	l.commentsBefore(within.End, last, indent, &fresh)
}

// commentsBefore lays out the comments that stand before pos, each on its own
// line.
func (l *layout) commentsBefore(pos, last int32, indent int, fresh *bool) int32 {
	for l.next < len(l.comments) && l.comments[l.next].Start < pos {
		c := l.comments[l.next]
		l.next++
		text := l.slice(c.Span)
		l.rows = append(l.rows, row{
			indent: indent, shape: shapeComment, text: text,
			blank: !*fresh && l.lines(last, c.Start) > 1, several: strings.Contains(text, "\n"),
		})
		*fresh = false
		last = c.End
	}
	return last
}

// skipComments drops the comments before pos: they were copied with the text
// around them.
func (l *layout) skipComments(pos int32) {
	for l.next < len(l.comments) && l.comments[l.next].Start < pos {
		l.next++
	}
}

// trailing appends the comments that follow on the line that ends at end to the
// last row, and returns where the last of them ends.
func (l *layout) trailing(end int32) int32 {
	r := &l.rows[len(l.rows)-1]
	for l.next < len(l.comments) {
		c := l.comments[l.next]
		if c.OwnLine || c.Start < end || strings.Trim(l.src[end:c.Start], " \t\r,{}") != "" {
			break
		}
		l.next++
		if r.comment == "" {
			r.commentCol = l.column(c.Start)
		} else {
			r.comment += " "
		}
		r.comment += l.slice(c.Span)
		end = c.End
	}
	return end
}

// group returns how many of the items were written on one line and stay on it:
// fields and arrows.
func (l *layout) group(items []syntax.Item) int {
	n := 1
	for n < len(items) && inSignature(items[n-1]) && inSignature(items[n]) {
		a, b := items[n-1].Range().End, items[n].Range().Start
		if l.lines(a, b) > 0 || l.commentWithin(a, b) || l.brokenItem(items[n-1]) || l.brokenItem(items[n]) {
			break
		}
		n++
	}
	return n
}

// withBad extends a group of n items by what was not understood on the same
// line, and by what shares a line with that, and reports whether there was any:
// then all is copied.
func (l *layout) withBad(items []syntax.Item, n int) (int, bool) {
	copied := false
	for n < len(items) {
		_, a := items[n-1].(*syntax.Bad)
		_, b := items[n].(*syntax.Bad)
		if !a && !b || l.lines(items[n-1].Range().End, items[n].Range().Start) > 0 {
			break
		}
		n++
		copied = true
	}
	return n, copied
}

func inSignature(it syntax.Item) bool {
	switch it.(type) {
	case *syntax.Field, *syntax.Arrow:
		return true
	}
	return false
}

func (l *layout) commentWithin(a, b int32) bool {
	for i := l.next; i < len(l.comments) && l.comments[i].Start < b; i++ {
		if l.comments[i].Start >= a {
			return true
		}
	}
	return false
}

// broken reports whether a fault lies in s for which its text must be kept.
func (l *layout) broken(s source.Span) bool {
	for i := range l.faults {
		f := &l.faults[i]
		switch f.Kind {
		case syntax.MissingComma, syntax.BraceOnNextLine:
			continue
		}
		if touches(f, s) {
			return true
		}
	}
	return false
}

// brokenItem is broken for an item that is no block. An arrow is none ever: it
// may be what was unexpected where it stands.
func (l *layout) brokenItem(it syntax.Item) bool {
	if _, ok := it.(*syntax.Arrow); ok {
		return false
	}
	return l.broken(it.Range())
}

// touches reports whether f lies in s; without a length, also at its ends.
func touches(f *syntax.Fault, s source.Span) bool {
	if f.Len() == 0 {
		return s.Start <= f.Start && f.Start <= s.End
	}
	return f.Start < s.End && s.Start < f.End
}

// fragile reports whether the top-level item is one whose reading hangs on its
// layout, since its brackets do not balance.
func (l *layout) fragile(items []syntax.Item, n int, limit int32) bool {
	if len(l.faults) == 0 {
		return false
	}
	s := items[0].Range()
	s.End = limit
	if n < len(items) {
		s.End = items[n].Range().Start
	}
	for i := range l.faults {
		f := &l.faults[i]
		switch f.Kind {
		case syntax.MissingComma, syntax.BraceOnNextLine, syntax.MissingValue, syntax.MissingType,
			syntax.BadEscape, syntax.SingleQuotes, syntax.BadCharacter:
			continue
		case syntax.Unexpected:
			if f.Wanted != "`{`" {
				continue
			}
		}
		if touches(f, s) {
			return true
		}
	}
	return false
}

// wholeLines returns the text from a to b, with the indentation before it.
func (l *layout) wholeLines(a, b int32) string {
	from := strings.LastIndexByte(l.src[:a], '\n') + 1
	if strings.TrimLeft(l.src[from:a], " \t") == "" {
		a = int32(from)
	}
	return strings.TrimRight(l.src[a:b], " \t\r\n")
}

// item lays out one item: r is its row so far.
func (l *layout) item(r row, it syntax.Item) {
	s := it.Range()
	if b, ok := it.(*syntax.Block); ok {
		l.block(r, b)
		return
	}
	if l.brokenItem(it) || l.commentWithin(s.Start, s.End) {
		r.verbatim(strings.TrimRight(l.slice(s), " \t\r\n"))
		if a, ok := it.(*syntax.Attribute); ok && !r.several && a.Value == nil {
			r.shape = shapeOther
		}
		l.rows = append(l.rows, r)
		l.skipComments(s.End)
		return
	}
	l.cells(&r, it)
	l.rows = append(l.rows, r)
}

// cells fills the row of an item that is no block.
func (l *layout) cells(r *row, it syntax.Item) {
	switch it := it.(type) {
	case *syntax.Import:
		r.text = "import " + l.slice(it.Path.Span)
		if it.Alias != nil {
			r.text += " as " + it.Alias.Name
		}
	case *syntax.TypeAlias:
		r.text = "type " + it.Name.Name + " =" + l.spaced(it.Type, it.Name.End, r.indent)
	case *syntax.Attribute:
		r.shape, r.name, r.value = shapeAttribute, it.Name.Name, l.value(it.Value)
	case *syntax.Let:
		r.shape, r.name, r.value = shapeLet, "let "+it.Name.Name, l.value(it.Value)
	case *syntax.EnumMember:
		r.shape, r.name = shapeMember, it.Name.Name
		if it.Shown != nil {
			r.value = "= " + l.slice(it.Shown.Span)
		}
		prev := it.Name.End
		if it.Shown != nil {
			prev = it.Shown.End
		}
		l.description(r, it.Description, prev)
	case *syntax.Field:
		l.field(r, it)
	case *syntax.Arrow:
		r.shape, r.text = shapeArrow, "->"
	case *syntax.Bad:
		r.text = strings.TrimRight(l.slice(it.Span), " \t\r\n")
	}
	r.several = strings.Contains(r.text, "\n") || strings.Contains(r.value, "\n") ||
		strings.Contains(r.about, "\n")
}

func (l *layout) value(e *syntax.Expr) string {
	if e == nil {
		return "="
	}
	return "= " + e.Text
}

// field fills the cells of a field.
func (l *layout) field(r *row, f *syntax.Field) {
	r.shape = shapeField
	r.name = f.Name.Name
	if f.Optional {
		r.name += "?"
	}
	prev := f.Name.End
	if f.Type != nil {
		r.name += ":"
		s := f.Type.Range()
		text := l.spaced(f.Type, f.Name.End, r.indent)
		r.value = strings.TrimPrefix(text, " ")
		r.apart = l.gap(s.Start) > 1
		prev = s.End
	}
	if f.Default != nil {
		if r.value != "" {
			r.value += " "
		}
		r.value += "= " + f.Default.Text
		prev = f.Default.End
	}
	l.description(r, f.Description, prev)
}

// gap returns how many spaces precede i.
func (l *layout) gap(i int32) int {
	return int(i) - len(strings.TrimRight(l.src[:i], " \t"))
}

// description fills the cell of a description, which keeps its own line if it had one.
func (l *layout) description(r *row, s *syntax.String, prev int32) {
	if s == nil {
		return
	}
	r.about = l.slice(s.Span)
	if l.lines(prev, s.Start) > 0 {
		r.aboutBelow, r.several = true, true
		r.about = "\n" + strings.Repeat(" ", r.indent+4) + r.about
		return
	}
	r.aboutCol = l.column(s.Start)
}

// signature writes fields and arrows on one line.
func (l *layout) signature(items []syntax.Item, indent int) string {
	var b strings.Builder
	for i, it := range items {
		if i > 0 {
			_, a := items[i-1].(*syntax.Arrow)
			_, z := it.(*syntax.Arrow)
			if a || z {
				b.WriteByte(' ')
			} else {
				b.WriteString(", ")
			}
		}
		r := row{indent: indent}
		l.cells(&r, it)
		b.WriteString(r.plain())
	}
	return b.String()
}

// block lays out a block.
func (l *layout) block(r row, b *syntax.Block) {
	head := b.Span
	if b.Body != nil {
		head.End = b.Body.Open.Start
	}
	text := ""
	if l.broken(head) || l.commentWithin(head.Start, head.End) || b.Body != nil && b.Body.Close.Len() == 0 {
		text = strings.TrimRight(l.slice(head), " \t\r\n")
		if l.commentWithin(head.Start, head.End) || b.Body != nil && b.Body.Close.Len() == 0 {
			r.verbatim(strings.TrimRight(l.slice(b.Span), " \t\r\n"))
			l.rows = append(l.rows, r)
			l.skipComments(b.End)
			return
		}
	} else {
		text = l.head(b, r.indent)
	}
	if b.Body == nil {
		r.text = text
		r.several = strings.Contains(text, "\n")
		l.rows = append(l.rows, r)
		return
	}
	inside := source.Span{Start: b.Body.Open.End, End: b.Body.Close.Start}
	if line, ok := l.oneLine(b, inside, r.indent); ok {
		r.shape = shapeBlock
		r.name, r.value = text, line
		if line == "{}" || b.Type != nil || strings.Contains(text, "\n") {
			r.shape, r.text = shapeOther, text+" "+line
		} else if len(b.Labels) > 0 {
			r.key = b.KindName()
		}
		r.several = strings.Contains(r.plain(), "\n")
		l.rows = append(l.rows, r)
		return
	}
	r.text = text + " {"
	r.shape = shapeOpen
	r.several = strings.Contains(text, "\n")
	l.rows = append(l.rows, r)
	inside.Start = l.trailing(inside.Start)
	l.body(b.Body.Items, inside, r.indent+2)
	l.rows = append(l.rows, row{indent: r.indent, shape: shapeClose, text: "}"})
}

// head writes what precedes a block's brace.
func (l *layout) head(b *syntax.Block, indent int) string {
	var s strings.Builder
	s.WriteString(b.KindName())
	for _, label := range b.Labels {
		s.WriteByte(' ')
		s.WriteString(l.slice(label.Span))
	}
	if b.Type != nil {
		s.WriteString(":" + l.spaced(b.Type, b.Type.Range().Start, indent))
	}
	return s.String()
}

// oneLine writes a body on one line, if it was written so and can be.
func (l *layout) oneLine(b *syntax.Block, inside source.Span, indent int) (string, bool) {
	if l.lines(b.Body.Open.Start, b.Body.Close.End) > 0 || l.commentWithin(b.Body.Open.Start, b.Body.Close.End) ||
		l.broken(inside) {
		return "", false
	}
	items := b.Body.Items
	if len(items) == 0 {
		return "{}", true
	}
	var parts strings.Builder
	for i, it := range items {
		if i > 0 {
			if inSignature(items[i-1]) && inSignature(it) {
				_, x := items[i-1].(*syntax.Arrow)
				_, y := it.(*syntax.Arrow)
				if !x && !y {
					parts.WriteByte(',')
				}
			} else {
				parts.WriteByte(',')
			}
		}
		parts.WriteByte(' ')
		switch it := it.(type) {
		case *syntax.Block:
			if it.Body == nil {
				return "", false
			}
			line, ok := l.oneLine(it, source.Span{Start: it.Body.Open.End, End: it.Body.Close.Start}, indent)
			if !ok {
				return "", false
			}
			parts.WriteString(l.head(it, indent) + " " + line)
		case *syntax.Bad:
			return "", false
		default:
			r := row{indent: indent}
			l.cells(&r, it)
			parts.WriteString(r.plain())
		}
	}
	return "{" + parts.String() + " }", true
}
