//go:build dspy && unix

package python_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// sorter is a program of two predictors that is run here: it knows the answer of a row
// whose question is among the demos of `sort.predict`, or when it is told to look.
type sorter struct {
	t    *testing.T
	req  *python.OptimizeRequest
	gold map[string]string

	mu       sync.Mutex
	runs     map[int64]string // what each run gave
	seen     []*python.OptimizeRun
	scored   []*python.OptimizeScore
	asked    []string
	messages []string
	evals    []*python.Evaluated
}

var sortType = &types.Enum{Name: "Queue", Members: []types.Member{{Name: "card", Shown: "card"}, {Name: "loan", Shown: "loan"}, {Name: "other", Shown: "other"}}}

func newSorter(t *testing.T, class string, arguments *value.Object, train, val int) *sorter {
	field := func(name string, of types.Type) types.Field { return types.Field{Name: name, Type: of} }
	s := &sorter{t: t, gold: map[string]string{}, runs: map[int64]string{}}
	rows := func(from, n int) []*value.Object {
		var out []*value.Object
		for i := from; i < from+n; i++ {
			q, a := fmt.Sprintf("question %d", i), []string{"card", "loan"}[i%2]
			s.gold[q] = a
			out = append(out, value.NewObject("question", q, "queue", a))
		}
		return out
	}
	s.req = &python.OptimizeRequest{
		Address: "optimize.sort", Class: class, Arguments: arguments, Train: rows(0, train), Val: rows(100, val), Model: "test/sorter", Threads: 2,
		Program: python.OptimizeProgram{
			Name: "main", Source: "program main {\n  chain_of_thought sort {}  # \"\"\"\n}\n",
			Signature: &program.Signature{Inputs: []types.Field{field("question", types.String)}, Outputs: []types.Field{field("queue", sortType)}},
			Predictors: []python.Predictor{
				{Name: "shorten", Signature: &program.Signature{Inputs: []types.Field{field("question", types.String)}, Outputs: []types.Field{field("short", types.String)}}},
				{Name: "sort.predict", Signature: &program.Signature{
					Instructions: "Sort the question.", Inputs: []types.Field{field("short", types.String)},
					Outputs: []types.Field{field("reasoning", types.String), field("queue", sortType)},
				}},
			},
		},
		Run: s.run, Score: s.score, Generate: s.generate,
		Progress: func(p python.OptimizeProgress) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if p.Evaluated != nil {
				s.evals = append(s.evals, p.Evaluated)
			} else {
				s.messages = append(s.messages, p.Message)
			}
		},
	}
	return s
}

// run is the program: with each demo more questions are sorted as they should be.
func (s *sorter) run(_ context.Context, r *python.OptimizeRun) (*python.OptimizeRan, error) {
	q, _ := r.Inputs.Get("question")
	question := q.(string)
	knows := 1 + 2*len(r.Candidate.Predictors[1].Demos) // of five
	if strings.Contains(r.Candidate.Predictors[1].Instructions, "carefully") {
		knows++
	}
	var n int
	fmt.Sscanf(question, "question %d", &n)
	answer := "other"
	if n%5 < knows {
		answer = s.gold[question]
	}
	s.mu.Lock()
	s.seen = append(s.seen, r)
	s.runs[r.ID] = answer
	s.mu.Unlock()
	short := "q" + strings.TrimPrefix(question, "question ")
	return &python.OptimizeRan{Outputs: value.NewObject("queue", answer), Trace: []python.PredictorCall{
		{Predictor: "shorten", Inputs: value.NewObject("question", question), Outputs: value.NewObject("short", short)},
		{Predictor: "sort.predict", Inputs: value.NewObject("short", short), Outputs: value.NewObject("reasoning", "It says so.", "queue", answer)},
	}}, nil
}

func (s *sorter) score(_ context.Context, c *python.OptimizeScore) (*python.OptimizeScored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scored = append(s.scored, c)
	got, _ := c.Outputs.Get("queue")
	if s.runs[c.Run] != got {
		s.t.Errorf("run %d gave %q, and %v is scored", c.Run, s.runs[c.Run], got)
	}
	want, _ := c.Example.Get("queue")
	out := &python.OptimizeScored{}
	if got == want {
		out.Score = 1
	}
	if c.Predictor != "" {
		out.Feedback = fmt.Sprintf("It is %v: sort it carefully.", want)
	}
	return out, nil
}

// asksFor finds the fields that a message asks for.
var asksFor = regexp.MustCompile(`\[\[ ## (\w+) ## \]\]`)

// generate answers what proposers ask.
func (s *sorter) generate(_ context.Context, model string, req *lm.Request) (*lm.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := req.Messages[len(req.Messages)-1].Text()
	s.asked = append(s.asked, model+": "+text)
	_, wanted, _ := strings.Cut(text, "Respond with the corresponding output fields, starting with the field")
	var fields []string
	for _, m := range asksFor.FindAllStringSubmatch(wanted, -1) {
		if m[1] != "completed" {
			fields = append(fields, m[1], "Sort the question carefully.")
		}
	}
	reply := "```\nSort the question carefully.\n```" // GEPA asks for this
	if wanted != "" {
		reply = chat(fields...)
	}
	return &lm.Response{Text: reply, Finish: lm.FinishStop, Model: model}, nil
}

// optimize runs the request over a pool.
func (s *sorter) optimize() (*python.OptimizeResult, error) { return s.optimizeIn(s.t.Context()) }

func (s *sorter) optimizeIn(ctx context.Context) (*python.OptimizeResult, error) {
	s.t.Helper()
	if os.Getenv("DSPI_PYTHON") == "" {
		s.t.Fatal("DSPI_PYTHON names no Python: make venv, and DSPI_PYTHON=.venv/bin/python")
	}
	var lines []string
	var mu sync.Mutex
	p := python.NewPool(python.Options{Grace: 100 * time.Millisecond, Search: python.Search{Getenv: os.Getenv}, Log: func(l python.Line) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, l.Text)
	}})
	s.t.Cleanup(func() {
		if err := p.Close(); err != nil {
			s.t.Error(err)
		}
		if s.t.Failed() {
			s.t.Log(strings.Join(lines, "\n"))
		}
	})
	return p.Optimize(ctx, s.req)
}

// TestDSPyBootstrap: dspy.BootstrapFewShot makes demos of runs, and fills up with rows.
func TestDSPyBootstrap(t *testing.T) {
	s := newSorter(t, "dspy.BootstrapFewShot", value.NewObject("max_bootstrapped_demos", 2, "max_labeled_demos", 4), 10, 0)
	got, err := s.optimize()
	if err != nil {
		t.Fatal(rendered(err))
	}
	if len(got.Best.Predictors) != 2 || got.Best.Predictors[0].Name != "shorten" || got.Best.Predictors[0].Instructions != "" ||
		got.Best.Predictors[1].Instructions != "Sort the question." {
		t.Fatalf("it gives %+v", got.Best)
	}
	// The teacher has labelled demos, and so knows more; the first that it gets right
	// are taken, and two rows beside them.
	for _, p := range got.Best.Predictors {
		var made, rows int
		for _, d := range p.Demos {
			if x, _ := d.Get("augmented"); x == true {
				made++
			} else {
				rows++
			}
		}
		if made != 2 || rows != 2 {
			t.Errorf("%s has %d demos that were made and %d rows", p.Name, made, rows)
		}
	}
	if d := string(value.EncodeJSON(got.Best.Predictors[1].Demos[0])); d != `{"augmented":true,"short":"q0","reasoning":"It says so.","queue":"card"}` {
		t.Errorf("the first demo is %s", d)
	}
	if got.Runs != len(s.seen) || got.Runs < 2 {
		t.Errorf("%d runs, of which %d are known", got.Runs, len(s.seen))
	}
	for i, r := range s.seen {
		if r.Row != i || len(r.Candidate.Predictors[1].Demos) == 0 {
			t.Errorf("run %d is of row %d, with %d demos", i, r.Row, len(r.Candidate.Predictors[1].Demos))
		}
		if !s.scored[i].Bootstrap || s.scored[i].Row != i {
			t.Errorf("score %d is asked with %+v", i, s.scored[i])
		}
	}
}

// TestDSPyMIPRO: dspy.MIPROv2 has a model propose instructions, and searches.
func TestDSPyMIPRO(t *testing.T) {
	s := newSorter(t, "dspy.MIPROv2", value.NewObject(
		"auto", nil, "num_candidates", 3, "num_trials", 4, "max_bootstrapped_demos", 1, "max_labeled_demos", 1, "minibatch", false, "prompt_model", "test/prompter"), 10, 10)
	s.req.Models = []string{"test/prompter"}
	got, err := s.optimize()
	if err != nil {
		t.Fatal(rendered(err))
	}
	if len(s.evals) < 5 {
		t.Fatalf("%d evaluations are reported", len(s.evals))
	}
	best := slices.MaxFunc(s.evals, func(a, b *python.Evaluated) int {
		switch {
		case a.Score < b.Score:
			return -1
		case a.Score > b.Score:
			return 1
		}
		return 0
	})
	if got.Score == nil || *got.Score != 100*best.Score || best.Rows != 10 || !best.Full || best.Score <= s.evals[0].Score {
		t.Errorf("the best is %+v, reported as %v; the start had %v", best, got.Score, s.evals[0].Score)
	}
	if got.Best.ID != best.Candidate.ID {
		t.Errorf("it gives another candidate than the best that was evaluated")
	}
	if len(got.Best.Predictors[1].Demos) == 0 && !strings.Contains(got.Best.Predictors[1].Instructions, "carefully") {
		t.Errorf("it gives %+v", got.Best.Predictors[1])
	}
	whole := strings.Join(s.asked, "\n")
	for _, want := range []string{"chain_of_thought sort {}", "test/prompter: ", "question 1", "proposed_instruction"} {
		if !strings.Contains(whole, want) {
			t.Errorf("the proposer is not shown %q", want)
		}
	}
	if !slices.ContainsFunc(s.messages, func(m string) bool { return strings.Contains(m, "STEP 2: PROPOSE INSTRUCTION CANDIDATES") }) {
		t.Errorf("the log is %q", s.messages)
	}
	steps := map[bool]int{}
	for _, c := range s.scored {
		steps[c.Bootstrap]++
		if c.Row < 0 {
			t.Errorf("an example of no row is scored: %s", value.EncodeJSON(c.Example))
		}
	}
	if steps[true] == 0 || steps[false] != 10*len(s.evals) {
		t.Errorf("scores were asked so: %v", maps.Collect(maps.All(steps)))
	}
}

// TestDSPyOthers: the other optimizers of DSPy's find what they need.
func TestDSPyOthers(t *testing.T) {
	for class, arguments := range map[string]*value.Object{
		"dspy.LabeledFewShot":                   value.NewObject("k", 3),
		"dspy.BootstrapFewShotWithRandomSearch": value.NewObject("max_bootstrapped_demos", 1, "max_labeled_demos", 1, "num_candidate_programs", 1),
		"dspy.COPRO":                            value.NewObject("breadth", 2, "depth", 1),
		"dspy.SIMBA":                            value.NewObject("bsize", 4, "num_candidates", 2, "max_steps", 1, "max_demos", 1),
		"dspy.GEPA":                             value.NewObject("max_metric_calls", 30, "reflection_minibatch_size", 2),
		"dspy.teleprompt.InferRules":            value.NewObject("num_candidates", 1, "num_rules", 2, "max_bootstrapped_demos", 1, "max_labeled_demos", 1),
		"dspy.teleprompt:BootstrapFewShot":      nil,
	} {
		t.Run(class, func(t *testing.T) {
			s := newSorter(t, class, arguments, 8, 4)
			got, err := s.optimize()
			if err != nil {
				t.Fatal(rendered(err))
			}
			if len(got.Best.Predictors) != 2 {
				t.Errorf("it gives %+v", got.Best)
			}
			t.Logf("%d runs, %d scores, %d questions, %d evaluations", got.Runs, len(s.scored), len(s.asked), len(s.evals))
		})
	}
}

// TestDSPyOptimizeFaults: what is wrong is said, and what fails here ends it as it is.
func TestDSPyOptimizeFaults(t *testing.T) {
	stop := &lm.Error{Kind: lm.KindBudget, Message: "no money is left"}
	for _, c := range []struct {
		name, class string
		arguments   *value.Object
		change      func(*sorter)
		says        []string
	}{
		{"no class", "dspy.MIPROv3", nil, nil, []string{"E0651", "did you mean `dspy.MIPROv2`"}},
		{"no optimizer", "dspy.Predict", nil, nil, []string{"E0651", "no class with a method `compile`"}},
		{"no argument", "dspy.BootstrapFewShot", value.NewObject("max_demos", 3), nil, []string{"E0651", "takes no `max_demos`", "max_labeled_demos"}},
		{"the metric", "dspy.BootstrapFewShot", value.NewObject("metric", "x"), nil, []string{"E0651", "dspi gives it"}},
		{"bad value", "dspy.MIPROv2", value.NewObject("auto", "most"), nil, []string{"E0651", "Invalid value for auto: most"}},
		{"another program", "dspy.Ensemble", nil, nil, []string{"E0652", "no predictor `shorten`"}},
		{"budget", "dspy.BootstrapFewShot", nil, func(s *sorter) {
			s.req.Run = func(context.Context, *python.OptimizeRun) (*python.OptimizeRan, error) { return nil, stop }
		}, []string{"no money is left"}},
		{"budget in threads", "dspy.BootstrapFewShotWithRandomSearch", value.NewObject("num_candidate_programs", 1), func(s *sorter) {
			s.req.Score = func(context.Context, *python.OptimizeScore) (*python.OptimizeScored, error) { return nil, stop }
		}, []string{"no money is left"}},
		{"runs that fail", "dspy.BootstrapFewShot", value.NewObject("max_errors", 2), func(s *sorter) {
			s.req.Run = func(context.Context, *python.OptimizeRun) (*python.OptimizeRan, error) {
				return nil, errors.New("no such city")
			}
		}, []string{"no such city"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSorter(t, c.class, c.arguments, 6, 4)
			if c.change != nil {
				c.change(s)
			}
			_, err := s.optimize()
			if err == nil {
				t.Fatal("it works")
			}
			text := rendered(err)
			for _, want := range c.says {
				if !strings.Contains(text, want) {
					t.Errorf("it does not say %q:\n%s", want, text)
				}
			}
		})
	}
}

// ownOptimizer is an optimizer as anybody may write one.
const ownOptimizer = `import os
import time


class Own:
    def __init__(self, metric, how="works"):
        self.metric, self.how = metric, how

    def compile(self, student, trainset, valset, words="Sort."):
        if self.how == "ends":
            os._exit(3)
        if self.how == "hangs":
            time.sleep(1000)
        if self.how == "asks again":
            try:
                self.metric(valset[0], student(**valset[0].inputs()))
            except BaseException:
                pass
        made = student.deepcopy()
        for name, p in made.named_predictors():
            p.signature = p.signature.with_instructions(words + " " + name)
        while True:
            made.score = sum(self.metric(e, made(**e.inputs())) for e in valset)
            if self.how == "works":
                return made
`

// TestDSPyOwnOptimizer: a class of one's own is an optimizer, too; one that ends the
// process or hangs is named, and one that nobody waits for ends.
func TestDSPyOwnOptimizer(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "own.py"), []byte(ownOptimizer), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ how, want string }{
		{"works", ""}, {"ends", "E0653"}, {"hangs", "E0654"}, {"goes on", context.Canceled.Error()},
		{"asks again", "no money is left"}, // each of its threads is told why, not the first alone
	} {
		t.Run(c.how, func(t *testing.T) {
			s := newSorter(t, "own:Own", value.NewObject("how", c.how, "words", "Carefully sort."), 2, 5)
			s.req.Folder = folder
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			switch c.how {
			case "hangs":
				s.req.Timeout = 300 * time.Millisecond
			case "asks again":
				s.req.Score = func(context.Context, *python.OptimizeScore) (*python.OptimizeScored, error) {
					return nil, &lm.Error{Kind: lm.KindBudget, Message: "no money is left"}
				}
			case "goes on":
				s.req.Run = func(ctx context.Context, r *python.OptimizeRun) (*python.OptimizeRan, error) {
					if r.ID == 20 {
						cancel()
					}
					return s.run(ctx, r)
				}
			}
			got, err := s.optimizeIn(ctx)
			if c.want != "" {
				if err == nil || !strings.Contains(rendered(err), c.want) {
					t.Errorf("it ends with %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(rendered(err))
			}
			if p := got.Best.Predictors[1]; p.Instructions != "Carefully sort. sort.predict" || got.Runs != 5 || got.Score == nil || *got.Score != 1 {
				t.Errorf("it gives %+v after %d runs", p, got.Runs)
			}
		})
	}
}
