package scripted

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// able is a model with features of its own.
type able struct {
	lm.LM
	features lm.Features
}

func (a able) Features() lm.Features { return a.features }

func ask(system, user string) *lm.Request {
	return &lm.Request{Messages: []lm.Message{{Role: lm.System, Content: system}, {Role: lm.User, Content: user}}}
}

// replayed writes what a Recorder recorded to a file and opens it.
func replayed(t *testing.T, r *Recorder, out *bytes.Buffer) *Model {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "r.jsonl")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := Open(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return m
}

// TestRecordAndReplay: many calls in parallel that differ in one place each get
// their own replies again, in any order.
func TestRecordAndReplay(t *testing.T) {
	model := able{lmtest.Func(func(_ context.Context, n int, req *lm.Request) (*lm.Response, error) {
		user := req.Messages[len(req.Messages)-1].Text()
		if strings.HasPrefix(user, "fail") {
			return nil, &lm.Error{Kind: lm.KindAuth, Model: "test/m", Message: "no <key>", Status: 401}
		}
		resp := &lm.Response{Text: fmt.Sprintf("%s & <%d>", user, n), Reasoning: "because", Finish: lm.FinishLength, Usage: lm.Usage{InputTokens: n, OutputTokens: 1, ReasoningTokens: 1}}
		if strings.HasPrefix(user, "tool") {
			resp.Finish, resp.ToolCalls = lm.FinishTools, []lm.ToolCall{{ID: fmt.Sprint(n), Name: "look", Arguments: json.RawMessage(`{"at":1}`)}}
		}
		return resp, nil
	}), lm.Features{JSON: true, Schema: true, Images: true}}
	var out bytes.Buffer
	r := NewRecorder(&out)
	recorded := r.Record(model)
	var requests []*lm.Request
	for i := range 40 {
		kind := []string{"say", "tool", "fail"}[i%3]
		requests = append(requests, ask("system", fmt.Sprint(kind, i)), ask(fmt.Sprint("system", i), kind), &lm.Request{
			Rollout: i, Messages: []lm.Message{{Role: lm.User, Parts: []lm.Part{{Text: kind}, {Media: &lm.Media{Kind: lm.Image, Data: []byte{byte(i)}}}}}},
		})
	}
	type result struct {
		resp *lm.Response
		err  string
	}
	run := func(m lm.LM, backwards bool) []result {
		results := make([]result, len(requests))
		var all sync.WaitGroup
		for i := range requests {
			if backwards {
				i = len(requests) - 1 - i
			}
			all.Go(func() {
				resp, err := m.Generate(t.Context(), requests[i])
				if err != nil {
					e := lm.AsError(err)
					results[i].err = fmt.Sprint(e.Kind, e.Message, e.Status)
					return
				}
				c := *resp
				c.Model = ""
				results[i].resp = &c
			})
		}
		all.Wait()
		return results
	}
	want := run(recorded, false)
	m := replayed(t, r, &out)
	if f := m.Features(); f != model.features {
		t.Errorf("the features are %+v", f)
	}
	got := run(m, true)
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("request %d gets\n%+v\nwant\n%+v", i, got[i], want[i])
		}
	}
	_, err := m.Generate(t.Context(), requests[0])
	if err == nil || !strings.Contains(err.Error(), "the recorded replies to this request are used up") {
		t.Errorf("a call too many gives %v", err)
	}
	_, err = m.Generate(t.Context(), ask("system", "another"))
	if err == nil || !strings.Contains(err.Error(), "none of 120 recorded replies is to this request: the program, its inputs or its settings have changed since, so record again") {
		t.Errorf("another request gives %v", err)
	}
}

// TestRecordTwice: calls that send the same get their replies in order; a call that
// was tried again is tried again.
func TestRecordTwice(t *testing.T) {
	n := 0
	model := lmtest.Func(func(_ context.Context, i int, req *lm.Request) (*lm.Response, error) {
		n++
		if strings.HasPrefix(req.Messages[0].Text(), "busy") {
			return nil, &lm.Error{Kind: lm.KindServer, Model: "test/m", Message: "busy"}
		}
		return lmtest.Text(req, fmt.Sprint("reply ", i)), nil
	})
	var out bytes.Buffer
	r := NewRecorder(&out)
	policy := lm.RetryPolicy{Attempts: 3, Base: 1}
	m := r.Record(lm.WithRetry(model, policy))
	for _, text := range []string{"a", "a", "busy"} {
		_, _ = m.Generate(t.Context(), lmtest.Ask(text)) // the last one fails
	}
	again := lm.WithRetry(replayed(t, r, &out), policy)
	for i, want := range []string{"reply 1", "reply 2"} {
		if resp, err := again.Generate(t.Context(), lmtest.Ask("a")); err != nil || resp.Text != want {
			t.Errorf("call %d gets %v, %v; want %s", i, resp, err, want)
		}
	}
	_, err := again.Generate(t.Context(), lmtest.Ask("busy"))
	if e := lm.AsError(err); e == nil || e.Kind != lm.KindServer || e.Attempts != 3 {
		t.Errorf("the call that failed three times gives %v", err)
	}
	// What was interrupted was not answered.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r = NewRecorder(&out)
	out.Reset()
	_, _ = r.Record(New("x", Reply{Text: "a"})).Generate(ctx, lmtest.Ask("a"))
	if err := r.Close(); err != nil || strings.Contains(out.String(), "request") {
		t.Errorf("an interrupted call was recorded: %s, %v", &out, err)
	}
}

// TestRecordFile: the keys of a recording, and their mistakes.
func TestRecordFile(t *testing.T) {
	for text, want := range map[string]string{
		`{"features":{"json":1}}`:                             `:1: "features" is an object of true and false`,
		`{"features":{"jsn":true}}`:                           `:1: "features" is an object of true and false`,
		`{"features":null}` + "\n" + `"x"`:                    `:1: "features" is an object of true and false`,
		`"x"` + "\n" + `{"features":{}}`:                      `:2: "features" is the only key of the first line`,
		`{"features":{},"reply":"x"}`:                         `:1: "features" is the only key of the first line`,
		`{"features":{}}`:                                     `: the file holds no replies`,
		`{"reply":"x","request":7}`:                           `:1: "request" is what names the call`,
		`{"reply":"x","request":""}`:                          `:1: "request" is what names the call`,
		`{"reply":"x","request":"a","match":"b"}`:             `:1: a reply has "match" or "request", not both`,
		`{"reply":"x","tool_calls":{}}`:                       `:1: "tool_calls" is a list`,
		`{"reply":"x","tool_calls":[{"name":""}]}`:            `:1: "tool_calls" is a list`,
		`{"reply":"x","tool_calls":[{"nam":"a"}]}`:            `:1: "tool_calls" is a list`,
		`{"error":"auth","tool_calls":[]}`:                    `:1: "tool_calls" belongs to a "reply"`,
		`{"error":"auth","reasoning":"x"}`:                    `:1: "reasoning" belongs to a "reply"`,
		`{"reply":"x","reasoning":1}`:                         `:1: "reasoning" is what the model thought`,
		`{"reply":"x","finish":"tools","tool_calls":[1]}`:     `:1: "tool_calls" is a list`,
		`{"features":{"json":true}}` + "\n" + `{"reply":"x"}`: ``,
	} {
		_, err := Parse("r.jsonl", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), "r.jsonl"+want)) {
			t.Errorf("%q gives\n%v\nwant\nr.jsonl%s", text, err, want)
		}
	}
}
