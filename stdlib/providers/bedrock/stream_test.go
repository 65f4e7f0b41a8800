package bedrock

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// TestStreams: what servers do that the suite's does not.
func TestStreams(t *testing.T) {
	tell := func(name string, payload map[string]any) string {
		return frame(map[string]string{":message-type": "event", ":event-type": name}, payload)
	}
	exception := func(name string) string {
		return frame(map[string]string{":message-type": "exception", ":exception-type": name}, map[string]any{"message": "its own words"})
	}
	text := func(index int, s string) string {
		return tell("contentBlockDelta", map[string]any{"contentBlockIndex": index, "delta": map[string]any{"text": s}})
	}
	stop := tell("messageStop", map[string]any{"stopReason": "end_turn"})
	usage := tell("metadata", map[string]any{"usage": map[string]any{"inputTokens": 3, "outputTokens": 1}})
	whole := text(0, "yes") + stop + usage
	damaged := []byte(whole)
	damaged[len(text(0, "yes"))-20] ^= 1
	for name, c := range map[string]struct {
		body  string
		text  string
		kind  lm.Kind
		fails string
	}{
		"no frame for the start": {whole, "yes", "", ""},
		"unknown events":         {tell("news", map[string]any{"x": 1}) + whole, "yes", "", ""},
		"no usage":               {text(0, "yes") + stop, "yes", "", ""},
		"a gap":                  {text(1, "yes") + stop + usage, "", lm.KindReply, "out of order"},
		"a damaged frame":        {string(damaged), "", lm.KindReply, "damaged"},
		"half a frame":           {whole[:20], "", lm.KindReply, "damaged"},
		"no frames":              {"data: {}\n\n" + strings.Repeat("x", 100), "", lm.KindReply, "damaged"},
		"no end":                 {text(0, "yes"), "", lm.KindReply, "ended before the reply did"},
		"no text":                {stop + usage, "", lm.KindReply, "holds no text"},
		"throttled":              {text(0, "y") + exception("throttlingException"), "", lm.KindRateLimit, "its own words"},
		"timed out":              {exception("modelTimeoutException"), "", lm.KindTimeout, "its own words"},
		"not valid":              {exception("validationException"), "", lm.KindRequest, "its own words"},
		"some exception":         {exception("oddException"), "", lm.KindServer, "its own words"},
		"an error": {frame(map[string]string{":message-type": "error", ":error-code": "InternalError", ":error-message": "its own words"}, nil),
			"", lm.KindServer, "its own words"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if got := r.Header.Get("Accept"); got != streamType {
					t.Errorf("asked for %q", got)
				}
				w.Header().Set("Content-Type", streamType)
				io.WriteString(w, c.body)
			}))
			defer s.Close()
			m, err := New(Config{Model: "m", BaseURL: s.URL})
			if err != nil {
				t.Fatal(err)
			}
			req := lmtest.Ask("hello, you")
			var given strings.Builder
			req.OnDelta = func(d lm.Delta) { given.WriteString(d.Text) }
			resp, err := m.Generate(t.Context(), req)
			if c.fails != "" {
				if e := lm.AsError(err); e == nil || e.Kind != c.kind || !strings.Contains(e.Message, c.fails) {
					t.Fatalf("the error is %v, want kind %s with %q", err, c.kind, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if resp.Text != c.text || given.String() != c.text || resp.Usage.InputTokens != 3 || resp.Usage.OutputTokens != 1 {
				t.Errorf("got %q, given %q, used %+v", resp.Text, given.String(), resp.Usage)
			}
		})
	}
}
