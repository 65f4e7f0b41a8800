package lsp_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lsp"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

const shared = `type Contact { name: string, mail: string? }
enum Queue { billing, sales }
program find {
  question: string -> notes: list[string]
  predict look { question: string -> notes: list[string] }
}
`

const around = `import "shared.dsp" as shared

model small {
  provider = "builtin"
  name     = "incontext"
}

variable limit: int { default = 3 }

program first {
  question: string -> answer: string
  predict one { question: string -> answer: string }
}

program desk {
  question: string -> answer: string, queue: shared.Queue, contact: shared.Contact

  let short = len(question) < 20
  shared.find notes {}
  predict sort {
    model = model.small
    question: string, notes: list[string] -> queue: shared.Queue, contact: shared.Contact
    inputs { notes = notes.notes }
  }
  best_of_n reply {
    n      = var.limit
    reward = len(answer) > 0 ? 1.0 : 0.0
    question: string, queue: shared.Queue -> answer: string
    inputs { queue = sort.queue }
    when = short || sort.queue == "billing"
    predict {}
  }
  outputs { answer = reply.answer ?? "none for ${sort.contact.name}" }
}

test desk_answers {
  program = program.desk
  inputs { question = "Why?" }
  assert answered { that = len(answer) > 0 }
}

dataset rows { file = "rows.csv" }
metric same { score = prediction.queue == example.queue ? 1.0 : 0.0 }
optimize better {
  program = program.desk
  train   = dataset.rows
  metric  = metric.same
  labeled_few_shot {}
}
`

// TestAgain edits inside one program of a file with imports, tests and tuning, while
// completions are asked for and the imported file changes. What is said first of each
// edit is what is said of a text that is opened whole.
func TestAgain(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"shared.dsp": shared, "rows.csv": "question,queue,answer\na,billing,b\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	main, lib := filepath.Join(dir, "main.dsp"), filepath.Join(dir, "shared.dsp")
	uri, libURI := string(protocol.Address(main)), string(protocol.Address(lib))
	list := func(found []protocol.Diagnostic) string {
		data, err := protocol.Marshal(found)
		if err != nil {
			t.Fatal(err)
		}
		var d diagnosed
		if err := json.Unmarshal(data, &d.Diagnostics); err != nil {
			t.Fatal(err)
		}
		data, err = json.Marshal(d.Diagnostics)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	fresh := func(text, imported string) string {
		s := snapshot.NewSession(options())
		s.Open(lib, 1, imported)
		s.Open(main, 1, text)
		v, err := lsp.Look(s.Snapshot(), main)
		if err != nil {
			t.Fatal(err)
		}
		return list(lsp.Diagnostics(v))
	}
	heard := func(d diagnosed) string {
		data, err := json.Marshal(d.Diagnostics)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}

	e, _ := start(t, `{"rootUri":"`+string(protocol.Address(dir))+`","capabilities":{}}`)
	libVersion, imported := 1, shared
	e.open(libURI, imported)
	e.open(uri, around)
	if d := e.await(uri, 1); len(d.Diagnostics) > 0 {
		t.Fatalf("of a good text is said %+v", d.Diagnostics)
	}
	words := regexp.MustCompile(`[A-Za-z_.]+|"[^"\n]*"|[0-9]+|[{}(),=:>]|\n *`)
	pieces := []string{"question", "queue", "notes", "sort.queue", "reply.answer", "string", "int", "nothing", "{", "}", "\"", "# ", "\n", " ", "5", "shared.Queue", "when", "let b = 1\n", "漢", ""}
	random := rand.New(rand.NewPCG(3, 4))
	text := around
	mistakes := 0
	for version := 2; version < 300; version++ {
		if random.IntN(6) == 0 {
			text = around // as if it was undone
		}
		from, to := strings.Index(text, "program desk"), strings.Index(text, "\ntest ")
		if from < 0 || to < from {
			text = around
			from, to = strings.Index(text, "program desk"), strings.Index(text, "\ntest ")
		}
		places := words.FindAllStringIndex(text[from:to], -1)
		at := places[random.IntN(len(places))]
		text = text[:from+at[0]] + pieces[random.IntN(len(pieces))] + text[from+at[1]:]
		if random.IntN(8) == 0 {
			libVersion++
			imported = shared
			if random.IntN(2) == 0 {
				imported = strings.Replace(shared, []string{"mail", "billing", "notes: list[string]\n", "Queue"}[random.IntN(4)], "other", 1)
			}
			e.replace(libURI, libVersion, imported)
		}
		e.replace(uri, version, text)
		got, want := heard(e.await(uri, version)), fresh(text, imported)
		if got != want {
			t.Fatalf("version %d\n%s\nis said\n%s\nof the whole text\n%s", version, text, got, want)
		}
		if got != "[]" {
			mistakes++
		}
		for range random.IntN(3) {
			lines := strings.Split(text, "\n")
			line := random.IntN(len(lines))
			e.call("textDocument/completion", place(uri, line, random.IntN(len(lines[line])+1)), nil)
		}
		if version%5 == 0 { // what is said after a pause
			var report diagnosed
			var answer struct{ Items json.RawMessage }
			e.call("textDocument/diagnostic", map[string]any{"textDocument": map[string]any{"uri": uri}}, &answer)
			if err := json.Unmarshal(answer.Items, &report.Diagnostics); err != nil {
				t.Fatal(err)
			}
			if later := heard(report); later != want {
				t.Fatalf("version %d: after a pause is said\n%s\nof the whole text\n%s", version, later, want)
			}
		}
	}
	if mistakes < 100 {
		t.Errorf("only %d texts had mistakes", mistakes)
	}
	e.leave()
}
