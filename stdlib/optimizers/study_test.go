package optimizers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

// bench is the host of a study under test: a program written in Go, and a scripted
// model. Its methods are safe for use by many goroutines.
//
//	b := &bench{Answer: func(c, row, v) *optimize.Outcome { … }}
//	s := b.study(t, "labeled_few_shot", map[string]any{"k": 2}, signatures("question -> answer"), rows("train", …), nil)
//	found, err := labeledFewShot{}.Optimize(ctx, s)
//
// A program that asks a model as a real one does is made with b.chain.
type bench struct {
	// Answer is the program: one run on a row.
	Answer func(c *optimize.Candidate, row *optimize.Example, v optimize.Variation) *optimize.Outcome
	// Reply is the model, of the program (studied; taught where a teacher answers and
	// Teacher is set) and of the optimizer: the reply to messages. nil: hashed.
	Reply   func(role optimize.Role, req *lm.Request) (string, error)
	Teacher bool
	// Forbids says why a candidate cannot be run; nil: every one can.
	Forbids func(c *optimize.Candidate) error
	// Budget is how many runs and questions of the optimizer may be; 0: any number.
	Budget int
	// Before, if set, is called before each run with how many there were.
	Before func(run int)

	mu     sync.Mutex
	used   int
	runs   []ran
	asked  []*lm.Request // by the optimizer, of any role
	events []optimize.Event
	s      *optimize.Study
}

// ran is a run that a study asked for.
type ran struct {
	Candidate *optimize.Candidate
	Row       *optimize.Example
	Variation optimize.Variation
}

// The roles of the program's own model for bench.Reply.
const (
	studied optimize.Role = -1
	taught  optimize.Role = -2
)

// study returns a study of the bench that is ready. Its only objective is called
// score; all predictors may be tuned; one run is made at a time, and the seed is 0.
func (b *bench) study(t *testing.T, optimizer string, settings map[string]any, predictors []*optimize.Predictor, train, dev []*optimize.Example) *optimize.Study {
	t.Helper()
	var declared *universe.Optimizer
	for i := range universe.Optimizers {
		if universe.Optimizers[i].Name == optimizer {
			declared = &universe.Optimizers[i]
		}
	}
	if declared == nil {
		t.Fatalf("no optimizer is declared as %s", optimizer)
	}
	for name := range settings {
		if _, ok := declared.Block().Setting(name); !ok {
			t.Fatalf("%s has no setting %s", optimizer, name)
		}
	}
	start := &optimize.Candidate{Variables: map[string]any{}, Settings: map[string]any{}}
	space := &optimize.Space{}
	for i, p := range predictors {
		start.Steps = append(start.Steps, optimize.Tuning{Instructions: p.Signature.Instructions})
		space.Params = append(space.Params,
			&optimize.Param{Address: "program." + p.Path + ".demos", Kind: optimize.Demos, Predictor: i},
			&optimize.Param{Address: "program." + p.Path + ".instructions", Kind: optimize.Instructions, Predictor: i})
	}
	s := &optimize.Study{
		Program: &program.Program{Name: "program"}, Predictors: predictors, Space: space, Start: start, Train: train, Dev: dev,
		Objectives: []optimize.Objective{{Name: "score"}}, Settings: optimize.Settings{Declared: declared, Written: settings},
		Concurrency: 1, Stage: "1 " + optimizer, Runner: b,
		Watch: func(e optimize.Event) { b.events = append(b.events, e) },
	}
	b.s = s.Begin()
	return s
}

func (b *bench) spend() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Budget > 0 && b.used >= b.Budget {
		return optimize.ErrSpent
	}
	b.used++
	return nil
}

// Run is a method of optimize.Runner.
func (b *bench) Run(ctx context.Context, c *optimize.Candidate, row *optimize.Example, v optimize.Variation) (*optimize.Outcome, error) {
	b.mu.Lock()
	n := len(b.runs)
	b.mu.Unlock()
	if b.Before != nil {
		b.Before(n)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := b.spend(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	b.runs = append(b.runs, ran{c, row, v})
	b.mu.Unlock()
	return b.Answer(c, row, v), nil
}

// Check is a method of optimize.Runner.
func (b *bench) Check(c *optimize.Candidate) error {
	if b.Forbids == nil {
		return nil
	}
	return b.Forbids(c)
}

// Model is a method of optimize.Runner.
func (b *bench) Model(role optimize.Role) (optimize.Model, error) {
	return optimize.Model{LM: &benchModel{b, role}}, nil
}

// benchModel is the model that an optimizer asks.
type benchModel struct {
	bench *bench
	role  optimize.Role
}

func (m *benchModel) Address() string       { return "scripted/bench" }
func (m *benchModel) Features() lm.Features { return lm.Features{} }

func (m *benchModel) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, &lm.Error{Kind: lm.KindCanceled, Model: m.Address(), Err: err}
	}
	if err := m.bench.spend(); err != nil {
		return nil, &lm.Error{Kind: lm.KindBudget, Model: m.Address(), Message: "spent"}
	}
	m.bench.mu.Lock()
	m.bench.asked = append(m.bench.asked, req)
	m.bench.mu.Unlock()
	text, err := m.bench.reply(m.role, req)
	if err != nil {
		return nil, err
	}
	return &lm.Response{Text: text, Finish: lm.FinishStop, Model: "bench"}, nil
}

func (b *bench) reply(role optimize.Role, req *lm.Request) (string, error) {
	if b.Reply == nil {
		return hashed(req, 5), nil
	}
	return b.Reply(role, req)
}

// chain makes the program of the bench of its predictors, one after another: each is
// asked with the values of the row's inputs and of the outputs before it, in the chat
// form and with the demos and instructions of the candidate. The score is what metric
// says of the outputs of the last.
func (b *bench) chain(metric func(row *optimize.Example, outputs *value.Object) float64) {
	b.Answer = func(c *optimize.Candidate, row *optimize.Example, v optimize.Variation) *optimize.Outcome {
		o := &optimize.Outcome{Scores: []float64{0}}
		known := row.Inputs.Clone()
		for i, p := range b.s.Predictors {
			asked, err := b.ask(c, i, p.Signature, known, v)
			if err != nil {
				o.Err = err.Error()
				return o
			}
			o.Asked, o.Outputs = append(o.Asked, *asked), asked.Outputs
			for name, x := range asked.Outputs.All() {
				known.Set(name, x)
			}
			o.Calls++
		}
		o.Scores[0] = metric(row, o.Outputs)
		return o
	}
}

// ask asks the model of the program what predictor i asks.
func (b *bench) ask(c *optimize.Candidate, i int, declared *program.Signature, known *value.Object, v optimize.Variation) (*optimize.Asked, error) {
	sig := *declared
	if c.Steps[i].Instructions != "" {
		sig.Instructions = c.Steps[i].Instructions
	}
	if sig.Instructions == "" {
		sig.Instructions = sig.DefaultInstructions()
	}
	inputs := &value.Object{}
	for _, f := range sig.Inputs {
		if x, ok := known.Get(f.Name); ok {
			inputs.Set(f.Name, x)
		}
	}
	var demos []prompt.Demo
	for _, d := range c.Steps[i].Demos {
		demos = append(demos, d.Object)
	}
	chat, _ := prompt.Lookup("chat")
	req := &lm.Request{Messages: chat.Messages(&sig, demos, inputs), Rollout: v.Rollout}
	req.Temperature = v.Temperature
	role := studied
	if b.Teacher && v.Teacher {
		role = taught
	}
	text, err := b.reply(role, req)
	if err != nil {
		return nil, err
	}
	reading, misfit := align.Read(&sig, chat.Form(), text, align.Repairing)
	if misfit != nil {
		return nil, errors.New(misfit.Error())
	}
	return &optimize.Asked{Predictor: i, Inputs: inputs, Outputs: reading.Outputs}, nil
}

// hashed is a model whose reply is a function of the messages and the rollout: each
// output that the last message asks for gets one of n words, `w0` to `w(n-1)`. What
// testdata/script.py has under this name gives the same.
func hashed(req *lm.Request, n int) string {
	var text strings.Builder
	for _, m := range req.Messages {
		fmt.Fprintf(&text, "%s\n%s\n\n", m.Role, m.Text())
	}
	fmt.Fprintf(&text, "%d", req.Rollout)
	last := req.Messages[len(req.Messages)-1].Text()
	last = last[strings.LastIndex(last, "\n")+1:]
	var reply strings.Builder
	for _, f := range outputMarks().FindAllStringSubmatch(last, -1) {
		if f[1] == "completed" {
			continue
		}
		sum := sha256.Sum256([]byte(text.String() + "\n" + f[1]))
		fmt.Fprintf(&reply, "[[ ## %s ## ]]\nw%d\n\n", f[1], int(sum[0])%n)
	}
	return reply.String() + "[[ ## completed ## ]]"
}

var outputMarks = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\[\[ ## (\w+) ## \]\]`) })

// signatures makes predictors of signatures whose fields are texts: `question ->
// reasoning, answer`. They are called step1, step2 … and are `predict`; one whose
// first output is `reasoning` is `chain_of_thought`.
func signatures(texts ...string) []*optimize.Predictor {
	var out []*optimize.Predictor
	for i, text := range texts {
		in, outputs, _ := strings.Cut(text, "->")
		sig := &program.Signature{Inputs: textFields(in), Outputs: textFields(outputs)}
		sig.Instructions = sig.DefaultInstructions()
		name := fmt.Sprintf("step%d", i+1)
		p := &optimize.Predictor{Name: name, Path: name, Module: "predict", Signature: sig, Declared: sig, TuneDemos: true, TuneInstructions: true}
		if sig.Outputs[0].Name == "reasoning" {
			declared := *sig
			declared.Outputs = sig.Outputs[1:]
			sig.Instructions = declared.DefaultInstructions()
			declared.Instructions = sig.Instructions
			p.Module, p.Name, p.Declared = "chain_of_thought", name+".predict", &declared
		}
		out = append(out, p)
	}
	return out
}

func textFields(names string) []types.Field {
	var out []types.Field
	for name := range strings.SplitSeq(names, ",") {
		out = append(out, types.Field{Name: strings.TrimSpace(name), Type: types.String})
	}
	return out
}

// examples makes rows: each object is one, its input is `question`, all else is a
// label.
func examples(set string, values ...*value.Object) []*optimize.Example {
	return examplesOf(set, []string{"question"}, values...)
}

// examplesOf makes rows whose inputs are named.
func examplesOf(set string, inputs []string, values ...*value.Object) []*optimize.Example {
	var out []*optimize.Example
	for n, v := range values {
		row := &optimize.Example{Set: set, N: n, Values: v, Inputs: &value.Object{}, Labels: &value.Object{}}
		for name, x := range v.All() {
			to := row.Labels
			for _, in := range inputs {
				if in == name {
					to = row.Inputs
				}
			}
			to.Set(name, x)
		}
		out = append(out, row)
	}
	return out
}

// numbered makes n rows: `question 3` with the answer `w3`, of k answers in turn.
func numbered(set string, n, k int) []*optimize.Example {
	var values []*value.Object
	for i := range n {
		values = append(values, value.NewObject("question", fmt.Sprintf("%s question %d", set, i), "answer", fmt.Sprintf("w%d", i%k)))
	}
	return examples(set, values...)
}

// sameAnswer is a metric: 1 where the answer is the row's.
func sameAnswer(row *optimize.Example, outputs *value.Object) float64 {
	want, _ := row.Labels.Get("answer")
	if got, _ := outputs.Get("answer"); got == want {
		return 1
	}
	return 0
}

// shownDemos writes demos as JSON, one a line, with a mark for those that the program
// made.
func shownDemos(demos []optimize.Demo) string {
	var b strings.Builder
	for _, d := range demos {
		mark := " "
		if d.Augmented {
			mark = "*"
		}
		fmt.Fprintf(&b, "%s %s\n", mark, value.EncodeJSON(d.Object))
	}
	return b.String()
}

// digest is a short name for a candidate, to compare what two tunings gave.
func digest(candidates []*optimize.Candidate) string {
	h := sha256.New()
	for _, c := range candidates {
		h.Write([]byte(c.Key()))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// spentAnywhere runs an optimizer with every budget from 1 to all and reports where
// what is returned is not right: the error must be ErrSpent while something was left
// to do, and what was found no worse than the best full trial.
func spentAnywhere(t *testing.T, o optimize.Optimizer, make func() (*bench, *optimize.Study)) {
	t.Helper()
	b, s := make()
	if _, err := o.Optimize(t.Context(), s); err != nil {
		t.Fatalf("without a budget: %v", err)
	}
	all := b.used
	for budget := 1; budget < all; budget++ {
		b, s := make()
		b.Budget = budget
		found, err := o.Optimize(t.Context(), s)
		if !errors.Is(err, optimize.ErrSpent) {
			t.Fatalf("a budget of %d of %d: error %v, want ErrSpent", budget, all, err)
		}
		for _, c := range found {
			if c == nil || len(c.Steps) != len(s.Predictors) {
				t.Fatalf("a budget of %d: a candidate that is not whole", budget)
			}
		}
		if best := s.Best(); best != nil && len(found) > 0 {
			for _, trial := range s.Trials() {
				if trial.Full && trial.Set == best.Set && trial.Candidate.Key() == found[0].Key() && trial.Means[0] < best.Means[0] {
					t.Errorf("a budget of %d: %v was returned, and %v was known", budget, trial.Means[0], best.Means[0])
				}
			}
		}
	}
}
