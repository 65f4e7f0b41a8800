package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/value"
)

// view writes a run for people. What others wrote is shown without control
// characters on a terminal, and cut to its width unless all of it is asked for.
type view struct {
	b     strings.Builder
	tty   bool
	width int
}

// usualWidth is that of lines where standard output is no terminal.
const usualWidth = 100

func viewOf(a *app) *view {
	v := &view{tty: a.terminal(a.outFile), width: a.width(a.outFile)}
	if v.width <= 20 {
		v.width = usualWidth
	}
	return v
}

func (v *view) line(indent int, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if v.tty {
		text = harmless(text)
	}
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		v.b.WriteString(strings.TrimRight(strings.Repeat(" ", indent)+line, " \n") + "\n")
	}
}

// block writes a text in full, each line indented.
func (v *view) block(indent int, text string) {
	if strings.TrimSpace(text) == "" {
		v.line(indent, "(empty)")
		return
	}
	v.line(indent, "%s", text)
}

// run writes a run.
func (v *view) run(w *hist.Whole, messages bool) {
	took := ""
	if w.Ended != nil {
		took = ", " + duration(w.Duration())
	}
	v.line(0, "run %s  %s  %s", w.ID, strings.TrimPrefix(w.Program, "program."), w.Status)
	what := w.Started.Local().Format("2006-01-02 15:04:05") + took + ", dspi " + w.Version
	if w.File != "" {
		what = w.File + ", " + what
	}
	v.line(0, "%s", what)
	v.line(0, "%s", usageText(w.Usage))
	if w.Origin != nil && len(w.Origin.Variables) > 0 {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(w.Origin.Variables)) {
			parts = append(parts, name+" = "+string(w.Origin.Variables[name]))
		}
		v.line(0, "%s", strings.Join(parts, ", "))
	}
	v.fields("inputs", w.Inputs)
	if tree := w.Tree(); len(tree) > 0 {
		v.line(0, "\nsteps")
		for i := range tree {
			v.step(w, &tree[i], messages)
		}
	}
	v.fields("outputs", w.Outputs)
	if w.Error != nil {
		v.line(0, "\n%s", failureTitle(w.Error))
		v.line(2, "%s", w.Error.Text)
	}
	if w.Status == hist.Unended {
		v.line(0, "\nThe process of this run went away before it ended. What is shown was kept until then.")
	}
}

// usageText is what a run used, as `dspi run` says it.
func usageText(u hist.Usage) string {
	s := plural(u.Calls, "call")
	if u.Calls > 0 {
		about := ""
		if u.Estimated {
			about = "about "
		}
		s += fmt.Sprintf(", %s%s in, %d out, %s", about, plural(u.InputTokens, "token"), u.OutputTokens, dollars(u.USD))
	}
	if u.Cached > 0 {
		s += fmt.Sprintf(", %d more from the cache", u.Cached)
	}
	return s
}

func failureTitle(f *hist.Failure) string {
	switch {
	case f.Code != "" && f.Title != "":
		return "error[" + f.Code + "]: " + f.Title
	case f.Code != "":
		return "error: " + f.Code
	}
	return "error"
}

// fields writes an object of inputs or outputs, a line for each name.
func (v *view) fields(title string, raw json.RawMessage) {
	x, err := value.DecodeJSON(raw)
	if err != nil || x == nil {
		return
	}
	v.line(0, "\n%s", title)
	o, ok := x.(*value.Object)
	if !ok {
		v.line(2, "%s", v.short(shown(x), 2))
		return
	}
	for name, y := range o.All() {
		v.line(2, "%s", v.short(name+": "+oneLine(y), 2))
	}
}

// oneLine is a value on one line.
func oneLine(x any) string {
	if s, ok := x.(string); ok {
		return strings.Join(strings.Fields(s), " ")
	}
	return string(value.EncodeJSON(x))
}

// short cuts a line to the width.
func (v *view) short(line string, indent int) string {
	r := []rune(line)
	if most := v.width - indent; len(r) > most {
		return string(r[:max(most-2, 1)]) + " …"
	}
	return line
}

// step writes a step and its calls.
func (v *view) step(w *hist.Whole, n *hist.Node, messages bool) {
	name := strings.TrimPrefix(n.Address, "program.")
	if n.Element != nil {
		name += fmt.Sprintf("[%d]", *n.Element)
	}
	line := fmt.Sprintf("%8s  %s  %s", since(w, n.Started), name, duration(n.Duration))
	if n.Status != hist.OK {
		line += "  " + string(n.Status)
	}
	v.line(0, "%s", line)
	for _, m := range n.Made() {
		if m.Tool != nil {
			v.tool(m.Tool, messages)
		} else {
			v.call(m.Call, messages)
		}
	}
	for _, x := range n.Asserted {
		v.line(10, "%s", v.short(assertedText(x), 10))
	}
	if n.Error != nil && (w.Error == nil || n.Error.Text != w.Error.Text) {
		v.line(10, "%s", v.short(failureTitle(n.Error)+": "+oneLine(n.Error.Text), 10))
	}
}

// tool writes a call of a tool; in full with what it took and gave.
func (v *view) tool(t *hist.ToolCall, whole bool) {
	const indent = 10
	what := compactJSON(t.Outputs)
	if t.Error != nil {
		what = "failed: " + t.Error.Text
	}
	line := fmt.Sprintf("call %d  %s %s, %s", t.Number, t.Tool, compactJSON(t.Inputs), duration(t.Duration))
	if whole {
		v.line(indent, "%s", line)
		for _, x := range value.RepairLines(t.Repairs) {
			v.line(indent+2, "repaired: %s", x)
		}
		v.line(indent+2, "%s", what)
		return
	}
	v.line(indent, "%s", v.short(line, indent))
	v.line(indent+2, "%s", v.short(oneLine(what), indent+2))
}

// assertedText says what did not hold, and what came of it.
func assertedText(x hist.Asserted) string {
	word, then := "assert", "asked again"
	if x.Suggest {
		word = "suggest"
	}
	switch {
	case x.Final && x.Suggest:
		then = "kept all the same"
	case x.Final:
		then = "given up"
	}
	return fmt.Sprintf("%s %s does not hold, %s: %s", word, x.Name, then, oneLine(x.Message))
}

// since is how long after the run's start something began.
func since(w *hist.Whole, t time.Time) string { return duration(max(0, t.Sub(w.Started))) }

// call writes a call; in full with what was sent and answered.
func (v *view) call(c *hist.Call, whole bool) {
	const indent = 10
	line := fmt.Sprintf("call %d  %s", c.Number, c.Model)
	if p := c.Reply; p != nil {
		if p.Answered != "" && p.Answered != c.Model {
			line += " answered by " + p.Answered
		}
		about := ""
		if p.Usage.Estimated {
			about = "about "
		}
		line += fmt.Sprintf("  %s%s in, %d out, %s", about, plural(p.Usage.InputTokens, "token"), p.Usage.OutputTokens, dollars(p.Cost))
		if p.Cached {
			line += ", from the cache"
		}
		if p.Journaled {
			line += ", from the journal"
		}
		if p.Finish != lm.FinishStop && p.Finish != "" {
			line += ", ended by " + string(p.Finish)
		}
	}
	v.line(indent, "%s, %s", line, duration(c.Duration))
	note := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if !whole {
			text = v.short(oneLine(text), indent+2)
		}
		v.line(indent+2, "%s", text)
	}
	for _, x := range c.Choices {
		note("%s", x)
	}
	for _, x := range c.Attempts {
		note("attempt %d failed: %s; again after %s", x.Number, x.Error.Text, duration(x.Wait))
	}
	for _, x := range value.RepairLines(c.Repairs) {
		note("repaired: %s", x)
	}
	for _, x := range c.Misfit {
		note("did not fit: %s", x.String())
	}
	if c.Error != nil {
		note("failed: %s", c.Error.Text)
	}
	if whole {
		v.exchange(c)
	}
}

// exchange writes what was sent and answered.
func (v *view) exchange(c *hist.Call) {
	const indent = 12
	for _, m := range c.Request.Messages {
		v.line(indent, "\n%s", m.Role)
		v.block(indent+2, m.Text())
		v.toolCalls(indent+2, m.ToolCalls)
	}
	if text := compactJSON(c.Request.Params); text != "{}" {
		v.line(indent, "\nparameters  %s", text)
	}
	for _, t := range c.Request.Tools {
		v.line(indent, "\ntool %s  %s", t.Name, compactJSON(t))
	}
	if c.Request.Format != nil {
		v.line(indent, "\nform of the reply  %s", compactJSON(c.Request.Format))
	}
	if p := c.Reply; p != nil {
		if p.Reasoning != "" {
			v.line(indent, "\nreasoning")
			v.block(indent+2, p.Reasoning)
		}
		v.line(indent, "\nreply")
		v.block(indent+2, p.Text)
		v.toolCalls(indent+2, p.ToolCalls)
		for _, x := range p.Also {
			v.line(indent, "also paid: %s, %s in, %d out, %s", x.Address, plural(x.Usage.InputTokens, "token"), x.Usage.OutputTokens, dollars(x.Cost))
		}
	}
	v.b.WriteString("\n")
}

func (v *view) toolCalls(indent int, calls []lm.ToolCall) {
	for _, t := range calls {
		v.line(indent, "calls %s  %s", t.Name, compactJSON(t.Arguments))
	}
}

func compactJSON(x any) string {
	text, err := jsonLine(x)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text))
}
