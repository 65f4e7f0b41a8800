package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
	PromptDetails    struct {
		CachedTokens int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionDetails struct {
		ReasoningTokens int `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

// usageOf adds up what several choices used. The prompt is counted once for each,
// since it was sent for each.
func usageOf(replies []*lm.Response) usage {
	var sum lm.Usage
	for _, r := range replies {
		sum = sum.Add(r.Usage)
	}
	u := usage{PromptTokens: sum.InputTokens, CompletionTokens: sum.OutputTokens, TotalTokens: sum.InputTokens + sum.OutputTokens}
	u.PromptDetails.CachedTokens = sum.CachedTokens
	u.CompletionDetails.ReasoningTokens = sum.ReasoningTokens
	return u
}

// replyMessage is the `message` of a choice, or the `delta` of a stream.
type replyMessage struct {
	Role      string     `json:"role,omitempty"`
	Content   *string    `json:"content"`
	Reasoning string     `json:"reasoning_content,omitempty"`
	ToolCalls []toolCall `json:"tool_calls,omitempty"`
}

type choice struct {
	Index        int           `json:"index"`
	Message      *replyMessage `json:"message,omitempty"`
	Delta        any           `json:"delta,omitempty"`
	Logprobs     any           `json:"logprobs"`
	FinishReason any           `json:"finish_reason"`
}

type body struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage,omitempty"`
}

func newBody(object, model string) body {
	var id [12]byte
	_, _ = rand.Read(id[:]) // never fails, crypto/rand says
	return body{ID: "chatcmpl-" + hex.EncodeToString(id[:]), Object: object, Created: time.Now().Unix(), Model: model, Choices: []choice{}}
}

// whole is the body of a reply that is not streamed.
func whole(model string, replies []*lm.Response, _ *lm.Request) body {
	b := newBody("chat.completion", model)
	for i, r := range replies {
		m := &replyMessage{Role: "assistant", Content: &r.Text, Reasoning: r.Reasoning, ToolCalls: calls(r, false)}
		if r.Text == "" && m.ToolCalls != nil {
			m.Content = nil
		}
		b.Choices = append(b.Choices, choice{Index: i, Message: m, FinishReason: finish(r)})
	}
	u := usageOf(replies)
	b.Usage = &u
	return b
}

func calls(r *lm.Response, indexed bool) []toolCall {
	var out []toolCall
	for i, c := range r.ToolCalls {
		x := toolCall{ID: c.ID, Type: "function"}
		if indexed {
			x.Index = &i
		}
		x.Function.Name, x.Function.Arguments = c.Name, string(c.Arguments)
		out = append(out, x)
	}
	return out
}

func finish(r *lm.Response) string {
	switch {
	case len(r.ToolCalls) > 0:
		return "tool_calls"
	case r.Finish == lm.FinishFilter:
		return "content_filter"
	case r.Finish == "":
		return "stop"
	}
	return string(r.Finish)
}

// stream answers with events as the model writes. A failure before the first piece
// is an ordinary one, with its status; later it is an event, since the status was
// sent.
func (g *Gateway) stream(w http.ResponseWriter, r *http.Request, m Model, c *completion, req *lm.Request, log *Done) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	e := &events{w: w, flush: http.NewResponseController(w), chunk: newBody("chat.completion.chunk", m.Name)}
	text := ""
	broken := false
	req.OnDelta = func(d lm.Delta) {
		switch {
		case broken:
		case d.Restart && e.begun:
			broken = true // what was sent cannot be taken back
			cancel()
		case d.Restart:
			text = ""
		case d.Text != "" || d.Reasoning != "":
			delta := map[string]any{}
			if d.Text != "" {
				delta["content"] = d.Text
				text += d.Text
			}
			if d.Reasoning != "" {
				delta["reasoning_content"] = d.Reasoning
			}
			if !e.delta(delta, nil) {
				cancel()
			}
		}
	}
	reply, err := m.LM.Generate(ctx, req)
	if err != nil {
		p := problemOf(err)
		switch {
		case broken:
			p = &problem{status: http.StatusBadGateway, kind: "api_error", code: "stream_broken",
				message: "the model's reply broke off in the middle; what came cannot be taken back, so the request must be sent again"}
		case r.Context().Err() != nil:
			log.Status, log.Err = 499, err
			return
		}
		log.Status, log.Err = p.status, p
		if !e.begun {
			refuse(w, p)
			return
		}
		e.send(p.body())
		return
	}
	log.Replies = []*lm.Response{reply}
	if rest := reply.Text[min(len(text), len(reply.Text)):]; rest != "" {
		e.delta(map[string]any{"content": rest}, nil)
	}
	if tools := calls(reply, true); tools != nil {
		e.delta(map[string]any{"tool_calls": tools}, nil)
	}
	e.delta(map[string]any{}, finish(reply))
	if c.StreamOptions != nil && c.StreamOptions.IncludeUsage {
		last := e.chunk
		last.Choices = []choice{}
		u := usageOf(log.Replies)
		last.Usage = &u
		e.send(last)
	}
	e.line("[DONE]")
}

// events writes server-sent events.
type events struct {
	w     http.ResponseWriter
	flush *http.ResponseController
	chunk body
	begun bool
	lost  bool // the client reads no more
}

// delta sends a piece of the reply and reports whether somebody reads.
func (e *events) delta(piece map[string]any, finish any) bool {
	if !e.begun {
		e.begun = true
		h := e.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-cache")
		e.w.WriteHeader(http.StatusOK)
		piece["role"] = "assistant"
	}
	c := e.chunk
	c.Choices = []choice{{Delta: piece, FinishReason: finish}}
	return e.send(c)
}

func (e *events) send(v any) bool {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		e.lost = true
		return false
	}
	return e.line(string(bytes.TrimRight(b.Bytes(), "\n")))
}

func (e *events) line(data string) bool {
	if e.lost {
		return false
	}
	_, err := e.w.Write([]byte("data: " + data + "\n\n"))
	if err == nil {
		err = e.flush.Flush()
	}
	e.lost = err != nil
	return !e.lost
}
