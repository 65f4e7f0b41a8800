package interpreter_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

const brief = `
program brief {
  question: string -> answer: string, sources: int

  predict respond {
    KIND short {
      that    = len(answer) <= 5
      message = "At most 5 characters; this has ${len(answer)}."
    }
    suggest cited {
      that    = sources > 0
      retries = 1
    }
  }
}
`

// replies answers with one text after another, and keeps what it was asked.
type replies struct {
	mu    sync.Mutex
	texts []string
	asked []*lm.Request
}

func (*replies) Features() lm.Features { return lm.Features{} }
func (*replies) Address() string       { return "test/replies" }

func (r *replies) Generate(_ context.Context, req *lm.Request) (*lm.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, req)
	if len(r.asked) > len(r.texts) {
		return nil, errors.New("asked too often")
	}
	return &lm.Response{Text: r.texts[len(r.asked)-1], Usage: lm.Usage{InputTokens: 1, OutputTokens: 1}}, nil
}

// assertedEvents collects what was asserted in vain.
func assertedEvents(to *[]trace.Event) trace.Sink {
	var mu sync.Mutex
	return func(e trace.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Kind == trace.Asserted {
			*to = append(*to, e)
		}
	}
}

func TestAsserts(t *testing.T) {
	long, short := field("answer", "far too long", "sources", "1"), field("answer", "Seine", "sources", "1")
	uncited := field("answer", "Seine", "sources", "0")
	for _, test := range []struct {
		name, kind string
		replies    []string
		answer     string   // "" when the run fails
		events     []string // name and whether it is final
		fault      []string // parts of the message
	}{
		{"violates twice, then obeys", "assert", []string{long, long, short}, "Seine", []string{"short", "short"}, nil},
		{"never obeys", "assert", []string{long, long, field("answer", "longest of all", "sources", "1")}, "", []string{"short", "short", "short final"},
			[]string{"answer 1", "answer 3", "longest of all", "At most 5 characters; this has 12.", "asked 3 times"}},
		{"is suggested", "suggest", []string{long, long, long}, "far too long", []string{"short", "short", "short final"}, nil},
		{"both fail", "assert", []string{field("answer", "far too long", "sources", "0"), uncited}, "Seine", []string{"short", "cited", "cited final"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := makePlan(t, strings.ReplaceAll(brief, "KIND", test.kind), "brief")
			model := &replies{texts: test.replies}
			var events []trace.Event
			res, err := interpreter.Run(t.Context(), p, env(model, assertedEvents(&events)), value.NewObject("question", "Which river?"))
			var got []string
			for _, e := range events {
				name := e.Assert
				if e.Final {
					name += " final"
				}
				got = append(got, name)
			}
			if !slices.Equal(got, test.events) {
				t.Errorf("recorded %v, want %v", got, test.events)
			}
			if len(model.asked) != len(test.replies) || res.Usage.Calls != len(test.replies) {
				t.Errorf("asked %d times, counted %d, want %d", len(model.asked), res.Usage.Calls, len(test.replies))
			}
			if test.answer == "" {
				var d *diag.Diagnostic
				if !errors.As(err, &d) || d.Code != "E0634" {
					t.Fatalf("got %v", err)
				}
				said := d.Detail
				for _, want := range test.fault {
					if !strings.Contains(said, want) {
						t.Errorf("the message lacks %q:\n%s", want, said)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if v, _ := res.Outputs.Get("answer"); v != test.answer {
				t.Errorf("answer %v, want %s", v, test.answer)
			}
		})
	}
}

// TestFeedback looks at what a step is told of an answer that was refused.
func TestFeedback(t *testing.T) {
	p := makePlan(t, strings.ReplaceAll(brief, "KIND", "assert"), "brief")
	model := &replies{texts: []string{field("answer", "far too long", "sources", "0"), field("answer", "Seine", "sources", "2")}}
	if _, err := interpreter.Run(t.Context(), p, env(model, nil), value.NewObject("question", "Which river?")); err != nil {
		t.Fatal(err)
	}
	first, second := model.asked[0].Messages, model.asked[1].Messages
	if len(second) != len(first)+2 {
		t.Fatalf("%d messages, then %d", len(first), len(second))
	}
	said, told := second[len(first)], second[len(first)+1]
	if said.Role != lm.Assistant || !strings.Contains(said.Content, "far too long") {
		t.Errorf("its answer is told as %+v", said)
	}
	for _, want := range []string{"At most 5 characters; this has 12.", "This must hold: sources > 0"} {
		if told.Role != lm.User || !strings.Contains(told.Content, want) {
			t.Errorf("%q is not in %s", want, told.Content)
		}
	}
}

// TestAssertsEverywhere has asserts on elements, in rounds and on a program.
func TestAssertsEverywhere(t *testing.T) {
	p := makePlan(t, `
program word { text: string -> word: string }

program main {
  texts: list[string] -> words: list[string], last: string

  word each_word {
    for_each    = texts
    concurrency = 1
    inputs { text = each.value }
    assert one { that = !(word contains " ") }
  }
  repeat again {
    state { draft = "x" }
    max_rounds = 2
    predict better {
      draft: string -> word: string
      assert one { that = !(word contains " ") }
    }
    next { draft = better.word }
  }
  outputs {
    words = each_word.word
    last  = again.draft
  }
}`, "main")
	var mu sync.Mutex
	bad := map[string]bool{}
	model := answering(func(_ context.Context, req *lm.Request) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		asked := ""
		for _, m := range req.Messages {
			asked += m.Content
		}
		if !strings.Contains(asked, "not accepted") {
			bad[asked] = true
			return field("word", "two words"), nil
		}
		return field("word", "one"), nil
	})
	var events []trace.Event
	res, err := interpreter.Run(t.Context(), p, env(model, assertedEvents(&events)), value.NewObject("texts", []any{"a", "b"}))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(value.EncodeJSON(res.Outputs)); got != `{"words":["one","one"],"last":"one"}` {
		t.Error(got)
	}
	var paths []string
	for _, e := range events {
		paths = append(paths, e.Path)
	}
	slices.Sort(paths)
	if want := []string{"again#1/better", "again#2/better", "each_word[0]", "each_word[1]"}; !slices.Equal(paths, want) {
		t.Errorf("recorded at %v, want %v", paths, want)
	}
}

// streaming writes its replies in pieces of five bytes. cut counts those that were
// ended early, pieces what was written of the last one.
type streaming struct {
	mu      sync.Mutex
	replies []string
	pieces  []int
	cut     int
}

func (*streaming) Features() lm.Features { return lm.Features{} }
func (*streaming) Address() string       { return "test/streaming" }

func (s *streaming) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.replies[len(s.pieces)]
	s.pieces = append(s.pieces, 0)
	for piece := range slices.Chunk([]byte(text), 5) {
		if ctx.Err() != nil {
			s.cut++
			return nil, ctx.Err()
		}
		req.OnDelta(lm.Delta{Text: string(piece)})
		s.pieces[len(s.pieces)-1]++
	}
	return &lm.Response{Text: text, Usage: lm.Usage{InputTokens: 1, OutputTokens: 1}}, nil
}

// TestAssertsWhileStreaming ends a reply within one piece of the violation.
func TestAssertsWhileStreaming(t *testing.T) {
	p := makePlan(t, strings.ReplaceAll(brief, "KIND", "assert"), "brief")
	long := field("answer", strings.Repeat("much too long ", 50), "sources", "1")
	model := &streaming{replies: []string{long, field("answer", "Seine", "sources", "1")}}
	var events []trace.Event
	e := env(model, assertedEvents(&events))
	e.Stream = true
	res, err := interpreter.Run(t.Context(), p, e, value.NewObject("question", "Which river?"))
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := res.Outputs.Get("answer"); v != "Seine" {
		t.Errorf("answer %v", v)
	}
	// "[[ ## answer ## ]]\nmuch to" has 7 characters of the answer, two more than
	// may be; a piece has five bytes.
	if most := (len("[[ ## answer ## ]]\nmuch to")+4)/5 + 1; model.cut != 1 || model.pieces[0] > most {
		t.Errorf("%d replies were ended early, the first after %d pieces, want at most %d", model.cut, model.pieces[0], most)
	}
	if len(events) != 1 || !strings.Contains(events[0].Reason, "At most 5 characters") {
		t.Errorf("recorded %+v", events)
	}
	if !res.Usage.Estimated || res.Usage.Calls != 2 {
		t.Errorf("used %+v: what was cut is not counted as an estimate", res.Usage)
	}
}
