package optimizers

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

// reflectionPrompt is that of the package gepa, to the byte.
const reflectionPrompt = "I provided an assistant with the following instructions to perform a task for me:\n" +
	"```\n<curr_param>\n```\n\n" +
	"The following are examples of different task inputs provided to the assistant along with the assistant's response for each of them, and some feedback on how the assistant's response could be better:\n" +
	"```\n<side_info>\n```\n\n" +
	"Your task is to write a new instruction for the assistant.\n\n" +
	"Read the inputs carefully and identify the input format and infer detailed task description about the task I wish to solve with the assistant.\n\n" +
	"Read all the assistant responses and the corresponding feedback. Identify all niche and domain specific factual information about the task and include it in the instruction, as a lot of it may not be available to the assistant in the future. The assistant may have utilized a generalizable strategy to solve the task, if so, include that in the instruction as well.\n\n" +
	"Provide the new instructions within ``` blocks."

// reflection is the question for new instructions.
func reflection(instructions, runs string) []lm.Message {
	text := strings.ReplaceAll(reflectionPrompt, "<curr_param>", instructions)
	text = strings.ReplaceAll(text, "<side_info>", runs)
	return []lm.Message{{Role: lm.User, Content: text}}
}

// shown writes what a predictor was asked in runs, what it answered, and what is said
// of it; "" where there is nothing to show.
func (e *evolution) shown(predictor int, runs []*optimize.Outcome) string {
	var parts []string
	for _, o := range runs {
		if o == nil || o.Failed() {
			continue
		}
		var of []optimize.Asked
		for _, a := range o.Asked {
			if a.Predictor == predictor {
				of = append(of, a)
			}
		}
		if len(of) == 0 {
			continue
		}
		a := pyrandom.Choice(e.asked, of)
		feedback := o.Feedback
		if feedback == "" {
			feedback = "This trajectory got a score of " + prompt.Text(o.Score()) + "."
		}
		parts = append(parts, fmt.Sprintf("# Example %d\n## Inputs\n%s## Generated Outputs\n%s## Feedback\n%s\n\n",
			len(parts)+1, shownInputs(e.study.Predictors[predictor], a.Inputs), shownValues(a.Outputs), strip(feedback)))
	}
	return strings.Join(parts, "\n\n")
}

// shownInputs writes values under headings; a history comes first, turn by turn.
func shownInputs(p *optimize.Predictor, inputs *value.Object) string {
	name := ""
	for _, f := range p.Signature.Inputs {
		t, _ := types.Unwrap(f.Type)
		if p, ok := t.(*types.Primitive); ok && p.Row.Name == "history" {
			name = f.Name
		}
	}
	history, ok := inputs.Get(name)
	if !ok || history == nil {
		return shownValues(inputs)
	}
	if o, ok := history.(*value.Object); ok {
		history, _ = o.Get("messages")
	}
	turns, _ := history.([]any)
	var b strings.Builder
	b.WriteString("### Context\n```json\n")
	for i, turn := range turns {
		fmt.Fprintf(&b, "  %d: %s\n", i, prompt.Text(turn))
	}
	b.WriteString("```\n\n")
	for other, v := range inputs.All() {
		if other != name {
			b.WriteString("### " + other + "\n" + strip(prompt.Text(v)) + "\n\n")
		}
	}
	return b.String()
}

func shownValues(values *value.Object) string {
	if values.Len() == 0 {
		return "\n"
	}
	var b strings.Builder
	for name, v := range values.All() {
		b.WriteString("### " + name + "\n" + strip(prompt.Text(v)) + "\n\n")
	}
	return b.String()
}

// proposed reads the new instructions from a reply: what stands between the first and
// the last fence, without the name of a language; where there are no two fences, what
// is left without one.
func proposed(reply string) string {
	const fence = "```"
	reply = strip(reply)
	start, end := strings.Index(reply, fence)+len(fence), strings.LastIndex(reply, fence)
	if start < end {
		return strip(afterWord(reply[start:end], true))
	}
	switch {
	case strings.HasPrefix(reply, fence):
		return strip(afterWord(reply[len(fence):], false))
	case strings.HasSuffix(reply, fence):
		return strip(strings.TrimSuffix(reply, fence))
	}
	return reply
}

// afterWord takes the first word of a text away, with the end of its line. With alone
// it does so only where the word, which may be empty, is all of the line.
func afterWord(text string, alone bool) string {
	word := strings.IndexFunc(text, space)
	if word < 0 {
		word = len(text)
	}
	rest := text[word:]
	if strings.HasPrefix(rest, "\n") {
		return rest[1:]
	}
	if alone {
		return text
	}
	return rest
}

// space reports whether Python takes a character for space.
func space(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// strip takes space away at both ends, as Python does.
func strip(text string) string { return strings.TrimFunc(text, space) }
