package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// optimizing is a request for a program of one predictor.
func optimizing() *OptimizeRequest {
	kind := &types.Enum{Name: "Kind", Members: []types.Member{{Name: "lost_card", Shown: "lost card"}}}
	sig := func(extra ...types.Field) *program.Signature {
		return &program.Signature{
			Inputs:  []types.Field{{Name: "mail", Type: types.String}},
			Outputs: append(extra, types.Field{Name: "kind", Type: kind}),
		}
	}
	return &OptimizeRequest{
		Class: "dspy.MIPROv2", Model: "m",
		Program: OptimizeProgram{
			Name: "main", Signature: sig(),
			Predictors: []Predictor{{Name: "sort.predict", Signature: sig(types.Field{Name: "reasoning", Type: types.String})}},
		},
		Train: []*value.Object{value.NewObject("mail", "gone", "kind", "lost_card")},
		Val:   []*value.Object{value.NewObject("mail", "away", "kind", "lost_card")},
	}
}

const defaults = "Given the fields `mail`, produce the fields `reasoning`, `kind`."

func candidateText(instructions, demos string) string {
	text, _ := json.Marshal(instructions)
	return `[{"name":"sort.predict","instructions":` + string(text) + `,"demos":[` + demos + `]}]`
}

// TestOptimizeRun: what the optimizer wants to be run comes in dspi's values, and what
// came of it goes back in Python's.
func TestOptimizeRun(t *testing.T) {
	var got *OptimizeRun
	req := optimizing()
	req.Run = func(_ context.Context, r *OptimizeRun) (*OptimizeRan, error) {
		got = r
		return &OptimizeRan{Outputs: value.NewObject("kind", "lost_card"), Trace: []PredictorCall{
			{"sort.predict", value.NewObject("mail", "gone"), value.NewObject("reasoning", "r", "kind", "lost_card")},
		}}, nil
	}
	h := &optimizeHost{req: req, ctx: t.Context()}
	args := `{"row":0,"inputs":{"mail":"gone"},"rollout":3,"temperature":1,"predictors":` + candidateText(defaults, `{"augmented":true,"mail":"x","kind":"lost card","id":7}`) + `}`
	result, err := h.ask(t.Context(), "run", json.RawMessage(args))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"run":1,"outputs":{"kind":"lost card"},"trace":[{"predictor":"sort.predict","inputs":{"mail":"gone"},"outputs":{"reasoning":"r","kind":"lost card"}}]}`; string(result) != want {
		t.Errorf("it answers\n%s, want\n%s", result, want)
	}
	tuned := got.Candidate.Predictors[0]
	if got.ID != 1 || got.Row != 0 || got.Rollout != 3 || *got.Temperature != 1 || tuned.Instructions != "" ||
		string(value.EncodeJSON(tuned.Demos[0])) != `{"augmented":true,"mail":"x","kind":"lost_card","id":7}` {
		t.Errorf("it runs %+v with %+v", got, tuned)
	}
	first := got.Candidate
	if _, err := h.ask(t.Context(), "run", json.RawMessage(strings.Replace(args, `"row":0`, `"row":9`, 1))); err != nil {
		t.Fatal(err)
	}
	if got.Candidate != first || got.Row != -1 || got.ID != 2 {
		t.Errorf("the second run is %+v", got)
	}
	if _, err := h.ask(t.Context(), "run", json.RawMessage(strings.Replace(args, defaults, "Be quick.", 1))); err != nil {
		t.Fatal(err)
	}
	if got.Candidate.ID == first.ID || got.Candidate.Predictors[0].Instructions != "Be quick." {
		t.Errorf("the third run is %+v", got.Candidate)
	}
}

// TestOptimizeScore: rows are numbered through both sets; what is of no row comes along.
func TestOptimizeScore(t *testing.T) {
	var got *OptimizeScore
	req := optimizing()
	req.Score = func(_ context.Context, s *OptimizeScore) (*OptimizeScored, error) {
		got = s
		return &OptimizeScored{0.5, "nearly"}, nil
	}
	h := &optimizeHost{req: req, ctx: t.Context()}
	for _, c := range []struct{ args, example string }{
		{`{"row":0,"run":4,"outputs":{"kind":"lost card"},"bootstrap":true}`, `{"mail":"gone","kind":"lost_card"}`},
		{`{"row":1,"run":4,"outputs":{"kind":"lost card"},"predictor":"sort.predict"}`, `{"mail":"away","kind":"lost_card"}`},
		{`{"row":-1,"run":0,"outputs":{"kind":"lost card"},"example":{"mail":"new","kind":"lost card"}}`, `{"mail":"new","kind":"lost_card"}`},
	} {
		result, err := h.ask(t.Context(), "score", json.RawMessage(c.args))
		if err != nil || string(result) != `{"score":0.5,"feedback":"nearly"}` {
			t.Fatalf("it answers %s, %v", result, err)
		}
		if string(value.EncodeJSON(got.Example)) != c.example || string(value.EncodeJSON(got.Outputs)) != `{"kind":"lost_card"}` {
			t.Errorf("%s scores %s of %s", c.args, value.EncodeJSON(got.Outputs), value.EncodeJSON(got.Example))
		}
	}
}

// TestOptimizeErrors: an error of the host comes back as it was, and one that ends the
// run is told as such.
func TestOptimizeErrors(t *testing.T) {
	over := &lm.Error{Kind: lm.KindBudget, Message: "no money is left"}
	req := optimizing()
	req.Generate = func(context.Context, string, *lm.Request) (*lm.Response, error) { return nil, over }
	req.Run = func(context.Context, *OptimizeRun) (*OptimizeRan, error) {
		return &OptimizeRan{Outputs: &value.Object{}, Trace: []PredictorCall{{Predictor: "other"}}}, nil
	}
	h := &optimizeHost{req: req, ctx: t.Context()}
	_, err := h.ask(t.Context(), "lm", json.RawMessage(`{"messages":[{"role":"user","content":"x"}],"params":{}}`))
	var remote *RemoteError
	if !errors.As(err, &remote) || remote.Kind != "ended" {
		t.Fatalf("Python is told %v", err)
	}
	if back := h.fault(t.Context(), &RemoteError{Kind: "host", Number: remote.Number}); back != error(over) {
		t.Errorf("it ends with %v", back)
	}
	for _, c := range []struct{ command, args, says string }{
		{"run", `{"row":0,"inputs":{"mail":"x"},"predictors":` + candidateText("", "") + `}`, "no predictor `other`"},
		{"run", `{"row":0,"inputs":{"mail":"x"},"predictors":[]}`, "other predictors"},
		{"run", `{"row":0,"predictors":[]}`, "inputs"},
		{"run", `[]`, "cannot be read"},
		{"score", `{"row":0}`, "outputs"},
		{"guess", `{}`, "not known here"},
	} {
		if _, err := h.ask(t.Context(), c.command, json.RawMessage(c.args)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %s: %v", c.command, c.args, err)
		}
	}
}

// TestOptimizeAgain: what another worker asks again has the answer that it had, also
// while that is still worked on; what it reports again is not told.
func TestOptimizeAgain(t *testing.T) {
	req := optimizing()
	var asked, told []string
	wait := make(chan struct{})
	req.Generate = func(ctx context.Context, _ string, r *lm.Request) (*lm.Response, error) {
		text := r.Messages[0].Text()
		asked = append(asked, text)
		if text == "slow" {
			<-wait
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		return &lm.Response{Text: fmt.Sprint("reply ", len(asked))}, nil
	}
	req.Progress = func(p OptimizeProgress) { told = append(told, p.Message) }
	h := &optimizeHost{req: req, ctx: t.Context()}
	ask := func(ctx context.Context, text string) string {
		reply, err := h.ask(ctx, "lm", json.RawMessage(`{"messages":[{"role":"user","content":"`+text+`"}],"params":{}}`))
		if err != nil {
			t.Error(err)
		}
		var got struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(reply, &got); err != nil {
			t.Error(err)
		}
		return got.Text
	}
	say := func(text string) { h.partial(json.RawMessage(`{"message":"` + text + `"}`)) }
	first, die := context.WithCancelCause(t.Context())
	got := []string{ask(first, "a"), ask(first, "b"), ask(first, "a")}
	say("one")
	say("two")
	say("two")
	slow := make(chan string)
	go func() { slow <- ask(first, "slow") }()
	for h.memory.known() < 4 { // the question is on its way
		runtime.Gosched()
	}
	die(&DiedError{How: "signal: killed"})
	h.memory.again()
	go func() { slow <- ask(t.Context(), "slow") }() // of the second worker
	got = append(got, ask(t.Context(), "b"), ask(t.Context(), "a"), ask(t.Context(), "a"))
	close(wait)
	got = append(got, <-slow, <-slow, ask(t.Context(), "a"))
	for _, text := range []string{"one", "two", "three", "two", "two"} {
		say(text)
	}
	if want := []string{"reply 1", "reply 2", "reply 3", "reply 2", "reply 1", "reply 3", "reply 4", "reply 4", "reply 5"}; !slices.Equal(got, want) {
		t.Errorf("the answers are %q, want %q", got, want)
	}
	if want := []string{"a", "b", "a", "slow", "a"}; !slices.Equal(asked, want) {
		t.Errorf("asked are %q, want %q", asked, want)
	}
	if want := []string{"one", "two", "two", "three", "two"}; !slices.Equal(told, want) {
		t.Errorf("told are %q, want %q", told, want)
	}
}

// known counts the answers, also those that are still worked on.
func (r *remembered) known() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, all := range r.answers {
		n += len(all)
	}
	return n
}

// TestOptimizeOutlive: what a worker asked goes on when it dies, and ends with its call
// in any other case, and with the optimization.
func TestOptimizeOutlive(t *testing.T) {
	for _, c := range []struct {
		name  string
		end   func(outer context.CancelFunc, call context.CancelCauseFunc)
		lives bool
	}{
		{"death", func(_ context.CancelFunc, call context.CancelCauseFunc) { call(&DiedError{How: "signal: killed"}) }, true},
		{"call", func(_ context.CancelFunc, call context.CancelCauseFunc) { call(nil) }, false},
		{"optimization", func(outer context.CancelFunc, _ context.CancelCauseFunc) { outer() }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outer, stop := context.WithCancel(t.Context())
				defer stop()
				call, end := context.WithCancelCause(context.Background())
				defer end(nil)
				ctx, cancel := outlive(outer, call)
				defer cancel()
				c.end(stop, end)
				synctest.Wait()
				if (ctx.Err() == nil) != c.lives {
					t.Errorf("it ends with %v", ctx.Err())
				}
			})
		})
	}
}
