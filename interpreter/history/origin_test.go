package history_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
)

// TestOrigin: how a run was begun is kept without secrets, and with the names of
// inputs that are not whole.
func TestOrigin(t *testing.T) {
	s := &history.Memory{}
	r := history.NewRecorder(s, history.About{
		Secrets: []string{"sk-planted-123"}, Hidden: map[string][]string{"program.p": {"word"}},
		Origin: &history.Origin{
			Model: "openai/x", Vars: map[string]json.RawMessage{"k": json.RawMessage("4"), "key": json.RawMessage(`"sk-planted-123"`)},
			Secrets: []string{"word"}, Files: map[string]string{"picture": "/pictures/sk-planted-123.png"}, Table: &history.Table{Path: "rows.csv"},
		},
	})
	inputs := value.NewObject("word", "abracadabra", "n", 4, "picture", value.NewObject("data", strings.Repeat("QUJD", 400), "media_type", "image/png"))
	for _, id := range []string{"abc", "abc-7"} {
		r.See(trace.Event{Kind: trace.RunStart, Run: id, Address: "program.p", Time: time.Now(), Inputs: inputs})
	}
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id, table := range map[string]bool{"abc": true, "abc-7": false} {
		run, err := s.Run(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		o := run.Origin
		text, _ := json.Marshal(o)
		if strings.Contains(string(text), "planted") || len(o.Vars) != 1 || strings.Join(o.Secrets, " ") != "key word" ||
			strings.Join(o.Unkept, " ") != "word picture" || (o.Table != nil) != table {
			t.Errorf("%s: %s", id, text)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestLegs: a run that waits and goes on has the steps and calls of its last leg, the
// time at which the first began, and the usage of all.
func TestLegs(t *testing.T) {
	s := &history.Memory{}
	r := history.NewRecorder(s, history.About{Origin: &history.Origin{}})
	began := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	leg := func(at time.Time, resumed bool, calls int, err error) {
		r.See(trace.Event{Kind: trace.RunStart, Run: "abc", Address: "program.p", Time: at, Resumed: resumed})
		r.See(trace.Event{Kind: trace.StepStart, Run: "abc", Address: "program.p.s", Step: 1, Time: at})
		for n := range calls {
			usd := 0.5
			r.See(trace.Event{Kind: trace.CallStart, Run: "abc", Address: "program.p.s", Step: 1, Call: n + 1, Time: at, Request: &lm.Request{}})
			reply := &lm.Response{Text: "x", Usage: lm.Usage{InputTokens: 10}, Cost: &usd, Journaled: resumed && n == 0}
			r.See(trace.Event{Kind: trace.CallEnd, Run: "abc", Step: 1, Call: n + 1, Reply: reply, Time: at})
		}
		r.See(trace.Event{Kind: trace.StepEnd, Run: "abc", Step: 1, Time: at, Err: err})
		r.See(trace.Event{Kind: trace.RunEnd, Run: "abc", Address: "program.p", Time: at.Add(time.Second), Err: err})
	}
	leg(began, false, 1, &tool.Paused{Tool: "refund"})
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if run, err := s.Run(t.Context(), "abc"); err != nil || run.Status != history.Paused || !run.Resumable() || run.Steps[0].Status != history.Paused {
		t.Errorf("after the first leg: %+v, %v", run, err)
	}
	leg(began.Add(time.Hour), true, 2, nil)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	run, err := s.Run(t.Context(), "abc")
	if err != nil || run.Status != history.OK || run.Error != nil || !run.Started.Equal(began) || len(run.Steps) != 1 || len(run.Calls) != 2 || !run.Calls[0].Reply.Journaled {
		t.Errorf("after the second leg: %+v, %v", run, err)
	}
	if u := run.Usage; u.Calls != 2 || u.Journaled != 1 || u.InputTokens != 20 || *u.USD != 1 {
		t.Errorf("it used %+v", u)
	}
}
