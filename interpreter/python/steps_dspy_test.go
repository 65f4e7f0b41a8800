//go:build dspy

package python_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/providers/scripted"
)

// Steps that run in the real DSPy. DSPI_PYTHON names a Python that has it.

// project is programs and modules in a folder, and what runs them.
type project struct {
	t       testing.TB
	folder  string
	options dspi.Options
	model   func() lm.LM // what answers; one for each Runtime
	mu      sync.Mutex
	lines   []python.Line
	events  []trace.Event
}

// newProject writes the files of an archive.
func newProject(t testing.TB, archive string) *project {
	t.Helper()
	if os.Getenv("DSPI_PYTHON") == "" {
		t.Fatal("DSPI_PYTHON names no Python: make venv, and DSPI_PYTHON=.venv/bin/python")
	}
	p := &project{t: t, folder: t.TempDir()}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		if err := os.WriteFile(filepath.Join(p.folder, f.Name), f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p.options.Python.Log = func(l python.Line) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.lines = append(p.lines, l)
	}
	p.options.Trace = func(e trace.Event) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.events = append(p.events, e)
	}
	return p
}

func (p *project) plan(program string) *plan.Plan {
	p.t.Helper()
	src, err := dspi.Load(filepath.Join(p.folder, "main.dsp"))
	if err != nil {
		p.t.Fatal(err)
	}
	checked, diags := dspi.Check(src)
	if err := diags.Err(); err != nil {
		p.t.Fatal(rendered(err))
	}
	opt := dspi.PlanOptions{Program: program, Model: "builtin/incontext"}
	if path := filepath.Join(p.folder, "state.json"); exists(path) {
		if opt.State, diags, err = dspi.LoadState(path, checked, program); err != nil || diags.HasErrors() {
			p.t.Fatal(err, diags)
		}
	}
	made, err := dspi.Plan(checked, opt)
	if err != nil {
		p.t.Fatal(rendered(err))
	}
	return made
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// runtime returns a Runtime that answers with the project's model.
func (p *project) runtime(made *plan.Plan) *dspi.Runtime {
	r := dspi.NewRuntime(p.options)
	p.t.Cleanup(func() {
		if err := r.Close(); err != nil {
			p.t.Error(err)
		}
	})
	if p.model != nil {
		model := p.model()
		var use func(*plan.Plan)
		use = func(made *plan.Plan) {
			var ops func([]*plan.Op)
			ops = func(all []*plan.Op) {
				for _, op := range all {
					if op.Model != nil {
						r.Use(op.Model, model)
					}
					if op.Plan != nil {
						use(op.Plan)
					}
					ops(op.Parts)
				}
			}
			ops(made.Ops)
		}
		use(made)
	}
	return r
}

// run runs a program once.
func (p *project) run(program string, inputs map[string]any) (*value.Object, error) {
	p.t.Helper()
	made := p.plan(program)
	res, err := p.runtime(made).Run(p.t.Context(), made, inputs)
	return res.Outputs, err
}

func rendered(err error) string {
	var list diag.List
	var d *diag.Diagnostic
	switch {
	case errors.As(err, &list):
	case errors.As(err, &d):
		list = diag.List{d}
	default:
		return err.Error()
	}
	var b strings.Builder
	for _, d := range list {
		b.WriteString(string(d.Code) + ": " + d.Primary.Text + "\n" + d.Detail + "\n" + strings.Join(d.Help, "\n") + "\n")
	}
	return b.String()
}

// TestDSPyPredict: a predict in Python gives what it gives natively.
func TestDSPyPredict(t *testing.T) {
	p := newProject(t, `
-- main.dsp --
program qa {
  question: string -> answer: string
  predict respond { backend = "python" }
}
`)
	p.model = func() lm.LM {
		return scripted.New("m", scripted.Reply{Text: "[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]"})
	}
	start := time.Now()
	out, err := p.run("qa", map[string]any{"question": "Where is the Louvre?"})
	if err != nil {
		t.Fatal(rendered(err), p.lines)
	}
	if got, _ := out.Get("answer"); got != "Paris" {
		t.Errorf("the answer is %v", got)
	}
	t.Log(time.Since(start))
}
