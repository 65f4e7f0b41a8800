//go:build dspy

package python_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/source"
)

// TestDSPyTuneInner: DSPy's BootstrapFewShot, run on a program of dspi's with a react step,
// finds for both predictors of the step what it finds on DSPy's own ReAct.
func TestDSPyTuneInner(t *testing.T) {
	archive, err := txtar.ParseFile("../../stdlib/modules/testdata/dspy/tuned_bootstrap.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	rivers := map[string]string{"Rome": "the Tiber", "London": "the Thames", "Bonn": "the Rhine", "Vienna": "the Danube", "Cairo": "the Nile"}
	rows := func(cities ...string) string {
		var b strings.Builder
		for _, c := range cities {
			b.WriteString(`{"question": "Which river flows through ` + c + `?", "answer": "` + rivers[c] + "\"}\n")
		}
		return b.String()
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "rivers.dsp")
	for name, text := range map[string]string{
		"train.jsonl": rows("Rome", "London", "Bonn"), "dev.jsonl": rows("Vienna"), "test.jsonl": rows("Cairo"),
		"rivers.dsp": strings.NewReplacer("program agent", "program find", "[query]", `["${query} 1", "${query} 2"]`).Replace(files["program.dsp"]) + `
dataset train { file = "train.jsonl" }
dataset dev   { file = "dev.jsonl" }
dataset test  { file = "test.jsonl" }

optimize labels {
  program = program.find
  train   = dataset.train
  dev     = dataset.dev
  test    = dataset.test
  metric  = metric.exact_match
  dspy {
    class     = "dspy.BootstrapFewShot"
    arguments = {max_bootstrapped_demos: 2, max_labeled_demos: 3}
  }
}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src, err := dspi.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	project, diags := dspi.Check(src)
	if err := diags.Err(); err != nil {
		t.Fatal(rendered(err))
	}
	p, err := dspi.PlanOptimization(project, project.Optimizations[0], dspi.PlanOptions{Model: "builtin/incontext"}, -1)
	if err != nil {
		t.Fatal(rendered(err))
	}
	model := lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
		_, last, _ := strings.Cut(req.Messages[len(req.Messages)-1].Text(), "[[ ## question ## ]]\n")
		question, rest, _ := strings.Cut(last, "\n")
		text := chat("next_thought", "I search: "+question, "next_tool_name", "search", "next_tool_args", `{"query": "river", "k": 2}`)
		switch {
		case strings.Contains(rest, "starting with the field `[[ ## reasoning ## ]]`"):
			for city, river := range rivers {
				if strings.Contains(question, city) {
					text = chat("reasoning", "The notes say so.", "answer", river)
				}
			}
		case strings.Contains(rest, "observation_0"):
			text = chat("next_thought", "That is it.", "next_tool_name", "finish", "next_tool_args", "{}")
		}
		return lmtest.Text(req, text), nil
	})
	r := dspi.NewRuntime(dspi.Options{Around: func(lm.LM) lm.LM { return model }, Python: newProject(t, "").options.Python})
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	found, err := r.Optimize(t.Context(), p, dspi.OptimizeOptions{})
	if err != nil {
		t.Fatal(rendered(err))
	}
	made, err := p.State(found.Best, found)
	if err != nil {
		t.Fatal(err)
	}
	theirs, _ := state.Read(source.NewFile("state.json", files["state.json"]))
	for _, want := range theirs.Predictors {
		got, ok := made.Predictor("agent." + want.Name)
		if !ok || got.Instructions != want.Instructions || len(got.Demos) != len(want.Demos) {
			t.Fatalf("%s: %+v\nwant %+v", want.Name, got, want)
		}
		for i, d := range want.Demos {
			for name, w := range d.All() {
				if name == "answer" && want.Name == "react" {
					continue // no field shows it
				}
				if g, _ := got.Demos[i].Get(name); dspi.ValueText(g) != dspi.ValueText(w) {
					t.Errorf("%s, demo %d, %s is %v, want %v", want.Name, i+1, name, g, w)
				}
			}
		}
	}
}
