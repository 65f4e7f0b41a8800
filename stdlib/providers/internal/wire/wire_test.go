package wire

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRetryAfter(t *testing.T) {
	now := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, c := range []struct {
		after, ms, date string
		want            time.Duration
	}{
		{"", "", "", 0},
		{"3", "", "", 3 * time.Second},
		{" 0.25 ", "", "", 250 * time.Millisecond},
		{"3", "1500", "", 1500 * time.Millisecond},
		{"3", "soon", "", 3 * time.Second},
		{"0", "", "", 0},
		{"-3", "", "", 0},
		{"NaN", "", "", 0},
		{"1e300", "", "", 365 * 24 * time.Hour},
		{"Inf", "", "", 365 * 24 * time.Hour},
		{date(time.Minute), "", "", time.Minute},
		{date(-time.Minute), "", "", 0},
		{date(time.Hour), "", date(59 * time.Minute), time.Minute}, // the server's clock is 59 minutes ahead
		{"tomorrow", "", "", 0},
	} {
		h := http.Header{}
		for k, v := range map[string]string{"Retry-After": c.after, "Retry-After-Ms": c.ms, "Date": c.date} {
			if v != "" {
				h.Set(k, v)
			}
		}
		if got := retryAfter(h, now); got != c.want {
			t.Errorf("%v means %s, want %s", h, got, c.want)
		}
	}
}

func TestScrub(t *testing.T) {
	u, err := url.Parse("https://me:pass%2Fword1@host/v1?api-version=2031&api_key=query-secret&x=y")
	if err != nil {
		t.Fatal(err)
	}
	secrets := secretsOf(u, "long-key+/value")
	for text, want := range map[string]string{
		"":                                 "",
		"fine":                             "fine",
		"a long-key+/value b":              "a [redacted] b",
		"long-key%2B%2Fvalue":              "[redacted]",
		"long-key+%2Fvalue":                "[redacted]",
		"xlong-key+/valuey":                "x[redacted]y",
		"cut long-key+/":                   "cut [redacted]",
		"cut long-key":                     "cut [redacted]",
		"cut long":                         "cut long",
		"pass/word1 query-secret 2031 y":   "[redacted] [redacted] 2031 y",
		"long-key+/valuelong-key+/value":   "[redacted][redacted]",
		"password is not pass/word, quite": "password is not pass/word, quite",
	} {
		if got := scrub(text, secrets); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	short := secretsOf(&url.URL{}, "none")
	for text, want := range map[string]string{
		"none": "[redacted]", "key none, nonesuch": "key [redacted], nonesuch", "anone": "anone", "none none": "[redacted] [redacted]",
	} {
		if got := scrub(text, short); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := secretsOf(&url.URL{User: url.User("a-token-alone")}, ""); len(got) != 1 {
		t.Errorf("a user without password is no secret: %q", got)
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		" a\r\n\tb  c ":           "a b c",
		"\x1b[31mred\x1b[0m":      "[31mred[0m",
		"\u202egnp.exe\u200b\x00": "gnp.exe",
		"\xff\xfeab":              "ab",
		"日本 é 🙂":                  "日本 é 🙂",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := cut("日本語", 2); got != "日本 …" {
		t.Errorf("cut gives %q", got)
	}
	if got := cut("日本", 2); got != "日本" {
		t.Errorf("cut gives %q", got)
	}
}

func TestIsJSON(t *testing.T) {
	for kind, want := range map[string]bool{
		"": true, "application/json": true, "Application/JSON; charset=utf-8": true, "text/json": true, "application/problem+json": true,
		"text/plain; charset=utf-8": true, "application/json; =": true,
		"text/html": false, "text/event-stream": false, "application/octet-stream": false, "/": false, "json": false,
	} {
		if got := isJSON(kind); got != want {
			t.Errorf("%q is JSON: %v, want %v", kind, got, want)
		}
	}
}

func endpoint(t *testing.T, base string, client *http.Client) *Endpoint {
	t.Helper()
	e, err := New(Options{Address: "test/m", BaseURL: base, Path: []string{"ask"}, Client: client,
		Complain: func([]byte) Complaint { return Complaint{} }})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestReuse: rounds of many concurrent calls reuse the connections of the first.
func TestReuse(t *testing.T) {
	const calls, rounds = 300, 4
	var opened, arrived atomic.Int64
	gate := make(chan chan struct{}, 1)
	gate <- make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		// All calls of a round are answered when all have arrived, so that each
		// needs a connection of its own.
		open := <-gate
		if arrived.Add(1)%calls == 0 {
			close(open)
			gate <- make(chan struct{})
		} else {
			gate <- open
		}
		<-open
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	e := endpoint(t, s.URL, nil)
	for range rounds {
		var all sync.WaitGroup
		for range calls {
			all.Go(func() {
				if _, err := e.Post(t.Context(), struct{}{}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	// A connection may come back a moment after its call does.
	if n := opened.Load(); n > calls+calls/5 {
		t.Errorf("%d rounds of %d calls opened %d connections", rounds, calls, n)
	}
}

// TestClientTimeout: the time limit of a client that the host brought is a timeout.
func TestClientTimeout(t *testing.T) {
	for _, begin := range []string{"", `{"half`} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if begin != "" {
				io.WriteString(w, begin)
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		}))
		client := s.Client()
		client.Timeout = 50 * time.Millisecond
		_, err := endpoint(t, s.URL, client).Post(t.Context(), struct{}{})
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindTimeout {
			t.Errorf("got %v", err)
		}
		if client.CheckRedirect != nil {
			t.Error("the host's client was changed")
		}
		s.Close()
	}
}

// TestClientRedirects: nor does a client that the host brought follow a redirect.
func TestClientRedirects(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ask" {
			t.Errorf("the redirect to %s was followed", r.URL.Path)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	_, err := endpoint(t, s.URL, s.Client()).Post(t.Context(), struct{}{})
	if e := lm.AsError(err); e == nil || e.Kind != lm.KindRequest || e.Status != 307 || !strings.Contains(e.Message, s.URL+"/elsewhere") {
		t.Errorf("got %v", err)
	}
}

// TestTLS: a certificate that nobody vouches for is a failure that says so.
func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	_, err := endpoint(t, s.URL, nil).Post(t.Context(), struct{}{})
	if e := lm.AsError(err); e == nil || e.Kind != lm.KindUnreachable || !strings.Contains(e.Message, "certificate") {
		t.Errorf("got %v", err)
	}
}

func TestUnwritable(t *testing.T) {
	_, err := endpoint(t, "http://127.0.0.1:1", nil).Post(t.Context(), func() {})
	if e := lm.AsError(err); e == nil || e.Kind != lm.KindRequest {
		t.Errorf("got %v", err)
	}
}

func TestCleanError(t *testing.T) {
	e := endpoint(t, "http://u:long-password@127.0.0.1:1", nil)
	cause := errors.New("harmless")
	if e.cleanError(cause) != cause || e.cleanError(nil) != nil {
		t.Error("a harmless cause is not kept")
	}
	if got := e.cleanError(errors.New("with long-password in it")).Error(); got != "with [redacted] in it" {
		t.Errorf("got %q", got)
	}
}
