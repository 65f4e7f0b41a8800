package modules_test

import (
	"slices"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/modules"
)

// TestInners: what a state knows of the predictors inside a module is what the module
// asks, for each way in which it can ask.
func TestInners(t *testing.T) {
	const tool = "tool search {\n  query: string -> passages: list[string]\n  outputs { passages = [query] }\n}\n"
	for _, c := range []struct {
		name, step string
		want       int
	}{
		{"react", "react x {\n tools = [tool.search]\n }", 0},
		{"react", "react x {\n tools = [tool.search]\n style = \"typed\"\n }", 0},
		{"react", "react x {\n tools = [tool.search]\n style = \"dspy\"\n }", 2},
		{"react", "react x {\n question: string -> reasoning: string, answer: string\n tools = [tool.search]\n style = \"dspy\"\n }", 2},
		{"program_of_thought", "program_of_thought x {}", 2},
		{"program_of_thought", "program_of_thought x {\n language = \"python\"\n }", 3},
		{"code_act", "code_act x {\n tools = [tool.search]\n }", 2},
		{"code_act", "code_act x {\n tools = [tool.search]\n language = \"python\"\n }", 2},
	} {
		s := stageOf(t, tool+"program p {\n  question: string -> answer: string\n  "+c.step+"\n}\n")
		main, _ := s.project.Main()
		mod, _ := modules.Lookup(c.name)
		asked := mod.(module.Predicting).Predictors(s.call(t, value.NewObject("question", "?")))
		inners := state.Inners(main.Steps[0])
		if len(inners) != c.want || len(asked) != c.want {
			t.Errorf("%s: a state knows %d predictors and the module has %d, want %d", c.step, len(inners), len(asked), c.want)
			continue
		}
		names := func(fields []types.Field) []string {
			var out []string
			for _, f := range fields {
				out = append(out, f.Name)
			}
			return out
		}
		for i, x := range inners {
			sig := asked[i].Signature
			if x.Name != asked[i].Name || !slices.Equal(names(x.Inputs), names(sig.Inputs)) || !slices.Equal(names(x.Outputs), names(sig.Outputs)) {
				t.Errorf("%s: a state knows %s: %v -> %v, the module %s: %v -> %v", c.step, x.Name, names(x.Inputs), names(x.Outputs), asked[i].Name, names(sig.Inputs), names(sig.Outputs))
			}
			if sig.Instructions == "" {
				t.Errorf("%s: %s has no instructions", c.step, x.Name)
			}
		}
	}
}
