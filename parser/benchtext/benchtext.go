// Package benchtext writes large programs for benchmarks: a .dsp text and an HCL
// text that say the same, line by line, so that the two languages' parsers can
// be compared on equal work.
//
// Every line of one has its line in the other, with as many attributes, blocks
// and expressions. Where HCL has no such form, the nearest one stands in: a field
// `question: string "what is asked"` becomes `question = [string, "what is asked"]`.
// The .dsp text is a correct program: it checks without a diagnostic.
package benchtext

import (
	"fmt"
	"strconv"
	"strings"
)

// Text is a generated pair.
type Text struct {
	DSP string // a .dsp file
	HCL string // the same in HCL
}

// Generate writes texts of at least the given number of lines, ending with a
// whole program. The same number gives the same texts.
func Generate(lines int) Text {
	var w writer
	for i := 1; w.lines < lines; i++ {
		w.n = i
		w.program()
	}
	return Text{DSP: w.dsp.String(), HCL: w.hcl.String()}
}

type writer struct {
	dsp, hcl strings.Builder
	lines, n int
}

// both writes a line that is the same in both languages. In it, # is the number
// of the program.
func (w *writer) both(line string) { w.pair(line, line) }

// pair writes a line of each language.
func (w *writer) pair(dsp, hcl string) {
	n := strconv.Itoa(w.n)
	fmt.Fprintln(&w.dsp, strings.ReplaceAll(dsp, "#", n))
	fmt.Fprintln(&w.hcl, strings.ReplaceAll(hcl, "#", n))
	w.lines++
}

// program writes what one program needs, and the program: three steps, of which
// two can run at the same time, with named values between them.
func (w *writer) program() {
	w.both(`// Program number #: a draft, two readers of it, and a verdict.`)
	w.both(``)
	w.pair(`type Point# {`, `type Point# {`)
	w.pair(`  title: string(max_length = 80)     "a few words"`, `  title = [string(80), "a few words"] // at most`)
	w.pair(`  weight: float                      "from 0 to 1"`, `  weight = [float, "from 0 to 1"] // the weight`)
	w.pair(`  sources: list[string](max_items = 5)`, `  sources = list(string, 5) // at most 5`)
	w.pair(`  mood: "calm" | "tense" | "unclear"`, `  mood = ["calm", "tense", "unclear"]`)
	w.both(`}`)
	w.both(``)
	w.pair(`variable tries#: int(min = 1, max = 10) {`, `variable tries# {  // int, from 1 to 10`)
	w.both(`  default = 4`)
	w.both(`}`)
	w.both(``)
	w.both(`model writer# {`)
	w.both(`  provider    = "openai"`)
	w.both(`  name        = "gpt-4o-mini"`)
	w.both(`  temperature = 0.2`)
	w.both(`  max_tokens  = 800`)
	w.both(`}`)
	w.both(``)
	w.both(`program report# {`)
	w.pair(`  question: string, passages: list[string] -> answer: string, total: int`,
		`  io = [string(question), list(string, passages), string(answer), int(total)]`)
	w.both(``)
	w.pair(`  let long = len(question) > 20 && question != ""`, `  let_long = len(question) > 20 && question != ""`)
	w.pair(`  let room = max(400 - len(question), 120) + var.tries# * 10`, `  let_room = max(400 - len(question), 120) + var.tries# * 10`)
	w.both(``)
	w.both(`  chain_of_thought draft {`)
	w.both(`    instructions = "Answer from the passages only, in plain words."`)
	w.both(`    model        = model.writer#`)
	w.both(``)
	w.pair(`    question: string        "what the person asks"`, `    question = [string, "what the person asks"]`)
	w.pair(`    passages: list[string]  "best first"`, `    passages = [list(string), "best first"]`)
	w.pair(`    room:     int           "how many characters there are"`, `    room     = [int, "how many characters there are"]`)
	w.pair(`    ->`, `    io = 1`)
	w.pair(`    answer: string`, `    answer = string`)
	w.pair(`    points: list[Point#]    "what the answer rests on"`, `    points = [list(Point#), "what the answer rests on"]`)
	w.both(``)
	w.both(`    inputs {`)
	w.both(`      question = long ? "${question} (in short)" : question`)
	w.both(`      room     = room`)
	w.both(`    }`)
	w.both(`  }`)
	w.both(``)
	w.both(`  predict judge {`)
	w.pair(`    question: string, answer: string -> good: bool, advice: string`,
		`    io = [string(question), string(answer), bool(good), string(advice)]`)
	w.both(`    inputs {`)
	w.both(`      answer = draft.answer`)
	w.both(`    }`)
	w.both(`  }`)
	w.both(``)
	w.both(`  predict shorten {`)
	w.pair(`    text: string, hint: string -> gist: string`, `    io = [string(text), string(hint), string(gist)]`)
	w.both(`    inputs {`)
	w.both(`      text = draft.answer`)
	w.both(`      hint = "Keep ${len(draft.points)} points of ${var.tries#}; ${len(draft.answer)} characters are too many."`)
	w.both(`    }`)
	w.both(`  }`)
	w.both(``)
	w.pair(`  let enough = judge.good && len(shorten.gist) >= 20 || len(draft.points) > var.tries#`,
		`  let_enough = judge.good && len(shorten.gist) >= 20 || len(draft.points) > var.tries#`)
	w.both(``)
	w.both(`  outputs {`)
	w.both(`    answer = enough ? shorten.gist : "${draft.answer} ${judge.advice}"`)
	w.both(`    total  = len(draft.points) + len(passages) * 2`)
	w.both(`  }`)
	w.both(`}`)
	w.both(``)
}
