package dspi

import (
	"cmp"
	"context"
	"strings"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
)

// PlanEvaluation plans an evaluation: its program and its metrics' own steps. A
// model in opt answers the program; a metric's steps keep the model that the metric
// names. The error is a diag.List or a *diag.Diagnostic.
func PlanEvaluation(project *program.Project, e *program.Evaluation, opt PlanOptions) (*EvalPlan, error) {
	opt.Program = e.Program.Name
	opt.DefaultModel = cmp.Or(modelNamed(e.Model, opt), opt.DefaultModel)
	p, err := Plan(project, opt)
	if err != nil {
		return nil, err
	}
	if err := interpreter.Refused(p); err != nil {
		return nil, err
	}
	out := &EvalPlan{Evaluation: e, Plan: p, source: sourceOf(project)}
	values, diags := variableValues(project, opt.Vars)
	if diags != nil {
		return nil, diags
	}
	if opt.State != nil { // demos and instructions are the program's, variables everybody's
		for name, v := range opt.State.Variables {
			if _, given := values[name]; !given {
				values[name] = v
			}
		}
	}
	judges := opt
	judges.State, judges.Model = nil, ""
	judges.DefaultModel = cmp.Or(opt.Model, opt.DefaultModel)
	for _, use := range e.Metrics {
		m, err := measure(project, use, p, judges.plan(values), opt.Extension)
		if err != nil {
			return nil, err
		}
		out.Measures = append(out.Measures, m)
	}
	return out, nil
}

// measure plans a metric.
func measure(project *program.Project, use *program.MetricUse, p *plan.Plan, opt plan.Options, x *Extension) (*Measure, error) {
	name := use.Name()
	m := &Measure{Name: name[strings.LastIndexByte(name, '.')+1:], Use: use}
	if use.Metric == nil {
		return m, m.builtin(project, p, opt, x)
	}
	names := use.Metric.Names
	if len(use.Body.Steps)+len(use.Body.Lets) == 0 {
		vars := plan.Variables(names, p.Values)
		m.score = func(ctx context.Context, r *Runtime, x *judged) (float64, error) {
			eval := func(v program.Value) (any, error) { return r.evalMetric(ctx, v, x, vars) }
			v, err := eval(use.Score)
			if err != nil {
				return 0, err
			}
			if !use.Feedback.IsZero() {
				words, err := eval(use.Feedback)
				if err != nil {
					return 0, err
				}
				x.feedback, _ = words.(string)
			}
			return scoreOf(v), nil
		}
		return m, nil
	}
	// A metric with steps is run as a program without inputs: its expressions find
	// the row where a program's find inputs.
	body := *use.Body
	body.Outputs = []program.Binding{{Name: "score", Value: use.Score}}
	body.Signature = &program.Signature{Outputs: []types.Field{{Name: "score", Type: use.Score.Type}}}
	if !use.Feedback.IsZero() {
		body.Outputs = append(body.Outputs, program.Binding{Name: "feedback", Value: use.Feedback})
		body.Signature.Outputs = append(body.Signature.Outputs, types.Field{Name: "feedback", Type: use.Feedback.Type})
	}
	made, diags := plan.Make(project, &body, opt)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	if err := interpreter.Refused(made); err != nil {
		return nil, err
	}
	m.Plan = made
	m.score = func(ctx context.Context, r *Runtime, x *judged) (float64, error) {
		outputs, err := r.askJudge(ctx, made, x.object(), x)
		if err != nil {
			return 0, err
		}
		v, _ := outputs.Get("score")
		words, _ := outputs.Get("feedback")
		x.feedback, _ = words.(string)
		return scoreOf(v), nil
	}
	return m, nil
}
