package modules

import (
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
)

// FuzzActions reads any text as actions: nothing is invented, and what is said is a
// beginning of the text.
func FuzzActions(f *testing.F) {
	for _, s := range []string{
		`Action[search](query = "a, (b)", k = 2)`, "Action: search\nAction Input: {\"query\": \"a\"}\nObservation: x", `Finish[a]`,
		`Finish(answer = 'it''s')`, "Action[](", "Action[search]({", "Finish", "finish: x", `Action[search](it's)`, "Action: search{\"a\": 1}",
	} {
		f.Add(s)
	}
	sig := &program.Signature{Outputs: []types.Field{{Name: "answer", Type: types.String}}}
	tool := &deskTool{name: "search", signature: &program.Signature{Inputs: []types.Field{
		{Name: "query", Type: types.String}, {Name: "k", Type: types.Int},
	}}}
	box := &toolbox{}
	box.tools = append(box.tools, tool)
	f.Fuzz(func(t *testing.T, text string) {
		got := readActions(text, box, finishName, sig)
		if !strings.HasPrefix(text, got.said) {
			t.Errorf("said %q of %q", got.said, text)
		}
		for _, a := range got.actions {
			if !strings.Contains(text, a.tool) {
				t.Errorf("a tool %q of %q", a.tool, text)
			}
		}
		if got.finish != nil && !strings.Contains(strings.ToLower(text), finishName) {
			t.Errorf("finish in %q", text)
		}
	})
}

// FuzzSteps reads any text as steps: each has words of the text.
func FuzzSteps(f *testing.F) {
	for _, s := range []string{"Step 1: a\nStep 2: b (confidence 0.5)", "1. a\n2. b", "- a\n- b", "First, a. Then b.", `["a", {"thought": "b"}]`, "Step 9999999999999999999: x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		steps, numbers := readSteps(text)
		if numbers != nil && len(numbers) != len(steps) {
			t.Errorf("%d numbers of %d steps", len(numbers), len(steps))
		}
		if (len(steps) == 0) != (strings.TrimSpace(text) == "") {
			t.Errorf("%d steps in %q", len(steps), text)
		}
		for _, s := range steps {
			if c := s.confidence; c != nil && s.given == nil && (*c < 0 || *c > 1) {
				t.Errorf("confidence %v", *c)
			}
		}
	})
}
