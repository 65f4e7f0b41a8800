package lm

import "strings"

// full are words with which servers say that a request holds more tokens than the
// model's context takes, in lower case. They have no common code for it.
var full = []string{
	"context_length_exceeded", "context_length",
	"maximum context length", // OpenAI, vLLM, Mistral
	"context window",         // OpenAI's Responses, Groq, Anthropic's newer words
	"context size",           // llama.cpp
	"context limit",          // Anthropic: input length and max_tokens exceed context limit
	"prompt is too long",     // Anthropic
	"prompt too long",        // Ollama
	"input is too long",      // Bedrock
	"too many input tokens",  // Bedrock
	"input token count",      // Gemini: The input token count (…) exceeds the maximum number …
	"exceeds the maximum number of tokens",
	"reduce the length of the messages",
	"too many tokens",
}

// ContextFull reports whether the provider refused a request because it does not fit
// into the model's context: a shorter one may be answered.
func (e *Error) ContextFull() bool {
	if e.Kind != KindRequest {
		return false
	}
	message := strings.ToLower(e.Message)
	for _, words := range full {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}
