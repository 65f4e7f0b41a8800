package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/spf13/cobra"
)

// sessionCommand is a line that begins with a colon.
type sessionCommand struct {
	name, takes, doc string
	do               func(r *repl, ctx context.Context, rest string) error
}

// sessionCommands returns the commands in the order of :help.
func sessionCommands() []sessionCommand {
	return []sessionCommand{
		{"load", "[FILE]", "take the programs of a file; without FILE the same one again", (*repl).loadFile},
		{"programs", "", "list the programs", (*repl).programs},
		{"run", "[PROGRAM] [name=value …]", "run a program; inputs that lack are asked for", (*repl).runLine},
		{"model", "[MODEL | none]", "the model that answers every step", (*repl).setModel},
		{"var", "[NAME[=VALUE]]", "list variables, or set one; a secret is asked for unseen", (*repl).setVariable},
		{"plan", "[PROGRAM]", "show what a run would do", (*repl).planLine},
		{"render", "[PROGRAM] [STEP] name=value …", "show the messages a step would send", (*repl).renderLine},
		{"type", "NAME", "show what a type, program, output or expression is", func(r *repl, _ context.Context, rest string) error { return r.describe(rest) }},
		{"help", "", "show this", (*repl).help},
		{"quit", "", "leave, as Ctrl-D does", func(r *repl, _ context.Context, _ string) error { r.quitting = true; return nil }},
	}
}

func isCommand(name string) bool {
	return slices.ContainsFunc(sessionCommands(), func(c sessionCommand) bool { return c.name == name })
}

func (r *repl) command(ctx context.Context, name, rest string) error {
	if name == "exit" || name == "q" {
		name = "quit"
	}
	var names, lines []string
	for _, c := range sessionCommands() {
		if c.name == name {
			return c.do(r, ctx, rest)
		}
		names = append(names, ":"+c.name)
		lines = append(lines, "    :"+c.name)
	}
	return wrong("there is no command :%s", name).near(":"+name, names).say("The commands are:\n\n%s", strings.Join(lines, "\n")).hint("what each does: :help")
}

func (r *repl) help(context.Context, string) error {
	w := r.a.out
	fmt.Fprint(w, `question -> answer    a signature: its inputs are asked for, and it runs
len(answer) < 80      an expression over the last run's outputs and inputs

`)
	for _, c := range sessionCommands() {
		fmt.Fprintf(w, "%-36s  %s\n", strings.TrimSpace(":"+c.name+" "+c.takes), c.doc)
	}
	fmt.Fprint(w, `
A value is text, "text" or JSON; @FILE stands for a file's text. A line goes on
while brackets are open; an empty line ends it. Ctrl-C cancels, Ctrl-D leaves.
`)
	return nil
}

func (r *repl) loadFile(_ context.Context, rest string) error {
	path := rest
	if n := quoted(rest); n > 1 && n == len(rest) {
		path = rest[1 : n-1]
	}
	if path == "" {
		path = r.file
	}
	if path == "" {
		return wrong(":load needs a file").hint(":load FILE")
	}
	if err := r.load(path); err != nil {
		return err
	}
	return r.programs(nil, "")
}

func (r *repl) programs(context.Context, string) error {
	if err := r.fresh(); err != nil {
		return err
	}
	width := 0
	for _, p := range r.project.Programs {
		width = max(width, len([]rune(p.Name)))
	}
	for _, p := range r.project.Programs {
		fmt.Fprintf(r.a.out, "%-*s  %s\n", width, p.Name, p.Signature)
	}
	if len(r.project.Programs) == 0 {
		r.a.note("%s declares no program", r.project.Root.Name)
	}
	return nil
}

// sessionWords parts the arguments of a command that takes programs and inputs.
func sessionWords(name, rest string, most int) (*target, error) {
	list, err := splitWords(rest)
	if err != nil {
		return nil, err
	}
	for _, w := range list {
		if strings.HasPrefix(w, "-") && !strings.Contains(w, "=") || strings.HasPrefix(w, "--") {
			return nil, wrong(":%s takes no flag %s", name, strings.SplitN(w, "=", 2)[0]).hint("the model: :model MODEL").hint("a variable: :var NAME=VALUE")
		}
	}
	return parseTarget(name, append([]string{"session"}, list...), "", most)
}

func (r *repl) runLine(ctx context.Context, rest string) error {
	t, err := sessionWords("run", rest, 1)
	if err != nil {
		return err
	}
	if err := r.fresh(); err != nil {
		return err
	}
	return r.run(ctx, t.word(0), t.pairs)
}

func (r *repl) planLine(ctx context.Context, rest string) error {
	t, err := sessionWords("plan", rest, 1)
	if err != nil {
		return err
	}
	return r.through(ctx, planCommand(r.a), t, true)
}

func (r *repl) renderLine(ctx context.Context, rest string) error {
	t, err := sessionWords("render", rest, 2)
	if err != nil {
		return err
	}
	return r.through(ctx, renderCommand(r.a), t, false)
}

// through answers as a command of dspi does, with the settings of the session.
func (r *repl) through(ctx context.Context, cmd *cobra.Command, t *target, model bool) error {
	if r.project == nil {
		return r.fresh()
	}
	var args []string
	if model && r.model != "" {
		args = append(args, "--model="+r.model)
	}
	for _, v := range r.vars {
		args = append(args, "--var="+v)
	}
	for _, f := range r.files {
		args = append(args, "--vars="+f)
	}
	if r.signature != "" {
		if len(t.words) > 0 {
			return wrong("the signature has no name").say("It is all there is: `%s`.", r.signature)
		}
		args = append(args, "--signature="+r.signature, "--")
	} else {
		args = append(append(args, "--", r.file), t.words...)
		if len(t.words) == 0 && r.name != "" {
			args = append(args, r.name)
		}
	}
	for _, p := range t.pairs {
		args = append(args, p.name+"="+p.text)
	}
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetFlagErrorFunc(flagError)
	cmd.SetOut(r.a.out)
	cmd.SetErr(r.a.err)
	cmd.SetArgs(args)
	return cmd.ExecuteContext(ctx)
}

func (r *repl) setModel(_ context.Context, rest string) error {
	switch {
	case rest == "" && r.model == "":
		fmt.Fprintln(r.a.out, "what the program says; :plan shows it")
		return nil
	case rest == "":
		fmt.Fprintln(r.a.out, r.model)
		return nil
	case rest == "none":
		r.model = ""
		return nil
	}
	// The model must be one: declared in the file, or provider/name.
	project := r.project
	if project == nil || len(project.Programs) == 0 {
		project, _ = dspi.Check(dspi.Signature("question -> answer"))
	}
	trial := r.settings
	trial.model = rest
	opt, err := r.a.planOptions(project, trial)
	if err != nil {
		return err
	}
	opt.Program = project.Programs[0].Name
	_, diags, err := dspi.Sketch(project, opt)
	if err != nil {
		return err
	}
	for _, d := range diags {
		if d.Code == "E0616" {
			d.Detail = strings.Replace(d.Detail, "from --model", "from :model", 1)
			return d
		}
	}
	r.model = rest
	return nil
}

func (r *repl) setVariable(_ context.Context, rest string) error {
	if err := r.fresh(); err != nil {
		return err
	}
	name, text, given := strings.Cut(rest, "=")
	name = strings.TrimPrefix(strings.TrimSpace(name), "var.")
	if name == "" {
		return r.variables()
	}
	v, known := r.project.Variable(name)
	if !given && known {
		var err error
		ask := r.in.line
		if secret(v) {
			ask = r.unseen
		}
		if text, err = ask("  "+name+" ("+v.Type.String()+"): ", nil); errors.Is(err, errInterrupted) || errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	text = strings.TrimSpace(text)
	if n := quoted(text); given && n > 0 && n == len(text) {
		text, _, _ = oneWord(text)
	}
	if _, err := dspi.Variable(r.project, name, dspi.Text(text)); err != nil {
		return err
	}
	r.vars = append(r.vars, name+"="+text)
	return nil
}

// variables lists the variables with their values, secrets masked.
func (r *repl) variables() error {
	given, err := r.a.variables(r.project, r.settings)
	if err != nil {
		return err
	}
	for _, v := range r.project.Variables {
		shown := "(no value)"
		if g := given[v.Name]; len(g) > 0 {
			shown = "= " + dspi.Shown(v, g[0].Value) + "  from " + g[0].Source
		}
		fmt.Fprintf(r.a.out, "%s: %s %s\n", v.Name, v.Type, shown)
	}
	if len(r.project.Variables) == 0 {
		r.a.note("the program declares no variables")
	}
	return nil
}

// secret reports whether a variable's value is one.
func secret(v *program.Variable) bool { return v.Sensitive || types.Sensitive(v.Type) }

// kept returns what the history keeps of a line. Of `:var NAME=VALUE` it keeps
// the value only where it is known to be no secret, and of a run no values where
// a program takes a secret.
func (r *repl) kept(text string) string {
	name, rest, ok := commandOf(text)
	if !ok {
		return text
	}
	key, _, given := strings.Cut(rest, "=")
	if !given {
		return text
	}
	key = strings.TrimSpace(key)
	if !strings.HasPrefix(name, "var") {
		if !r.takesSecret() {
			return text
		}
		words := strings.Fields(key)
		return strings.Join(append([]string{":" + name}, words[:max(0, len(words)-1)]...), " ")
	}
	if r.project != nil && name == "var" {
		if v, ok := r.project.Variable(strings.TrimPrefix(key, "var.")); ok && !secret(v) {
			return text
		}
	}
	return ":var " + key
}

// takesSecret reports whether an input of a program, or of a step, is a secret.
func (r *repl) takesSecret() bool {
	if r.project == nil {
		return false
	}
	secret := func(f types.Field) bool { return types.Sensitive(f.Type) }
	return slices.ContainsFunc(r.project.Programs, func(p *program.Program) bool {
		return slices.ContainsFunc(p.Signature.Inputs, secret) || slices.ContainsFunc(p.Steps, func(s *program.Step) bool {
			return s.Signature != nil && slices.ContainsFunc(s.Signature.Inputs, secret)
		})
	})
}
