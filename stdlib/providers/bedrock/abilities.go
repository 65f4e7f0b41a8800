package bedrock

import (
	"regexp"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/claude"
)

// What the names of models that are not Claude tell, from the tables of Bedrock's
// documentation. An ARN of a profile, or of a model that somebody brought, tells
// nothing: of such a model the server says what it lacks.
var (
	silent  = regexp.MustCompile(`^arn:.*(application-inference-profile|imported-model|custom-model|provisioned-model|custom-model-deployment)/`)
	noTools = regexp.MustCompile(`titan-text|deepseek\.r1|llama3-(8b|70b)-|mistral-7b|mixtral-8x7b|jamba-instruct|cohere\.command-(light-)?text`)
	sees    = regexp.MustCompile(`nova-(lite|pro|premier|2)|llama3-2-(11b|90b)|llama4|pixtral|mistral-large-3|ministral-3|qwen3-vl|gemma-3|kimi-k2\.5`)
	hears   = regexp.MustCompile(`voxtral|nova-2-omni`)
	reads   = regexp.MustCompile(`nova-(lite|pro|premier|2)|llama|mistral-(large|small)|cohere\.command-r|jamba|titan-text|deepseek`)
	held    = regexp.MustCompile(`(^|\.)(qwen|google|minimax|moonshotai?|nvidia)\.|deepseek\.v3|openai\.gpt-oss|mistral\.(magistral|ministral|mistral-large-3|voxtral)`)
)

// abilities returns what a model can do. Converse has no way to ask for JSON without a
// schema.
func abilities(name string, traits claude.Traits) lm.Features {
	if traits.Known {
		return lm.Features{Schema: traits.Schema, Tools: traits.Vision, Images: traits.Vision, Files: true}
	}
	if silent.MatchString(name) {
		return lm.Features{Schema: true, Tools: true, Images: true, Files: true}
	}
	return lm.Features{
		Schema: held.MatchString(name),
		Tools:  !noTools.MatchString(name),
		Images: sees.MatchString(name),
		Audio:  hears.MatchString(name),
		Files:  reads.MatchString(name),
	}
}

// nova2 and gptOSS are models other than Claude that are told how much to reason.
var (
	nova2  = regexp.MustCompile(`nova-2-`)
	gptOSS = regexp.MustCompile(`openai\.gpt-oss`)
)
