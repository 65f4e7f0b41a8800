package dspi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"sync"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/value"
)

// runner runs candidates of an optimization: it is what package optimize asks for.
type runner struct {
	*Runtime
	plan       *OptimizePlan
	reflection *plan.Model // of the stage under way; nil: the prompt model

	mu     sync.Mutex
	plans  map[string]*plan.Plan // by candidate, and whether the teacher answers
	order  []string              // keys of plans, the oldest first
	said   string                // by the budget, when it allowed no further call
	models []*plan.Model         // those of all plans: equal ones are one, so that limits are shared
}

// keptPlans is how many plans a runner keeps.
const keptPlans = 128

func newRunner(r *Runtime, p *OptimizePlan) *runner {
	return &runner{Runtime: r, plan: p, plans: map[string]*plan.Plan{}}
}

// TunedBy returns a candidate as a state of the program.
func (p *OptimizePlan) TunedBy(c *optimize.Candidate) *state.Tuned {
	steps := map[string]*state.Step{}
	for i, t := range c.Steps {
		x := p.predictors[i]
		s := &state.Step{Instructions: t.Instructions, Nearest: t.Nearest}
		if was := p.options.State.Step(x.Path); was != nil {
			s.Descriptions = was.Descriptions
		}
		if t.Instructions == p.start.Steps[i].Instructions && p.options.State.Step(x.Path) == nil {
			s.Instructions = "" // as it is written
		}
		for _, d := range t.Demos {
			s.Demos = append(s.Demos, d.Object)
		}
		steps[x.Path] = s
	}
	tuned := state.Tune(p.Start.Checked, steps, c.Variables, c.Settings)
	if len(c.Members) == 0 {
		return tuned
	}
	members := make([]*state.Tuned, len(c.Members))
	for i, m := range c.Members {
		members[i] = p.TunedBy(m)
	}
	return tuned.WithMembers(members)
}

// candidatePlan plans the program as a candidate has it.
func (p *OptimizePlan) candidatePlan(c *optimize.Candidate, model string) (*plan.Plan, error) {
	opt := p.options
	opt.State = p.TunedBy(c)
	if p.options.State != nil {
		for name, v := range p.options.State.Variables {
			if _, given := opt.State.Variables[name]; !given {
				opt.State.Variables[name] = v
			}
		}
	}
	if model != "" {
		opt.Model = model
	}
	return Plan(p.project, opt)
}

func (x *runner) planOf(c *optimize.Candidate, teacher bool) (*plan.Plan, error) {
	model := ""
	if teacher {
		model = modelNamed(x.plan.Optimization.Teacher, x.plan.options)
	}
	key := c.Key() + model
	x.mu.Lock()
	defer x.mu.Unlock()
	if p, ok := x.plans[key]; ok {
		return p, nil
	}
	p, err := x.plan.candidatePlan(c, model)
	if err != nil {
		return nil, err
	}
	eachOp(p.Ops, func(op *plan.Op) {
		op.Model = x.shared(op.Model)
		if op.Retriever != nil {
			op.Retriever.Embedder = x.shared(op.Retriever.Embedder)
		}
	})
	if len(x.order) >= keptPlans {
		delete(x.plans, x.order[0])
		x.order = x.order[1:]
	}
	x.plans[key], x.order = p, append(x.order, key)
	return p, nil
}

// shared returns the model that equals m among those of earlier plans, so that all
// candidates share its limits and connections.
func (x *runner) shared(m *plan.Model) *plan.Model {
	if m == nil {
		return nil
	}
	for _, was := range x.models {
		if was == m || reflect.DeepEqual(was, m) {
			return was
		}
	}
	x.models = append(x.models, m)
	return m
}

// Check says which constraint of the program a candidate breaks.
func (x *runner) Check(c *optimize.Candidate) error {
	values := map[string]any{}
	for name, v := range x.plan.values {
		values[name] = v
	}
	for name, v := range c.Variables {
		values[name] = v
	}
	diags := plan.Compute(x.plan.project, values)
	return append(diags, plan.Violations(x.plan.project, values)...).Err()
}

// Model opens the model of a role.
func (x *runner) Model(role optimize.Role) (optimize.Model, error) {
	m := x.plan.models[optimize.PromptModel]
	if role == optimize.ReflectionModel && x.reflection != nil {
		m = x.reflection
	}
	if m == nil {
		return optimize.Model{}, diag.New("E0524", x.plan.Optimization.Place, "no model can write instructions").
			Say("The program asks no model, and `%s` names none.", x.plan.Optimization.Address()).
			Hint("name one: prompt_model = …")
	}
	x.mu.Lock()
	m = x.shared(m)
	x.mu.Unlock()
	model, err := x.lm(m)
	return optimize.Model{LM: model, Params: m.Params}, err
}

// Run runs the program as a candidate has it on a row, and scores what it gives.
func (x *runner) Run(ctx context.Context, c *optimize.Candidate, row *optimize.Example, v optimize.Variation) (*optimize.Outcome, error) {
	p, err := x.planOf(c, v.Teacher)
	if err != nil { // a constraint forbids it, or a model is not known
		return &optimize.Outcome{Err: firstReport(err).Title, Scores: x.unknown()}, nil
	}
	var mu sync.Mutex
	var asked []module.Asked
	within := module.WithAttempt(ctx, "", module.Attempt{Rollout: v.Rollout, Temperature: v.Temperature, Record: func(a module.Asked) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, a)
	}})
	env := *x.env
	env.Trace, env.Journal, env.Stream = nil, nil, false
	res, err := interpreter.Run(within, p, &env, row.Inputs)
	if over := x.ended(ctx, err); over != nil {
		return nil, over
	}
	out := &optimize.Outcome{Outputs: res.Outputs, Seconds: res.Duration.Seconds(), Calls: res.Usage.Calls}
	if res.Usage.USD != nil {
		out.USD = *res.Usage.USD
	}
	if err != nil {
		out.Err = firstReport(err).Title
	}
	module.InOrder(asked)
	for _, a := range asked {
		if i := slices.IndexFunc(x.plan.predictors, func(q *optimize.Predictor) bool { return q.Name == a.Predictor || q.Path == a.Predictor }); i >= 0 {
			out.Asked = append(out.Asked, optimize.Asked{Predictor: i, Inputs: askedOf(x.plan.predictors[i], a.Inputs), Outputs: a.Outputs})
		}
	}
	return out, x.score(ctx, out, row, res)
}

// askedOf leaves of what a predictor inside a module was given what its question shows.
func askedOf(p *optimize.Predictor, inputs *value.Object) *value.Object {
	if p.Inner == "" {
		return inputs
	}
	out := &value.Object{}
	for _, f := range p.Signature.Inputs {
		if v, ok := inputs.Get(f.Name); ok {
			out.Set(f.Name, v)
		}
	}
	return out
}

// unknown are the scores of a run that has none.
func (x *runner) unknown() []float64 {
	return slices.Repeat([]float64{math.NaN()}, len(x.plan.scoring.Measures))
}

// score computes the objectives of a run. The error is that the tuning has ended.
func (x *runner) score(ctx context.Context, out *optimize.Outcome, row *optimize.Example, res *interpreter.Result) error {
	out.Scores = x.unknown()
	j := &judged{example: row.Values, prediction: res.Outputs, used: res.Usage, seconds: out.Seconds, usage: usageObject(res.Usage, out.Seconds)}
	for i, m := range x.plan.scoring.Measures {
		if out.Failed() && !m.usage {
			continue
		}
		j.feedback = ""
		score, err := m.score(ctx, x.Runtime, j)
		if err != nil {
			if over := x.ended(ctx, err); over != nil {
				return over
			}
			if i == 0 {
				out.Feedback = "The metric failed: " + firstReport(err).Title
				out.Unscored = whyUnscored(firstReport(err))
			}
			continue
		}
		switch known := evaluate.Known(score); {
		case known:
			out.Scores[i] = score
		case i == 0 && m.usage:
			out.Unscored = fmt.Sprintf("`%s` is not known", m.Name)
		case i == 0:
			out.Unscored = fmt.Sprintf("`%s` gives no number", m.Name)
		}
		if i == 0 {
			out.Feedback = j.feedback
		}
	}
	return nil
}

// whyUnscored says in a line why a metric failed.
func whyUnscored(r diag.Report) string {
	if r.Primary.Text == "" {
		return r.Title
	}
	return r.Title + ": " + r.Primary.Text
}

// ended returns why the tuning has ended, if err or ctx say so: optimize.ErrSpent, or
// the cause of ctx. It is nil for a failure of the program, and where err is nil.
func (x *runner) ended(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if optimize.IsSpent(err) || isBudget(err) {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.said == "" {
			x.said = saidOf(firstReport(err))
		}
		return optimize.ErrSpent
	}
	return nil
}

// isBudget reports whether a run failed because the budget does not allow a call.
func isBudget(err error) bool { return err != nil && firstReport(err).Code == "E0623" }

// examples reads the rows of a data set for a program. Rows that do not fit are left
// out and counted.
func examples(ctx context.Context, r *Runtime, set string, d *program.Dataset, p *plan.Plan) (rows []*optimize.Example, unfit int, err error) {
	t, err := r.OpenDataset(ctx, d, p.Values)
	if err != nil {
		return nil, 0, err
	}
	defer t.Close()
	for {
		in, err := t.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return rows, unfit, nil
			}
			return rows, unfit, err
		}
		if in.Err != nil {
			unfit++
			continue
		}
		values, inputs, err := typedRow(p.Checked, in.Values, t.Cells)
		if err != nil {
			unfit++
			continue
		}
		checked, err := CheckInputs(p.Checked, inputs)
		if err != nil {
			unfit++
			continue
		}
		labels := &value.Object{}
		for _, f := range p.Checked.Signature.Outputs {
			if v, ok := values.Get(f.Name); ok && v != nil {
				labels.Set(f.Name, v)
			}
		}
		rows = append(rows, &optimize.Example{Set: set, N: len(rows), Values: values, Inputs: checked, Labels: labels})
	}
}
