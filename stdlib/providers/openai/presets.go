package openai

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// own is the name of OpenAI's own preset.
const own = "openai"

// Preset is a server or service that speaks chat completions, and what it does in
// another way than OpenAI. What stands here is from its public documentation.
type Preset struct {
	Name    string
	Doc     string // one line
	BaseURL string // "" for a service that has another one for each customer
	// KeyVar is the environment variable of its key. It is sent to BaseURL only, so
	// a service without one has none either.
	KeyVar    string
	NeedKey   bool   // its server (the host of BaseURL, if it has one) answers nobody without a key
	KeyHeader string // the header that the key stands in; "" for a bearer token
	Example   string // a model's address
	Own       bool   // a server of one's own, at BaseURL on this machine unless told otherwise

	quirks
}

// quirks are what differs in chat completions.
type quirks struct {
	can func(model string) lm.Features // nil: all that the protocol has

	shortLimit      bool // the token limit is max_completion_tokens for every model
	seedName        bool // the seed is called random_seed
	anyChoice       bool // "required" is called "any"
	unnamedChoice   bool // a tool cannot be chosen by its name
	noStreamOptions bool // refuses stream_options, and reports the usage all the same
	wholeSchema     bool // cannot stream a reply that is held to a schema
	fileURLs        bool // a file may be at a URL
	effortObject    bool // the effort is reasoning.effort
}

// Presets returns all of them, OpenAI's own first.
func Presets() []Preset { return slices.Clone(presets) }

func preset(name string) (Preset, bool) {
	i := slices.IndexFunc(presets, func(p Preset) bool { return p.Name == name })
	if i < 0 {
		return Preset{}, false
	}
	return presets[i], true
}

var presets = []Preset{
	{
		Name: own, Doc: "OpenAI, and any server that speaks chat completions or Responses",
		BaseURL: DefaultBaseURL, KeyVar: KeyVariable, NeedKey: true, Example: "openai/gpt-4o-mini",
	},
	{
		// A resource has its own host, and a model is the name of a deployment. The v1
		// path needs no api-version; the key stands in api-key, as in all of Azure.
		Name: "azure", Doc: "OpenAI's models on Azure: base_url is https://RESOURCE.openai.azure.com/openai/v1, the model a deployment's name",
		NeedKey: true, KeyHeader: "api-key", Example: "azure/my-deployment",
	},
	{
		// A reasoning parser gives reasoning_content, or reasoning in newer versions.
		// Parts of type file are not known.
		Name: "vllm", Doc: "a vLLM server; http://localhost:8000/v1 unless base_url says otherwise",
		BaseURL: "http://localhost:8000/v1", Own: true, Example: "vllm/Qwen/Qwen3-8B",
		quirks: quirks{can: except(lm.Features{Files: true})},
	},
	{
		// Tools need the server's --jinja, pictures and sounds its --mmproj.
		Name: "llamacpp", Doc: "llama.cpp's server; http://localhost:8080/v1 unless base_url says otherwise",
		BaseURL: "http://localhost:8080/v1", Own: true, Example: "llamacpp/default",
		quirks: quirks{can: except(lm.Features{Files: true})},
	},
	{
		// response_format is json_schema or text, tool_choice one of three words.
		Name: "lmstudio", Doc: "LM Studio's server; http://localhost:1234/v1 unless base_url says otherwise",
		BaseURL: "http://localhost:1234/v1", Own: true, Example: "lmstudio/qwen3-8b",
		quirks: quirks{can: except(lm.Features{JSON: true, Audio: true, Files: true}), unnamedChoice: true},
	},
	{
		// Comments keep its streams alive; a failure of the server behind it comes with
		// status 200 in error, its status as the code. usage.cost is in US dollars.
		Name: "openrouter", Doc: "OpenRouter, a router to many services",
		BaseURL: "https://openrouter.ai/api/v1", KeyVar: "OPENROUTER_API_KEY", NeedKey: true, Example: "openrouter/openai/gpt-4o-mini",
		quirks: quirks{fileURLs: true, effortObject: true},
	},
	{
		// max_tokens is deprecated. Some models can be held to a schema, but then not
		// stream; older ones give the usage of a stream in x_groq.
		Name: "groq", Doc: "Groq", BaseURL: "https://api.groq.com/openai/v1", KeyVar: "GROQ_API_KEY", NeedKey: true, Example: "groq/openai/gpt-oss-20b",
		quirks: quirks{can: groq, shortLimit: true, wholeSchema: true},
	},
	{
		Name: "together", Doc: "Together AI", BaseURL: "https://api.together.ai/v1", KeyVar: "TOGETHER_API_KEY", NeedKey: true, Example: "together/meta-llama/Llama-3.3-70B-Instruct-Turbo",
		quirks: quirks{can: except(lm.Features{Audio: true, Files: true})},
	},
	{
		// A reply can be held to JSON if the prompt asks for JSON as well, and to no
		// schema. While it waits it sends blank lines and comments. What it had cached
		// is in prompt_cache_hit_tokens.
		Name: "deepseek", Doc: "DeepSeek", BaseURL: "https://api.deepseek.com", KeyVar: "DEEPSEEK_API_KEY", NeedKey: true, Example: "deepseek/deepseek-chat",
		quirks: quirks{can: func(string) lm.Features { return lm.Features{JSON: true, Tools: true} }},
	},
	{
		// A content may be a list, with what was thought in it. Sounds and documents
		// have forms of their own, which are not written here.
		Name: "mistral", Doc: "Mistral AI", BaseURL: "https://api.mistral.ai/v1", KeyVar: "MISTRAL_API_KEY", NeedKey: true, Example: "mistral/mistral-small-latest",
		quirks: quirks{can: except(lm.Features{Audio: true, Files: true}), seedName: true, anyChoice: true, noStreamOptions: true},
	},
}

// everything is what the protocol has a form for.
var everything = lm.Features{JSON: true, Schema: true, Tools: true, Images: true, Audio: true, Files: true}

// except returns what a server can do that lacks some of it.
func except(lacks lm.Features) func(string) lm.Features {
	return func(string) lm.Features {
		return lm.Features{
			JSON: !lacks.JSON, Schema: !lacks.Schema, Tools: !lacks.Tools,
			Images: !lacks.Images, Audio: !lacks.Audio, Files: !lacks.Files,
		}
	}
}

// groq says what Groq's models can do.
func groq(model string) lm.Features {
	can := lm.Features{JSON: true, Tools: true, Images: strings.Contains(model, "llama-4") || strings.Contains(model, "vision")}
	for _, family := range []string{"openai/gpt-oss", "moonshotai/kimi-k2", "meta-llama/llama-4"} {
		can.Schema = can.Schema || strings.HasPrefix(model, family)
	}
	return can
}

// features says what a model can do on p's server.
func (p Preset) features(model string) lm.Features {
	if p.can != nil {
		return p.can(model)
	}
	return known(model)
}
