package dspi_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/source"
)

// riverLM acts as the model of stdlib/modules/testdata/dspy/tuned_bootstrap.txtar: it
// searches, says that it is done, and answers.
type riverLM struct {
	// exact, when set, is what the question for the answer must be told: else the answer
	// is wrong.
	exact string
	mu    sync.Mutex
	asked []string // all messages of each call, one behind the other
}

var riverOf = map[string]string{"Rome": "the Tiber", "London": "the Thames", "Bonn": "the Rhine", "Paris": "the Seine", "Vienna": "the Danube", "Cairo": "the Nile"}

func (m *riverLM) Features() lm.Features { return lm.Features{} }
func (m *riverLM) Address() string       { return "test/rivers" }

func (m *riverLM) Generate(_ context.Context, req *lm.Request) (*lm.Response, error) {
	var all strings.Builder
	for _, x := range req.Messages {
		all.WriteString(x.Text() + "\n")
	}
	m.mu.Lock()
	m.asked = append(m.asked, all.String())
	m.mu.Unlock()
	last := req.Messages[len(req.Messages)-1].Text()
	if !strings.Contains(last, "[[ ## trajectory ## ]]") { // asked for instructions
		return lmtest.Text(req, "[[ ## proposed_instruction ## ]]\n"+m.exact+"\n\n[[ ## proposed_prefix_for_output_field ## ]]\nAnswer:\n\n[[ ## completed ## ]]\n\n```\n"+m.exact+"\n```"), nil
	}
	_, last, _ = strings.Cut(last, "[[ ## question ## ]]\n")
	question, rest, _ := strings.Cut(last, "\n")
	fields := func(pairs ...string) (*lm.Response, error) {
		var b strings.Builder
		for i := 0; i < len(pairs); i += 2 {
			b.WriteString("[[ ## " + pairs[i] + " ## ]]\n" + pairs[i+1] + "\n\n")
		}
		return lmtest.Text(req, b.String()+"[[ ## completed ## ]]"), nil
	}
	switch {
	case strings.Contains(rest, "starting with the field `[[ ## reasoning ## ]]`") && !strings.Contains(req.Messages[0].Text(), m.exact):
		return fields("reasoning", "Nobody said how.", "answer", "wet")
	case strings.Contains(rest, "starting with the field `[[ ## reasoning ## ]]`"):
		for city, river := range riverOf {
			if strings.Contains(question, city) {
				return fields("reasoning", "The notes say so.", "answer", river)
			}
		}
		return fields("reasoning", "Nobody knows.", "answer", "none")
	case strings.Contains(rest, "observation_0"):
		return fields("next_thought", "That is it.", "next_tool_name", "finish", "next_tool_args", "{}")
	}
	return fields("next_thought", "I search: "+question, "next_tool_name", "search", "next_tool_args", `{"query": "river", "k": 2}`)
}

const riverProgram = `
tool search {
  description = "Search the notes."
  query: string, k: int = 3 -> passages: list[string]
  outputs { passages = ["${query} 1", "${query} 2"] }
}

tool add {
  description = "Add two numbers.\n    Both are needed."
  a: float, b: float -> sum: float
  outputs { sum = a + b }
}

program find {
  question: string -> answer: string
  react agent {
    instructions = "Name the river."
    style = "dspy"
    tools = [tool.search, tool.add]
  }
}

dataset train { file = "train.jsonl" }
dataset dev   { file = "dev.jsonl" }
dataset test  { file = "test.jsonl" }

optimize labels {
  program = program.find
  train   = dataset.train
  dev     = dataset.dev
  test    = dataset.test
  metric  = metric.exact_match
  OPTIMIZER
}
`

// riversOf plans the optimization of the program with some optimizer.
func riversOf(t *testing.T, optimizer string) (*program.Project, *dspi.OptimizePlan) {
	t.Helper()
	dir := t.TempDir()
	rows := func(file string, cities ...string) {
		var b strings.Builder
		for _, c := range cities {
			b.WriteString(`{"question": "Which river flows through ` + c + `?", "answer": "` + riverOf[c] + `"}` + "\n")
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rows("train.jsonl", "Rome", "London", "Bonn")
	rows("dev.jsonl", "Vienna", "Cairo")
	rows("test.jsonl", "Vienna")
	path := filepath.Join(dir, "rivers.dsp")
	if err := os.WriteFile(path, []byte(strings.Replace(riverProgram, "OPTIMIZER", optimizer, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := dspi.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	project, diags := dspi.Check(src)
	for _, d := range diags {
		t.Fatal(d, d.Detail)
	}
	p, err := dspi.PlanOptimization(project, project.Optimizations[0], dspi.PlanOptions{Model: "builtin/incontext"}, -1)
	if err != nil {
		t.Fatal(err)
	}
	return project, p
}

// TestTuneInner: bootstrap_few_shot finds for the two predictors of a react step what
// DSPy's BootstrapFewShot finds on the same rows with the same model, and what it writes
// reaches both.
func TestTuneInner(t *testing.T) {
	project, p := riversOf(t, "bootstrap_few_shot {\n    max_bootstrapped_demos = 2\n    max_labeled_demos = 3\n  }")
	model := &riverLM{}
	runtime := runtimeOf(t, dspi.Options{Around: func(lm.LM) lm.LM { return model }})
	found, err := runtime.Optimize(t.Context(), p, dspi.OptimizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	made, err := p.State(found.Best, found)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := txtar.ParseFile("stdlib/modules/testdata/dspy/tuned_bootstrap.txtar")
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "state.json" })
	theirs, _ := state.Read(source.NewFile("state.json", string(archive.Files[at].Data)))
	ours, listed := state.Read(source.NewFile("made.json", string(made.Write())))
	if err := listed.Err(); err != nil {
		t.Fatal(err)
	}
	// What a row has that no field of a predictor shows is kept by DSPy alone.
	shown := map[string][]string{
		"react":           {"augmented", "question", "trajectory", "next_thought", "next_tool_name", "next_tool_args"},
		"extract.predict": {"augmented", "question", "trajectory", "reasoning", "answer"},
	}
	for _, want := range theirs.Predictors {
		got, ok := ours.Predictor("agent." + want.Name)
		if !ok {
			t.Fatalf("%s was not tuned", want.Name)
		}
		if got.Instructions != want.Instructions {
			t.Errorf("%s is told\n%s\nwant\n%s", want.Name, got.Instructions, want.Instructions)
		}
		if len(got.Fields) != len(want.Fields) || len(got.Demos) != len(want.Demos) {
			t.Fatalf("%s has %d fields and %d demos, want %d and %d", want.Name, len(got.Fields), len(got.Demos), len(want.Fields), len(want.Demos))
		}
		for i, d := range want.Demos {
			for _, name := range shown[want.Name] {
				g, _ := got.Demos[i].Get(name)
				w, _ := d.Get(name)
				if dspi.ValueText(g) != dspi.ValueText(w) {
					t.Errorf("%s, demo %d, %s is %v, want %v", want.Name, i+1, name, g, w)
				}
			}
		}
	}

	// What was written is loaded, and both questions show its demos.
	file := filepath.Join(t.TempDir(), "rivers.tuned.json")
	if err := os.WriteFile(file, made.Write(), 0o600); err != nil {
		t.Fatal(err)
	}
	tuned, warned, err := dspi.LoadState(file, project, "find")
	if err != nil || len(warned) > 0 {
		t.Fatal(err, warned)
	}
	run, err := dspi.Plan(project, dspi.PlanOptions{Program: "find", Model: "builtin/incontext", State: tuned})
	if err != nil {
		t.Fatal(err)
	}
	if text := run.String(); !strings.Contains(text, "tuned: instructions and 3 demos of `react`") || !strings.Contains(text, "3 demos of `extract.predict`") {
		t.Errorf("the plan does not say what is tuned:\n%s", text)
	}
	model.asked = nil
	if _, err := runtime.Run(t.Context(), run, map[string]any{"question": "Which river flows through Paris?"}); err != nil {
		t.Fatal(err)
	}
	if len(model.asked) != 3 {
		t.Fatalf("%d calls", len(model.asked))
	}
	for i, want := range []string{"I search: Which river flows through Rome?", "I search: Which river flows through Rome?", "the Tiber"} {
		if !strings.Contains(model.asked[i], want) {
			t.Errorf("call %d does not show %q:\n%s", i+1, want, model.asked[i])
		}
	}
}

// TestTuneInnerInstructions: what writes instructions changes those of the predictor that
// they help, and leaves the others as they are.
func TestTuneInnerInstructions(t *testing.T) {
	for _, optimizer := range []string{"copro {\n    breadth = 2\n    depth = 1\n  }", "gepa { max_metric_calls = 40 }", "mipro_v2 {\n    auto = \"light\"\n    max_bootstrapped_demos = 0\n    max_labeled_demos = 0\n  }"} {
		name, _, _ := strings.Cut(optimizer, " ")
		t.Run(name, func(t *testing.T) {
			_, p := riversOf(t, optimizer)
			model := &riverLM{exact: "Be exact."}
			runtime := runtimeOf(t, dspi.Options{Around: func(lm.LM) lm.LM { return model }})
			found, err := runtime.Optimize(t.Context(), p, dspi.OptimizeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			made, err := p.State(found.Best, found)
			if err != nil {
				t.Fatal(err)
			}
			extract, ok := made.Predictor("agent.extract.predict")
			if !ok || extract.Instructions != model.exact {
				t.Errorf("the question for the answer is told %q", extract.Instructions)
			}
			if react, _ := made.Predictor("agent.react"); !strings.Contains(react.Instructions, "(1) search, whose description") && react.Instructions != model.exact {
				t.Errorf("the question for the next tool is told %q", react.Instructions)
			}
			if found.After == nil || found.After.Metrics[0].Mean != 1 || found.Before.Metrics[0].Mean != 0 {
				t.Errorf("it was %v and is %v", found.Before, found.After)
			}
		})
	}
}
