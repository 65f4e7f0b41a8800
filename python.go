package dspi

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/parser/config"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/modules"
)

// PythonSettings returns what the settings of a project say of Python, for a program
// in a folder: where a .venv is looked for, there and above.
func PythonSettings(s *Settings, folder string, getenv func(string) string) python.Options {
	o := python.Options{Search: python.Search{Getenv: getenv, Folder: folder}}
	if v, ok := s.Value("python.interpreter"); ok {
		o.Search.Configured = beside(s, v)
	}
	if v, ok := s.Value("python.workers"); ok {
		o.Max, _ = v.Value.(int)
	}
	return o
}

// beside is a path of a dspi.hcl, relative to its folder; a bare name is looked for
// on the path.
func beside(s *Settings, v config.Value) string {
	path, _ := v.Value.(string)
	if path == "" || filepath.IsAbs(path) || !strings.ContainsAny(path, `/\`) {
		return path
	}
	return filepath.Join(filepath.Dir(s.File.Name), path)
}

// pythonOptions fills in what the Options leave open. Keys of providers are no
// business of Python's: dspi asks the models.
func (r *Runtime) pythonOptions() python.Options {
	o := r.options.Python
	if o.Search.Getenv == nil {
		o.Search.Getenv = os.Getenv
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	o.Env = WithoutKeys(o.Env)
	return o
}

// WithoutKeys returns an environment without the keys of providers.
func WithoutKeys(env []string) []string {
	secret := []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
	for _, p := range stdlib.Universe().Providers {
		if p.KeyVar != "" {
			secret = append(secret, p.KeyVar)
		}
	}
	return slices.DeleteFunc(slices.Clone(env), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(secret, name)
	})
}

// shortestKey is the length in bytes from which a value of the environment is taken for
// the key that it equals; what is shorter, `none` say, may be anything.
const shortestKey = 8

// WithoutKeysOf returns an environment without the keys of providers, and without the
// variables, whatever they are called, that hold what a model of the plan is called
// with: `api_key = var.key` of `env("MY_KEY")`.
func WithoutKeysOf(p *plan.Plan, env []string) []string {
	a := history.About{Hidden: map[string][]string{}}
	aboutOps(p.Ops, &a)
	return slices.DeleteFunc(WithoutKeys(env), func(pair string) bool {
		_, text, _ := strings.Cut(pair, "=")
		return len(text) >= shortestKey && slices.Contains(a.Secrets, text)
	})
}

// pythonStep returns what does the work of a step that wants Python.
func (r *Runtime) pythonStep(op *plan.Op) module.Module {
	if !python.Wanted(op) {
		return nil
	}
	return python.NewStep(r.python, op, modules.OpenCode)
}
