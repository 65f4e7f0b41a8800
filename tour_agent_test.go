package dspi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
)

// toolUser is a model that calls tools in a fixed order, natively or by text.
type toolUser struct {
	native bool
	mu     sync.Mutex
	turn   int
	seen   []string // the last message of each request
}

func (m *toolUser) Address() string       { return "test/tools" }
func (m *toolUser) Features() lm.Features { return lm.Features{Tools: m.native} }

func (m *toolUser) Generate(_ context.Context, req *lm.Request) (*lm.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := req.Messages[len(req.Messages)-1]
	if strings.Contains(req.Messages[0].Content, "`question`") { // the program notes, behind the tool
		return &lm.Response{Text: "[[ ## answer ## ]]\nThe key is under the mat.\n\n[[ ## completed ## ]]", Usage: lm.Usage{InputTokens: 1, OutputTokens: 1}}, nil
	}
	m.seen = append(m.seen, last.Content)
	m.turn++
	calls := [][]lm.ToolCall{
		{call("area", `{"width": 3, "height": "4"}`), call("weather", `{"city": "Oslo"}`), call("calculator", `{"expression": "6 * 7"}`)},
		{call("search_notes", `{"question": "Where is the key?"}`)},
		{call("finish", `{"reply": "12 square metres, 7.5 degrees, 42, under the mat"}`)},
	}[m.turn-1]
	usage := lm.Usage{InputTokens: 1, OutputTokens: 1}
	if m.native {
		return &lm.Response{ToolCalls: calls, Finish: lm.FinishTools, Usage: usage}, nil
	}
	if m.turn == 3 {
		return &lm.Response{Text: "[[ ## reply ## ]]\n12 square metres, 7.5 degrees, 42, under the mat\n\n[[ ## completed ## ]]", Usage: usage}, nil
	}
	var b strings.Builder
	for _, c := range calls {
		fmt.Fprintf(&b, "Action[%s](%s)\n", c.Name, c.Arguments)
	}
	return &lm.Response{Text: b.String(), Usage: usage}, nil
}

func call(name, arguments string) lm.ToolCall {
	return lm.ToolCall{ID: "call_" + name, Name: name, Arguments: json.RawMessage(arguments)}
}

// TestTourAgent runs tour 04: a model calls a tool of each kind, and answers.
func TestTourAgent(t *testing.T) {
	weather := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/current" || r.URL.Query().Get("city") != "Oslo" || r.Header.Get("Authorization") != "Bearer weather-key-1" {
			t.Errorf("the weather is asked with %s, %v", r.URL, r.Header)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"temp_c": 7.5, "condition": "clear"}`)
	}))
	defer weather.Close()
	src, err := dspi.Load("examples/tour/04_agent.dsp")
	if err != nil {
		t.Fatal(err)
	}
	project, diags := dspi.Check(src)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	for _, native := range []bool{true, false} {
		t.Run(map[bool]string{true: "native tool calls", false: "actions in the text"}[native], func(t *testing.T) {
			p, err := dspi.Plan(project, dspi.PlanOptions{
				Program: "assistant", Vars: map[string]any{"weather_url": weather.URL, "weather_key": "weather-key-1"}, Getenv: func(string) string { return "" },
			})
			if err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var tools []string
			runtime := dspi.NewRuntime(dspi.Options{Trace: func(e trace.Event) {
				mu.Lock()
				defer mu.Unlock()
				if e.Kind == trace.ToolEnd {
					tools = append(tools, fmt.Sprintf("%s %v", e.Tool, e.Err))
				}
			}})
			defer runtime.Close()
			model := &toolUser{native: native}
			runtime.Use(p.Ops[0].Model, model)
			for _, tool := range p.Ops[0].Tools {
				if tool.Plan != nil {
					runtime.Use(tool.Plan.Ops[0].Model, model)
				}
			}
			res, err := runtime.Run(t.Context(), p, map[string]any{"request": "Everything, please."})
			if err != nil {
				t.Fatal(err)
			}
			if v, _ := res.Outputs.Get("reply"); v != "12 square metres, 7.5 degrees, 42, under the mat" {
				t.Errorf("the reply is %v", v)
			}
			if res.Usage.Calls != 4 || len(tools) != 4 {
				t.Errorf("%d calls of models, tools %v", res.Usage.Calls, tools)
			}
			for _, x := range tools {
				if !strings.HasSuffix(x, "<nil>") {
					t.Errorf("a tool failed: %s", x)
				}
			}
			if all := strings.Join(model.seen, "\n"); strings.Contains(all, "weather-key-1") || !strings.Contains(all, "under the mat") {
				t.Errorf("the model was told %s", all)
			}
		})
	}
}
