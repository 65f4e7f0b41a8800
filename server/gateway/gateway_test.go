package gateway_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/server/gateway"
)

// post sends a chat completion and returns the status and the body.
func post(t *testing.T, url, bearer, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

const hello = `{"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": true}`

// one serves one model that answers as a test says.
func one(t *testing.T, done func(gateway.Done), answer func(ctx context.Context, n int, req *lm.Request) (*lm.Response, error)) string {
	t.Helper()
	s := httptest.NewServer(gateway.New([]gateway.Model{{Name: "m", LM: lmtest.Func(answer)}}, token, done))
	t.Cleanup(s.Close)
	return s.URL + "/v1/chat/completions"
}

func TestStreamFailures(t *testing.T) {
	late := &lm.Error{Kind: lm.KindUnreachable, Model: "test/m", Message: "the connection broke"}
	for _, c := range []struct {
		name   string
		answer func(req *lm.Request) (*lm.Response, error)
		status int
		want   []string
	}{
		{"before the first piece", func(*lm.Request) (*lm.Response, error) { return nil, late }, 502, []string{`"code":"unreachable"`}},
		{"in the middle", func(req *lm.Request) (*lm.Response, error) {
			req.OnDelta(lm.Delta{Text: "half"})
			return nil, late
		}, 200, []string{`"content":"half"`, `"code":"unreachable"`}},
		{"begun again before a piece was sent", func(req *lm.Request) (*lm.Response, error) {
			req.OnDelta(lm.Delta{Restart: true})
			req.OnDelta(lm.Delta{Text: "whole"})
			return &lm.Response{Text: "whole"}, nil
		}, 200, []string{`"content":"whole"`, `"finish_reason":"stop"`, "[DONE]"}},
		{"begun again behind a piece", func(req *lm.Request) (*lm.Response, error) {
			req.OnDelta(lm.Delta{Text: "half"})
			req.OnDelta(lm.Delta{Restart: true})
			req.OnDelta(lm.Delta{Text: "other"})
			return nil, &lm.Error{Kind: lm.KindCanceled, Model: "test/m"}
		}, 200, []string{`"content":"half"`, `"code":"stream_broken"`}},
		{"in one piece", func(*lm.Request) (*lm.Response, error) { return &lm.Response{Text: "all of it"}, nil }, 200,
			[]string{`"content":"all of it"`, "[DONE]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := post(t, one(t, nil, func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) { return c.answer(req) }), token, hello)
			if status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			at := 0
			for _, want := range c.want {
				i := strings.Index(body[at:], want)
				if i < 0 {
					t.Fatalf("no %s in\n%s", want, body)
				}
				at += i
			}
			if strings.Contains(body, "other") {
				t.Errorf("what came after a break was sent:\n%s", body)
			}
		})
	}
}

// TestClientGone closes the connection in mid-stream: the model's context ends, so
// that nothing more is paid for.
func TestClientGone(t *testing.T) {
	ended := make(chan error, 1)
	served := make(chan gateway.Done, 1)
	url := one(t, func(d gateway.Done) { served <- d }, func(ctx context.Context, _ int, req *lm.Request) (*lm.Response, error) {
		req.OnDelta(lm.Delta{Text: "first "})
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, lm.ContextError(ctx, "test/m")
	})
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(hello))
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || !strings.Contains(line, "first ") {
		t.Fatalf("%q, %v", line, err)
	}
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Errorf("the model's context ended with %v", err)
	}
	if d := <-served; d.Status != 499 {
		t.Errorf("logged as %d", d.Status)
	}
}

func TestRequests(t *testing.T) {
	for _, c := range []struct {
		name, bearer, body string
		status             int
		want               string
	}{
		{"no token", "", hello, 401, "token"},
		{"no JSON", token, `{"model": "m"`, 400, "not the JSON"},
		{"a number for a name", token, `{"model": 4}`, 400, "model cannot be a number"},
		{"a role of its own", token, `{"model": "m", "messages": [{"role": "robot", "content": "x"}]}`, 400, `messages[0].role`},
		{"content of another shape", token, `{"model": "m", "messages": [{"role": "user", "content": 4}]}`, 400, `messages[0].content`},
		{"a part that cannot be passed on", token, `{"model": "m", "messages": [{"role": "user", "content": [{"type": "video"}]}]}`, 400, `messages[0].content[0]`},
		{"bytes that are none", token, `{"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%"}}]}]}`, 400, "not base64"},
		{"a tool result for nothing", token, `{"model": "m", "messages": [{"role": "tool", "content": "x"}]}`, 400, "tool_call_id"},
		{"a tool that is not there", token, `{"model": "m", "messages": [{"role": "user", "content": "x"}], "tool_choice": {"type": "function", "function": {"name": "no"}}}`, 400, "no tool is called"},
		{"a penalty", token, `{"model": "m", "messages": [{"role": "user", "content": "x"}], "presence_penalty": 1}`, 400, "presence_penalty"},
		{"many replies", token, `{"model": "m", "messages": [{"role": "user", "content": "x"}], "n": 1000}`, 400, "from 1 to 32"},
		{"a penalty of zero", token, `{"model": "m", "messages": [{"role": "user", "content": "x"}], "presence_penalty": 0, "logprobs": false, "n": 1, "user": "u"}`, 200, "answered"},
		{"texts in parts", token, `{"model": "m", "messages": [{"role": "developer", "content": "a"}, {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]}], "stop": "END"}`, 200, "answered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := one(t, nil, func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
				return &lm.Response{Text: "answered"}, nil
			})
			status, body := post(t, url, c.bearer, c.body)
			if status != c.status || !strings.Contains(body, c.want) {
				t.Errorf("%d %s\nwant %d with %q", status, body, c.status, c.want)
			}
		})
	}
}

func FuzzRequest(f *testing.F) {
	f.Add(hello)
	f.Add(`{"model": "m", "messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": "data:a;base64,eA=="}}]}], "stop": ["a"], "response_format": {"type": "json_schema"}}`)
	g := gateway.New([]gateway.Model{{Name: "m", LM: lmtest.Func(echo)}}, "", nil)
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(body)))
		if w.Code != 200 && !strings.Contains(w.Body.String(), `"error"`) {
			t.Errorf("status %d without an error: %s", w.Code, w.Body)
		}
	})
}
