package telemetry_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is an OTLP receiver over HTTP.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*otlp.Span
	bytes []byte
	paths []string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body := io.Reader(req.Body)
		if req.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		data, err := io.ReadAll(body)
		if err != nil {
			t.Error(err)
		}
		var got collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(data, &got); err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bytes, r.paths = append(r.bytes, data...), append(r.paths, req.URL.Path)
		for _, a := range got.ResourceSpans {
			for _, b := range a.ScopeSpans {
				r.spans = append(r.spans, b.Spans...)
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// play is a run with a step in a step, a call and a tool.
func play(see trace.Sink) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	temperature, cost := 0.5, 0.002
	messages := []lm.Message{{Role: lm.User, Content: "the question of sk-0123456789"}}
	for i, e := range []trace.Event{
		{Kind: trace.RunStart, Address: "program.qa", Inputs: value.NewObject("q", "?")},
		{Kind: trace.StepStart, Address: "program.qa.outer", Path: "outer", Step: 1},
		{Kind: trace.StepStart, Address: "program.in.inner", Path: "outer/inner", Step: 2, Parent: 1},
		{Kind: trace.CallStart, Step: 2, Call: 1, Model: "gemini/g-2", Messages: messages, Request: &lm.Request{Messages: messages, Params: lm.Params{Temperature: &temperature}}},
		{Kind: trace.Attempt, Step: 2, Call: 1, Number: 1, Err: errors.New("sk-0123456789 fails")},
		{Kind: trace.CallEnd, Step: 2, Call: 1, Cost: &cost, Reply: &lm.Response{Text: "the reply", Model: "g-2-001", Finish: lm.FinishStop, Usage: lm.Usage{InputTokens: 7, OutputTokens: 3}}},
		{Kind: trace.ToolStart, Step: 2, Call: 2, Tool: "weather", Inputs: value.NewObject("city", "Oslo")},
		{Kind: trace.ToolEnd, Step: 2, Call: 2, Tool: "weather", Err: errors.New("no such city")},
		{Kind: trace.Asserted, Step: 2, Assert: "brief", Reason: "too long"},
		{Kind: trace.StepEnd, Step: 2}, {Kind: trace.StepEnd, Step: 1}, {Kind: trace.RunEnd, Address: "program.qa"},
	} {
		e.Run, e.Time = "r1", now.Add(time.Duration(i)*time.Millisecond)
		see(e)
	}
}

func sent(t *testing.T, content bool) *receiver {
	t.Helper()
	r := newReceiver(t)
	x, err := telemetry.New(t.Context(), telemetry.Config{Endpoint: r.URL, Content: content, Version: "v1", Failed: func(err error) { t.Error(err) }},
		history.About{Secrets: []string{"sk-0123456789"}})
	if err != nil {
		t.Fatal(err)
	}
	play(x.See)
	if err := x.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func attributes(list []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, a := range list {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			out[a.Key] = v.StringValue
		default:
			out[a.Key] = strings.TrimSpace(a.Value.String())
		}
	}
	return out
}

// TestSpans: an OTLP receiver gets a span for each run, step and call, each within
// the one around it, with the attributes of the conventions.
func TestSpans(t *testing.T) {
	r := sent(t, false)
	byName := map[string]*otlp.Span{}
	for _, s := range r.spans {
		byName[s.Name] = s
	}
	for child, parent := range map[string]string{
		"step outer": "invoke_workflow program.qa", "step outer/inner": "step outer", "chat g-2": "step outer/inner", "execute_tool weather": "step outer/inner",
	} {
		c, p := byName[child], byName[parent]
		if c == nil || p == nil || string(c.ParentSpanId) != string(p.SpanId) || string(c.TraceId) != string(p.TraceId) {
			t.Fatalf("%s is not in %s: %v", child, parent, byName)
		}
	}
	chat := byName["chat g-2"]
	got := attributes(chat.Attributes)
	for k, want := range map[string]string{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "g-2", "gen_ai.response.model": "g-2-001",
		"gen_ai.usage.input_tokens": "int_value:7", "gen_ai.usage.output_tokens": "int_value:3", "dspi.cost_usd": "double_value:0.002",
	} {
		if got[k] != want {
			t.Errorf("%s is %q, want %q", k, got[k], want)
		}
	}
	if chat.Kind != otlp.Span_SPAN_KIND_CLIENT || chat.EndTimeUnixNano-chat.StartTimeUnixNano != uint64(2*time.Millisecond) || len(chat.Events) != 1 {
		t.Errorf("the call is %v", chat)
	}
	if s := byName["execute_tool weather"]; s.Status.Code != otlp.Status_STATUS_CODE_ERROR {
		t.Errorf("the tool that failed is %v", s)
	}
	if r.paths[0] != "/v1/traces" {
		t.Errorf("sent to %s", r.paths[0])
	}
	for _, never := range []string{"the question", "the reply", "Oslo", "too long", "sk-0123456789"} {
		if strings.Contains(string(r.bytes), never) {
			t.Errorf("%q was sent, and nobody asked for it", never)
		}
	}
}

// TestContent sends what was said, but no secret.
func TestContent(t *testing.T) {
	all := string(sent(t, true).bytes)
	for _, want := range []string{"the question of ", "the reply", "Oslo", "too long", `"finish_reason":"stop"`} {
		if !strings.Contains(all, want) {
			t.Errorf("%q was not sent", want)
		}
	}
	if strings.Contains(all, "sk-0123456789") {
		t.Error("a secret was sent")
	}
}

// TestNobodyThere: runs go on where no collector is, and that is said.
func TestNobodyThere(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer s.Close()
	var failed []error
	x, err := telemetry.New(t.Context(), telemetry.Config{Endpoint: s.URL, Failed: func(err error) { failed = append(failed, err) }}, history.About{})
	if err != nil {
		t.Fatal(err)
	}
	play(x.See)
	_ = x.Close(t.Context())
	if len(failed) != 1 {
		t.Errorf("told of %v", failed)
	}
}
