package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/spf13/cobra"
)

// repl is a session of `dspi repl`. It knows nothing of terminals: lines come
// from a lineReader (repl_read.go). A line is a command (repl_command.go), a
// signature, or an expression (repl_value.go).
type repl struct {
	a  *app
	in lineReader

	settings
	file      string           // loaded last; "" for none
	signature string           // set since then; "" for none
	project   *program.Project // of the file or signature; nil for none
	name      string           // the program that was named last; "" for none

	inputs, outputs *value.Object      // of the last run
	last            *program.Signature // of the program that ran; nil before the first run

	waiting  string         // a line that was read while an input was asked for
	noted    bool           // that the baseline answers was said
	signals  chan os.Signal // Ctrl-C while something runs; nil where the process ends by it
	quitting bool
}

// sessionPrompt stands before a line that is a command, signature or expression.
const sessionPrompt = "dspi> "

// errInterrupted says that Ctrl-C was typed.
var errInterrupted = errors.New("interrupted")

func replCommand(a *app) *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "repl [FILE]",
		Short: "Try signatures and programs",
		Long: `Reads lines and answers them. A signature, such as question -> answer, asks for
its inputs and runs; an expression is evaluated over what the last run gave; the
programs of a file are run with :run. :help lists the commands.

A line goes on while brackets are open. Ctrl-C cancels what is running, Ctrl-D
leaves, Tab completes. Lines are kept in the history of the user's state folder,
but no secrets. Where standard input is no terminal, lines are read as they are,
and the exit status is 1 if one of them failed.`,
		Example: `  dspi repl
  dspi repl rag.dsp --model openai/gpt-4o-mini
  echo ':run question="2 + 2?"' | dspi repl hello.dsp`,
		Args: arguments(0, 1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := &repl{a: a, settings: s}
			if len(args) > 0 {
				if err := r.load(args[0]); err != nil {
					return err
				}
			}
			return r.session(cmd.Context())
		},
	}
	s.flags(cmd, true)
	completeRun(a, cmd, new(string))
	completeFiles(cmd)
	return cmd
}

// session reads lines until there are no more.
func (r *repl) session(ctx context.Context) error {
	in, ok := r.a.in.(*os.File)
	if ok && r.a.terminal(in) && r.a.terminal(r.a.outFile) {
		return r.interactive(ctx)
	}
	r.a.stdinTaken = "the session"
	r.in = newPlainLines(ctx, r.a.in)
	failed := false
	for !r.quitting {
		text, err := r.next("")
		switch {
		case errors.Is(err, io.EOF):
			r.quitting = true
		case err != nil:
			return err
		default:
			if err := r.do(ctx, text); err != nil {
				failed = true
				r.a.report(err)
			}
		}
		if ctx.Err() != nil {
			return &exit{code: exitInterrupted}
		}
	}
	if failed {
		return &exit{code: exitFailed}
	}
	return nil
}

// interactive is a session on a terminal.
func (r *repl) interactive(ctx context.Context) error {
	history, err := openHistory(stateFile(r.a.getenv, "history"))
	if err != nil {
		r.a.note("the history is not kept: %v", err)
	}
	// Ctrl-C cancels what is running, not the session.
	signal.Reset(os.Interrupt)
	r.signals = make(chan os.Signal, 1)
	signal.Notify(r.signals, os.Interrupt)
	defer signal.Stop(r.signals)
	lines, err := newTerminalLines(r.a, history, r.complete)
	if err != nil {
		return wrong("the terminal cannot be read").say("%v", err)
	}
	defer lines.close()
	r.in = lines
	fmt.Fprintf(r.a.out, "dspi %s. A signature such as `question -> answer` asks for its inputs; :help lists more.\n", moduleVersion())
	for !r.quitting && ctx.Err() == nil {
		text, err := r.next(sessionPrompt)
		switch {
		case errors.Is(err, errInterrupted):
		case errors.Is(err, io.EOF):
			r.quitting = true
		case err != nil:
			return wrong("the terminal cannot be read").say("%v", err)
		default:
			for line := range strings.Lines(r.kept(text)) {
				if err := history.add(line); err != nil {
					r.a.note("the history is not kept: %v", err)
				}
				lines.remember(historyLine(line))
			}
			if err := r.do(ctx, text); err != nil {
				r.a.report(err)
			}
		}
	}
	return nil
}

// next returns the next line, several while brackets are open.
func (r *repl) next(prompt string) (string, error) {
	if text := r.waiting; text != "" {
		r.waiting = ""
		return text, nil
	}
	text, err := r.in.line(prompt, goesOn)
	return strings.TrimSpace(text), err
}

// do answers one line.
func (r *repl) do(ctx context.Context, text string) error {
	ctx, done := r.cancellable(ctx)
	defer done()
	if name, rest, ok := commandOf(text); ok {
		return r.command(ctx, name, rest)
	}
	switch {
	case text == "":
		return nil
	case hasArrow(text):
		return r.sign(ctx, text)
	case r.plainWord(text):
		return r.command(ctx, text, "")
	case declares(text):
		return wrong("a declaration stands in a file").say("Here stand signatures, expressions and commands.").
			hint("write it into a file, then: :load FILE").hint("a signature alone: question: string -> answer: string")
	}
	return r.evaluate(ctx, text)
}

// plainWord reports whether a word without a colon is meant as a command.
func (r *repl) plainWord(text string) bool {
	if text != "quit" && text != "exit" && text != "help" {
		return false
	}
	_, ok := r.lookup(text)
	return !ok
}

// cancellable returns a context that Ctrl-C cancels. A second Ctrl-C ends the
// process, for what does not listen.
func (r *repl) cancellable(ctx context.Context) (context.Context, func()) {
	if r.signals == nil {
		return ctx, func() {}
	}
	select {
	case <-r.signals: // one that came while nothing ran
	default:
	}
	ctx, cancel := context.WithCancel(ctx)
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		select {
		case <-r.signals:
			signal.Reset(os.Interrupt)
			cancel()
		case <-quit:
		}
	}()
	return ctx, func() {
		close(quit)
		<-gone
		cancel()
		signal.Notify(r.signals, os.Interrupt)
	}
}

// sign takes a signature, asks for its inputs and runs it.
func (r *repl) sign(ctx context.Context, text string) error {
	project, err := r.a.load("", text)
	if err != nil {
		return err
	}
	r.signature, r.project, r.name = text, project, ""
	return r.run(ctx, "", nil)
}

// load takes the programs of a file.
func (r *repl) load(path string) error {
	project, err := r.a.load(path, "")
	if err != nil {
		return err
	}
	r.signature, r.file, r.project, r.name = "", path, project, ""
	return nil
}

// fresh reads the file again, so that what was edited meanwhile counts.
func (r *repl) fresh() error {
	switch {
	case r.signature == "" && r.file != "":
		project, err := r.a.load(r.file, "")
		if err != nil {
			return err
		}
		r.project = project
	case r.project == nil:
		return wrong("there is no program yet").hint("a signature: question -> answer").hint("the programs of a file: :load FILE")
	}
	return nil
}

// choose returns the program of a name; "" is the one that was named last, or
// the main one.
func (r *repl) choose(name string) (*program.Program, error) {
	if name == "" {
		name = r.name
	}
	prog, err := dspi.Choose(r.project, name)
	for _, d := range listOf(err) {
		if d.Code == "E0612" {
			d.Help = nil
			d.Hint("name one: :run %s", r.project.Programs[0].Name)
		}
	}
	if err == nil && name != "" {
		r.name = name
	}
	return prog, err
}

// run runs a program. It asks for its inputs: for all when none is given, else
// for those that must have a value.
func (r *repl) run(ctx context.Context, name string, pairs []pair) error {
	prog, err := r.choose(name)
	if err != nil {
		return err
	}
	p, err := r.a.plan(r.project, prog.Name, r.settings)
	if err != nil {
		return err
	}
	if err := interpreter.Refused(p); err != nil {
		return err
	}
	inputs, err := r.a.inputs(prog.Signature, pairs, "")
	if err != nil {
		return err
	}
	for name := range inputs {
		if _, ok := prog.Signature.Input(name); !ok {
			return dspi.UnknownInput(prog, name)
		}
	}
	if err := r.ask(prog, inputs); err != nil {
		if errors.Is(err, errInterrupted) {
			return nil
		}
		return err
	}
	checked, err := dspi.CheckInputs(prog, inputs)
	if err != nil {
		return err
	}
	if !r.noted && usesFallback(p) {
		r.noted = true
		r.a.noteBaseline(p)
	}
	w := newWatch(p)
	var display display
	people := r.a.approver(answerFlags{noInput: r.signals == nil}, display.hold)
	people.line = func(prompt string) (string, error) { return r.in.line(prompt, nil) }
	runtime := dspi.NewRuntime(dspi.Options{Trace: w.see, Indexing: r.a.indexing(), Approve: people.ask})
	defer runtime.Close()
	display.show(func() func() { return w.show(r.a) })
	res, err := runtime.Run(ctx, p, objectMap(checked))
	display.stop()
	if err != nil {
		if ctx.Err() != nil {
			fmt.Fprintf(r.a.err, "interrupted: %s; %s\n", w.done(), usageLine(res.Usage, res.Duration))
			return &exit{code: exitInterrupted}
		}
		return err
	}
	r.inputs, r.outputs, r.last = checked, res.Outputs, prog.Signature
	r.a.printOutputs(res.Outputs)
	fmt.Fprintln(r.a.err, usageLine(res.Usage, res.Duration))
	return nil
}

// unseen reads a secret.
func (r *repl) unseen(prompt string, _ func(string) bool) (string, error) { return r.in.secret(prompt) }

// ask asks for the inputs that are not given, and puts them to the others. A
// command in place of a value is obeyed instead.
func (r *repl) ask(prog *program.Program, inputs map[string]any) error {
	some := len(inputs) > 0
	for _, f := range prog.Signature.Inputs {
		if _, given := inputs[f.Name]; given || some && mayLack(f) {
			continue
		}
		one := &program.Program{Name: prog.Name, Place: prog.Place, Signature: &program.Signature{Inputs: prog.Signature.Inputs[:0:0]}}
		one.Signature.Inputs = append(one.Signature.Inputs, f)
		for {
			open := goesOn
			if isText(f.Type) {
				open = nil
			}
			read := r.in.line
			if types.Sensitive(f.Type) {
				read = r.unseen
			}
			text, err := read(askFor(f), open)
			if errors.Is(err, io.EOF) {
				if r.signals != nil {
					return errInterrupted // Ctrl-D leaves the question, not the session
				}
				return diag.New("E0608", source.Place{}, "`"+prog.Name+"` needs `"+f.Name+"`").
					Say("The lines ended before `%s` had a value.", f.Name).Hint("the next line after a signature is its first input, and so on; or give them by name: :run %s=…", f.Name)
			}
			if err != nil {
				return err
			}
			if name, _, ok := commandOf(text); ok && isCommand(name) {
				r.waiting = text
				return errInterrupted
			}
			if text == "" && mayLack(f) {
				break
			}
			var v any = dspi.Text(text)
			if strings.HasPrefix(text, "@") {
				v, err = r.a.pairText(prog.Signature, pair{f.Name, text})
			}
			if err == nil {
				_, err = dspi.CheckInputs(one, map[string]any{f.Name: v})
			}
			if err == nil {
				inputs[f.Name] = v
				break
			}
			if r.signals == nil {
				return err
			}
			r.a.report(err)
		}
	}
	return nil
}
