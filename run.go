package dspi

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/prices"
)

// Baseline is the model that answers when none is named anywhere: a small
// baseline in the process, with no key and no network.
const Baseline = "builtin/incontext"

// Result is what a run made.
type Result = interpreter.Result

// PlanOptions are what a plan is told from outside.
type PlanOptions struct {
	Program string // its name; "" for the only one, or the one that no other uses
	Model   string // answers every step: a declared name or provider/name
	// DefaultModel answers where neither a step nor a program names a model,
	// before the file's own default: what DSPI_MODEL says.
	DefaultModel string
	// Settings are those of the project: its default model answers where the
	// file has none.
	Settings *Settings
	Vars     map[string]any // values of variables
	// State is what tuning found: LoadState binds it. It stands below Vars and
	// above what is written in the program.
	State  *state.Tuned
	Getenv func(string) string
	// Extension is what the source was extended with; may be nil.
	Extension *Extension
}

// Plan plans a program of a checked project. Keys and `env("…")` are read from
// the environment, or through opt.Getenv. The error is a diag.List or a
// *diag.Diagnostic.
func Plan(project *program.Project, opt PlanOptions) (*plan.Plan, error) {
	p, diags, err := Sketch(project, opt)
	if err != nil {
		return nil, err
	}
	if err := diags.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// Sketch plans a program as Plan does, as far as it can be planned: the list says
// what keeps it from being run. The error says that there is no such program, or
// that a value does not fit its variable.
func Sketch(project *program.Project, opt PlanOptions) (*plan.Plan, diag.List, error) {
	prog, err := Choose(project, opt.Program)
	if err != nil {
		return nil, nil, err
	}
	values, diags := variableValues(project, opt.Vars)
	if diags != nil {
		return nil, nil, diags
	}
	p, diags := plan.Sketch(project, prog, opt.plan(values))
	return p, diags, nil
}

// plan returns what package plan is told.
func (opt PlanOptions) plan(values map[string]any) plan.Options {
	getenv := opt.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	projectModel, at := opt.Settings.DefaultModel()
	u, err := opt.Extension.universe()
	if err != nil { // Extend has said so
		u = stdlib.Universe()
	}
	return plan.Options{
		Universe: u, State: opt.State, Model: opt.Model, DefaultModel: opt.DefaultModel, FallbackModel: Baseline, Values: values, Getenv: getenv, Prices: prices.Of,
		ProjectModel: projectModel, ProjectPlace: at, Backend: opt.Settings.Backend(),
	}
}

// Models resolves the declared models of a project, in the order of their
// declaration, and those that addresses name, `provider/name`. Keys and `env("…")`
// are read as Plan does. The error is a diag.List.
func Models(project *program.Project, addresses []string, opt PlanOptions) ([]*plan.Model, error) {
	values, diags := variableValues(project, opt.Vars)
	if diags != nil {
		return nil, diags
	}
	models, diags := plan.Models(project, addresses, opt.plan(values))
	return models, diags.Err()
}

// variableValues brings values into the types of their variables.
func variableValues(project *program.Project, given map[string]any) (map[string]any, diag.List) {
	values := map[string]any{}
	var diags diag.List
	for _, name := range slices.Sorted(maps.Keys(given)) {
		v, err := Variable(project, name, given[name])
		if err != nil {
			diags = append(diags, err.(*diag.Diagnostic))
			continue
		}
		values[name] = v
	}
	return values, diags
}

// LoadState reads a saved program, DSPy's or dspi's, and binds it to a program of
// a project, which is chosen as Choose does. The list says what does not fit; when
// it has errors, what fits is returned all the same. The error is a
// *diag.Diagnostic: the file cannot be read, or there is no such program.
func LoadState(path string, project *program.Project, name string) (*state.Tuned, diag.List, error) {
	prog, err := Choose(project, name)
	if err != nil {
		return nil, nil, err
	}
	text, err := ReadText(path, path)
	if err != nil {
		return nil, nil, err
	}
	s, diags := state.Read(source.NewFile(path, text))
	if s == nil {
		return nil, nil, diags
	}
	tuned, more := state.Bind(s, project, prog)
	return tuned, append(diags, more...), nil
}

// Choose returns the program of a name, or for "" the only one, else the one
// that no other program, tool or metric uses. The error is a *diag.Diagnostic that lists what there is.
func Choose(project *program.Project, name string) (*program.Program, error) {
	file := project.Root.Name
	if name == "" {
		p, candidates := project.Main()
		switch {
		case p != nil:
			return p, nil
		case len(candidates) == 0:
			return nil, diag.New("E0613", source.Place{}, file+" declares no program").
				Say("`%s` declares no program, so there is nothing to run. The smallest one is:\n\n    program hello {\n      question: string -> answer: string\n    }", file)
		}
		return nil, diag.New("E0612", source.Place{}, "which program of "+file+"?").
			Say("`%s` declares several programs, and more than one is not used by another:\n\n%s", file, programLines(candidates)).
			Hint("name one behind the file: dspi run %s %s", file, candidates[0].Name)
	}
	if p, ok := project.Program(name); ok {
		return p, nil
	}
	d := diag.New("E0611", source.Place{}, file+" has no program "+name)
	var names []string
	for _, p := range project.Programs {
		names = append(names, p.Name)
	}
	if len(names) == 0 {
		return nil, d.Say("`%s` declares no program at all.", file)
	}
	if near, ok := diag.Nearest(name, names); ok {
		d.Hint("did you mean `%s`?", near)
	}
	return nil, d.Say("`%s` declares no program `%s`. There are:\n\n%s", file, name, programLines(project.Programs))
}

func programLines(ps []*program.Program) string {
	var b strings.Builder
	for _, p := range ps {
		fmt.Fprintf(&b, "    %s    %s\n", p.Name, p.Signature)
	}
	return b.String()
}

// Variable brings a value for a variable into its type: a Text as on a command
// line, a Go value as it is. The error is a *diag.Diagnostic.
func Variable(project *program.Project, name string, v any) (any, error) {
	d, ok := project.Variable(name)
	if !ok {
		var names []string
		for _, x := range project.Variables {
			names = append(names, x.Name)
		}
		dg := diag.New("E0620", source.Place{}, "no variable is called `"+name+"`")
		if len(names) == 0 {
			return nil, dg.Say("The program declares no variables.")
		}
		if near, ok := diag.Nearest(name, names); ok {
			dg.Hint("did you mean `%s`?", near)
		}
		return nil, dg.Say("The program declares these variables: %s.", strings.Join(names, ", "))
	}
	if !d.Computed.IsZero() {
		return nil, diag.New("E0527", d.Computed.Place, "`"+name+"` is made of this").
			Say("The variable `%s` is what this expression makes of other variables, so it cannot be given a value of its own.", name).
			Hint("give a value to a variable that it is made of")
	}
	switch d.Type.(type) {
	case types.Model, types.Module:
		return choice(d, v)
	}
	x, faults := readInput(d.Type, v)
	if len(faults) > 0 {
		said := faultLines(faults)
		if d.Sensitive {
			said = "    (the value is a secret and is not shown)\n"
		}
		return nil, diag.New("E0610", d.Place, "declared here").
			Say("The value given for the variable `%s` does not fit.\n\n    needs     %s\n%s", name, d.Type, said)
	}
	return x, nil
}

// choice reads the name of a model or module.
func choice(d *program.Variable, v any) (any, error) {
	var text string
	switch v := v.(type) {
	case Text:
		text = string(v)
	case string:
		text = v
	default:
		return nil, diag.New("E0610", d.Place, "declared here").
			Say("The value given for the variable `%s` does not fit: it is the name of a %s, as text.", d.Name, d.Type)
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, "model."), "module.")
	if len(d.Choices) == 0 || slices.Contains(d.Choices, text) {
		return text, nil
	}
	shown := "`" + text + "`"
	if d.Sensitive {
		shown = "what it is given"
	}
	dg := diag.New("E0610", d.Place, "declared here").
		Say("`%s` cannot be %s. Its choices are: %s.", d.Name, shown, strings.Join(d.Choices, ", "))
	if near, ok := diag.Nearest(text, d.Choices); ok && !d.Sensitive {
		dg.Hint("did you mean `%s`?", near)
	}
	return nil, dg
}

// Text is an input as people write it on a command line or in a cell of a
// table. CheckInputs reads it as value.ParseText does; a Go string is a value
// already.
type Text string

func readInput(t types.Type, raw any) (any, []value.Fault) {
	if text, ok := raw.(Text); ok {
		return value.ParseText(t, string(text))
	}
	return value.Check(t, value.FromGo(raw), value.Strict)
}

// CheckInputs brings inputs into the types of a program's signature: defaults
// are filled in, missing optional inputs become null. The error is a diag.List
// with every fault.
func CheckInputs(prog *program.Program, inputs map[string]any) (*value.Object, error) {
	var diags diag.List
	sig := prog.Signature
	out := &value.Object{}
	for _, f := range sig.Inputs {
		raw, given := inputs[f.Name]
		if !given {
			switch {
			case f.HasDefault:
				out.Set(f.Name, f.Default)
			case types.Nullable(f.Type): // null, and left out of the prompt
			default:
				diags = append(diags, diag.New("E0608", prog.Place, "`"+prog.Name+"` needs `"+f.Name+"`").
					Say("It takes:\n\n%s", inputLines(sig)).
					Hint("give it a value: %s=…", f.Name))
			}
			continue
		}
		v, faults := readInput(f.Type, raw)
		if len(faults) > 0 {
			diags = append(diags, InputFault(prog, f, faults))
			continue
		}
		out.Set(f.Name, v)
	}
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		if _, ok := sig.Input(name); !ok {
			diags = append(diags, UnknownInput(prog, name))
		}
	}
	return out, diags.Err()
}

// InputFault words a value that does not fit an input.
func InputFault(prog *program.Program, f types.Field, faults []value.Fault) *diag.Diagnostic {
	d := diag.New("E0610", prog.Place, "an input of `"+prog.Name+"`").
		Say("The value given for `%s` does not fit.\n\n    needs     %s\n%s", f.Name, f.Type, faultLines(faults))
	if path, ok := pathGiven(f.Type, faults); ok {
		d.Hint("a file on the command line: %s=@%s", f.Name, path)
		d.Hint("in JSON and in tables: {\"path\": %s}, in the folder that the program names with local_files = \"…\"", value.EncodeJSON(path))
	}
	return d
}

// pathGiven returns the text that was given for a picture, sound or document, and is
// neither an address nor the bytes: most likely the path of a file.
func pathGiven(t types.Type, faults []value.Fault) (string, bool) {
	inner, _ := types.Unwrap(t)
	p, ok := inner.(*types.Primitive)
	if !ok || p.Row.Group != types.Media || len(faults) != 1 {
		return "", false
	}
	path, ok := faults[0].Input.(string)
	return path, ok && len(faults[0].Loc) == 0 && path != "" && len(path) < 200 && !strings.ContainsAny(path, "\n{")
}

// UnknownInput words an input that a program does not have.
func UnknownInput(prog *program.Program, name string) *diag.Diagnostic {
	d := diag.New("E0609", prog.Place, "`"+prog.Name+"` has no input `"+name+"`")
	var names []string
	for _, f := range prog.Signature.Inputs {
		names = append(names, f.Name)
	}
	if near, ok := diag.Nearest(name, names); ok {
		d.Hint("did you mean `%s`?", near)
	}
	return d.Say("It takes:\n\n%s", inputLines(prog.Signature))
}

func inputLines(sig *program.Signature) string {
	if len(sig.Inputs) == 0 {
		return "    nothing\n"
	}
	var b strings.Builder
	for _, f := range sig.Inputs {
		fmt.Fprintf(&b, "    %s: %s", f.Name, f.Type)
		if f.HasDefault {
			fmt.Fprintf(&b, " = %s", value.EncodeJSON(f.Default))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func faultLines(faults []value.Fault) string {
	var b strings.Builder
	for _, f := range faults {
		b.WriteString("    " + f.String() + "\n")
	}
	return b.String()
}

// Run runs a plan with inputs. For many runs make one Runtime, so that they share
// connections and limits. The error is a *diag.Diagnostic or a diag.List; the
// Result says what was used even then.
func Run(ctx context.Context, p *plan.Plan, inputs map[string]any) (*Result, error) {
	r := NewRuntime(Options{})
	defer r.Close()
	return r.Run(ctx, p, inputs)
}
