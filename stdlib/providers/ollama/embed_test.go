package ollama

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
	var path, reply string
	status := http.StatusOK
	var body map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
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
	e, err := NewEmbedder(Config{Model: "all-minilm", BaseURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	req := &lm.Request{Messages: []lm.Message{{Role: lm.User, Content: "one"}, {Role: lm.User, Content: "two"}}}
	reply = `{"model":"all-minilm","embeddings":[[1,0.5],[0,2]],"prompt_eval_count":4}`
	resp, err := e.Generate(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]any{"model": "all-minilm", "input": []any{"one", "two"}}; path != "/api/embed" || !reflect.DeepEqual(body, want) {
		t.Errorf("it asks %s: %v", path, body)
	}
	if want := [][]float32{{1, 0.5}, {0, 2}}; !reflect.DeepEqual(resp.Vectors, want) || resp.Usage.InputTokens != 4 || e.Address() != "ollama/all-minilm" {
		t.Errorf("it answers %+v", resp)
	}
	for _, bad := range []struct {
		status      int
		reply, says string
	}{
		{200, `{"embeddings":[[1]]}`, "1 embeddings for 2 texts"},
		{200, `{"embeddings":"none"}`, "embeddings"},
		{404, `{"error":"model \"all-minilm\" not found"}`, "not found"},
	} {
		status, reply = bad.status, bad.reply
		if _, err := e.Generate(t.Context(), req); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: %v", bad.reply, err)
		}
	}
	if _, err := e.Generate(t.Context(), &lm.Request{}); err == nil {
		t.Error("no text is embedded")
	}
}
