package lmtest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRecorder(t *testing.T) {
	lmtest.Contract(t, func(*testing.T) lm.LM { return lmtest.Scripted(make([]string, 50)...) })

	m := lmtest.Scripted("one", "two")
	req := lmtest.Ask("first")
	for _, want := range []string{"one", "two"} {
		resp, err := m.Generate(t.Context(), req)
		if err != nil || resp.Text != want {
			t.Fatalf("got %v, %v; want %s", resp, err, want)
		}
		req.Messages[0].Content = "second"
	}
	if e := lm.AsError(func() error { _, err := m.Generate(t.Context(), req); return err }()); e == nil || e.Kind != lm.KindRequest {
		t.Errorf("the third call gives %v", e)
	}
	seen := m.Requests()
	if m.Calls() != 3 || len(seen) != 3 || seen[0].Messages[0].Content != "first" || seen[1].Messages[0].Content != "second" {
		t.Errorf("it kept %+v", seen)
	}
}
