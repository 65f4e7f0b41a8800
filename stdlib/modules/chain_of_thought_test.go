package modules_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/lang/value"
)

const chainProgram = `
program sums {
  question: string -> answer: string
  chain_of_thought respond {
    question: string -> reasoning: reasoning_chain, answer: string
    SETTINGS
  }
}
`

func chainReply(reasoning, answer string) spoken {
	return text("[[ ## reasoning ## ]]\n" + reasoning + "\n\n[[ ## answer ## ]]\n" + answer + "\n\n[[ ## completed ## ]]")
}

// TestReasoningSteps reads steps as models write them.
func TestReasoningSteps(t *testing.T) {
	for name, c := range map[string]struct {
		reasoning string
		want      string // thoughts, and how sure they are
	}{
		"Step n:":          {"Step 1: 17 * 20 is 340.\nStep 2: 17 * 3 is 51.", "17 * 20 is 340.|17 * 3 is 51."},
		"bold":             {"**Step 1:** add them\n**Step 2:** done", "add them|done"},
		"n.":               {"1. add them\n2. carry the one\n   and write it down\n3) done", "add them|carry the one and write it down|done"},
		"bullets":          {"- add them\n* carry\n• done", "add them|carry|done"},
		"bullets in steps": {"Step 1: add\n- the tens\n- the ones\nStep 2: done", "add - the tens - the ones|done"},
		"words in lines":   {"First, add them.\nThen carry.\nTherefore it is 12.", "First, add them.|Then carry.|Therefore it is 12."},
		"words in a line":  {"First, add them. Then carry the one; so it grows. Hence it is 12.", "First, add them.|Then carry the one; so it grows.|Hence it is 12."},
		"nothing":          {"It is 12 because of the rules.", "It is 12 because of the rules."},
		"before the first": {"Let me see.\nStep 1: add\nStep 2: done", "Let me see.|add|done"},
		"a list":           {`["add them", "done"]`, "add them|done"},
		"objects":          {`[{"thought": "add them", "confidence": 0.5}, {"step": "carry", "reasoning": "it is ten"}]`, "add them (0.5)|carry"},
		"confidence":       {"Step 1: add (confidence 0.8)\nStep 2: done [confidence: 90%]", "add (0.8)|done (0.9)"},
		"a decimal":        {"3.5 plus 4 is 7.5\nand that is all", "3.5 plus 4 is 7.5 and that is all"},
	} {
		got, err := thoughts(t, `checks = "none"`, chainReply(c.reasoning, "12"))
		if err != nil {
			t.Errorf("%s: %v", name, words(err))
		} else if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func thoughts(t *testing.T, settings string, replies ...spoken) (string, error) {
	t.Helper()
	return thoughtsOf(t, settings, scripted(replies...))
}

func thoughtsOf(t *testing.T, settings string, model *lmtest.Recorder) (string, error) {
	t.Helper()
	program := strings.Replace(chainProgram, "SETTINGS", settings, 1)
	program = strings.Replace(program, "-> answer: string\n  chain", "-> steps: json\n  outputs { steps = respond.reasoning }\n  chain", 1)
	result, err := ran(t, planned(t, program), model, nil, value.NewObject("question", "How much?"))
	if err != nil {
		return "", err
	}
	v, _ := result.Outputs.Get("steps")
	var out []string
	for i, s := range v.([]any) {
		o := s.(*value.Object)
		text, _ := o.Get("thought")
		line := fmt.Sprint(text)
		if sure, _ := o.Get("confidence"); sure != nil {
			line += fmt.Sprintf(" (%v)", sure)
		}
		if n, _ := o.Get("step_number"); n != nil && n != i+1 {
			t.Errorf("step %d has number %v", i+1, n)
		}
		out = append(out, line)
	}
	return strings.Join(out, "|"), nil
}

// TestReasoningChecks tells what is wrong with steps, and asks again.
func TestReasoningChecks(t *testing.T) {
	good := chainReply("Step 1: 3 times 4 is 12. (confidence 0.9)\nStep 2: The unit is square metres: 12 m². (confidence 0.9)", "12 m²")
	for name, c := range map[string]struct {
		settings, reasoning, want string // in what the model is told
	}{
		"too few":       {"min_steps = 2", "Step 1: it is 12.", "there is 1 step; at least 2 are asked for"},
		"too many":      {"max_steps = 2", "Step 1: a\nStep 2: b\nStep 3: c", "there are 3 steps; at most 2 are asked for"},
		"not said":      {"min_confidence = 0.5", "Step 1: it is 12", "step 1 does not say how sure it is"},
		"not sure":      {"min_confidence = 0.5", "Step 1: it is 12 (confidence 0.25)", "step 1 is sure to 0.25 only, at least 0.5 is asked for"},
		"a gap":         {"", "Step 1: a\nStep 3: b", "the step behind step 1 is called step 3"},
		"twice":         {"", "Step 1: add them.\nStep 2: Add them", "step 2 says what step 1 says"},
		"says nothing":  {`checks = "strict"`, "Step 1: ok\nStep 2: the unit is 12 m²", "step 1 says nothing"},
		"a later step":  {`checks = "strict"`, "Step 1: from step 2 it follows\nStep 2: that it is 12 m²", "step 1 stands on step 2"},
		"not supported": {`checks = "strict"`, "Step 1: the walls are long\nStep 2: and the roof is red", "occurs in none of the steps"},
	} {
		model := scripted(chainReply(c.reasoning, "12 m²"), good)
		got, err := thoughtsOf(t, c.settings, model)
		if err != nil {
			t.Errorf("%s: %v", name, words(err))
			continue
		}
		if !strings.HasPrefix(got, "3 times 4 is 12. (0.9)|") {
			t.Errorf("%s: %s", name, got)
		}
		messages := model.Requests()[1].Messages
		if told := messages[len(messages)-1].Text(); !strings.Contains(told, c.want) {
			t.Errorf("%s: told %q, want %q", name, told, c.want)
		}
	}
	bad := chainReply("Step 1: a", "b")
	if _, err := thoughts(t, "min_steps = 2", bad, bad, bad); err == nil || !strings.Contains(words(err), "E0601") {
		t.Errorf("after all retries: %v", words(err))
	}
	_, err := ran(t, planned(t, "program a {\n question: string -> answer: string\n chain_of_thought b { max_steps = 3 }\n}"), scripted(), nil, value.NewObject("question", "?"))
	if !strings.Contains(words(err), "`max_steps` speaks of the steps") {
		t.Error(words(err))
	}
}

// TestChainOfThoughtSamples asks several times at once, each with a rollout of its
// own, and takes the answer that most give.
func TestChainOfThoughtSamples(t *testing.T) {
	model := lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
		answer := "twelve"
		if req.Rollout == 2 {
			answer = "thirteen"
		}
		return lmtest.Text(req, fmt.Sprintf("[[ ## reasoning ## ]]\nrollout %d\n\n[[ ## answer ## ]]\n%s\n", req.Rollout, answer)), nil
	})
	p := planned(t, "program a {\n question: string -> answer: string, why: string\n chain_of_thought b {\n question: string -> answer: string\n samples = 3\n }\n outputs { why = b.reasoning }\n}")
	result, err := ran(t, p, model, nil, value.NewObject("question", "?"))
	if err != nil {
		t.Fatal(err)
	}
	if answer, _ := result.Outputs.Get("answer"); answer != "twelve" {
		t.Errorf("answer %v", answer)
	}
	if why, _ := result.Outputs.Get("why"); why != "rollout 1" {
		t.Errorf("reasoning %v, of the first sample that gave the answer", why)
	}
	rollouts := map[int]bool{}
	for _, r := range model.Requests() {
		rollouts[r.Rollout] = true
		if r.Temperature == nil || *r.Temperature != 0.7 {
			t.Errorf("temperature %v", r.Temperature)
		}
	}
	if len(rollouts) != 3 || !rollouts[1] || !rollouts[3] {
		t.Errorf("rollouts %v", rollouts)
	}
}
