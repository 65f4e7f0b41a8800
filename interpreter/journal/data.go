package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/value"
)

// reply is an lm.Response as it is kept: all but what the provider sent word for
// word.
type reply struct {
	Text      string      `json:"text"`
	Reasoning string      `json:"reasoning,omitempty"`
	ToolCalls []toolCall  `json:"tool_calls,omitempty"`
	Finish    lm.Finish   `json:"finish"`
	Usage     lm.Usage    `json:"usage"`
	Model     string      `json:"model,omitempty"`
	Address   string      `json:"address,omitempty"`
	Cost      *float64    `json:"cost"`
	Cached    bool        `json:"cached,omitempty"`
	Also      []lm.Spent  `json:"also,omitempty"`
	Vectors   [][]float32 `json:"vectors,omitempty"`
}

// toolCall is an lm.ToolCall whose arguments are text: a model may write what is
// no JSON.
type toolCall struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// EncodeReply writes a reply as Data. The error says that JSON cannot hold it.
func EncodeReply(r *lm.Response) ([]byte, error) {
	kept := reply{
		Text: r.Text, Reasoning: r.Reasoning, Finish: r.Finish, Usage: r.Usage, Model: r.Model, Address: r.Address,
		Cost: r.Cost, Cached: r.Cached, Also: r.Also, Vectors: r.Vectors,
	}
	texts := []string{r.Text, r.Reasoning, r.Model}
	for _, c := range r.ToolCalls {
		kept.ToolCalls = append(kept.ToolCalls, toolCall{c.ID, c.Name, string(c.Arguments)})
		texts = append(texts, c.ID, c.Name, string(c.Arguments))
	}
	for _, t := range texts {
		if !utf8.ValidString(t) {
			return nil, errors.New("the reply is not UTF-8")
		}
	}
	return plainJSON(kept)
}

// DecodeReply reads Data that EncodeReply wrote. The reply is Journaled.
func DecodeReply(data []byte) (*lm.Response, error) {
	var kept reply
	if err := json.Unmarshal(data, &kept); err != nil {
		return nil, fmt.Errorf("an entry of the journal is no reply: %w", err)
	}
	r := &lm.Response{
		Text: kept.Text, Reasoning: kept.Reasoning, Finish: kept.Finish, Usage: kept.Usage, Model: kept.Model, Address: kept.Address,
		Cost: kept.Cost, Cached: kept.Cached, Also: kept.Also, Vectors: kept.Vectors, Journaled: true,
	}
	for _, c := range kept.ToolCalls {
		call := lm.ToolCall{ID: c.ID, Name: c.Name}
		if c.Arguments != "" {
			call.Arguments = json.RawMessage(c.Arguments)
		}
		r.ToolCalls = append(r.ToolCalls, call)
	}
	return r, nil
}

// Outcome is what came of a call of a tool, of a question to a person, or of a
// whole run.
type Outcome struct {
	Outputs *value.Object // nil where there are none
	Error   string        // why a tool failed; "" where it did not
	Allowed bool          // what a person said
}

// outcome is an Outcome as it is kept.
type outcome struct {
	Outputs json.RawMessage `json:"outputs,omitempty"`
	Error   string          `json:"error,omitempty"`
	Allowed bool            `json:"allowed,omitempty"`
}

// EncodeOutcome writes an outcome as Data. The error says that JSON cannot hold it.
func EncodeOutcome(o Outcome) ([]byte, error) {
	kept := outcome{Error: o.Error, Allowed: o.Allowed}
	if o.Outputs != nil {
		kept.Outputs = value.EncodeJSON(o.Outputs)
		if !utf8.Valid(kept.Outputs) {
			return nil, errors.New("the outputs are not UTF-8")
		}
	}
	return plainJSON(kept)
}

// DecodeOutcome reads Data that EncodeOutcome wrote. The outputs are as JSON has
// them: whoever uses them brings them into their types.
func DecodeOutcome(data []byte) (Outcome, error) {
	var kept outcome
	if err := json.Unmarshal(data, &kept); err != nil {
		return Outcome{}, fmt.Errorf("an entry of the journal cannot be read: %w", err)
	}
	o := Outcome{Error: kept.Error, Allowed: kept.Allowed}
	if kept.Outputs == nil {
		return o, nil
	}
	v, err := value.DecodeJSON(kept.Outputs)
	if err != nil {
		return Outcome{}, fmt.Errorf("an entry of the journal cannot be read: %w", err)
	}
	o.Outputs, _ = v.(*value.Object)
	return o, nil
}

// plainJSON writes JSON with `<` and `&` as they are.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
