package check_test

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

// columnsProgram is checked with the data of columnsOf. Claims are as in
// TestClaims.
const columnsProgram = `
dataset dev   { file = "dev.csv" }
dataset gone  { file = "gone.csv" } #! W0521 "no file gone.csv"
dataset bad   { file = "bad.csv" } #! E0521 "line 3 of bad.csv has 3 cells"
dataset other { file = "other.jsonl" }
dataset named {
  file = "other.jsonl"
  columns { text = "Text", intent = "Label 1" }
}
dataset wrong {
  file = "other.jsonl"
  columns { text = "Txt" } #! E0220 "has no column .Txt."
}
retriever wiki  { file = "wiki.jsonl" }
retriever wiki2 { file = "wiki.jsonl", text = "body" } #! E0220 "has no column .body."
retriever wiki3 { file = "dev.csv", text = "text", id = "idd", title = "intent" } #! E0220 "has no column .idd."
retriever wiki4 { file = "other.jsonl" } #! E0220 "has no column .text."

program route {
  text: string, tone: string = "plain", n: int? -> intent: "lost" | "late", why: string
}
metric right { score = exact_match(prediction.intent, example.intent) }
metric fine { score = example.grade > 3 }
metric lengthy { score = len(example.text) < 100 ? 1 : 0 }
metric typed { score = example.intent == "lots" } #! E0217 "none of these values"
metric misses { score = example.intnt == "lost" } #! E0220 "has no column called .intnt."
metric judged {
  score = judge.good
  predict judge {
    intent: string, missing: string -> good: bool
    inputs {
      intent  = example.intent
      missing = example.reason #! E0220 "has no column called .reason."
    }
  }
}
evaluate a { program = program.route, data = dataset.dev, metrics = [metric.right, metric.fine, metric.lengthy, metric.cost] }
evaluate b { program = program.route, data = dataset.dev, metrics = [metric.typed, metric.misses, metric.judged, metric.exact_match] }
evaluate c { program = program.route, data = dataset.gone, metrics = [metric.misses, metric.f1] }
evaluate d { program = program.route, data = dataset.other, metric = metric.f1 } #! E0220 "has no column .text." #! E0220 "no label"
evaluate e { program = program.route, data = dataset.named, metric = metric.right }
evaluate f { program = program.route, data = dataset.bad, metric = metric.misses }
optimize g {
  program = program.route
  train   = dataset.other #! E0220 "has no column .text."
  dev     = dataset.dev
  metric  = metric.misses
  mipro_v2 { auto = "light" }
}
`

func columnsOf(_ *source.File, path string) ([]string, error) {
	switch path {
	case "dev.csv":
		return []string{"text", "intent", "grade"}, nil
	case "other.jsonl":
		return []string{"Text", "Label 1"}, nil
	case "wiki.jsonl":
		return []string{"id", "title", "text"}, nil
	case "bad.csv":
		return nil, errors.New("line 3 of bad.csv has 3 cells, its header 2")
	}
	return nil, fs.ErrNotExist
}

// TestColumns checks a project against the columns of its data.
func TestColumns(t *testing.T) {
	check := func(text string) diag.List {
		_, diags := check.Check(parser.Parse(source.NewFile("a.dsp", text)), check.Options{Universe: stdlib.Universe(), Columns: columnsOf})
		return diags
	}
	diags := check(columnsProgram)
	met := map[*diag.Diagnostic]bool{}
	for i, line := range strings.Split(columnsProgram, "\n") {
		for _, m := range claim.FindAllStringSubmatch(line, -1) {
			found := false
			for _, d := range diags {
				if !met[d] && d.Primary.File.LineOf(d.Primary.Start) == i+1 && string(d.Code) == m[1] && regexp.MustCompile(m[2]).MatchString(d.Primary.Text) {
					met[d], found = true, true
					break
				}
			}
			if !found {
				t.Errorf("line %d: %s %q was not reported", i+1, m[1], m[2])
			}
		}
	}
	for _, d := range diags {
		if !met[d] {
			t.Errorf("line %d: not claimed: %s: %s\n%s", d.Primary.File.LineOf(d.Primary.Start), d.Code, d.Primary.Text, d.Detail)
		}
		for _, f := range d.Fixes {
			if after := check(apply(columnsProgram, f)); len(after) >= len(diags) {
				t.Errorf("%s: the fix %q does not fix it: %s", d.Code, f.Title, codesOf(after))
			}
		}
	}
}

// TestMetricOfAnotherFile: what is said of a file rests on the file and its
// imports, so a metric that does not fit a use in another file is a fault of the
// use.
func TestMetricOfAnotherFile(t *testing.T) {
	trees := map[string]*syntax.File{}
	edit := func(name, text string) { trees[name] = parser.Parse(source.NewFile(name, text)) }
	edit("lib.dsp", "metric right { score = prediction.answer == example.answer }\n")
	edit("main.dsp", `import "lib.dsp" as lib
dataset dev { file = "other.jsonl" }
program route { Text: string -> intent: string }
evaluate a {
  program = program.route
  data    = dataset.dev
  metric  = metric.lib.right
}
`)
	s := check.NewSession(check.Options{Universe: stdlib.Universe(), Columns: columnsOf, Import: func(_ *source.File, path string) (*syntax.File, error) {
		if f, ok := trees[path]; ok {
			return f, nil
		}
		return nil, fmt.Errorf("there is no file %s", path)
	}})
	for range 3 {
		project, diags := s.Check(trees["main.dsp"])
		if len(diags) != 2 || len(project.Metrics) != 1 || len(project.Evaluations) != 1 || len(project.Datasets) != 1 {
			t.Fatal(diags, project)
		}
		for _, d := range diags {
			if d.Primary.File.Name != "main.dsp" || !strings.Contains(d.Primary.Text, "`metric.lib.right` does not fit `route` on `dataset.dev`") || d.Related[len(d.Related)-1].File.Name != "lib.dsp" {
				t.Error(d, d.Related)
			}
		}
	}
	edit("main.dsp", strings.ReplaceAll(trees["main.dsp"].Source.Text, "intent: string", "answer: string"))
	if _, diags := s.Check(trees["main.dsp"]); len(diags) != 1 || diags[0].Code != "E0220" {
		t.Error(diags)
	}
}
