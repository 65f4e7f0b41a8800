package dspi

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
)

// OptimizeConcurrency is how many runs are under way at once where an optimization
// does not say.
const OptimizeConcurrency = 8

// Tuned files, and the log of a tuning that is under way, end so.
const (
	tunedEnding = ".tuned.json"
	logEnding   = ".tuning.jsonl"
)

// OptimizePlan is an optimization that is ready to run.
type OptimizePlan struct {
	Optimization *program.Optimization
	// Start is the plan of the program as it is.
	Start *plan.Plan
	// Space is what may be changed, of all that the program has.
	Space *optimize.Space
	// SaveTo is the file for what is found.
	SaveTo string
	Seed   uint64
	Limits BudgetLimits

	project    *program.Project
	options    PlanOptions
	values     map[string]any // of variables at the start
	predictors []*optimize.Predictor
	start      *optimize.Candidate
	scoring    *EvalPlan
	stages     []stage
	models     map[optimize.Role]*plan.Model // of what an optimizer asks itself
}

// BudgetLimits are the most that a tuning may use; zero values are no limit.
type BudgetLimits struct {
	USD   float64
	Calls int
	Time  time.Duration
}

// stage is an optimizer that is ready to run.
type stage struct {
	name       string // "1 bootstrap_few_shot"
	run        optimize.Optimizer
	settings   optimize.Settings
	reflection *plan.Model // nil: the prompt model
	declared   *program.Stage
}

// PlanOptimization plans an optimization: its program, its metrics, what may be
// changed, and the optimizers in their order. A seed below 0 is what the block says,
// else 0. The error is a diag.List or a *diag.Diagnostic.
func PlanOptimization(project *program.Project, o *program.Optimization, opt PlanOptions, seed int64) (*OptimizePlan, error) {
	opt.Program = o.Program.Name
	opt.State = opt.State.Alone()
	opt.DefaultModel = cmp.Or(modelNamed(o.Model, opt), opt.DefaultModel)
	p := &OptimizePlan{Optimization: o, project: project, options: opt, models: map[optimize.Role]*plan.Model{}}
	var err error
	if p.scoring, err = PlanEvaluation(project, objectives(o), opt); err != nil {
		return nil, err
	}
	p.Start = p.scoring.Plan
	for _, m := range p.scoring.Measures {
		if m.whole {
			return nil, diag.New("E0524", m.Use.Place, "`"+m.Use.Address()+"` is of all rows together").
				Say("An optimizer compares candidates row by row, and `%s` has no score of a row.", m.Use.Address()).
				Hint("tune for a metric of rows, such as metric.exact_match, and look at %s with `dspi eval`", m.Use.Address())
		}
	}
	p.values = p.Start.Values
	if err := p.settings(seed); err != nil {
		return nil, err
	}
	p.predictors, p.start = predictorsOf(p.Start, o, opt.State)
	p.Space = spaceOf(project, p.Start, o.Tune, p.predictors, p.start, opt)
	if len(p.predictors) == 0 && len(p.Space.Params) == 0 {
		return nil, p.nothingToTune()
	}
	if err := p.plannedStages(); err != nil {
		return nil, err
	}
	return p, nil
}

// Untuned are the steps whose questions cannot be tuned: their modules do their work out
// of sight.
func (p *OptimizePlan) Untuned() []*program.Step { return state.Untuned(p.Start.Checked) }

// nothingToTune says that a program has nothing that can be changed.
func (p *OptimizePlan) nothingToTune() error {
	o := p.Optimization
	d := diag.New("E0524", o.Place, "`"+o.Program.Name+"` has nothing that can be tuned")
	why := "No step of it asks a model, and it reads no variable that spans a space."
	for _, st := range p.Untuned() {
		d.Relate(st.Place, "`%s` does its work out of sight", st.Module)
		why = "What its steps ask a model is asked out of sight, and it reads no variable that spans a space."
	}
	return d.Say("%s", why).Hint("write steps with the modules of dspi, or declare a variable for what is to be tried")
}

// objectives is an optimization as an evaluation of what it makes better.
func objectives(o *program.Optimization) *program.Evaluation {
	data := o.Dev
	if data == nil {
		data = o.Train
	}
	return &program.Evaluation{
		Name: o.Name, Program: o.Program, Data: data, Model: o.Model, Names: o.Names, Place: o.Place,
		Metrics: append(append([]*program.MetricUse{}, o.Maximize...), o.Minimize...),
	}
}

// modelNamed returns the name of the model that a reference means, "" for none.
func modelNamed(ref program.ModelRef, opt PlanOptions) string {
	switch {
	case ref.Model != nil:
		return ref.Model.Name
	case ref.Address != "":
		return ref.Address
	case ref.Variable != nil:
		v, given := opt.Vars[ref.Variable.Name]
		if !given {
			v = ref.Variable.Default
		}
		name, _ := v.(string)
		return name
	}
	return ""
}

// settings evaluates what the block says by itself.
func (p *OptimizePlan) settings(seed int64) error {
	o := p.Optimization
	eval := func(v program.Value) (any, error) {
		if v.IsZero() {
			return nil, nil
		}
		return fixedValue(v, o.Names, p.values)
	}
	if seed < 0 {
		v, err := eval(o.Seed)
		if err != nil {
			return err
		}
		n, _ := v.(int)
		seed = int64(n)
	}
	p.Seed = uint64(seed)
	usd, err := eval(o.Budget.USD)
	if err != nil {
		return err
	}
	calls, err := eval(o.Budget.Calls)
	if err != nil {
		return err
	}
	p.Limits.Time = o.Budget.Time
	p.Limits.Calls, _ = calls.(int)
	p.Limits.USD = scoreOf(usd)
	if usd == nil {
		p.Limits.USD = 0
	}
	p.SaveTo = o.Name[strings.LastIndexByte(o.Name, '.')+1:] + tunedEnding
	if o.SaveTo != "" {
		p.SaveTo = filepath.FromSlash(o.SaveTo)
	}
	if !filepath.IsAbs(p.SaveTo) && o.Place.File != nil {
		p.SaveTo = filepath.Join(filepath.Dir(o.Place.File.Name), p.SaveTo)
	}
	return nil
}

// LogFile is where everything that was answered is kept while the tuning is under way.
func (p *OptimizePlan) LogFile() string {
	return strings.TrimSuffix(strings.TrimSuffix(p.SaveTo, ".json"), ".tuned") + logEnding
}

// plannedStages opens the optimizers and evaluates their settings.
func (p *OptimizePlan) plannedStages() error {
	o := p.Optimization
	universe, err := p.options.Extension.universe()
	if err != nil {
		return err
	}
	model := func(ref program.ModelRef) (*plan.Model, error) {
		name := modelNamed(ref, p.options)
		if name == "" {
			return nil, nil
		}
		all, err := Models(p.project, []string{name}, p.options)
		if err != nil {
			return nil, err
		}
		return all[len(all)-1], nil
	}
	prompt, err := model(o.PromptModel)
	if err != nil {
		return err
	}
	if prompt == nil {
		prompt = firstModel(p.Start)
	}
	p.models[optimize.PromptModel] = prompt
	for i, s := range o.Stages {
		declared, _ := universe.Optimizer(s.Optimizer)
		st := stage{name: fmt.Sprintf("%d %s", i+1, s.Optimizer), declared: s, settings: optimize.Settings{Declared: declared, Written: map[string]any{}}}
		if err := p.changesSomething(s, declared.Changes); err != nil {
			return err
		}
		run, ok := p.options.Extension.optimizer(s.Optimizer)
		if !ok && !declared.Python {
			return diag.New("E0523", s.Place, "`"+s.Optimizer+"` has no code behind it")
		}
		st.run = run
		for _, b := range s.Settings {
			v, err := fixedValue(b.Value, o.Names, p.values)
			if err != nil {
				return err
			}
			st.settings.Written[b.Name] = v
		}
		if st.reflection, err = model(s.Models["reflection_model"]); err != nil {
			return err
		}
		p.stages = append(p.stages, st)
	}
	return nil
}

// changesSomething sees that the program has something of the kinds that an optimizer
// changes.
func (p *OptimizePlan) changesSomething(s *program.Stage, kinds []string) error {
	if len(kinds) == 0 { // one of the extension, which does not say
		return nil
	}
	for _, kind := range kinds {
		has := false
		switch kind {
		case "demos":
			has = slices.ContainsFunc(p.predictors, func(x *optimize.Predictor) bool { return x.TuneDemos })
		case "instructions":
			has = slices.ContainsFunc(p.predictors, func(x *optimize.Predictor) bool { return x.TuneInstructions })
		default:
			has = slices.ContainsFunc(p.Space.Params, func(x *optimize.Param) bool {
				return x.Kind != optimize.Demos && x.Kind != optimize.Instructions
			})
		}
		if has {
			return nil
		}
	}
	o, what := p.Optimization, strings.Join(kinds, " and ")
	d := diag.New("E0524", s.Place, "`"+s.Optimizer+"` has nothing to change").
		Say("It changes %s, and `%s` has none that can be tuned here.", what, o.Program.Name)
	if slices.Contains(kinds, "instructions") {
		d.Hint("instructions that are made of inputs or variables stay as they are written")
	}
	return d.Hint("what can be tuned: dspi space %s %s", o.Place.File.Name, o.Name)
}

// firstModel returns the model of the first operation that asks one.
func firstModel(p *plan.Plan) *plan.Model {
	var found *plan.Model
	eachOp(p.Ops, func(op *plan.Op) {
		if found == nil {
			found = op.Model
		}
	})
	return found
}

// eachOp calls see for every operation, those that others hold included.
func eachOp(ops []*plan.Op, see func(*plan.Op)) {
	for _, op := range ops {
		see(op)
		eachOp(op.Parts, see)
		if op.Plan != nil {
			eachOp(op.Plan.Ops, see)
		}
		for _, t := range op.Tools {
			if t.Plan != nil {
				eachOp(t.Plan.Ops, see)
			}
		}
	}
}
