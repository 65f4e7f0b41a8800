package openai

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// output is the body of a success over the Responses protocol.
type output struct {
	Model      string          `json:"model"`
	Status     string          `json:"status"` // completed, incomplete, failed, and others while it is written
	Output     []item          `json:"output"`
	Error      json.RawMessage `json:"error"`
	Incomplete *struct {
		Reason string `json:"reason"`
	} `json:"incomplete_details"`
	Usage *struct {
		InputTokens  int `json:"input_tokens"`
		OutputTokens int `json:"output_tokens"`
		InputDetails *struct {
			CachedTokens int `json:"cached_tokens"`
		} `json:"input_tokens_details"`
		OutputDetails *struct {
			ReasoningTokens int `json:"reasoning_tokens"`
		} `json:"output_tokens_details"`
	} `json:"usage"`
}

// item is a message, what the model thought, or a call of a tool. Items of other
// types, which are the server's own tools, are passed over.
type item struct {
	Type      string       `json:"type"`
	Content   []saying     `json:"content"` // message, reasoning
	Summary   []saying     `json:"summary"` // reasoning
	CallID    string       `json:"call_id"` // function_call
	Name      string       `json:"name"`
	Arguments argumentText `json:"arguments"`
}

type saying struct {
	Type    string `json:"type"`
	Text    string `json:"text"`
	Refusal string `json:"refusal"`
}

// paragraph stands between pieces of what the model thought.
const paragraph = "\n\n"

// wholeOutput reads a reply that came in one piece, and gives it so.
func (m *Model) wholeOutput(o *output, raw json.RawMessage, req *lm.Request) (*lm.Response, error) {
	resp, err := m.readOutput(o, raw, req)
	if err == nil {
		lm.Whole(req, resp)
	}
	return resp, err
}

// readOutput turns a reply to req into a Response.
func (m *Model) readOutput(o *output, raw json.RawMessage, req *lm.Request) (*lm.Response, error) {
	if failure := m.failed(o.Error); failure != nil {
		return nil, failure
	}
	if o.Status == "failed" || o.Status == "cancelled" {
		return nil, m.endpoint.Fail(lm.KindServer, "the server reports the reply as "+o.Status, nil)
	}
	if o.Output == nil {
		return nil, m.endpoint.Malformed(raw, "the reply has no output", nil)
	}
	resp := &lm.Response{Finish: lm.FinishStop, Model: o.Model, Raw: raw}
	var text, refusal strings.Builder
	var thoughts []string
	messages := 0
	for _, it := range o.Output {
		switch it.Type {
		case "message":
			messages++
			for _, s := range it.Content {
				switch s.Type {
				case "output_text", "text":
					text.WriteString(s.Text)
				case "refusal":
					refusal.WriteString(s.Refusal)
				}
			}
		case "reasoning":
			for _, s := range append(it.Summary, it.Content...) {
				if s.Text != "" {
					thoughts = append(thoughts, s.Text)
				}
			}
		case "function_call":
			resp.ToolCalls = append(resp.ToolCalls, lm.ToolCall{ID: it.CallID, Name: it.Name, Arguments: arguments(string(it.Arguments))})
		}
	}
	resp.Text, resp.Reasoning = text.String(), strings.Join(thoughts, paragraph)
	if o.Status == "incomplete" {
		resp.Finish = "incomplete"
		if o.Incomplete != nil {
			resp.Finish = incomplete(o.Incomplete.Reason)
		}
	}
	if resp.Text == "" && refusal.Len() > 0 {
		resp.Text, resp.Finish = refusal.String(), lm.FinishFilter
	}
	settle(resp, req)
	if messages == 0 && len(resp.ToolCalls) == 0 && resp.Finish == lm.FinishStop {
		return nil, m.endpoint.Malformed(raw, "the reply's output holds no message", nil)
	}
	if u := o.Usage; u != nil && u.InputTokens+u.OutputTokens > 0 {
		resp.Usage = lm.Usage{InputTokens: u.InputTokens, OutputTokens: u.OutputTokens}
		if u.InputDetails != nil {
			resp.Usage.CachedTokens = u.InputDetails.CachedTokens
		}
		if u.OutputDetails != nil {
			resp.Usage.ReasoningTokens = u.OutputDetails.ReasoningTokens
		}
	} else {
		resp.Usage = lm.EstimateUsage(req.Messages, resp.Reasoning+resp.Text)
	}
	return resp, nil
}

// incomplete maps the protocol's reasons; one it does not have is passed on.
func incomplete(reason string) lm.Finish {
	switch reason {
	case "max_output_tokens":
		return lm.FinishLength
	case "content_filter":
		return lm.FinishFilter
	}
	return lm.Finish(reason)
}

// failed is the failure that a response or an event reports, or nil.
func (m *Model) failed(report json.RawMessage) *lm.Error {
	var f struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if len(report) == 0 || string(report) == "null" || json.Unmarshal(report, &f) != nil || f.Message == "" {
		return nil
	}
	kind := lm.KindReply
	switch f.Code {
	case "server_error":
		kind = lm.KindServer
	case "rate_limit_exceeded":
		kind = lm.KindRateLimit
	case "invalid_prompt", "insufficient_quota":
		kind = lm.KindRequest
	}
	return m.endpoint.Fail(kind, "the server answered with an error instead of a reply: "+f.Message, nil)
}

// semantic is an event of a stream. The last one has the whole response; what else
// comes between the pieces is passed over.
type semantic struct {
	Type         string          `json:"type"`
	Delta        string          `json:"delta"`
	ItemID       string          `json:"item_id"`
	SummaryIndex int             `json:"summary_index"`
	ContentIndex int             `json:"content_index"`
	Response     json.RawMessage `json:"response"`
	Error        json.RawMessage `json:"error"` // some servers put an error event's content here
}

// saidSoFar is a response while it is written.
type saidSoFar struct {
	model     *Model
	tell      func(lm.Delta)
	text      strings.Builder
	reasoning strings.Builder
	thought   place // of the last piece of reasoning
	response  json.RawMessage
}

// place is where a piece of reasoning stands.
type place struct {
	item             string
	summary, content int
}

// streamResponse makes one response and gives the pieces as they come.
func (m *Model) streamResponse(ctx context.Context, body *creation, req *lm.Request) (*lm.Response, error) {
	s := &saidSoFar{model: m, tell: req.OnDelta}
	plain := false
	err := m.endpoint.Events(ctx, body, func(name string, data []byte) error {
		if name == wire.NameJSON {
			plain = true
			s.response = append(s.response, data...)
			return nil
		}
		return s.take(data)
	})
	if err != nil {
		return nil, err
	}
	if s.response == nil {
		return nil, m.endpoint.Malformed(nil, "the stream ended before the reply did", nil)
	}
	var o output
	if err := json.Unmarshal(s.response, &o); err != nil {
		return nil, m.endpoint.Malformed(s.response, "the reply is no response", err)
	}
	if plain {
		return m.wholeOutput(&o, s.response, req)
	}
	return s.finish(&o, req)
}

// take adds an event to the response.
func (s *saidSoFar) take(data []byte) error {
	if len(data) == 0 || string(data) == "[DONE]" {
		return nil
	}
	var e semantic
	// An event that is passed over may have fields of other types.
	if err := json.Unmarshal(data, &e); err != nil && !json.Valid(data) {
		return s.model.endpoint.Malformed(data, "an event of the stream is no JSON", err)
	}
	switch e.Type {
	case "response.output_text.delta", "response.refusal.delta":
		s.text.WriteString(e.Delta)
		s.give(lm.Delta{Text: e.Delta})
	case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
		at := place{e.ItemID, e.SummaryIndex, e.ContentIndex}
		if s.reasoning.Len() > 0 && at != s.thought {
			e.Delta = paragraph + e.Delta
		}
		s.thought = at
		s.reasoning.WriteString(e.Delta)
		s.give(lm.Delta{Reasoning: e.Delta})
	case "response.function_call_arguments.delta":
		s.tell(lm.Delta{})
	case "response.completed", "response.incomplete", "response.failed":
		s.response = append(json.RawMessage{}, e.Response...)
		return wire.ErrEnd
	case "error":
		report := json.RawMessage(data)
		if len(e.Error) > 0 && e.Error[0] == '{' {
			report = e.Error
		}
		if failure := s.model.failed(report); failure != nil {
			return failure
		}
		return s.model.endpoint.Malformed(data, "the server answered with an error instead of a reply", nil)
	}
	return nil
}

func (s *saidSoFar) give(d lm.Delta) {
	if d != (lm.Delta{}) {
		s.tell(d)
	}
}

// finish reads the whole response that ends a stream. Where it differs from the
// pieces, the pieces count, because they have been seen; where there were none, it
// is given as one.
func (s *saidSoFar) finish(o *output, req *lm.Request) (*lm.Response, error) {
	if len(o.Output) == 0 && s.text.Len() > 0 {
		o.Output = []item{{Type: "message", Content: []saying{{Type: "output_text", Text: s.text.String()}}}}
	}
	resp, err := s.model.readOutput(o, s.response, req)
	if err != nil {
		return nil, err
	}
	var rest lm.Delta
	if s.text.Len() > 0 {
		resp.Text = s.text.String()
	} else {
		rest.Text = resp.Text
	}
	if s.reasoning.Len() > 0 {
		resp.Reasoning = s.reasoning.String()
	} else {
		rest.Reasoning = resp.Reasoning
	}
	s.give(rest)
	return resp, nil
}
