package interpreter

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/sandbox"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Here every failure of a run gets its words: a diagnostic with the place in the
// program, what happened, and what can be done.

// callFault words the failure of a step's module.
func callFault(op *plan.Op, err error) error {
	if isPaused(err) {
		return err
	}
	var all *module.AttemptsError
	if errors.As(err, &all) && all.Attempts > 1 {
		last := callFault(op, all.Err)
		var d *diag.Diagnostic
		if errors.As(last, &d) {
			more := *d
			more.Related = slices.Clone(d.Related)
			return more.Relate(op.Step.Place, "all %d attempts failed; this is the last", all.Attempts)
		}
		return last
	}
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return d
	}
	var explained module.Explained
	if errors.As(err, &explained) {
		return diag.New("E0636", op.Step.Place, "`"+op.Name+"` has no answer").Say("%s.", upper(strings.TrimSuffix(err.Error(), "."))).Hint("%s", explained.Advice())
	}
	var unconfined *sandbox.UnavailableError
	if errors.As(err, &unconfined) {
		return sandboxFault(op, unconfined)
	}
	var misfit *module.MisfitError
	if errors.As(err, &misfit) {
		return misfitFault(op, misfit)
	}
	if retrieve.AsError(err) != nil {
		return retrieverFault(op, err)
	}
	return modelFault(op, err)
}

// sandboxFault says why code cannot be run here.
func sandboxFault(op *plan.Op, e *sandbox.UnavailableError) *diag.Diagnostic {
	var b strings.Builder
	for _, r := range e.Reasons {
		fmt.Fprintf(&b, "    %-10s  %s\n", r.Way, r.Why)
	}
	d := diag.New("E0637", op.Step.Place, "`"+op.Name+"` runs Python that a model writes").
		Say("Nothing on this machine can confine it:\n\n%s", b.String()).
		Hint("install bubblewrap; on Debian and Ubuntu: apt-get install bubblewrap")
	if op.Module != "dspy" {
		d.Hint("or let the model write Starlark, which runs in dspi itself: language = \"starlark\"")
	}
	return d.Hint("to run it with your own rights, where it may do anything: sandbox = \"none\"")
}

// misfitFault shows the reply itself: the primary place is in its text.
func misfitFault(op *plan.Op, e *module.MisfitError) *diag.Diagnostic {
	n := len(e.Misfits)
	last := e.Misfits[n-1]
	text := last.Reply
	label := "this does not fit the signature"
	name := fmt.Sprintf("reply %d of %d from %s", n, n, e.Model)
	if strings.TrimSpace(text) == "" {
		text, label = "\n", "the reply is empty"
	}
	file := source.NewFile(name, text)
	d := diag.New("E0601", file.Place(replySpan(text, last.Faults)), label)
	for i, m := range e.Misfits[:n-1] {
		if strings.TrimSpace(m.Reply) == "" {
			continue
		}
		earlier := source.NewFile(fmt.Sprintf("reply %d of %d from %s", i+1, n, e.Model), m.Reply)
		d.Relate(earlier.Place(replySpan(m.Reply, m.Faults)), "%s", m.Faults[0].String())
	}
	d.Relate(op.Step.Place, "asked by %s", op.Address)
	var b strings.Builder
	if n > 1 {
		fmt.Fprintf(&b, "The model was asked %d times, each time with what was wrong before. The last reply:\n\n", n)
	}
	for _, f := range last.Faults {
		b.WriteString("    " + f.String() + "\n")
	}
	b.WriteString("\nThe signature asks for:\n\n")
	for _, f := range op.Step.Signature.Outputs {
		fmt.Fprintf(&b, "    %s: %s\n", f.Name, f.Type)
	}
	d.Say("%s", b.String())
	if e.Finish == lm.FinishLength {
		d.Hint("the reply was cut off at its length limit: raise max_tokens")
	}
	return d.Hint("see what was sent: dspi render FILE %s %s", programOf(op), op.Name)
}

// replySpan is the part of a reply that a label points at: the first fault's
// input where it can be found, else the first line that says anything.
func replySpan(text string, faults []value.Fault) source.Span {
	for _, f := range faults {
		s, ok := f.Input.(string)
		if !ok || strings.TrimSpace(s) == "" {
			continue
		}
		if line, _, _ := strings.Cut(strings.TrimSpace(s), "\n"); line != "" {
			if i := strings.Index(text, line); i >= 0 {
				return source.Span{Start: int32(i), End: int32(i + len(line))}
			}
		}
	}
	start := 0
	for _, line := range strings.SplitAfter(text, "\n") {
		if t := strings.TrimRight(line, "\r\n"); strings.TrimSpace(t) != "" {
			return source.Span{Start: int32(start), End: int32(start + len(t))}
		}
		start += len(line)
	}
	return source.Span{Start: 0, End: int32(min(1, len(text)))}
}

func programOf(op *plan.Op) string {
	parts := strings.Split(op.Address, ".")
	return strings.Join(parts[1:len(parts)-1], ".")
}

// modelFault words the failure of a call.
func modelFault(op *plan.Op, err error) error {
	at := op.Step.Place
	if op.Step.Settings.Model.Place.File != nil {
		at = op.Step.Settings.Model.Place
	}
	e := lm.AsError(err)
	if e == nil {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return interrupted(op.Address, err)
		}
		return diag.New("E0606", at, "`"+op.Name+"` cannot be answered").Say("%s", err.Error())
	}
	said := e.Message
	if said == "" && e.Err != nil {
		said = e.Err.Error()
	}
	var facts strings.Builder
	fmt.Fprintf(&facts, "    step      %s\n    model     %s\n", op.Address, e.Model)
	if e.Endpoint != "" {
		fmt.Fprintf(&facts, "    endpoint  %s\n", e.Endpoint)
	}
	if e.Status != 0 {
		fmt.Fprintf(&facts, "    status    HTTP %d\n", e.Status)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&facts, "    attempts  %d in %s\n", e.Attempts, e.Elapsed.Round(1e6))
	}
	for i, reason := range e.Reasons {
		word := "members"
		if i > 0 {
			word = ""
		}
		fmt.Fprintf(&facts, "    %-8s  %s\n", word, reason)
	}
	if said != "" && e.Reasons == nil {
		fmt.Fprintf(&facts, "    said      %s\n", said)
	}
	make := func(code diag.Code, label string) *diag.Diagnostic {
		return diag.New(code, at, label).Say("%s", facts.String())
	}
	name := e.Model
	switch e.Kind {
	case lm.KindNoKey:
		return make("E0607", name+" needs a key").
			Hint("set the key in the environment, or `api_key` in the model's block").
			Hint("to try the program without a key: --model builtin/incontext")
	case lm.KindAuth:
		return make("E0602", name+" refused the key").Hint("check the key: is it of this provider, is it still valid, may it use this model?")
	case lm.KindRateLimit:
		return make("E0603", name+" takes no more calls at the moment").
			Hint("wait, lower `limits { concurrency = … }` of the model, or allow more attempts with `retry { attempts = … }`")
	case lm.KindTimeout:
		return make("E0604", name+" gave no whole reply in time").Hint("allow more time with `timeout` in the model's block, or ask for less with `max_tokens`")
	case lm.KindUnreachable:
		return make("E0605", name+" cannot be reached").Hint("is the server running, is `base_url` right, is there a network?")
	case lm.KindBudget:
		return make("E0623", "the next call would go beyond the budget").
			Hint("allow more with --budget, or send less: fewer rows, shorter prompts, a lower `max_tokens`")
	case lm.KindOpen:
		return make("E0624", name+" is left alone for a while").
			Hint("wait, or say how soon it is left alone and for how long: `breaker { failures = …, cooldown = … }` in the model's block").
			Hint("or let a route answer with another model: route = \"fallback\"")
	case lm.KindNoMember:
		return make("E0626", name+" has no member that answers").
			Hint("only the models in the list ever answer: put right what is said of them, or add another")
	case lm.KindTooLarge:
		return make("E0627", "this call does not fit into a minute of "+name).
			Hint("raise `tokens_per_minute` in `limits`, lower `max_tokens`, or send less")
	case lm.KindRequest:
		return make("E0621", name+" refused the request")
	case lm.KindCanceled:
		return interrupted(op.Address, err)
	}
	return make("E0606", name+" failed")
}

// recovered turns a panic into an error: a fault in dspi, a module or a provider
// ends the run that it happened in and no other.
func recovered(op *plan.Op, err *error) {
	p := recover()
	if p == nil {
		return
	}
	*err = diag.New("E0622", op.Step.At(), "while `"+op.Name+"` was at work").
		Say("Something went wrong that should not have been possible: %v\n\n%s", p, firstFrames(debug.Stack())).
		Hint("please report this with the program that shows it")
}

// firstFrames returns the innermost calls of a stack, indented.
func firstFrames(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	var out []string
	for _, l := range lines {
		if strings.HasPrefix(l, "\t") || !strings.Contains(l, "(") {
			continue
		}
		name, _, _ := strings.Cut(l, "(")
		if strings.HasPrefix(name, "runtime") || strings.HasPrefix(name, "panic") || strings.Contains(name, "interpreter.recovered") {
			continue
		}
		if out = append(out, "    "+name); len(out) == 6 {
			break
		}
	}
	return strings.Join(out, "\n")
}

// isInterrupted reports whether err only says that the run was stopped.
func isInterrupted(err error) bool {
	var d *diag.Diagnostic
	return errors.As(err, &d) && d.Code == "E0617"
}

// worse returns the one of two failures that a run ends with: one that is a reason
// of its own rather than an interruption, and that rather than a call that waits for
// a person.
func worse(first, second error) error {
	rank := func(err error) int {
		switch {
		case err == nil:
			return 0
		case isPaused(err):
			return 1
		case isInterrupted(err):
			return 2
		}
		return 3
	}
	if rank(second) > rank(first) {
		return second
	}
	return first
}

func interrupted(address string, err error) error {
	d := diag.New("E0617", source.Place{}, "")
	if errors.Is(err, context.DeadlineExceeded) {
		return d.Say("The time for the run was up while `%s` was at work.", address)
	}
	return d.Say("The run was stopped while `%s` was at work.", address)
}

func missingModule(op *plan.Op) error {
	return diag.New("E0510", op.Step.Place, "`"+op.Module+"` cannot run here").
		Say("The module `%s` is known but nothing in this program of yours runs it.", op.Module)
}

// valueFault words a computed value that does not fit.
func valueFault(at source.Place, what string, want types.Type, faults []value.Fault) error {
	var b strings.Builder
	fmt.Fprintf(&b, "    needs     %s\n", want)
	for _, f := range faults {
		b.WriteString("    " + f.String() + "\n")
	}
	return diag.New("E0610", at, what+" got a value that does not fit").Say("%s", b.String())
}

// expressionFault words an expression that failed.
func expressionFault(v program.Value, err error) error {
	var e *expr.EvalError
	if !errors.As(err, &e) {
		return diag.New("E0614", v.Place, "this cannot be evaluated").Say("%s", err.Error())
	}
	at := v.Place
	if !e.Place.IsZero() {
		at = e.Place
	}
	switch e.Kind {
	case expr.TooMuch:
		return diag.New("E0615", at, "this takes more than a run allows").Say("%s.", upper(e.Message))
	case expr.Cancelled:
		return interrupted("an expression", e.Err)
	}
	return diag.New("E0614", at, "this cannot be evaluated").Say("%s.", upper(e.Message))
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
