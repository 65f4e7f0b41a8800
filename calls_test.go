package dspi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// planText plans the only program of a text.
func planText(t testing.TB, text string) *plan.Plan {
	t.Helper()
	project, diags := dspi.Check(dspi.Parse("calls.dsp", text))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	p, err := dspi.Plan(project, dspi.PlanOptions{Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// asking is a program of one step whose model is at a URL.
func asking(url, settings string) string {
	return fmt.Sprintf(`
model m {
  provider = "openai"
  name     = "test"
  base_url = %q
  %s
}
program echo {
  question: string -> answer: string
  model   = model.m
  retries = 0
}
`, url, settings)
}

// completion is the body of a reply with an answer.
func completion(answer string) string {
	text, _ := json.Marshal("[[ ## answer ## ]]\n" + answer + "\n\n[[ ## completed ## ]]")
	return fmt.Sprintf(`{"model":"test","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":%s}}],"usage":{"prompt_tokens":10,"completion_tokens":5}}`, text)
}

// asked returns the question in a request.
func asked(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	var x struct {
		Messages []struct{ Content string }
	}
	if json.Unmarshal(body, &x) != nil || len(x.Messages) == 0 {
		return ""
	}
	_, q, _ := strings.Cut(x.Messages[len(x.Messages)-1].Content, "[[ ## question ## ]]\n")
	q, _, _ = strings.Cut(q, "\n")
	return q
}

// TestFaultyServer makes 1,000 runs against a server that fails in three of ten
// requests, in every way that servers do. Each run ends with its own answer or with
// a named error; nothing is lost, and nothing is counted twice.
func TestFaultyServer(t *testing.T) {
	var requests atomic.Int64
	var mu sync.Mutex
	answered := map[string]int{} // whole replies that were sent, by question
	hang := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := requests.Add(1)
		q := asked(r)
		say := func(kind string, status int, body string) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
		const whole = "application/json"
		switch fault := (n * 7919) % 100; { // spread evenly, the same in every run of the test
		case fault < 5:
			w.Header().Set("Retry-After", "0")
			say(whole, 429, `{"error":{"message":"slow down"}}`)
		case fault < 9:
			say(whole, 500, `{"error":{"message":"oops"}}`)
		case fault < 13:
			say("text/html", 503, `<h1>busy</h1>`)
		case fault < 17: // reset
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				c.Close()
			}
		case fault < 20: // hang
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		case fault < 24: // half a body
			body := completion(q)
			w.Header().Set("Content-Type", whole)
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			io.WriteString(w, body[:len(body)/2])
		case fault < 27:
			say("text/plain", 200, "hello")
		case fault < 30:
			say(whole, 200, `{"choices": [{"message": `)
		default:
			mu.Lock()
			answered[q]++
			mu.Unlock()
			say(whole, 200, completion("to "+q))
		}
	}))
	defer s.Close()
	defer close(hang)

	p := planText(t, asking(s.URL, `timeout = "2s"
  retry { attempts = 4, base = "1ms", max = "5ms" }
  limits { concurrency = 64 }
  breaker { failures = 1000 }`))
	runtime := dspi.NewRuntime(dspi.Options{})
	const runs = 1000
	var good, failed, calls atomic.Int64
	var wg sync.WaitGroup
	todo := make(chan int)
	for range 64 {
		wg.Go(func() {
			for i := range todo {
				q := fmt.Sprintf("question %d", i)
				res, err := runtime.Run(t.Context(), p, map[string]any{"question": q})
				calls.Add(int64(res.Usage.Calls))
				if err == nil {
					good.Add(1)
					if got, _ := res.Outputs.Get("answer"); got != "to "+q {
						t.Errorf("%s: the answer is %v", q, got)
					}
					if res.Usage.Calls != 1 || res.Usage.InputTokens != 10 {
						t.Errorf("%s: usage %+v", q, res.Usage)
					}
					continue
				}
				failed.Add(1)
				var d *diag.Diagnostic
				if !errors.As(err, &d) || !strings.HasPrefix(string(d.Code), "E06") {
					t.Errorf("%s ended with %v", q, err)
				}
				if res.Usage.Calls != 0 {
					t.Errorf("%s failed and counts %+v", q, res.Usage)
				}
			}
		})
	}
	for i := range runs {
		todo <- i
	}
	close(todo)
	wg.Wait()
	if good.Load()+failed.Load() != runs || calls.Load() != good.Load() {
		t.Errorf("%d good, %d failed, %d calls counted of %d runs", good.Load(), failed.Load(), calls.Load(), runs)
	}
	for q, n := range answered {
		if n > 1 {
			t.Logf("%s was answered %d times: a reply came too late", q, n)
		}
	}
	if calls.Load() > int64(len(answered)) {
		t.Errorf("%d calls are counted, and %d questions were answered", calls.Load(), len(answered))
	}
	if good.Load() < runs*9/10 {
		t.Errorf("only %d of %d runs came through", good.Load(), runs)
	}
	t.Logf("%d requests for %d runs: %d answered, %d with a named error", requests.Load(), runs, good.Load(), failed.Load())
}

// TestBudgets runs more than a budget allows, many at once: not one request more is
// sent.
func TestBudgets(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits lm.BudgetLimits
		price  string
		most   int64 // requests
	}{
		{"calls", lm.BudgetLimits{Calls: 100}, "", 100},
		{"tokens", lm.BudgetLimits{Tokens: 3000}, "", 200},
		{"usd", lm.BudgetLimits{USD: 0.01}, "price { input = 2, output = 10 }", 142},
	} {
		t.Run(c.name, func(t *testing.T) {
			var requests atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, completion("to "+asked(r)))
			}))
			defer s.Close()
			p := planText(t, asking(s.URL, "max_tokens = 5\n"+c.price))
			runtime := dspi.NewRuntime(dspi.Options{})
			budget := lm.NewBudget(c.limits)
			ctx := lm.WithBudget(t.Context(), budget)
			var good, refused atomic.Int64
			var wg sync.WaitGroup
			todo := make(chan int)
			for range 64 {
				wg.Go(func() {
					for i := range todo {
						_, err := runtime.Run(ctx, p, map[string]any{"question": fmt.Sprint(i)})
						var d *diag.Diagnostic
						switch {
						case err == nil:
							good.Add(1)
						case errors.As(err, &d) && strings.Contains(d.Error(), "budget"):
							refused.Add(1)
						default:
							t.Errorf("run %d: %v", i, err)
						}
					}
				})
			}
			for i := range 500 {
				todo <- i
			}
			close(todo)
			wg.Wait()
			used := budget.Used()
			if requests.Load() > c.most || requests.Load() < 5 || good.Load() != requests.Load() || good.Load()+refused.Load() != 500 {
				t.Errorf("%d requests, %d good, %d refused", requests.Load(), good.Load(), refused.Load())
			}
			if l := c.limits; l.Calls > 0 && used.Calls > l.Calls || l.Tokens > 0 && used.Tokens > l.Tokens || l.USD > 0 && (used.USD == nil || *used.USD > l.USD) {
				t.Errorf("%+v was used", used)
			}
			t.Logf("%d requests of 500, %+v used", requests.Load(), used)
		})
	}
}

// events writes a stream of a chat completion, one piece at a time.
type events struct{ w http.ResponseWriter }

func (e events) piece(text string) {
	data, _ := json.Marshal(map[string]any{"choices": []any{map[string]any{"index": 0, "delta": map[string]any{"content": text}}}})
	fmt.Fprintf(e.w, "data: %s\n\n", data)
	_ = http.NewResponseController(e.w).Flush()
}

// TestStreamLeft leaves a stream in its middle: the request ends on the server, and
// no goroutine stays behind.
func TestStreamLeft(t *testing.T) {
	gone := make(chan time.Time, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		e := events{w}
		e.piece("[[ ## answer ## ]]\nfirst ")
		e.piece("words of")
		<-r.Context().Done()
		gone <- time.Now()
	}))
	defer s.Close()
	p := planText(t, asking(s.URL, ""))
	var left time.Time
	for part, err := range dspi.Stream(t.Context(), p, map[string]any{"question": "?"}) {
		if err != nil {
			t.Fatal(err)
		}
		if part.Field == "answer" && strings.HasPrefix(part.Value.(string), "first words") {
			left = time.Now()
			break
		}
	}
	if left.IsZero() {
		t.Fatal("nothing was shown before the reply ended")
	}
	ended := <-gone
	t.Logf("the request ended %v after the loop was left", ended.Sub(left))
}

// TestStream reads outputs as they grow, of two steps at once and under for_each.
func TestStream(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := asked(r)
		w.Header().Set("Content-Type", "text/event-stream")
		e := events{w}
		for _, piece := range []string{"[[ ## an", "swer ## ]]\nthe", " answer to ", q, "\n\n[[ ## compl", "eted ## ]]"} {
			e.piece(piece)
		}
		io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5}}\n\ndata: [DONE]\n\n")
	}))
	defer s.Close()
	p := planText(t, fmt.Sprintf(`
model m {
  provider = "openai"
  name     = "test"
  base_url = %q
}
program many {
  questions: list[string] -> answers: list[string]
  model = model.m
  predict one {
    question: string -> answer: string
    for_each = questions
    inputs { question = each.value }
  }
  outputs { answers = one.answer }
}
`, s.URL))
	grown := map[int][]string{}
	done := 0
	var result *dspi.Result
	for part, err := range dspi.Stream(t.Context(), p, map[string]any{"questions": []any{"a", "b", "c"}}) {
		switch {
		case err != nil:
			t.Fatal(err)
		case part.Result != nil:
			result = part.Result
		default:
			if part.Address != "program.many.one" || part.Element == nil || part.Field != "answer" {
				t.Fatalf("%+v", part)
			}
			grown[*part.Element] = append(grown[*part.Element], part.Value.(string))
			if part.Done {
				done++
			}
		}
	}
	if result == nil || done != 3 {
		t.Fatalf("%d outputs were whole, result %v", done, result)
	}
	if got := string(value.EncodeJSON(result.Outputs)); got != `{"answers":["the answer to a","the answer to b","the answer to c"]}` {
		t.Error(got)
	}
	if u := result.Usage; u.Calls != 3 || u.InputTokens != 30 || u.OutputTokens != 15 {
		t.Errorf("usage %+v", u)
	}
	for i, parts := range grown {
		want := "the answer to " + string(rune('a'+i))
		for _, part := range parts {
			if !strings.HasPrefix(want, part) {
				t.Errorf("%q is no beginning of %q", part, want)
			}
		}
	}
}

// TestCache makes the same runs twice: the second time nothing is sent, nothing is
// paid, and a rollout of its own is a new sample.
func TestCache(t *testing.T) {
	var requests atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, completion(fmt.Sprintf("%s %d", asked(r), requests.Add(1))))
	}))
	defer s.Close()
	text := asking(s.URL, "price { input = 1, output = 1 }")
	c := cache.Memory(0)
	defer c.Close()
	runtime := dspi.NewRuntime(dspi.Options{Cache: c})
	ask := func(text string) (string, dspi.Result) {
		t.Helper()
		res, err := runtime.Run(t.Context(), planText(t, text), map[string]any{"question": "q"})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := res.Outputs.Get("answer")
		return got.(string), *res
	}
	first, res := ask(text)
	if first != "q 1" || res.Usage.Calls != 1 || res.Usage.Cached != 0 || *res.Usage.USD == 0 {
		t.Errorf("%s %+v", first, res.Usage)
	}
	again, res := ask(text)
	if again != first || res.Usage.Calls != 0 || res.Usage.Cached != 1 || *res.Usage.USD != 0 || res.Usage.InputTokens != 0 {
		t.Errorf("again: %s %+v", again, res.Usage)
	}
	fresh, res := ask(strings.Replace(text, "retries = 0", "retries = 0\n  predict one { rollout = 1 }", 1))
	if fresh != "q 2" || res.Usage.Calls != 1 {
		t.Errorf("another rollout: %s %+v", fresh, res.Usage)
	}
}

// TestMisfitShowsBothReplies checks that a reply which never fits is shown with the
// one before it, and that both calls are counted.
func TestMisfitShowsBothReplies(t *testing.T) {
	var requests atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if n := requests.Add(1); n == 2 && !bytes.Contains(body, []byte("does not fit")) {
			t.Errorf("the second call does not say what was wrong: %s", body)
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, completion([]string{"far too many", "still too many"}[requests.Load()-1]))
	}))
	defer s.Close()
	p := planText(t, fmt.Sprintf(`
model m {
  provider = "openai"
  name     = "test"
  base_url = %q
}
program count {
  text: string -> answer: int
  model = model.m
}
`, s.URL))
	res, err := dspi.Run(t.Context(), p, map[string]any{"text": "x"})
	if err == nil {
		t.Fatal("the reply was taken")
	}
	var d *diag.Diagnostic
	if !errors.As(err, &d) || d.Code != "E0601" {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%+v", d.Report())
	if res.Usage.Calls != 2 || !strings.Contains(text, "reply 1 of 2") || !strings.Contains(text, "reply 2 of 2") {
		t.Errorf("usage %+v\n%s", res.Usage, text)
	}
}

// TestLocalFiles reads a picture from the folder that the program names, and from
// nowhere else.
func TestLocalFiles(t *testing.T) {
	var mu sync.Mutex
	var bodies []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(bufio.NewReader(r.Body))
		mu.Lock()
		bodies = append(bodies, string(body))
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, completion("a cat"))
	}))
	defer s.Close()
	dir := t.TempDir()
	png := "\x89PNG\r\n\x1a\n0000"
	writeFiles(t, dir, map[string]string{"photos/cat.png": png, "secret.png": png, "photos/notes.txt": "words"})
	text := func(more string) string {
		return fmt.Sprintf(`
model m {
  provider = "openai"
  name     = "test"
  base_url = %q
}
program look {
  photo: image -> answer: string
  model = model.m
  %s
}
`, s.URL, more)
	}
	for _, c := range []struct{ path, more, want string }{
		{"cat.png", `local_files = "photos"`, ""},
		{"cat.png", "", "does not say from where"},
		{"../secret.png", `local_files = "photos"`, "leads out of the folder"},
		{"dog.png", `local_files = "photos"`, "there is no file"},
		{"notes.txt", `local_files = "photos"`, "is no image"},
		{"cat.png", `local_files = "nowhere"`, "cannot be opened"},
	} {
		project, diags := dspi.Check(dspi.Parse(dir+"/look.dsp", text(c.more)))
		if err := diags.Err(); err != nil {
			t.Fatal(err)
		}
		p, err := dspi.Plan(project, dspi.PlanOptions{Getenv: func(string) string { return "" }})
		if err != nil {
			t.Fatal(err)
		}
		runtime := dspi.NewRuntime(dspi.Options{})
		_, err = runtime.Run(context.Background(), p, map[string]any{"photo": map[string]any{"path": c.path}})
		if cerr := runtime.Close(); cerr != nil {
			t.Error(cerr)
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.path, err)
		case c.want != "" && !strings.Contains(reported(err), c.want):
			t.Errorf("%s with %q: got %s, want %q", c.path, c.more, reported(err), c.want)
		}
	}
	if len(bodies) != 1 || !strings.Contains(bodies[0], `data:image/png;base64,iVBORw0KGgowMDAw`) {
		t.Errorf("sent: %q", bodies)
	}
}

// writeFiles writes files into a folder.
func writeFiles(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// reported returns all that an error says.
func reported(err error) string {
	var d *diag.Diagnostic
	if !errors.As(err, &d) {
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("%+v", d.Report())
}
