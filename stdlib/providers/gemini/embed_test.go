package gemini

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// TestEmbedder: what is sent, and what is made of replies, right and wrong.
func TestEmbedder(t *testing.T) {
	var path, key, reply string
	status := http.StatusOK
	var body map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, key = r.URL.Path, r.Header.Get("X-Goog-Api-Key")
		raw, _ := io.ReadAll(r.Body)
		body = nil
		if err := json.Unmarshal(raw, &body); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, reply)
	}))
	defer s.Close()
	e, err := NewEmbedder(Config{Model: "gemini-embedding-001", BaseURL: s.URL, Key: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	req := &lm.Request{Messages: []lm.Message{{Role: lm.User, Content: "one"}, {Role: lm.User, Content: ""}}}
	reply = `{"embeddings":[{"values":[1,0.5]},{"values":[0,2]}]}`
	resp, err := e.Generate(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	one := func(text string) any {
		return map[string]any{"model": "models/gemini-embedding-001", "content": map[string]any{"parts": []any{map[string]any{"text": text}}}}
	}
	if want := map[string]any{"requests": []any{one("one"), one(" ")}}; path != "/v1beta/models/gemini-embedding-001:batchEmbedContents" || key != "abc" || !reflect.DeepEqual(body, want) {
		t.Errorf("it asks %s with %q: %v", path, key, body)
	}
	if want := [][]float32{{1, 0.5}, {0, 2}}; !reflect.DeepEqual(resp.Vectors, want) || e.Address() != "gemini/gemini-embedding-001" {
		t.Errorf("it answers %+v", resp)
	}
	for _, bad := range []struct {
		status      int
		reply, says string
	}{
		{200, `{"embeddings":[]}`, "0 embeddings for 2 texts"},
		{200, `{"embeddings":"none"}`, "embeddings"},
		{400, `{"error":{"code":400,"message":"no such model","status":"INVALID_ARGUMENT"}}`, "no such model"},
	} {
		status, reply = bad.status, bad.reply
		if _, err := e.Generate(t.Context(), req); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: %v", bad.reply, err)
		}
	}
}
