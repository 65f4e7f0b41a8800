package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestCacheOfTests runs the same test again: its call is answered by what is kept,
// unless --no-cache says otherwise. Replies of a script are never kept.
func TestCacheOfTests(t *testing.T) {
	var requests atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"choices":[{"message":{"content":"[[ ## a ## ]]\nyes\n\n[[ ## completed ## ]]"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}`)
	}))
	defer s.Close()
	dir := t.TempDir()
	program := filepath.Join(dir, "p.dsp")
	text := fmt.Sprintf(`
model m {
  provider = "openai"
  name     = "test"
  base_url = %q
}
program p {
  q: string -> a: string
}
test yes {
  program = program.p
  model   = model.m
  inputs { q = "x" }
  assert { that = a == "yes" }
}
`, s.URL)
	script := filepath.Join(dir, "replies.jsonl")
	for name, text := range map[string]string{program: text, script: `{"reply": "[[ ## a ## ]]\nyes\n\n[[ ## completed ## ]]"}` + "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args     []string
		requests int64 // so far
		said     string
	}{
		{nil, 1, "1 test: 1 passed; 1 call, 3 tokens in"},
		{nil, 1, "1 test: 1 passed; 0 calls, 1 from the cache"},
		{[]string{"--no-cache"}, 2, "1 test: 1 passed; 1 call, 3 tokens in"},
		{[]string{"--model", "scripted/" + script}, 2, "1 test: 1 passed; 1 call, "},
		{[]string{"--model", "scripted/" + script}, 2, "1 test: 1 passed; 1 call, "},
		{nil, 2, "1 test: 1 passed; 0 calls, 1 from the cache"},
	} {
		var out, errs bytes.Buffer
		a := newApp(strings.NewReader(""), &out, &errs, []string{"DSPI_CACHE=sqlite:" + filepath.Join(dir, "cache.db")})
		code := a.run(t.Context(), append([]string{"test", program}, c.args...))
		if code != 0 || requests.Load() != c.requests || !strings.Contains(errs.String(), c.said) {
			t.Errorf("%v: exit status %d after %d requests\n%s%s", c.args, code, requests.Load(), out.String(), errs.String())
		}
	}
	var errs bytes.Buffer
	a := newApp(strings.NewReader(""), io.Discard, &errs, []string{"DSPI_CACHE=nonsense://x"})
	if code := a.run(t.Context(), []string{"test", program}); code == 0 || !strings.Contains(errs.String(), "the cache cannot be opened") {
		t.Errorf("a cache that is none: exit status %d\n%s", code, errs.String())
	}
}
