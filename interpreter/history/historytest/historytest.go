// Package historytest is the suite that every history.Store passes.
//
//	Exercise  all of it
//	Sample    a whole run with every kind of record in it
package historytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/value"
)

// began is when the first run of the suite began.
var began = time.Date(2026, 11, 21, 8, 0, 0, 123456000, time.UTC)

// Sample returns a run that ended, began at a time, with a step that failed, calls
// of every form and all that can be said of them.
func Sample(id string, at time.Time) *history.Whole {
	ended := at.Add(3 * time.Second)
	temperature, usd, element := 0.5, 0.0012, 2
	return &history.Whole{
		Run: history.Run{
			ID: id, Program: "program.rag", File: "rag.dsp", Version: "v1",
			Models: []history.Model{{Address: "openai/gpt-4o-mini", Provider: "openai", ID: "gpt-4o-mini", Source: "--model", KeyName: "OPENAI_API_KEY"}},
			Status: history.Failed, Started: at, Ended: &ended,
			Inputs: json.RawMessage(`{"question":"<b>&"}`), Outputs: json.RawMessage("null"),
			Error: &history.Failure{Code: "E0601", Title: "reply does not fit", Text: "two\nlines", Report: json.RawMessage(`{"code":"E0601"}`)},
			Usage: history.Usage{Calls: 2, InputTokens: 30, OutputTokens: 5, Cached: 1, USD: &usd},
		},
		Steps: []history.Step{
			{Run: id, Number: 1, Address: "program.rag.find", Status: history.OK, Started: at.Add(time.Millisecond), Duration: time.Second,
				Inputs: json.RawMessage(`{"q":"x"}`), Outputs: json.RawMessage(`{"passages":["a","b"]}`)},
			{Run: id, Number: 2, Address: "program.rag.answer", Element: &element, Status: history.Failed, Started: at.Add(time.Second), Duration: 2 * time.Second,
				Inputs: json.RawMessage(`{}`), Outputs: json.RawMessage("null"), Error: &history.Failure{Text: "no"},
				Path: "rag/answer[3]", Parent: 1,
				Tools: []history.ToolCall{
					{Number: 7, Tool: "look", Started: at.Add(time.Second), Duration: time.Millisecond, Inputs: json.RawMessage(`{"a":1}`), Outputs: json.RawMessage(`{"b":2}`),
						Repairs: []value.Repair{{Loc: []any{"a"}, Type: "number_text", Msg: "a text"}}},
					{Number: 8, Tool: "look", Started: at.Add(time.Second), Inputs: json.RawMessage(`{}`), Outputs: json.RawMessage("null"), Error: &history.Failure{Text: "no such thing"}},
				},
				Asserted: []history.Asserted{{Name: "brief", Message: "too long"}, {Name: "brief", Message: "too long", Suggest: true, Final: true}}},
		},
		Calls: []history.Call{
			{Run: id, Number: 1, Step: 1, Address: "program.rag.find", Model: "openai/gpt-4o-mini", Started: at.Add(2 * time.Millisecond), Duration: 900 * time.Millisecond,
				Request: history.Request{
					Messages: []history.Message{
						{Role: lm.System, Content: "Be brief."},
						{Role: lm.User, Parts: []history.Part{{Text: "what is this?"}, {Media: &history.Media{Kind: lm.Image, Type: "image/png", Size: 7, SHA256: "ab"}}}},
					},
					Params: lm.Params{Temperature: &temperature}, Tools: []lm.Tool{{Name: "look", Parameters: json.RawMessage(`{"type":"object"}`)}}, ToolChoice: "auto",
					Format: &lm.Format{Name: "x", Schema: json.RawMessage(`{}`)}, Rollout: 3,
				},
				Reply: &history.Reply{
					Text: "a\nb", Reasoning: "hm", ToolCalls: []lm.ToolCall{{ID: "1", Name: "look", Arguments: json.RawMessage(`{"a":1}`)}}, Finish: lm.FinishStop,
					Usage: lm.Usage{InputTokens: 30, OutputTokens: 5, CachedTokens: 2, ReasoningTokens: 1}, Cost: &usd, Answered: "openai/other", Name: "other-1",
					Also: []history.Spent{{Address: "openai/third", Usage: lm.Usage{InputTokens: 1}}},
				},
				Attempts: []history.Attempt{{Number: 1, Error: history.Failure{Code: "rate_limit", Text: "slow down"}, Duration: time.Millisecond, Wait: time.Second}},
				Choices: []history.Choice{
					{Kind: history.Passed, Model: "openai/big", Reason: "its circuit is open for 3s more"},
					{Kind: history.Chosen, Model: "openai/other", Reason: "the next of the list"},
					{Kind: history.Hedged, Model: "openai/other", Number: 2, Reason: "no reply within 1s"},
				},
				Repairs: []value.Repair{{Loc: []any{"passages"}, Type: "single_to_list", Msg: "took one for a list"}},
			},
			{Run: id, Number: 2, Step: 2, Address: "program.rag.answer", Model: "openai/gpt-4o-mini", Started: at.Add(time.Second), Duration: time.Second,
				Request: history.Request{Messages: []history.Message{{Role: lm.User, Content: "again"}}},
				Reply:   &history.Reply{Text: "?", Finish: lm.FinishLength, Cached: true},
				Misfit:  []value.Fault{{Loc: []any{"answer"}, Type: "missing", Msg: "is missing"}}},
			{Run: id, Number: 3, Step: 2, Address: "program.rag.answer", Model: "openai/gpt-4o-mini", Started: at.Add(2 * time.Second), Duration: time.Second,
				Request: history.Request{Messages: []history.Message{{Role: lm.User, Content: "again"}}},
				Error:   &history.Failure{Code: "server", Text: "openai/gpt-4o-mini: server (HTTP 500)"}},
		},
	}
}

// batchOf returns a run as it is written.
func batchOf(w *history.Whole) *history.Batch {
	b := &history.Batch{Runs: []*history.Run{&w.Run}}
	for i := range w.Steps {
		b.Steps = append(b.Steps, &w.Steps[i])
	}
	for i := range w.Calls {
		b.Calls = append(b.Calls, &w.Calls[i])
	}
	return b
}

// text returns a value as JSON, to be compared: the order of times is seen, their
// zones are not.
func text(t *testing.T, v any) string {
	t.Helper()
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Exercise runs the suite. open returns a new, empty store; it is closed here.
func Exercise(t *testing.T, open func(t *testing.T) history.Store) {
	store := func(t *testing.T) history.Store {
		s := open(t)
		t.Cleanup(func() { s.Close() })
		return s
	}
	write := func(t *testing.T, s history.Store, list ...*history.Whole) {
		t.Helper()
		for _, w := range list {
			if err := s.Write(t.Context(), batchOf(w)); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Run("whole", func(t *testing.T) {
		s := store(t)
		want := Sample("abc123", began)
		write(t, s, want)
		got, err := s.Run(t.Context(), "abc123")
		if err != nil {
			t.Fatal(err)
		}
		if text(t, got) != text(t, want) {
			t.Errorf("got\n%s\nwant\n%s", text(t, got), text(t, want))
		}
	})
	t.Run("a batch and its rows", func(t *testing.T) {
		s := store(t)
		for i, id := range []string{"abc", "abc-1", "abc-2", "abd", "abcd"} {
			write(t, s, Sample(id, began.Add(time.Duration(i)*time.Second)))
		}
		if n, err := s.Delete(t.Context(), "abc"); n != 3 || err != nil {
			t.Errorf("%d deleted, %v", n, err)
		}
		if runs, err := s.Runs(t.Context(), 0); len(runs) != 2 || err != nil {
			t.Errorf("%d are left, %v", len(runs), err)
		}
	})
	t.Run("again", func(t *testing.T) {
		s := store(t)
		first := Sample("abc123", began)
		first.Origin = &history.Origin{Model: "openai/gpt-4o-mini", Table: &history.Table{Path: "rows.csv", Concurrency: 8}}
		write(t, s, first, Sample("abc124", began.Add(time.Second)))
		want := Sample("abc123", began.Add(time.Minute))
		want.Status, want.Error, want.Inputs, want.Version = history.Paused, nil, json.RawMessage(`{"question":"x"}`), "v2"
		want.Origin = &history.Origin{Model: "openai/other", Vars: map[string]json.RawMessage{"k": json.RawMessage("4")}, Unkept: []string{"picture"}}
		want.Steps, want.Calls = want.Steps[:1], want.Calls[:1]
		want.Calls[0].Reply.Journaled = true
		b := batchOf(want)
		b.Again = []string{"abc123"}
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		got, err := s.Run(t.Context(), "abc123")
		if err != nil {
			t.Fatal(err)
		}
		want.Started = began
		if text(t, got) != text(t, want) {
			t.Errorf("got\n%s\nwant\n%s", text(t, got), text(t, want))
		}
		if other, err := s.Run(t.Context(), "abc124"); err != nil || len(other.Calls) != 3 {
			t.Errorf("another run has %d calls left, %v", len(other.Calls), err)
		}
	})
	t.Run("ids", func(t *testing.T) {
		s := store(t)
		if _, err := s.Run(t.Context(), ""); !isNoRun(err, 0) {
			t.Errorf("an empty store gives %v", err)
		}
		write(t, s, Sample("abc1", began), Sample("abc12", began.Add(2*time.Second)), Sample("b%_", began.Add(time.Second)))
		for id, want := range map[string]string{"": "abc12", "abc1": "abc1", "abc12": "abc12", "b": "b%_", "b%": "b%_"} {
			got, err := s.Run(t.Context(), id)
			if err != nil || got.ID != want || len(got.Calls) != 3 {
				t.Errorf("%q gives %v, %v; want %s", id, got, err, want)
			}
		}
		for id, several := range map[string]int{"a": 2, "abc": 2, "abc123": 0, "%": 0, "c": 0, "B": 0} {
			if _, err := s.Run(t.Context(), id); !isNoRun(err, several) {
				t.Errorf("%q gives %v; want %d runs", id, err, several)
			}
		}
	})
	t.Run("newest first", func(t *testing.T) {
		s := store(t)
		for i, order := range []int{2, 0, 1} {
			write(t, s, Sample(fmt.Sprint("r", i), began.Add(time.Duration(order)*time.Microsecond)))
		}
		for limit, want := range map[int]string{0: "[r0 r2 r1]", 2: "[r0 r2]", 9: "[r0 r2 r1]"} {
			runs, err := s.Runs(t.Context(), limit)
			ids := []string{}
			for _, r := range runs {
				ids = append(ids, r.ID)
			}
			if err != nil || fmt.Sprint(ids) != want {
				t.Errorf("%d runs: %v, %v; want %s", limit, ids, err, want)
			}
		}
	})
	t.Run("replaced", func(t *testing.T) {
		s := store(t)
		w := Sample("abc", began)
		first := *w
		first.Ended, first.Status, first.Error, first.Outputs, first.Usage = nil, history.Running, nil, json.RawMessage("null"), history.Usage{USD: new(float64)}
		first.Calls = append([]history.Call{}, w.Calls...)
		first.Calls[1].Misfit = nil
		write(t, s, &first, w)
		got, err := s.Run(t.Context(), "abc")
		if err != nil || text(t, got) != text(t, w) {
			t.Errorf("got %v\n%s\nwant\n%s", err, text(t, got), text(t, w))
		}
	})
	t.Run("no end", func(t *testing.T) {
		s := store(t)
		host, err := os.Hostname()
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		for id, c := range map[string]struct {
			writer history.Writer
			want   history.Status
		}{
			"here":      {history.Writer{Host: host, PID: os.Getpid(), Seen: now}, history.Running},
			"elsewhere": {history.Writer{Host: host + "-other", PID: 1 << 30, Seen: now}, history.Running},
			"silent":    {history.Writer{Host: host, PID: os.Getpid(), Seen: now.Add(-time.Hour)}, history.Unended},
			"killed":    {history.Writer{Host: host, PID: 1<<30 - 1, Seen: now}, history.Unended},
			"left":      {history.Writer{Host: host, PID: os.Getpid(), Seen: now, Gone: true}, history.Unended},
		} {
			w := Sample(id, began)
			w.Ended, w.Status, w.Error, w.Writer = nil, history.Running, nil, "writer-"+id
			b := batchOf(w)
			c.writer.ID = w.Writer
			b.Writer = &c.writer
			if err := s.Write(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			got, err := s.Run(t.Context(), id)
			if err != nil || got.Status != c.want {
				t.Errorf("%s: %v, %v; want %q", id, got.Status, err, c.want)
			}
			if got.Usage.Calls != 2 || got.Usage.InputTokens != 31 || got.Usage.Cached != 1 || got.Usage.USD != nil {
				t.Errorf("%s has used %+v so far", id, got.Usage)
			}
		}
		runs, err := s.Runs(t.Context(), 0)
		if err != nil || len(runs) != 5 || runs[0].Usage.Calls != 2 {
			t.Errorf("the list is %+v, %v", runs, err)
		}
		if n, err := s.DeleteBefore(t.Context(), now); n != 3 || err != nil {
			t.Errorf("%d runs were deleted, %v; want the 3 that do not run", n, err)
		}
	})
	t.Run("delete", func(t *testing.T) {
		s := store(t)
		write(t, s, Sample("a", began), Sample("b", began), Sample("c", began))
		if n, err := s.Delete(t.Context(), "a", "x", "c"); n != 2 || err != nil {
			t.Errorf("%d deleted, %v", n, err)
		}
		if _, err := s.Run(t.Context(), "a"); !isNoRun(err, 0) {
			t.Errorf("a deleted run gives %v", err)
		}
		if w, err := s.Run(t.Context(), ""); err != nil || w.ID != "b" || len(w.Steps) != 2 || len(w.Calls) != 3 {
			t.Errorf("what is left is %v, %v", w, err)
		}
		// Nothing of a deleted run comes back with a new one of its id.
		empty := Sample("a", began)
		empty.Steps, empty.Calls = nil, nil
		write(t, s, empty)
		if w, err := s.Run(t.Context(), "a"); err != nil || len(w.Steps)+len(w.Calls) != 0 {
			t.Errorf("the new run is %v, %v", w, err)
		}
	})
	t.Run("prune", func(t *testing.T) {
		s := store(t)
		prune := func(want int, since time.Time) {
			t.Helper()
			if n, err := s.Prune(t.Context(), began.Add(time.Hour), since); n != want || err != nil {
				t.Errorf("%d deleted, %v; want %d", n, err, want)
			}
		}
		write(t, s, Sample("old", began), Sample("new", began.Add(2*time.Hour)))
		start := time.Now()
		prune(1, start.Add(-time.Hour))
		write(t, s, Sample("old", began))
		prune(0, start.Add(-time.Hour))
		prune(1, time.Now().Add(time.Hour))
		if runs, err := s.Runs(t.Context(), 0); err != nil || len(runs) != 1 || runs[0].ID != "new" {
			t.Errorf("what is left is %v, %v", runs, err)
		}
	})
	t.Run("at once", func(t *testing.T) {
		s := store(t)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for j := range 10 {
					id := fmt.Sprintf("run%d-%d", i, j)
					if err := s.Write(t.Context(), batchOf(Sample(id, began))); err != nil {
						t.Error(err)
					}
					if w, err := s.Run(t.Context(), id); err != nil || len(w.Calls) != 3 {
						t.Errorf("%s is %v, %v", id, w, err)
					}
				}
			})
		}
		all.Wait()
		if runs, err := s.Runs(t.Context(), 0); err != nil || len(runs) != 80 {
			t.Errorf("%d runs, %v", len(runs), err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		s := open(t)
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Errorf("closed twice: %v", err)
		}
		if err := s.Write(t.Context(), batchOf(Sample("a", began))); err == nil {
			t.Error("a closed store writes")
		}
		if _, err := s.Runs(t.Context(), 0); err == nil {
			t.Error("a closed store reads")
		}
	})
	t.Run("not changed", func(t *testing.T) {
		s := store(t)
		w, same := Sample("a", began), Sample("a", began)
		write(t, s, w)
		if !reflect.DeepEqual(w, same) {
			t.Error("writing changed the records")
		}
	})
}

// isNoRun reports whether err is a NoRunError with so many runs in it.
func isNoRun(err error, several int) bool {
	var e *history.NoRunError
	return errors.As(err, &e) && len(e.Several) == several && e.Error() != ""
}
