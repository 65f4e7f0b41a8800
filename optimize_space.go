package dspi

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/modules"
)

// Space returns what may be changed of a program: its variables, the instructions and
// demos of its steps. A variable that opt gives a value is fixed. With tune it is what
// an optimization says.
func Space(project *program.Project, p *plan.Plan, tune []program.Tunable, opt PlanOptions) *optimize.Space {
	predictors, start := predictorsOf(p, &program.Optimization{Program: p.Checked, Tune: tune}, opt.State)
	return spaceOf(project, p, tune, predictors, start, opt)
}

// predictorsOf returns the places of a plan that ask a model, with what they have now.
func predictorsOf(p *plan.Plan, o *program.Optimization, tuned *state.Tuned) ([]*optimize.Predictor, *optimize.Candidate) {
	var all []*optimize.Predictor
	start := &optimize.Candidate{Variables: map[string]any{}, Settings: map[string]any{}}
	for _, t := range state.Targets(p.Checked) {
		x := &optimize.Predictor{Name: t.Name, Path: t.Path, Module: t.Step.Module, Signature: t.Signature, Declared: t.Step.Declared}
		text, fixed := instructionsAsWritten(t.Step)
		if t.Inner != "" {
			text, fixed = inside(x, p, t, text, fixed)
		}
		now := optimize.Tuning{Instructions: text}
		if s := tuned.Step(t.Path); s != nil {
			x.Signature = s.Signature(x.Signature)
			if s.Instructions != "" {
				now.Instructions, fixed = s.Instructions, true
			}
			now.Nearest = s.Nearest
			for _, d := range s.Demos {
				now.Demos = append(now.Demos, optimize.Demo{Object: d})
			}
		}
		x.TuneDemos, x.TuneInstructions = tunes(o.Tune, t.Step, "demos"), fixed && tunes(o.Tune, t.Step, "instructions")
		all = append(all, x)
		start.Steps = append(start.Steps, now)
	}
	if tuned != nil {
		maps.Copy(start.Settings, tuned.Settings)
	}
	return all, start
}

// inside completes a predictor inside a module: with the signature and the instructions
// that the module makes of those of the step, which are text. Those of an agent are not
// fixed: they name the tools that it is given in a run.
func inside(x *optimize.Predictor, p *plan.Plan, t state.Target, text string, fixed bool) (string, bool) {
	mod, _ := modules.Lookup(t.Step.Module)
	asks, ok := mod.(module.Predicting)
	op := opOf(p.Ops, t.Step)
	if !ok || op == nil {
		return "", false
	}
	sig := *op.Signature
	sig.Instructions = text
	call := &module.Call{Signature: &sig, Settings: &value.Object{}}
	for _, o := range t.Step.Options {
		if o.Refs == nil && !o.Judges && o.Value.Expr != nil {
			if v, err := fixedValue(o.Value, p.Checked.Names, p.Values); err == nil {
				call.Settings.Set(o.Name, v)
			}
		}
	}
	for _, d := range op.Tools {
		if described := describedTool(d); described != nil {
			call.Tools = append(call.Tools, described)
		}
	}
	for _, q := range asks.Predictors(call) {
		if q.Name == t.Inner {
			x.Inner, x.Signature, x.Declared = q.Name, q.Signature, q.Signature
			if fixed && !t.Seated {
				return q.Signature.Instructions, true
			}
		}
	}
	return "", false
}

// opOf returns the first operation of a step, wherever it stands in a plan.
func opOf(ops []*plan.Op, st *program.Step) *plan.Op {
	for _, op := range ops {
		if op.Step == st {
			return op
		}
		within := op.Parts
		if op.Plan != nil {
			within = append(within[:len(within):len(within)], op.Plan.Ops...)
		}
		if found := opOf(within, st); found != nil {
			return found
		}
	}
	return nil
}

// instructionsAsWritten returns what a step tells the model. Those that read a
// variable are not fixed: "" leaves them as they are.
func instructionsAsWritten(st *program.Step) (text string, fixed bool) {
	if v := st.Settings.Instructions; v.Expr != nil {
		code, err := v.Expr.Compile()
		if err != nil {
			return "", false
		}
		x, err := code.Eval(context.Background(), func(string) (any, bool) { return nil, false })
		text, ok := x.(string)
		return text, err == nil && ok
	}
	if st.Declared.Instructions != "" {
		return st.Declared.Instructions, true
	}
	return st.Declared.DefaultInstructions(), true
}

// tunes reports whether a part of a step may be changed; without a list all may.
func tunes(tune []program.Tunable, st *program.Step, part string) bool {
	return len(tune) == 0 || slices.ContainsFunc(tune, func(t program.Tunable) bool {
		return t.Part == part && t.Step != nil && (t.Step == st || t.Step.Inner == st || slices.Contains(t.Step.Parts, st))
	})
}

func spaceOf(project *program.Project, p *plan.Plan, tune []program.Tunable, predictors []*optimize.Predictor, start *optimize.Candidate, opt PlanOptions) *optimize.Space {
	s := &optimize.Space{}
	for _, v := range project.Variables {
		wanted := slices.ContainsFunc(tune, func(t program.Tunable) bool { return t.Variable == v }) || len(tune) == 0 && readBy(project, p, v)
		if _, given := opt.Vars[v.Name]; given || !wanted || !v.Tunes() {
			continue
		}
		if x := paramOf(v); x != nil {
			x.Default = p.Values[v.Name]
			s.Params = append(s.Params, x)
		}
	}
	for _, t := range tune {
		if t.Step == nil || !slices.Contains(program.TunableSettings, t.Part) {
			continue
		}
		for _, x := range predictors {
			if at := stepPath(x); stepAt(p.Checked, x.Path) == t.Step && !slices.ContainsFunc(s.Params, func(q *optimize.Param) bool { return q.Setting == at+"."+t.Part }) {
				s.Params = append(s.Params, settingParam(t, at, p))
			}
		}
	}
	for i, x := range predictors {
		address := p.Checked.Address() + "." + x.Path
		if x.TuneInstructions {
			s.Params = append(s.Params, &optimize.Param{Address: address + ".instructions", Kind: optimize.Instructions, Predictor: i, Default: start.Steps[i].Instructions})
		}
		if x.TuneDemos {
			s.Params = append(s.Params, &optimize.Param{Address: address + ".demos", Kind: optimize.Demos, Predictor: i, Default: len(start.Steps[i].Demos)})
		}
	}
	return s
}

// readBy reports whether a plan reads a variable, or one that is made of it.
func readBy(project *program.Project, p *plan.Plan, v *program.Variable) bool {
	if slices.Contains(p.Variables, v.Name) {
		return true
	}
	for _, c := range project.Variables {
		if c.Computed.IsZero() || c == v {
			continue
		}
		for _, r := range c.Computed.Expr.Refs() {
			if x, ok := c.Names.Resolve(r.Path); r.Root == "var" && ok && x == v && readBy(project, p, c) {
				return true
			}
		}
	}
	return false
}

// stepAt returns the step at a path of step names; nil for none.
func stepAt(prog *program.Program, path string) *program.Step {
	for _, t := range state.Targets(prog) {
		if t.Path == path {
			return t.Step
		}
	}
	return nil
}

// paramOf returns the parameter that a variable is; nil for one that spans no space.
func paramOf(v *program.Variable) *optimize.Param {
	p := &optimize.Param{Address: "var." + v.Name, Variable: v.Name, Declared: v}
	if len(v.Choices) > 0 {
		p.Kind = optimize.Choice
		for _, c := range v.Choices {
			p.Values = append(p.Values, c)
		}
		return p
	}
	if t, ok := v.Type.(*types.Primitive); ok && t.Row.Base != types.BoolBase {
		lo, hi := t.Bounds()
		if lo == nil || hi == nil {
			return nil
		}
		p.Kind, p.Low, p.High, p.Log = optimize.Float, *lo, *hi, v.Scale == "log"
		if t.Row.Base == types.IntBase {
			p.Kind = optimize.Int
		}
		if t.Constraints.Step != nil {
			p.Step = *t.Constraints.Step
		}
		return p
	}
	p.Kind, p.Values = optimize.Choice, valuesOf(v.Type)
	if len(p.Values) == 0 {
		return nil
	}
	return p
}

// valuesOf returns the values of a type that has few.
func valuesOf(t types.Type) []any {
	switch t := t.(type) {
	case *types.Enum:
		var out []any
		for _, m := range t.Members {
			out = append(out, m.Name)
		}
		return out
	case *types.Literal:
		return []any{t.Value}
	case *types.Optional:
		return append(valuesOf(t.Elem), nil)
	case *types.Union:
		var out []any
		for _, m := range t.Members {
			out = append(out, valuesOf(m)...)
		}
		return out
	case *types.Primitive:
		if t.Row.Base == types.BoolBase {
			return []any{false, true}
		}
	}
	return nil
}

// Bounds of a step's temperature where no variable says them.
const (
	lowestTemperature  = 0.0
	highestTemperature = 1.0
)

// stepPath returns the path of the step that a predictor is in; settings are the step's.
func stepPath(x *optimize.Predictor) string {
	if x.Inner == "" {
		return x.Path
	}
	return x.Path[:strings.LastIndexByte(x.Path, '.')]
}

// settingParam is a setting of the step at a path as a parameter.
func settingParam(t program.Tunable, path string, p *plan.Plan) *optimize.Param {
	s := &optimize.Param{Address: p.Checked.Address() + "." + path + "." + t.Part, Setting: path + "." + t.Part}
	switch t.Part {
	case "temperature":
		s.Kind, s.Low, s.High = optimize.Float, lowestTemperature, highestTemperature
		v := t.Step.Settings.Temperature
		if !v.IsZero() {
			s.Default, _ = fixedValue(v, p.Checked.Names, p.Values)
		}
	case "adapter":
		s.Kind, s.Default = optimize.Choice, "chat"
		for _, name := range prompt.Names() {
			s.Values = append(s.Values, name)
		}
		if a := t.Step.Settings.Adapter; a != "" {
			s.Default = a
		}
	}
	return s
}

// ParamText writes the values that a parameter can have: `0 to 1.2`,
// `predict | chain_of_thought`.
func ParamText(p *optimize.Param) string {
	switch p.Kind {
	case optimize.Float, optimize.Int:
		s := types.FormatFloat(p.Low) + " to " + types.FormatFloat(p.High)
		if p.Step > 0 {
			s += " by " + types.FormatFloat(p.Step)
		}
		if p.Log {
			s += ", log"
		}
		return s
	case optimize.Choice:
		parts := make([]string, len(p.Values))
		for i, v := range p.Values {
			parts[i] = ValueText(v)
		}
		return strings.Join(parts, " | ")
	case optimize.Demos:
		return "demos that an optimizer finds"
	}
	return "instructions that an optimizer writes"
}

// ValueText writes the value of a parameter: a name as it is, else JSON.
func ValueText(v any) string {
	if s, ok := v.(string); ok && !strings.ContainsAny(s, " \n\"") {
		return s
	}
	if v == nil {
		return "null"
	}
	if n, ok := v.(float64); ok {
		return types.FormatFloat(n)
	}
	return fmt.Sprintf("%s", value.EncodeJSON(value.FromGo(v)))
}
