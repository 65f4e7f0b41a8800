package dspi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// TestTimeout is how long a test's run may take that does not say.
const TestTimeout = 5 * time.Minute

// TestRun is what became of a test.
type TestRun struct {
	Test   *program.Test
	Result *Result // never nil
	// Failures are the assertions that do not hold.
	Failures diag.List
	// Err says why the program did not give outputs to judge: a *diag.Diagnostic
	// or a diag.List.
	Err error
}

// Passed reports whether everything held.
func (r *TestRun) Passed() bool { return r.Err == nil && len(r.Failures) == 0 }

// TestOptions returns opt for the program of a test. The test's model answers
// where nothing else is said, before opt.DefaultModel.
func TestOptions(t *program.Test, opt PlanOptions) PlanOptions {
	opt.Program = t.Program.Name
	switch ref := t.Model; {
	case ref.Model != nil:
		opt.DefaultModel = ref.Model.Name
	case ref.Address != "":
		opt.DefaultModel = ref.Address
	case ref.Variable != nil:
		v, given := opt.Vars[ref.Variable.Name]
		if !given {
			v = ref.Variable.Default
		}
		if name, ok := v.(string); ok {
			opt.DefaultModel = name
		}
	}
	return opt
}

// Test runs a test: the plan, which is one of its program, with the test's
// inputs; then its assertions are judged.
func (r *Runtime) Test(ctx context.Context, p *plan.Plan, t *program.Test) *TestRun {
	out := &TestRun{Test: t, Result: &Result{Program: p.Program}}
	inputs := map[string]any{}
	for _, in := range t.Inputs {
		v, err := r.evalTest(ctx, in.Value, t, p, nil, nil)
		if err != nil {
			out.Err = err
			return out
		}
		inputs[in.Name] = v
	}
	timeout := t.Timeout
	if timeout == 0 {
		timeout = TestTimeout
	}
	running, cancel := context.WithTimeoutCause(ctx, timeout, errTooLong)
	defer cancel()
	given, err := CheckInputs(p.Checked, inputs)
	if err == nil {
		out.Result, err = r.Run(running, p, inputs)
	}
	switch {
	case err != nil && ctx.Err() == nil && errors.Is(context.Cause(running), errTooLong):
		out.Err = diag.New("E0631", t.Place, fmt.Sprintf("its run took longer than %s", timeout)).
			Say("A test's run may take %s. Its `timeout` sets it.", timeout)
		return out
	case err != nil:
		out.Err = err
		return out
	}
	for _, a := range t.Asserts {
		d, err := r.judge(ctx, a, t, p, given, out.Result.Outputs)
		if err != nil {
			out.Err = err
			return out
		}
		if d != nil {
			out.Failures = append(out.Failures, d)
		}
	}
	return out
}

var errTooLong = errors.New("the test took too long")

// judge returns what is wrong with the outputs by one assertion, nil when it
// holds.
func (r *Runtime) judge(ctx context.Context, a *program.Assertion, t *program.Test, p *plan.Plan, inputs, outputs *value.Object) (*diag.Diagnostic, error) {
	holds, err := r.evalTest(ctx, a.That, t, p, inputs, outputs)
	if err != nil || holds == true {
		return nil, err
	}
	d := diag.New("E0630", a.That.Place, "this does not hold")
	d.Relate(t.Place, "in this test")
	var b strings.Builder
	if !a.Message.IsZero() {
		text, err := r.evalTest(ctx, a.Message, t, p, inputs, outputs)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s\n\n", text)
	}
	b.WriteString(inPlay(a.That.Expr, testRoots(t, p, inputs, outputs)))
	return d.Say("%s", b.String()), nil
}

// inPlay lists the references of an expression with their values.
func inPlay(x *expr.Expr, root func(string) (any, bool)) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, ref := range x.Refs() {
		name := strings.Join(append([]string{ref.Root}, ref.Path...), ".")
		v, ok := root(ref.Root)
		for _, part := range ref.Path {
			o, isObject := v.(*value.Object)
			if !isObject {
				break
			}
			v, _ = o.Get(part)
		}
		if !ok || seen[name] {
			continue
		}
		seen[name] = true
		if b.Len() == 0 {
			b.WriteString("The values in it:\n\n")
		}
		fmt.Fprintf(&b, "    %s = %s\n", name, clipped(string(value.EncodeJSON(v))))
	}
	return b.String()
}

// clipped shortens a long value.
func clipped(s string) string {
	const most = 400
	if r := []rune(s); len(r) > most {
		return fmt.Sprintf("%s… (%d characters)", string(r[:most]), len(r))
	}
	return s
}

// testRoots gives the values of the names in a test's expressions. Nil inputs and
// outputs mean that there are none.
func testRoots(t *program.Test, p *plan.Plan, inputs, outputs *value.Object) func(string) (any, bool) {
	return func(root string) (any, bool) {
		switch root {
		case "var":
			return plan.Variables(t.Names, p.Values), true
		case "inputs":
			return inputs, true
		case "outputs":
			return outputs, true
		}
		if v, ok := inputs.Get(root); ok {
			return v, true
		}
		if _, ok := p.Checked.Signature.Input(root); ok {
			return nil, true
		}
		return outputs.Get(root)
	}
}

// evalTest evaluates a value of a test. The error is a *diag.Diagnostic.
func (r *Runtime) evalTest(ctx context.Context, v program.Value, t *program.Test, p *plan.Plan, inputs, outputs *value.Object) (any, error) {
	for _, ref := range v.Expr.Refs() {
		if x, ok := t.Names.Resolve(ref.Path); ok && ref.Root == "var" {
			if _, given := p.Values[x.Name]; !given {
				return nil, diag.New("E0512", source.Place{File: v.Place.File, Span: ref.Span}, "`"+x.Name+"` is needed here").
					Relate(x.Place, "declared here without a default").
					Hint("give it a value: --var %s=…", x.Name)
			}
		}
	}
	code, err := v.Expr.Compile()
	if err == nil {
		var out any
		if out, err = code.Eval(ctx, testRoots(t, p, inputs, outputs), r.options.Extension.functions()...); err == nil {
			return out, nil
		}
	}
	at, why := v.Place, err.Error()
	var e *expr.EvalError
	if errors.As(err, &e) {
		why = e.Message
		if e.Place.File != nil {
			at = e.Place
		}
	}
	return nil, diag.New("E0614", at, why).Relate(t.Place, "in this test")
}
