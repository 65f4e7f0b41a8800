package check

import (
	"go/token"
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// Functions in Python that stand behind declarations: `python { call = … }` in a tool,
// a metric, a data set and a retriever. Nothing is known of them here but their names;
// `dspi check --python` asks Python.

// pythonOf reads the settings of a block `python`.
func (c *checker) pythonOf(fs *fileScope, b *syntax.Block, s map[string]*setting) *program.Python {
	p := &program.Python{Place: fs.place(b.KindSpan())}
	p.Timeout, _ = constantOf[time.Duration](s["timeout"])
	x := s["call"]
	text, ok := constantOf[string](x)
	if !ok {
		return p
	}
	p.Place = x.at
	module, name, colon := strings.Cut(text, ":")
	if !colon || module == "" || name == "" {
		c.report(diag.New("E0310", x.at, "this names no function").
			Say("A function is named `module:function`, say `\"tools:area\"` for `area` in tools.py beside this file."))
		return p
	}
	p.Call = text
	return p
}

// pythonNamed checks the form of what a step `python` calls and a step `dspy` makes.
// What a step `dspy` makes may be written with a dot: `dspy.RLM`.
func (c *checker) pythonNamed(s *stepNode, x *setting) {
	text, ok := constantOf[string](x)
	if !ok {
		return
	}
	last := strings.LastIndexByte(text, '.')
	dotted := last > 0 && last < len(text)-1 && !strings.Contains(text, ":")
	module, name, colon := strings.Cut(text, ":")
	if colon && module != "" && name != "" {
		return
	}
	switch s.module.Name + " " + x.decl.Name {
	case "python call":
		d := diag.New("E0310", x.at, "this names no function").
			Say("A class or function is named `module:name`, say `\"rankers:Ranker\"` for `Ranker` in rankers.py beside this file.")
		if dotted {
			near := text[:last] + ":" + text[last+1:]
			d.Fix("did you mean "+code(near)+"?", x.at, types.FormatLiteral(near))
		}
		c.report(d)
	case "dspy class":
		if dotted {
			return
		}
		d := diag.New("E0310", x.at, "this names no class").
			Say("A class is named with its module, `dspy.RLM`, or `agents.Planner` for `Planner` in agents.py beside this file.")
		if token.IsIdentifier(text) {
			d.Fix("did you mean "+code("dspy."+text)+"?", x.at, types.FormatLiteral("dspy."+text))
		}
		c.report(d)
	}
}

// pythonIn reads the block `python` of a declaration; nil where there is none.
func (c *checker) pythonIn(fs *fileScope, kind string, b *syntax.Block) (*program.Python, map[string]*setting) {
	if b == nil {
		return nil, nil
	}
	around, _ := c.u.Block(kind)
	table, _ := around.Block("python")
	s := c.settings(fs, b, table)
	c.inner(fs, b, table, code("python"), nil)
	return c.pythonOf(fs, b, s), s
}

// insteadOfPython reports what has no meaning where Python does the work.
func (c *checker) insteadOfPython(fs *fileScope, p *program.Python, s map[string]*setting, why string, names ...string) {
	for _, name := range names {
		if x := s[name]; x != nil {
			c.report(diag.New("E0511", fs.place(x.attr.Name.Span), code(name)+" has no meaning here").
				Relate(p.Place, "%s", why))
		}
	}
}

// pythonMetric takes the block `python` out of a metric: what is left are settings and
// steps. The second result is nil where there is none.
func pythonMetric(b *syntax.Block) (rest, python *syntax.Block) {
	if b.Body == nil {
		return b, nil
	}
	i := slices.IndexFunc(b.Body.Items, func(it syntax.Item) bool {
		x, ok := it.(*syntax.Block)
		return ok && x.KindName() == "python" && len(x.Labels) == 0
	})
	if i < 0 {
		return b, nil
	}
	python, _ = b.Body.Items[i].(*syntax.Block)
	copied, body := *b, *b.Body
	body.Items = slices.Delete(slices.Clone(body.Items), i, i+1)
	copied.Body = &body
	return &copied, python
}

// Outputs of a metric in Python.
var measured = &program.Signature{
	Inputs:  []types.Field{{Name: "example", Type: types.JSON}, {Name: "prediction", Type: types.JSON}},
	Outputs: []types.Field{{Name: "score", Type: types.Float}, {Name: "feedback", Type: types.NewOptional(types.String)}},
}

// pythonStep makes the one step of a metric in Python: it is called with the row and
// the outputs, and gives the score.
func (c *checker) pythonStep(b *body, block *syntax.Block, prog *program.Program) *program.Python {
	p, s := c.pythonIn(b.fs, "metric", block)
	m, _ := c.u.Module("python")
	given := func(name string) program.Binding {
		return program.Binding{Name: name, Value: program.Value{Root: name, Type: types.JSON, Place: p.Place}, Auto: true}
	}
	st := &program.Step{
		Name: "python", Module: m.Name, Declared: measured, Signature: measured, Measures: prog,
		Inputs: []program.Binding{given("example"), given("prediction")},
		Place:  p.Place, Block: b.fs.place(block.Span),
	}
	if st.Measures == nil {
		st.Measures = &program.Program{Signature: &program.Signature{}}
	}
	for _, name := range []string{"call", "timeout"} {
		if x := s[name]; x != nil && !x.bad {
			st.Options = append(st.Options, program.Option{Name: name, Value: x.value()})
		}
	}
	c.stepSettings(b, &stepNode{block: block, step: st, module: m, settings: map[string]*setting{}})
	b.prog.Steps = []*program.Step{st}
	return p
}

// pythonResult is an output of the step that pythonStep makes.
func pythonResult(name string, t types.Type, at source.Place) program.Value {
	return program.Value{Root: "python", Field: name, Type: t, Place: at}
}
