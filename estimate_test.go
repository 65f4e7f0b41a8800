package dspi_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/estimate"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
)

// covered are the programs of examples whose calls are counted, with the inputs that
// they are given.
var covered = map[string]*value.Object{
	"examples/hello.dsp hello":               value.NewObject("question", "What is 17 * 23?"),
	"examples/models.dsp ask":                value.NewObject("question", "Why is the sky blue?"),
	"examples/three_steps.dsp weigh":         value.NewObject("claim", "Honey never spoils."),
	"examples/triage.dsp triage":             value.NewObject("message", "My card is gone!"),
	"examples/tour/01_hello.dsp hello":       value.NewObject("question", "What is 17 * 23?"),
	"examples/tour/02_signatures.dsp triage": value.NewObject("message", "My card is gone!"),
	"examples/tour/04_agent.dsp notes":       value.NewObject("question", "Where is the key?"),
	"examples/tour/03_rag.dsp rag":           value.NewObject("question", "Which river flows through Paris?"),
	"examples/tour/04_agent.dsp assistant":   value.NewObject("request", "How large is a room of 3 by 4 metres?"),
	"examples/tour/05_flow.dsp careful":      value.NewObject("question", "Why?"),
	"examples/tour/05_flow.dsp summarize":    value.NewObject("text", "A long text."),
	"examples/tour/05_flow.dsp digest":       value.NewObject("articles", []any{"one", "two", "three"}, "style", "casual"),
	"examples/tour/07_tune.dsp route":        value.NewObject("text", "Where is my card?"),
	"examples/tour/08_models.dsp ask":        value.NewObject("question", "Why is the sky blue?"),
}

// plausible is what a model writes into an output of a name, as a cooperative and as
// an awkward model do.
var plausible = map[string][2]string{
	"answer": {"some words", strings.Repeat("many words ", 10)},
	"good":   {"true", "false"}, "urgency": {"3", "3"}, "certain": {"0.9", "0.2"},
	"mood": {"angry", "ANGRY"}, "tone": {"worried", "worried."}, "queue": {"lost card", "refunds"}, "desk": {"lost card", "other"},
	"contact": {"null", "null"}, "sender": {"null", `{"name": "Ann", "email": null, "phones": []}`},
	"refund":  {`{"asked": false, "amount": null}`, `{"asked": true}`},
	"verdict": {"unclear", "Unclear"}, "facts": {`["a", "b"]`, "[]"}, "doubts": {`["c"]`, "[]"},
	"intent": {"card_lost", "card_arrival"}, "sources": {"[0]", "[]"}, "confidence": {"0.8", "0.1"},
}

// player plays a model. An awkward one gives a reply that does not fit to every
// question before one that does, and is never content.
type player struct {
	address string
	awkward bool
}

func (p *player) Address() string       { return p.address }
func (p *player) Features() lm.Features { return lm.Features{} }

var outputName = regexp.MustCompile("`\\[\\[ ## (\\w+) ## \\]\\]`")

func (p *player) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, &lm.Error{Kind: lm.KindCanceled, Model: p.address, Err: err}
	}
	question, again := "", false
	for _, m := range req.Messages {
		if m.Role == lm.Assistant || strings.Contains(m.Text(), "not fit") {
			again = true
		} else if _, asked, ok := strings.Cut(m.Text(), "Respond with the corresponding output fields"); ok {
			question = asked
		}
		if strings.Contains(m.Text(), "is not accepted") {
			again = false
		}
	}
	var b strings.Builder
	if p.awkward && !again {
		return &lm.Response{Finish: lm.FinishStop, Usage: lm.Usage{InputTokens: 10}}, nil
	}
	for _, found := range outputName.FindAllStringSubmatch(question, -1) {
		name := found[1]
		if name == "completed" {
			continue
		}
		text := "some words"
		if both, ok := plausible[name]; ok {
			text = both[0]
			if p.awkward {
				text = both[1]
			}
		}
		if name == "tone" && strings.Contains(question, "gist") {
			text = "casual"
		}
		fmt.Fprintf(&b, "[[ ## %s ## ]]\n%s\n\n", name, text)
	}
	return &lm.Response{Text: b.String() + "[[ ## completed ## ]]", Finish: lm.FinishStop, Usage: lm.Usage{InputTokens: 10, OutputTokens: 5}}, nil
}

// modelsOf returns every model that a plan may ask and that is no route.
func modelsOf(p *plan.Plan) []*plan.Model {
	found := map[*plan.Model]bool{}
	var model func(*plan.Model)
	model = func(m *plan.Model) {
		if m.Route == nil {
			found[m] = true
			return
		}
		for _, member := range m.Route.Members {
			model(member.Model)
		}
	}
	var ops func([]*plan.Op)
	ops = func(list []*plan.Op) {
		for _, op := range list {
			if op.Model != nil {
				model(op.Model)
			}
			if op.Plan != nil {
				ops(op.Plan.Ops)
			}
			ops(op.Parts)
			for _, t := range op.Tools {
				if t.Plan != nil {
					ops(t.Plan.Ops)
				}
			}
			if op.Retriever != nil && op.Retriever.Rerank != nil {
				ops(op.Retriever.Rerank.Ops)
			}
		}
	}
	ops(p.Ops)
	return slices.Collect(maps.Keys(found))
}

// examples copies the examples, with the tour, into a folder for the test, and returns
// the paths of their programs there by their paths here.
func examples(t *testing.T) map[string]string {
	t.Helper()
	dir, paths := t.TempDir(), map[string]string{}
	err := filepath.WalkDir("examples", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(dir, path), 0o700)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".dsp") {
			paths[filepath.ToSlash(path)] = filepath.Join(dir, path)
		}
		return os.WriteFile(filepath.Join(dir, path), text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// TestEstimateHolds runs the programs of the examples and of the tour: the number of
// their calls lies in the range that was estimated before, with inputs and without,
// whether models answer well at once or not.
func TestEstimateHolds(t *testing.T) {
	paths := examples(t) // a copy: a run makes indexes beside them
	missing := maps.Clone(covered)
	least, most, counted := 0, 0, 0
	for _, file := range slices.Sorted(maps.Keys(paths)) {
		path := paths[file]
		src, err := dspi.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		project, diags := dspi.Check(src)
		if err := diags.Err(); err != nil {
			t.Fatal(err)
		}
		for _, prog := range project.Programs {
			name := file + " " + prog.Name
			inputs, listed := covered[name]
			p, err := dspi.Plan(project, dspi.PlanOptions{Program: prog.Name, Getenv: func(string) string { return "a value" }})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			refused := interpreter.Refused(p)
			if !listed {
				t.Logf("not counted: %s (%v)", name, refused)
				continue
			}
			delete(missing, name)
			if refused != nil {
				t.Errorf("%s cannot run: %v", name, refused)
				continue
			}
			counted++
			for _, awkward := range []bool{false, true} {
				calls, err := countCalls(t, p, inputs, awkward)
				if err != nil {
					t.Fatalf("%s: %v", name, reported(err))
				}
				with, without := estimate.Of(p, inputs).Total.Calls, estimate.Of(p, &value.Object{}).Total.Calls
				t.Logf("%-45s %d calls of %s, without its inputs %s", name, calls, with, without)
				if !with.Holds(float64(calls)) || !without.Holds(float64(calls)) {
					t.Errorf("%s: %d calls, and %s were expected; %s without its inputs", name, calls, with, without)
				}
				if without.Min > with.Min || without.Max < with.Max {
					t.Errorf("%s: less is expected to be possible without its inputs, %s, than with them, %s", name, without, with)
				}
				if float64(calls) == with.Min {
					least++
				}
				if float64(calls) == with.Max {
					most++
				}
			}
		}
	}
	for name := range missing {
		t.Errorf("there is no %s any more", name)
	}
	if counted < 14 {
		t.Errorf("%d programs are counted, want at least 14", counted)
	}
	// The ranges are not just wide: cooperative models make the fewest calls, and
	// awkward ones the most, but in routes, where no member fails, under an assert that
	// always holds, and where actions are possible and none is needed.
	if least < counted || most < counted-4 {
		t.Errorf("of %d programs %d made the fewest calls and %d the most", counted, least, most)
	}
}

// countCalls runs a plan and returns how many calls its trace has.
func countCalls(t *testing.T, p *plan.Plan, inputs *value.Object, awkward bool) (int, error) {
	t.Helper()
	var calls atomic.Int64
	runtime := dspi.NewRuntime(dspi.Options{Trace: func(e trace.Event) {
		if e.Kind == trace.CallStart {
			calls.Add(1)
		}
	}})
	defer runtime.Close()
	for _, m := range modelsOf(p) {
		runtime.Use(m, &player{address: m.Address, awkward: awkward})
	}
	given := map[string]any{}
	for name, v := range inputs.All() {
		given[name] = v
	}
	res, err := runtime.Run(t.Context(), p, given)
	if err != nil {
		return 0, err
	}
	if int64(res.Usage.Calls) != calls.Load() {
		t.Errorf("%s: the trace has %d calls, the usage %d", p.Program, calls.Load(), res.Usage.Calls)
	}
	return int(calls.Load()), nil
}

// TestEstimateModules: how often each module asks.
func TestEstimateModules(t *testing.T) {
	for _, c := range []struct{ step, want string }{
		{`predict x {}`, "1–2"},
		{`predict x { retries = 0 }`, "1"},
		{`predict x { retries = 3 }`, "1–4"},
		{`predict x { adapter = "two_step" }`, "2–3"},
		{"predict x {\n  assert a { that = len(answer) > 3 }\n  suggest b { that = len(answer) < 9, retries = 1 }\n}", "1–8"},
		{"best_of_n x {\n  n = 4\n  reward = 1.0\n  chain_of_thought {}\n}", "4–8"},
		{"best_of_n x {\n  n = var.many\n  reward = 1.0\n  threshold = 0.5\n  chain_of_thought { retries = 0 }\n}", "1–7"},
		{"majority x {\n  n = 5\n  predict {}\n}", "5–10"},
		{"refine x {\n  n = 3\n  reward = 1.0\n  threshold = 0.5\n  predict { retries = 0 }\n}", "1–7"},
		{"retry x {\n  attempts = 3\n  predict {}\n}", "1–6"},
		{"multi_chain_comparison x {\n  m = 3\n  chain_of_thought { retries = 0 }\n  retries = 0\n}", "4"},
		{"react x {\n  tools = [tool.calculator]\n  max_iters = 6\n  retries = 0\n}", "1–7"},
		{"react x {\n  tools = [tool.calculator]\n  max_iters = 6\n  retries = 0\n  style = \"dspy\"\n}", "2–7"},
		{"react x {\n  tools = [tool.asked]\n  max_iters = 6\n  retries = 0\n}", "at least 1"},
		{"react x {\n  tools = [tool.asked]\n  max_iters = 6\n  retries = 0\n  style = \"dspy\"\n}", "2–19"},
		{"ensemble x {\n  question: string -> answer: string\n  predict a {}\n  chain_of_thought b { retries = 0 }\n}", "2–3"},
		{"ensemble x {\n  size = 1\n  question: string -> answer: string\n  predict a {}\n  chain_of_thought b { retries = 0 }\n}", "0–3"},
		{"other x {}", "1–2"},
		{"best_of_n x {\n  n = 3\n  reward = 1.0\n  other {}\n}", "3–6"},
		{"other x {\n  for_each = [\"a\", \"b\"]\n  inputs { question = each.value }\n}\nlet answer = x.answer[0]\noutputs { answer = answer }", "2–4"},
		{"predict x { when = var.many > 7 }\npredict y {\n  otherwise = x\n  retries = 0\n}\noutputs { answer = x.answer ?? y.answer }", "1"},
		{"predict x { when = var.many > 6 }\npredict y { otherwise = x }\noutputs { answer = x.answer ?? y.answer }", "1–2"},
		{"predict x { when = len(question) > 6 }\npredict y { otherwise = x }\noutputs { answer = x.answer ?? y.answer }", "0–4"},
		{"predict x { model = model.hedged }", "1–6"},
		{"predict x { model = model.both }", "1–8"},
	} {
		project, diags := dspi.Check(dspi.Parse("p.dsp", `
variable many: int(min = 1, max = 10) { default = 7 }
model hedged {
  provider = "openai"
  name     = "a"
  api_key  = "k"
  hedge {
    after = "1s"
    max   = 2
  }
}
model plain {
  provider = "openai"
  name     = "b"
  api_key  = "k"
}
model both {
  route  = "fallback"
  models = [model.hedged, model.plain]
}
tool asked {
  program = program.other
}
program other {
  question: string -> answer: string
}
program p {
  question: string -> answer: string
  `+c.step+`
}
`))
		if err := diags.Err(); err != nil {
			t.Errorf("%s: %v", c.step, err)
			continue
		}
		p, err := dspi.Plan(project, dspi.PlanOptions{Program: "p", Getenv: func(string) string { return "" }})
		if err != nil {
			t.Errorf("%s: %v", c.step, err)
			continue
		}
		got := estimate.Of(p, &value.Object{}).Total.Calls.String()
		if got != c.want {
			t.Errorf("%s: %s calls, want %s", c.step, got, c.want)
		}
	}
}
