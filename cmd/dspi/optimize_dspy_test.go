//go:build dspy && unix

package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// loadTuned loads a tuned file into the module that DSPy would have, and prints what it
// would send.
const loadTuned = `
import json, sys, typing
import dspy

class Route(dspy.Module):
    def __init__(self):
        super().__init__()
        topic = typing.Literal["card", "rate", "app"]
        self.classify = dspy.ChainOfThought(dspy.Signature({"text": (str, dspy.InputField()), "topic": (topic, dspy.OutputField())}))

    def forward(self, text):
        return self.classify(text=text)

route = Route()
route.load(sys.argv[1])
p = route.classify.predict
print(json.dumps(dspy.ChatAdapter().format(p.signature, p.demos, {"text": sys.argv[2]})))
`

// TestDSPyOptimize tunes a program with optimizers of DSPy's, which run in Python on it
// and its model, and loads what they found in DSPy: it sends what dspi sends.
func TestDSPyOptimize(t *testing.T) {
	python := realPython(t)
	for _, o := range []struct{ name, block string }{
		{"bootstrap", `dspy { class = "dspy.BootstrapFewShot", arguments = {max_bootstrapped_demos: 2, max_labeled_demos: 4} }`},
		{"mipro", `dspy { class = "dspy.MIPROv2", arguments = {auto: null, num_candidates: 3, num_trials: 3, minibatch: false} }`},
		{"both", "labeled_few_shot { k = 2 }\n  dspy { class = \"dspy.LabeledFewShot\", arguments = {k: 3} }"},
	} {
		t.Run(o.name, func(t *testing.T) {
			s := openSchool(t, o.block)
			file := filepath.Join(s.dir, "route.dsp")
			cmd := command(t.Context(), "optimize", file, "--no-cache", "--json")
			cmd.Env = append(cmd.Env, "DSPI_PYTHON="+python)
			got := finish(t, t.Context(), cmd)
			if got.code != 0 {
				t.Fatalf("exit status %d\n%s", got.code, got.stderr)
			}
			tuned := filepath.Join(s.dir, "tuned.tuned.json")
			if text := readWhole(t, tuned); !strings.Contains(text, `"topic":`) {
				t.Fatalf("no demo was found:\n%s", text)
			}
			const question = "the plastic is lost"
			theirs, err := exec.CommandContext(t.Context(), python, "-c", loadTuned, tuned, question).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, theirs)
			}
			if i := strings.LastIndex(strings.TrimSpace(string(theirs)), "\n"); i >= 0 {
				theirs = theirs[i+1:]
			}
			ours, stderr, code := runHere(t, "render", file, "classify", "--json", "--state", tuned, "text="+question)
			if code != 0 {
				t.Fatalf("exit status %d\n%s", code, stderr)
			}
			a, b := messagesOf(t, []byte(ours)), messagesOf(t, theirs)
			if fmt.Sprint(a) != fmt.Sprint(b) {
				t.Errorf("dspi sends\n%v\nDSPy sends\n%v", a, b)
			}
		})
	}
}
