package check

import (
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// What people write who come from DSPy, Terraform or BAML: whole lines (headers),
// fields and types. Single words are in the tables beside the messages about them.

// headers are lines at the top of a file that begin something in another
// language, with what dspi writes; nil for what dspi does not need.
var headers = []struct {
	line  *regexp.Regexp
	label string
	write func(m []string) string
}{
	{regexp.MustCompile(`^(?:export\s+|async\s+)*(?:function|func|def|fn)\s+([A-Za-z_]\w*)\s*\((.*)\)\s*(?:->|:)\s*([^{]+?)\s*\{\s*$`),
		"dspi writes a program with a signature",
		func(m []string) string { return "program " + m[1] + " {\n  " + m[2] + " -> output: " + m[3] }},
	{regexp.MustCompile(`^client\s*<\s*\w+\s*>\s*([A-Za-z_]\w*)\s*\{\s*$`),
		"dspi writes `model NAME { … }`",
		func(m []string) string { return "model " + m[1] + " {" }},
	{regexp.MustCompile(`^(?:from\s+[\w.]+\s+import\s.*|import\s+[A-Za-z_][\w.]*(?:\s+as\s+\w+)?)\s*$`),
		"what is built in needs no import; a file is imported by its path in quotes", nil},
}

// reportHeaders speaks of such lines. What else would be said of them stays quiet.
func (c *checker) reportHeaders(fs *fileScope) {
	if len(fs.file.Faults) == 0 {
		return
	}
	src := fs.file.Source
	for _, f := range fs.file.Faults {
		n := src.LineOf(f.Start)
		at := fs.place(source.Span{Start: src.LineStart(n), End: src.LineStart(n) + int32(len(strings.TrimRight(src.Line(n), " \t\r\n")))})
		if c.quiet[at] {
			continue
		}
		for _, h := range headers {
			m := h.line.FindStringSubmatch(at.Text())
			if m == nil {
				continue
			}
			d := diag.New("E0121", at, h.label)
			if h.write != nil {
				d.Fix("write it so", at, h.write(m))
			} else {
				d.Fix("remove the line", wholeLines(at), "")
			}
			c.report(d)
			if c.quiet == nil {
				c.quiet = map[source.Place]bool{}
			}
			c.quiet[at] = true
			break
		}
	}
}

// isQuiet reports whether a place lies on a line about which all has been said.
func (c *checker) isQuiet(at source.Place) bool {
	for line := range c.quiet {
		if line.File == at.File && line.Start <= at.Start && at.Start <= line.End {
			return true
		}
	}
	return false
}

// wholeLines widens a place to the lines it stands on, if nothing else does.
func wholeLines(at source.Place) source.Place {
	text := at.File.Text
	from, to := int(at.Start), int(at.End)
	for from > 0 && (text[from-1] == ' ' || text[from-1] == '\t') {
		from--
	}
	for to < len(text) && (text[to] == ' ' || text[to] == '\t' || text[to] == '\r') {
		to++
	}
	if (from > 0 && text[from-1] != '\n') || to < len(text) && text[to] != '\n' {
		return at
	}
	if to < len(text) {
		to++
	}
	at.Start, at.End = int32(from), int32(to)
	return at
}

// unknownKind makes a declaration of a block whose kind another language has, so
// that what refers to it is not unknown, too.
func (c *checker) unknownKind(fs *fileScope, b *syntax.Block, d *diag.Diagnostic) {
	if len(b.Labels) == 0 || len(d.Fixes) == 0 || d.Fixes[0].Edits[0].Text != "type" {
		return
	}
	name := b.Labels[0]
	if _, ok := fs.names[typeKind][name.Name]; !ok && isName(name.Name) {
		fs.bind(&decl{kind: typeKind, word: "type", name: name.Name, full: fs.prefix + name.Name, place: fs.place(name.Span), scope: fs, typ: types.Invalid{}})
	}
}

// terraformBlock is `resource "model" "fast" { … }`: the first label is the kind.
func (c *checker) terraformBlock(fs *fileScope, b *syntax.Block, d *diag.Diagnostic) bool {
	if len(b.Labels) != 2 || len(b.Kind) != 1 {
		return false
	}
	kind := b.Labels[0].Name
	if !slices.Contains(c.u.BlockNames(), kind) {
		return false
	}
	at := fs.place(b.KindSpan().To(b.Labels[0].Span))
	d.Primary.Text = "a block begins with its kind, `" + kind + "`"
	d.Fix("write "+code(kind), at, kind)
	return true
}

// typeSetting is `variable NAME { type = T … }`, as Terraform has it.
func typeSetting(b *syntax.Block) *syntax.Attribute {
	if b.Body == nil || b.Type != nil {
		return nil
	}
	for _, it := range b.Body.Items {
		if a, ok := it.(*syntax.Attribute); ok && a.Name.Name == "type" && a.Value != nil {
			return a
		}
	}
	return nil
}

// respelled makes the types of the arguments of a Python type. Where only the
// spelling of an argument is wrong nothing is said of it: the edits that put it
// right are returned, and its text after them.
func (c *checker) respelled(fs *fileScope, te *syntax.NamedType, opt typeOptions) (elems []types.Type, texts []string, edits []diag.Edit) {
	for _, a := range te.Args {
		n := len(c.diags)
		elems = append(elems, c.typeOf(fs, a, opt))
		at := fs.place(a.Range())
		text := at.Text()
		var mine []diag.Edit
		for _, d := range c.diags[n:] {
			if d.Code != "E0121" || len(d.Fixes) != 1 {
				mine = nil
				break
			}
			mine = append(mine, d.Fixes[0].Edits...)
		}
		if len(mine) > 0 {
			c.diags = c.diags[:n]
			slices.SortFunc(mine, func(x, y diag.Edit) int { return int(y.Start - x.Start) })
			for _, e := range mine {
				text = text[:e.Start-at.Start] + e.Text + text[e.End-at.Start:]
			}
		}
		texts = append(texts, text)
		edits = append(edits, mine...)
	}
	return elems, texts, edits
}

var (
	fieldCall = regexp.MustCompile(`^(?:dspy\.)?(?:(?:Old)?(?:Input|Output)?Field)\s*\(([^()]*)\)$`)
	descOf    = regexp.MustCompile(`\bdesc(?:ription)?\s*=\s*("(?:[^"\\]|\\.)*")`)
)

// fieldCallAsDefault is `question: str = dspy.InputField(desc="…")`. What was said
// since before about the spelling of the type becomes a part of its fix.
func (c *checker) fieldCallAsDefault(fs *fileScope, n *syntax.Field, before int) bool {
	m := fieldCall.FindStringSubmatch(n.Default.Text)
	if m == nil || n.Type == nil {
		return false
	}
	at := fs.place(n.Default.Span)
	write := ""
	if d := descOf.FindStringSubmatch(m[1]); d != nil {
		write = " " + d[1]
	}
	var edits []diag.Edit
	for _, d := range c.diags[before:] {
		if d.Code == "E0121" && len(d.Fixes) == 1 {
			edits = append(edits, d.Fixes[0].Edits...)
		}
	}
	if len(edits) > 0 && slices.IndexFunc(c.diags[before:], func(d *diag.Diagnostic) bool { return d.Code != "E0121" }) < 0 {
		c.diags = c.diags[:before]
	} else {
		edits = nil
	}
	d := diag.New("E0121", at, "a field needs no call: the arrow says which side it is on").
		Say("A field reads `name: type \"description\"`, with `= …` for a default.").
		Fix("write it so", fs.place(source.Span{Start: n.Type.Range().End, End: n.Default.End}), write)
	d.Fixes[0].Edits = append(edits, d.Fixes[0].Edits...)
	c.report(d)
	return true
}

var describes = regexp.MustCompile(`^@description\(\s*("(?:[^"\\]|\\.)*")\s*\)`)

// badCharacter words a character that begins nothing.
func badCharacter(at source.Place) *diag.Diagnostic {
	d := diag.New("E0109", at, "nothing begins with this character")
	rest := at.File.Text[at.Start:]
	if m := describes.FindStringSubmatch(rest); m != nil {
		d = diag.New("E0121", at, "a description is a text behind the type")
		phrase := at
		phrase.End = phrase.Start + int32(len(m[0]))
		return d.Fix("write the text alone", phrase, m[1])
	}
	if at.Text() == ";" {
		d.Primary.Text = "an item ends with its line; no `;` is needed"
		return d.Fix("remove it", at, "")
	}
	return d
}

var angled = regexp.MustCompile(`^<([\w\s,.?|\[\]]+)>`)

// angleBrackets is `list<string>`; at is the `<`.
func angleBrackets(at source.Place) *diag.Diagnostic {
	m := angled.FindStringSubmatch(at.File.Text[at.Start:])
	if m == nil {
		return nil
	}
	phrase := at
	phrase.End = phrase.Start + int32(len(m[0]))
	return diag.New("E0121", phrase, "what is in a list or map stands in square brackets").
		Fix("write square brackets", phrase, "["+m[1]+"]")
}

// opensAngle reports whether a `<` follows a place.
func opensAngle(at source.Place) bool {
	return strings.HasPrefix(at.File.Text[at.End:], "<")
}

// meantFlow returns the setting that a misspelt one was meant to be, where others
// would not be understood without it: what a `for_each` or `when` does to a step.
func meantFlow(d *diag.Diagnostic, table *universe.Block) (*universe.Setting, bool) {
	if len(d.Fixes) == 0 {
		return nil, false
	}
	switch name := d.Fixes[0].Edits[0].Text; name {
	case "for_each", "when", "otherwise", "signature", "use":
		return table.Setting(name)
	}
	return nil, false
}
