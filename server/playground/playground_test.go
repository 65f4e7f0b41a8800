package playground_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dspi-lang/dspi/server/playground"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token  = "the-token"
	origin = "http://127.0.0.1:4242"
)

// options are those of a Playground whose runs end at once.
func options() playground.Options {
	return playground.Options{
		Token: token, Root: "file:///p", Model: "builtin/incontext", Timeout: time.Minute,
		Files: func() ([]playground.File, error) {
			return []playground.File{{Name: "a.dsp", URI: "file:///p/a.dsp", Text: "program a {}"}}, nil
		},
		Language: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "language") }),
		Run: func(_ context.Context, r playground.Request, trace func(any)) playground.End {
			var all sync.WaitGroup // events come from many goroutines
			for range 8 {
				all.Go(func() { trace(map[string]string{"kind": "step"}) })
			}
			all.Wait()
			return playground.End{Outputs: map[string]string{"text": r.Text + r.Inputs["x"]}, Usage: "1 call"}
		},
		Test: func(_ context.Context, r playground.Request, trace func(any), over func(playground.Tested)) playground.End {
			trace(map[string]string{"kind": "step"})
			over(playground.Tested{Name: r.Test, Status: "failed", Error: r.Text})
			return playground.End{Usage: "1 test"}
		},
	}
}

// ask sends a request; headers are `Name: value`.
func ask(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, origin+path, strings.NewReader(body))
	for _, header := range headers {
		name, v, _ := strings.Cut(header, ": ")
		if r.Header.Set(name, v); name == "Host" {
			r.Host = v
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const bearer = "Authorization: Bearer " + token

// TestWhoIsServed: the page of this machine that knows the token, and nobody else.
func TestWhoIsServed(t *testing.T) {
	p := playground.New(options())
	for _, c := range []struct {
		name, method, path string
		headers            []string
		status             int
	}{
		{"the page", "GET", "/", nil, 200},
		{"its script", "GET", "/assets/playground.js", nil, 200},
		{"as localhost", "GET", "/", []string{"Host: localhost:4242"}, 200},
		{"as ::1", "GET", "/", []string{"Host: [::1]:4242"}, 200},
		{"a name that is bent to this machine", "GET", "/", []string{"Host: evil.example:4242"}, 403},
		{"the same with the token", "GET", "/api/start", []string{"Host: evil.example", bearer}, 403},
		{"another machine's address", "GET", "/", []string{"Host: 192.0.2.1:4242"}, 403},
		{"another page", "GET", "/api/start", []string{"Origin: https://evil.example", bearer}, 403},
		{"a page of another port", "POST", "/api/run", []string{"Origin: http://127.0.0.1:9999", bearer}, 403},
		{"a page of nowhere", "POST", "/api/run", []string{"Origin: null", bearer}, 403},
		{"no token", "GET", "/api/start", nil, 401},
		{"a wrong token", "GET", "/api/start", []string{"Authorization: Bearer the-toke"}, 401},
		{"an empty token", "GET", "/api/start", []string{"Authorization: Bearer "}, 401},
		{"the token in the URL of the files", "GET", "/api/start?token=" + token, nil, 401},
		{"the token in the URL of a run", "POST", "/api/run?token=" + token, nil, 401},
		{"tests without a token", "POST", "/api/test", nil, 401},
		{"tests for another page", "POST", "/api/test", []string{"Origin: https://evil.example", bearer}, 403},
		{"the own page", "GET", "/api/start", []string{"Origin: " + origin, bearer}, 200},
		{"the language server", "GET", "/lsp?token=" + token, []string{"Origin: " + origin}, 200},
		{"the language server for another page", "GET", "/lsp?token=" + token, []string{"Origin: https://evil.example"}, 403},
		{"the language server without a token", "GET", "/lsp", []string{"Origin: " + origin}, 401},
		{"a run by GET", "GET", "/api/run", []string{bearer}, 405},
		{"a file that is none of the page", "GET", "/assets/..%2Fplayground.go", nil, 404},
		{"another path", "GET", "/etc/passwd", nil, 404},
	} {
		if got := ask(p, c.method, c.path, "{}", c.headers...); got.Code != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, got.Code, c.status, got.Body)
		}
	}
	open := options()
	open.Token = ""
	if got := ask(playground.New(open), "GET", "/api/start", "", "Authorization: Bearer "); got.Code != 401 {
		t.Errorf("a Playground without a token serves everybody: %d", got.Code)
	}
}

// TestAssets: compressed for who takes that, plain for others, and nothing of it may
// come from elsewhere.
func TestAssets(t *testing.T) {
	p := playground.New(options())
	for name, kind := range map[string]string{
		"playground.js": "text/javascript", "colours.js": "text/javascript", "playground.css": "text/css", "editor.worker.js": "text/javascript", "codicon.ttf": "font/ttf", "licenses.txt": "text/plain",
	} {
		plain := ask(p, "GET", "/assets/"+name, "", "Accept-Encoding: gzip;q=0, br")
		packed := ask(p, "GET", "/assets/"+name, "", "Accept-Encoding: deflate, gzip, br")
		if plain.Code != 200 || plain.Header().Get("Content-Encoding") != "" || !strings.HasPrefix(plain.Header().Get("Content-Type"), kind) {
			t.Errorf("%s: %d %v", name, plain.Code, plain.Header())
		}
		z, err := gzip.NewReader(packed.Body)
		if err != nil || packed.Header().Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s: %v %v", name, err, packed.Header())
		}
		if data, err := io.ReadAll(z); err != nil || !bytes.Equal(data, plain.Body.Bytes()) {
			t.Errorf("%s differs when it is compressed: %v", name, err)
		}
	}
	page := ask(p, "GET", "/", "")
	if strings.Contains(page.Body.String(), token) || strings.Contains(page.Body.String(), "://") {
		t.Error("the page holds the token or another address")
	}
	policy := page.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "connect-src 'self' ws://127.0.0.1:4242;", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%s is not in %s", want, policy)
		}
	}
}

func TestStart(t *testing.T) {
	opt := options()
	got := ask(playground.New(opt), "GET", "/api/start", "", bearer)
	const want = `{"root":"file:///p","model":"builtin/incontext","files":[{"name":"a.dsp","uri":"file:///p/a.dsp","text":"program a {}"}]}`
	if strings.TrimSpace(got.Body.String()) != want {
		t.Errorf("%s", got.Body)
	}
	opt.Files = func() ([]playground.File, error) { return nil, errors.New("the folder is gone") }
	if got := ask(playground.New(opt), "GET", "/api/start", "", bearer); got.Code != 500 || !strings.Contains(got.Body.String(), "the folder is gone") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// TestRun: whole lines, also from many goroutines, and the end as the last.
func TestRun(t *testing.T) {
	got := ask(playground.New(options()), "POST", "/api/run", `{"file":"a.dsp","text":"abc","inputs":{"x":"def"}}`, bearer)
	lines := strings.Split(strings.TrimSpace(got.Body.String()), "\n")
	if len(lines) != 9 || lines[8] != `{"end":{"outputs":{"text":"abcdef"},"usage":"1 call"}}` {
		t.Fatalf("%q", lines)
	}
	for _, line := range lines[:8] {
		if line != `{"trace":{"kind":"step"}}` {
			t.Errorf("%q", line)
		}
	}
}

// TestTests: each test after its events, and the end as the last.
func TestTests(t *testing.T) {
	got := ask(playground.New(options()), "POST", "/api/test", `{"file":"a.dsp","text":"abc","test":"t"}`, bearer)
	const want = `{"trace":{"kind":"step"}}
{"test":{"name":"t","status":"failed","error":"abc"}}
{"end":{"usage":"1 test"}}
`
	if got.Code != 200 || got.Body.String() != want {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

func TestLimits(t *testing.T) {
	p := playground.New(options())
	large, _ := json.Marshal(playground.Request{Text: strings.Repeat("x", playground.MaxBody)})
	if got := ask(p, "POST", "/api/run", string(large), bearer); got.Code != 413 {
		t.Errorf("%d bytes: %d", len(large), got.Code)
	}
	if got := ask(p, "POST", "/api/run", "program", bearer); got.Code != 400 {
		t.Errorf("no JSON: %d", got.Code)
	}
	synctest.Test(t, func(t *testing.T) {
		opt := options()
		opt.Run = func(ctx context.Context, _ playground.Request, _ func(any)) playground.End {
			<-ctx.Done()
			return playground.End{Error: "cut off", Usage: "2 calls"}
		}
		p := playground.New(opt)
		answers := make(chan *httptest.ResponseRecorder, playground.MaxRuns)
		for range playground.MaxRuns {
			go func() { answers <- ask(p, "POST", "/api/run", "{}", bearer) }()
		}
		synctest.Wait()
		if got := ask(p, "POST", "/api/run", "{}", bearer); got.Code != 429 {
			t.Errorf("one run too many: %d", got.Code)
		}
		began := time.Now()
		for range playground.MaxRuns {
			got := (<-answers).Body.String()
			if !strings.Contains(got, "longer than 1m0s") || !strings.Contains(got, "2 calls") || strings.Contains(got, "cut off") {
				t.Errorf("%s", got)
			}
		}
		if d := time.Since(began); d != time.Minute {
			t.Errorf("the runs were ended after %v", d)
		}
	})
}

// serving is a Playground that serves until stop is called, which returns what Serve did.
func serving(t *testing.T, opt playground.Options) (address string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- playground.New(opt).Serve(ctx, l) }()
	return l.Addr().String(), func() error { cancel(); return <-served }
}

// TestTheReaderLeaves: a run that nobody waits for any more ends.
func TestTheReaderLeaves(t *testing.T) {
	opt := options()
	began, ended := make(chan struct{}), make(chan struct{})
	opt.Run = func(ctx context.Context, _ playground.Request, trace func(any)) playground.End {
		trace("begun")
		close(began)
		<-ctx.Done()
		close(ended)
		return playground.End{}
	}
	address, stop := serving(t, opt)
	r, _ := http.NewRequest("POST", "http://"+address+"/api/run", strings.NewReader("{}"))
	r.Header.Set("Authorization", "Bearer "+token)
	client := &http.Client{Transport: &http.Transport{}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(answer.Body).ReadString('\n'); err != nil || line != "{\"trace\":\"begun\"}\n" {
		t.Errorf("the trace does not come while the run goes on: %q, %v", line, err)
	}
	<-began
	answer.Body.Close()
	<-ended
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestShutdown: Serve returns when what it began has ended, also a session that took
// over its connection.
func TestShutdown(t *testing.T) {
	opt := options()
	begun := make(chan struct{}, 2)
	var mu sync.Mutex
	ended := 0
	wait := func(ctx context.Context) {
		begun <- struct{}{}
		<-ctx.Done()
		mu.Lock()
		ended++
		mu.Unlock()
	}
	opt.Run = func(ctx context.Context, _ playground.Request, _ func(any)) playground.End {
		wait(ctx)
		return playground.End{}
	}
	opt.Language = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		wait(r.Context())
	})
	address, stop := serving(t, opt)
	for _, head := range []string{
		"GET /lsp?token=" + token + " HTTP/1.1\r\nHost: " + address + "\r\n\r\n",
		"POST /api/run HTTP/1.1\r\nHost: " + address + "\r\n" + bearer + "\r\nContent-Length: 2\r\n\r\n{}",
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, head); err != nil {
			t.Fatal(err)
		}
	}
	<-begun
	<-begun
	if err := stop(); err != nil {
		t.Error(err)
	}
	if ended != 2 {
		t.Errorf("%d of 2 had ended", ended)
	}
}

// TestListener: a listener that fails is an error.
func TestListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := playground.New(options()).Serve(context.Background(), l); err == nil {
		t.Error("no error")
	}
}
