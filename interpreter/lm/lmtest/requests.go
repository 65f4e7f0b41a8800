package lmtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// The schema of the tool and of the reply in Requests.
const (
	toolSchema  = `{"type":"object","properties":{"place":{"type":"string"}},"required":["place"],"additionalProperties":false}`
	replySchema = `{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}`
)

// weather is the tool of Requests.
func weather() lm.Tool {
	return lm.Tool{Name: "weather", Description: "The weather at a place.", Parameters: json.RawMessage(toolSchema)}
}

// Requests returns what a provider may be asked beyond text, by the names that
// Dialect.Bodies uses:
//
//	image, image URL, audio, audio URL, file, file URL
//	tools, strict tools, tools required, tools none, tools named, tool results
//	schema, json, effort
func Requests() map[string]*lm.Request {
	media := func(m lm.Media) *lm.Request {
		return &lm.Request{Messages: []lm.Message{{Role: lm.User, Parts: []lm.Part{{Text: "What is this?"}, {Media: &m}}}}}
	}
	tools := func(choice string, strict bool) *lm.Request {
		req := Ask("How is the weather in Rome?")
		req.Tools, req.ToolChoice = []lm.Tool{weather()}, choice
		req.Tools[0].Strict = strict
		return req
	}
	results := tools("", false)
	results.Messages = append(results.Messages,
		lm.Message{Role: lm.Assistant, Content: "I look.", ToolCalls: []lm.ToolCall{
			{ID: "call_1", Name: "weather", Arguments: json.RawMessage(`{"place":"Rome"}`)},
			{ID: "call_2", Name: "weather", Arguments: json.RawMessage(`{"place":"Oslo"}`)},
		}},
		lm.Message{Role: lm.ToolRole, ToolCallID: "call_1", Content: "sunny"},
		lm.Message{Role: lm.ToolRole, ToolCallID: "call_2", Content: `{"sky":"grey"}`})
	form := func(schema string) *lm.Request {
		req := Ask("Who is it?")
		req.Format = &lm.Format{Name: "Person"}
		if schema != "" {
			req.Format.Schema = json.RawMessage(schema)
		}
		return req
	}
	effort := Ask("Think.")
	effort.ReasoningEffort = "low"
	return map[string]*lm.Request{
		"image":          media(lm.Media{Kind: lm.Image, Data: []byte("\x89PNG\r\n\x1a\n"), Type: "image/png"}),
		"image URL":      media(lm.Media{Kind: lm.Image, URL: "https://example.com/cat.png"}),
		"audio":          media(lm.Media{Kind: lm.Audio, Data: []byte("RIFF\x04\x00\x00\x00WAVE"), Type: "audio/wav"}),
		"audio URL":      media(lm.Media{Kind: lm.Audio, URL: "https://example.com/a.wav"}),
		"file":           media(lm.Media{Kind: lm.File, Data: []byte("%PDF-1.4\n"), Type: "application/pdf", Name: "letter.pdf"}),
		"file URL":       media(lm.Media{Kind: lm.File, URL: "https://example.com/letter.pdf"}),
		"tools":          tools("", false),
		"strict tools":   tools("", true),
		"tools required": tools("required", false),
		"tools none":     tools("none", false),
		"tools named":    tools("weather", false),
		"tool results":   results,
		"schema":         form(replySchema),
		"json":           form(""),
		"effort":         effort,
	}
}

// bodies: what is asked beyond text is sent in the documented form, or refused
// before anything is sent.
func (d Dialect) bodies(t *testing.T) {
	requests := Requests()
	for name := range d.Bodies {
		if requests[name] == nil && name != "stream" {
			t.Errorf("the dialect has a body for %q, which is no request of the suite", name)
		}
	}
	for name, req := range requests {
		t.Run(name, func(t *testing.T) {
			var got []byte
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, body []byte, _ int) {
				got = body
				say(w, 200, d.Reply(said("ok")))
			})
			_, err := d.model(t, s.URL, testKey).Generate(t.Context(), req)
			want, ok := d.Bodies[name]
			if !ok {
				e := wantKind(t, err, lm.KindRequest)
				if s.calls.Load() != 0 {
					t.Error("what the model lacks was sent all the same")
				}
				if e.Message == "" {
					t.Error("the refusal does not say what is lacking")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			holds(t, got, want)
			if !reflect.DeepEqual(req, Requests()[name]) {
				t.Error("the request was changed")
			}
		})
	}
}

// stop: where the protocol has no stop texts, they are refused and not left out.
func (d Dialect) stop(t *testing.T) {
	req := Ask("hello")
	req.Stop = []string{"END"}
	_, err := d.model(t, "http://127.0.0.1:1", testKey).Generate(t.Context(), req)
	wantKind(t, err, lm.KindRequest)
}

// holds checks that body has all the fields of the object want, with their values.
func holds(t *testing.T, body []byte, want string) {
	t.Helper()
	var got, fields map[string]any
	for _, x := range []struct {
		text string
		into *map[string]any
	}{{string(body), &got}, {want, &fields}} {
		dec := json.NewDecoder(strings.NewReader(x.text))
		dec.UseNumber()
		if err := dec.Decode(x.into); err != nil {
			t.Fatalf("%v in %s", err, x.text)
		}
	}
	for name, value := range fields {
		if !reflect.DeepEqual(got[name], value) {
			have, _ := json.Marshal(got[name])
			wish, _ := json.Marshal(value)
			t.Errorf("the body's %q is\n%s\nwant\n%s", name, have, wish)
		}
	}
}

// features: the model says of itself what the dialect says of it.
func (d Dialect) features(t *testing.T) {
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return d.Bodies[name] != "" })
	}
	want := lm.Features{
		JSON: has("json"), Schema: has("schema"), Tools: has("tools"),
		Images: has("image", "image URL"), Audio: has("audio", "audio URL"), Files: has("file", "file URL"),
	}
	if got := d.model(t, "http://127.0.0.1:1", testKey).Features(); got != want {
		t.Errorf("the features are %+v, and the suite sees %+v", got, want)
	}
	if d.Tools != want.Tools {
		t.Error("the dialect answers with calls of tools, and sends none, or the reverse")
	}
}

// asked returns an answer that asks for two tools.
func asked(text string) Answer {
	a := said(text)
	a.Finish = lm.FinishTools
	a.ToolCalls = []lm.ToolCall{
		{ID: "call_1", Name: "weather", Arguments: json.RawMessage(`{"place":"Rome \"vecchia\" é"}`)},
		{ID: "call_2", Name: "weather", Arguments: json.RawMessage(`{"place":"Oslo","days":[1,2]}`)},
	}
	return a
}

// toolCalls: the tools that a model asks for come back with their arguments.
func (d Dialect) toolCalls(t *testing.T) {
	for _, text := range []string{"", "I look."} {
		want := asked(text)
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) { say(w, 200, d.Reply(want)) })
		resp, err := d.model(t, s.URL, testKey).Generate(t.Context(), Requests()["tools"])
		if err != nil {
			t.Fatal(err)
		}
		d.wantTools(t, resp, want)
	}
}

// wantTools checks a reply that asks for tools.
func (d Dialect) wantTools(t *testing.T, resp *lm.Response, want Answer) {
	t.Helper()
	if resp.Finish != lm.FinishTools || resp.Text != want.Text {
		t.Errorf("the text is %q, ended by %q", resp.Text, resp.Finish)
	}
	if len(resp.ToolCalls) != len(want.ToolCalls) {
		t.Fatalf("%d calls of tools, want %d: %+v", len(resp.ToolCalls), len(want.ToolCalls), resp.ToolCalls)
	}
	ids := map[string]bool{}
	for i, got := range resp.ToolCalls {
		w := want.ToolCalls[i]
		if got.ID == "" || ids[got.ID] || got.ID != w.ID && !d.NoToolIDs {
			t.Errorf("call %d has the id %q, want %q", i, got.ID, w.ID)
		}
		ids[got.ID] = true
		if got.Name != w.Name || !sameJSON(got.Arguments, w.Arguments) {
			t.Errorf("call %d is %s(%s), want %s(%s)", i, got.Name, got.Arguments, w.Name, w.Arguments)
		}
	}
}

// sameJSON reports whether two JSON texts hold the same value.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y) || bytes.Equal(a, b)
}

// full returns an answer with all that the dialect can tell besides text.
func (d Dialect) full(text string) Answer {
	a := said(text)
	if d.Reasoning {
		a.Reasoning = "Let me think: ünïcödé.\nSo."
	}
	if d.Cached {
		a.Usage.CachedTokens = 5
	}
	if d.Kept {
		a.Usage.CacheWriteTokens = 2
	}
	if d.Thinking {
		a.Usage.ReasoningTokens = 3
	}
	return a
}

// wantFull checks a reply that has all of it.
func (d Dialect) wantFull(t *testing.T, resp *lm.Response, want Answer) {
	t.Helper()
	if resp.Text != want.Text || resp.Finish != want.Finish || resp.Reasoning != want.Reasoning || resp.Model == "" || len(resp.ToolCalls) != 0 {
		t.Errorf("the reply is %+v, want %+v", resp, want)
	}
	if resp.Usage != want.Usage {
		t.Errorf("the usage is %+v, want %+v", resp.Usage, want.Usage)
	}
}

// details: reasoning, and the tokens that were cached or not shown, are told.
func (d Dialect) details(t *testing.T) {
	want := d.full("Paris")
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) { say(w, 200, d.Reply(want)) })
	resp, err := d.model(t, s.URL, testKey).Generate(t.Context(), Ask("hello"))
	if err != nil {
		t.Fatal(err)
	}
	d.wantFull(t, resp, want)
}
