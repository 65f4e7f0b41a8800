package modules_test

import (
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/value"
)

// TestKNN shows the demos that are nearest to the inputs, the nearest first.
func TestKNN(t *testing.T) {
	p := planned(t, "program a {\n question: string -> answer: string\n knn b {\n k = 2\n predict {}\n }\n}")
	for _, q := range []string{"How tall is the tower of Pisa?", "Who wrote Hamlet?", "Who wrote the letter to Hamlet's mother?", "How tall is Hamlet?"} {
		p.Ops[0].Parts[0].Demos = append(p.Ops[0].Parts[0].Demos, value.NewObject("question", q, "answer", "a"))
	}
	for question, want := range map[string][]string{
		"Who wrote Othello?":       {"Who wrote Hamlet?", "Who wrote the letter to Hamlet's mother?"},
		"How tall is the steeple?": {"How tall is Hamlet?", "How tall is the tower of Pisa?"},
		"Nothing alike":            {"How tall is the tower of Pisa?", "Who wrote Hamlet?"},
	} {
		model := scripted(text("[[ ## answer ## ]]\nb\n"))
		if _, err := ran(t, p, model, nil, value.NewObject("question", question)); err != nil {
			t.Fatal(err)
		}
		messages := model.Requests()[0].Messages
		if len(messages) != 6 {
			t.Fatalf("%d messages", len(messages))
		}
		for i, w := range want {
			if got := messages[1+2*i].Content; !strings.Contains(got, w) {
				t.Errorf("%s: demo %d is %q, want %q", question, i+1, got, w)
			}
		}
	}
}

// TestNearestOfTuning shows of the demos that tuning found for a step the nearest, where
// it says so.
func TestNearestOfTuning(t *testing.T) {
	p := planned(t, "program a {\n question: string -> answer: string\n chain_of_thought b {}\n}")
	op := p.Ops[0]
	for _, q := range []string{"How tall is the tower of Pisa?", "Who wrote Hamlet?", "How tall is Hamlet?", "Who wrote Emma?"} {
		op.Demos = append(op.Demos, value.NewObject("question", q, "reasoning", "r", "answer", "a"))
	}
	for nearest, want := range map[int][]string{
		0: {"tower of Pisa", "Who wrote Hamlet", "How tall is Hamlet", "Who wrote Emma"},
		2: {"tower of Pisa", "How tall is Hamlet"},
		9: {"tower of Pisa", "Who wrote Hamlet", "How tall is Hamlet", "Who wrote Emma"},
	} {
		op.Nearest = nearest
		model := scripted(text("[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\nb\n"))
		if _, err := ran(t, p, model, nil, value.NewObject("question", "How tall is the steeple?")); err != nil {
			t.Fatal(err)
		}
		messages := model.Requests()[0].Messages
		if len(messages) != 2+2*len(want) {
			t.Fatalf("%d messages", len(messages))
		}
		for i, w := range want {
			if got := messages[1+2*i].Content; !strings.Contains(got, w) {
				t.Errorf("the %d nearest: demo %d is %q, want %q", nearest, i+1, got, w)
			}
		}
	}
}
