package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// entryVersion is the version of a value's form. A value of another version is
// not read.
const entryVersion = 1

// envelope is a value.
type envelope struct {
	Version int             `json:"version"`
	SHA256  string          `json:"sha256"` // of Reply, in hexadecimal digits
	Reply   json.RawMessage `json:"reply"`
}

// reply is an lm.Response as it is kept. What the provider sent word for word is
// not, and neither is what it cost.
type reply struct {
	Text      string     `json:"text"`
	Reasoning string     `json:"reasoning,omitempty"`
	ToolCalls []toolCall `json:"tool_calls,omitempty"`
	Finish    lm.Finish  `json:"finish"`
	Usage     lm.Usage   `json:"usage"`
	Model     string     `json:"model,omitempty"`
	Address   string     `json:"address,omitempty"`
}

// toolCall is an lm.ToolCall whose arguments are text: a model may write what is
// no JSON.
type toolCall struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// keeps reports whether a reply is whole, so that it may stand for later ones.
func keeps(r *lm.Response) bool {
	return !r.Cached && (r.Finish == lm.FinishStop || r.Finish == lm.FinishTools) && (r.Text != "" || len(r.ToolCalls) > 0)
}

// encode writes a value. The error says that JSON cannot hold the reply.
func encode(r *lm.Response) ([]byte, error) {
	kept := reply{
		Text: r.Text, Reasoning: r.Reasoning, Finish: r.Finish, Usage: r.Usage, Model: r.Model, Address: r.Address,
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
	body, err := plainJSON(kept)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	return plainJSON(envelope{entryVersion, hex.EncodeToString(sum[:]), body})
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

// decode reads a value. The error says why it is no reply.
func decode(value []byte) (*lm.Response, error) {
	var e envelope
	if err := json.Unmarshal(value, &e); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	if e.Version != entryVersion {
		return nil, fmt.Errorf("it has the version %d, and %d is known", e.Version, entryVersion)
	}
	if sum := sha256.Sum256(e.Reply); hex.EncodeToString(sum[:]) != e.SHA256 {
		return nil, errors.New("its checksum is wrong")
	}
	var kept reply
	if err := json.Unmarshal(e.Reply, &kept); err != nil {
		return nil, fmt.Errorf("its reply is not one: %w", err)
	}
	r := &lm.Response{
		Text: kept.Text, Reasoning: kept.Reasoning, Finish: kept.Finish, Usage: kept.Usage, Model: kept.Model, Address: kept.Address,
		Cached: true, Cost: new(float64),
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
