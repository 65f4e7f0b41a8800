//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKillAndResumeEval: an evaluation whose program makes two calls a row, and whose
// metric asks a judge, is killed at random moments and resumed each time. What it
// finds is what it finds undisturbed, and nothing that is in the journal is paid
// again: neither the program's calls nor the judge's.
func TestKillAndResumeEval(t *testing.T) {
	t.Parallel()
	th := openTheatre(t, `
dataset topics { file = "topics.csv" }
metric sound {
  score    = judge.verdict contains "7" ? 0.5 : 1.0
  feedback = judge.verdict
  predict judge {
    story: string -> verdict: string
    inputs { story = prediction.story }
  }
}
program stories {
  topic: string -> story: string
  predict plan { topic -> outline }
  predict write {
    outline -> story
    inputs { outline = plan.outline }
  }
}
evaluate all {
  program     = program.stories
  data        = dataset.topics
  metrics     = [metric.sound, metric.exact_match, metric.calls, metric.tokens, metric.cost]
  concurrency = 4
}`)
	var rows strings.Builder
	rows.WriteString("topic,story\n")
	for i := range 40 {
		fmt.Fprintf(&rows, "topic %d,story of topic %d\n", i, i%30)
	}
	writeFile(t, filepath.Join(filepath.Dir(th.program), "topics.csv"), rows.String())
	th.command, th.args, th.kills = "eval", []string{"--json"}, 3
	if os.Getenv("DSPI_SOAK") != "" {
		th.kills = 20
	}
	th.plain = func(text string) string {
		var results map[string]any
		if err := json.Unmarshal([]byte(text), &results); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		delete(results, "seconds")
		delete(results, "latency")
		for _, row := range results["rows"].([]any) {
			delete(row.(map[string]any), "seconds")
			delete(row.(map[string]any), "run")
		}
		out, err := json.MarshalIndent(results, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	th.perform(120)
}
