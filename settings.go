package dspi

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser/config"
)

// There is one order for everything that can be set in several places: the
// command line, files of values, the environment, tuned state, what is written
// in the program (the nearest first), the file's default, dspi.hcl, and what is
// built in. Models go through it in interpreter/plan (choice.go), variables here.

// Settings is what a dspi.hcl says. The nil Settings says nothing.
type Settings = config.Project

// FindSettings returns the path of the dspi.hcl for the .dsp file at path: that
// of its folder, or of the nearest one above. It is "" when there is none. For a
// path that is no file, such as the name of a signature, the folder is the
// current one.
func FindSettings(path string) string {
	dir := filepath.Dir(path)
	abs, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for {
		name := filepath.Join(dir, universe.ProjectFile)
		if _, err := os.Lstat(filepath.Join(abs, universe.ProjectFile)); err == nil {
			return name
		}
		up := filepath.Dir(abs)
		if up == abs {
			return ""
		}
		abs = up
		if filepath.IsAbs(dir) {
			dir = up
		} else {
			dir = filepath.Join(dir, "..")
		}
	}
}

// LoadSettings reads the dspi.hcl for the .dsp file at path. It returns nil when
// there is none.
func LoadSettings(path string) (*Settings, diag.List) {
	name := FindSettings(path)
	if name == "" {
		return nil, nil
	}
	text, err := ReadText(name, name)
	if err != nil {
		return nil, diagnostics(err)
	}
	return config.ReadProject(source.NewFile(name, text))
}

func diagnostics(err error) diag.List {
	var list diag.List
	if errors.As(err, &list) {
		return list
	}
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return diag.List{d}
	}
	return nil
}

// Given is a value that a source gives to a variable.
type Given struct {
	Value  any
	Source string       // "--var", "--vars", "DSPI_VAR_k", "tuned state", "env(\"NAME\")", "default" or "computed"
	Place  source.Place // where it is written; zero when it is in no file
	// Declared says that the variable's own block gives it: its default, or what it
	// is computed from.
	Declared bool
}

// Sources are the places outside a program from which variables get values.
type Sources struct {
	Vars   [][2]string              // names and texts, as after --var; the last one wins
	Files  []string                 // paths of .dspvars files, as after --vars; the last one wins
	State  *state.Tuned             // what tuning found; nil: nothing
	Getenv func(name string) string // for DSPI_VAR_k and env("…"); nil: the process's
}

// Variables returns what gives a value to each variable of a project, by its
// name, the source that wins first. The list holds what is wrong with single
// values, also with those that another source overrides, and warnings. The error
// is a *diag.Diagnostic: a file cannot be read.
func Variables(project *program.Project, from Sources) (map[string][]Given, diag.List, error) {
	if from.Getenv == nil {
		from.Getenv = os.Getenv
	}
	out := map[string][]Given{}
	var diags diag.List
	for _, pair := range slices.Backward(from.Vars) {
		name := strings.TrimPrefix(pair[0], "var.")
		x, err := Variable(project, name, Text(pair[1]))
		if err != nil {
			diags = append(diags, diagnostics(err)...)
			continue
		}
		out[name] = append(out[name], Given{Value: x, Source: "--var"})
	}
	for _, path := range slices.Backward(from.Files) {
		text, err := ReadText(path, path)
		if err != nil {
			return nil, nil, err
		}
		diags = append(diags, fileValues(project, source.NewFile(path, text), out)...)
	}
	for _, v := range project.Variables {
		key := "DSPI_VAR_" + v.Name
		if text := from.Getenv(key); text != "" {
			x, err := Variable(project, v.Name, Text(text))
			if err != nil {
				for _, d := range diagnostics(err) {
					diags = append(diags, d.Hint("the value is that of %s", key))
				}
				continue
			}
			out[v.Name] = append(out[v.Name], Given{Value: x, Source: key})
		}
	}
	diags = append(diags, stateValues(project, from.State, out)...)
	for _, v := range project.Variables {
		switch {
		case v.HasDefault:
			out[v.Name] = append(out[v.Name], Given{v.Default, "default", v.Place, true})
		case v.Env != "":
			if text := from.Getenv(v.Env); text != "" {
				out[v.Name] = append(out[v.Name], Given{text, `env("` + v.Env + `")`, v.Place, true})
			}
		}
	}
	computed(project, out)
	return out, diags, nil
}

// computed adds the values of variables that are made of others. What keeps one
// from being computed is said by Plan.
func computed(project *program.Project, out map[string][]Given) {
	values := map[string]any{}
	for name, g := range out {
		values[name] = g[0].Value
	}
	_ = plan.Compute(project, values)
	for _, v := range project.Variables {
		if x, ok := values[v.Name]; ok && !v.Computed.IsZero() {
			out[v.Name] = []Given{{x, "computed", v.Computed.Place, true}}
		}
	}
}

// stateValues adds the values that tuning found, and warns where the environment
// overrides one.
func stateValues(project *program.Project, tuned *state.Tuned, out map[string][]Given) diag.List {
	if tuned == nil {
		return nil
	}
	var diags diag.List
	for _, v := range project.Variables {
		x, ok := tuned.Variables[v.Name]
		if !ok {
			continue
		}
		if above := out[v.Name]; len(above) > 0 && above[0].Source == "DSPI_VAR_"+v.Name && !value.Equal(above[0].Value, x) {
			diags = append(diags, diag.New("W0641", v.Place, "DSPI_VAR_"+v.Name+" decides").
				Say("The state was tuned with `%s` = %s, and the environment variable DSPI_VAR_%s sets it to %s. What was measured for the state need not hold.",
					v.Name, Shown(v, x), v.Name, Shown(v, above[0].Value)).
				Hint("to use the state as it was tuned: unset DSPI_VAR_%s", v.Name))
		}
		out[v.Name] = append(out[v.Name], Given{Value: x, Source: "tuned state"})
	}
	return diags
}

// fileValues adds the values of a .dspvars file to what is given.
func fileValues(project *program.Project, file *source.File, out map[string][]Given) diag.List {
	given, diags := config.Vars(file, project)
	for _, s := range given {
		if s.Variable == nil {
			diags = append(diags, undeclared(project, s))
			continue
		}
		x, err := Variable(project, s.Name, s.Value)
		for _, d := range diagnostics(err) {
			// The place to change is in the file; the declaration is the other one.
			d.Relate(d.Primary.Place, "declared here")
			d.Primary = diag.Label{Place: s.Place, Text: "this does not fit `" + s.Name + "`"}
			diags = append(diags, d)
		}
		if err == nil {
			out[s.Name] = append(out[s.Name], Given{Value: x, Source: "--vars", Place: s.At})
		}
	}
	diags.Sort()
	return diags
}

func undeclared(project *program.Project, s config.Setting) *diag.Diagnostic {
	d := diag.New("W0601", s.At, "no variable is called `"+s.Name+"`")
	var names []string
	for _, v := range project.Variables {
		names = append(names, v.Name)
	}
	if near, ok := diag.Nearest(s.Name, names); ok {
		return d.Fix("did you mean `"+near+"`?", s.At, near)
	}
	if len(names) == 0 {
		return d.Say("The program declares no variables. The value is not used.")
	}
	return d.Say("The program declares these variables: %s. The value is not used.", strings.Join(names, ", "))
}

// Values returns the values that win, as PlanOptions.Vars takes them: those of
// the variables' own blocks are not among them.
func Values(given map[string][]Given) map[string]any {
	out := map[string]any{}
	for name, g := range given {
		if len(g) > 0 && !g[0].Declared {
			out[name] = g[0].Value
		}
	}
	return out
}

// Shown returns the value of a variable as people may see it: a secret as a mark
// of fixed length.
func Shown(v *program.Variable, x any) string {
	if v.Sensitive {
		return diag.Mask
	}
	return string(value.EncodeJSON(x))
}
