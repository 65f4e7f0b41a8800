package dspi

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/metrics"
)

// builtin makes a built-in metric ready, or one of the extension.
func (m *Measure) builtin(project *program.Project, p *plan.Plan, opt plan.Options, x *Extension) error {
	name := m.Use.Builtin
	if about, ok := stdlib.Universe().Metric(name); ok {
		m.lower, m.unit = about.Lower, about.Unit
	}
	ofRun := func(f func(x *judged) float64) error {
		m.usage = true
		m.score = func(_ context.Context, _ *Runtime, x *judged) (float64, error) { return f(x), nil }
		return nil
	}
	switch name {
	case "cost":
		return ofRun(func(x *judged) float64 {
			if x.used.USD == nil {
				return nan
			}
			return *x.used.USD
		})
	case "latency":
		return ofRun(func(x *judged) float64 { return x.seconds })
	case "tokens":
		return ofRun(func(x *judged) float64 { return float64(x.used.InputTokens + x.used.OutputTokens) })
	case "calls":
		return ofRun(func(x *judged) float64 { return float64(x.used.Calls) })
	case "macro_f1":
		m.whole = true
		return nil
	case "semantic_f1", "complete_and_grounded":
		return m.judge(project, p.Checked, opt)
	}
	if compare, ok := metrics.Compare(name); ok {
		return m.compares(compare)
	}
	if x != nil {
		for _, own := range x.Metrics {
			if own.Name == name {
				return m.compares(own.Score)
			}
		}
	}
	return diag.New("E0510", m.Use.Place, fmt.Sprintf("`metric.%s` cannot be computed yet", name))
}

// judges checks the programs of the metrics that ask a model.
var judges = sync.OnceValue(func() *program.Project {
	project, diags := Check(Parse("metrics", metrics.Judges))
	if diags.HasErrors() {
		panic(diags.Err())
	}
	return project
})

// judge makes a metric ready that asks a model: what DSPy calls question is the
// input of that name, else the first one; response is the output of that name that
// has a label, else the first such; context is the output of that name.
func (m *Measure) judge(project *program.Project, prog *program.Program, opt plan.Options) error {
	sig := prog.Signature
	if len(sig.Inputs) == 0 || len(m.Use.Labels) == 0 {
		return diag.New("E0310", m.Use.Place, "there is nothing to judge").
			Say("`metric.%s` asks a model about an input, an output and what is expected of it: a column with the output's name.", m.Name)
	}
	question, response := sig.Inputs[0].Name, ""
	if _, ok := sig.Input("question"); ok {
		question = "question"
	}
	for _, name := range m.Use.Labels {
		if name == "response" || response == "" && name != "context" {
			response = name
		}
	}
	grounded := m.Name == "complete_and_grounded"
	if _, ok := sig.Output("context"); grounded && !ok {
		return diag.New("E0310", m.Use.Place, "`"+prog.Name+"` has no output `context`").
			Say("`metric.complete_and_grounded` judges whether the passages that a program found hold what it says. It finds them in its output `context`.").
			Hint("give the passages out, too: -> %s: string, context: list[string]", response)
	}
	body, _ := judges().Program(m.Use.Builtin)
	made, diags := plan.Make(project, body, opt)
	if err := diags.Err(); err != nil {
		return err
	}
	m.Plan = made
	m.score = func(ctx context.Context, r *Runtime, x *judged) (float64, error) {
		asked, _ := x.example.Get(question)
		truth, _ := x.example.Get(response)
		said, _ := x.prediction.Get(response)
		inputs := value.NewObject("question", passages(asked), "ground_truth", passages(truth), "system_response", passages(said))
		if grounded {
			found, _ := x.prediction.Get("context")
			inputs.Set("retrieved_context", passages(found))
		}
		outputs, err := r.askJudge(ctx, made, inputs, x)
		if err != nil {
			return 0, err
		}
		score, _ := outputs.Get("score")
		return scoreOf(score), nil
	}
	return nil
}

// passages writes a value as text, a list of texts as DSPy writes one for a field
// that is a text.
func passages(v any) string {
	list, ok := v.([]any)
	if !ok {
		return class(v)
	}
	blob := func(x any) string {
		s := class(x)
		if !strings.ContainsAny(s, "\n«»") {
			return "«" + s + "»"
		}
		return "«««\n    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n»»»"
	}
	switch len(list) {
	case 0:
		return "N/A"
	case 1:
		return blob(list[0])
	}
	lines := make([]string, len(list))
	for i, x := range list {
		lines[i] = fmt.Sprintf("[%d] %s", i+1, blob(x))
	}
	return strings.Join(lines, "\n")
}

// compares scores outputs with the labels of the same names: the mean where there
// are several.
func (m *Measure) compares(f func(answer, expected any) (float64, error)) error {
	labels := m.Use.Labels
	m.score = func(_ context.Context, _ *Runtime, x *judged) (float64, error) {
		var scores []float64
		for _, name := range labels {
			label, ok := x.example.Get(name)
			if !ok || label == nil {
				continue
			}
			answer, _ := x.prediction.Get(name)
			score, err := f(answer, label)
			if err != nil {
				return 0, err
			}
			scores = append(scores, score)
		}
		if len(scores) == 0 {
			return 0, diag.New("E0618", m.Use.Place, "the row has no label").Say("`metric.%s` compares outputs with columns of the same name, and the row has none.", m.Use.Builtin)
		}
		return evaluate.Mean(scores), nil
	}
	return nil
}
