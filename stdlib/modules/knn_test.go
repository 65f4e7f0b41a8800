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
