package dspi_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

// shout is a module: it asks the model as predict does, and makes the texts of the
// answer loud.
type shout struct{}

func (shout) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	outputs, err := module.Ask(ctx, call)
	if err != nil {
		return nil, err
	}
	for name, v := range outputs.All() {
		if text, ok := v.(string); ok {
			outputs.Set(name, strings.ToUpper(text)+strings.Repeat("!", call.Int("marks", 1)))
		}
	}
	return outputs, nil
}

// A module of one's own is a kind of step like any other: checked, planned, cached
// and traced.
func ExampleModule() {
	one := 1.0
	extension := &dspi.Extension{Modules: []dspi.Module{{
		Module: universe.Module{
			Name: "shout", Doc: "ask the model, and say it loud", Example: "shout answer {\n  question: string -> answer: string\n}",
			Settings: []universe.Setting{{Name: "marks", Kind: universe.Integer, Doc: "How many exclamation marks.", Default: "1", Min: &one}},
		},
		Run: shout{},
	}}}
	out, err := runExtended(extension, `
program loud {
  question: string -> answer: string
  shout answer { marks = 3 }
}`, map[string]any{"question": "What is 2 + 3?"})
	fmt.Println(out, err)
	// Output: {"answer":"5!!!"} <nil>
}

// double is a tool.
type double struct{}

func (double) Name() string        { return "double" }
func (double) Description() string { return "Twice a number." }
func (double) Signature() *program.Signature {
	return &program.Signature{
		Inputs:  []types.Field{{Name: "number", Type: types.Float}},
		Outputs: []types.Field{{Name: "twice", Type: types.Float}},
	}
}

func (double) Call(_ context.Context, args *value.Object) (*value.Object, error) {
	n, _ := args.Get("number")
	return value.NewObject("twice", 2*n.(float64)), nil
}

// A tool of one's own is named as tool.NAME. Its arguments are checked before it is
// called, and its results after.
func ExampleExtension_tools() {
	extension := &dspi.Extension{Tools: []tool.Tool{double{}}}
	src := dspi.Parse("double.dsp", `
program twice {
  question: string -> answer: string
  react agent { tools = [tool.double] }
}`)
	if err := src.Extend(extension); err != nil {
		panic(err)
	}
	_, diags := dspi.Check(src)
	fmt.Println(len(diags), "faults")
	// Output: 0 faults
}

// rivers is a retriever.
type rivers struct{}

func (rivers) Retrieve(_ context.Context, query string, k int) ([]retrieve.Passage, error) {
	return []retrieve.Passage{{ID: "seine", Text: "The Seine flows through Paris.", Score: 1}}, nil
}

// A retriever of one's own is named as retriever.NAME.
func ExampleRetriever() {
	extension := &dspi.Extension{Retrievers: []dspi.Retriever{{Name: "rivers", Doc: "What flows where.", Retriever: rivers{}}}}
	out, err := runExtended(extension, `
program find {
  question: string -> passages: list[string]
  retrieve docs {
    from = retriever.rivers
    inputs { query = question }
  }
}`, map[string]any{"question": "What flows through Paris?"})
	fmt.Println(out, err)
	// Output: {"passages":["The Seine flows through Paris."]} <nil>
}

// A metric of one's own is a function in tests and metrics.
func ExampleMetric() {
	extension := &dspi.Extension{Metrics: []dspi.Metric{{
		Name: "same_length", Doc: "Whether two texts are equally long.",
		Score: func(answer, expected any) (float64, error) {
			if len(answer.(string)) == len(expected.(string)) {
				return 1, nil
			}
			return 0, nil
		},
	}}}
	src := dspi.Parse("sum.dsp", `
program sum {
  question: string -> answer: string
}
test five {
  program = program.sum
  inputs { question = "What is 2 + 3?" }
  assert { that = same_length(answer, "7") == 1 }
}`)
	if err := src.Extend(extension); err != nil {
		panic(err)
	}
	project, diags := dspi.Check(src)
	if diags.HasErrors() {
		panic(diags)
	}
	p, err := dspi.Plan(project, dspi.PlanOptions{Extension: extension})
	if err != nil {
		panic(err)
	}
	runtime := dspi.NewRuntime(dspi.Options{Extension: extension})
	defer runtime.Close()
	run := runtime.Test(context.Background(), p, project.Tests[0])
	fmt.Println(len(run.Failures), "failures", run.Err)
	// Output: 0 failures <nil>
}

// runExtended runs a program with an extension.
func runExtended(x *dspi.Extension, text string, inputs map[string]any) (string, error) {
	src := dspi.Parse("extended.dsp", text)
	if err := src.Extend(x); err != nil {
		return "", err
	}
	project, diags := dspi.Check(src)
	if err := diags.Err(); err != nil {
		return "", err
	}
	p, err := dspi.Plan(project, dspi.PlanOptions{Extension: x})
	if err != nil {
		return "", err
	}
	runtime := dspi.NewRuntime(dspi.Options{Extension: x})
	defer runtime.Close()
	res, err := runtime.Run(context.Background(), p, inputs)
	if err != nil {
		return "", err
	}
	return string(value.EncodeJSON(res.Outputs)), nil
}

// TestExtendRefuses: names that are taken or are no names are refused, and a metric
// of one's own is no function elsewhere.
func TestExtendRefuses(t *testing.T) {
	src := dspi.Parse("x.dsp", `program p { question: string -> answer: string }`)
	err := src.Extend(&dspi.Extension{
		Modules:    []dspi.Module{{Module: universe.Module{Name: "predict"}, Run: shout{}}, {Module: universe.Module{Name: "lazy"}}},
		Tools:      []tool.Tool{double{}, double{}},
		Retrievers: []dspi.Retriever{{Name: "no name"}},
		Metrics:    []dspi.Metric{{Name: "f1"}},
	})
	for _, want := range []string{"a module predict is there already", "nothing does the work of the module lazy", "a tool double is there already", `"no name"`, "a metric f1 is there already"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if _, diags := dspi.Check(src); diags.HasErrors() {
		t.Errorf("what was refused changes the check: %v", diags)
	}
	if _, diags := dspi.Check(dspi.Parse("y.dsp", "program p {\n  question: string -> answer: string\n  shout s {}\n}")); !diags.HasErrors() {
		t.Error("a module that nobody has is known")
	}
}

// first is an optimizer: it tries one text as the instructions of each predictor.
type first struct{}

func (first) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	best, err := s.Evaluate(ctx, s.Start, s.Dev)
	if err != nil {
		return nil, err
	}
	s.Tried(best, true, "as it is", nil)
	for i, p := range s.Predictors {
		if !p.TuneInstructions {
			continue
		}
		score, err := s.EvaluateAgainst(ctx, s.Start.WithInstructions(i, s.Settings.Text("text")), s.Dev, best)
		if err != nil {
			return []*optimize.Candidate{best.Candidate}, err
		}
		s.Tried(score, true, "with the text for "+p.Name, nil)
		if !score.GivenUp && score.Value() > best.Value() {
			best = score
		}
	}
	return []*optimize.Candidate{best.Candidate}, nil
}

// An optimizer of one's own is a block in `optimize`.
func ExampleOptimizer() {
	extension := &dspi.Extension{Optimizers: []dspi.Optimizer{{
		Optimizer: universe.Optimizer{
			Name: "first", Doc: "One text as the instructions of each step.", Changes: []string{"instructions"},
			Settings: []universe.Setting{{Name: "text", Kind: universe.Text, Doc: "The text.", Required: true, Fixed: true}},
		},
		Run: first{},
	}}}
	folder, err := os.MkdirTemp("", "dspi")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	rows := "text,kind\n" + strings.Repeat("a bill came,bill\na card is lost,card\n", 15)
	if err := os.WriteFile(filepath.Join(folder, "rows.csv"), []byte(rows), 0o600); err != nil {
		panic(err)
	}
	src := dspi.Parse(filepath.Join(folder, "sort.dsp"), `
dataset rows { file = "rows.csv" }
program sort {
  text: string -> kind: "bill" | "card"
}
optimize tuned {
  program = program.sort
  train   = dataset.rows
  metric  = metric.exact_match
  first { text = "Say what the mail is about." }
}`)
	if err := src.Extend(extension); err != nil {
		panic(err)
	}
	project, diags := dspi.Check(src)
	if err := diags.Err(); err != nil {
		panic(err)
	}
	plan, err := dspi.PlanOptimization(project, project.Optimizations[0], dspi.PlanOptions{Extension: extension}, -1)
	if err != nil {
		panic(err)
	}
	runtime := dspi.NewRuntime(dspi.Options{Extension: extension})
	defer runtime.Close()
	found, err := runtime.Optimize(context.Background(), plan, dspi.OptimizeOptions{})
	if err != nil {
		panic(err)
	}
	for _, trial := range found.Trials {
		fmt.Println(trial.N, trial.Note, trial.Scores)
	}
	fmt.Println(found.Test.Rows, "rows held back")
	// Output:
	// 1 as it is map[exact_match:1]
	// 2 with the text for predict map[exact_match:1]
	// 2 rows held back
}
