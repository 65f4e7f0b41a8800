package main

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/spf13/cobra"
)

// spaceFlags are the flags of `dspi space`.
type spaceFlags struct {
	settings
	save string
	diff string
	json bool
}

func spaceCommand(a *app) *cobra.Command {
	var f spaceFlags
	cmd := &cobra.Command{
		Use:   "space FILE [NAME]",
		Short: "Show what can be tuned, and a configuration of it",
		Long: `Prints what may be changed of a program: its variables with their values, and the
instructions and demos of its steps; how many configurations there are; and which
constraints hold between them. NAME is a program, or an optimize block, whose tune
chooses some of it.

The values shown are those of the configuration that --state, --vars and --var
make. It is checked against types and constraints. --save writes it as a file for
dspi run --state, --diff compares it with another such file.`,
		Example: `  dspi space route.dsp
  dspi space route.dsp route_pareto
  dspi space route.dsp --var temperature=0.7 --save warm.tuned.json
  dspi space route.dsp --state a.tuned.json --diff b.tuned.json`,
		Args: arguments(1, 2, "a FILE"),
		RunE: func(_ *cobra.Command, args []string) error { return a.runSpace(&f, args) },
	}
	f.settings.flags(cmd, true)
	f.settings.stateFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.save, "save", "", "write the configuration to a `file` for --state")
	flags.StringVar(&f.diff, "diff", "", "compare the configuration with that of a `file`")
	jsonFlag(cmd, &f.json, "print one JSON object")
	completeFiles(cmd)
	return cmd
}

// spaceJSON is what --json prints.
type spaceJSON struct {
	Program     string      `json:"program"`
	Params      []paramJSON `json:"params"`
	Size        *float64    `json:"size"` // nil: there is no end of configurations
	Constraints []string    `json:"constraints"`
	Diff        []diffLine  `json:"diff,omitempty"`
}

type paramJSON struct {
	Address string   `json:"address"`
	Kind    string   `json:"kind"`
	Values  []any    `json:"values,omitempty"`
	Low     *float64 `json:"low,omitempty"`
	High    *float64 `json:"high,omitempty"`
	Step    float64  `json:"step,omitempty"`
	Log     bool     `json:"log,omitempty"`
	Now     any      `json:"now"`
	Doc     string   `json:"description,omitempty"`
}

// diffLine is one thing that two configurations have differently.
type diffLine struct {
	Address string `json:"address"`
	A       string `json:"a"`
	B       string `json:"b"`
}

// runSpace is `dspi space`.
func (a *app) runSpace(f *spaceFlags, args []string) error {
	project, err := a.load(args[0], "")
	if err != nil {
		return err
	}
	name := ""
	var tune []program.Tunable
	if len(args) > 1 {
		name = args[1]
		if o, ok := project.Optimization(name); ok {
			name, tune = o.Program.Name, o.Tune
		}
	}
	prog, err := dspi.Choose(project, name)
	if err != nil {
		return err
	}
	if err := a.tune(project, prog.Name, &f.settings); err != nil {
		return err
	}
	opt, err := a.planOptions(project, f.settings)
	if err != nil {
		return err
	}
	opt.Program, opt.State = prog.Name, opt.State.Alone()
	p, err := dspi.Plan(project, opt)
	if err != nil {
		return err
	}
	free := opt
	free.Vars = nil // shown as they are, not left out
	space := dspi.Space(project, p, tune, free)
	var diff []diffLine
	if f.diff != "" {
		if diff, err = a.diffSpace(project, p, space, f.diff, opt); err != nil {
			return err
		}
	}
	if f.save != "" {
		if err := a.saveSpace(project, p, space, f.save, opt); err != nil {
			return err
		}
	}
	if f.json {
		return a.writeJSON(spaceOf(project, p, space, diff))
	}
	if f.diff != "" {
		a.tellDiff(diff, f.diff)
		return nil
	}
	a.tellSpace(project, p, space)
	return nil
}

// now is the value that a parameter has in a plan.
func now(x *optimize.Param, p *plan.Plan) any {
	if x.Variable != "" {
		return p.Values[x.Variable]
	}
	return x.Default
}

func spaceOf(project *program.Project, p *plan.Plan, s *optimize.Space, diff []diffLine) spaceJSON {
	out := spaceJSON{Program: p.Program, Params: []paramJSON{}, Constraints: constraintLines(project), Diff: diff}
	for _, x := range s.Params {
		j := paramJSON{Address: x.Address, Kind: string(x.Kind), Values: x.Values, Step: x.Step, Log: x.Log, Now: now(x, p)}
		if x.Kind == optimize.Float || x.Kind == optimize.Int {
			j.Low, j.High = &x.Low, &x.High
		}
		if x.Declared != nil {
			j.Doc = x.Declared.Description
		}
		out.Params = append(out.Params, j)
	}
	if n := s.Size(); !math.IsInf(n, 1) {
		out.Size = &n
	}
	return out
}

func constraintLines(project *program.Project) []string {
	out := []string{}
	for _, c := range project.Constraints {
		line := strings.Join(strings.Fields(c.Require.Text()), " ")
		if !c.When.IsZero() {
			line += " when " + strings.Join(strings.Fields(c.When.Text()), " ")
		}
		if c.Name != "" {
			line = c.Name + ": " + line
		}
		out = append(out, line)
	}
	return out
}

func (a *app) tellSpace(project *program.Project, p *plan.Plan, s *optimize.Space) {
	var b strings.Builder
	fmt.Fprintf(&b, "what can be tuned of %s\n\n", p.Program)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, x := range s.Params {
		fmt.Fprintf(w, "  %s\t%s\t%s\tnow %s\n", x.Address, x.Kind, dspi.ParamText(x), nowText(x, p))
	}
	_ = w.Flush() // a Builder does not fail
	if len(s.Params) == 0 {
		b.WriteString("  nothing: it has no variable with a space, and no step that asks a model\n")
	}
	searched := s.Searched()
	switch n := s.Size(); {
	case len(searched) == 0:
	case math.IsInf(n, 1):
		fmt.Fprintf(&b, "\n%s that can be searched; there is no end of configurations\n", plural(len(searched), "parameter"))
	default:
		fmt.Fprintf(&b, "\n%s that can be searched, %.0f configurations\n", plural(len(searched), "parameter"), n)
	}
	for i, line := range constraintLines(project) {
		if i == 0 {
			b.WriteString("\nwhat must hold\n")
		}
		fmt.Fprintf(&b, "  %s\n", line)
	}
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(a.out, strings.TrimRight(line, " \n"))
	}
}

// nowText writes the value of a parameter on one line.
func nowText(x *optimize.Param, p *plan.Plan) string {
	switch v := now(x, p); x.Kind {
	case optimize.Demos:
		n, _ := v.(int)
		return plural(n, "demo")
	case optimize.Instructions:
		text, _ := v.(string)
		return strconvQuote(text)
	default:
		if v == nil {
			return "as the model has it"
		}
		return dspi.ValueText(v)
	}
}

func strconvQuote(text string) string {
	const most = 40
	line := strings.Join(strings.Fields(text), " ")
	if r := []rune(line); len(r) > most {
		line = string(r[:most-1]) + "…"
	}
	return `"` + line + `"`
}

// configuration is what a state gives a program, in texts to compare.
func configuration(p *plan.Plan, s *optimize.Space, tuned *state.Tuned, values map[string]any) map[string]string {
	out := map[string]string{}
	for _, x := range s.Params {
		switch {
		case x.Kind == optimize.Instructions:
			out[x.Address], _ = x.Default.(string)
		case x.Variable != "":
			out[x.Address] = dspi.ValueText(values[x.Variable])
		}
	}
	for _, t := range state.Targets(p.Checked) {
		address := p.Checked.Address() + "." + t.Path
		st := tuned.Step(t.Path)
		if st == nil {
			continue
		}
		for i, d := range st.Demos {
			out[fmt.Sprintf("%s.demos[%d]", address, i)] = string(value.EncodeJSON(d))
		}
	}
	if tuned != nil {
		for name, v := range tuned.Settings {
			out[p.Checked.Address()+"."+name] = dspi.ValueText(v)
		}
	}
	return out
}

// diffSpace compares the configuration of a plan with that of a file.
func (a *app) diffSpace(project *program.Project, p *plan.Plan, s *optimize.Space, path string, opt dspi.PlanOptions) ([]diffLine, error) {
	other, diags, err := dspi.LoadState(path, project, p.Program)
	if err != nil {
		return nil, err
	}
	if err := diags.Err(); err != nil {
		return nil, err
	}
	other = other.Alone()
	there := opt
	there.State, there.Vars = other, nil
	q, err := dspi.Plan(project, there)
	if err != nil {
		return nil, err
	}
	x, y := configuration(p, s, opt.State, p.Values), configuration(q, dspi.Space(project, q, nil, there), other, q.Values)
	names := map[string]bool{}
	for n := range x {
		names[n] = true
	}
	for n := range y {
		names[n] = true
	}
	diff := []diffLine{}
	for _, n := range slices.Sorted(maps.Keys(names)) {
		if x[n] != y[n] {
			diff = append(diff, diffLine{n, x[n], y[n]})
		}
	}
	return diff, nil
}

func (a *app) tellDiff(diff []diffLine, path string) {
	if len(diff) == 0 {
		fmt.Fprintf(a.out, "the configuration is that of %s\n", path)
		return
	}
	for _, d := range diff {
		fmt.Fprintf(a.out, "%s\n", d.Address)
		if d.A != "" {
			fmt.Fprintf(a.out, "  - %s\n", d.A)
		}
		if d.B != "" {
			fmt.Fprintf(a.out, "  + %s\n", d.B)
		}
	}
}

// saveSpace writes the configuration of a plan as a state.
func (a *app) saveSpace(project *program.Project, p *plan.Plan, s *optimize.Space, path string, opt dspi.PlanOptions) error {
	if filepath.Ext(path) != ".json" {
		return wrong("%s does not end in .json", path).hint("--save warm.tuned.json")
	}
	c, err := dspi.Configuration(project, p, s, opt)
	if err != nil {
		return err
	}
	if err := replaceOrWrite(path, c.Write()); err != nil {
		return wrong("%s cannot be written", path).say("%v.", problem(err))
	}
	fmt.Fprintf(a.err, "written: %s\n", path)
	return nil
}
