package lm_test

import (
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// TestContextFull holds the words of the servers, and some that say another thing.
func TestContextFull(t *testing.T) {
	for message, want := range map[string]bool{
		"This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.": true,
		"prompt is too long: 210000 tokens > 200000 maximum":                                                  true,
		"input length and `max_tokens` exceed context limit: 199000 + 8000 > 200000":                          true,
		"Your input exceeds the context window of this model. Please adjust your input and try again.":        true,
		"the request exceeds the available context size (4096 tokens), try increasing it":                     true,
		"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).":             true,
		"Input is too long for requested model.":                                                              true,
		"Please reduce the length of the messages or completion.":                                             true,
		"max_tokens is too large: 9000. This model supports at most 4096 completion tokens":                   false,
		"Invalid value for 'temperature'":                                                                     false,
		"":                                                                                                    false,
	} {
		e := &lm.Error{Kind: lm.KindRequest, Model: "test/model", Message: message}
		if got := e.ContextFull(); got != want {
			t.Errorf("%q: %v, want %v", message, got, want)
		}
	}
	if (&lm.Error{Kind: lm.KindServer, Message: "maximum context length"}).ContextFull() {
		t.Error("a failure of the server is not a full context")
	}
}
