package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/journal/journaltest"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/value"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	journaltest.Exercise(t, func(*testing.T) journal.Journal { return &journal.Memory{} })
}

// TestReply: a reply comes back as it was, marked.
func TestReply(t *testing.T) {
	usd := 0.25
	want := &lm.Response{
		Text: "a <b> & é", Reasoning: "hm", ToolCalls: []lm.ToolCall{{ID: "1", Name: "f", Arguments: json.RawMessage(`{"a": 1`)}, {ID: "2", Name: "g"}},
		Finish: lm.FinishTools, Usage: lm.Usage{InputTokens: 3, OutputTokens: 4, CacheWriteTokens: 1, Estimated: true}, Model: "m", Address: "x/m",
		Cost: &usd, Cached: true, Also: []lm.Spent{{Address: "x/n", Usage: lm.Usage{InputTokens: 1}, Cost: &usd}}, Vectors: [][]float32{{0.5, -1}},
	}
	data, err := journal.EncodeReply(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := journal.DecodeReply(data)
	if err != nil {
		t.Fatal(err)
	}
	want.Journaled = true
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	// A field that is added to lm.Response must be kept, or be left out on purpose.
	if n := reflect.TypeFor[lm.Response]().NumField(); n != 13 {
		t.Errorf("lm.Response has %d fields now: is the new one kept?", n)
	}
	if _, err := journal.EncodeReply(&lm.Response{Text: "\xff"}); err == nil {
		t.Error("what is no UTF-8 was encoded")
	}
	if _, err := journal.DecodeReply([]byte("{")); err == nil {
		t.Error("half of an entry was decoded")
	}
}

func TestOutcome(t *testing.T) {
	for _, want := range []journal.Outcome{
		{Outputs: value.NewObject("b", 1, "a", []any{"x", nil, 1.5})}, {Error: "no such city"}, {Allowed: true}, {},
		{Outputs: &value.Object{}},
	} {
		data, err := journal.EncodeOutcome(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := journal.DecodeOutcome(data)
		if err != nil || got.Error != want.Error || got.Allowed != want.Allowed || (got.Outputs == nil) != (want.Outputs == nil) ||
			string(value.EncodeJSON(got.Outputs)) != string(value.EncodeJSON(want.Outputs)) {
			t.Errorf("%s gives %+v, %v", data, got, err)
		}
	}
}

// TestRun: which of several equal questions an answer belongs to.
func TestRun(t *testing.T) {
	ctx, j, hash := t.Context(), &journal.Memory{}, [32]byte{7}
	first := journal.Begin(j, "r", false)
	for i, data := range []string{"0", "1"} {
		if e, err := first.Find(ctx, "p", hash); e != nil || err != nil {
			t.Fatalf("%d: a new run has %v, %v", i, e, err)
		}
		if err := first.Write(ctx, "p", hash, journal.Model, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	// A question that failed has no answer and leaves no gap.
	second := journal.Begin(j, "r", true)
	for _, want := range []string{"0", "1", ""} {
		e, err := second.Find(ctx, "p", hash)
		if err != nil || e == nil && want != "" || e != nil && string(e.Data) != want {
			t.Fatalf("got %v, %v; want %q", e, err, want)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := second.Write(cancelled, "p", hash, journal.Model, []byte("2")); err != nil {
		t.Error(err)
	}
	if e, _ := j.Find(ctx, "r", journal.Key{Path: "p", Hash: hash, Nth: 2}); e == nil || string(e.Data) != "2" {
		t.Errorf("the third is %v", e)
	}
	// What is asked of a person has one key in every leg.
	a, b := first.Ask("q", hash), second.Ask("q", hash)
	if a != b || a.String() != b.String() || len(a.String()) != 8 || second.Ask("q", hash).String() == b.String() {
		t.Errorf("keys %v and %v", a, b)
	}
	if err := first.Answer(ctx, journal.Key{Path: "q", Hash: hash, Nth: 1}, journal.Approval, []byte("x")); err != nil {
		t.Error(err)
	}
	if e, err := second.Answered(ctx, a); e != nil || err != nil {
		t.Errorf("an answer to another question is taken: %v, %v", e, err)
	}
	var none *journal.Run
	if e, err := none.Find(ctx, "p", hash); e != nil || err != nil || none.Write(ctx, "p", hash, journal.Model, nil) != nil {
		t.Error("no journal is no trouble")
	}
}

// broken fails to write.
type broken struct{ journal.Memory }

func (*broken) Write(context.Context, *journal.Entry) error { return errors.New("the disk is full") }

func TestGuard(t *testing.T) {
	ctx, m := t.Context(), &journal.Memory{}
	g := journal.Guard(m, journal.Guards{Secrets: []string{"s3cret-value"}})
	for i, data := range []string{`"fine"`, `"the key is s3cret-value"`, `"fine"`} {
		if err := g.Write(ctx, &journal.Entry{Run: "r", Key: journal.Key{Nth: i}, Kind: journal.Model, Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
	if n, _ := m.Count(ctx, "r"); n != 2 {
		t.Errorf("%d entries are kept", n)
	}
	var told error
	g = journal.Guard(&broken{}, journal.Guards{Failed: func(err error) { told = err }})
	if err := g.Write(ctx, &journal.Entry{Run: "r"}); err != nil || told == nil || !strings.Contains(told.Error(), "the disk is full") {
		t.Errorf("a journal that fails gives %v and tells %v", err, told)
	}
}

// TestHashes: what is asked makes the hash; where a server is does not.
func TestHashes(t *testing.T) {
	req := &lm.Request{Messages: []lm.Message{{Role: lm.User, Content: "x"}}}
	other := *req
	other.Rollout = 1
	args := value.NewObject("city", "Paris")
	seen := map[[32]byte]bool{}
	for _, h := range [][32]byte{
		journal.Request("a/b", req), journal.Request("a/c", req), journal.Request("a/b", &other),
		journal.Call(journal.Tool, "f", args), journal.Call(journal.Approval, "f", args), journal.Call(journal.Tool, "g", args),
		journal.Call(journal.Tool, "f", value.NewObject("city", "Rome")),
	} {
		if seen[h] {
			t.Error("two questions have one hash")
		}
		seen[h] = true
	}
	if journal.Request("a/b", req) != journal.Request("a/b", &lm.Request{Messages: req.Messages, OnDelta: func(lm.Delta) {}}) {
		t.Error("streaming changes the hash")
	}
}
