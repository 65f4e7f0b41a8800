package dspi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// State returns a candidate in the form in which DSPy saves a program, with what the
// tuning tried beside it.
func (p *OptimizePlan) State(c *optimize.Candidate, t *Tuning) (*state.State, error) {
	s := state.New()
	for i, x := range p.predictors {
		saved := &state.Predictor{Name: x.Name, Instructions: c.Steps[i].Instructions, Fields: savedFields(x.Signature.Inputs), Nearest: c.Steps[i].Nearest}
		saved.Fields = append(saved.Fields, savedFields(x.Signature.Outputs)...)
		for _, d := range c.Steps[i].Demos {
			saved.Demos = append(saved.Demos, savedDemo(d))
		}
		s.Add(saved)
	}
	var variables []state.Variable
	for _, name := range slices.Sorted(maps.Keys(c.Variables)) {
		if v, ok := p.project.Variable(name); ok && !v.Sensitive {
			variables = append(variables, state.Variable{Name: name, Type: v.Type.String(), Value: value.FromGo(c.Variables[name])})
		}
	}
	if variables != nil {
		s.SetVariables(variables)
	}
	if len(c.Settings) > 0 {
		s.SetSettings(c.Settings)
	}
	if len(c.Members) > 0 {
		members := make([]*state.State, len(c.Members))
		for i, m := range c.Members {
			var err error
			if members[i], err = p.State(m, nil); err != nil {
				return nil, err
			}
		}
		s.SetMembers(members)
	}
	tuned, diags := state.Bind(s, p.project, p.Start.Checked)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	tuned.Annotate(p.Start.Checked)
	if t != nil {
		if t.After != nil {
			for _, m := range t.After.Metrics {
				s.SetScore(m.Name, m.Mean)
			}
		}
		s.Additions().Set("tuning", t.saved())
	}
	return s, nil
}

// savedFields are fields as DSPy saves them.
func savedFields(fs []types.Field) []state.Field {
	var out []state.Field
	for _, f := range fs {
		d := f.Description
		if d == "" {
			d = "${" + f.Name + "}"
		}
		out = append(out, state.Field{Prefix: state.InferPrefix(f.Name), Description: d})
	}
	return out
}

// savedDemo is a demo as DSPy saves it: one that a run made begins with `augmented`.
func savedDemo(d optimize.Demo) *value.Object {
	o := &value.Object{}
	if d.Augmented {
		o.Set("augmented", true)
	}
	for name, v := range d.All() {
		o.Set(name, v)
	}
	return o
}

// saved is what a state keeps of the tuning that made it. Times are left out: the same
// tuning writes the same file.
func (t *Tuning) saved() *value.Object {
	o := value.NewObject("optimization", t.Optimization, "optimizers", anys(t.Stages), "seed", int(t.Seed))
	rows := &value.Object{}
	for _, x := range []struct {
		name string
		used RowsUsed
	}{{"train", t.Train}, {"dev", t.Dev}, {"test", t.Test}} {
		r := value.NewObject("data", x.used.Data, "rows", x.used.Rows)
		if x.used.Part != "" {
			r.Set("part", x.used.Part)
		}
		rows.Set(x.name, r)
	}
	o.Set("rows", rows)
	if len(t.Comparison) > 0 {
		var list []any
		for _, c := range t.Comparison {
			x := value.NewObject("metric", c.Metric, "rows", c.N, "before", c.A, "after", c.B, "difference", c.Difference)
			if c.Interval != nil {
				x.Set("interval", []any{c.Interval.Low, c.Interval.High})
			}
			x.Set("p", c.Adjusted)
			list = append(list, x)
		}
		o.Set("comparison", list)
	}
	if t.GivenUp != "" {
		why, _, _ := strings.Cut(t.GivenUp, ":") // what was under way just then is chance
		o.Set("given_up", why)
	}
	o.Set("spent", value.NewObject("calls", t.Spent.Calls, "usd", t.Spent.USD))
	if len(t.Importance) > 0 {
		x := &value.Object{}
		for _, i := range t.Importance {
			x.Set(i.Param, i.Share)
		}
		o.Set("importance", x)
	}
	var trials []any
	for _, r := range t.Trials {
		x := value.NewObject("trial", r.N, "stage", r.Stage)
		if r.Note != "" {
			x.Set("note", r.Note)
		}
		x.Set("scores", sortedObject(r.Scores))
		x.Set("rows", r.Rows)
		x.Set("set", r.Set)
		if r.Params != nil {
			x.Set("params", sortedObject(r.Params))
		}
		if r.Best {
			x.Set("best", true)
		}
		trials = append(trials, x)
	}
	o.Set("trials", trials)
	return o
}

func anys(texts []string) []any {
	out := make([]any, len(texts))
	for i, s := range texts {
		out[i] = s
	}
	return out
}

func sortedObject[T any](m map[string]T) *value.Object {
	o := &value.Object{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		o.Set(name, value.FromGo(m[name]))
	}
	return o
}

// openLog opens the log of a tuning, begun anew or gone on with.
func (t *tuning) openLog(resume bool) (*optimize.Log, error) {
	head := optimize.Head{Version: 1, Optimization: t.out.Optimization, Config: t.digest()}
	return optimize.OpenLog(t.plan.LogFile(), head, resume, About(t.plan.Start).Secrets)
}

// digest identifies all that the answers of a tuning depend on: the text of the
// project, what the command line says, the rows, the seed.
func (t *tuning) digest() string {
	h := sha256.New()
	for _, f := range t.plan.project.Files {
		h.Write([]byte(f.Text))
		h.Write([]byte{0})
	}
	o := t.plan.options
	told, _ := json.Marshal([]any{o.Model, o.DefaultModel, t.plan.Seed, t.plan.start.Key(), t.out.Stages})
	h.Write(told)
	for _, name := range slices.Sorted(maps.Keys(t.plan.values)) {
		if v, ok := t.plan.project.Variable(name); ok && !v.Sensitive {
			h.Write([]byte(name + "="))
			h.Write(value.EncodeJSON(value.FromGo(t.plan.values[name])))
		}
	}
	for _, rows := range [][]*optimize.Example{t.train, t.dev, t.test} {
		for _, row := range rows {
			h.Write(value.EncodeJSON(row.Values))
		}
		h.Write([]byte{1})
	}
	return strings.ToLower(hex.EncodeToString(h.Sum(nil)[:12]))
}

// Configuration returns the configuration of a plan as a state: the values that it has
// of the variables of a space, and what opt.State gives its steps.
func Configuration(project *program.Project, p *plan.Plan, s *optimize.Space, opt PlanOptions) (*state.State, error) {
	o := &program.Optimization{Program: p.Checked}
	predictors, start := predictorsOf(p, o, opt.State)
	for _, x := range s.Params {
		if v, ok := p.Values[x.Variable]; ok && x.Variable != "" {
			start = start.WithVariable(x.Variable, v)
		}
	}
	made := &OptimizePlan{Optimization: o, Start: p, Space: s, project: project, options: opt, predictors: predictors, start: start}
	return made.State(start, nil)
}
