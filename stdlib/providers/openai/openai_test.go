package openai

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answering starts a server that answers every call with one status and body.
func answering(t *testing.T, status int, body string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestReplies(t *testing.T) {
	message := func(m string) string { return `{"choices":[{"finish_reason":"stop","message":` + m + `}]}` }
	for name, c := range map[string]struct {
		body   string
		text   string
		finish lm.Finish
		fails  string // what the failure says
	}{
		"parts":              {message(`{"content":[{"type":"text","text":"Par"},{"type":"image_url"},{"type":"text","text":"is"}]}`), "Paris", "stop", ""},
		"refusal":            {message(`{"content":null,"refusal":"I cannot help with that."}`), "I cannot help with that.", "filter", ""},
		"empty text":         {message(`{"content":""}`), "", "stop", ""},
		"null":               {message(`{"content":null}`), "", "", "no content"},
		"no content":         {message(`{"tool_calls":[]}`), "", "", "no content"},
		"all spent thinking": {`{"choices":[{"finish_reason":"length","message":{"content":null}}]}`, "", "length", ""},
		"withheld":           {`{"choices":[{"finish_reason":"content_filter","message":{"content":null}}]}`, "", "filter", ""},
		"no reason":          {`{"choices":[{"finish_reason":null,"message":{"content":"x"}}]}`, "x", "", ""},
		"another reason":     {`{"choices":[{"finish_reason":"eos","message":{"content":"x"}}]}`, "x", "eos", ""},
		"no message":         {`{"choices":[{"finish_reason":"stop","text":"x"}]}`, "", "", "no message"},
		"number":             {message(`{"content":7}`), "", "", "no chat completion"},
		"null choice":        {`{"choices":[null]}`, "", "", "no message"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := New(Config{Model: "m", BaseURL: answering(t, 200, c.body)})
			if err != nil {
				t.Fatal(err)
			}
			resp, err := m.Generate(t.Context(), lmtest.Ask("hello, you"))
			if c.fails != "" {
				if e := lm.AsError(err); e == nil || e.Kind != lm.KindReply || !strings.Contains(e.Message, c.fails) {
					t.Fatalf("the error is %v, want a failed reply with %q", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if resp.Text != c.text || resp.Finish != c.finish {
				t.Errorf("got %q, ended by %q", resp.Text, resp.Finish)
			}
			if resp.Usage.InputTokens != 3 || !resp.Usage.Estimated {
				t.Errorf("without a usage in the reply it is %+v", resp.Usage)
			}
		})
	}
}

func TestComplaints(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		body    string
		kind    lm.Kind
		message string
	}{
		"OpenAI":             {404, `{"error":{"message":"no such model","type":"invalid_request_error","param":null,"code":"model_not_found"}}`, lm.KindRequest, "no such model"},
		"a string":           {400, `{"error":"model not found, try pulling it first"}`, lm.KindRequest, "model not found, try pulling it first"},
		"message":            {400, `{"object":"error","message":"too long","code":400}`, lm.KindRequest, "too long"},
		"detail":             {404, `{"detail":"Not Found"}`, lm.KindRequest, "Not Found"},
		"details":            {422, `{"detail":[{"msg":"field required"}]}`, lm.KindRequest, `[{"msg":"field required"}]`},
		"another shape":      {400, `{"oops":true}`, lm.KindRequest, `Bad Request; it begins: {"oops":true}`},
		"nothing":            {503, ``, lm.KindServer, "Service Unavailable"},
		"no money left":      {429, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`, lm.KindRequest, "You exceeded your current quota"},
		"too many":           {429, `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`, lm.KindRateLimit, "Rate limit reached"},
		"forwarded 429":      {200, `{"error":{"message":"upstream is busy","code":429}}`, lm.KindRateLimit, "upstream is busy"},
		"forwarded 502":      {200, `{"choices":[],"error":{"message":"upstream failed","code":502}}`, lm.KindServer, "upstream failed"},
		"forwarded unstated": {200, `{"error":{"message":"something","code":"odd"}}`, lm.KindReply, "the server answered with an error instead of a reply: something"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := New(Config{Model: "m", Key: "a-key-for-tests", BaseURL: answering(t, c.status, c.body)})
			if err != nil {
				t.Fatal(err)
			}
			_, err = m.Generate(t.Context(), lmtest.Ask("hello"))
			e := lm.AsError(err)
			if e == nil || e.Kind != c.kind || e.Message != c.message {
				t.Errorf("got %v\nwant kind %s: %s", err, c.kind, c.message)
			}
		})
	}
}

// TestReasoningModels: what a model's name says about its parameters.
func TestReasoningModels(t *testing.T) {
	families := map[family][]string{
		chat: {"gpt-4o-mini", "gpt-4.1", "gpt-4", "gpt-3.5-turbo", "gpt-5-chat-latest", "openai/gpt-5-chat", "qwen3:8b", "o", "o0", "oasis", "olmo-2",
			"o1x", "gpt-50x", "gpt-oss-120b", "meta-llama/llama-3", ""},
		fixedSampling: {"o1", "o1-mini", "o3", "o3-mini-2025-01-31", "o4-mini", "gpt-5", "gpt-5-mini", "gpt-5-nano-2025-08-07", "openai/o3", "openai/gpt-5"},
		reasoning:     {"gpt-5.1", "gpt-5.1-codex", "gpt-5.4-mini", "gpt-6", "openai/gpt-5.2"},
	}
	for want, names := range families {
		for _, name := range names {
			if got := familyOf(name); got != want {
				t.Errorf("%q is of family %d, want %d", name, got, want)
			}
		}
	}
	number := func(f float64) *float64 { return &f }
	limit := 50
	for _, c := range []struct {
		model  string
		params lm.Params
		sent   string // of the parameters
		fails  string
	}{
		{"gpt-4o", lm.Params{MaxTokens: &limit, Temperature: number(0)}, `"temperature":0,"max_tokens":50`, ""},
		{"o3-mini", lm.Params{MaxTokens: &limit}, `"max_completion_tokens":50`, ""},
		{"o3-mini", lm.Params{MaxTokens: &limit, Temperature: number(1)}, `"temperature":1,"max_completion_tokens":50`, ""},
		{"gpt-5.1", lm.Params{MaxTokens: &limit, Temperature: number(0.2)}, `"temperature":0.2,"max_completion_tokens":50`, ""},
		{"gpt-5", lm.Params{Temperature: number(0.2)}, "", "gpt-5 is a reasoning model and takes no temperature other than 1 (this is 0.2)"},
		{"o1", lm.Params{TopP: number(0.5)}, "", "o1 is a reasoning model and takes no top_p other than 1 (this is 0.5)"},
	} {
		m, err := New(Config{Model: c.model, BaseURL: "http://127.0.0.1:1"})
		if err != nil {
			t.Fatal(err)
		}
		req := lmtest.Ask("hello")
		req.Params = c.params
		body, problem := m.body(req)
		if c.fails != "" {
			if !strings.HasPrefix(problem, c.fails) {
				t.Errorf("%s: the problem is %q, want %q", c.model, problem, c.fails)
			}
			_, err := m.Generate(t.Context(), req)
			if e := lm.AsError(err); e == nil || e.Kind != lm.KindRequest {
				t.Errorf("%s: the error is %v", c.model, err)
			}
			continue
		}
		want := fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hello"}],%s}`, c.model, c.sent)
		if got := encode(body); got != want {
			t.Errorf("%s sends\n%s\nwant\n%s", c.model, got, want)
		}
	}
}

func TestConfig(t *testing.T) {
	if _, err := New(Config{}); err == nil || !strings.Contains(err.Error(), "needs a name") {
		t.Errorf("a model without a name gives %v", err)
	}
	m, err := New(Config{Model: "gpt-4o-mini"})
	if err != nil {
		t.Fatal(err)
	}
	if m.Address() != "openai/gpt-4o-mini" {
		t.Errorf("the address is %q", m.Address())
	}
	_, err = m.Generate(t.Context(), lmtest.Ask("hello"))
	if e := lm.AsError(err); e == nil || e.Kind != lm.KindNoKey || !strings.Contains(e.Message, KeyVariable) || e.Retryable() {
		t.Errorf("OpenAI's own server without a key gives %v", err)
	}
	m, err = New(Config{Model: "m", BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Generate(t.Context(), &lm.Request{})
	if e := lm.AsError(err); e == nil || e.Kind != lm.KindRequest {
		t.Errorf("a request without messages gives %v", err)
	}
	// The model's own parameters are used where the request has none.
	half, seed, limit := 0.5, 7, 9
	m.params = lm.Params{Temperature: &half, TopP: &half, Seed: &seed, MaxTokens: &limit, Stop: []string{"A"}}
	req := lmtest.Ask("hello")
	req.Stop = []string{"B"}
	body, _ := m.body(req)
	want := `{"model":"m","messages":[{"role":"user","content":"hello"}],"temperature":0.5,"top_p":0.5,"max_tokens":9,"seed":7,"stop":["B"]}`
	if got := encode(body); got != want {
		t.Errorf("sent:\n%s\nwant:\n%s", got, want)
	}
}
