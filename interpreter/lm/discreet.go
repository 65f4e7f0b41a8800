package lm

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"net/url"
	"slices"
	"strings"
)

// Redacted stands where WithSecrets took a secret away.
const Redacted = "[redacted]"

// The lengths in bytes from which a secret is taken away: in failures, which are
// about the call, and in replies, whose words might be the same by chance.
const (
	shortestInFailure = 4
	shortestInReply   = 8
)

// WithSecrets keeps secrets that m is called with (its key, what its URL holds)
// out of everything that it says: a server can put what it was sent into a
// failure, and into a reply. It belongs next to the provider, inside all other
// wrappers, so that nobody sees more.
func WithSecrets(m LM, secrets []string) LM {
	d := &discreet{LM: m}
	for _, s := range secrets {
		if len(s) < shortestInFailure {
			continue
		}
		for _, form := range forms(s) {
			if !slices.Contains(d.secrets, form) {
				d.secrets = append(d.secrets, form)
			}
		}
	}
	if d.secrets == nil {
		return m
	}
	slices.SortFunc(d.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return d
}

// forms returns a text as it is and as JSON, HTML and URLs write it.
func forms(s string) []string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text can always be written
	bare := strings.Trim(strings.TrimSpace(b.String()), `"`)
	careful, _ := json.Marshal(s)
	return []string{
		s, bare, strings.Trim(string(careful), `"`), html.EscapeString(s), html.EscapeString(bare),
		url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte(s)),
	}
}

type discreet struct {
	LM
	secrets []string // the longest first
}

func (d *discreet) Generate(ctx context.Context, req *Request) (*Response, error) {
	flush := func() {}
	if req.OnDelta != nil {
		c := *req
		c.OnDelta, flush = d.pieces(req.OnDelta)
		req = &c
	}
	resp, err := d.LM.Generate(ctx, req)
	flush()
	if err != nil {
		e := asError(ctx, d.LM, err)
		e.Message, e.Endpoint = d.without(e.Message, 0), d.without(e.Endpoint, 0)
		if e.Err != nil {
			if text := e.Err.Error(); d.without(text, 0) != text {
				e.Err = errors.New(d.without(text, 0))
			}
		}
		return nil, e
	}
	c := *resp
	c.Text, c.Model = d.without(c.Text, shortestInReply), d.without(c.Model, shortestInReply)
	c.Reasoning = d.without(c.Reasoning, shortestInReply)
	c.ToolCalls = slices.Clone(c.ToolCalls)
	for i, call := range c.ToolCalls {
		c.ToolCalls[i].Arguments = json.RawMessage(d.without(string(call.Arguments), shortestInReply))
	}
	if raw := string(c.Raw); d.without(raw, shortestInReply) != raw {
		c.Raw = nil // as JSON it might not survive
	}
	return &c, nil
}

// without returns text without the secrets that are at least so long.
func (d *discreet) without(text string, least int) string {
	for _, s := range d.secrets {
		if len(s) >= least {
			text = strings.ReplaceAll(text, s, Redacted)
		}
	}
	return text
}

// pieces returns what takes the pieces of a reply and passes them on without secrets,
// and what passes on the rest. The end of a piece that may be the beginning of a secret is
// kept back until the next one tells.
func (d *discreet) pieces(pass func(Delta)) (take func(Delta), flush func()) {
	var text, reasoning string
	take = func(x Delta) {
		if x.Restart {
			text, reasoning = "", ""
		}
		text, reasoning = d.without(text+x.Text, shortestInReply), d.without(reasoning+x.Reasoning, shortestInReply)
		n, m := len(text)-d.begun(text), len(reasoning)-d.begun(reasoning)
		out := Delta{Text: text[:n], Reasoning: reasoning[:m], Restart: x.Restart}
		text, reasoning = text[n:], reasoning[m:]
		if out != (Delta{}) {
			pass(out)
		}
	}
	return take, func() {
		if text != "" || reasoning != "" {
			pass(Delta{Text: text, Reasoning: reasoning})
		}
	}
}

// begun returns how many bytes at the end of a text are the beginning of a secret.
func (d *discreet) begun(text string) int {
	longest := 0
	for _, s := range d.secrets {
		if len(s) < shortestInReply {
			continue
		}
		for n := min(len(s)-1, len(text)); n > longest; n-- {
			if strings.HasSuffix(text, s[:n]) {
				longest = n
				break
			}
		}
	}
	return longest
}
