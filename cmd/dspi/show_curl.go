package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers"
)

// inProcess are the providers that send nothing.
var inProcess = []string{"builtin", "scripted"}

// showCurl prints the command that sends a call again. The request is described
// by the provider that made it; of the key only the name of its variable is known.
func (a *app) showCurl(ctx context.Context, run *hist.Whole, c *hist.Call) error {
	address := c.Model
	if c.Reply != nil && c.Reply.Answered != "" {
		address = c.Reply.Answered
	}
	i := slices.IndexFunc(run.Models, func(m hist.Model) bool { return m.Address == address })
	if i < 0 {
		return wrong("it is not known how %s was reached", address).say("The run does not name its server.")
	}
	m := run.Models[i]
	key := ""
	if m.KeyName != "" {
		key = "$" + m.KeyName
	}
	model, err := providers.Open(providers.Config{Provider: m.Provider, Model: m.ID, BaseURL: m.BaseURL, API: m.API, Key: key})
	if err != nil {
		return wrong("%s cannot be described", address).say("%v", err)
	}
	if slices.Contains(inProcess, m.Provider) {
		return wrong("a call of %s is no request over HTTP", address).say("The provider %s answers in this process.", m.Provider)
	}
	req, left := c.Request.LM()
	sent, err := lm.Describe(ctx, model, req)
	if err != nil {
		return wrong("the request cannot be described").say("%v", err)
	}
	fmt.Fprint(a.out, curl(sent))
	if left > 0 {
		a.note("the bytes of %s are not kept; the command has marks in their place", plural(left, "picture, sound or document"))
	}
	return nil
}

// curl writes a request as a command of a POSIX shell.
func curl(r *lm.HTTPRequest) string {
	var b strings.Builder
	fmt.Fprintf(&b, "curl -X %s %s", r.Method, expanding(r.URL))
	for _, h := range r.Header {
		fmt.Fprintf(&b, " \\\n  -H %s", expanding(h))
	}
	if len(r.Body) > 0 {
		fmt.Fprintf(&b, " \\\n  --data-binary %s", literal(string(r.Body)))
	}
	return b.String() + "\n"
}

// expanding quotes a text for a shell that shall put variables in: $OPENAI_API_KEY.
func expanding(s string) string {
	if !strings.Contains(s, "$") {
		return literal(s)
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`").Replace(s) + `"`
}

// literal quotes a text for a shell that shall leave it as it is.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
