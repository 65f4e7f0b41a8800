package check

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// References to declarations: `program.qa`, `[metric.correct, metric.cost]`.
// They are names, not values, so they are read from the text of a setting.

// nouns are what the declarations of a kind are called.
var nouns = map[kind]string{
	programKind: "program", toolKind: "tool", retrieverKind: "retriever", datasetKind: "data set", metricKind: "metric",
}

// reference reads `KIND.NAME` at a place. builtin says whether a name that is
// not declared is built in; it may be nil. The result is nil for a built-in name
// and when something was reported; then ok is false.
func (c *checker) reference(fs *fileScope, at source.Place, k kind, builtin func(string) bool) (d *decl, name string, ok bool) {
	text := at.Text()
	name, prefixed := strings.CutPrefix(text, string(k)+".")
	if !prefixed {
		c.report(c.referenceExpected(fs, at, k, builtin))
		return nil, "", false
	}
	if d, ok := fs.lookup(k, name); ok {
		return d, name, true
	}
	if builtin != nil && builtin(name) {
		return nil, name, true
	}
	c.report(c.unknownDeclaration(fs, at, k, name))
	return nil, "", false
}

func (c *checker) referenceExpected(fs *fileScope, at source.Place, k kind, builtin func(string) bool) *diag.Diagnostic {
	noun := nouns[k]
	d := diag.New("E0310", at, "a "+noun+" is expected here").
		Say("A %s is named `%s.NAME`.", noun, k)
	name := strings.Trim(at.Text(), `"`)
	if _, rest, dotted := strings.Cut(name, "."); dotted && !declared(fs, k, name) {
		name = rest
	}
	if declared(fs, k, name) || builtin != nil && builtin(name) {
		d.Fix("did you mean "+code(string(k)+"."+name)+"?", at, string(k)+"."+name)
	}
	return d
}

func declared(fs *fileScope, k kind, name string) bool {
	_, ok := fs.lookup(k, name)
	return ok
}

func (c *checker) unknownDeclaration(fs *fileScope, at source.Place, k kind, name string) *diag.Diagnostic {
	noun := nouns[k]
	names := fs.visible(k)
	own := len(names)
	switch k {
	case toolKind:
		for _, t := range c.u.Tools {
			names = append(names, t.Name)
		}
	case metricKind:
		for _, m := range c.u.Metrics {
			names = append(names, m.Name)
		}
	}
	at.Start += int32(len(k) + 1)
	d := diag.New("E0208", at, "no "+noun+" of this name is declared")
	if near, ok := diag.Nearest(name, names); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	var say []string
	if own > 0 {
		say = append(say, "Declared are: "+quotedList(names[:own])+".")
	} else {
		say = append(say, "No "+noun+" is declared.")
	}
	if own < len(names) {
		say = append(say, "Built in are: "+quotedList(names[own:])+".")
	}
	if b, ok := c.u.Block(string(k)); ok && own == 0 && own == len(names) && b.Example != "" {
		say = append(say, "One reads:\n\n"+indented(b.Example))
	}
	return d.Say("%s", strings.Join(say, " "))
}

func indented(text string) string {
	return "    " + strings.ReplaceAll(text, "\n", "\n    ")
}

// list returns the places of the names in `[a.b, c.d]`.
func (c *checker) list(fs *fileScope, s *setting, example string) []source.Place {
	e := s.attr.Value
	text := withoutComments(e.Text)
	inner, open := strings.CutPrefix(text, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !open || !closed {
		d := diag.New("E0310", s.at, "a list is expected here").
			Say("%s It is written as a list: `[%s]`.", s.decl.Doc, example)
		if nameOf(e) != "" {
			d.Fix("put it in brackets", s.at, "["+e.Text+"]")
		}
		c.report(d)
		s.bad = true
		return nil
	}
	var out []source.Place
	start := e.Start + 1
	for _, part := range strings.Split(inner, ",") {
		if name := strings.TrimSpace(part); name != "" {
			at := start + int32(strings.Index(part, name))
			out = append(out, fs.place(source.Span{Start: at, End: at + int32(len(name))}))
		}
		start += int32(len(part)) + 1
	}
	if len(out) == 0 {
		c.report(diag.New("E0310", s.at, "this list is empty").Say("%s It is written as a list: `[%s]`.", s.decl.Doc, example))
		s.bad = true
	}
	return out
}

// withoutComments returns a text of the same length in which comments are spaces.
func withoutComments(text string) string {
	if !strings.ContainsAny(text, "#/") {
		return text
	}
	out := []byte(text)
	for i := 0; i < len(out); i++ {
		end := -1
		switch {
		case out[i] == '#' || out[i] == '/' && i+1 < len(out) && out[i+1] == '/':
			if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
				end = i + n
			} else {
				end = len(out)
			}
		case out[i] == '/' && i+1 < len(out) && out[i+1] == '*':
			if n := strings.Index(text[i:], "*/"); n >= 0 {
				end = i + n + 2
			} else {
				end = len(out)
			}
		}
		for ; i < end; i++ {
			out[i] = ' '
		}
	}
	return string(out)
}

// programOf reads a setting `program = program.NAME`. It returns nil when there
// is none or something was reported.
func (c *checker) programOf(fs *fileScope, s *setting) *program.Program {
	if s == nil || s.bad {
		return nil
	}
	d, _, ok := c.reference(fs, s.at, programKind, nil)
	if !ok {
		s.bad = true
		return nil
	}
	return d.program
}

// datasetOf reads a setting `data = dataset.NAME`.
func (c *checker) datasetOf(fs *fileScope, s *setting) *program.Dataset {
	if s == nil || s.bad {
		return nil
	}
	d, _, ok := c.reference(fs, s.at, datasetKind, nil)
	if !ok {
		s.bad = true
		return nil
	}
	return d.dataset
}

// modelOf reads a setting `model = model.NAME`.
func (c *checker) modelOf(fs *fileScope, s *setting) program.ModelRef {
	if s == nil || s.bad {
		return program.ModelRef{}
	}
	return c.modelRef(fs, s.at, s.attr.Value.Text, true)
}

// identAt makes a name of the text at a place.
func identAt(at source.Place) syntax.Ident { return syntax.Ident{Name: at.Text(), Span: at.Span} }
