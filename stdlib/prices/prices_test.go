package prices_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/stdlib/prices"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		provider, model string
		known           bool
	}{
		{"openai", "gpt-4o-mini", true},
		{"openai", "gpt-4o-mini-2024-07-18", true},
		{"openai", "gpt-4o-mini-search", false},
		{"openai", "gpt-4o-minimal", false},
		{"anthropic", "claude-haiku-4-5-20251001", true},
		{"anthropic", "claude-haiku-4-5-latest", true},
		{"anthropic", "claude-haiku-4", false},
		{"openrouter", "gpt-4o-mini", false},
		{"openai", "", false},
	} {
		if p := prices.Of(c.provider, c.model); (p != nil) != c.known {
			t.Errorf("%s/%s: %v", c.provider, c.model, p)
		}
	}
	if p := prices.Of("openai", "gpt-4o-mini"); p.Input != 0.15 || p.Output != 0.6 || *p.CachedInput != 0.075 {
		t.Errorf("%+v", p)
	}
	if p := prices.Of("anthropic", "claude-haiku-4-5"); p.CacheWrite == nil || *p.CacheWrite != 1.25 {
		t.Errorf("%+v", p)
	}
}

// TestTable looks for slips: a price that is missing, a row that stands twice, a
// kept token that costs more than a new one.
func TestTable(t *testing.T) {
	if _, err := time.Parse(time.DateOnly, prices.Date()); err != nil {
		t.Error(err)
	}
	data, err := os.ReadFile("prices.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Sources map[string]string
		Prices  []map[string]any
	}
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range f.Prices {
		provider, _ := r["provider"].(string)
		model, _ := r["model"].(string)
		in, _ := r["input"].(float64)
		out, _ := r["output"].(float64)
		cached, _ := r["cached_input"].(float64)
		write, writes := r["cache_write"].(float64)
		switch {
		case f.Sources[provider] == "":
			t.Errorf("%s has no source", provider)
		case seen[provider+"/"+model]:
			t.Errorf("%s/%s stands twice", provider, model)
		case in <= 0 || out < in || cached <= 0 || cached >= in:
			t.Errorf("%s/%s: %v %v %v", provider, model, in, cached, out)
		case writes != (provider == "anthropic") || writes && write != 1.25*in:
			t.Errorf("%s/%s: what is kept costs %v, what is sent %v", provider, model, write, in)
		}
		seen[provider+"/"+model] = true
	}
}
