package dspi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"unicode"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/metrics"
	"github.com/dspi-lang/dspi/stdlib/optimizers"
)

// Extension is what a program in Go adds to what .dsp files can name without
// declaring it. The same one is given to Source.Extend, to PlanOptions and to the
// Options of a Runtime. It must not be changed after that.
type Extension struct {
	Modules    []Module
	Tools      []tool.Tool // tool.NAME
	Retrievers []Retriever
	Metrics    []Metric
	Optimizers []Optimizer

	table sync.Once
	all   *universe.Universe
	err   error
}

// Module is a kind of step in Go. What the checker, the editor and the reference
// know of it stands in the embedded declaration; Run does its work, for many steps
// at once.
type Module struct {
	universe.Module
	Run module.Module
}

// Retriever is passages that can be searched as retriever.NAME.
type Retriever struct {
	Name string
	Doc  string // one line
	retrieve.Retriever
}

// Metric is a function of two values that says how good an answer is, 1.0 for one
// that could not be better: NAME(answer, expected) in metrics and tests.
type Metric struct {
	Name  string
	Doc   string // one line
	Score func(answer, expected any) (float64, error)
}

// Optimizer is a way to tune a program, a block of its name in `optimize`. What the
// checker and the reference know of it stands in the embedded declaration; Run does
// its work.
type Optimizer struct {
	universe.Optimizer
	Run optimize.Optimizer
}

// universe returns the whole table of names, with those of the extension; nil has
// none. The error names what is taken or is no name.
func (x *Extension) universe() (*universe.Universe, error) {
	if x == nil {
		return stdlib.Universe(), nil
	}
	x.table.Do(func() { x.all, x.err = x.make() })
	return x.all, x.err
}

func (x *Extension) make() (*universe.Universe, error) {
	u := *stdlib.Universe()
	u.Modules, u.Tools, u.Metrics, u.Builtins, u.Optimizers = slices.Clone(u.Modules), slices.Clone(u.Tools), slices.Clone(u.Metrics), slices.Clone(u.Builtins), slices.Clone(u.Optimizers)
	var errs []error
	free := func(kind, name string, taken bool) {
		switch {
		case !isName(name):
			errs = append(errs, fmt.Errorf("a %s cannot be called %q: a name has letters, digits and _", kind, name))
		case taken:
			errs = append(errs, fmt.Errorf("a %s %s is there already", kind, name))
		}
	}
	for _, m := range x.Modules {
		_, taken := u.Module(m.Name)
		free("module", m.Name, taken)
		if m.Run == nil {
			errs = append(errs, fmt.Errorf("nothing does the work of the module %s", m.Name))
		}
		u.Modules = append(u.Modules, m.Module)
	}
	builtin := func(kind, name, doc string) {
		free(kind, name, slices.Contains(u.BuiltinNames(kind), name))
		u.Builtins = append(u.Builtins, universe.Builtin{Kind: kind, Name: name, Doc: doc})
	}
	for _, t := range x.Tools {
		builtin("tool", t.Name(), t.Description())
		u.Tools = append(u.Tools, universe.Tool{Name: t.Name(), Doc: t.Description(), Inputs: t.Signature().Inputs, Outputs: t.Signature().Outputs})
	}
	for _, r := range x.Retrievers {
		builtin("retriever", r.Name, r.Doc)
	}
	for _, m := range x.Metrics {
		builtin("metric", m.Name, m.Doc)
		u.Metrics = append(u.Metrics, universe.Metric{Name: m.Name, Doc: m.Doc, Compares: true, Params: "answer, expected", Type: types.Float, Own: true})
	}
	for _, o := range x.Optimizers {
		_, taken := u.Optimizer(o.Name)
		free("optimizer", o.Name, taken)
		if o.Run == nil {
			errs = append(errs, fmt.Errorf("nothing does the work of the optimizer %s", o.Name))
		}
		o.Objectives = max(o.Objectives, 1)
		u.Optimizers = append(u.Optimizers, o.Optimizer)
	}
	return &u, errors.Join(errs...)
}

// isName reports whether a .dsp file can name something so.
func isName(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != "" && !slices.Contains(universe.Reserved, s)
}

// module returns the module of a name: one of the extension, or a built-in one.
func (x *Extension) module(name string) (module.Module, bool) {
	if x != nil {
		for _, m := range x.Modules {
			if m.Name == name {
				return m.Run, true
			}
		}
	}
	return stdlib.Module(name)
}

// optimizer returns the optimizer of a name: one of the extension, or a built-in one.
func (x *Extension) optimizer(name string) (optimize.Optimizer, bool) {
	if x != nil {
		for _, o := range x.Optimizers {
			if o.Name == name {
				return o.Run, true
			}
		}
	}
	return optimizers.Lookup(name)
}

// functions are what evaluations need to call metrics.
func (x *Extension) functions() []expr.Option {
	options := metrics.Options()
	if x == nil {
		return options
	}
	for _, m := range x.Metrics {
		options = append(options, expr.WithHost(m.Name, func(_ context.Context, args []any) (any, error) {
			if len(args) != 2 {
				return nil, fmt.Errorf("`%s` compares two values, and there are %d", m.Name, len(args))
			}
			return m.Score(args[0], args[1])
		}))
	}
	return options
}

// Extend lets the source, and all that it imports, name what x adds. The error names
// what in x is taken already, or is no name.
func (s *Source) Extend(x *Extension) error {
	_, err := x.universe()
	s.extension = x
	return err
}
