package state_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/value"
)

const acting = `
tool add {
  a: int, b: int -> sum: int
  outputs { sum = a + b }
}
`

// TestInnerBind: a state is bound to the predictors inside modules by the names that DSPy
// gives them; those that a step does not ask are said, with the way out.
func TestInnerBind(t *testing.T) {
	react := []string{"react: question, trajectory, next_thought, next_tool_name, next_tool_args", "extract.predict: question, trajectory, reasoning, answer"}
	thought := []string{"code_generate.predict: question, reasoning, generated_code", "code_regenerate.predict: question, previous_code, error, reasoning, generated_code", "generate_output.predict: question, final_generated_code, code_output, reasoning, answer"}
	below := func(name string, lines []string) []string {
		var out []string
		for _, l := range lines {
			out = append(out, name+"."+l)
		}
		return out
	}
	for _, c := range []struct {
		name, steps string
		lines       []string
		paths       []string // that are bound
		said        []string // in warnings, in order; none is an error
	}{
		{"the whole program", "react act {\n style = \"dspy\"\n tools = [tool.add]\n}", react, []string{"act.extract", "act.react"}, nil},
		{"a step", "react act {\n style = \"dspy\"\n tools = [tool.add]\n}", below("act", react), []string{"act.extract", "act.react"}, nil},
		{"held", "best_of_n pick {\n n = 2\n reward = 1.0\n react {\n style = \"dspy\"\n tools = [tool.add]\n }\n}", below("pick.module", react), []string{"pick.extract", "pick.react"}, nil},
		{"one of several", "ensemble all {\n react one {\n style = \"dspy\"\n tools = [tool.add]\n }\n predict two {}\n}", append(below("all.programs[0]", react), "all.programs[1]: question, answer"),
			[]string{"all.one.extract", "all.one.react", "all.two"}, nil},
		{"DSPy's, for a typed one", "react act {\n tools = [tool.add]\n}", react, nil, []string{`style = "dspy"`, `style = "dspy"`}},
		{"a typed one", "react act {\n tools = [tool.add]\n}", []string{"act: question, answer"}, []string{"act"}, nil},
		{"code in Python", "program_of_thought act {\n language = \"python\"\n}", below("act", thought), []string{"act.code_generate", "act.code_regenerate", "act.generate_output"}, nil},
		{"DSPy's, for code in Starlark", "program_of_thought act {}", below("act", thought), nil, []string{`language = "python"`, `language = "python"`, `language = "python"`}},
		{"DSPy's, where DSPy does the work", "react act {\n backend = \"python\"\n tools = [tool.add]\n}", react, []string{"act.extract", "act.react"}, nil},
		{"one of two is missing", "react act {\n style = \"dspy\"\n tools = [tool.add]\n}", react[:1], []string{"act.react"}, []string{"`act.extract`"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			project, main := checked(t, acting+"program p {\n  question: string -> answer: string\n  "+c.steps+"\n}\n")
			tuned, diags := state.Bind(saved(t, "", c.lines...), project, main)
			var paths []string
			for p := range tuned.Steps {
				paths = append(paths, p)
			}
			if slices.Sort(paths); !slices.Equal(paths, c.paths) {
				t.Errorf("bound are %v, want %v", paths, c.paths)
			}
			if tuned.Of(main.Steps[0]) != nil && tuned.Of(main.Steps[0]).Predictor != "act" {
				t.Error("what an inner predictor gets is taken for the step's")
			}
			if len(diags) != len(c.said) {
				t.Fatalf("said: %v", diags)
			}
			for i, d := range diags {
				if d.Level != diag.Warning || !strings.Contains(d.Detail, c.said[i]) {
					t.Errorf("%s\n%s\nwant a warning with %s", d, d.Detail, c.said[i])
				}
			}
		})
	}
}

// TestInnerOwn: what was tuned in Starlark is bound again, since its file says so.
func TestInnerOwn(t *testing.T) {
	project, main := checked(t, "program p {\n  question: string -> answer: string\n  program_of_thought act {}\n}\n")
	s := saved(t, "", "act.code_generate.predict: question, reasoning, generated_code")
	s.Additions().Set("signatures", value.NewObject("act.code_generate.predict", "question: string -> reasoning: string, generated_code: string"))
	tuned, _ := state.Bind(s, project, main)
	if tuned.Step("act.code_generate") == nil {
		t.Error("it is taken for DSPy's")
	}
}

// TestInnerTools: instructions hold the list of the tools that there were; when the step
// has others by now, that is said.
func TestInnerTools(t *testing.T) {
	project, main := checked(t, acting+"program p {\n  question: string -> answer: string\n  react act {\n style = \"dspy\"\n tools = [tool.add, tool.calculator]\n}\n}\n")
	for text, want := range map[string]string{
		"Do it.\n(1) add, whose description is <desc>x</desc>.\n(2) calculator, whose description is <desc>y</desc>.\n(3) finish, whose description is <desc>z</desc>.": "",
		"Do it.": "",
		"(1) add, whose description is <desc>x</desc>.\n(2) finish, whose description is <desc>z</desc>.":                                                       "They say nothing of `calculator`.",
		"(1) add, whose description is <desc>x</desc>.\n(2) calculator, whose description is <desc>y</desc>.\n(3) search, whose description is <desc>z</desc>.": "They speak of `search`, which the step cannot call.",
	} {
		s := saved(t, "", "act.react: question, trajectory, next_thought, next_tool_name, next_tool_args", "act.extract.predict: question, trajectory, reasoning, answer")
		s.Predictors[0].Instructions = text
		_, diags := state.Bind(s, project, main)
		switch {
		case want == "" && len(diags) == 0:
		case want == "" || len(diags) != 1 || diags[0].Level != diag.Warning || !strings.Contains(diags[0].Detail, want):
			t.Errorf("%q: said was %v, want %q", text, diags, want)
		}
	}
}
