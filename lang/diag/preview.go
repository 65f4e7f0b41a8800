package diag

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
)

// previewLines is how many changed lines of a fix are shown.
const previewLines = 12

// preview returns the lines that a fix changes, as they read afterwards,
// indented by four. It is empty when nothing is left to show (the fix only
// deletes whole lines) or the text is not at hand. Lines of another file than
// the report's stand under that file's name.
func (p *printer) preview(f FixReport, primary string) []string {
	byFile := map[string][]EditReport{}
	var names []string
	for _, e := range f.Edits {
		if byFile[e.File] == nil {
			names = append(names, e.File)
		}
		byFile[e.File] = append(byFile[e.File], e)
	}
	var out []string
	for _, name := range names {
		file := p.file(name)
		if file == nil {
			continue
		}
		lines, at := p.edited(file, byFile[name])
		if len(lines) == 0 {
			continue
		}
		if name != primary {
			out = append(out, "  "+clean(name)+":"+at)
		}
		out = append(out, lines...)
	}
	return out
}

// edited returns the lines that edits change, and the number of the first. It
// returns none when the edits do not fit the text.
func (p *printer) edited(file *source.File, edits []EditReport) ([]string, string) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b EditReport) int { return cmp.Compare(a.Start, b.Start) })
	var b strings.Builder
	type span struct{ from, to int }
	var changed []span // in the new text
	done := 0
	for _, e := range edits {
		if e.Start < done || e.End < e.Start || e.End > len(file.Text) {
			return nil, ""
		}
		b.WriteString(file.Text[done:e.Start])
		from := b.Len()
		b.WriteString(e.Text)
		done = e.End
		old := file.Text[e.Start:e.End]
		wholeLines := (e.Start == 0 || file.Text[e.Start-1] == '\n') && strings.HasSuffix(old, "\n")
		if e.Text != "" || !wholeLines {
			changed = append(changed, span{from, b.Len()})
		}
	}
	b.WriteString(file.Text[done:])
	now := source.NewFile(file.Name, b.String())

	pieces := map[int]piece{} // where to cut a long line
	var numbers []int
	for _, s := range changed {
		text := now.Text[s.from:s.to]
		lead := len(text) - len(strings.TrimLeft(text, "\r\n"))
		end := s.from + len(strings.TrimRight(text, "\r\n"))
		first, last := now.LineOf(int32(s.from+lead)), now.LineOf(int32(max(end, s.from+lead)))
		if lead == len(text) { // an empty edit, or line ends alone
			first, last = now.LineOf(int32(s.from)), now.LineOf(int32(s.to))
		}
		for n := first; n <= last; n++ {
			if _, ok := pieces[n]; !ok && strings.TrimSpace(now.Line(n)) != "" {
				base, size := int(now.LineStart(n)), len(now.Line(n))
				pieces[n] = piece{from: min(max(s.from-base, 0), size), to: min(max(s.to-base, 0), size)}
				numbers = append(numbers, n)
			}
		}
	}
	if len(numbers) == 0 {
		return nil, ""
	}
	slices.Sort(numbers)
	indent := -1
	for _, n := range numbers {
		line := now.Line(n)
		space := len(line) - len(strings.TrimLeft(line, " \t"))
		if indent < 0 || space < indent {
			indent = space
		}
	}
	var out []string
	for i, n := range numbers {
		if i > 0 && n > numbers[i-1]+1 {
			out = append(out, "    …")
		}
		if i == previewLines {
			out = append(out, "    …")
			break
		}
		pc := pieces[n]
		pc.from, pc.to = max(0, pc.from-indent), max(0, pc.to-indent)
		x := cut(now.Line(n)[indent:], []piece{pc}, 0, p.opt.Width-4)
		out = append(out, "    "+x.text())
	}
	return out, strconv.Itoa(numbers[0])
}
