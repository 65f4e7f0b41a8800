package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// keyVersion is the version of the encoding below. A change of the encoding
// changes it, so that no old reply is found under a new key by accident.
const keyVersion = "dspi call 1"

// Call is all that can change a reply.
type Call struct {
	Model    string // the model's address: provider/name
	Endpoint string // the URL it is asked at; "" for the provider's own. Credentials in it do not count
	Adapter  string // the version of what writes prompts and reads replies
	Request  *lm.Request
}

// Key returns the key of a call.
func (c Call) Key() Key {
	w := &writer{buf: make([]byte, 0, 4096)}
	w.text("version", keyVersion)
	w.text("model", c.Model)
	w.text("endpoint", bareURL(c.Endpoint))
	w.text("adapter", c.Adapter)
	w.request(c.Request)
	return sha256.Sum256(w.buf)
}

// writer writes the encoding: names and texts with their lengths, lists with
// their counts. What is missing is written otherwise than what is empty.
type writer struct{ buf []byte }

func (w *writer) number(n uint64) { w.buf = binary.AppendUvarint(w.buf, n) }

func (w *writer) name(name string, kind byte) {
	w.number(uint64(len(name)))
	w.buf = append(append(w.buf, name...), kind)
}

func (w *writer) text(name, s string) {
	w.name(name, 't')
	w.number(uint64(len(s)))
	w.buf = append(w.buf, s...)
}

func (w *writer) bytes(name string, b []byte) {
	w.name(name, 't')
	w.number(uint64(len(b)))
	w.buf = append(w.buf, b...)
}

func (w *writer) whole(name string, n int) {
	w.name(name, 'n')
	w.number(uint64(n))
}

func (w *writer) flag(name string, b bool) {
	w.name(name, 'b')
	if b {
		w.number(1)
	} else {
		w.number(0)
	}
}

func (w *writer) float(name string, f float64) {
	w.name(name, 'f')
	w.number(math.Float64bits(f))
}

// list says how many of something follow.
func (w *writer) list(name string, n int) {
	w.name(name, 'l')
	w.number(uint64(n))
}

// missing says that there is none of something.
func (w *writer) missing(name string) { w.name(name, '-') }

// request writes every field of a request but OnDelta: TestEveryFieldCounts finds
// one that is forgotten.
func (w *writer) request(r *lm.Request) {
	w.list("messages", len(r.Messages))
	for _, m := range r.Messages {
		w.message(m)
	}
	w.params(r.Params)
	w.list("tools", len(r.Tools))
	for _, t := range r.Tools {
		w.text("name", t.Name)
		w.text("description", t.Description)
		w.bytes("parameters", t.Parameters)
		w.flag("strict", t.Strict)
	}
	w.text("tool_choice", r.ToolChoice)
	if f := r.Format; f == nil {
		w.missing("format")
	} else {
		w.text("format", f.Name)
		w.bytes("schema", f.Schema)
	}
	w.whole("rollout", r.Rollout)
}

func (w *writer) message(m lm.Message) {
	w.text("role", string(m.Role))
	w.text("content", m.Content)
	if m.Parts == nil {
		w.missing("parts")
	} else {
		w.list("parts", len(m.Parts))
	}
	for _, p := range m.Parts {
		w.text("text", p.Text)
		w.media(p.Media)
	}
	w.list("tool_calls", len(m.ToolCalls))
	for _, c := range m.ToolCalls {
		w.text("id", c.ID)
		w.text("name", c.Name)
		w.bytes("arguments", c.Arguments)
	}
	w.text("tool_call_id", m.ToolCallID)
}

func (w *writer) media(m *lm.Media) {
	if m == nil {
		w.missing("media")
		return
	}
	w.text("media", string(m.Kind))
	w.text("url", m.URL)
	w.text("type", m.Type)
	w.text("name", m.Name)
	if len(m.Data) == 0 {
		w.missing("data")
		return
	}
	sum := sha256.Sum256(m.Data)
	w.bytes("data", sum[:])
}

func (w *writer) params(p lm.Params) {
	floats := []struct {
		name string
		v    *float64
	}{{"temperature", p.Temperature}, {"top_p", p.TopP}}
	for _, f := range floats {
		if f.v == nil {
			w.missing(f.name)
		} else {
			w.float(f.name, *f.v)
		}
	}
	wholes := []struct {
		name string
		v    *int
	}{{"max_tokens", p.MaxTokens}, {"seed", p.Seed}}
	for _, n := range wholes {
		if n.v == nil {
			w.missing(n.name)
		} else {
			w.whole(n.name, *n.v)
		}
	}
	w.list("stop", len(p.Stop))
	for _, s := range p.Stop {
		w.text("stop", s)
	}
	w.text("reasoning_effort", p.ReasoningEffort)
}

// credentials are the names of parameters of a URL that say who asks, and not
// what is asked.
var credentials = []string{
	"key", "api_key", "api-key", "apikey", "token", "access_token", "auth", "authorization",
	"secret", "password", "sig", "signature", "subscription-key",
}

// bareURL returns a URL without who asks: two people at one endpoint make the
// same call.
func bareURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text // it is hashed, and never shown
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	values := u.Query()
	for name := range values {
		if slices.Contains(credentials, strings.ToLower(name)) {
			delete(values, name)
		}
	}
	u.RawQuery, u.ForceQuery = values.Encode(), false
	u.Host = strings.ToLower(u.Host)
	return strings.TrimRight(u.String(), "/")
}
