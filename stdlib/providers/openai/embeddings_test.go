package openai

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

func texts(list ...string) *lm.Request {
	req := &lm.Request{}
	for _, s := range list {
		req.Messages = append(req.Messages, lm.Message{Role: lm.User, Content: s})
	}
	return req
}

// TestEmbedderRequest: what is sent.
func TestEmbedderRequest(t *testing.T) {
	var path, key string
	var body map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, key = r.URL.Path, r.Header.Get("Authorization")
		raw, _ := io.ReadAll(r.Body)
		body = nil
		if err := json.Unmarshal(raw, &body); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"model":"m-2","data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[1,0.5]}],"usage":{"prompt_tokens":7,"total_tokens":7}}`)
	}))
	defer s.Close()
	e, err := NewEmbedder(Config{Model: "m", BaseURL: s.URL + "/v1", Key: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := e.Generate(t.Context(), texts("one <b>", ""))
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]any{"model": "m", "encoding_format": "float", "input": []any{"one <b>", " "}}; path != "/v1/embeddings" || key != "Bearer abc" || !reflect.DeepEqual(body, want) {
		t.Errorf("it asks %s with %q: %v", path, key, body)
	}
	if want := [][]float32{{1, 0.5}, {0, 2}}; !reflect.DeepEqual(resp.Vectors, want) || resp.Usage.InputTokens != 7 || resp.Model != "m-2" || resp.Text != "" {
		t.Errorf("it answers %+v", resp)
	}
	if e.Address() != "openai/m" || e.Features() != (lm.Features{}) {
		t.Errorf("it is %s, %+v", e.Address(), e.Features())
	}
}

// TestEmbedderReplies: every other reply is a failure that says what is wrong.
func TestEmbedderReplies(t *testing.T) {
	b := make([]byte, 8)
	for i, f := range []float32{1.5, -2} {
		bits := math.Float32bits(f)
		for k := range 4 {
			b[4*i+k] = byte(bits >> (8 * k))
		}
	}
	for name, c := range map[string]struct {
		status int
		body   string
		kind   lm.Kind // "" for a success
		says   string
	}{
		"base64":       {200, `{"data":[{"embedding":"` + base64.StdEncoding.EncodeToString(b) + `"}]}`, "", ""},
		"no index":     {200, `{"data":[{"embedding":[1.5,-2]}]}`, "", ""},
		"too few":      {200, `{"data":[]}`, lm.KindReply, "0 embeddings for 1 texts"},
		"too many":     {200, `{"data":[{"embedding":[1]},{"embedding":[1]}]}`, lm.KindReply, "index 1"},
		"twice":        {200, `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`, lm.KindReply, "index 0"},
		"outside":      {200, `{"data":[{"index":-1,"embedding":[1]}]}`, lm.KindReply, "index -1"},
		"no list":      {200, `{"data":[{"embedding":{}}]}`, lm.KindReply, "no list of numbers"},
		"bad base64":   {200, `{"data":[{"embedding":"%"}]}`, lm.KindReply, "no list of numbers"},
		"odd base64":   {200, `{"data":[{"embedding":"AAAA"}]}`, lm.KindReply, "no list of numbers"},
		"not our form": {200, `{"data":7}`, lm.KindReply, "no list of embeddings"},
		"error in 200": {200, `{"error":{"message":"it is loading"}}`, lm.KindServer, "it is loading"},
		"refused":      {400, `{"error":{"message":"the input is too long"}}`, lm.KindRequest, "the input is too long"},
		"key":          {401, `{"error":{"message":"no such key"}}`, lm.KindAuth, "no such key"},
		"rate":         {429, `{"error":{"message":"slow down"}}`, lm.KindRateLimit, "slow down"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := NewEmbedder(Config{Model: "m", Key: "abc", BaseURL: answering(t, c.status, c.body)})
			if err != nil {
				t.Fatal(err)
			}
			resp, err := m.Generate(t.Context(), texts("hello, you"))
			if c.kind == "" {
				if err != nil || !reflect.DeepEqual(resp.Vectors, [][]float32{{1.5, -2}}) || !resp.Usage.Estimated || resp.Usage.InputTokens != 3 {
					t.Errorf("got %+v, %v", resp, err)
				}
				return
			}
			if e := lm.AsError(err); e == nil || e.Kind != c.kind || !strings.Contains(e.Message, c.says) {
				t.Errorf("got %v, want %s with %q", err, c.kind, c.says)
			}
		})
	}
	for _, provider := range []string{"groq", "deepseek", "nobody"} {
		if _, err := NewEmbedder(Config{Provider: provider, Model: "m"}); err == nil || !strings.Contains(err.Error(), "no embeddings") {
			t.Errorf("%s: %v", provider, err)
		}
	}
	m, err := NewEmbedder(Config{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Generate(t.Context(), texts("a")); lm.AsError(err) == nil || lm.AsError(err).Kind != lm.KindNoKey {
		t.Errorf("without a key: %v", err)
	}
	if _, err := m.Generate(t.Context(), texts()); lm.AsError(err) == nil || lm.AsError(err).Kind != lm.KindRequest {
		t.Errorf("without a text: %v", err)
	}
}
