package lmtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// gathered is what OnDelta was given.
type gathered struct {
	text, reasoning strings.Builder
	pieces          int // with text
	signs           int // with none: of life
	restarts        int
}

// watch returns req with an OnDelta that gathers.
func watch(req *lm.Request) (*lm.Request, *gathered) {
	g := &gathered{}
	c := *req
	c.OnDelta = g.add
	return &c, g
}

func (g *gathered) add(d lm.Delta) {
	if d.Restart {
		g.restarts++
	}
	if d == (lm.Delta{}) {
		g.signs++
	}
	if d.Text != "" {
		g.pieces++
	}
	g.text.WriteString(d.Text)
	g.reasoning.WriteString(d.Reasoning)
}

// want checks that the pieces are together the reply.
func (g *gathered) want(t *testing.T, resp *lm.Response) {
	t.Helper()
	if g.text.String() != resp.Text || g.reasoning.String() != resp.Reasoning || g.restarts != 0 {
		t.Errorf("the pieces are together %q (%q), and the reply %q (%q); %d restarts",
			g.text.String(), g.reasoning.String(), resp.Text, resp.Reasoning, g.restarts)
	}
}

// begin starts a streamed reply.
func (d Dialect) begin(w http.ResponseWriter) {
	kind := d.StreamType
	if kind == "" {
		kind = "text/event-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(200)
}

// write sends a piece of a stream at once.
func write(w http.ResponseWriter, piece string) {
	io.WriteString(w, piece)
	w.(http.Flusher).Flush()
}

// streaming starts a server that streams an answer, each piece sent at once.
func (d Dialect) streaming(t *testing.T, a Answer) *server {
	chunks := d.Stream(a, Pieces(a.Text, 3))
	return serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) {
		d.begin(w)
		for _, c := range chunks {
			write(w, c)
		}
	})
}

const streamed = "Paris — ünïcödé 日本 🙂\n\n \"x\" <&> \\ \u2028 end"

// stream: what holds for replies that are read while they are written.
func (d Dialect) stream(t *testing.T) {
	t.Run("pieces", d.streamPieces)
	t.Run("as it comes", d.streamLive)
	t.Run("every cut", d.streamCuts)
	t.Run("finish", d.streamFinish)
	if d.Tools {
		t.Run("tool calls", d.streamTools)
	}
	t.Run("broken off", d.streamBroken)
	if d.StreamError != nil {
		t.Run("error in it", d.streamError)
	}
	t.Run("cancel", d.streamCancel)
	t.Run("hung", d.streamHung)
	t.Run("slow reader", d.streamSlow)
	t.Run("many at once", d.streamMany)
	t.Run("no stream", d.noStream)
	t.Run("foreign", d.streamForeign)
	t.Run("statuses", d.streamStatuses)
}

// streamPieces: the pieces are together the reply that is returned, with its usage.
func (d Dialect) streamPieces(t *testing.T) {
	want := d.full(streamed)
	chunks := d.Stream(want, Pieces(want.Text, 3))
	path := d.StreamPath
	if path == "" {
		path = d.Path
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte, _ int) {
		if r.URL.Path != path {
			t.Errorf("the request went to %s, want %s", r.URL.Path, path)
		}
		if got := d.Key(r.Header); got != testKey {
			t.Errorf("the request's key is %q", got)
		}
		sent, err := d.Read(body)
		if err != nil || !reflect.DeepEqual(sent.Messages, d.rich().Messages) || !reflect.DeepEqual(sent.Params, d.rich().Params) {
			t.Errorf("the request is %+v, %v", sent, err)
		}
		if form := d.Bodies["stream"]; form != "" {
			holds(t, body, form)
		}
		d.begin(w)
		for _, c := range chunks {
			write(w, c)
		}
	})
	req, g := watch(d.rich())
	resp, err := d.model(t, s.URL, testKey).Generate(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	d.wantFull(t, resp, want)
	g.want(t, resp)
	if n := len(Pieces(want.Text, 3)); g.pieces != n {
		t.Errorf("the server wrote %d pieces, %d were given", n, g.pieces)
	}
	if len(resp.Raw) == 0 {
		t.Error("nothing is kept for the trace")
	}
}

// streamLive: a piece is given before the server writes the next one.
func (d Dialect) streamLive(t *testing.T) {
	pieces := Pieces(streamed, 9)
	chunks := d.Stream(said(streamed), pieces)
	got := make(chan struct{}, len(pieces))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) {
		d.begin(w)
		told := 0
		for _, c := range chunks {
			write(w, c)
			// An event that holds a piece's text is waited for.
			if told < len(pieces) && strings.Contains(c, plain(pieces[told])) {
				told++
				select {
				case <-got:
				case <-ctx.Done():
					return
				}
			}
		}
		if told == 0 {
			t.Error("no piece of the text was found in the stream")
		}
	})
	req := Ask("hello")
	req.OnDelta = func(p lm.Delta) {
		if p.Text != "" {
			got <- struct{}{}
		}
	}
	if _, err := d.model(t, s.URL, testKey).Generate(ctx, req); err != nil {
		t.Fatal(err)
	}
}

// plain returns the longest run of ASCII letters in a text: no JSON writes it otherwise.
func plain(text string) string {
	best := ""
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r < 'A' || r > 'z' || r > 'Z' && r < 'a' }) {
		if len(word) > len(best) {
			best = word
		}
	}
	return best
}

// streamCuts: where the network cuts the bytes makes no difference.
func (d Dialect) streamCuts(t *testing.T) {
	want := d.full(streamed)
	body := strings.Join(d.Stream(want, Pieces(want.Text, 7)), "")
	for _, size := range []int{1, 2, 3, 7, len(body)} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) {
			d.begin(w)
			for i := 0; i < len(body); i += size {
				write(w, body[i:min(i+size, len(body))])
			}
		})
		req, g := watch(Ask("hello"))
		resp, err := d.model(t, s.URL, testKey).Generate(t.Context(), req)
		if err != nil {
			t.Fatalf("in pieces of %d bytes: %v", size, err)
		}
		d.wantFull(t, resp, want)
		g.want(t, resp)
	}
}

// streamFinish: each reason for a reply to end is told.
func (d Dialect) streamFinish(t *testing.T) {
	for _, want := range []lm.Finish{lm.FinishStop, lm.FinishLength, lm.FinishFilter} {
		a := said("so far")
		a.Finish = want
		req, g := watch(Ask("hello"))
		resp, err := d.model(t, d.streaming(t, a).URL, testKey).Generate(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		g.want(t, resp)
		if resp.Finish != want || resp.Text != a.Text {
			t.Errorf("finish is %q with text %q, want %q", resp.Finish, resp.Text, want)
		}
	}
}

// streamTools: calls of tools whose arguments come in fragments are put together.
func (d Dialect) streamTools(t *testing.T) {
	for _, text := range []string{"", "I look."} {
		want := asked(text)
		req, g := watch(Requests()["tools"])
		resp, err := d.model(t, d.streaming(t, want).URL, testKey).Generate(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		d.wantTools(t, resp, want)
		g.want(t, resp)
		// Arguments that come in many fragments are a long silence for who waits.
		events := len(d.Stream(want, nil)) - len(d.Stream(said(""), nil))
		if g.signs == 0 && events > 4*len(want.ToolCalls) {
			t.Errorf("%d events of calls gave no sign of life", events)
		}
	}
}

// streamBroken: a stream that ends too early is never taken for a whole reply.
func (d Dialect) streamBroken(t *testing.T) {
	want := d.full(streamed)
	chunks := d.Stream(want, Pieces(want.Text, 9))
	body := strings.Join(chunks, "")
	half := len(strings.Join(chunks[:len(chunks)/2], ""))
	for name, end := range map[string]func(w http.ResponseWriter){
		"cleanly":  func(http.ResponseWriter) {},
		"by force": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			cut := 0
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) {
				d.begin(w)
				write(w, body[:cut])
				end(w)
			})
			m := d.model(t, s.URL, testKey)
			for cut = 0; cut < len(body); cut += 1 + len(body)/97 {
				req, g := watch(Ask("hello"))
				resp, err := m.Generate(t.Context(), req)
				switch e := lm.AsError(err); {
				case err == nil && (resp.Text != want.Text || resp.Finish != want.Finish || g.text.String() != want.Text):
					t.Fatalf("a stream cut after %d bytes of %d counts as the reply %q, %q", cut, len(body), resp.Text, resp.Finish)
				case err == nil && cut <= half:
					t.Fatalf("half a stream is a success")
				case err == nil:
				case e == nil || e.Kind != lm.KindReply && e.Kind != lm.KindUnreachable:
					t.Fatalf("a stream cut after %d bytes gives %v", cut, err)
				case !strings.HasPrefix(want.Text, g.text.String()):
					t.Fatalf("a stream cut after %d bytes gave the pieces %q", cut, g.text.String())
				}
			}
		})
	}
}

// streamError: a failure that is reported in mid-stream fails the call.
func (d Dialect) streamError(t *testing.T) {
	chunks := d.Stream(said(streamed), Pieces(streamed, 9))
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) {
		d.begin(w)
		for _, c := range chunks[:len(chunks)/2] {
			write(w, c)
		}
		write(w, d.StreamError("the provider's own words, and "+testKey))
	})
	req, _ := watch(Ask("hello"))
	_, err := d.model(t, s.URL, testKey).Generate(t.Context(), req)
	e := lm.AsError(err)
	if e == nil || !strings.Contains(e.Message, "the provider's own words") || e.Endpoint == "" {
		t.Fatalf("the error is %v", err)
	}
	secretless(t, err)
}

// streamCancel: an interruption ends the call and the request at once.
func (d Dialect) streamCancel(t *testing.T) {
	gone := make(chan struct{}, 1)
	chunks := d.Stream(said(streamed), Pieces(streamed, 9))
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte, _ int) {
		d.begin(w)
		for _, c := range chunks[:len(chunks)/2] {
			write(w, c)
		}
		<-r.Context().Done()
		gone <- struct{}{}
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	req := Ask("hello")
	req.OnDelta = func(p lm.Delta) {
		if p.Text != "" {
			cancel(errors.New("the reader closed it"))
		}
	}
	failed := make(chan error, 1)
	go func() {
		_, err := d.model(t, s.URL, testKey).Generate(ctx, req)
		failed <- err
	}()
	err := await(t, failed, "the call did not end")
	if e := wantKind(t, err, lm.KindCanceled); !errors.Is(err, context.Canceled) || !strings.Contains(e.Message, "the reader closed it") {
		t.Errorf("the failure is %v", err)
	}
	await(t, gone, "the server did not see the request end")
	if s.calls.Load() != 1 {
		t.Errorf("%d requests", s.calls.Load())
	}
}

// streamHung: a stream that stops in the middle costs no more than the timeout.
func (d Dialect) streamHung(t *testing.T) {
	gone := make(chan struct{}, 1)
	chunks := d.Stream(said(streamed), Pieces(streamed, 9))
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte, _ int) {
		d.begin(w)
		write(w, strings.Join(chunks[:len(chunks)/2], ""))
		<-r.Context().Done()
		gone <- struct{}{}
	})
	req, _ := watch(Ask("hello"))
	_, err := lm.WithTimeout(d.model(t, s.URL, testKey), 100*time.Millisecond).Generate(t.Context(), req)
	wantKind(t, err, lm.KindTimeout)
	await(t, gone, "the server did not see the request end")
}

// streamSlow: a reader that takes its time loses nothing.
func (d Dialect) streamSlow(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 4096)
	pieces := Pieces(text, 64)
	chunks := d.Stream(said(text), pieces)
	written := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) {
		d.begin(w)
		for i, c := range chunks {
			write(w, c)
			if i == len(chunks)/8 {
				close(written)
			}
		}
	})
	req, g := watch(Ask("hello"))
	first := true
	req.OnDelta = func(p lm.Delta) {
		if first {
			first = false
			await(t, written, "the server could not go on")
		}
		g.add(p)
	}
	resp, err := d.model(t, s.URL, testKey).Generate(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Text != text {
		t.Errorf("%d bytes came of %d", len(resp.Text), len(text))
	}
	g.want(t, resp)
}

// streamMany: each of many streams at once gets its own reply.
func (d Dialect) streamMany(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, body []byte, _ int) {
		sent, err := d.Read(body)
		if err != nil {
			t.Error(err)
			return
		}
		a := said("echo " + sent.Messages[0].Content)
		d.begin(w)
		for _, c := range d.Stream(a, Pieces(a.Text, 5)) {
			write(w, c)
		}
	})
	m := d.model(t, s.URL, testKey)
	var all sync.WaitGroup
	for i := range 30 {
		text := strings.Repeat("x", i+1)
		all.Go(func() {
			req, g := watch(Ask(text))
			resp, err := m.Generate(t.Context(), req)
			if err != nil {
				t.Error(err)
				return
			}
			g.want(t, resp)
			if resp.Text != "echo "+text {
				t.Errorf("a call got another call's reply %q", resp.Text)
			}
		})
	}
	all.Wait()
}

// noStream: a server that answers with a whole reply although pieces were asked for
// is understood.
func (d Dialect) noStream(t *testing.T) {
	want := d.full(streamed)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) { say(w, 200, d.Reply(want)) })
	req, g := watch(Ask("hello"))
	resp, err := d.model(t, s.URL, testKey).Generate(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	d.wantFull(t, resp, want)
	g.want(t, resp)
}

// streamForeign: what is no stream of this protocol is a failure that shows its start.
func (d Dialect) streamForeign(t *testing.T) {
	for name, c := range map[string]struct{ kind, body, show string }{
		"HTML":             {"text/html", "<title>Log in</title>", "Log in"},
		"nothing":          {"text/event-stream", "", ""},
		"no JSON in it":    {"text/event-stream", "data: <b>oops</b>\n\n", "oops"},
		"JSON of no reply": {"application/json", `{"hello": "world"}`, "world"},
		"half JSON":        {"application/json", `{"hello": "wor`, "wor"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) {
				w.Header().Set("Content-Type", c.kind)
				io.WriteString(w, c.body)
			})
			req, g := watch(Ask("hello"))
			_, err := d.model(t, s.URL, testKey).Generate(t.Context(), req)
			readable(t, wantKind(t, err, lm.KindReply), c.show)
			if g.text.Len() > 0 {
				t.Errorf("the pieces %q were given", g.text.String())
			}
		})
	}
}

// streamStatuses: a refusal is told as without a stream.
func (d Dialect) streamStatuses(t *testing.T) {
	for status, kind := range map[int]lm.Kind{400: lm.KindRequest, 401: lm.KindAuth, 429: lm.KindRateLimit, 500: lm.KindServer} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) {
			say(w, status, d.Error(status, "the provider's own words"))
		})
		req, _ := watch(Ask("hello"))
		_, err := d.model(t, s.URL, testKey).Generate(t.Context(), req)
		if e := wantKind(t, err, kind); e.Status != status || e.Message != "the provider's own words" {
			t.Errorf("the failure is %+v", e)
		}
	}
}
