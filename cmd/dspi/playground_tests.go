package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/server/playground"
)

// playgroundRuntime runs what the playground runs: nothing is kept, and there is no
// Python.
func playgroundRuntime(p *plan.Plan, see func(any)) *dspi.Runtime {
	lines := hist.NewLines(dspi.About(p))
	o := dspi.Options{Trace: func(e trace.Event) {
		if e.Kind != trace.Partial {
			see(lines.Of(e))
		}
	}}
	o.Python.Search = python.Search{Getenv: func(string) string { return "" }, Configured: "the Python of the playground"} // there is none
	return dspi.NewRuntime(o)
}

// playgroundTests runs the tests that the page asks for, one after another. All of
// them together have the budget of a run.
func (a *app) playgroundTests(ctx context.Context, f *playgroundFlags, files offered, r playground.Request, see func(any), told func(playground.Tested)) playground.End {
	var said strings.Builder
	own := newApp(strings.NewReader(""), &said, &said, a.env)
	own.color = "never"
	words := func(err error) string {
		if err == nil {
			return ""
		}
		said.Reset()
		own.tell(err)
		return strings.TrimSpace(said.String())
	}
	began := time.Now()
	file, err := own.playgroundJobs(f, files, r)
	if err == nil {
		ctx, err = withBudget(ctx, f.budget)
	}
	if err != nil {
		return playground.End{Error: words(err)}
	}
	for _, j := range file.tests {
		told(playground.Tested{Name: j.name(), Status: "running"})
		var closed error
		if j.err != nil {
			runJob(ctx, nil, j)
		} else {
			runtime := playgroundRuntime(j.plan, see)
			runJob(ctx, runtime, j)
			closed = runtime.Close()
		}
		t := playground.Tested{Name: j.name(), Status: j.status(), Error: words(errors.Join(j.faults(), closed))}
		if j.run != nil && j.run.Result.Run != "" {
			t.Usage = usageLine(j.run.Result.Usage, j.run.Result.Duration)
		}
		told(t)
	}
	return playground.End{Usage: testSummary(&tested{files: []*testFile{file}, took: time.Since(began), interrupted: ctx.Err() != nil})}
}

// playgroundJobs plans the tests that the page asks for.
func (a *app) playgroundJobs(f *playgroundFlags, files offered, r playground.Request) (*testFile, error) {
	path, err := files.at(r.File)
	if err != nil {
		return nil, err
	}
	project, diags := dspi.Check(dspi.Parse(path, r.Text))
	if err := diags.Err(); err != nil {
		return nil, err
	}
	opt, err := a.planOptions(project, f.settings)
	if err != nil {
		return nil, err
	}
	file := &testFile{name: r.File, diags: diags, settings: opt.Settings}
	for _, t := range project.Tests {
		if t.Place.File == project.Root && (r.Test == "" || t.Name == r.Test) {
			j := &testJob{test: t, done: make(chan struct{})}
			j.plan, j.err = playgroundTestPlan(project, t, opt)
			file.tests = append(file.tests, j)
		}
	}
	switch {
	case len(file.tests) > 0:
		return file, nil
	case r.Test != "":
		return nil, wrong("there is no test `%s` in %s", r.Test, r.File)
	}
	return nil, wrong("there are no tests in %s", r.File)
}

func playgroundTestPlan(project *program.Project, t *program.Test, opt dspi.PlanOptions) (*plan.Plan, error) {
	p, err := dspi.Plan(project, dspi.TestOptions(t, opt))
	if err == nil {
		err = interpreter.Refused(p)
	}
	if err == nil {
		err = harmlessPlan(p)
	}
	return p, err
}
