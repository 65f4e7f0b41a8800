package dspi_test

import (
	"context"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
)

const testedProgram = `
variable brain: model { default = model.one, choices = [model.one, model.two] }
model one { provider = "openai", name = "one" }
model two { provider = "openai", name = "two" }
program qa { question: string, note: string? -> answer: string, sure: bool? }
program own {
  question: string -> answer: string
  model = model.two
}
test declared { program = program.qa, model = model.one, inputs { question = "x" } }
test address  { program = program.qa, model = "builtin/incontext", inputs { question = "x" } }
test chosen   { program = program.qa, model = var.brain, inputs { question = "x" } }
test plain    { program = program.qa, inputs { question = "x" } }
test bound    { program = program.own, model = model.one, inputs { question = "x" } }
test slow     { program = program.qa, timeout = "1ms", inputs { question = "x" } }
test nothing {
  program = program.qa
  inputs { question = "x" }
  assert { that = note == null && sure == null && outputs.answer == "yes" }
  assert { that = answer == "no" || inputs.note != null }
  assert { that = len(answer) > 1000, message = "It says ${answer}." }
}
`

// fake answers everything with one text, or waits until it is told to end.
type fake struct{ reply string }

func (f fake) Features() lm.Features { return lm.Features{} }
func (f fake) Address() string       { return "test/fake" }

func (f fake) Generate(ctx context.Context, _ *lm.Request) (*lm.Response, error) {
	if f.reply == "" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &lm.Response{Text: f.reply}, nil
}

func planned(t *testing.T, project *program.Project, name string, opt dspi.PlanOptions) (*program.Test, *plan.Plan) {
	t.Helper()
	test, ok := project.Test(name)
	if !ok {
		t.Fatal("no test", name)
	}
	opt.Getenv = func(string) string { return "a key" }
	p, err := dspi.Plan(project, dspi.TestOptions(test, opt))
	if err != nil {
		t.Fatal(err)
	}
	return test, p
}

func TestTests(t *testing.T) {
	project, diags := dspi.Check(dspi.Parse("a.dsp", testedProgram))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	for _, c := range []struct {
		test string
		opt  dspi.PlanOptions
		want string
	}{
		{"declared", dspi.PlanOptions{}, "openai/one"},
		{"declared", dspi.PlanOptions{DefaultModel: "two"}, "openai/one"},
		{"declared", dspi.PlanOptions{Model: "two"}, "openai/two"},
		{"address", dspi.PlanOptions{}, "builtin/incontext"},
		{"chosen", dspi.PlanOptions{}, "openai/one"},
		{"chosen", dspi.PlanOptions{Vars: map[string]any{"brain": "two"}}, "openai/two"},
		{"plain", dspi.PlanOptions{}, dspi.Baseline},
		{"plain", dspi.PlanOptions{DefaultModel: "two"}, "openai/two"},
		{"bound", dspi.PlanOptions{}, "openai/two"},
	} {
		if _, p := planned(t, project, c.test, c.opt); p.Ops[0].Model.Address != c.want {
			t.Errorf("%s is answered by %s, want %s", c.test, p.Ops[0].Model.Address, c.want)
		}
	}

	r := dspi.NewRuntime(dspi.Options{})
	test, p := planned(t, project, "slow", dspi.PlanOptions{})
	r.Use(p.Ops[0].Model, fake{})
	run := r.Test(t.Context(), p, test)
	if d, ok := run.Err.(*diag.Diagnostic); !ok || d.Code != "E0631" || run.Passed() {
		t.Error(run.Err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if run := r.Test(ctx, p, test); run.Err == nil || strings.Contains(run.Err.Error(), "E0631") {
		t.Error("an interrupted test:", run.Err)
	}

	test, p = planned(t, project, "nothing", dspi.PlanOptions{})
	r.Use(p.Ops[0].Model, fake{"[[ ## answer ## ]]\nyes\n\n[[ ## sure ## ]]\nnull\n\n[[ ## completed ## ]]"})
	run = r.Test(t.Context(), p, test)
	if run.Err != nil || len(run.Failures) != 2 {
		t.Fatal(run.Err, run.Failures)
	}
	for i, want := range []string{
		"The values in it:\n\n    answer = \"yes\"\n    inputs.note = null",
		"It says yes.\n\nThe values in it:\n\n    answer = \"yes\"",
	} {
		if run.Failures[i].Code != "E0630" || run.Failures[i].Detail != want {
			t.Errorf("%s", run.Failures[i].Detail)
		}
	}
}
