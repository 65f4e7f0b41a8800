package providers

import (
	"strings"
	"testing"
)

// TestOpen: every provider of the table opens with what the table says it needs, as
// itself, and is listed once.
func TestOpen(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range All() {
		if seen[p.Name] {
			t.Errorf("%s is listed twice", p.Name)
		}
		seen[p.Name] = true
		name, ok := strings.CutPrefix(p.Example, p.Name+"/")
		if !ok || p.Doc == "" {
			t.Errorf("%s is not told in full: %+v", p.Name, p)
		}
		if p.NeedURL && p.KeyVar != "" {
			t.Errorf("%s has no server of its own that its key could be for", p.Name)
		}
		if p.Name == "scripted" {
			continue // its model is a file
		}
		if p.Mute {
			_, err := Open(Config{Provider: p.Name, Model: name})
			_, err2 := OpenEmbedder(Config{Provider: p.Name, Model: name})
			if err == nil || !strings.Contains(err.Error(), "answers nothing") || err2 == nil || !strings.Contains(err2.Error(), "nothing here runs Python") {
				t.Errorf("%s gives %v, %v", p.Name, err, err2)
			}
			continue
		}
		c := Config{Provider: p.Name, Model: name, Key: "a-key-for-tests", Getenv: func(string) string { return "" }}
		if p.Name == "bedrock" {
			c.Getenv = func(name string) string { return map[string]string{"AWS_REGION": "us-east-1"}[name] }
		}
		if p.NeedURL {
			if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "base_url") {
				t.Errorf("%s without a base URL gives %v", p.Name, err)
			}
			c.BaseURL = "https://example.com/v1"
		}
		m, err := Open(c)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		if m.Address() != p.Example {
			t.Errorf("the address of %s is %s", p.Example, m.Address())
		}
	}
	if len(seen) < 14 {
		t.Errorf("there are %d providers", len(seen))
	}
}

// TestProtocol: api is for providers that have more than one.
func TestProtocol(t *testing.T) {
	for _, c := range []struct{ provider, api, says string }{
		{"openai", "responses", ""},
		{"vllm", "responses", ""},
		{"openai", "chat", ""},
		{"openai", "soap", `"chat" or "responses"`},
		{"anthropic", "responses", "leave api out"},
		{"nobody", "", "no provider is called"},
	} {
		_, err := Open(Config{Provider: c.provider, Model: "m", API: c.api, Key: "a-key-for-tests"})
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s over %q gives %v, want %q", c.provider, c.api, err, c.says)
		}
	}
}
