package modules

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/metrics"
)

// A reasoning_chain is asked for as a text of steps, which models write better than a
// list of objects, and read into steps that are checked. What is wrong with them is
// told, and the model asked again, as often as a reply that does not fit may be.

// thinkInSteps asks for reasoning whose steps are typed; f is the output.
func thinkInSteps(ctx context.Context, call *module.Call, f *types.Field) (*value.Object, error) {
	c := *call
	c.Signature = inWords(call, f)
	host := &wordless{Host: call.Host}
	c.Host = host
	c.Demos = make([]prompt.Demo, len(call.Demos))
	for i, d := range call.Demos {
		c.Demos[i] = withWords(d)
	}
	c.Feedback = make([]module.Feedback, len(call.Feedback))
	for i, f := range call.Feedback {
		if c.Feedback[i] = f; f.Outputs != nil {
			c.Feedback[i].Outputs = withWords(f.Outputs)
		}
	}
	failed := &module.MisfitError{Model: call.LM.Address()}
	for {
		c.Retries = call.Retries - host.asked // replies that do not fit and steps that do not count together
		asked, err := module.Ask(ctx, &c)
		if err != nil {
			return nil, err
		}
		outputs, misfit := chained(call, f, asked)
		if misfit == nil {
			return outputs, nil
		}
		call.Host.Emit(trace.Event{Kind: trace.Misfit, Model: call.LM.Address(), Err: misfit})
		failed.Misfits = append(failed.Misfits, misfit)
		if host.asked > call.Retries {
			return nil, failed
		}
		feedback := module.Feedback{Outputs: asked}
		for _, fault := range misfit.Faults {
			feedback.Messages = append(feedback.Messages, fault.String())
		}
		c.Feedback = append(c.Feedback[:len(c.Feedback):len(c.Feedback)], feedback)
	}
}

// inWords is the signature with the chain as a text, and what it must be like.
func inWords(call *module.Call, f *types.Field) *program.Signature {
	sig := *call.Signature
	sig.Outputs = slices.Clone(sig.Outputs)
	words := "each step on a line of its own: `Step 1: …`, `Step 2: …`"
	if _, ok := call.Float("min_confidence"); ok {
		words += ", and at its end how sure it is, from 0 to 1: `(confidence 0.8)`"
	}
	least, most := stepLimits(call)
	switch {
	case least > 1 && most < types.MaxReasoningSteps:
		words += fmt.Sprintf("; %d to %d steps", least, most)
	case least > 1:
		words += fmt.Sprintf("; at least %d steps", least)
	case most < types.MaxReasoningSteps:
		words += fmt.Sprintf("; at most %d steps", most)
	}
	if f.Description != "" {
		words = f.Description + "; " + words
	}
	for i := range sig.Outputs {
		if sig.Outputs[i].Name == f.Name {
			sig.Outputs[i] = types.Field{Name: f.Name, Type: types.String, Description: words}
		}
	}
	return &sig
}

func stepLimits(call *module.Call) (least, most int) {
	return call.Int("min_steps", 1), call.Int("max_steps", types.MaxReasoningSteps)
}

// withWords is a value of the signature with its chain as a text.
func withWords(o *value.Object) *value.Object {
	v, _ := o.Get("reasoning")
	steps, ok := v.([]any)
	if !ok {
		return o
	}
	var lines []string
	for i, s := range steps {
		line := "Step " + strconv.Itoa(i+1) + ": "
		switch s := s.(type) {
		case string:
			line += s
		case *value.Object:
			thought, _ := s.Get("thought")
			line += fmt.Sprint(thought)
			if sure, _ := s.Get("confidence"); sure != nil {
				line += " (confidence " + string(value.EncodeJSON(sure)) + ")"
			}
		}
		lines = append(lines, line)
	}
	out := o.Clone()
	out.Set("reasoning", strings.Join(lines, "\n"))
	return out
}

// wordless is a host that does not show the text of a chain while it is written: it
// is not of the output's type. It counts the questions.
type wordless struct {
	module.Host
	asked int
}

func (w *wordless) Generate(ctx context.Context, m lm.LM, req *lm.Request) (*lm.Response, error) {
	w.asked++
	return w.Host.Generate(ctx, m, req)
}

func (w *wordless) Emit(e trace.Event) {
	if e.Kind != trace.Partial || e.Field != "reasoning" {
		w.Host.Emit(e)
	}
}

// chained reads and checks the steps of an answer.
func chained(call *module.Call, f *types.Field, asked *value.Object) (*value.Object, *align.Misfit) {
	v, _ := asked.Get(f.Name)
	text, _ := v.(string)
	var faults []value.Fault
	fault := func(kind, format string, args ...any) {
		faults = append(faults, value.Fault{Loc: []any{f.Name}, Type: kind, Msg: fmt.Sprintf(format, args...), Input: text})
	}
	steps, numbers := readSteps(text)
	checkSteps(call, steps, numbers, asked, fault)
	chain, wrong := value.Check(f.Type, chainOf(steps), value.Lax)
	for _, w := range wrong {
		w.Loc = append([]any{f.Name}, w.Loc...)
		faults = append(faults, w)
	}
	if len(faults) > 0 {
		return nil, &align.Misfit{Reply: text, Faults: faults, Fits: asked}
	}
	out := asked.Clone()
	out.Set(f.Name, chain)
	return out, nil
}

// chainOf are steps as values.
func chainOf(steps []thought) []any {
	out := make([]any, len(steps))
	for i, s := range steps {
		if s.given != nil {
			o := s.given.Clone()
			if n, _ := o.Get("step_number"); n == nil {
				o.Set("step_number", i+1)
			}
			out[i] = o
			continue
		}
		o := value.NewObject("step_number", i+1, "thought", s.text)
		if s.confidence != nil {
			o.Set("confidence", *s.confidence)
		}
		out[i] = o
	}
	return out
}

// checkSteps checks what can be checked of steps without another model.
func checkSteps(call *module.Call, steps []thought, numbers []int, asked *value.Object, fault func(kind, format string, args ...any)) {
	least, most := stepLimits(call)
	if n := len(steps); n < least {
		fault("too_few_steps", "%s; at least %d are asked for", stepsWord(n), least)
	} else if n > most {
		fault("too_many_steps", "%s; at most %d are asked for", stepsWord(n), most)
	}
	if sure, ok := call.Float("min_confidence"); ok {
		for i, s := range steps {
			switch {
			case s.confidence == nil:
				fault("no_confidence", "step %d does not say how sure it is: write (confidence 0.8) at its end", i+1)
			case *s.confidence < sure:
				fault("low_confidence", "step %d is sure to %s only, at least %s is asked for: find a better step, or another way", i+1, number0(*s.confidence), number0(sure))
			}
		}
	}
	level := call.Text("checks", "basic")
	if level == "none" {
		return
	}
	for i, n := range numbers {
		if n != i+1 {
			fault("step_numbers", "the step behind step %d is called step %d", i, n)
			break
		}
	}
	seen := map[string]int{}
	for i, s := range steps {
		key := metrics.Normalize(s.text)
		if first, ok := seen[key]; ok {
			fault("repeated_step", "step %d says what step %d says", i+1, first)
			continue
		}
		seen[key] = i + 1
	}
	if level == "strict" {
		strictly(steps, asked, fault)
	}
}

// strictly checks that steps say something, stand on earlier ones, and lead to the
// answer.
func strictly(steps []thought, asked *value.Object, fault func(kind, format string, args ...any)) {
	const least = 10 // characters
	var all strings.Builder
	for i, s := range steps {
		all.WriteString(s.text + " ")
		if n := len([]rune(s.text)); n < least {
			fault("empty_step", "step %d says nothing: %q", i+1, s.text)
		}
		for _, m := range stepRef().FindAllStringSubmatch(s.text, -1) {
			if n, err := strconv.Atoi(m[1]); err == nil && n > i {
				fault("later_step", "step %d stands on step %d, which does not come before it", i+1, n)
			}
		}
	}
	names := asked.Names()
	last, _ := asked.Get(names[len(names)-1])
	answer := ""
	switch v := last.(type) {
	case string:
		answer = v
	case int, float64:
		answer = strings.TrimSuffix(string(value.EncodeJSON(v)), ".0")
	}
	const short = 80
	want := metrics.Normalize(answer)
	if want != "" && len(want) <= short && !strings.Contains(" "+metrics.Normalize(all.String())+" ", want) {
		fault("unsupported_answer", "the answer %q occurs in none of the steps: they must lead to it", answer)
	}
}

func stepsWord(n int) string {
	if n == 1 {
		return "there is 1 step"
	}
	return fmt.Sprintf("there are %d steps", n)
}

func number0(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
