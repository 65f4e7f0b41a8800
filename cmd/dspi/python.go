package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/spf13/cobra"
)

// pythonFlags are the flags of `dspi python`.
type pythonFlags struct {
	venv string
	base string
	json bool
}

var pythonWords = []string{"setup", "doctor"}

func pythonCommand(a *app) *cobra.Command {
	var f pythonFlags
	cmd := &cobra.Command{
		Use:   "python setup|doctor",
		Short: "Make or examine the Python that runs steps",
		Long: `Steps with backend = "python", and those of the modules python and dspy, run in the
real DSPy. It needs a Python of version 3.10 or newer with DSPy in it.

setup makes a virtual environment with the releases that dspi is made for, and
installs them into one that is there. doctor says which Python is taken, whether it
works, and what is wrong with it.

The Python is that of $DSPI_PYTHON, of python { interpreter = … } in dspi.hcl, of
$VIRTUAL_ENV, of a folder .venv here or above, or else python3.`,
		Example: `  dspi python setup
  dspi python setup --venv tools/venv --python python3.12
  dspi python doctor --json`,
		Args:      arguments(1, 1, "the word `setup` or `doctor`"),
		ValidArgs: pythonWords,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case !slices.Contains(pythonWords, args[0]):
				return wrong("dspi python knows no `%s`", args[0]).say("It is followed by `setup` or `doctor`.").near(args[0], pythonWords)
			case args[0] == "setup":
				return a.setupPython(cmd.Context(), f)
			case cmd.Flags().Changed("venv") || f.base != "":
				return wrong("--venv and --python belong to dspi python setup")
			}
			return a.examinePython(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.venv, "venv", ".venv", "with setup: the `folder` of the virtual environment")
	flags.StringVar(&f.base, "python", "", "with setup: the `program` that it is made with (default python3)")
	jsonFlag(cmd, &f.json, "print one JSON object")
	return cmd
}

// pythonOptions are those of a project for programs in a folder.
func (a *app) pythonOptions(settings *dspi.Settings, folder string) python.Options {
	o := dspi.PythonSettings(settings, folder, a.getenv)
	o.Env = dspi.WithoutKeys(a.env)
	return o
}

func (a *app) examinePython(ctx context.Context, f pythonFlags) error {
	settings, diags := dspi.LoadSettings("any.dsp") // in the current folder
	if diags.HasErrors() {
		return diags
	}
	return a.examined(ctx, a.pythonOptions(settings, "."), f, "")
}

// examined prints what is found of a Python. Source, if not "", says why it is that one.
func (a *app) examined(ctx context.Context, o python.Options, f pythonFlags, source string) error {
	found, err := python.Examine(ctx, o)
	if err != nil {
		return err
	}
	found.Source = cmp.Or(source, found.Source)
	if f.json {
		return a.writeJSON(struct {
			*python.Found
			Start float64 `json:"start_seconds"`
			Call  float64 `json:"call_seconds"`
		}{found, found.Took.Seconds(), found.Call.Seconds()})
	}
	fmt.Fprintf(a.out, "Python   %s  %s, from %s\n", found.Python, found.Path, found.Source)
	fmt.Fprintf(a.out, "DSPy     %s", found.DSPy)
	if found.DSPy != python.DSPyVersion {
		fmt.Fprintf(a.out, "  (dspi is made for %s: prompts may differ)", python.DSPyVersion)
	}
	fmt.Fprintf(a.out, "\nworker   starts in %s, holds %d MB, calls a module in %s\n", found.Took.Round(10*time.Millisecond), found.Memory>>20, found.Call.Round(10*time.Microsecond))
	return nil
}

func (a *app) setupPython(ctx context.Context, f pythonFlags) error {
	base := f.base
	if base == "" {
		found, err := python.Find(python.Search{Getenv: func(string) string { return "" }, Folder: string(filepath.Separator)})
		if err != nil {
			return err
		}
		base = found.Path
	}
	path, err := python.Setup(ctx, base, f.venv, a.env, func(what string) { a.note("%s", what) })
	if err != nil {
		return err
	}
	o := a.pythonOptions(nil, ".")
	o.Search.Getenv = func(string) string { return "" }
	o.Search.Configured = path
	if err := a.examined(ctx, o, f, "--venv"); err != nil {
		return err
	}
	if f.venv != ".venv" && !f.json {
		fmt.Fprintf(a.err, "\nName it in dspi.hcl:\n\n    python {\n      interpreter = %q\n    }\n", filepath.ToSlash(path))
	}
	return nil
}

// withPython adds to Options the Python that the settings name, and where what it
// prints goes: to stderr, with the step's address. The plan is nil where there is
// none.
func (a *app) withPython(o *dspi.Options, settings *dspi.Settings, p *plan.Plan) {
	if o.Python.Search.Getenv != nil {
		return
	}
	folder := "."
	switch {
	case p != nil && p.Checked.Place.File != nil:
		folder = filepath.Dir(p.Checked.Place.File.Name)
	case settings != nil:
		folder = filepath.Dir(settings.File.Name)
	}
	log := o.Python.Log
	o.Python = a.pythonOptions(settings, folder)
	if p != nil {
		o.Python.Env = dspi.WithoutKeysOf(p, a.env)
	}
	if o.Python.Log = log; log == nil {
		o.Python.Log = a.pythonLine(func() func() { return func() {} })
	}
}

// pythonLine prints a line that Python printed. What is drawn is held meanwhile.
func (a *app) pythonLine(hold func() (release func())) func(python.Line) {
	var mu sync.Mutex
	return func(l python.Line) {
		mu.Lock()
		defer mu.Unlock()
		defer hold()()
		who := l.Address
		if who == "" {
			who = "python"
		}
		fmt.Fprintf(a.err, "%s: %s\n", who, l.Text)
	}
}
