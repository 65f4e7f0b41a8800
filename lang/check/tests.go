package check

import (
	"strings"
	"time"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// A test runs a program with fixed inputs and asserts conditions over the inputs
// and outputs.

func (c *checker) checkTest(d *decl, b *syntax.Block) {
	fs := d.scope
	table, _ := c.u.Block("test")
	s := c.settings(fs, b, table)
	var asserts []*syntax.Block
	blocks := c.inner(fs, b, table, "a test", func(x *syntax.Block) bool {
		if x.KindName() != "assert" {
			return false
		}
		asserts = append(asserts, x)
		return true
	})
	t := &program.Test{Name: d.full, Names: c.variableNames(fs), Place: d.place}
	c.project.Tests = append(c.project.Tests, t)
	t.Description, _ = constantOf[string](s["description"])
	t.Timeout, _ = constantOf[time.Duration](s["timeout"])
	t.Program, t.Model = c.programOf(fs, s["program"]), c.modelOf(fs, s["model"])
	c.testInputs(fs, d, b, blocks["inputs"], t)
	var scope *expr.Scope
	if t.Program != nil {
		sig := t.Program.Signature
		outputs := expr.Symbol{Name: "outputs", Kind: "outputs", Noun: "output", Members: fieldMembers(sig.Outputs)}
		scope = c.within(fs,
			fieldSymbols(sig.Inputs, "input", t.Program.Place), fieldSymbols(sig.Outputs, "output", t.Program.Place),
			[]expr.Symbol{inputsSymbol(sig.Inputs), outputs},
		)
		scope.Host, scope.Own = c.u.Callable(), c.ownMetrics()
	}
	seen := map[string]source.Place{}
	for _, x := range asserts {
		c.testAssert(fs, x, t, scope, seen)
	}
}

// testInputs checks the inputs of a test against its program.
func (c *checker) testInputs(fs *fileScope, d *decl, b, block *syntax.Block, t *program.Test) {
	if t.Program == nil {
		c.names(fs, block, c.fixedScope(fs), func(syntax.Ident) (types.Type, bool) { return nil, true })
		return
	}
	sig := t.Program.Signature
	all, broken := c.names(fs, block, c.fixedScope(fs), func(name syntax.Ident) (types.Type, bool) {
		f, ok := sig.Input(name.Name)
		if !ok {
			c.report(unknownTestInput(fs, name, t.Program))
			return nil, false
		}
		return f.Type, true
	})
	bound := map[string]bool{}
	for _, n := range all {
		name := n.attr.Name.Name
		bound[name] = true
		f, _ := sig.Input(name)
		switch {
		case !n.ok:
		case n.value.Sensitive:
			c.report(secretEscapes(n.value.Place, "the input "+code(name)))
		case !types.Fits(n.value.Type, f.Type):
			c.report(c.testReceives(fs, f, n.value, t.Program))
		default:
			t.Inputs = append(t.Inputs, program.Binding{Name: name, Value: n.value})
		}
	}
	if broken && block != nil || c.opaque(b) {
		return
	}
	var missing []types.Field
	for _, f := range sig.Inputs {
		if !bound[f.Name] && !f.HasDefault && !types.Nullable(f.Type) {
			missing = append(missing, f)
		}
	}
	if len(missing) == 0 {
		return
	}
	names := make([]string, len(missing))
	for i, f := range missing {
		names[i] = f.Name
	}
	at := d.place
	if block != nil {
		at = fs.place(block.KindSpan())
	}
	verb := " is missing"
	if len(names) > 1 {
		verb = " are missing"
	}
	c.report(diag.New("E0402", at, quotedList(names)+verb).
		Relate(t.Program.Place, "%s asks for %s", code(t.Program.Name), quotedList(names)).
		Say("The program `%s` takes these inputs:\n\n%s", t.Program.Name, fieldLines(sig.Inputs, noAddition)).
		Hint("give it a value: inputs { %s = … }", names[0]))
}

func unknownTestInput(fs *fileScope, name syntax.Ident, prog *program.Program) *diag.Diagnostic {
	at := fs.place(name.Span)
	d := diag.New("E0215", at, code(prog.Name)+" has no input called "+code(name.Name)).Relate(prog.Place, "declared here")
	var names []string
	for _, f := range prog.Signature.Inputs {
		names = append(names, f.Name)
	}
	if near, ok := diag.Nearest(name.Name, names); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	if len(names) == 0 {
		return d.Say("It has no inputs.")
	}
	return d.Say("The program `%s` takes these inputs:\n\n%s", prog.Name, fieldLines(prog.Signature.Inputs, noAddition))
}

// testReceives words a value that does not fit an input.
func (c *checker) testReceives(fs *fileScope, f *types.Field, v program.Value, prog *program.Program) *diag.Diagnostic {
	d := diag.New("E0301", v.Place, "this is "+article(v.Type.String())).
		Relate(prog.Place, "%s asks for %s", code(prog.Name), code(f.Name+": "+f.Type.String())).
		Say("    needs     %s\n    receives  %s", f.Type, v.Type)
	if types.Equal(f.Type, types.String) {
		if text := v.Place.Text(); !strings.ContainsAny(text, "\"\n[{") {
			d.Fix("make it a text", v.Place, types.FormatLiteral(text))
		}
	}
	return d
}

// testAssert checks one `assert` of a test. A nil scope means that its program
// is not known.
func (c *checker) testAssert(fs *fileScope, b *syntax.Block, t *program.Test, scope *expr.Scope, seen map[string]source.Place) {
	test, _ := c.u.Block("test")
	table, _ := test.Block("assert")
	s := c.settings(fs, b, table)
	c.onlySettings(fs, b, code("assert"))
	if len(b.Labels) > 1 {
		c.report(blockWithManyNames(fs, b))
	}
	a := &program.Assertion{Place: fs.place(b.KindSpan())}
	if len(b.Labels) > 0 {
		a.Name = b.Labels[0].Name
		a.Place = fs.place(b.Labels[0].Span)
		c.once(seen, fs, b.Labels[0].Ident, "assert")
	}
	if scope == nil {
		return
	}
	c.checkIn(s, scope)
	a.That, a.Message = s["that"].value(), s["message"].value()
	if !a.That.IsZero() {
		t.Asserts = append(t.Asserts, a)
	}
}

// ownMetrics are the functions of the metrics that the host has added.
func (c *checker) ownMetrics() []expr.Function {
	var out []expr.Function
	for _, m := range c.u.Metrics {
		if m.Own {
			out = append(out, expr.NewMetric(m.Name, m.Doc))
		}
	}
	return out
}
