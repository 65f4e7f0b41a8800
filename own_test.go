package dspi_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestOwnServers: calls of a server of one's own cost nothing where it is known to be
// on this machine; elsewhere the price is not known, and what is written counts.
func TestOwnServers(t *testing.T) {
	for _, c := range []struct {
		provider, name, more string
		own                  bool
		price                string // "": not known
	}{
		{"ollama", "llama3.2", ``, true, "0"},
		{"vllm", "m", ``, true, "0"},
		{"llamacpp", "m", ``, true, "0"},
		{"lmstudio", "m", ``, true, "0"},
		{"vllm", "m", `base_url = "http://127.0.0.5:9000/v1"`, true, "0"},
		{"vllm", "m", `base_url = "http://[::1]:9000/v1"`, true, "0"},
		{"vllm", "m", `base_url = "http://gpu.localhost:9000/v1"`, true, "0"},
		{"vllm", "m", `base_url = "https://vllm.example.com/v1"`, false, ""},
		{"vllm", "m", `base_url = "http://localhost.example.com/v1"`, false, ""},
		{"vllm", "m", `base_url = "http://192.168.1.5:8000/v1"`, false, ""},
		{"ollama", "gpt-oss:120b-cloud", ``, false, ""},
		{"vllm", "m", `price { input = 1, output = 2 }`, false, "1"},
		{"openai", "m", `base_url = "http://localhost:8000/v1"`, false, ""},
		{"builtin", "incontext", ``, false, "0"},
	} {
		p := planText(t, fmt.Sprintf("model m {\n  provider = %q\n  name = %q\n  %s\n}\nprogram p {\n  q: string -> a: string\n  model = model.m\n}\n", c.provider, c.name, c.more))
		m := p.Ops[0].Model
		price := ""
		if m.Price != nil {
			price = fmt.Sprint(m.Price.Input)
		}
		if m.Own != c.own || price != c.price {
			t.Errorf("%s/%s %s: own %t, price %q", c.provider, c.name, c.more, m.Own, price)
		}
		if said := strings.Contains(p.String(), "your own server, which costs nothing"); said != c.own {
			t.Errorf("%s/%s %s: the plan is\n%s", c.provider, c.name, c.more, p)
		}
	}
}
