package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// lookup returns the value of a name: an output of the last run, or else an
// input.
func (r *repl) lookup(name string) (any, bool) {
	for _, o := range []*value.Object{r.outputs, r.inputs} {
		if o == nil {
			continue
		}
		if v, ok := o.Get(name); ok {
			return v, true
		}
	}
	if r.last != nil { // an optional input that was left out is null
		_, ok := r.last.Input(name)
		return nil, ok
	}
	return nil, false
}

// scope is what expressions can name: what the last run took and gave, and the
// enums of the file.
func (r *repl) scope() *expr.Scope {
	var symbols []expr.Symbol
	if r.project != nil {
		for _, t := range r.project.Types {
			e, ok := t.Type.(*types.Enum)
			if !ok || strings.Contains(t.Name, ".") {
				continue
			}
			s := expr.Symbol{Name: t.Name, Kind: "enum", Noun: "value", Converts: e, Place: t.Place}
			for _, m := range e.Members {
				s.Members = append(s.Members, expr.Member{Name: m.Name, Type: e, Doc: m.Description})
			}
			symbols = append(symbols, s)
		}
	}
	if r.last != nil {
		for _, f := range r.last.Inputs {
			symbols = append(symbols, expr.Symbol{Name: f.Name, Kind: "input", Type: f.Type, Sensitive: types.Sensitive(f.Type)})
		}
		for _, f := range r.last.Outputs {
			symbols = append(symbols, expr.Symbol{Name: f.Name, Kind: "output", Type: f.Type, Sensitive: types.Sensitive(f.Type)})
		}
	}
	return expr.NewScope(symbols...)
}

// expression reads and checks an expression.
func (r *repl) expression(text string) (*expr.Expr, expr.Info, error) {
	file := source.NewFile("expression", text)
	x, diags := expr.Parse(file, &syntax.Expr{Text: text, Span: source.Span{End: int32(len(text))}})
	if diags.HasErrors() {
		return nil, expr.Info{}, diags
	}
	info, diags := x.Check(r.scope())
	for _, d := range diags {
		if r.last == nil && d.Code != "" && strings.HasPrefix(string(d.Code), "E02") {
			d.Hint("nothing has run yet: names are the inputs and outputs of the last run")
		}
		if r.project != nil {
			if p, ok := r.project.Program(text); ok {
				d.Fixes, d.Help = nil, nil
				d.Hint("to run the program: :run %s", p.Name)
			}
		}
	}
	if diags.HasErrors() {
		return nil, info, diags
	}
	return x, info, nil
}

// evaluate prints the value of an expression, a secret as a mark.
func (r *repl) evaluate(ctx context.Context, text string) error {
	x, info, err := r.expression(text)
	if err != nil {
		return err
	}
	if info.Sensitive {
		fmt.Fprintln(r.a.out, diag.Mask)
		return nil
	}
	code, err := x.Compile()
	if err != nil {
		return err
	}
	v, err := code.Eval(ctx, r.lookup)
	var failed *expr.EvalError
	switch {
	case errors.As(err, &failed) && failed.Kind == expr.Cancelled:
		fmt.Fprintln(r.a.err, "interrupted")
		return &exit{code: exitInterrupted}
	case errors.As(err, &failed):
		code := diag.Code("E0614")
		if failed.Kind == expr.TooMuch {
			code = "E0615"
		}
		return diag.New(code, failed.Place, failed.Message)
	case err != nil:
		return err
	}
	r.a.printOutputs(value.NewObject("it", v))
	return nil
}

// describe prints what a name or an expression is: a declared type, a signature
// or program, a value of the last run, or a name of the language.
func (r *repl) describe(text string) error {
	if text == "" {
		return wrong(":type needs a name").hint("a type, a program, an output, or an expression: :type len(answer)")
	}
	if r.project != nil {
		named := schemaNames(r.project)
		i := slices.IndexFunc(named, func(n hasSchema) bool { return n.name == text })
		if _, value := r.lookup(text); i >= 0 && !value {
			r.printNamed(named[i])
			return nil
		}
	}
	_, info, err := r.expression(text)
	if err != nil {
		if builtinName(text) {
			return r.a.doc([]string{text}, false)
		}
		return err
	}
	fmt.Fprintln(r.a.out, info.Type)
	return nil
}

// builtinName reports whether the language has a name of its own like that.
func builtinName(name string) bool {
	for _, t := range topics() {
		for _, e := range t.Entries {
			if len(e.find(name)) > 0 {
				return true
			}
		}
	}
	return false
}

func (r *repl) printNamed(n hasSchema) {
	out := r.a.out
	switch t := n.typ.(type) {
	case nil:
		fmt.Fprintf(out, "%s %s\n  %s\n", n.kind, n.name, n.sig)
		if n.doc != "" {
			fmt.Fprintf(out, "  %s\n", strings.ReplaceAll(strings.TrimSpace(n.doc), "\n", "\n  "))
		}
	case *types.Enum:
		fmt.Fprintf(out, "enum %s\n", n.name)
		for _, m := range t.Members {
			line := "  " + m.Name
			if m.Shown != "" && m.Shown != m.Name {
				line += fmt.Sprintf(" = %q", m.Shown)
			}
			if m.Description != "" {
				line += "  " + m.Description
			}
			fmt.Fprintln(out, line)
		}
	case *types.Record:
		fmt.Fprintf(out, "type %s\n", n.name)
		for _, f := range t.Fields {
			fmt.Fprintf(out, "  %s: %s\n", f.Name, f.Type)
		}
	default:
		fmt.Fprintf(out, "type %s = %s\n", n.name, n.typ)
	}
}
