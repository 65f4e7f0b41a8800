package lmtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// statuses: each HTTP status is its kind of failure, carries what the provider said,
// and only what may succeed later is tried again.
func (d Dialect) statuses(t *testing.T) {
	cases := []struct {
		status int
		kind   lm.Kind
		tries  int64
	}{
		{400, lm.KindRequest, 1}, {401, lm.KindAuth, 1}, {403, lm.KindAuth, 1}, {404, lm.KindRequest, 1},
		{408, lm.KindTimeout, 3}, {413, lm.KindRequest, 1}, {422, lm.KindRequest, 1}, {429, lm.KindRateLimit, 3},
		{500, lm.KindServer, 3}, {502, lm.KindServer, 3}, {503, lm.KindServer, 3}, {504, lm.KindServer, 3},
	}
	if d.Overloaded != 0 {
		cases = append(cases, struct {
			status int
			kind   lm.Kind
			tries  int64
		}{d.Overloaded, lm.KindRateLimit, 3})
	}
	for _, c := range cases {
		t.Run(strconv.Itoa(c.status), func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) {
				say(w, c.status, d.Error(c.status, "the provider's own words"))
			})
			m := lm.WithRetry(d.model(t, s.URL, testKey), lm.RetryPolicy{Attempts: 3, Base: time.Millisecond})
			_, err := m.Generate(t.Context(), Ask("hello"))
			e := wantKind(t, err, c.kind)
			if e.Status != c.status || e.Message != "the provider's own words" {
				t.Errorf("the failure has status %d and message %q", e.Status, e.Message)
			}
			if e.Endpoint != s.URL+d.Path {
				t.Errorf("the endpoint is %q, want %q", e.Endpoint, s.URL+d.Path)
			}
			if s.calls.Load() != c.tries || e.Attempts != int(c.tries) {
				t.Errorf("%d requests, %d attempts, want %d", s.calls.Load(), e.Attempts, c.tries)
			}
		})
	}
	t.Run("a page instead of an error", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(502)
			io.WriteString(w, "<html>\n<b>\x1b[31mBad gateway\x00</b>"+strings.Repeat("x", 100_000))
		})
		_, err := d.model(t, s.URL, testKey).Generate(t.Context(), Ask("hello"))
		e := wantKind(t, err, lm.KindServer)
		readable(t, e, "Bad gateway")
	})
}

// readable checks that a failure quotes part of what came, shortly and without
// what a terminal would obey.
func readable(t *testing.T, e *lm.Error, part string) {
	t.Helper()
	if !strings.Contains(e.Message, part) {
		t.Errorf("the message does not show %q: %s", part, e.Message)
	}
	if n := len([]rune(e.Message)); n > 700 {
		t.Errorf("the message has %d characters", n)
	}
	if i := strings.IndexFunc(e.Message, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		t.Errorf("the message holds a control character: %q", e.Message)
	}
}

// retry: a call that may succeed later does, and a provider's wish is obeyed.
func (d Dialect) retry(t *testing.T) {
	for _, status := range []int{429, 500} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, n int) {
			if n == 1 {
				w.Header().Set("Retry-After-Ms", "30")
				say(w, status, d.Error(status, "not now"))
				return
			}
			say(w, 200, d.Reply(said("now")))
		})
		var seen []lm.Attempt
		ctx := lm.WithObserver(t.Context(), func(a lm.Attempt) { seen = append(seen, a) })
		m := lm.WithRetry(d.model(t, s.URL, testKey), lm.RetryPolicy{Attempts: 2, Base: time.Millisecond})
		start := time.Now()
		resp, err := m.Generate(ctx, Ask("hello"))
		if err != nil {
			t.Fatal(err)
		}
		if resp.Text != "now" || s.calls.Load() != 2 {
			t.Errorf("the reply is %q after %d requests", resp.Text, s.calls.Load())
		}
		if took := time.Since(start); took < 30*time.Millisecond {
			t.Errorf("the second attempt came after %s, before the 30ms the provider asked for", took)
		}
		if len(seen) != 2 || seen[0].Err == nil || seen[0].Err.Status != status || seen[0].Wait < 30*time.Millisecond || seen[1].Err != nil || seen[1].Number != 2 {
			t.Errorf("the observer saw %+v", seen)
		}
	}
	for header, want := range map[string]time.Duration{
		"7":   7 * time.Second,
		"1.5": 1500 * time.Millisecond,
		time.Date(2031, 5, 6, 7, 9, 0, 0, time.UTC).Format(http.TimeFormat): 90 * time.Second,
		"soon": 0,
		"-4":   0,
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, n int) {
			w.Header().Set("Date", time.Date(2031, 5, 6, 7, 7, 30, 0, time.UTC).Format(http.TimeFormat))
			w.Header().Set("Retry-After", header)
			say(w, 429, d.Error(429, "not now"))
		})
		_, err := d.model(t, s.URL, testKey).Generate(t.Context(), Ask("hello"))
		if e := wantKind(t, err, lm.KindRateLimit); e.RetryAfter != want {
			t.Errorf("Retry-After: %s is understood as %s, want %s", header, e.RetryAfter, want)
		}
	}
}

// hung: a server that never answers, or never ends its answer, costs no more than
// the timeout.
func (d Dialect) hung(t *testing.T) {
	for name, begin := range map[string]func(w http.ResponseWriter){
		"no answer": func(http.ResponseWriter) {},
		"half an answer": func(w http.ResponseWriter) {
			whole := d.Reply(said("Paris"))
			say(w, 200, whole[:len(whole)/2])
			w.(http.Flusher).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{}, 1)
			s := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte, _ int) {
				begin(w)
				<-r.Context().Done()
				gone <- struct{}{}
			})
			const limit = 100 * time.Millisecond
			start := time.Now()
			_, err := lm.WithTimeout(d.model(t, s.URL, testKey), limit).Generate(t.Context(), Ask("hello"))
			e := wantKind(t, err, lm.KindTimeout)
			if !strings.Contains(e.Message, "100ms") {
				t.Errorf("the message does not name the limit: %s", e.Message)
			}
			if took := time.Since(start); took < limit || took > patience/2 {
				t.Errorf("the call took %s with a limit of %s", took, limit)
			}
			await(t, gone, "the server did not see the request end")
		})
	}
}

// cancel: an interruption ends the call and the request at once.
func (d Dialect) cancel(t *testing.T) {
	arrived, gone := make(chan struct{}, 1), make(chan struct{}, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request, _ []byte, _ int) {
		arrived <- struct{}{}
		<-r.Context().Done()
		gone <- struct{}{}
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	m := lm.WithRetry(lm.WithTimeout(d.model(t, s.URL, testKey), time.Hour), lm.RetryPolicy{Attempts: 5, Base: time.Hour, Max: time.Hour})
	failed := make(chan error, 1)
	go func() {
		_, err := m.Generate(ctx, Ask("hello"))
		failed <- err
	}()
	await(t, arrived, "the request did not arrive")
	cancel(errors.New("the user pressed Ctrl-C"))
	err := await(t, failed, "the call did not end")
	e := wantKind(t, err, lm.KindCanceled)
	if !errors.Is(err, context.Canceled) || !strings.Contains(e.Message, "Ctrl-C") {
		t.Errorf("the failure is %v", err)
	}
	await(t, gone, "the server did not see the request end")
	if s.calls.Load() != 1 {
		t.Errorf("%d requests", s.calls.Load())
	}
}

// await returns what c gives, or fails the test.
func await[T any](t *testing.T, c <-chan T, missing string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal(missing)
		panic("unreachable")
	}
}

// refused: no server is a failure that may pass.
func (d Dialect) refused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + l.Addr().String()
	l.Close()
	_, err = d.model(t, base, testKey).Generate(t.Context(), Ask("hello"))
	e := wantKind(t, err, lm.KindUnreachable)
	if e.Endpoint != base+d.Path || !strings.Contains(e.Message, "refused") {
		t.Errorf("the failure is %+v", e)
	}
	s := serve(t, func(http.ResponseWriter, *http.Request, []byte, int) { panic(http.ErrAbortHandler) })
	_, err = d.model(t, s.URL, testKey).Generate(t.Context(), Ask("hello"))
	wantKind(t, err, lm.KindUnreachable)
}

// broken: a reply that is not the provider's own format is a failure that shows its start.
func (d Dialect) broken(t *testing.T) {
	whole := d.Reply(said("Paris"))
	half := whole[:len(whole)/2]
	start := strings.TrimSpace(whole)[:10]
	for name, c := range map[string]struct {
		kind, body, show string
		length           int
	}{
		"truncated body":                   {"application/json", half, start, len(whole)},
		"truncated text":                   {"application/json", half, start, 0},
		"HTML":                             {"text/html; charset=utf-8", "<!doctype html><title>Log in</title>", "Log in", 0},
		"right body of the wrong type":     {"text/html", whole, "text/html", 0},
		"a stream":                         {"text/event-stream", "data: {}\n\n", "data: {}", 0},
		"not JSON":                         {"application/json", "Internal \x1b[31merror\u202e", "error", 0},
		"JSON of another shape":            {"application/json", `["Paris"]`, "Paris", 0},
		"an object of another shape":       {"application/json", `{"hello": "world"}`, "world", 0},
		"fields of other types":            {"application/json", `{"choices": 7, "content": 7}`, "7", 0},
		"no reply in it":                   {"application/json", d.Empty, strings.TrimSpace(d.Empty)[:10], 0},
		"nothing":                          {"application/json", "", "empty", 0},
		"null":                             {"application/json", "null", "null", 0},
		"two objects":                      {"application/json", whole + whole, start, 0},
		"a long page of letters":           {"application/json", strings.Repeat("é", 1<<20), "ééé", 0},
		"bytes that are no text":           {"application/octet-stream", "\xff\xfe\x00PNG", "PNG", 0},
		"a type that cannot be understood": {"/;;;", whole, start, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) {
				w.Header().Set("Content-Type", c.kind)
				if c.length > 0 {
					w.Header().Set("Content-Length", strconv.Itoa(c.length))
				}
				io.WriteString(w, c.body)
			})
			_, err := d.model(t, s.URL, testKey).Generate(t.Context(), Ask("hello"))
			e := wantKind(t, err, lm.KindReply)
			readable(t, e, c.show)
			if e.Status != 200 && e.Status != 0 || e.Endpoint != s.URL+d.Path {
				t.Errorf("the failure is %+v", e)
			}
		})
	}
	t.Run("every length", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, n int) { say(w, 200, whole[:n-1]) })
		m := d.model(t, s.URL, testKey)
		for n := range len(strings.TrimSpace(whole)) {
			if _, err := m.Generate(t.Context(), Ask("hello")); lm.AsError(err) == nil || lm.AsError(err).Kind != lm.KindReply {
				t.Fatalf("a reply cut to %d bytes gives %v", n, err)
			}
		}
	})
	t.Run("no type", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, n int) {
			if n == 1 {
				w.Header()["Content-Type"] = nil
			} else {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			}
			io.WriteString(w, whole)
		})
		m := d.model(t, s.URL, testKey)
		for range 2 {
			if _, err := m.Generate(t.Context(), Ask("hello")); err != nil {
				t.Errorf("a JSON reply without a JSON type is refused: %v", err)
			}
		}
	})
}

// tooLong: a reply without end is not kept in memory.
func (d Dialect) tooLong(t *testing.T) {
	block := bytes.Repeat([]byte(" "), 1<<20)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, n int) {
		w.Header().Set("Content-Type", "application/json")
		if n == 2 {
			w.Header().Set("Content-Length", strconv.Itoa(1<<40))
		}
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	m := d.model(t, s.URL, testKey)
	for range 2 {
		_, err := m.Generate(t.Context(), Ask("hello"))
		if e := wantKind(t, err, lm.KindReply); !strings.Contains(e.Message, "MB") {
			t.Errorf("the message does not name the limit: %s", e.Message)
		}
	}
}

// redirect: the key goes to no other address than the one it was given for.
func (d Dialect) redirect(t *testing.T) {
	other := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte, _ int) {
		t.Errorf("a redirect was followed, with the key %q", d.Key(r.Header))
		say(w, 200, d.Reply(said("stolen")))
	})
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte, _ int) {
			http.Redirect(w, r, other.URL+"/elsewhere?key="+testKey, status)
		})
		_, err := d.model(t, s.URL, testKey).Generate(t.Context(), Ask("hello"))
		e := wantKind(t, err, lm.KindRequest)
		if e.Status != status || !strings.Contains(e.Message, other.URL+"/elsewhere") {
			t.Errorf("the failure is %+v", e)
		}
		secretless(t, err)
	}
}

// secrets: whatever a server sends back, the key is in no error.
func (d Dialect) secrets(t *testing.T) {
	quoted, _ := json.Marshal(testKey)
	hidden := testKey[:9] + "\x00" + testKey[9:]
	for name, answer := range map[string]func(w http.ResponseWriter){
		"in the message":        func(w http.ResponseWriter) { say(w, 401, d.Error(401, "the key "+testKey+" is wrong")) },
		"twice":                 func(w http.ResponseWriter) { say(w, 400, d.Error(400, testKey+testKey)) },
		"in text":               func(w http.ResponseWriter) { say(w, 500, "header Authorization: Bearer "+testKey) },
		"in JSON":               func(w http.ResponseWriter) { say(w, 500, `{"authorization":`+string(quoted)+`}`) },
		"in a page":             func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/html"); io.WriteString(w, testKey) },
		"in a reply":            func(w http.ResponseWriter) { say(w, 200, `{"key":"`+testKey+`"}`) },
		"with a NUL in it":      func(w http.ResponseWriter) { say(w, 500, hidden) },
		"cut off":               func(w http.ResponseWriter) { say(w, 500, "key "+testKey[:20]) },
		"at the end of the cut": func(w http.ResponseWriter) { say(w, 500, strings.Repeat("y", 190)+testKey) },
		"in the type":           func(w http.ResponseWriter) { w.Header().Set("Content-Type", testKey); io.WriteString(w, "{}") },
		"in the number": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", testKey)
			say(w, 429, d.Error(429, "wait"))
		},
		"in the status line": func(w http.ResponseWriter) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				io.WriteString(c, "HTTP/1.1 "+testKey+"\r\n\r\n")
				c.Close()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) { answer(w) })
			_, err := lm.WithRetry(d.model(t, s.URL, testKey), lm.RetryPolicy{Attempts: 2, Base: time.Millisecond}).Generate(t.Context(), Ask("hello"))
			if err == nil {
				t.Fatal("no error")
			}
			secretless(t, err)
		})
	}
}

// secretless checks that no part of the key of eight characters or more is in err.
func secretless(t *testing.T, err error) {
	t.Helper()
	text := everything(err)
	for i := 0; i+12 <= len(testKey); i++ {
		if strings.Contains(text, testKey[i:i+12]) {
			t.Fatalf("the key, or a part of it, is in the error: %s", text)
		}
	}
}

// show writes parameters with the values that their pointers point to.
func show(p lm.Params) string {
	p.Stop = slices.Clone(p.Stop)
	b, err := json.Marshal(p)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
