package bedrock

import (
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

func TestBody(t *testing.T) {
	effort := func(effort string) *lm.Request {
		req := lmtest.Ask("a")
		req.ReasoningEffort = effort
		return req
	}
	const hello = `"messages":[{"role":"user","content":[{"text":"a"}]}]`
	half, seed := 0.5, 7
	warm, seeded := effort(""), effort("")
	warm.Temperature, seeded.Seed = &half, &seed
	afterCalls := lmtest.Requests()["tool results"]
	afterCalls.ToolChoice = "none"
	forced := lmtest.Requests()["tools required"]
	forced.ReasoningEffort = "low"
	blank := &lm.Request{Messages: []lm.Message{{Role: lm.User, Content: "a"}, {Role: lm.Assistant, ToolCalls: []lm.ToolCall{{ID: "1", Name: "t"}}}, {Role: lm.ToolRole, ToolCallID: "1"}}}
	for _, c := range []struct {
		model string
		req   *lm.Request
		want  string
		fails string
	}{
		{"amazon.nova-lite-v1:0", effort(""), `{` + hello + `}`, ""},
		{"amazon.nova-lite-v1:0", effort("low"), "", "it is not known how amazon.nova-lite-v1:0 is told to reason"},
		{"us.amazon.nova-2-lite-v1:0", effort("high"), `{` + hello + `,"additionalModelRequestFields":{"reasoningConfig":{"maxReasoningEffort":"high","type":"enabled"}}}`, ""},
		{"us.amazon.nova-2-lite-v1:0", effort("minimal"), `{` + hello + `,"additionalModelRequestFields":{"reasoningConfig":{"type":"disabled"}}}`, ""},
		{"openai.gpt-oss-120b-1:0", effort("minimal"), `{` + hello + `,"additionalModelRequestFields":{"reasoning_effort":"low"}}`, ""},
		{"openai.gpt-oss-120b-1:0", effort("huge"), "", "takes minimal, low, medium or high"},
		{"anthropic.claude-opus-4-6-v1", effort("low"), `{` + hello + `,"additionalModelRequestFields":{"output_config":{"effort":"low"},"thinking":{"type":"adaptive"}}}`, ""},
		{"anthropic.claude-opus-4-7", warm, "", "takes no temperature other than 1"},
		{"anthropic.claude-3-haiku-20240307-v1:0", effort("low"), "", "does not reason"},
		{"anthropic.claude-sonnet-4-5-20250929-v1:0", forced, "", "cannot be made to ask for a tool while it reasons"},
		{"amazon.nova-lite-v1:0", seeded, "", "has no seed"},
		{"amazon.nova-lite-v1:0", afterCalls, "", "cannot keep a model from asking"},
		{"amazon.nova-lite-v1:0", &lm.Request{}, "", "no user message"},
		{"amazon.nova-lite-v1:0", &lm.Request{Messages: []lm.Message{{Role: lm.Assistant, Content: "a"}}}, "", "wants the user's first"},
		{"deepseek.r1-v1:0", lmtest.Requests()["tools"], "", "cannot ask for tools"},
		{"amazon.nova-lite-v1:0", blank, `{"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"t","input":{}}}]},` +
			`{"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[{"json":{}}]}}]}]}`, ""},
	} {
		m, err := New(Config{Model: c.model, Region: "us-east-1"})
		if err != nil {
			t.Fatal(err)
		}
		body, problem := m.body(c.req)
		if c.fails != "" || problem != "" {
			if c.fails == "" || !strings.Contains(problem, c.fails) {
				t.Errorf("%s: the problem is %q, want %q", c.model, problem, c.fails)
			}
			continue
		}
		if got := encode(body); got != c.want {
			t.Errorf("%s sends\n%s\nwant\n%s", c.model, got, c.want)
		}
	}
}

func TestMedia(t *testing.T) {
	m, err := New(Config{Model: "amazon.nova-lite-v1:0", Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range []struct {
		media lm.Media
		want  string
		fails string
	}{
		{lm.Media{Kind: lm.Image, URL: "s3://bucket/cat.png"}, `{"image":{"format":"png","source":{"s3Location":{"uri":"s3://bucket/cat.png"}}}}`, ""},
		{lm.Media{Kind: lm.Image, URL: "https://example.com/cat.png"}, "", "a URL that begins with s3://"},
		{lm.Media{Kind: lm.Image, Data: []byte("BM"), Type: "image/bmp"}, "", `takes gif, jpeg, png, webp, and this is "image/bmp"`},
		{lm.Media{Kind: lm.File, Data: []byte("x"), Name: "my_own  letter (2).v1.txt"}, `{"document":{"format":"txt","name":"my own letter (2) v1","source":{"bytes":"eA=="}}}`, ""},
		{lm.Media{Kind: lm.File, Data: []byte("{}"), Name: "data.json"}, `{"document":{"format":"txt","name":"data 2","source":{"bytes":"e30="}}}`, ""},
		{lm.Media{Kind: lm.File, Data: []byte("x"), Type: "text/csv"}, `{"document":{"format":"csv","name":"document 3","source":{"bytes":"eA=="}}}`, ""},
		{lm.Media{Kind: lm.Audio, Data: []byte("x"), Type: "audio/wav"}, `{"audio":{"format":"wav","source":{"bytes":"eA=="}}}`, ""},
	} {
		b, problem := m.media(&c.media, &n)
		if c.fails != "" {
			if !strings.Contains(problem, c.fails) {
				t.Errorf("the problem is %q, want %q", problem, c.fails)
			}
			continue
		}
		if got := encode(b); got != c.want {
			t.Errorf("sent %s, want %s (%s)", got, c.want, problem)
		}
	}
}

func TestFeatures(t *testing.T) {
	for model, want := range map[string]lm.Features{
		"us.anthropic.claude-sonnet-4-5-20250929-v1:0":                {Schema: true, Tools: true, Images: true, Files: true},
		"anthropic.claude-3-haiku-20240307-v1:0":                      {Tools: true, Images: true, Files: true},
		"amazon.nova-micro-v1:0":                                      {Tools: true},
		"us.amazon.nova-pro-v1:0":                                     {Tools: true, Images: true, Files: true},
		"us.meta.llama3-2-90b-instruct-v1:0":                          {Tools: true, Images: true, Files: true},
		"us.meta.llama3-3-70b-instruct-v1:0":                          {Tools: true, Files: true},
		"us.deepseek.r1-v1:0":                                         {Files: true},
		"openai.gpt-oss-20b-1:0":                                      {Schema: true, Tools: true},
		"qwen.qwen3-32b-v1:0":                                         {Schema: true, Tools: true},
		"arn:aws:bedrock:us-east-1:1:application-inference-profile/x": {Schema: true, Tools: true, Images: true, Files: true},
		"arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-6-v1": {Schema: true, Tools: true, Images: true, Files: true},
	} {
		m, err := New(Config{Model: model, Region: "us-east-1"})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Features(); got != want {
			t.Errorf("%s has %+v, want %+v", model, got, want)
		}
	}
}
