package wire

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// streamer starts a server that answers with a body of a type.
func streamer(t *testing.T, kind, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if got := r.Header.Get("Accept"); got != "text/event-stream" {
			t.Errorf("it accepts %q", got)
		}
		w.Header()["Content-Type"] = nil
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// gather returns the events of a reply, each as NAME|DATA.
func gather(t *testing.T, e *Endpoint) ([]string, error) {
	var got []string
	err := e.Events(t.Context(), struct{}{}, func(name string, data []byte) error {
		got = append(got, name+"|"+string(data))
		return nil
	})
	return got, err
}

func TestEvents(t *testing.T) {
	long := strings.Repeat("é", 300_000)
	const sse, ndjson, whole = "text/event-stream; charset=utf-8", "application/x-ndjson", "application/json"
	for name, c := range map[string]struct {
		kind, body string
		want       []string
	}{
		"data":                {sse, "data: a\n\ndata: b\n\n", []string{"|a", "|b"}},
		"names":               {sse, "event: x\ndata: a\n\ndata: b\n\n", []string{"x|a", "|b"}},
		"name after data":     {sse, "data: a\nevent: x\n\n", []string{"x|a"}},
		"two lines":           {sse, "data: a\ndata: b\n\n", []string{"|a\nb"}},
		"no blank":            {sse, "data:a\n\n", []string{"|a"}},
		"two blanks":          {sse, "data:  a\n\n", []string{"| a"}},
		"comments":            {sse, ": keep-alive\n\ndata: a\n:x\n\n", []string{"|a"}},
		"other fields":        {sse, "id: 7\nretry: 10\nodd: z\ndata: a\n\n", []string{"|a"}},
		"name without data":   {sse, "event: x\n\ndata: a\n\n", []string{"|a"}},
		"empty data":          {sse, "data\n\ndata:\n\n", []string{"|", "|"}},
		"CRLF":                {sse, "event: x\r\ndata: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", []string{"x|a\nb", "|c"}},
		"CR":                  {sse, "data: a\r\rdata: b\r\r", []string{"|a", "|b"}},
		"mixed ends":          {sse, "data: a\r\n\ndata: b\n\r\ndata: c\r\n\r", []string{"|a", "|b", "|c"}},
		"byte order mark":     {sse, "\ufeffdata: a\n\n", []string{"|a"}},
		"no blank line":       {sse, "data: a\n\ndata: [DONE]", []string{"|a", "|[DONE]"}},
		"long":                {sse, "data: " + long + "\n\ndata: b\n\n", []string{"|" + long, "|b"}},
		"nothing":             {sse, "", nil},
		"no type":             {"", "data: a\n\n", []string{"|a"}},
		"plain text":          {"text/plain", ": hello\ndata: a\n\n", []string{"|a"}},
		"lines":               {ndjson, "{\"a\":1}\n\n {\"b\":2}\r\n{\"c\":3}", []string{`|{"a":1}`, `|{"b":2}`, `|{"c":3}`}},
		"lines of JSON":       {whole, "{\"a\":1}\n{\"b\":2}\n", []string{`|{"a":1}`, `|{"b":2}`}},
		"one object":          {whole, `{"a":1}`, []string{`json|{"a":1}`}},
		"one object, a line":  {whole, "\n\n{\"a\":1}\n\n", []string{`json|{"a":1}`}},
		"one object of lines": {whole, "{\n  \"a\": 1,\n\n  \"b\": 2\n}\n", []string{"json|{\n  \"a\": 1,\n\n  \"b\": 2\n}"}},
		"no type, one object": {"", ` {"a":1}`, []string{`json|{"a":1}`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := gather(t, endpoint(t, streamer(t, c.kind, c.body), nil))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %.200q\nwant %.200q", got, c.want)
			}
			if strings.HasPrefix(c.kind, "text/event") && len(c.body) < 1000 {
				for _, r := range []io.Reader{iotest.OneByteReader(strings.NewReader(c.body)), iotest.HalfReader(strings.NewReader(c.body)), iotest.DataErrReader(strings.NewReader(c.body))} {
					var again []string
					l := &lines{r: r}
					if err := l.events(func(name string, data []byte) error { again = append(again, name+"|"+string(data)); return nil }); err != nil || !slices.Equal(again, c.want) {
						t.Errorf("read in other pieces it is %q, %v", again, err)
					}
				}
			}
		})
	}
}

func TestEventFailures(t *testing.T) {
	for name, c := range map[string]struct{ kind, body, says string }{
		"HTML":              {"text/html", "<b>Log in</b>", "Log in"},
		"bytes":             {"application/octet-stream", "xyz", "a stream was expected"},
		"no JSON":           {"application/json", "Internal error", "not whole JSON"},
		"half":              {"application/json", "{\"a\":\n", "not whole JSON"},
		"nothing":           {"application/json", " \n", "empty"},
		"not a type":        {"/;;;", "data: a\n\n", "data: a"},
		"a line of no type": {"", "{\"a\n", "not whole JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := gather(t, endpoint(t, streamer(t, c.kind, c.body), nil))
			if e := lm.AsError(err); e == nil || e.Kind != lm.KindReply || e.Status != 200 || !strings.Contains(e.Message, c.says) || got != nil {
				t.Errorf("got %q and %v, want %q", got, err, c.says)
			}
		})
	}
}

// TestEventsTooLong: a stream without end is not kept in memory.
func TestEventsTooLong(t *testing.T) {
	for _, kind := range []string{"text/event-stream", "application/json", "application/x-ndjson"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", kind)
			block := strings.Repeat("x", 1<<20)
			for {
				if _, err := io.WriteString(w, block); err != nil {
					return
				}
			}
		}))
		_, err := gather(t, endpoint(t, s.URL, nil))
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindReply || !strings.Contains(e.Message, "MB") {
			t.Errorf("%s: %v", kind, err)
		}
		s.Close()
	}
}

// TestEventsEnd: an error of the reader ends the request at once and comes back as
// it is; ErrEnd is no error.
func TestEventsEnd(t *testing.T) {
	gone := make(chan struct{}, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: a\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		gone <- struct{}{}
	}))
	defer s.Close()
	own := errors.New("enough")
	for _, c := range []struct{ give, want error }{{own, own}, {ErrEnd, nil}} {
		err := endpoint(t, s.URL, nil).Events(t.Context(), struct{}{}, func(string, []byte) error { return c.give })
		if err != c.want {
			t.Errorf("%v comes back as %v", c.give, err)
		}
		<-gone
	}
}

// TestEventsReuse: calls that end with ErrEnd use one connection, one after another.
func TestEventsReuse(t *testing.T) {
	var opened atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: a\n\ndata: [DONE]\n\n")
		w.(http.Flusher).Flush()
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	e := endpoint(t, s.URL, nil)
	for range 20 {
		err := e.Events(t.Context(), struct{}{}, func(_ string, data []byte) error {
			if string(data) == "[DONE]" {
				return ErrEnd
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("20 calls opened %d connections", n)
	}
}

// TestEventsCanceled: what has come before an interruption and was not yet given is
// not given any more.
func TestEventsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	err := endpoint(t, streamer(t, "text/event-stream", strings.Repeat("data: a\n\n", 100)), nil).Events(ctx, struct{}{}, func(string, []byte) error {
		seen++
		cancel()
		return nil
	})
	if e := lm.AsError(err); seen != 1 || e == nil || e.Kind != lm.KindCanceled {
		t.Errorf("%d events and %v", seen, err)
	}
}

func TestEventsGzip(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		for i := range 3 {
			fmt.Fprintf(z, "data: %d\n\n", i)
			z.Flush()
		}
	}))
	defer s.Close()
	if got, err := gather(t, endpoint(t, s.URL, nil)); err != nil || !slices.Equal(got, []string{"|0", "|1", "|2"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestAt: another path of the same server, with a query.
func TestAt(t *testing.T) {
	e, err := New(Options{Provider: "p", Model: "m", BaseURL: "https://host/base?tenant=a"})
	if err != nil {
		t.Fatal(err)
	}
	other := e.At("v1", "models", "m:stream").With("alt", "sse")
	if got := other.target.String(); got != "https://host/base/v1/models/m:stream?alt=sse&tenant=a" {
		t.Errorf("it asks %s", got)
	}
	if other.shown != "https://host/base/v1/models/m:stream" || e.target.String() != "https://host/base?tenant=a" {
		t.Errorf("it shows %s, and the first asks %s", other.shown, e.target)
	}
}

// TestOptions: what New does for all providers.
func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		says string
	}{
		"no model":  {Options{Provider: "p", Example: "p/m"}, "a model of provider p needs a name, such as p/m"},
		"no server": {Options{Provider: "p", Model: "m"}, "p/m needs a base_url"},
		"no URL":    {Options{Provider: "p", Model: "m", BaseURL: "host"}, "is not a URL"},
	} {
		if _, err := New(c.o); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	own := Options{Provider: "p", Model: "m", OwnURL: "https://api.example.com/v1", NeedKey: true, KeyName: "P_KEY", KeyHeader: "X-Key", KeyPrefix: "K "}
	e, err := New(own)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Post(t.Context(), struct{}{})
	if f := lm.AsError(err); f == nil || f.Kind != lm.KindNoKey || !strings.Contains(f.Message, "P_KEY") || f.Model != "p/m" {
		t.Errorf("the own server without a key gives %v", err)
	}
	own.Key = "abc"
	if e, err = New(own); err != nil || e.header.Get("X-Key") != "K abc" || e.keyless {
		t.Errorf("with a key: %v, %v", e.header, err)
	}
}

// TestSign: a signature goes with the request that it was made for.
func TestSign(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if got := r.Header.Get("X-Signature"); got != fmt.Sprint(len(body)) {
			t.Errorf("the signature of %d bytes is %q", len(body), got)
		}
		io.WriteString(w, "{}")
	}))
	defer s.Close()
	e, err := New(Options{Provider: "p", Model: "m", BaseURL: s.URL, Sign: func(r *http.Request, body []byte) error {
		if len(body) > 100 {
			return errors.New("no credentials")
		}
		r.Header.Set("X-Signature", fmt.Sprint(len(body)))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Post(t.Context(), "x"); err != nil {
		t.Error(err)
	}
	_, err = e.Post(t.Context(), strings.Repeat("x", 200))
	if f := lm.AsError(err); f == nil || f.Kind != lm.KindAuth || !strings.Contains(f.Message, "no credentials") {
		t.Errorf("got %v", err)
	}
	if e.header.Get("X-Signature") != "" {
		t.Error("the signature stays in the endpoint's header")
	}
}

// FuzzEvents: however a stream is written and cut, its events are the same.
func FuzzEvents(f *testing.F) {
	f.Add("event: x\r\ndata: a\r\n\r\ndata: b\n\n", 3)
	f.Add("\ufeffdata:\r\r\n:\n", 1)
	f.Fuzz(func(t *testing.T, body string, size int) {
		read := func(r io.Reader) (got []string) {
			l := &lines{r: r}
			if err := l.events(func(name string, data []byte) error { got = append(got, name+"|"+string(data)); return nil }); err != nil {
				t.Fatal(err)
			}
			return got
		}
		want := read(strings.NewReader(body))
		size = max(1, min(size, 1<<16))
		if got := read(&pieces{body, size}); !slices.Equal(got, want) {
			t.Fatalf("in pieces of %d bytes it is %q, not %q", size, got, want)
		}
	})
}

// pieces reads a text so many bytes at a time.
type pieces struct {
	rest string
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.rest == "" {
		return 0, io.EOF
	}
	n := copy(b, p.rest[:min(p.size, len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}
