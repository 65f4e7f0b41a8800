package lmtest

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// testKey is sent in the suite. It is long enough to be looked for in errors.
const testKey = "key-for-tests-0123456789-abcdefghij"

// patience is how long the suite waits for what happens at once when all is well.
const patience = 20 * time.Second

// Exercise runs the suite that every provider over HTTP passes, against a server of
// its dialect in the test's process.
func Exercise(t *testing.T, d Dialect) {
	t.Run("contract", func(t *testing.T) {
		Contract(t, func(t *testing.T) lm.LM {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) { say(w, 200, d.Reply(said("yes"))) })
			return d.model(t, s.URL, testKey)
		})
	})
	t.Run("call", d.call)
	t.Run("no parameters", d.bare)
	t.Run("finish", d.finish)
	t.Run("unicode", d.unicode)
	t.Run("no key", d.keyless)
	t.Run("base URL", d.baseURL)
	t.Run("fifty at once", d.concurrent)
	t.Run("statuses", d.statuses)
	t.Run("retry", d.retry)
	t.Run("hung", d.hung)
	t.Run("cancel", d.cancel)
	t.Run("refused", d.refused)
	t.Run("broken replies", d.broken)
	t.Run("too long", d.tooLong)
	t.Run("redirect", d.redirect)
	t.Run("secrets", d.secrets)
	t.Run("bodies", d.bodies)
	t.Run("features", d.features)
	if d.Tools {
		t.Run("tool calls", d.toolCalls)
	}
	if d.NoStop {
		t.Run("no stop", d.stop)
	}
	t.Run("details", d.details)
	if d.Stream != nil {
		t.Run("stream", d.stream)
	} else {
		t.Run("no stream", d.noStream)
	}
}

// Forms runs the part of Exercise that is about what is sent and how the reply to it
// is read, for a provider that speaks a dialect which has passed Exercise to servers
// that want some of it in another form.
func Forms(t *testing.T, d Dialect) {
	t.Run("call", d.call)
	t.Run("bodies", d.bodies)
	t.Run("features", d.features)
	t.Run("details", d.details)
	if d.Tools {
		t.Run("tool calls", d.toolCalls)
	}
	if d.Stream != nil {
		t.Run("stream", d.streamPieces)
		if d.Tools {
			t.Run("streamed tool calls", d.streamTools)
		}
	}
}

// call: one request with everything in it arrives as it was meant, and the reply
// comes back with its usage.
func (d Dialect) call(t *testing.T) {
	req := d.rich()
	s := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte, _ int) {
		if r.Method != http.MethodPost || r.URL.Path != d.Path {
			t.Errorf("the request is %s %s, want POST %s", r.Method, r.URL.Path, d.Path)
		}
		if got := r.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("the request's Content-Type is %q", got)
		}
		if got := d.Key(r.Header); got != testKey {
			t.Errorf("the request's key is %q, want %q", got, testKey)
		}
		sent, err := d.Read(body)
		if err != nil {
			t.Errorf("the request cannot be read: %v\n%s", err, body)
		}
		if !reflect.DeepEqual(sent.Messages, req.Messages) {
			t.Errorf("messages sent:\n%+v\nwant:\n%+v", sent.Messages, req.Messages)
		}
		if !reflect.DeepEqual(sent.Params, req.Params) {
			t.Errorf("parameters sent: %s, want %s", show(sent.Params), show(req.Params))
		}
		if sent.Model == "" {
			t.Error("the request names no model")
		}
		say(w, 200, d.Reply(said("Paris")))
	})
	m := d.model(t, s.URL, testKey)
	resp, err := m.Generate(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Text != "Paris" || resp.Finish != lm.FinishStop || resp.Model == "" {
		t.Errorf("the reply is %+v", resp)
	}
	if want := (lm.Usage{InputTokens: 11, OutputTokens: 7}); resp.Usage != want {
		t.Errorf("the usage is %+v, want %+v", resp.Usage, want)
	}
	if !strings.Contains(string(resp.Raw), "Paris") {
		t.Errorf("the raw reply is %q", resp.Raw)
	}
	if s.calls.Load() != 1 {
		t.Errorf("one Generate made %d requests", s.calls.Load())
	}
}

// bare: what a request leaves open is left to the server.
func (d Dialect) bare(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, body []byte, _ int) {
		sent, err := d.Read(body)
		if err != nil {
			t.Error(err)
		}
		if p := sent.Params; p.Temperature != nil || p.TopP != nil || p.Seed != nil || p.Stop != nil {
			t.Errorf("parameters that nobody set were sent: %s", show(p))
		}
		say(w, 200, d.Reply(said("ok")))
	})
	if _, err := d.model(t, s.URL, testKey).Generate(t.Context(), Ask("hello")); err != nil {
		t.Fatal(err)
	}
}

// finish: each reason for a reply to end is told.
func (d Dialect) finish(t *testing.T) {
	for _, want := range []lm.Finish{lm.FinishStop, lm.FinishLength, lm.FinishFilter} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) {
			say(w, 200, d.Reply(Answer{Text: "so far", Finish: want, Usage: lm.Usage{InputTokens: 1, OutputTokens: 2}}))
		})
		resp, err := d.model(t, s.URL, testKey).Generate(t.Context(), Ask("hello"))
		if err != nil {
			t.Fatal(err)
		}
		if resp.Finish != want || resp.Text != "so far" {
			t.Errorf("finish is %q with text %q, want %q", resp.Finish, resp.Text, want)
		}
	}
}

// unicode: text goes there and back unchanged.
func (d Dialect) unicode(t *testing.T) {
	text := "ünïcödé 日本語 🙂👩‍👩‍👧 \u202e \"\\/ \t\r\n <&> \u2028 \x01 " + strings.Repeat("é", 70_000)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, body []byte, _ int) {
		sent, err := d.Read(body)
		if err != nil || len(sent.Messages) != 1 {
			t.Errorf("the request cannot be read: %v", err)
			return
		}
		say(w, 200, d.Reply(said(sent.Messages[0].Content)))
	})
	resp, err := d.model(t, s.URL, testKey).Generate(t.Context(), Ask(text))
	if err != nil {
		t.Fatal(err)
	}
	if resp.Text != text {
		t.Errorf("the text came back changed (%d bytes of %d)", len(resp.Text), len(text))
	}
}

// keyless: a server of one's own needs no key, and gets none. If it wants one
// after all, the failure says that there is none.
func (d Dialect) keyless(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte, n int) {
		if got := d.Key(r.Header); got != "" {
			t.Errorf("a key was sent: %q", got)
		}
		if n == 1 {
			say(w, 200, d.Reply(said("ok")))
			return
		}
		say(w, 401, d.Error(401, "a key is needed"))
	})
	m := d.model(t, s.URL, "")
	if _, err := m.Generate(t.Context(), Ask("hello")); err != nil {
		t.Fatal(err)
	}
	_, err := m.Generate(t.Context(), Ask("hello"))
	wantKind(t, err, lm.KindNoKey)
}

// baseURL: a path and a query of the base URL are kept, and neither the query nor
// the user in it is shown.
func (d Dialect) baseURL(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte, _ int) {
		if r.URL.Path != "/gateway"+d.Path || r.URL.RawQuery != "region=eu-secret-west" {
			t.Errorf("the request went to %s?%s", r.URL.Path, r.URL.RawQuery)
		}
		say(w, 418, d.Error(418, "no coffee"))
	})
	host := strings.TrimPrefix(s.URL, "http://")
	m := d.model(t, "http://somebody:hunter2hunter2@"+host+"/gateway/?region=eu-secret-west", testKey)
	_, err := m.Generate(t.Context(), Ask("hello"))
	e := wantKind(t, err, lm.KindRequest)
	if want := s.URL + "/gateway" + d.Path; e.Endpoint != want {
		t.Errorf("the endpoint is %q, want %q", e.Endpoint, want)
	}
	if e.Status != 418 || e.Message != "no coffee" {
		t.Errorf("the failure is %+v", e)
	}
	for _, secret := range []string{"somebody", "hunter2", "eu-secret-west"} {
		if strings.Contains(everything(err), secret) {
			t.Errorf("%q is in the error %v", secret, err)
		}
	}
	for _, bad := range []string{"localhost:8000/v1", "ftp://host/v1", "http://", "http://%zz", "/v1"} {
		if _, err := d.New(bad, testKey); err == nil {
			t.Errorf("the base URL %q is accepted", bad)
		}
	}
	if _, err := d.New(s.URL, testKey+"\n"); err == nil || strings.Contains(err.Error(), testKey) {
		t.Errorf("a key with a line break gives %v", err)
	}
}

// concurrent: fifty calls are in flight together, and each gets its own reply.
func (d Dialect) concurrent(t *testing.T) {
	const calls = 50
	together := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte, n int) {
		if n == calls {
			close(together)
		}
		select {
		case <-together:
		case <-r.Context().Done():
			return
		}
		sent, err := d.Read(body)
		if err != nil {
			t.Error(err)
			return
		}
		say(w, 200, d.Reply(said("echo "+sent.Messages[0].Content)))
	})
	m := d.model(t, s.URL, testKey)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all sync.WaitGroup
	for i := range calls {
		text := strings.Repeat("x", i+1)
		all.Go(func() {
			resp, err := m.Generate(ctx, Ask(text))
			if err != nil {
				t.Error(err)
			} else if resp.Text != "echo "+text {
				t.Errorf("call %d got another call's reply %q", i, resp.Text)
			}
		})
	}
	all.Wait()
}
