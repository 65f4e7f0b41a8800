// Package providers lists the sources of models and opens them.
//
//	openai     any server that speaks chat completions
//	anthropic  the Messages API
//	builtin    a small baseline in the process, with no key and no network
//	scripted   replies from a file, for tests
package providers

import (
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/stdlib/providers/anthropic"
	"github.com/dspi-lang/dspi/stdlib/providers/builtin"
	"github.com/dspi-lang/dspi/stdlib/providers/openai"
	"github.com/dspi-lang/dspi/stdlib/providers/scripted"
)

// Config is what a provider is told.
type Config struct {
	Provider string
	Model    string
	BaseURL  string // "" for the provider's own
	Key      string // "" for none
}

type entry struct {
	universe.Provider
	open func(Config) (lm.LM, error)
}

var entries = []entry{
	{
		universe.Provider{Name: "openai", Doc: "OpenAI, and any server that speaks chat completions", KeyVar: openai.KeyVariable, NeedKey: true, Example: "openai/gpt-4o-mini"},
		func(c Config) (lm.LM, error) {
			return openai.New(openai.Config{Model: c.Model, BaseURL: c.BaseURL, Key: c.Key})
		},
	},
	{
		universe.Provider{Name: "anthropic", Doc: "Anthropic's Messages API", KeyVar: anthropic.KeyVariable, NeedKey: true, Example: "anthropic/claude-sonnet-4-5"},
		func(c Config) (lm.LM, error) {
			return anthropic.New(anthropic.Config{Model: c.Model, BaseURL: c.BaseURL, Key: c.Key})
		},
	},
	{
		universe.Provider{Name: "builtin", Doc: "a small baseline in the process: no key, no network, and no language model", Example: "builtin/" + builtin.Name, Models: []string{builtin.Name}, Free: true},
		func(c Config) (lm.LM, error) { return builtin.New(c.Model) },
	},
	{
		universe.Provider{Name: "scripted", Doc: "replies from a file, for tests", Example: "scripted/replies.jsonl", Free: true},
		func(c Config) (lm.LM, error) { return scripted.Open(c.Model) },
	},
}

// All returns what the universe says of the providers.
func All() []universe.Provider {
	out := make([]universe.Provider, len(entries))
	for i, e := range entries {
		out[i] = e.Provider
	}
	return out
}

// Open returns a model of a provider. The error says what is wrong with the
// configuration; no request is made.
func Open(c Config) (lm.LM, error) {
	for _, e := range entries {
		if e.Name == c.Provider {
			return e.open(c)
		}
	}
	return nil, fmt.Errorf("no provider is called %q", c.Provider)
}
