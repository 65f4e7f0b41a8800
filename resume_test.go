package dspi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/stdlib/stores/sqlite"
)

const refunds = `
tool refund {
  description = "Pays money back."
  order: string, amount: int -> receipt: string
  outputs { receipt = "paid " + order }
  approve = %s
}

program support {
  questions: list[string] -> answers: list[string]
  react agent {
    question: string -> answer: string
    tools    = [tool.refund]
    for_each = questions
    inputs { question = each.value }
  }
  outputs { answers = agent.answer }
}
`

// clerk is a model that pays back what a question asks for, and then tells what the
// tool said. It counts what it was asked.
type clerk struct {
	*lmtest.Recorder
	mu    sync.Mutex
	asked []string
	fail  bool // it has no second answer
}

func newClerk() *clerk {
	c := &clerk{}
	c.Recorder = lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
		last := req.Messages[len(req.Messages)-1]
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked = append(c.asked, last.Text())
		if last.Role != lm.ToolRole {
			var order string
			var amount int
			_, rest, _ := strings.Cut(last.Text(), "refund ")
			fmt.Sscanf(rest, "%s %d", &order, &amount)
			reply := lmtest.Text(req, "")
			reply.Finish = lm.FinishTools
			reply.ToolCalls = []lm.ToolCall{{ID: "1", Name: "refund", Arguments: json.RawMessage(fmt.Sprintf(`{"order": %q, "amount": %d}`, order, amount))}}
			return reply, nil
		}
		if c.fail {
			return nil, &lm.Error{Kind: lm.KindAuth, Model: "test/clerk", Message: "no"}
		}
		said, _ := json.Marshal(map[string]string{"answer": last.Text()})
		reply := lmtest.Text(req, "")
		reply.Finish = lm.FinishTools
		reply.ToolCalls = []lm.ToolCall{{ID: "2", Name: "finish", Arguments: said}}
		return reply, nil
	})
	return c
}

// desk runs the program of refunds over a store, each time with a new Runtime, as a
// new process would.
type desk struct {
	t     *testing.T
	path  string
	plan  *plan.Plan
	clerk *clerk

	mu     sync.Mutex
	events []trace.Event
}

func newDesk(t *testing.T, approve string) *desk {
	return &desk{t: t, path: filepath.Join(t.TempDir(), "runs.db"), plan: planText(t, fmt.Sprintf(refunds, approve)), clerk: newClerk()}
}

// run runs or resumes the program.
func (d *desk) run(leg dspi.Leg, approve interpreter.Approver, questions ...any) (*dspi.Result, error) {
	d.t.Helper()
	store, err := sqlite.Open(d.path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer store.Close()
	about := dspi.About(d.plan)
	about.Origin = &history.Origin{}
	recorder := history.NewRecorder(store, about)
	defer recorder.Close()
	runtime := dspi.NewRuntime(dspi.Options{
		Journal: dspi.JournalOf(store, recorder), Approve: approve, JournalFailed: func(err error) { d.t.Error(err) },
		Trace: func(e trace.Event) {
			recorder.See(e)
			d.mu.Lock()
			defer d.mu.Unlock()
			d.events = append(d.events, e)
		},
	})
	defer runtime.Close()
	for _, op := range d.plan.Ops {
		if op.Model != nil {
			runtime.Use(op.Model, d.clerk)
		}
	}
	return runtime.RunAs(d.t.Context(), d.plan, leg, map[string]any{"questions": questions})
}

// stored returns the history of a run, and how many entries the journal has of it.
func (d *desk) stored(id string) (*history.Whole, int) {
	d.t.Helper()
	store, err := sqlite.Open(d.path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer store.Close()
	run, err := store.Run(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	n, err := store.Journal().Count(d.t.Context(), run.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return run, n
}

// says is an Approver with one answer, which counts the questions.
func says(answer interpreter.Answer, asked *[]dspi.Approval) interpreter.Approver {
	var mu sync.Mutex
	return func(_ context.Context, a dspi.Approval) (interpreter.Answer, error) {
		mu.Lock()
		defer mu.Unlock()
		*asked = append(*asked, a)
		return answer, nil
	}
}

func answersOf(res *dspi.Result) string {
	v, _ := res.Outputs.Get("answers")
	return fmt.Sprint(v)
}

// TestApprove: who is asked about what, and what the model hears.
func TestApprove(t *testing.T) {
	for _, c := range []struct {
		approve string
		amount  int
		answer  interpreter.Answer
		asked   int
		heard   string
	}{
		{`"never"`, 900, dspi.Denied, 0, "paid A"},
		{`"always"`, 1, dspi.Allowed, 1, "paid A"},
		{`"always"`, 1, dspi.Denied, 1, "a person did not allow this call"},
		{`amount > 100`, 100, dspi.Denied, 0, "paid A"},
		{`amount > 100`, 101, dspi.Denied, 1, "a person did not allow this call"},
		{`inputs.amount > 100 and order == "A"`, 101, dspi.Allowed, 1, "paid A"},
		{`amount % (amount - 7) == 0`, 7, dspi.Allowed, 1, "paid A"}, // what cannot be evaluated asks
	} {
		d := newDesk(t, c.approve)
		var asked []dspi.Approval
		res, err := d.run(dspi.Leg{}, says(c.answer, &asked), fmt.Sprint("refund A ", c.amount))
		if err != nil {
			t.Fatalf("%s: %v", c.approve, err)
		}
		if len(asked) != c.asked || !strings.Contains(answersOf(res), c.heard) {
			t.Errorf("%s of %d: asked %v, the model heard %s", c.approve, c.amount, asked, answersOf(res))
		}
		if c.asked > 0 && (asked[0].Tool != "refund" || asked[0].Path != "agent[0]" || asked[0].Run != res.Run || len(asked[0].Key) != 8) {
			t.Errorf("the question is %+v", asked[0])
		}
		if _, n := d.stored(res.Run); n != 0 {
			t.Errorf("%d entries are left of a run that ended well", n)
		}
	}
}

// TestPause: without an answer the run pauses, what runs beside it ends, and an
// answer in a new Runtime goes on without a call made twice.
func TestPause(t *testing.T) {
	for _, answer := range []interpreter.Answer{dspi.Allowed, dspi.Denied} {
		d := newDesk(t, "amount > 100")
		questions := []any{"refund A 5", "refund B 500", "refund C 7", "refund D 700"}
		res, err := d.run(dspi.Leg{}, nil, questions...)
		var waits *tool.Paused
		var fault *diag.Diagnostic
		var paused *interpreter.PausedError
		if !errors.As(err, &waits) || !errors.As(err, &fault) || !errors.As(err, &paused) || fault.Code != "E0635" || len(paused.Waiting) != 2 {
			t.Fatalf("the run ends with %#v", err)
		}
		for _, part := range []string{`refund(order = "B", amount = 500)`, `refund(order = "D", amount = 700)`, waits.Key, "agent[1]"} {
			if !strings.Contains(fault.Detail, part) {
				t.Errorf("no %q in\n%s", part, fault.Detail)
			}
		}
		if help := strings.Join(fault.Help, "\n"); !strings.Contains(help, "dspi run --resume "+res.Run+" --approve "+waits.Key) || !strings.Contains(help, "--deny") {
			t.Errorf("the ways out are\n%s", help)
		}
		if n := len(d.clerk.asked); n != 6 {
			t.Errorf("the model was asked %d times before the pause", n)
		}
		events := 0
		for _, e := range d.events {
			if e.Kind == trace.Approval && e.Tool == "refund" && tool.IsPaused(e.Err) {
				events++
			}
		}
		run, n := d.stored(res.Run)
		if events != 2 || run.Status != history.Paused || !run.Resumable() || n != 6 {
			t.Errorf("%d events, status %s, %d replies in the journal", events, run.Status, n)
		}

		// Another pause says the same, and asks the model nothing.
		_, again := d.run(dspi.Leg{Run: res.Run, Resume: true}, nil, questions...)
		if again == nil || again.Error() != err.Error() || len(d.clerk.asked) != 6 {
			t.Errorf("resumed without an answer: %v, %d requests", again, len(d.clerk.asked))
		}

		// The answer is kept although the run fails after it.
		d.clerk.fail = true
		var asked []dspi.Approval
		if _, err := d.run(dspi.Leg{Run: res.Run, Resume: true}, says(answer, &asked), questions...); err == nil || tool.IsPaused(err) {
			t.Fatalf("a model that fails gives %v", err)
		}
		d.clerk.fail = false
		before := len(asked)
		res, err = d.run(dspi.Leg{Run: res.Run, Resume: true}, says(answer, &asked), questions...)
		if err != nil {
			t.Fatal(err)
		}
		if before == 0 || len(asked) != 2 || asked[0].Key == asked[1].Key || !slices.ContainsFunc(asked, func(a dspi.Approval) bool { return a.Key == waits.Key }) {
			t.Errorf("asked %d, then %v", before, asked)
		}
		want := "[paid A paid B paid C paid D]"
		if answer == dspi.Denied {
			want = "did not allow this call"
		}
		if got := answersOf(res); !strings.Contains(got, strings.Trim(want, "[]")) && strings.Count(got, want) != 2 {
			t.Errorf("the answers are %s", got)
		}
		if res.Usage.Journaled != 6 || res.Usage.Calls != 2 {
			t.Errorf("%d replies from the journal, %d calls", res.Usage.Journaled, res.Usage.Calls)
		}
		if run, n := d.stored(res.Run); n != 0 || run.Status != history.OK || run.Usage.Calls != 8 || run.Usage.Journaled != 6 || len(run.Calls) != 8 {
			t.Errorf("at the end: %d entries, %s, %+v, %d calls", n, run.Status, run.Usage, len(run.Calls))
		}
	}
}

// TestResumeInMemory: a program in Go resumes its own runs; another program finds
// what it asks in the same words.
func TestResumeInMemory(t *testing.T) {
	text := func(second string) string {
		return `program p {
  q: string -> answer: string
  predict first { q -> draft }
  predict second {
    draft -> answer
    instructions = "` + second + `"
    inputs { draft = first.draft }
  }
}`
	}
	kept := &journal.Memory{}
	calls := 0
	broken := true
	model := lmtest.Func(func(_ context.Context, n int, req *lm.Request) (*lm.Response, error) {
		if broken && n == 2 {
			return nil, &lm.Error{Kind: lm.KindAuth, Model: "test/scripted", Message: "no"}
		}
		calls++
		name := "answer"
		if strings.Contains(req.Messages[0].Text(), "`draft` (str)\nAll") || strings.Contains(req.Messages[0].Text(), "1. `draft` (str):") && strings.Contains(req.Messages[0].Text(), "1. `q` (str)") {
			name = "draft"
		}
		return lmtest.Text(req, "[[ ## "+name+" ## ]]\nreply "+fmt.Sprint(calls)+"\n\n[[ ## completed ## ]]"), nil
	})
	runtime := dspi.NewRuntime(dspi.Options{Journal: kept})
	use := func(p *plan.Plan) *plan.Plan {
		for _, op := range p.Ops {
			runtime.Use(op.Model, model)
		}
		return p
	}
	res, err := runtime.Run(t.Context(), use(planText(t, text("Answer."))), map[string]any{"q": "x"})
	if err == nil {
		t.Fatal("the second step did not fail")
	}
	broken = false
	changed := use(planText(t, text("Answer at length.")))
	res, err = runtime.Resume(t.Context(), changed, res.Run, map[string]any{"q": "x"})
	if err != nil {
		t.Fatal(err)
	}
	if res.Usage.Journaled != 1 || res.Usage.Calls != 1 || calls != 2 {
		t.Errorf("%+v with %d replies", res.Usage, calls)
	}
	if n, _ := kept.Count(t.Context(), res.Run); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}
