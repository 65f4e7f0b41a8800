package retrievers

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/retrieve/retrievetest"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/value"
)

type broken struct{ err error }

func (b broken) Retrieve(context.Context, string, int) ([]retrieve.Passage, error) {
	return nil, b.err
}

func TestAsTool(t *testing.T) {
	m, err := retrieve.NewMemory(retrievetest.Animals(), retrieve.MemoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x := AsTool("search", "About animals.", m, 1)
	out, err := x.Call(t.Context(), value.NewObject("query", "Which bird hears a mouse?"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(value.EncodeJSON(out)); !strings.Contains(got, "Owl | An owl hunts") || !strings.Contains(got, `["owl"]`) {
		t.Errorf("it gives %s", got)
	}
	if x.Name() != "search" || x.Description() != "About animals." || len(x.Signature().Inputs) != 1 || AsTool("s", "", m, 0).Description() == "" {
		t.Errorf("it is called %s: %s", x.Name(), x.Description())
	}
	_, err = AsTool("search", "", broken{&lm.Error{Kind: lm.KindNoKey, Message: "set SOME_KEY"}}, 1).Call(t.Context(), value.NewObject("query", "a"))
	var e *tool.Error
	if !errors.As(err, &e) || !strings.Contains(e.Text, "cannot be searched") || lm.AsError(err) == nil {
		t.Errorf("a failure is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Call(ctx, value.NewObject("query", "a")); !errors.Is(err, context.Canceled) {
		t.Errorf("an interruption is %v", err)
	}
}
