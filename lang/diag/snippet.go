package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
)

// A snippet shows the code that a report is about, file by file:
//
//	   ┌─ qa.dsp:31:12
//	   │
//	25 │   chain_of_thought draft {
//	   │                    ----- a related label
//	   ·
//	31 │   answer = draft.answr
//	   │                  ^^^^^ the primary label
//	   │
//
// A label becomes pieces, one for each line of it that is shown (its first and
// last, and those between when they are few). Pieces on one line are laid in
// layers: those that overlap go to different layers. In a layer the rightmost
// text stands behind its marks, the others hang below.

// piece is the part of a label on one line.
type piece struct {
	from, to int // bytes of the line
	primary  bool
	text     string // empty on all but the label's last piece
}

// placed is a piece in columns.
type placed struct {
	from, to int
	primary  bool
	text     string
}

// maxLabelLines is how many lines of a label are shown whole.
const maxLabelLines = 4

// byteOrderMark may begin a file; it is no part of the code.
const byteOrderMark = "\ufeff"

// section is one file of a snippet.
type section struct {
	name   string
	file   *source.File // nil: the text is not at hand
	at     source.Position
	labels []LabelReport // the primary one first, where it is in this file
	main   bool          // labels[0] is the primary one
	lines  map[int][]piece
}

// snippet writes the code of r, or nothing when r has no place.
func (p *printer) snippet(r Report) {
	var sections []*section
	add := func(l LabelReport, primary bool) {
		if l.File == "" {
			return
		}
		i := slices.IndexFunc(sections, func(s *section) bool { return s.name == l.File })
		if i < 0 {
			i = len(sections)
			sections = append(sections, &section{name: l.File, file: p.file(l.File), at: l.Start, main: primary})
		}
		sections[i].labels = append(sections[i].labels, l)
	}
	add(r.Primary, true)
	for _, l := range r.Related {
		add(l, false)
	}
	last := 1
	for _, s := range sections {
		s.cut()
		for n := range s.lines {
			last = max(last, n)
		}
	}
	p.gutter = max(2, len(strconv.Itoa(last)))
	for i, s := range sections {
		if i > 0 {
			p.bar("│", "")
		}
		p.section(s)
	}
	if len(sections) > 0 {
		p.bar("│", "")
	}
}

// cut turns the labels of s into pieces. A section whose labels do not lie in
// its text (the file has changed since) is shown without it.
func (s *section) cut() {
	for _, l := range s.labels {
		if !fits(s.file, l) {
			s.file = nil
			return
		}
	}
	s.lines = map[int][]piece{}
	for i, l := range s.labels {
		s.addLabel(l, s.main && i == 0)
	}
}

// fits reports whether the places of l are places of f.
func fits(f *source.File, l LabelReport) bool {
	return f != nil && l.Start.Byte <= l.End.Byte &&
		f.Position(int32(l.Start.Byte)) == l.Start && f.Position(int32(l.End.Byte)) == l.End
}

func (s *section) addLabel(l LabelReport, primary bool) {
	start, end := l.Start.Byte, l.End.Byte
	if text := s.file.Text[start:end]; strings.ContainsAny(text, "\r\n") {
		// Space at the ends is not worth lines of its own.
		if t := strings.TrimSpace(text); t != "" {
			start += strings.Index(text, t)
			end = start + len(t)
		} else {
			end = start
		}
	}
	first, last := s.file.LineOf(int32(start)), s.file.LineOf(int32(end))
	for n := first; n <= last; n++ {
		if last-first >= maxLabelLines && n != first && n != last {
			n = last
		}
		text, base := s.file.Line(n), int(s.file.LineStart(n))
		pc := piece{from: len(text) - len(strings.TrimLeft(text, " \t")), to: len(text), primary: primary}
		if n == first {
			pc.from = min(start-base, len(text))
		}
		if n == last {
			pc.to, pc.text = min(end-base, len(text)), clean(l.Text)
		}
		if n != first && n != last && pc.from == pc.to {
			continue // an empty line
		}
		pc.to = max(pc.from, pc.to)
		s.lines[n] = append(s.lines[n], pc)
	}
}

// bar writes a line that has only a mark in its gutter, and text behind it.
func (p *printer) bar(mark, text string) {
	p.line(strings.Repeat(" ", p.gutter) + " " + p.paint(frame, mark) + " " + text)
}

func (p *printer) section(s *section) {
	p.out.WriteString(strings.Repeat(" ", p.gutter) + " " + p.paint(frame, "┌─"))
	p.line(fmt.Sprintf(" %s:%d:%d", clean(s.name), s.at.Line, s.at.Column))
	p.bar("│", "")
	if s.file == nil {
		for i, l := range s.labels {
			text := clean(l.Text)
			if i > 0 {
				text = fmt.Sprintf("line %d: %s", l.Start.Line, text)
			}
			p.bar("│", p.paint(p.markStyle(s.main && i == 0), text))
		}
		return
	}
	numbers := make([]int, 0, len(s.lines))
	for n := range s.lines {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		if i > 0 && n > numbers[i-1]+1 {
			p.bar("·", "")
		}
		p.sourceLine(n, s.file.Line(n), s.lines[n])
	}
}

// sourceLine writes a line of code and its labels. A line that is too long is
// cut around a label, and written again for labels that lie too far away.
func (p *printer) sourceLine(n int, text string, pieces []piece) {
	slices.SortStableFunc(pieces, func(a, b piece) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	if rest, ok := strings.CutPrefix(text, byteOrderMark); ok && n == 1 {
		for i, q := range pieces {
			pieces[i].from = max(0, q.from-len(byteOrderMark))
			pieces[i].to = max(0, q.to-len(byteOrderMark))
		}
		text = rest
	}
	for len(pieces) > 0 {
		focus := max(0, slices.IndexFunc(pieces, func(q piece) bool { return q.primary }))
		x := cut(text, pieces, focus, p.opt.Width-p.gutter-3)
		var here []placed
		var rest []piece
		for i, q := range pieces {
			if i != focus && !x.shows(q) {
				rest = append(rest, q)
				continue
			}
			from, to := x.columns(q)
			here = append(here, placed{from, to, q.primary, q.text})
		}
		number := strconv.Itoa(n)
		p.line(strings.Repeat(" ", p.gutter-len(number)) + p.paint(frame, number+" │") + " " + x.text())
		p.marks(here)
		pieces = rest
	}
}

func (p *printer) markStyle(primary bool) style {
	if primary {
		return p.level
	}
	return relatedText
}

// marks writes the labels under a line.
func (p *printer) marks(labels []placed) {
	slices.SortStableFunc(labels, func(a, b placed) int { // the primary one gets the first layer
		if a.primary != b.primary {
			if a.primary {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.from, b.from)
	})
	var layers [][]placed
next:
	for _, l := range labels {
		for i, layer := range layers {
			if !slices.ContainsFunc(layer, func(o placed) bool { return touches(l, o) }) {
				layers[i] = append(layer, l)
				continue next
			}
		}
		layers = append(layers, []placed{l})
	}
	for _, layer := range layers {
		slices.SortStableFunc(layer, func(a, b placed) int { return cmp.Compare(a.from, b.from) })
		p.layer(layer)
	}
}

// touches reports whether the marks of a and b would run together.
func touches(a, b placed) bool {
	if a.primary == b.primary {
		return a.from <= b.to && b.from <= a.to
	}
	return a.from < b.to && b.from < a.to
}

func (p *printer) layer(layer []placed) {
	var r row
	last := len(layer) - 1
	for i, l := range layer {
		mark := "-"
		if l.primary {
			mark = "^"
		}
		s := strings.Repeat(mark, l.to-l.from)
		if i == last && l.text != "" {
			s += " " + l.text
		}
		r.put(l.from, l.to, p.paint(p.markStyle(l.primary), s))
	}
	p.bar("│", r.String())

	hanging := slices.DeleteFunc(slices.Clone(layer[:last]), func(l placed) bool { return l.text == "" })
	for i := len(hanging) - 1; i >= 0; i-- {
		if i == len(hanging)-1 {
			p.bar("│", p.strings(hanging).String())
		}
		r := p.strings(hanging[:i])
		r.put(hanging[i].from, 0, p.paint(p.markStyle(hanging[i].primary), hanging[i].text))
		p.bar("│", r.String())
	}
}

// strings returns a row of the lines on which labels hang.
func (p *printer) strings(labels []placed) *row {
	r := &row{}
	for _, l := range labels {
		r.put(l.from, l.from+1, p.paint(p.markStyle(l.primary), "│"))
	}
	return r
}

// row is a line that is filled from left to right by columns.
type row struct {
	strings.Builder
	column int
}

// put writes s at a column; to is the column behind it.
func (r *row) put(at, to int, s string) {
	if at > r.column {
		r.WriteString(strings.Repeat(" ", at-r.column))
	}
	r.WriteString(s)
	r.column = to
}
