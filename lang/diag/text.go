package diag

import (
	"fmt"
	"io"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
)

// TextOptions says how Text writes.
type TextOptions struct {
	// Color turns on colours by terminal escape sequences.
	Color bool
	// Width is the number of columns to stay within; 0 is 100, and less
	// than 40 is 40.
	Width int
	// Source returns the text of a file, and false when it is not at hand:
	// then the place is shown without the code. A nil Source has no file.
	Source func(file string) (string, bool)
}

// Text writes reports for people, one empty line between two: the title, the
// code as the person wrote it with its labels, the facts, the ways out. Control
// characters in code and messages are written as pictures, never as they are.
// The error is w's.
func Text(w io.Writer, reports []Report, opt TextOptions) error {
	p := &printer{opt: opt, files: map[string]*source.File{}}
	switch {
	case p.opt.Width <= 0:
		p.opt.Width = 100
	case p.opt.Width < 40:
		p.opt.Width = 40
	}
	for i, r := range reports {
		p.out.Reset()
		if i > 0 {
			p.out.WriteByte('\n')
		}
		p.report(r)
		if _, err := io.WriteString(w, p.out.String()); err != nil {
			return err
		}
	}
	return nil
}

// Summary counts reports for the last line: "2 errors, 1 warning in 3 files".
func Summary(reports []Report) string {
	errors, warnings := 0, 0
	files := map[string]bool{}
	for _, r := range reports {
		if r.Level == Warning {
			warnings++
		} else {
			errors++
		}
		if r.Primary.File != "" {
			files[r.Primary.File] = true
		}
	}
	var parts []string
	if errors > 0 {
		parts = append(parts, count(errors, "error"))
	}
	if warnings > 0 {
		parts = append(parts, count(warnings, "warning"))
	}
	if len(parts) == 0 {
		return "no errors"
	}
	s := strings.Join(parts, ", ")
	if len(files) > 0 {
		s += " in " + count(len(files), "file")
	}
	return s
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// style is what a piece of text is, which gives its colour.
type style int

const (
	plain style = iota
	bold
	frame // line numbers, bars, the words help and note
	errorText
	warningText
	relatedText
)

var colors = map[style]string{
	bold:        "\x1b[1m",
	frame:       "\x1b[1;36m",
	errorText:   "\x1b[1;31m",
	warningText: "\x1b[1;33m",
	relatedText: "\x1b[1;36m",
}

// printer writes one report after the other.
type printer struct {
	opt    TextOptions
	files  map[string]*source.File // what Source gave; nil: nothing
	out    strings.Builder
	gutter int   // columns of the line numbers of this report
	level  style // of this report's level
}

// paint returns s in the colour of st. s must be clean.
func (p *printer) paint(st style, s string) string {
	if !p.opt.Color || st == plain || s == "" {
		return s
	}
	return colors[st] + s + "\x1b[0m"
}

// line writes a line without the space at its end.
func (p *printer) line(s string) {
	p.out.WriteString(strings.TrimRight(s, " "))
	p.out.WriteByte('\n')
}

// file returns the text of a file, or nil.
func (p *printer) file(name string) *source.File {
	if f, ok := p.files[name]; ok {
		return f
	}
	var f *source.File
	if p.opt.Source != nil && name != "" {
		if text, ok := p.opt.Source(name); ok {
			f = source.NewFile(name, text)
		}
	}
	p.files[name] = f
	return f
}

func (p *printer) report(r Report) {
	p.level = errorText
	if r.Level == Warning {
		p.level = warningText
	}
	head := string(r.Level)
	if r.Code != "" {
		head += "[" + string(r.Code) + "]"
	}
	p.line(p.paint(p.level, clean(head)) + p.paint(bold, ": "+clean(r.Title)))
	p.snippet(r)

	// An empty line parts what follows, but not the snippet from the next, and
	// not two ways out of one line each.
	open := false
	gap := func() {
		if open {
			p.line("")
		}
		open = true
	}
	if r.Primary.File == "" && r.Primary.Text != "" {
		gap()
		p.paragraph(r.Primary.Text)
	}
	if r.Detail != "" {
		gap()
		p.paragraph(r.Detail)
	}
	short := false // the last way out was one without a preview
	for _, f := range r.Fixes {
		if f.Title != "" && f.Title == r.Primary.Text {
			continue // the label has said it
		}
		lines := p.preview(f, r.Primary.File)
		if !short || len(lines) > 0 {
			gap()
		}
		p.help(f.Title)
		if len(lines) > 0 {
			p.line("")
		}
		for _, l := range lines {
			p.line(l)
		}
		short = len(lines) == 0
	}
	for _, h := range r.Help {
		if !short {
			gap()
		}
		p.help(h)
		short = true
	}
}

// paragraph writes text with long lines wrapped; lines indented by four stay
// as they are.
func (p *printer) paragraph(text string) {
	for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		l = strings.TrimSuffix(l, "\r")
		if strings.HasPrefix(l, "    ") {
			p.line(clean(l))
			continue
		}
		for _, w := range wrap(clean(l), p.opt.Width) {
			p.line(w)
		}
	}
}

// help writes a way out. One that begins with "note: " stands under that word.
func (p *printer) help(text string) {
	word := "help:"
	if rest, ok := strings.CutPrefix(text, "note: "); ok {
		word, text = "note:", rest
	}
	const indent = "      " // as wide as "help: "
	first := true
	for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		parts := []string{clean(l)}
		if !strings.HasPrefix(l, "    ") {
			parts = wrap(clean(l), p.opt.Width-len(indent))
		}
		for _, w := range parts {
			switch {
			case first:
				p.line(p.paint(frame, word) + " " + w)
			case w == "" || strings.HasPrefix(w, "    "):
				p.line(w)
			default:
				p.line(indent + w)
			}
			first = false
		}
	}
}
