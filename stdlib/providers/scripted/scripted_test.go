package scripted

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open writes text to a file and opens it.
func open(t *testing.T, name, text string) (*Model, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Open(path)
}

func TestContract(t *testing.T) {
	lmtest.Contract(t, func(t *testing.T) lm.LM {
		m, err := open(t, "r.jsonl", `{"reply": "yes", "times": 50}`)
		if err != nil {
			t.Fatal(err)
		}
		return m
	})
}

// TestOrder: each call gets the reply it should, or "-" when none is left.
func TestOrder(t *testing.T) {
	for name, c := range map[string]struct {
		file  string
		asked string // one call a word
		got   string
	}{
		"in order":       {`{"reply":"1"}` + "\n\n" + `{"reply":"2"}` + "\r\n", "a b c", "1 2 -"},
		"times":          {`{"reply":"1","times":2}` + "\n" + `{"reply":"2"}`, "a b c d", "1 1 2 -"},
		"match":          {`{"reply":"1"}` + "\n" + `{"match":"b","reply":"2"}` + "\n" + `{"match":"c","reply":"3"}`, "c b a", "3 2 1"},
		"match used up":  {`{"match":"b","reply":"2"}` + "\n" + `{"reply":"1"}`, "b b b", "2 1 -"},
		"match in order": {`{"match":"b","reply":"1"}` + "\n" + `{"match":"b","reply":"2"}`, "b a b b", "1 - 2 -"},
		"always":         {`{"match":"b","reply":"1","times":"always"}`, "b xbx b a", "1 1 1 -"},
		"match all":      {`{"match":"","reply":"1","times":"always"}`, "b a", "1 1"},
		"strings":        {`"1"` + "\n" + `"2"`, "a b c", "1 2 -"},
		"array":          {"\ufeff [\n\"1\",\n{\"reply\":\"2\"}]\n", "a b c", "1 2 -"},
		"empty reply":    {`{"reply":""}`, "a b", " -"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := open(t, "replies.json", c.file)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for word := range strings.FieldsSeq(c.asked) {
				resp, err := m.Generate(t.Context(), &lm.Request{Messages: []lm.Message{
					{Role: lm.User, Content: "abc"}, {Role: lm.User, Content: word}, {Role: lm.Assistant, Content: "abc"}}})
				if err != nil {
					if e := lm.AsError(err); e.Kind != lm.KindRequest || e.Retryable() {
						t.Errorf("the failure is %v", err)
					}
					got = append(got, "-")
					continue
				}
				got = append(got, resp.Text)
			}
			if g := strings.Join(got, " "); g != c.got {
				t.Errorf("asked %s, got %q, want %q", c.asked, g, c.got)
			}
		})
	}
}

func TestExhausted(t *testing.T) {
	matching := "x"
	for want, replies := range map[string][]Reply{
		`there are no replies; the last user message is: "hello \"you\""`:                                                                                    nil,
		`the only reply is used up; the last user message is: "hello \"you\""`:                                                                               {{Text: "a"}},
		`all 2 replies are used up; the last user message is: "hello \"you\""`:                                                                               {{Text: "a"}, {Text: "b"}},
		"of 1 reply with `match`, none that is left matches; the last user message is: \"hello \\\"you\\\"\"":                                                {{Match: &matching}},
		"the only reply is without `match` used up, and of 1 reply with `match`, none that is left matches; the last user message is: \"hello \\\"you\\\"\"": {{Match: &matching}, {}},
	} {
		m := New("x", replies...)
		var err error
		for err == nil {
			_, err = m.Generate(t.Context(), lmtest.Ask(`hello "you"`))
		}
		if got := lm.AsError(err).Message; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	_, err := New("x").Generate(t.Context(), lmtest.Ask(strings.Repeat("日", 500)))
	if n := len([]rune(err.Error())); n > 250 {
		t.Errorf("the error has %d characters", n)
	}
}

func TestFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := open(t, "r.jsonl", `{"reply":"cut","finish":"length","usage":{"input_tokens":3,"output_tokens":4},"delay":"50ms"}
{"error":"rate_limit","retry_after":"1s","status":429,"message":"slow down"}
{"error":"server"}
{"reply":"12345"}
{"reply":"late","delay":"1h"}`)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		resp, err := m.Generate(t.Context(), lmtest.Ask("x"))
		if err != nil || resp.Text != "cut" || resp.Finish != lm.FinishLength || resp.Usage != (lm.Usage{InputTokens: 3, OutputTokens: 4}) || time.Since(start) != 50*time.Millisecond {
			t.Errorf("got %+v, %v after %s", resp, err, time.Since(start))
		}
		_, err = m.Generate(t.Context(), lmtest.Ask("x"))
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindRateLimit || e.RetryAfter != time.Second || e.Status != 429 || e.Message != "slow down" || e.Model != m.Address() {
			t.Errorf("got %+v", err)
		}
		_, err = m.Generate(t.Context(), lmtest.Ask("x"))
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindServer || e.Message == "" {
			t.Errorf("got %+v", err)
		}
		resp, err = m.Generate(t.Context(), lmtest.Ask("12345678"))
		if err != nil || resp.Finish != lm.FinishStop || resp.Usage != (lm.Usage{InputTokens: 2, OutputTokens: 2, Estimated: true}) {
			t.Errorf("got %+v, %v", resp, err)
		}
		start = time.Now()
		_, err = lm.WithTimeout(m, time.Second).Generate(t.Context(), lmtest.Ask("x"))
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindTimeout || time.Since(start) != time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %+v after %s", err, time.Since(start))
		}
	})
}

// TestRecovery: a script of failures followed by a reply, through WithRetry.
func TestRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := open(t, "r.jsonl", "{\"error\":\"rate_limit\",\"retry_after\":\"1s\"}\n{\"error\":\"timeout\"}\n{\"reply\":\"391\"}")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		resp, err := lm.WithRetry(m, lm.RetryPolicy{}).Generate(t.Context(), lmtest.Ask("x"))
		if err != nil || resp.Text != "391" || time.Since(start) < time.Second {
			t.Errorf("got %+v, %v after %s", resp, err, time.Since(start))
		}
	})
}

func TestFileErrors(t *testing.T) {
	const ok = `{"reply":"x"}` + "\n\n"
	for text, want := range map[string]string{
		"":                                        ":0: the file holds no replies",
		" \n\t\n":                                 ":0: the file holds no replies",
		"[]":                                      ":0: the file holds no replies",
		ok + `{"reply":"x","rply":1}`:             `:3: there is no key "rply"; the keys are reply, error, match`,
		ok + `{"reply":"x"`:                       ":3: this is not JSON",
		ok + `{"reply":"x"} {}`:                   ":3: this is not JSON",
		ok + `reply: x`:                           ":3: this is not JSON",
		ok + `7`:                                  ":3: a reply is an object",
		ok + `null`:                               `:3: a reply has exactly one of "reply" and "error"`,
		ok + `{"reply":{"a":1}}`:                  `:3: "reply" is the text of the reply, a string`,
		ok + `{"reply":null}`:                     `:3: "reply" is the text of the reply, a string`,
		ok + `{"match":"x"}`:                      `:3: a reply has exactly one of "reply" and "error"`,
		ok + `{"reply":"x","error":"auth"}`:       `:3: a reply has exactly one of "reply" and "error"`,
		ok + `{"error":"slow"}`:                   `:3: there is no failure "slow"; the failures are auth, no_key, rate_limit`,
		ok + `{"reply":"x","retry_after":"1s"}`:   `:3: "retry_after" belongs to an "error"`,
		ok + `{"error":"auth","usage":{}}`:        `:3: "usage" belongs to a "reply"`,
		ok + `{"reply":"x","times":0}`:            `:3: "times" is how many calls get this`,
		ok + `{"reply":"x","times":-1}`:           `:3: "times" is how many calls get this`,
		ok + `{"reply":"x","times":"twice"}`:      `:3: "times" is how many calls get this`,
		ok + `{"reply":"x","times":1.5}`:          `:3: "times" is how many calls get this`,
		ok + `{"reply":"x","delay":50}`:           `:3: "delay" is a duration`,
		ok + `{"reply":"x","delay":"-1s"}`:        `:3: "delay" is a duration`,
		ok + `{"reply":"x","delay":"soon"}`:       `:3: "delay" is a duration`,
		ok + `{"reply":"x","match":1}`:            `:3: "match" is a part of the last user message`,
		ok + `{"reply":"x","usage":7}`:            `:3: "usage" is an object`,
		ok + `{"reply":"x","usage":{"tokens":7}}`: `:3: "usage" is an object`,
		ok + `{"error":"auth","status":7}`:        `:3: "status" is an HTTP status`,
		"[\n\"a\",\n\n{\"rply\":\"b\"}\n]":        `:4: there is no key "rply"`,
		"[\n\"a\",\n\n7]":                         ":4: a reply is an object",
		"[\n\"a\"\n\"b\"]":                        ":3: this is not JSON",
		"[\n\"a\",\n":                             ":3: this is not JSON: the array is not closed",
		"[\n\"a\"]\n\n\"b\"":                      ":4: something follows the array",
	} {
		_, err := Parse("replies.jsonl", []byte(text))
		e, ok := errors.AsType[*FileError](err)
		if !ok {
			t.Errorf("%q gives %v", text, err)
			continue
		}
		if e.Line == 0 {
			want = strings.TrimPrefix(want, ":0")
		}
		if !strings.HasPrefix(e.Error(), "replies.jsonl"+want) {
			t.Errorf("%q gives\n%v\nwant\nreplies.jsonl%s", text, e, want)
		}
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "none.jsonl"), t.TempDir()} {
		_, err := Open(path)
		if e, ok := errors.AsType[*FileError](err); !ok || strings.Count(e.Error(), path) != 1 || e.Unwrap() == nil {
			t.Errorf("opening %s gives %v", path, err)
		}
	}
}

// FuzzParse: no text of a file makes the reader panic, and an error has a place in the file.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"reply":"x"}`, `["a", {"match":"x","error":"auth","times":"always"}]`, "[\n1,", `{"usage":{}`, `"`, "[}", "[1,,2]", "{}\n[", "\ufeff[]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		replies, err := Parse("f", data)
		if e, ok := errors.AsType[*FileError](err); ok && (e.Line < 0 || e.Line > strings.Count(string(data), "\n")+1) {
			t.Errorf("the error %v is on line %d", e, e.Line)
		}
		if err == nil && len(replies) == 0 {
			t.Error("neither replies nor an error")
		}
	})
}
