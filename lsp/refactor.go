package lsp

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/parser/format"
)

// A refactoring is offered after it was tried: its text has no mistake that was not
// there before. A file that was laid out is laid out afterwards, too.

// change puts a text in the place of a span.
type change struct {
	at   source.Span
	text string
}

// refactoring is what one of them would change; without changes there is nothing
// to do here.
type refactoring struct {
	title   string
	kind    protocol.CodeActionKind
	changes []change
}

// refactorings are asked in this order; each looks at the cursor, which stands at
// the beginning of what is selected.
var refactorings = []struct {
	kind protocol.CodeActionKind
	make func(v *View, offset int32) refactoring
}{
	{protocol.QuickFix, bindMissing},
	{protocol.QuickFix, spellTypes},
	{protocol.Extract, extractVariable},
	{protocol.Extract, extractSignature},
	{protocol.Inline, inlineSignature},
	{protocol.Rewrite, thinkFirst},
	{protocol.Rewrite, wrapInBest},
	{protocol.OrganizeImports, organizeImports},
}

// Refactorings returns the refactorings that can be done at the beginning of a
// span, of the kinds that are asked for.
func Refactorings(v *View, span source.Span, only []protocol.CodeActionKind) []protocol.CodeAction {
	var out []protocol.CodeAction
	for _, r := range refactorings {
		if !wants(only, r.kind) || r.kind == protocol.OrganizeImports && len(only) == 0 {
			continue // an editor sorts imports when it is told to
		}
		made := r.make(v, span.Start)
		made.kind = r.kind
		if edit := v.tried(made); edit != nil {
			out = append(out, protocol.CodeAction{Title: made.title, Kind: ptr(made.kind), Edit: edit})
		}
	}
	return out
}

// tried returns the edit of a refactoring; nil where it changes nothing, or would
// make a mistake.
func (v *View) tried(r refactoring) *protocol.WorkspaceEdit {
	if len(r.changes) == 0 {
		return nil
	}
	for i := range r.changes {
		r.changes[i].text = ended(v.src(), r.changes[i].text)
	}
	text := applied(v.src().Text, r.changes)
	if tree := parser.Reparse(v.tree(), source.NewFile(v.File.Path, text)); v.laidOut() && len(tree.Faults) == 0 {
		text = string(format.File(tree))
	}
	checked, err := v.Snap.With(map[string]string{v.File.Path: text}).Try(v.File.Path)
	if err != nil || errorsIn(checked.Diags) > errorsIn(v.check().Diags) {
		return nil
	}
	edits := changes(v, text)
	if len(edits) == 0 {
		return nil
	}
	return &protocol.WorkspaceEdit{Changes: map[protocol.URI][]protocol.TextEdit{protocol.Address(v.File.Path): edits}}
}

// laidOut reports whether a file stands as `dspi fmt` writes it.
func (v *View) laidOut() bool {
	if v.laid == nil {
		v.laid = ptr(len(v.tree().Faults) == 0 && string(format.File(v.tree())) == v.src().Text)
	}
	return *v.laid
}

// applied returns a text after changes, none of which overlap.
func applied(text string, list []change) string {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b change) int { return int(a.at.Start - b.at.Start) })
	var b strings.Builder
	done := int32(0)
	for _, c := range list {
		if c.at.Start < done {
			continue
		}
		b.WriteString(text[done:c.at.Start])
		b.WriteString(c.text)
		done = c.at.End
	}
	b.WriteString(text[done:])
	return b.String()
}

// topAt returns the item at the top of a file that stands around an offset.
func topAt(tree *syntax.File, offset int32) syntax.Item {
	for _, it := range tree.Items {
		if it.Range().Contains(offset) {
			return it
		}
	}
	return nil
}

// above returns where something can be put before an item at the top of a file: at
// the beginning of the comment that belongs to it.
func (v *View) above(it syntax.Item) int32 {
	line := v.src().LineOf(it.Range().Start)
	for line > 1 {
		text := strings.TrimSpace(v.src().Line(line - 1))
		if !strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "//") {
			break
		}
		line--
	}
	return v.src().LineStart(line)
}

// lines returns the span of all lines that a span touches, with their ends.
func (v *View) lines(s source.Span) source.Span {
	return source.Span{Start: v.src().LineStart(v.src().LineOf(s.Start)), End: v.src().LineStart(v.src().LineOf(s.End) + 1)}
}

// fresh returns a name that no declaration of the file has.
func (v *View) fresh(name string) string {
	taken := func(name string) bool {
		return slices.Contains(universe.Reserved, name) || slices.ContainsFunc(v.index().Defs, func(d *snapshot.Def) bool { return d.Name == name && d.Parent == nil })
	}
	for i, base := 2, name; taken(name); i++ {
		name = base + strconv.Itoa(i)
	}
	return name
}

// indentedBy returns lines of text with another indentation than their first has.
func indentedBy(text, by string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	first := lines[0][:len(lines[0])-len(strings.TrimLeft(lines[0], " \t"))]
	for i, line := range lines {
		line = strings.TrimRight(strings.TrimPrefix(line, first), " \t\r")
		if line != "" {
			line = by + line
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

var (
	wholeNumber = regexp.MustCompile(`^-?\d+$`)
	number      = regexp.MustCompile(`^-?\d+\.\d+$`)
)

// extractVariable makes the fixed value at the cursor a variable, which can be set
// from outside.
func extractVariable(v *View, offset int32) refactoring {
	top, ok := topAt(v.tree(), offset).(*syntax.Block)
	if !ok || top.KindName() == "variable" {
		return refactoring{}
	}
	var name string
	var value *syntax.Expr
	syntax.Walk(top, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Attribute:
			if n.Value != nil && n.Range().Contains(offset) {
				name, value = n.Name.Name, n.Value
			}
		case *syntax.Let:
			if n.Value != nil && n.Range().Contains(offset) {
				name, value = n.Name.Name, n.Value
			}
		}
		return n.Range().Contains(offset)
	})
	if value == nil {
		return refactoring{}
	}
	text := strings.TrimSpace(value.Text)
	var kind string
	switch {
	case text == "true" || text == "false":
		kind = "bool"
	case wholeNumber.MatchString(text):
		kind = "int"
	case number.MatchString(text):
		kind = "float"
	case len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"' && !strings.Contains(text, "${") && strings.Count(text, `"`) == 2:
		kind = "string"
	default:
		return refactoring{}
	}
	if block := blockOf(top, value); len(name) < 2 || name == "name" || name == "default" {
		name = block.Name().Name + "_" + name
	}
	name = v.fresh(name)
	at := v.above(top)
	return refactoring{title: "make it a variable: var." + name, changes: []change{
		{source.Span{Start: at, End: at}, "variable " + name + ": " + kind + " {\n" + indent + "default = " + text + "\n}\n\n"},
		{value.Span, "var." + name},
	}}
}

// blockOf returns the innermost block with a name that holds an expression.
func blockOf(top *syntax.Block, e *syntax.Expr) *syntax.Block {
	found := top
	syntax.Walk(top, func(n syntax.Node) bool {
		if b, ok := n.(*syntax.Block); ok && len(b.Labels) > 0 && b.Contains(e.Start) {
			found = b
		}
		return n.Range().Contains(e.Start)
	})
	return found
}

// spellTypes writes all types of a file as dspi spells them, where the cursor is at
// one that Python spells.
func spellTypes(v *View, offset int32) refactoring {
	const code = "E0121"
	here, several := false, 0
	for _, d := range v.check().Diags {
		if d.Code == code && d.Primary.File == v.src() {
			several++
			here = here || d.Primary.Contains(offset)
		}
	}
	if !here || several < 2 {
		return refactoring{}
	}
	text, diags := v.src().Text, v.check().Diags
	for range 8 { // one inside another needs one more
		var list []change
		for _, d := range diags {
			if d.Code == code && len(d.Fixes) == 1 && d.Primary.File.Name == v.File.Path {
				for _, e := range d.Fixes[0].Edits {
					list = append(list, change{e.Span, e.Text})
				}
			}
		}
		if len(list) == 0 {
			break
		}
		text = applied(text, list)
		checked, err := v.Snap.With(map[string]string{v.File.Path: text}).Try(v.File.Path)
		if err != nil {
			break
		}
		diags = checked.Diags
	}
	return refactoring{title: "write all types as dspi spells them", changes: []change{{source.Span{End: int32(len(v.src().Text))}, text}}}
}

// organizeImports sorts the imports that a file begins with, and leaves out those
// that stand twice or of which nothing is used.
func organizeImports(v *View, _ int32) refactoring {
	var imports []*syntax.Import
	for _, it := range v.tree().Items {
		imp, ok := it.(*syntax.Import)
		if !ok || imp.Path == nil {
			break
		}
		imports = append(imports, imp)
	}
	if len(imports) == 0 || len(v.tree().Faults) > 0 {
		return refactoring{}
	}
	whole := v.lines(source.Span{Start: imports[0].Start, End: imports[len(imports)-1].End})
	for _, c := range v.tree().Comments {
		if whole.Start <= c.Start && c.Start < whole.End {
			return refactoring{} // what it belongs to is not known
		}
	}
	seen := map[string]bool{}
	var lines []string
	for _, imp := range imports {
		line := v.src().Slice(imp.Span)
		if !seen[line] && (errorsIn(v.check().Diags) > 0 || v.imported(imp)) {
			lines = append(lines, line)
		}
		seen[line] = true
	}
	slices.SortStableFunc(lines, strings.Compare)
	text := ""
	if len(lines) > 0 {
		text = strings.Join(lines, "\n") + "\n"
	}
	return refactoring{title: "organise imports", changes: []change{{whole, text}}}
}

// imported reports whether something of an import is used: without it, there would
// be a mistake.
func (v *View) imported(imp *syntax.Import) bool {
	var list []change
	for _, it := range v.tree().Items {
		if other, ok := it.(*syntax.Import); ok && v.src().Slice(other.Span) == v.src().Slice(imp.Span) {
			list = append(list, change{v.lines(other.Span), ""})
		}
	}
	text := applied(v.src().Text, list)
	checked, err := v.Snap.With(map[string]string{v.File.Path: text}).Try(v.File.Path)
	return err != nil || errorsIn(checked.Diags) > 0
}
