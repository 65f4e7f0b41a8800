package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/spf13/cobra"
)

// answerFlags are the flags that answer what a person is asked.
type answerFlags struct {
	approve, deny []string
	noInput       bool
}

func (f *answerFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.approve, "approve", nil, "with --resume: allow the call of a tool that waits, by its `key`, or all")
	flags.StringSliceVar(&f.deny, "deny", nil, "with --resume: refuse the call of a tool that waits, by its `key`, or all")
	flags.BoolVar(&f.noInput, "no-input", false, "ask nothing: a run that needs a person's leave pauses, with exit status 3")
}

// approver asks whether a tool may be called: the flags first, then whoever sits at
// the terminal. One question is asked at a time.
type approver struct {
	app   *app
	flags answerFlags
	// hold takes what is drawn on the terminal away until the function it returns is
	// called.
	hold func() (release func())
	// line, if set, reads a line of the terminal in place of standard input.
	line func(prompt string) (string, error)

	mu    sync.Mutex
	lines *bufio.Reader // of the terminal
	used  []string      // keys of flags that answered something
}

func (a *app) approver(f answerFlags, hold func() func()) *approver {
	return &approver{app: a, flags: f, hold: hold}
}

// ask is an interpreter.Approver.
func (p *approver) ask(ctx context.Context, x dspi.Approval) (interpreter.Answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range []struct {
		keys   []string
		answer interpreter.Answer
	}{{p.flags.deny, dspi.Denied}, {p.flags.approve, dspi.Allowed}} {
		for _, key := range []string{x.Key, "all"} {
			if slices.Contains(list.keys, key) {
				p.used = append(p.used, key)
				return list.answer, nil
			}
		}
	}
	if p.flags.noInput || p.line == nil && !p.app.asks() {
		return dspi.Unanswered, nil
	}
	if p.hold != nil {
		defer p.hold()()
	}
	return p.question(ctx, x)
}

// asks reports whether a person can be asked: both what is typed and what is shown
// are a terminal's, and nothing else reads it.
func (a *app) asks() bool {
	in, ok := a.in.(*os.File)
	return ok && a.stdinTaken == "" && a.terminal(in) && a.terminal(a.errFile)
}

// question asks on the terminal. Anything but a yes is a no.
func (p *approver) question(ctx context.Context, x dspi.Approval) (interpreter.Answer, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s wants to call the tool %s:\n", x.Path, x.Tool)
	for name, v := range x.Args.All() {
		fmt.Fprintf(&b, "    %s = %s\n", name, value.EncodeJSON(v))
	}
	if p.line != nil {
		io.WriteString(p.app.err, harmless(b.String()))
		line, err := p.line(allow)
		if errors.Is(err, errInterrupted) {
			return dspi.Unanswered, context.Canceled
		}
		return meant(line), nil
	}
	io.WriteString(p.app.err, harmless(b.String()+allow))
	if p.lines == nil {
		p.lines = bufio.NewReader(p.app.in)
	}
	typed := make(chan string, 1)
	go func() {
		line, _ := p.lines.ReadString('\n')
		typed <- line
	}()
	select {
	case line := <-typed:
		if !strings.HasSuffix(line, "\n") {
			fmt.Fprintln(p.app.err)
		}
		return meant(line), nil
	case <-ctx.Done():
		return dspi.Unanswered, ctx.Err()
	}
}

// allow is the question of a call.
const allow = "Allow this call? [y/N] "

// meant is what a typed line means.
func meant(line string) interpreter.Answer {
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return dspi.Allowed
	}
	return dspi.Denied
}

// unused names the keys of the flags that answered nothing.
func (p *approver) unused() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range slices.Concat(p.flags.approve, p.flags.deny) {
		if !slices.Contains(p.used, key) {
			p.app.note("nothing waited for an answer to %s", key)
		}
	}
}
