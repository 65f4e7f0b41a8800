package dspi

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/lang/value"
)

// inPython runs an optimizer of DSPy's. Python has a module with the predictors of the
// program; what it calls and scores comes back here, so that the runs, the budget and
// the log are those of any other optimizer.
func (t *tuning) inPython(ctx context.Context, st stage, study *optimize.Study) ([]*optimize.Candidate, error) {
	x := &pythonTuning{tuning: t, study: study, runs: map[int64]*optimize.Outcome{}}
	place := st.declared.Place
	prog := t.plan.Start.Checked
	req := &python.OptimizeRequest{
		Place: place, Folder: filepath.Dir(place.File.Name), Address: t.plan.Optimization.Address(),
		Class:   st.settings.Text("class"),
		Program: python.OptimizeProgram{Name: prog.Name, Source: prog.Block.Text(), Signature: prog.Signature},
		Threads: study.Concurrency, Run: x.run, Score: x.score, Generate: x.generate, Progress: x.progress,
	}
	if v, ok := st.settings.Given("arguments"); ok {
		req.Arguments, _ = v.(*value.Object)
	}
	for i, p := range study.Predictors {
		sig := *p.Signature
		sig.Instructions = study.Start.Steps[i].Instructions
		q := python.Predictor{Name: p.Name, Signature: &sig}
		for _, d := range study.Start.Steps[i].Demos {
			q.Demos = append(q.Demos, savedDemo(d))
		}
		req.Program.Predictors = append(req.Program.Predictors, q)
	}
	for _, row := range study.Train {
		req.Train = append(req.Train, row.Values)
	}
	for _, row := range study.Dev {
		req.Val = append(req.Val, row.Values)
	}
	if m := t.plan.models[optimize.PromptModel]; m != nil {
		model, err := t.Model(optimize.PromptModel)
		if err != nil {
			return nil, err
		}
		req.Model, req.Features = m.Address, model.Features()
	}
	res, err := t.python.Optimize(ctx, req)
	if err != nil {
		if cause := x.ended(ctx, err); cause != nil {
			err = cause
		}
		return nil, err
	}
	best, err := x.candidate(res.Best)
	if err != nil {
		return nil, err
	}
	return []*optimize.Candidate{best}, nil
}

// pythonTuning answers what an optimizer of DSPy's asks for.
type pythonTuning struct {
	*tuning
	study *optimize.Study

	mu   sync.Mutex
	runs map[int64]*optimize.Outcome
}

// candidate is a candidate of DSPy's as one of ours.
func (x *pythonTuning) candidate(c *python.Candidate) (*optimize.Candidate, error) {
	out := x.study.Start
	for _, p := range c.Predictors {
		i := x.study.Predictor(p.Name)
		if i < 0 {
			return nil, fmt.Errorf("DSPy gave back a predictor %s that the program does not have", p.Name)
		}
		at := x.study.Predictors[i]
		if at.TuneInstructions {
			out = out.WithInstructions(i, p.Instructions)
		}
		if !at.TuneDemos {
			continue
		}
		var demos []optimize.Demo
		for _, d := range p.Demos {
			made, _ := d.Get("augmented")
			demo := optimize.Demo{Object: &value.Object{}, Augmented: made == true}
			for name, v := range d.All() {
				_, in := at.Signature.Input(name)
				_, given := at.Signature.Output(name)
				if in || given {
					demo.Set(name, v)
				}
			}
			demos = append(demos, demo)
		}
		out = out.WithDemos(i, demos)
	}
	return out, nil
}

// row returns the row that Python means; nil for none.
func (x *pythonTuning) row(n int) *optimize.Example {
	switch train := len(x.study.Train); {
	case n < 0 || n >= train+len(x.study.Dev):
		return nil
	case n < train:
		return x.study.Train[n]
	default:
		return x.study.Dev[n-train]
	}
}

func (x *pythonTuning) run(ctx context.Context, r *python.OptimizeRun) (*python.OptimizeRan, error) {
	c, err := x.candidate(r.Candidate)
	if err != nil {
		return nil, err
	}
	row := x.row(r.Row)
	if row == nil {
		return nil, fmt.Errorf("DSPy called the program with inputs that are of no row")
	}
	o, err := x.study.Run(ctx, c, row, optimize.Variation{Rollout: r.Rollout, Temperature: r.Temperature})
	if err != nil {
		return nil, err
	}
	if o.Failed() {
		return nil, fmt.Errorf("%s", o.Err)
	}
	x.mu.Lock()
	x.runs[r.ID] = o
	x.mu.Unlock()
	ran := &python.OptimizeRan{Outputs: o.Outputs}
	for _, a := range o.Asked {
		ran.Trace = append(ran.Trace, python.PredictorCall{Predictor: x.study.Predictors[a.Predictor].Name, Inputs: a.Inputs, Outputs: a.Outputs})
	}
	return ran, nil
}

func (x *pythonTuning) score(_ context.Context, s *python.OptimizeScore) (*python.OptimizeScored, error) {
	x.mu.Lock()
	o := x.runs[s.Run]
	x.mu.Unlock()
	if o == nil {
		return nil, fmt.Errorf("DSPy wants the score of outputs that no run gave")
	}
	return &python.OptimizeScored{Score: x.study.Objectives[0].Value(o.Score()), Feedback: o.Feedback}, nil
}

func (x *pythonTuning) generate(ctx context.Context, _ string, req *lm.Request) (*lm.Response, error) {
	m, err := x.Model(optimize.PromptModel)
	if err != nil {
		return nil, err
	}
	return m.Generate(ctx, req)
}

// progress keeps what DSPy measured as trials.
func (x *pythonTuning) progress(p python.OptimizeProgress) {
	if p.Evaluated == nil {
		x.study.Doing(p.Message)
		return
	}
	c, err := x.candidate(p.Evaluated.Candidate)
	if err != nil {
		return
	}
	x.study.Reported(c, p.Evaluated.Score, p.Evaluated.Rows, p.Evaluated.Full)
}
