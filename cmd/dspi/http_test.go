package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/builtin"
)

// protocol is one of the two that servers of models speak.
type protocol struct {
	provider string
	path     string
	base     string // what base_url ends in
	key      func(http.Header) string
	read     func(body []byte) ([]lm.Message, error)
	write    func(text string) any
}

const testKey = "sk-test-0123456789abcdef"

var protocols = []protocol{
	{
		provider: "openai", path: "/v1/chat/completions", base: "/v1",
		key: func(h http.Header) string { return strings.TrimPrefix(h.Get("Authorization"), "Bearer ") },
		read: func(body []byte) ([]lm.Message, error) {
			var req struct {
				Model    string
				Messages []lm.Message
			}
			err := json.Unmarshal(body, &req)
			if req.Model != "test-model" {
				err = errors.Join(err, fmt.Errorf("model %q", req.Model))
			}
			return req.Messages, err
		},
		write: func(text string) any {
			return map[string]any{
				"id": "c1", "object": "chat.completion", "model": "test-model",
				"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": text}}},
				"usage":   map[string]any{"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
			}
		},
	},
	{
		provider: "anthropic", path: "/v1/messages", base: "",
		key: func(h http.Header) string { return h.Get("x-api-key") },
		read: func(body []byte) ([]lm.Message, error) {
			var req struct {
				Model     string
				MaxTokens int `json:"max_tokens"`
				System    string
				Messages  []lm.Message
			}
			err := json.Unmarshal(body, &req)
			if req.Model != "test-model" || req.MaxTokens < 1 {
				err = errors.Join(err, fmt.Errorf("model %q, max_tokens %d", req.Model, req.MaxTokens))
			}
			return append([]lm.Message{{Role: lm.System, Content: req.System}}, req.Messages...), err
		},
		write: func(text string) any {
			return map[string]any{
				"id": "m1", "type": "message", "role": "assistant", "model": "test-model", "stop_reason": "end_turn",
				"content": []any{map[string]any{"type": "text", "text": text}},
				"usage":   map[string]any{"input_tokens": 11, "output_tokens": 7},
			}
		},
	},
}

// server speaks a protocol. What it does with request n (from 1) is up to answer;
// a nil answer lets the baseline answer the messages that came over the wire.
type server struct {
	protocol
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request, n int, messages []lm.Message) bool

	mu       sync.Mutex
	requests [][]lm.Message
	problems []string
}

func serve(t *testing.T, p protocol, answer func(w http.ResponseWriter, r *http.Request, n int, messages []lm.Message) bool) *server {
	s := &server{protocol: p, answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
		for _, problem := range s.problems {
			t.Errorf("the server saw: %s", problem)
		}
	})
	return s
}

func (s *server) handle(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	messages, err2 := s.read(body)
	s.mu.Lock()
	s.requests = append(s.requests, messages)
	n := len(s.requests)
	if err := errors.Join(err, err2); err != nil || r.URL.Path != s.path || r.Method != http.MethodPost || s.key(r.Header) != testKey {
		s.problems = append(s.problems, fmt.Sprintf("%s %s with key %q: %v", r.Method, r.URL.Path, s.key(r.Header), err))
	}
	s.mu.Unlock()
	if s.answer != nil && s.answer(w, r, n, messages) {
		return
	}
	model, err := builtin.New(builtin.Name)
	if err == nil {
		var reply *lm.Response
		if reply, err = model.Generate(r.Context(), &lm.Request{Messages: messages}); err == nil {
			s.say(w, reply.Text)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (s *server) say(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.write(text))
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// program is a file that asks the server.
func (s *server) program(t *testing.T, model string) string {
	path := filepath.Join(t.TempDir(), "ask.dsp")
	writeFile(t, path, fmt.Sprintf(`
variable key: string { default = env("TEST_KEY"), sensitive = true }

model served {
  provider = %q
  name     = "test-model"
  base_url = %q
  api_key  = var.key
  default  = true
  %s
}

program ask {
  question: string -> answer: string, sure: bool
}
`, s.provider, s.URL+s.base, model))
	return path
}

// ranCommand is what a command did.
type ranCommand struct {
	stdout, stderr string
	code           int
	took           time.Duration
}

// runDspi runs the command as a process of its own, in an environment without keys.
// It fails the test when the process needs more than half a minute.
func runDspi(t *testing.T, args ...string) ranCommand {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return finish(t, ctx, command(ctx, args...))
}

func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "dspi", args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/no-home", "DSPI_CACHE=memory", "TEST_KEY=" + testKey, "GOCOVERDIR=" + os.Getenv("GOCOVERDIR"), "TMPDIR=" + os.TempDir(), "GORACE=" + noPause}
	return cmd
}

func finish(t *testing.T, ctx context.Context, cmd *exec.Cmd) ranCommand {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return wait(t, ctx, cmd, &out, &errs, start)
}

func wait(t *testing.T, ctx context.Context, cmd *exec.Cmd, out, errs *bytes.Buffer, start time.Time) ranCommand {
	t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("dspi did not end in time; stderr:\n%s", errs)
	}
	r := ranCommand{out.String(), errs.String(), cmd.ProcessState.ExitCode(), time.Since(start)}
	for _, text := range []string{r.stdout, r.stderr} {
		if strings.Contains(text, testKey) {
			t.Errorf("the key is shown:\n%s", text)
		}
	}
	if strings.Contains(r.stderr, "a fault of its own") || strings.Contains(r.stderr, "goroutine ") {
		t.Errorf("dspi panicked:\n%s", r.stderr)
	}
	return r
}

func (r ranCommand) want(t *testing.T, code int, stdout string, stderr ...string) {
	t.Helper()
	if r.code != code || r.stdout != stdout {
		t.Errorf("exit status %d, want %d\nstdout %q\nwant   %q\nstderr:\n%s", r.code, code, r.stdout, stdout, r.stderr)
	}
	for _, part := range stderr {
		if !strings.Contains(r.stderr, part) {
			t.Errorf("stderr has no %q:\n%s", part, r.stderr)
		}
	}
}

const (
	asked    = "question=What is 17 * 23?"
	answered = "answer: 391\nsure: false\n"
	quickly  = `retry { attempts = 3, base = "1ms", max = "5s" }`
)

// TestHTTP runs the command against servers that behave and servers that do not.
func TestHTTP(t *testing.T) {
	status := func(code int, header ...string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"error":{"type":"x","message":"the server says %d"}}`, code)
		}
	}
	truncated := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "500")
		fmt.Fprint(w, `{"choices":[{"message":{"role":"assis`)
	}
	tests := []struct {
		name     string
		model    string
		times    int // how many requests meet the failure; -1: all
		fail     func(http.ResponseWriter)
		hang     bool
		code     int
		requests int
		stderr   []string
		least    time.Duration
	}{
		{name: "right", requests: 1, stderr: []string{"1 call, 11 tokens in, 7 out, price unknown, "}},
		{name: "price", model: `price { input = 100, output = 200 }`, requests: 1, stderr: []string{"$0.0025"}},
		{name: "429 with Retry-After", model: quickly, times: 1, fail: status(429, "Retry-After", "1"), requests: 2, least: time.Second},
		{name: "429 that asks for too long", model: quickly, times: -1, fail: status(429, "Retry-After", "3600"), code: 1, requests: 1, stderr: []string{"error[E0603]", "HTTP 429"}},
		{name: "429 for ever", model: quickly, times: -1, fail: status(429), code: 1, requests: 3, stderr: []string{"error[E0603]", "the server says 429"}},
		{name: "500 once", model: quickly, times: 1, fail: status(500), requests: 2},
		{name: "500 for ever", model: quickly, times: -1, fail: status(500), code: 1, requests: 3, stderr: []string{"error[E0606]", "HTTP 500", "attempts  3"}},
		{name: "401", model: quickly, times: -1, fail: status(401), code: 1, requests: 1, stderr: []string{"error[E0602]"}},
		{name: "400", model: quickly, times: -1, fail: status(400), code: 1, requests: 1, stderr: []string{"error[E0621]", "the server says 400"}},
		{name: "truncated once", model: quickly, times: 1, fail: truncated, requests: 2},
		{name: "truncated for ever", model: quickly, times: -1, fail: truncated, code: 1, requests: 3, stderr: []string{"error[E0606]", "broke off", "attempts  3"}},
		{name: "no JSON", model: quickly, times: -1, fail: func(w http.ResponseWriter) { fmt.Fprint(w, "<html>it works</html>") }, code: 1, requests: 3, stderr: []string{"error[E0606]"}},
		{name: "hung once", model: `timeout = "300ms"` + "\n" + quickly, times: 1, hang: true, requests: 2},
		{name: "hung for ever", model: `timeout = "150ms"` + "\n" + quickly, times: -1, hang: true, code: 1, requests: 3, stderr: []string{"error[E0604]", "150ms"}},
	}
	for _, p := range protocols {
		for _, tt := range tests {
			t.Run(p.provider+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				s := serve(t, p, func(w http.ResponseWriter, r *http.Request, n int, _ []lm.Message) bool {
					switch {
					case tt.times >= 0 && n > tt.times:
						return false
					case tt.hang:
						<-r.Context().Done()
					default:
						tt.fail(w)
					}
					return true
				})
				got := runDspi(t, "run", s.program(t, tt.model), asked)
				want := answered
				if tt.code != 0 {
					want = ""
				}
				got.want(t, tt.code, want, tt.stderr...)
				if n := s.count(); n != tt.requests {
					t.Errorf("%d requests, want %d", n, tt.requests)
				}
				if got.took < tt.least || got.took > 20*time.Second {
					t.Errorf("it took %s", got.took)
				}
			})
		}
	}
}

// TestMissingField: the model is told once what its reply lacks.
func TestMissingField(t *testing.T) {
	const lacking = "[[ ## answer ## ]]\n391\n\n[[ ## completed ## ]]"
	for _, p := range protocols {
		for _, tt := range []struct {
			name  string
			times int
			code  int
			want  string
		}{{"once", 1, 0, answered}, {"always", 2, 1, ""}} {
			t.Run(p.provider+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				var s *server
				s = serve(t, p, func(w http.ResponseWriter, _ *http.Request, n int, messages []lm.Message) bool {
					if n > tt.times {
						s.say(w, "[[ ## answer ## ]]\n391\n\n[[ ## sure ## ]]\nFalse\n\n[[ ## completed ## ]]")
						return true
					}
					s.say(w, lacking)
					return true
				})
				got := runDspi(t, "run", s.program(t, ""), asked)
				got.want(t, tt.code, tt.want, "2 calls")
				if s.count() != 2 {
					t.Fatalf("%d requests, want 2", s.count())
				}
				second := s.requests[1]
				if k := len(second); k < 4 || second[k-2].Role != lm.Assistant || second[k-2].Content != lacking || !strings.Contains(second[k-1].Content, "sure") {
					t.Errorf("the second request does not say what was wrong: %q", second)
				}
				if tt.code != 0 {
					got.want(t, 1, "", "error[E0601]", "[[ ## sure ## ]]", "asked by program.ask.predict")
				}
			})
		}
	}
}

// TestNoServer: nobody listens at the address.
func TestNoServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{protocol: protocols[0], Server: &httptest.Server{URL: "http://" + l.Addr().String()}}
	l.Close()
	got := runDspi(t, "run", s.program(t, quickly), asked)
	got.want(t, 1, "", "error[E0605]", "is the server running")

	// A name that no network knows.
	s.URL = "http://no-such-host.invalid"
	got = runDspi(t, "run", s.program(t, quickly), asked, "--json")
	if got.code != 1 || !strings.Contains(got.stdout, `"error":{"code":"E0605"`) {
		t.Errorf("exit status %d, stdout %s", got.code, got.stdout)
	}
}

// TestEachOverHTTP: rows run in parallel and come out in their order, equal to
// what the same model gives in the process.
func TestEachOverHTTP(t *testing.T) {
	const rows, parallel = 60, 6
	var table strings.Builder
	table.WriteString("question\n")
	for i := range rows {
		fmt.Fprintf(&table, "What is %d * %d?\n", i, i+1)
	}
	path := filepath.Join(t.TempDir(), "rows.csv")
	writeFile(t, path, table.String())

	for _, p := range protocols {
		t.Run(p.provider, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			now, most := 0, 0
			together := make(chan struct{})
			s := serve(t, p, nil)
			s.answer = func(_ http.ResponseWriter, r *http.Request, n int, _ []lm.Message) bool {
				mu.Lock()
				now++
				most = max(most, now)
				if now == parallel && n == parallel {
					close(together) // the first ones are all here at once
				}
				mu.Unlock()
				select {
				case <-together:
				case <-r.Context().Done():
				}
				mu.Lock()
				now--
				mu.Unlock()
				return false
			}
			program := s.program(t, "")
			got := runDspi(t, "run", program, "--each", path, "--concurrency", fmt.Sprint(parallel))
			alone := runDspi(t, "run", program, "--each", path, "--model", "builtin/incontext")
			if alone.code != 0 || !strings.Contains(alone.stdout, `{"row":60,"outputs":{"answer":"3540","sure":false}}`) {
				t.Fatalf("exit status %d\n%s\n%s", alone.code, alone.stdout, alone.stderr)
			}
			got.want(t, 0, alone.stdout, fmt.Sprintf("%d rows: %d calls, %d tokens in", rows, rows, 11*rows))
			if s.count() != rows || most != parallel {
				t.Errorf("%d requests with up to %d at once, want %d and %d", s.count(), most, rows, parallel)
			}
		})
	}
}
