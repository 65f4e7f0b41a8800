package lm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// spoken is a reply that comes in pieces: what each call says, and how it ends.
type spoken struct {
	pieces []string
	every  time.Duration // before each piece
	err    error
}

func (s spoken) text() string { return strings.Join(s.pieces, "") }

// speaking returns a model whose nth call says the nth of replies.
func speaking(replies ...spoken) *lmtest.Recorder {
	return lmtest.Func(func(ctx context.Context, n int, req *lm.Request) (*lm.Response, error) {
		s := replies[n-1]
		for _, p := range s.pieces {
			select {
			case <-time.After(s.every):
			case <-ctx.Done():
				return nil, lm.ContextError(ctx, "test/scripted")
			}
			if req.OnDelta != nil {
				req.OnDelta(lm.Delta{Text: p})
			}
		}
		if s.err != nil {
			return nil, s.err
		}
		if s.pieces == nil {
			<-ctx.Done()
			return nil, lm.ContextError(ctx, "test/scripted")
		}
		return &lm.Response{Text: s.text(), Usage: lm.Usage{InputTokens: 10, OutputTokens: len(s.pieces)}}, nil
	})
}

// listen asks m for a reply in pieces and returns them in one line, a Restart as |.
func listen(ctx context.Context, m lm.LM) (said string, resp *lm.Response, err error) {
	req := lmtest.Ask("hello")
	req.OnDelta = func(d lm.Delta) {
		if d.Restart {
			said += "|"
		}
		said += d.Text
	}
	resp, err = m.Generate(ctx, req)
	return said, resp, err
}

func TestRetryOfPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := of(lm.KindUnreachable)
		m := speaking(
			spoken{pieces: []string{"The ca", "pital is"}, err: broken},
			spoken{pieces: []string{}, err: of(lm.KindServer)},
			spoken{pieces: []string{"The capital", " is Paris"}})
		said, resp, err := listen(t.Context(), lm.WithRetry(m, lm.RetryPolicy{}))
		if err != nil || said != "The capital is|The capital is Paris" {
			t.Errorf("said %q, %v", said, err)
		}
		want := []lm.Spent{{Address: "test/scripted", Usage: lm.Usage{InputTokens: 2, OutputTokens: 4, Estimated: true}}}
		if fmt.Sprint(resp.Also) != fmt.Sprint(want) {
			t.Errorf("paid also %+v, want %+v", resp.Also, want)
		}

		// What an error says that it has cost is kept, whether a later attempt succeeds or not.
		known := &lm.Error{Kind: lm.KindReply, Model: "test/scripted", Spent: []lm.Spent{{Address: "a", Usage: lm.Usage{InputTokens: 7}}}}
		_, resp, _ = generate(t.Context(), lm.WithRetry(failing(known, known), lm.RetryPolicy{}))
		if len(resp.Also) != 2 || resp.Also[1].Usage.InputTokens != 7 {
			t.Errorf("paid also %+v", resp.Also)
		}
		_, _, err = generate(t.Context(), lm.WithRetry(failing(known, known, known), lm.RetryPolicy{}))
		if e := lm.AsError(err); len(e.Spent) != 3 || len(known.Spent) != 1 {
			t.Errorf("paid %+v", e.Spent)
		}
	})
}

func TestTimeouts(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits lm.Timeouts
		reply  spoken
		plain  bool // not asked for in pieces
		want   string
		after  time.Duration
	}{
		{"first piece", lm.Timeouts{FirstToken: 2 * time.Second, Idle: time.Second, Whole: time.Minute}, spoken{pieces: []string{"a"}, every: 3 * time.Second}, false, "no first piece of the reply within 2s", 2 * time.Second},
		{"between pieces", lm.Timeouts{FirstToken: 5 * time.Second, Idle: 2 * time.Second}, spoken{pieces: []string{"a", "b"}, every: 3 * time.Second}, false, "the reply stood still for 2s", 5 * time.Second},
		{"whole", lm.Timeouts{FirstToken: 5 * time.Second, Idle: 5 * time.Second, Whole: 10 * time.Second}, spoken{pieces: strings.Split("abcdef", ""), every: 3 * time.Second}, false, "no whole reply within 10s", 10 * time.Second},
		{"in time", lm.Timeouts{FirstToken: 4 * time.Second, Idle: 4 * time.Second, Whole: 20 * time.Second}, spoken{pieces: strings.Split("abcdef", ""), every: 3 * time.Second}, false, "", 18 * time.Second},
		{"not in pieces", lm.Timeouts{FirstToken: time.Second, Idle: time.Second}, spoken{pieces: []string{"a", "b"}, every: 3 * time.Second}, true, "", 6 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				m := lm.WithTimeouts(speaking(c.reply), c.limits)
				var err error
				if c.plain {
					_, err = m.Generate(t.Context(), lmtest.Ask("x"))
				} else {
					_, _, err = listen(t.Context(), m)
				}
				e := lm.AsError(err)
				if c.want == "" && err != nil || c.want != "" && (e == nil || e.Kind != lm.KindTimeout || e.Message != c.want || !errors.Is(err, context.DeadlineExceeded)) {
					t.Errorf("got %v, want %s", err, c.want)
				}
				if took := time.Since(start); took != c.after {
					t.Errorf("after %s, want %s", took, c.after)
				}
			})
		})
	}
}

// overHTTP is a model behind a transport, as providers are.
type overHTTP struct{ client *http.Client }

func (m overHTTP) Address() string       { return "test/http" }
func (m overHTTP) Features() lm.Features { return lm.Features{} }
func (m overHTTP) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://model.test/", nil)
	if err != nil {
		return nil, err
	}
	resp, err := m.client.Do(r)
	if err != nil {
		if e := lm.ContextError(ctx, m.Address()); e != nil {
			return nil, e
		}
		return nil, &lm.Error{Kind: lm.KindUnreachable, Model: m.Address(), Err: err}
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return lmtest.Text(req, "ok"), nil
}

// TestConnectTimeout: a connection that does not come about ends the call early; one
// that does gives the reply all the time there is.
func TestConnectTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		transport := &http.Transport{DialContext: dial}
		defer transport.CloseIdleConnections()
		m := lm.WithTimeouts(overHTTP{&http.Client{Transport: transport}}, lm.Timeouts{Connect: 3 * time.Second, Whole: time.Minute})
		start := time.Now()
		_, err := m.Generate(t.Context(), lmtest.Ask("x"))
		e := lm.AsError(err)
		if e == nil || e.Kind != lm.KindTimeout || e.Message != "no connection within 3s" || !e.Unsent || time.Since(start) != 3*time.Second {
			t.Errorf("%+v after %s", e, time.Since(start))
		}

		slow := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				there.Read(make([]byte, 4096))
				<-time.After(20 * time.Second)
				io.WriteString(there, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				there.Close()
			}()
			return here, nil
		}}
		m = lm.WithTimeouts(overHTTP{&http.Client{Transport: slow}}, lm.Timeouts{Connect: 3 * time.Second, Whole: time.Minute})
		if _, err := m.Generate(t.Context(), lmtest.Ask("x")); err != nil {
			t.Errorf("a slow reply over a fast connection: %v", err)
		}
	})
}

// TestSecretsInPieces: a secret that comes in pieces, however they are cut, is passed on
// in none; what only begins like one is passed on whole.
func TestSecretsInPieces(t *testing.T) {
	const secret = "hunter2hunter2"
	for _, reply := range []string{
		"the key is " + secret + ".", secret, secret + secret, "hunter2 and hunter2hunt, then " + secret, "it ends with hunter2hunte", "nothing at all",
	} {
		want := strings.ReplaceAll(reply, secret, lm.Redacted)
		for size := 1; size <= len(reply); size++ {
			var pieces []string
			for i := 0; i < len(reply); i += size {
				pieces = append(pieces, reply[i:min(i+size, len(reply))])
			}
			said, _, err := listen(t.Context(), lm.WithSecrets(speaking(spoken{pieces: pieces}), []string{secret}))
			if err != nil || said != want {
				t.Fatalf("in pieces of %d: %q, %v; want %q", size, said, err, want)
			}
		}
	}
}
