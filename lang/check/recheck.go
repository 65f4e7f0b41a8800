package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// Recheck returns what Check would say of a file when it differs from the one that
// was checked last only inside one program, or between declarations; false when more
// may differ. It looks at that program alone, so that its time does not grow with the
// file, and leaves the session as it is.
//
// What others see of a program must be the same: its signature, and the names of its
// steps and named values. What metrics, tests and tuning say of the program is as it
// was at the last Check.
func (s *Session) Recheck(root *syntax.File) (*Rechecked, bool) {
	if s.last == nil {
		return nil, false
	}
	e, ok := editBetween(s.last.root, root)
	if !ok || !s.importsStand(s.last) {
		return nil, false
	}
	out := &Rechecked{Project: s.last.project}
	if e.new != nil {
		if !s.recheckProgram(e, root, out) {
			return nil, false
		}
	}
	for _, d := range s.last.early {
		if e.old == nil || d.Primary.File != e.from || !e.old.Span.Contains(d.Primary.Start) {
			out.Diags = append(out.Diags, e.movedDiagnostic(d))
		}
	}
	for _, d := range s.last.late {
		out.Diags = append(out.Diags, e.movedDiagnostic(d))
	}
	out.Diags.Sort()
	return out, true
}

// Rechecked is what Recheck found out.
type Rechecked struct {
	Diags diag.List
	// Project is what the last Check made. It has the same declarations, as others
	// see them; its places are those of the text before.
	Project *program.Project
	Facts   []Fact // of the program that has changed; see Session.Facts
}

// checkedRoot is a check that is done.
type checkedRoot struct {
	*checker
	root  *syntax.File
	early diag.List // before metrics, tests and tuning were looked at
	late  diag.List
}

// importsStand reports whether all that was imported still is the same.
func (s *Session) importsStand(last *checkedRoot) bool {
	for tree, fs := range last.files {
		for _, imp := range fs.imports {
			if now, err := s.opt.Import(tree.Source, imp.path); err != nil || now != imp.tree {
				return false
			}
		}
	}
	return true
}

// recheckProgram checks the program of an edit among the declarations of the last
// check. It reports whether it could.
func (s *Session) recheckProgram(e *edit, root *syntax.File, out *Rechecked) bool {
	last := s.last
	was, ok := last.files[last.root]
	if !ok {
		return false
	}
	i := slices.IndexFunc(was.own, func(d *decl) bool { return d.node == syntax.Item(e.old) })
	j := slices.IndexFunc(last.bodies, func(b *body) bool { return b.block == e.old && b.parent == nil })
	if i < 0 || j < 0 || was.own[i].kind != programKind {
		return false
	}
	label := e.old.Labels[0].Span
	if slices.ContainsFunc(last.early, func(d *diag.Diagnostic) bool { return d.Primary.File == e.from && label.Contains(d.Primary.Start) }) {
		return false // said when it was declared
	}
	fs := *was
	d := *was.own[i]
	fs.file, fs.own, fs.names = root, slices.Clone(was.own), maps.Clone(was.names)
	fs.names[programKind] = maps.Clone(was.names[programKind])
	d.node, d.scope, d.place, d.program = e.new, &fs, fs.place(e.new.Labels[0].Span), nil
	fs.own[i] = &d
	fs.bind(&d)
	c := &checker{
		opt: s.opt, u: s.opt.Universe, files: last.files, order: []*fileScope{&fs}, owners: last.owners,
		project: &program.Project{Root: root.Source, Models: slices.Clip(last.project.Models)},
	}
	defer c.forget()
	c.reportHeaders(&fs)
	c.reportFaults(root)
	b := c.declareProgram(&fs, &d)
	c.bodies = slices.Clone(last.bodies)
	c.bodies[j] = b
	c.checkProgram(b)
	out.Diags = slices.DeleteFunc(c.diags, func(d *diag.Diagnostic) bool {
		return d.Primary.File != root.Source || !e.new.Span.Contains(d.Primary.Start)
	})
	out.Facts = c.facts[root.Source]
	return true
}

// edit is a change of one text into another.
type edit struct {
	source.Change
	from, to *source.File
	old, new *syntax.Block // the program that it is in; nil: between declarations
}

// editBetween returns the edit between two trees when it is one that Recheck
// understands.
func editBetween(old, now *syntax.File) (*edit, bool) {
	if len(old.Items) != len(now.Items) {
		return nil, false
	}
	e := &edit{Change: source.ChangeBetween(old.Source, now.Source), from: old.Source, to: now.Source}
	for i, x := range old.Items {
		y := now.Items[i]
		was, is := x.Range(), y.Range()
		if !e.Touches(was) {
			if e.Of(was) != is {
				return nil, false
			}
			continue
		}
		p, okOld := x.(*syntax.Block)
		q, okNew := y.(*syntax.Block)
		if e.old != nil || !okOld || !okNew || e.Of(was) != is || !samePart(old.Source, now.Source, p, q) {
			return nil, false
		}
		e.old, e.new = p, q
	}
	if slices.ContainsFunc(old.Faults, strayBrace) || slices.ContainsFunc(now.Faults, strayBrace) {
		return nil, false // declarations may begin before them
	}
	return e, slices.Equal(elsewhere(old.Faults, e.old, e.Change), elsewhere(now.Faults, e.new, source.Change{}))
}

// elsewhere returns the faults that are not in a block, as they stand after a change.
func elsewhere(faults []syntax.Fault, b *syntax.Block, c source.Change) []syntax.Fault {
	var out []syntax.Fault
	for _, f := range faults {
		if b != nil && b.Span.Contains(f.Start) && b.Span.Contains(f.End) {
			continue
		}
		f.Span, f.Related = c.Of(f.Span), c.Of(f.Related)
		out = append(out, f)
	}
	return out
}

// samePart reports whether two blocks are programs of which others see the same.
func samePart(old, now *source.File, p, q *syntax.Block) bool {
	return p.KindName() == "program" && q.KindName() == "program" && p.Body != nil && q.Body != nil &&
		len(p.Labels) == 1 && len(q.Labels) == 1 && p.Labels[0].Quoted == q.Labels[0].Quoted &&
		p.Type == nil && q.Type == nil && seen(old, p) == seen(now, q)
}

// seen is what others see of a program, as a text.
func seen(src *source.File, b *syntax.Block) string {
	var out strings.Builder
	var walk func(b *syntax.Block, top bool)
	walk = func(b *syntax.Block, top bool) {
		for _, l := range b.Labels {
			out.WriteString(" " + l.Name)
		}
		if b.Body == nil {
			return
		}
		out.WriteString(" {\n")
		for _, it := range b.Body.Items {
			switch it := it.(type) {
			case *syntax.Block:
				out.WriteString(it.KindName())
				walk(it, false)
			case *syntax.Let:
				out.WriteString("let " + it.Name.Name)
			case *syntax.Attribute:
				out.WriteString(it.Name.Name)
				if top && (it.Name.Name == "signature" || it.Name.Name == "local_files") {
					out.WriteString(" " + src.Slice(it.Range()))
				}
			case *syntax.Bad:
				out.WriteString("?")
			default: // a part of a signature
				if top {
					out.WriteString(src.Slice(it.Range()))
				}
			}
			out.WriteString("\n")
		}
		out.WriteString("}")
	}
	walk(b, true)
	return out.String()
}

// movedDiagnostic returns a diagnostic with its places after the edit.
func (e *edit) movedDiagnostic(d *diag.Diagnostic) *diag.Diagnostic {
	move := func(p source.Place) source.Place {
		if p.File == e.from {
			return e.to.Place(e.Of(p.Span))
		}
		return p
	}
	out := *d
	out.Primary.Place = move(d.Primary.Place)
	out.Related = slices.Clone(d.Related)
	for i := range out.Related {
		out.Related[i].Place = move(out.Related[i].Place)
	}
	out.Fixes = slices.Clone(d.Fixes)
	for i := range out.Fixes {
		f := &out.Fixes[i]
		f.Edits = slices.Clone(f.Edits)
		for j := range f.Edits {
			f.Edits[j].Place = move(f.Edits[j].Place)
		}
	}
	return &out
}
