// Package python speaks with DSPy: it asks the real one what a module is, writes
// programs as modules of it, and lets it do the work of steps.
//
//	Find      the Python interpreter to ask
//	Inspect   describes a DSPy module: a Module (inspect.go, inspect.py)
//	Module    its types, signatures, steps, demos
//	Source    a Module as the text of a .dsp file (source.go)
//	Export    a checked program as a module in Python, with its state (export.go)
//	Pool      Python processes that have imported DSPy and stay (pool.go, worker.go)
//	Step      the module of a step whose work a Pool does (step.go)
//	Optimize  an optimizer of DSPy's on a program that dspi runs: an OptimizeRequest,
//	          Predictors, Candidates, an OptimizeResult (optimize.go)
//	Function  what stands behind a tool, a retriever, rows, vectors (functions.go)
//	Check     compares what a project names in Python with what is there (check.go)
//	Examine   says whether a Python can do that; Setup makes one (setup.go)
//
// A module cannot be read from a file: signatures and demos are made while it is
// imported. So Python runs, and a script of ours (inspect.py) looks at the object.
package python

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
)

// Interpreter is a Python to start.
type Interpreter struct {
	Path   string
	Source string // who says so: "DSPI_PYTHON", "dspi.hcl", "VIRTUAL_ENV", ".venv", "PATH"
}

// Search says where Find looks.
type Search struct {
	Getenv     func(string) string
	Configured string // `python { interpreter }` of dspi.hcl, as a path; "": none
	Folder     string // where .venv is looked for, and above; "": the current one
}

// Find returns the interpreter to use: $DSPI_PYTHON, that of dspi.hcl, that of
// $VIRTUAL_ENV, .venv in the folder or above it, python3 on the path. The error is
// a *diag.Diagnostic (E0644).
func Find(s Search) (*Interpreter, error) {
	look := func(path, from string) (*Interpreter, error) {
		if found, err := exec.LookPath(path); err == nil || errors.Is(err, exec.ErrDot) {
			return &Interpreter{found, from}, nil
		}
		return nil, diag.New("E0644", source.Place{}, path+" cannot be started").
			Say("%s names `%s` as the Python to use, and there is no such program.", from, path).
			Hint("name one that is there, or none: then a folder .venv is taken, or python3").
			Hint("make one that has all it needs: dspi python setup")
	}
	if path := s.Getenv("DSPI_PYTHON"); path != "" {
		return look(path, "DSPI_PYTHON")
	}
	if s.Configured != "" {
		return look(s.Configured, "dspi.hcl")
	}
	if env := s.Getenv("VIRTUAL_ENV"); env != "" {
		if p, err := look(inVenv(env), "VIRTUAL_ENV"); err == nil {
			return p, nil
		}
	}
	if folder, err := filepath.Abs(s.Folder); err == nil {
		for {
			if p, err := look(inVenv(filepath.Join(folder, ".venv")), ".venv"); err == nil {
				return p, nil
			}
			up := filepath.Dir(folder)
			if up == folder {
				break
			}
			folder = up
		}
	}
	for _, name := range []string{"python3", "python"} {
		if p, err := look(name, "PATH"); err == nil {
			return p, nil
		}
	}
	return nil, diag.New("E0644", source.Place{}, "there is no Python").
		Say("Neither $DSPI_PYTHON, dspi.hcl, $VIRTUAL_ENV nor a folder .venv names a Python, and no `python3` is on the path.").
		Hint("install Python 3.10 or newer, then: dspi python setup")
}

func inVenv(folder string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(folder, "Scripts", "python.exe")
	}
	return filepath.Join(folder, "bin", "python")
}

// run runs a script and returns what it writes; all that the script's modules say
// for people is in said.
func (p *Interpreter) run(ctx context.Context, folder, script string, env []string, args ...string) (out []byte, said string, err error) {
	cmd := exec.CommandContext(ctx, p.Path, append([]string{"-c", script}, args...)...)
	cmd.Dir, cmd.Env = folder, env
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err = cmd.Output()
	if ctx.Err() != nil {
		return nil, "", ctx.Err()
	}
	var missing *fs.PathError
	if errors.As(err, &missing) {
		return nil, "", diag.New("E0644", source.Place{}, p.Path+" cannot be started").
			Say("The Python that %s names cannot be started: %v.", p.Source, missing.Err)
	}
	return out, errs.String(), err
}
