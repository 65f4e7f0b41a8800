package history_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// script gives a sink events of one run, each a millisecond after the other.
type script struct {
	see trace.Sink
	run string
	now time.Time
}

func (s *script) emit(events ...trace.Event) {
	for _, e := range events {
		s.now = s.now.Add(time.Millisecond)
		e.Time, e.Run = s.now, s.run
		s.see(e)
	}
}

// recorded plays a run to a Recorder over a new store and returns what was kept.
func recorded(t *testing.T, about history.About, play func(s *script)) *history.Whole {
	t.Helper()
	store := &history.Memory{}
	r := history.NewRecorder(store, about)
	play(&script{see: r.See, run: "r1", now: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	w, err := store.Run(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// has checks that a record holds texts, as JSON writes them.
func has(t *testing.T, v any, want ...string) {
	t.Helper()
	text := jsonOf(t, v)
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s\nis not in\n%s", w, text)
		}
	}
}

// TestRecorder plays a run with all kinds of events.
func TestRecorder(t *testing.T) {
	usd, element, seven := 0.25, 3, 7
	about := history.About{File: "p.dsp", Version: "v9", Models: []history.Model{{Address: "a/b", Provider: "a", ID: "b"}}}
	message := []lm.Message{{Role: lm.User, Content: "q"}}
	w := recorded(t, about, func(s *script) {
		s.emit(
			trace.Event{Kind: trace.CallEnd, Call: 9}, // of a run that is not known
			trace.Event{Kind: trace.RunStart, Address: "program.p", Inputs: value.NewObject("q", "x", "n", 1)},
			trace.Event{Kind: trace.StepStart, Address: "program.p.s", Step: 1, Element: &element, Inputs: value.NewObject("q", "x")},
			trace.Event{Kind: trace.CallStart, Address: "program.p.s", Step: 1, Call: 1, Model: "a/b", Messages: message,
				Request: &lm.Request{Messages: message, Params: lm.Params{MaxTokens: &seven}, Rollout: 2, ToolChoice: "auto", Tools: []lm.Tool{{Name: "look"}}, Format: &lm.Format{Name: "f"}}},
			trace.Event{Kind: trace.Choice, Step: 1, Call: 1, Model: "a/big", Reason: "too dear", Passed: true},
			trace.Event{Kind: trace.Choice, Step: 1, Call: 1, Model: "a/c", Reason: "the cheapest"},
			trace.Event{Kind: trace.Hedge, Step: 1, Call: 1, Model: "a/c", Number: 2, Reason: "no reply within 1s"},
			trace.Event{Kind: trace.Attempt, Step: 1, Call: 1, Number: 1, Wait: time.Second, Duration: time.Minute, Err: &lm.Error{Kind: lm.KindRateLimit, Model: "a/b", Message: "slow down"}},
			trace.Event{Kind: trace.Partial, Step: 1, Call: 1, Field: "a", Value: "b"},
			trace.Event{Kind: trace.CallEnd, Step: 1, Call: 1, Model: "a/b", Cost: &usd, Duration: time.Hour, Reply: &lm.Response{
				Text: "bad", Reasoning: "hm", Finish: lm.FinishLength, Model: "b-1", Address: "a/c", Cost: &usd,
				ToolCalls: []lm.ToolCall{{ID: "1", Name: "look", Arguments: json.RawMessage(`{no json`)}},
				Usage:     lm.Usage{InputTokens: 10, OutputTokens: 2, CachedTokens: 4, ReasoningTokens: 1, Estimated: true},
				Also:      []lm.Spent{{Address: "a/d", Usage: lm.Usage{InputTokens: 5}, Cost: &usd}}}},
			trace.Event{Kind: trace.Misfit, Step: 1, Call: 1, Err: &align.Misfit{Faults: []value.Fault{
				{Loc: []any{"a"}, Type: "missing", Msg: "is missing", Input: strings.Repeat("日", 500)}, {Loc: []any{}, Msg: "all wrong", Input: map[string]any{"x": 1}}}}},
			trace.Event{Kind: trace.CallStart, Address: "program.p.s", Step: 1, Call: 2, Model: "a/b", Messages: message, Request: &lm.Request{Messages: message}},
			trace.Event{Kind: trace.CallEnd, Step: 1, Call: 2, Model: "a/b", Reply: &lm.Response{Text: "good", Finish: lm.FinishStop, Cached: true, Usage: lm.Usage{InputTokens: 100}}},
			trace.Event{Kind: trace.Repaired, Step: 1, Call: 2, Repairs: []value.Repair{{Loc: []any{"a", 0}, Type: "t", Msg: "mended"}}},
			trace.Event{Kind: trace.StepEnd, Address: "program.p.s", Step: 1, Duration: time.Second, Outputs: value.NewObject("a", "good")},
			trace.Event{Kind: trace.StepStart, Address: "program.p.t", Step: 2, Inputs: value.NewObject()},
			trace.Event{Kind: trace.CallStart, Address: "program.p.t", Step: 2, Call: 3, Model: "a/b", Messages: message},
			trace.Event{Kind: trace.CallEnd, Step: 2, Call: 3, Model: "a/b", Err: &lm.Error{Kind: lm.KindServer, Model: "a/b", Status: 500, Message: "oh"}},
			trace.Event{Kind: trace.StepEnd, Address: "program.p.t", Step: 2, Err: diag.New("E0606", source.Place{}, "`t` failed").Say("It said oh.")},
			trace.Event{Kind: trace.RunEnd, Address: "program.p", Err: diag.New("E0606", source.Place{}, "`t` failed").Say("It said oh.")},
		)
	})
	if w.Status != history.Failed || w.Ended == nil || w.Program != "program.p" || w.File != "p.dsp" || w.Version != "v9" || len(w.Models) != 1 {
		t.Errorf("the run is %s", jsonOf(t, w.Run))
	}
	if u := w.Usage; u.Calls != 2 || u.InputTokens != 15 || u.OutputTokens != 2 || u.Cached != 1 || u.USD == nil || *u.USD != 0.5 || !u.Estimated || u.CachedTokens != 4 || u.ReasoningTokens != 1 {
		t.Errorf("the usage is %s", jsonOf(t, u))
	}
	has(t, w.Run, `"inputs":{"q":"x","n":1}`, `"outputs":null`, `"code":"E0606"`, `It said oh.`)
	if len(w.Steps) != 2 || len(w.Calls) != 3 {
		t.Fatalf("%d steps and %d calls", len(w.Steps), len(w.Calls))
	}
	has(t, w.Steps[0], `"number":1`, `"element":3`, `"status":"ok"`, `"outputs":{"a":"good"}`, `"duration_ns":1000000000`)
	has(t, w.Steps[1], `"status":"failed"`, `"E0606"`)
	has(t, w.Calls[0], `"max_tokens":7`, `"rollout":2`, `"name":"look"`, `"format":{"name":"f"}`, `"text":"bad"`, `"reasoning":"hm"`, `"arguments":"{no json"`,
		`"finish":"length"`, `"answered":"a/c"`, `"name":"b-1"`, `"address":"a/d"`, `"cost":0.25`, `"code":"rate_limit"`, `"wait_ns":1000000000`, `"msg":"is missing"`, `"msg":"all wrong","input":null`)
	if s, _ := w.Calls[0].Misfit[0].Input.(string); len(s) > 200 || len(s) < 190 || !strings.HasPrefix(s, "日日") {
		t.Errorf("of a long input %q is kept", s)
	}
	has(t, w.Calls[0], `"choices":[{"kind":"passed","model":"a/big","reason":"too dear"},{"kind":"chosen","model":"a/c","reason":"the cheapest"},{"kind":"hedge","model":"a/c","number":2,"reason":"no reply within 1s"}]`)
	has(t, w.Calls[1], `"cached":true`, `"repairs":[{"loc":["a",0],"type":"t","msg":"mended"}]`)
	has(t, w.Calls[2], `"reply":null`, `"code":"server"`, `HTTP 500`)
}

// TestStatus: how a run ended.
func TestStatus(t *testing.T) {
	for want, err := range map[history.Status]error{
		history.OK:          nil,
		history.Failed:      errors.New("some error"),
		history.Interrupted: diag.New("E0617", source.Place{}, ""),
	} {
		w := recorded(t, history.About{}, func(s *script) {
			s.emit(trace.Event{Kind: trace.RunStart}, trace.Event{Kind: trace.RunEnd, Err: err})
		})
		if w.Status != want || (w.Error == nil) != (err == nil) {
			t.Errorf("after %v a run is %q, %v", err, w.Status, w.Error)
		}
	}
	w := recorded(t, history.About{}, func(s *script) {
		s.emit(trace.Event{Kind: trace.RunStart}, trace.Event{Kind: trace.StepStart, Step: 1, Address: "program.p.s"},
			trace.Event{Kind: trace.CallStart, Step: 1, Call: 1, Address: "program.p.s"},
			trace.Event{Kind: trace.CallEnd, Step: 1, Call: 1, Duration: time.Second, Reply: &lm.Response{Text: "x", Usage: lm.Usage{InputTokens: 3}}})
	})
	if tree := w.Tree(); w.Status != history.Unended || w.Usage.InputTokens != 3 || len(tree) != 1 || tree[0].Address != "program.p.s" || len(tree[0].Calls) != 1 || tree[0].Status != history.Unended {
		t.Errorf("a run that does not end is %s", jsonOf(t, w))
	}
}

// TestSecrets: what is secret is in no record, wherever it comes from.
func TestSecrets(t *testing.T) {
	const key = `sk-0123"456<&>`
	about := history.About{Secrets: []string{key}, Hidden: map[string][]string{"program.p": {"token"}, "program.p.s": {"token"}}}
	message := []lm.Message{{Role: lm.User, Content: "use " + key}, {Role: lm.User, Parts: []lm.Part{{Text: key}}}, {Role: lm.Assistant, ToolCalls: []lm.ToolCall{{Arguments: json.RawMessage(jsonOf(t, key))}}}}
	inputs := value.NewObject("token", "hidden-by-type", "q", key)
	failure := diag.New("E0606", source.Place{}, key).Say("%s", key).Hint("%s", key)
	w := recorded(t, about, func(s *script) {
		s.emit(
			trace.Event{Kind: trace.RunStart, Address: "program.p", Inputs: inputs},
			trace.Event{Kind: trace.StepStart, Address: "program.p.s", Step: 1, Inputs: inputs},
			trace.Event{Kind: trace.CallStart, Step: 1, Call: 1, Messages: message, Request: &lm.Request{}},
			trace.Event{Kind: trace.Choice, Step: 1, Call: 1, Model: "a/b", Reason: key},
			trace.Event{Kind: trace.Hedge, Step: 1, Call: 1, Model: "a/b", Reason: key},
			trace.Event{Kind: trace.Attempt, Step: 1, Call: 1, Err: &lm.Error{Kind: lm.KindServer, Message: key}},
			trace.Event{Kind: trace.CallEnd, Step: 1, Call: 1, Reply: &lm.Response{Text: key, Reasoning: key, Model: key, ToolCalls: []lm.ToolCall{{Arguments: json.RawMessage(jsonOf(t, key))}}}},
			trace.Event{Kind: trace.Misfit, Step: 1, Call: 1, Err: &align.Misfit{Faults: []value.Fault{{Msg: key, Input: key}}}},
			trace.Event{Kind: trace.Repaired, Step: 1, Call: 1, Repairs: []value.Repair{{Msg: key}}},
			trace.Event{Kind: trace.StepEnd, Address: "program.p.s", Step: 1, Outputs: inputs, Err: failure},
			trace.Event{Kind: trace.RunEnd, Address: "program.p", Outputs: inputs, Err: failure},
		)
	})
	text := jsonOf(t, w)
	for _, part := range []string{"0123", "456", "hidden-by-type"} {
		if strings.Contains(text, part) {
			t.Errorf("%q is in\n%s", part, text)
		}
	}
	has(t, w, `"token":"••••"`, `[redacted]`)
}

// TestMedia: of media the kind, type, size and hash are kept.
func TestMedia(t *testing.T) {
	data := strings.Repeat("QUJD", 300)
	inputs := value.NewObject("photo", value.NewObject("data", data, "media_type", "image/png"), "list", []any{"a", "data:image/png;base64," + data}, "data", data)
	message := []lm.Message{{Role: lm.User, Parts: []lm.Part{
		{Text: "look"}, {Media: &lm.Media{Kind: lm.Image, Data: []byte(strings.Repeat("ABC", 300)), Type: "image/png", Name: "a.png"}},
		{Media: &lm.Media{Kind: lm.Image, URL: "data:image/png;base64," + data}}, {Media: &lm.Media{Kind: lm.Image, URL: "https://u:secret@example.com/a.png?key=secret"}},
	}}}
	w := recorded(t, history.About{}, func(s *script) {
		s.emit(
			trace.Event{Kind: trace.RunStart, Inputs: inputs},
			trace.Event{Kind: trace.CallStart, Call: 1, Messages: message, Request: &lm.Request{Messages: message}},
			trace.Event{Kind: trace.CallEnd, Call: 1, Reply: &lm.Response{}},
			trace.Event{Kind: trace.RunEnd},
		)
	})
	text := jsonOf(t, w)
	if n := strings.Count(text, "QUJDQUJD"); n == 0 || strings.Count(text, data) != 1 { // the field that is only called data
		t.Errorf("the bytes of media are kept: %s", text)
	}
	if strings.Contains(text, "secret") {
		t.Errorf("the query of a URL is kept: %s", text)
	}
	has(t, w, `"size":900`, `"sha256":"`, `"name":"a.png"`, `"url":"https://example.com/a.png"`, `"data":"900 bytes, sha256 `, `"data:image/png;900 bytes, sha256 `)
	req, marked := w.Calls[0].Request.LM()
	if marked != 2 || len(req.Messages[0].Parts) != 4 || req.Messages[0].Parts[0].Text != "look" {
		t.Errorf("the request to be sent again is %s with %d marks", jsonOf(t, req), marked)
	}
}

// failing is a store that cannot write after a while.
type failing struct {
	history.Memory
	left int
}

func (f *failing) Write(ctx context.Context, b *history.Batch) error {
	if f.left--; f.left < 0 {
		return errors.New("the disk is full")
	}
	return f.Memory.Write(ctx, b)
}

// TestStoreFails: a run goes on when its history cannot be written, and Close says
// so.
func TestStoreFails(t *testing.T) {
	r := history.NewRecorder(&failing{left: 1}, history.About{})
	s := &script{see: r.See, run: "r1"}
	s.emit(trace.Event{Kind: trace.RunStart})
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		s.emit(trace.Event{Kind: trace.StepStart, Step: 1}, trace.Event{Kind: trace.StepEnd, Step: 1})
	}
	if err := r.Flush(t.Context()); err == nil || err.Error() != "the disk is full" {
		t.Errorf("Flush gives %v", err)
	}
	s.emit(trace.Event{Kind: trace.RunEnd})
	if err := r.Close(); err == nil || err.Error() != "the disk is full" {
		t.Errorf("Close gives %v", err)
	}
	s.emit(trace.Event{Kind: trace.RunStart}) // nothing happens
	if err := errors.Join(r.Flush(t.Context()), r.Close()); err == nil {
		t.Error("a closed Recorder forgot its failure")
	}
}

// counting counts batches.
type counting struct {
	history.Memory
	mu      sync.Mutex
	batches []int
	writers []history.Writer
}

func (c *counting) Write(ctx context.Context, b *history.Batch) error {
	c.mu.Lock()
	if b.Size() > 0 {
		c.batches = append(c.batches, b.Size())
	}
	if b.Writer != nil {
		c.writers = append(c.writers, *b.Writer)
	}
	c.mu.Unlock()
	return c.Memory.Write(ctx, b)
}

// TestBatches: what comes together is written together, soon after it came; and
// while a run is under way its writer says that it is there.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &counting{}
		r := history.NewRecorder(store, history.About{})
		for i := range 100 {
			s := &script{see: r.See, run: fmt.Sprint(i)}
			s.emit(trace.Event{Kind: trace.RunStart}, trace.Event{Kind: trace.StepStart, Step: 1}, trace.Event{Kind: trace.StepEnd, Step: 1})
			if i > 0 {
				s.emit(trace.Event{Kind: trace.RunEnd})
			}
		}
		time.Sleep(50 * time.Millisecond) // of the bubble's clock
		synctest.Wait()
		if fmt.Sprint(store.batches) != "[200]" {
			t.Errorf("200 records that came at once were written as %v", store.batches)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(store.writers); n < 12 || n > 14 {
			t.Errorf("the writer spoke %d times in a minute", n)
		}
		runs, err := store.Runs(t.Context(), 0)
		running := 0
		for _, x := range runs {
			if x.Status == history.Running {
				running++
			}
		}
		if err != nil || running != 1 {
			t.Errorf("%d runs are running, %v", running, err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if w := store.writers[len(store.writers)-1]; !w.Gone {
			t.Error("the writer did not say that it leaves")
		}
		if w, err := store.Memory.Run(t.Context(), "0"); err != nil || w.Status != history.Unended {
			t.Errorf("the run without an end is %q, %v", w.Status, err)
		}
	})
}

// TestAtOnce: many runs at once, closed while some go on.
func TestAtOnce(t *testing.T) {
	store := &history.Memory{}
	r := history.NewRecorder(store, history.About{Keep: history.DefaultKeep})
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			s := &script{see: r.See, run: fmt.Sprintf("run%d", i), now: time.Now()}
			s.emit(trace.Event{Kind: trace.RunStart})
			var steps sync.WaitGroup
			for n := range 20 {
				steps.Go(func() {
					for _, e := range []trace.Event{{Kind: trace.StepStart}, {Kind: trace.CallStart, Call: n + 1}, {Kind: trace.CallEnd, Call: n + 1, Reply: &lm.Response{}}, {Kind: trace.StepEnd}} {
						e.Run, e.Step, e.Time = s.run, n+1, time.Now()
						r.See(e)
					}
				})
			}
			steps.Wait()
			s.emit(trace.Event{Kind: trace.RunEnd})
		})
	}
	all.Wait()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	runs, err := store.Runs(t.Context(), 0)
	if err != nil || len(runs) != 50 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	for _, x := range runs {
		w, err := store.Run(t.Context(), x.ID)
		if err != nil || w.ID != x.ID || len(w.Steps) != 20 || len(w.Calls) != 20 {
			t.Fatalf("%s is %+v, %v", x.ID, w, err)
		}
	}
}

func TestParseKeep(t *testing.T) {
	for text, want := range map[string]time.Duration{"12h": 12 * time.Hour, "30d": 720 * time.Hour, "8w": 8 * 7 * 24 * time.Hour, "off": 0} {
		if got, err := history.ParseKeep(text); err != nil || time.Duration(got) != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "0d", "-1d", "1m", "1.5d", "9999999d", "on"} {
		if got, err := history.ParseKeep(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// TestToolsAndAsserts keeps what a step's tools did, and what it asserted in vain.
func TestToolsAndAsserts(t *testing.T) {
	w := recorded(t, history.About{Secrets: []string{"sk-0123456789"}}, func(s *script) {
		s.emit(
			trace.Event{Kind: trace.RunStart, Address: "program.p"},
			trace.Event{Kind: trace.StepStart, Address: "program.p.s", Path: "s", Step: 1},
			trace.Event{Kind: trace.ToolStart, Address: "program.p.s", Step: 1, Call: 2, Tool: "look", Inputs: value.NewObject("at", "it")},
			trace.Event{Kind: trace.ToolEnd, Address: "program.p.s", Step: 1, Call: 2, Tool: "look", Err: errors.New("sk-0123456789 is not there"), Duration: time.Second},
			trace.Event{Kind: trace.ToolStart, Address: "program.p.s", Step: 1, Call: 3, Tool: "look", Inputs: value.NewObject("at", "that")},
			trace.Event{Kind: trace.ToolEnd, Address: "program.p.s", Step: 1, Call: 3, Tool: "look", Outputs: value.NewObject("seen", true)},
			trace.Event{Kind: trace.Asserted, Address: "program.p.s", Step: 1, Assert: "brief", Reason: "too long", Suggest: true, Final: true},
			trace.Event{Kind: trace.StepEnd, Address: "program.p.s", Step: 1},
			trace.Event{Kind: trace.RunEnd, Address: "program.p"},
		)
	})
	got := jsonOf(t, w.Steps[0])
	for _, want := range []string{`"tool":"look"`, `"inputs":{"at":"it"},"outputs":null,"error":{"text":"`, ` is not there"`, `"outputs":{"seen":true}`, `"asserted":[{"name":"brief","message":"too long","suggest":true,"final":true}]`, `"path":"s"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "0123456789") {
		t.Errorf("a secret is in\n%s", got)
	}
}

// TestLines writes events as lines: what was sent is in them, no secret is.
func TestLines(t *testing.T) {
	var out strings.Builder
	w := history.NewLineWriter(&out, history.About{Secrets: []string{"sk-0123456789"}, Hidden: map[string][]string{"program.p.s": {"pin"}}})
	s := &script{see: w.See, run: "r1", now: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)}
	messages := []lm.Message{{Role: lm.User, Content: "why? sk-0123456789"}}
	s.emit(
		trace.Event{Kind: trace.StepStart, Address: "program.p.s", Path: "s", Step: 1, Inputs: value.NewObject("pin", "1234", "q", "why?")},
		trace.Event{Kind: trace.CallStart, Step: 1, Call: 2, Model: "test/m", Messages: messages, Request: &lm.Request{Messages: messages}},
		trace.Event{Kind: trace.Partial, Step: 1, Call: 2, Field: "a", Value: "be"},
		trace.Event{Kind: trace.CallEnd, Step: 1, Call: 2, Model: "test/m", Err: errors.New("sk-0123456789 is wrong")},
		trace.Event{Kind: trace.Asserted, Step: 1, Assert: "brief", Reason: "too long", Suggest: true, Final: true},
		trace.Event{Kind: trace.ToolEnd, Step: 1, Call: 3, Tool: "weather", Outputs: value.NewObject("celsius", 7.5), Duration: time.Second},
	)
	if w.Err() != nil {
		t.Fatal(w.Err())
	}
	got := out.String()
	if strings.Contains(got, "0123456789") || strings.Contains(got, "1234") {
		t.Errorf("a secret is in\n%s", got)
	}
	if strings.Count(got, "\n") != 5 {
		t.Errorf("%d lines, want 5:\n%s", strings.Count(got, "\n"), got)
	}
	for _, want := range []string{`"kind":"step_start"`, `"path":"s"`, `"q":"why?"`, `"content":"why? `, `"assert":"brief","suggest":true,"final":true,"reason":"too long"`, `"tool":"weather","outputs":{"celsius":7.5}`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
}
