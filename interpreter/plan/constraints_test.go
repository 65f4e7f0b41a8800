package plan_test

import (
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

const constrained = `
variable temperature: float(min = 0, max = 2) { default = 0.5 }
variable strategy: module { default = module.predict, choices = [module.predict, module.chain_of_thought] }
variable brain: model { default = model.small, choices = [model.small, model.large] }
variable pages: int { default = 2 }
variable words: int(max = 3000) { value = var.pages * var.per_page }
variable per_page: int { value = var.brain == model.large ? 500 : 300 }
variable key: string { default = env("KEY"), sensitive = true }
model small { provider = "openai", name = "a", default = true }
model large { provider = "openai", name = "b" }
constraint steady {
  when    = var.strategy == module.chain_of_thought
  require = var.temperature <= 0.9
  message = "At ${var.temperature} reasoning drifts."
}
constraint { require = var.words <= 2000 || var.brain == model.large }
constraint { require = len(var.key) > 3 }
program qa {
  question: string -> answer: string
  instructions = "At most ${var.words} words."
  temperature = var.temperature
}
`

func checked(t *testing.T, text string) *program.Project {
	t.Helper()
	project, diags := check.Check(parser.Parse(source.NewFile("a.dsp", text)), check.Options{Universe: stdlib.Universe()})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return project
}

func TestConstraints(t *testing.T) {
	project := checked(t, constrained)
	for _, c := range []struct {
		name   string
		values map[string]any
		env    string
		want   []string // a part of each error
		words  any
	}{
		{"as it is", nil, "", nil, 600},
		{"another model", map[string]any{"brain": "large", "pages": 3}, "", nil, 1500},
		{"hot", map[string]any{"temperature": 1.5}, "", nil, 600},
		{"hot and thinking", map[string]any{"temperature": 1.5, "strategy": "chain_of_thought"}, "",
			[]string{"At 1.5 reasoning drifts.\n\nThe variables in it:\n\n    var.strategy = module.chain_of_thought\n    var.temperature = 1.5"}, nil},
		{"long", map[string]any{"pages": 8}, "", []string{"    var.words = 2400\n    var.brain = model.small"}, nil},
		{"too long to be", map[string]any{"pages": 80}, "", []string{"needs     int(max = 3000)"}, nil},
		{"a secret", nil, "abc", []string{"var.key = (a secret, which is not shown)"}, nil},
		{"a fine secret", nil, "abcd", nil, 600},
	} {
		prog, _ := project.Program("qa")
		p, diags := plan.Make(project, prog, plan.Options{
			Universe: stdlib.Universe(), Values: c.values, Getenv: func(name string) string {
				if name == "KEY" {
					return c.env
				}
				return ""
			},
		})
		if len(diags) != len(c.want) {
			t.Errorf("%s: %v", c.name, diags)
			continue
		}
		for i, d := range diags {
			if !strings.Contains(d.Detail, c.want[i]) {
				t.Errorf("%s: %s", c.name, d.Detail)
			}
			if strings.Contains(d.Detail, "abc") {
				t.Errorf("%s shows the secret: %s", c.name, d.Detail)
			}
		}
		if p != nil {
			if p.Values["words"] != c.words {
				t.Errorf("%s: words is %v, want %v", c.name, p.Values["words"], c.words)
			}
			if got := strings.Join(p.Variables, " "); got != "brain pages per_page temperature words" {
				t.Errorf("%s: it reads %s", c.name, got)
			}
		}
	}
}

// TestComputedWithoutValue: what a computed variable needs is said, not that it
// has no value itself.
func TestComputedWithoutValue(t *testing.T) {
	project := checked(t, `
variable pages: int {}
variable words: int { value = var.pages * 300 }
constraint { require = var.words < 1000 }
program qa {
  question: string -> answer: string
  instructions = "At most ${var.words} words."
}
program other { question: string -> answer: string }
`)
	prog, _ := project.Program("qa")
	_, diags := plan.Make(project, prog, plan.Options{Universe: stdlib.Universe(), FallbackModel: "builtin/incontext"})
	if len(diags) != 1 || diags[0].Code != "E0512" || !strings.Contains(diags[0].Primary.Text, "`pages`") {
		t.Error(diags)
	}
	other, _ := project.Program("other")
	if _, diags := plan.Make(project, other, plan.Options{Universe: stdlib.Universe(), FallbackModel: "builtin/incontext"}); len(diags) > 0 {
		t.Error(diags)
	}
	if d := plan.Compute(checked(t, "variable zero: int { default = 0 }\nvariable x: int { value = 1 % var.zero }\n"), map[string]any{"zero": 0}); len(d) != 1 || d[0].Code != "E0614" {
		t.Error(d)
	}
}
