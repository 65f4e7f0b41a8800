// Package providers lists the sources of models and opens them.
//
//	openai     OpenAI, and any server that speaks chat completions or Responses
//	presets    servers and services that speak chat completions: azure, vllm,
//	           openrouter and others (openai.Presets)
//	anthropic  the Messages API
//	gemini     Google's Gemini API
//	ollama     Ollama's own protocol
//	bedrock    Converse of Amazon Bedrock
//	builtin    a small baseline in the process, with no key and no network
//	python     functions in Python that make vectors; a Runtime opens them
//	scripted   replies from a file, for tests
//
// Open opens a model that answers, OpenEmbedder one that makes vectors of texts:
// those that speak OpenAI's /embeddings, and builtin/hash.
package providers

import (
	"fmt"
	"os"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/stdlib/providers/anthropic"
	"github.com/dspi-lang/dspi/stdlib/providers/bedrock"
	"github.com/dspi-lang/dspi/stdlib/providers/builtin"
	"github.com/dspi-lang/dspi/stdlib/providers/gemini"
	"github.com/dspi-lang/dspi/stdlib/providers/ollama"
	"github.com/dspi-lang/dspi/stdlib/providers/openai"
	"github.com/dspi-lang/dspi/stdlib/providers/scripted"
)

// Config is what a provider is told.
type Config struct {
	Provider string
	Model    string
	API      string // the protocol of a provider that has two: openai.Chat or openai.Responses
	BaseURL  string // "" for the provider's own
	Key      string // "" for none
	// Getenv reads the environment, in which bedrock looks for its region and its
	// credentials; nil for os.Getenv.
	Getenv func(string) string
}

type entry struct {
	universe.Provider
	apis bool // it has more than one protocol
	open func(Config) (lm.LM, error)
	// embed opens a model that makes vectors; nil where the provider has none.
	embed func(Config) (lm.LM, error)
}

var entries = slices.Concat(presets()[:1], own, presets()[1:], local)

// own are the providers with a protocol of their own.
var own = []entry{
	{
		Provider: universe.Provider{Name: "anthropic", Doc: "Anthropic's Messages API", KeyVar: anthropic.KeyVariable, NeedKey: true, Example: "anthropic/claude-sonnet-4-5"},
		open: func(c Config) (lm.LM, error) {
			return anthropic.New(anthropic.Config{Model: c.Model, BaseURL: c.BaseURL, Key: c.Key})
		},
	},
	{
		Provider: universe.Provider{Name: "gemini", Doc: "Google's Gemini API", KeyVar: gemini.KeyVariable, NeedKey: true, Example: "gemini/gemini-2.5-flash", Embeds: true},
		open: func(c Config) (lm.LM, error) {
			return gemini.New(gemini.Config{Model: c.Model, BaseURL: c.BaseURL, Key: c.Key})
		},
		embed: func(c Config) (lm.LM, error) {
			return gemini.NewEmbedder(gemini.Config{Model: c.Model, BaseURL: c.BaseURL, Key: c.Key})
		},
	},
	{
		// No variable: OLLAMA_API_KEY is for ollama.com, and the server that is asked
		// when nothing is said is one's own.
		Provider: universe.Provider{Name: "ollama", Doc: "Ollama's own protocol, on localhost:11434 unless base_url says otherwise", Own: true, Example: "ollama/llama3.2", Embeds: true},
		open: func(c Config) (lm.LM, error) {
			return ollama.New(ollama.Config{Model: c.Model, BaseURL: c.BaseURL, Key: c.Key})
		},
		embed: func(c Config) (lm.LM, error) {
			return ollama.NewEmbedder(ollama.Config{Model: c.Model, BaseURL: c.BaseURL, Key: c.Key})
		},
	},
	{
		// No NeedKey: an access key does as well.
		Provider: universe.Provider{Name: "bedrock", Doc: "Amazon Bedrock's Converse; region and access key from AWS's variables", KeyVar: bedrock.KeyVariable, Example: "bedrock/amazon.nova-lite-v1:0"},
		open:     openBedrock,
	},
}

func openBedrock(c Config) (lm.LM, error) {
	getenv := c.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	b := bedrock.Environment(bedrock.Config{Model: c.Model, BaseURL: c.BaseURL, Key: c.Key}, getenv)
	m, err := bedrock.New(b)
	if err != nil {
		return nil, err
	}
	return lm.WithSecrets(m, []string{b.Key, b.SecretAccessKey, b.SessionToken}), nil
}

// local are the providers in the process.
var local = []entry{
	{
		Provider: universe.Provider{Name: "builtin", Doc: "a small baseline in the process: no key, no network, and no language model", Example: "builtin/" + builtin.Name, Models: []string{builtin.Name}, Free: true, Embeds: true, Embedders: []string{builtin.Hash}},
		open:     func(c Config) (lm.LM, error) { return builtin.New(c.Model) },
		embed:    func(c Config) (lm.LM, error) { return builtin.NewEmbedder(c.Model) },
	},
	{
		// Whoever runs Python opens it: see OpenEmbedder.
		Provider: universe.Provider{Name: "python", Doc: "a function in Python that makes vectors of texts", Example: "python/module:function", Free: true, Embeds: true, Mute: true},
		open:     openPython,
		embed: func(c Config) (lm.LM, error) {
			return nil, fmt.Errorf("python/%s is a function in Python, and nothing here runs Python", c.Model)
		},
	},
	{
		Provider: universe.Provider{Name: "scripted", Doc: "replies from a file, for tests", Example: "scripted/replies.jsonl", Free: true},
		open:     func(c Config) (lm.LM, error) { return scripted.Open(c.Model) },
	},
}

func openPython(c Config) (lm.LM, error) {
	return nil, fmt.Errorf("python/%s makes vectors and answers nothing", c.Model)
}

// presets returns the entries of the servers that speak OpenAI's protocols, OpenAI's
// own first.
func presets() []entry {
	var out []entry
	for _, p := range openai.Presets() {
		out = append(out, entry{
			Provider: universe.Provider{Name: p.Name, Doc: p.Doc, KeyVar: p.KeyVar, NeedKey: p.NeedKey, NeedURL: p.BaseURL == "", Own: p.Own, Example: p.Example, Embeds: openai.Embeds(p.Name)},
			apis:     true,
			open: func(c Config) (lm.LM, error) {
				return openai.New(openai.Config{Provider: c.Provider, Model: c.Model, API: c.API, BaseURL: c.BaseURL, Key: c.Key})
			},
			embed: func(c Config) (lm.LM, error) {
				return openai.NewEmbedder(openai.Config{Provider: c.Provider, Model: c.Model, BaseURL: c.BaseURL, Key: c.Key})
			},
		})
	}
	return out
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
		if e.Name != c.Provider {
			continue
		}
		if c.API != "" && !e.apis {
			return nil, fmt.Errorf("provider %s has one protocol: leave api out", c.Provider)
		}
		return e.open(c)
	}
	return nil, fmt.Errorf("no provider is called %q", c.Provider)
}

// OpenEmbedder returns a model that makes vectors of texts: an lm.LM that answers
// each message with one, in Response.Vectors. The error says what is wrong with the
// configuration; no request is made.
func OpenEmbedder(c Config) (lm.LM, error) {
	for _, e := range entries {
		switch {
		case e.Name != c.Provider:
		case !e.Embeds:
			return nil, fmt.Errorf("provider %s has no embeddings", c.Provider)
		default:
			return e.embed(c)
		}
	}
	return nil, fmt.Errorf("no provider is called %q", c.Provider)
}
