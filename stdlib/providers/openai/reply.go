package openai

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// reply is the body of a success. A server that only passes calls on may answer
// 200 and put the failure of the server behind it into error.
type reply struct {
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *struct {
		PromptTokens     int `json:"prompt_tokens"`
		CompletionTokens int `json:"completion_tokens"`
	} `json:"usage"`
	Error json.RawMessage `json:"error"`
}

type choice struct {
	FinishReason string `json:"finish_reason"`
	Message      *struct {
		Content content `json:"content"`
		Refusal string  `json:"refusal"`
	} `json:"message"`
}

// content is a message's text: a string, a list of parts of which those of type
// text count, or null, which is as good as absent.
type content struct {
	text  string
	given bool
}

func (c *content) UnmarshalJSON(data []byte) error {
	c.given = !bytes.Equal(data, []byte("null"))
	switch {
	case !c.given:
		return nil
	case data[0] == '[':
		var parts []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		}
		if err := json.Unmarshal(data, &parts); err != nil {
			return err
		}
		var b strings.Builder
		for _, p := range parts {
			if p.Type == "text" || p.Type == "output_text" {
				b.WriteString(p.Text)
			}
		}
		c.text = b.String()
		return nil
	}
	return json.Unmarshal(data, &c.text)
}

// read turns a reply to req into a Response.
func (m *Model) read(raw json.RawMessage, req *lm.Request) (*lm.Response, error) {
	var r reply
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, m.endpoint.Malformed(raw, "the reply is no chat completion", err)
	}
	if len(r.Choices) == 0 {
		if failure := m.forwarded(raw, r.Error); failure != nil {
			return nil, failure
		}
		return nil, m.endpoint.Malformed(raw, "the reply has no choices", nil)
	}
	c := r.Choices[0]
	if c.Message == nil {
		return nil, m.endpoint.Malformed(raw, "the reply's first choice has no message", nil)
	}
	resp := &lm.Response{Text: c.Message.Content.text, Finish: finish(c.FinishReason), Model: r.Model, Raw: raw}
	switch {
	case resp.Text == "" && c.Message.Refusal != "":
		resp.Text, resp.Finish = c.Message.Refusal, lm.FinishFilter
	case !c.Message.Content.given && resp.Finish != lm.FinishLength && resp.Finish != lm.FinishFilter:
		return nil, m.endpoint.Malformed(raw, "the reply's message has no content", nil)
	}
	if r.Usage != nil {
		resp.Usage = lm.Usage{InputTokens: r.Usage.PromptTokens, OutputTokens: r.Usage.CompletionTokens}
	} else {
		resp.Usage = lm.EstimateUsage(req.Messages, resp.Text)
	}
	return resp, nil
}

// finish maps the protocol's reasons; one it does not have is passed on.
func finish(reason string) lm.Finish {
	switch reason {
	case "stop":
		return lm.FinishStop
	case "length":
		return lm.FinishLength
	case "content_filter":
		return lm.FinishFilter
	}
	return lm.Finish(reason)
}

// forwarded is the failure that a reply with status 200 reports in error, or nil
// when it reports none. Routers put the HTTP status they were given into code.
func (m *Model) forwarded(raw, report json.RawMessage) *lm.Error {
	c := complaint(raw)
	if len(report) == 0 || c.Message == "" {
		return nil
	}
	var status struct {
		Code int `json:"code"`
	}
	if json.Unmarshal(report, &status) != nil || status.Code < 400 || status.Code > 599 {
		return m.endpoint.Fail(lm.KindReply, "the server answered with an error instead of a reply: "+c.Message, nil)
	}
	f := m.endpoint.Fail(wire.KindOf(status.Code), c.Message, nil)
	f.Status = status.Code
	if c.Final && f.Retryable() {
		f.Kind = lm.KindRequest
	}
	return f
}

// exhausted are the codes under which 429 means that no waiting helps: there is
// no money left.
var exhausted = []string{"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}

// complaint reads an error reply: {"error": {"message": …}}, and the forms that
// compatible servers use instead: {"error": "…"}, {"message": "…"}, {"detail": "…"}.
func complaint(body []byte) wire.Complaint {
	var r struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  json.RawMessage `json:"detail"`
	}
	// A field of another type than expected leaves the others readable.
	_ = json.Unmarshal(body, &r)
	var full struct {
		Message string          `json:"message"`
		Type    string          `json:"type"`
		Code    json.RawMessage `json:"code"` // a string, a number or null
	}
	_ = json.Unmarshal(r.Error, &full)
	c := wire.Complaint{
		Message: full.Message,
		Final:   slices.Contains(exhausted, full.Type) || slices.Contains(exhausted, strings.Trim(string(full.Code), `"`)),
	}
	if c.Message == "" {
		_ = json.Unmarshal(r.Error, &c.Message)
	}
	if c.Message == "" {
		c.Message = r.Message
	}
	if c.Message == "" && json.Unmarshal(r.Detail, &c.Message) != nil {
		c.Message = string(r.Detail)
	}
	return c
}
