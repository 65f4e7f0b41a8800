package openai

import (
	"net/url"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// TestPresets: each has what its model blocks need, and a key goes to its own server
// only where it has one.
func TestPresets(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Presets() {
		if seen[p.Name] || p.Doc == "" || !strings.HasPrefix(p.Example, p.Name+"/") {
			t.Errorf("%s is told twice, or not in full", p.Name)
		}
		seen[p.Name] = true
		if p.BaseURL == "" {
			if p.KeyVar != "" {
				t.Errorf("%s has no server of its own, and a key from the environment", p.Name)
			}
			if _, err := New(Config{Provider: p.Name, Model: "m"}); err == nil || !strings.Contains(err.Error(), "base_url") {
				t.Errorf("%s without a base URL gives %v", p.Name, err)
			}
			continue
		}
		u, err := url.Parse(p.BaseURL)
		if err != nil || u.Scheme != "https" && u.Hostname() != "localhost" {
			t.Errorf("%s is at %s", p.Name, p.BaseURL)
		}
		if p.NeedKey != (p.KeyVar != "") || p.NeedKey == (u.Hostname() == "localhost") {
			t.Errorf("%s at %s: key needed %v, in %q", p.Name, p.BaseURL, p.NeedKey, p.KeyVar)
		}
		m, err := New(Config{Provider: p.Name, Model: "m"})
		if err != nil {
			t.Fatal(err)
		}
		if m.Address() != p.Name+"/m" {
			t.Errorf("the address is %s", m.Address())
		}
		if p.NeedKey {
			_, err := m.Generate(t.Context(), lmtest.Ask("hello"))
			if e := lm.AsError(err); e == nil || e.Kind != lm.KindNoKey || !strings.Contains(e.Message, p.KeyVar) {
				t.Errorf("%s without a key gives %v", p.Name, err)
			}
		}
	}
	for _, name := range []string{"openai", "azure", "vllm", "llamacpp", "lmstudio", "openrouter", "groq", "together", "deepseek"} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
	if _, err := New(Config{Provider: "nobody", Model: "m"}); err == nil {
		t.Error("a preset that is not there opens")
	}
	if _, err := New(Config{Model: "m", API: "soap"}); err == nil || !strings.Contains(err.Error(), `"responses"`) {
		t.Errorf("another protocol gives %v", err)
	}
}

// TestQuirks: what a preset calls by another name.
func TestQuirks(t *testing.T) {
	limit, seed := 50, 7
	for _, c := range []struct{ provider, sent string }{
		{"openai", `"max_tokens":50,"seed":7`},
		{"groq", `"max_completion_tokens":50,"seed":7`},
		{"mistral", `"max_tokens":50,"random_seed":7`},
	} {
		m, err := New(Config{Provider: c.provider, Model: "m", BaseURL: "http://127.0.0.1:1"})
		if err != nil {
			t.Fatal(err)
		}
		req := lmtest.Ask("hello")
		req.MaxTokens, req.Seed = &limit, &seed
		body, problem := m.body(req)
		if got := encode(body); problem != "" || !strings.Contains(got, c.sent) {
			t.Errorf("%s sends %s, %s; want %s", c.provider, got, problem, c.sent)
		}
	}
}

// TestKnown: what a model's name says about what it can do.
func TestKnown(t *testing.T) {
	everything := lm.Features{JSON: true, Schema: true, Tools: true, Images: true, Audio: true, Files: true}
	silent := everything
	silent.Audio = false
	blind := lm.Features{JSON: true, Schema: true, Tools: true}
	for want, names := range map[lm.Features][]string{
		everything:                 {"qwen3", "gpt-oss-120b", "meta-llama/llama-3", "my-deployment"},
		silent:                     {"gpt-4o", "gpt-4o-mini", "gpt-4.1-nano", "gpt-5", "gpt-5.2", "o3", "o4-mini", "openai/gpt-4o"},
		blind:                      {"o3-mini"},
		{JSON: true, Tools: true}:  {"gpt-4", "gpt-4-0613", "gpt-3.5-turbo"},
		{Tools: true, Audio: true}: {"gpt-4o-audio-preview", "gpt-audio", "gpt-audio-mini", "gpt-4o-mini-audio-preview"},
		{}:                         {"o1-mini", "o1-preview"},
		{JSON: true, Tools: true, Images: true, Files: true}: {"gpt-4-turbo", "chatgpt-4o-latest", "gpt-4o-2024-05-13"},
	} {
		for _, name := range names {
			if got := known(name); got != want {
				t.Errorf("%s can %+v, want %+v", name, got, want)
			}
		}
	}
}

// TestArguments: what a model wrote as arguments goes back to it as it was.
func TestArguments(t *testing.T) {
	for text, kept := range map[string]string{`{"a":1}`: `{"a":1}`, ` {"a": 1} `: `{"a": 1}`, ``: `{}`, `{"a":`: `"{\"a\":"`, `oops "x"`: `"oops \"x\""`} {
		got := arguments(text)
		if string(got) != kept {
			t.Errorf("%q is kept as %s, want %s", text, got, kept)
		}
		want := strings.TrimSpace(text)
		if want == "" {
			want = "{}"
		}
		if back := written(got); back != want {
			t.Errorf("%q goes back as %q", text, back)
		}
	}
	if got := schemaName("Reply of A/é"); got != "Reply_of_A__" {
		t.Errorf("the name is %s", got)
	}
}

// TestMessages: what a message without a text is.
func TestMessages(t *testing.T) {
	m, err := New(Config{Model: "m", BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	call := []lm.ToolCall{{ID: "a", Name: "f", Arguments: []byte("{}")}}
	for want, msg := range map[string]lm.Message{
		`{"role":"user","content":""}`: {Role: lm.User},
		`{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}`: {Role: lm.Assistant, ToolCalls: call},
		`{"role":"tool","content":"","tool_call_id":"a"}`:                                                                          {Role: lm.ToolRole, ToolCallID: "a"},
		`{"role":"system","content":"a b"}`:                                                                                        {Role: lm.System, Parts: []lm.Part{{Text: "a "}, {Text: "b"}}},
	} {
		out, problem := m.message(msg)
		if got := encode(out); got != want || problem != "" {
			t.Errorf("it is %s (%s), want %s", got, problem, want)
		}
	}
	_, problem := m.message(lm.Message{Role: lm.ToolRole, Parts: []lm.Part{{Media: &lm.Media{Kind: lm.Image, URL: "https://example.com/a.png"}}}})
	if !strings.Contains(problem, "only be text") {
		t.Errorf("a picture from a tool: %q", problem)
	}
}
