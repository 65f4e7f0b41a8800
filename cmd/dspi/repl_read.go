package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/chzyer/readline"
)

// lineReader reads what a person types. The errors are io.EOF, errInterrupted
// and what the system says.
type lineReader interface {
	// line reads a line, and further ones while goesOn says so of what was read;
	// nil never does.
	line(prompt string, goesOn func(text string) bool) (string, error)
	// secret reads a line that is not shown.
	secret(prompt string) (string, error)
}

// plainLines reads the lines of a stream that is no terminal.
type plainLines struct {
	ctx  context.Context
	ask  chan struct{}
	text chan string
	end  chan error
}

func newPlainLines(ctx context.Context, in io.Reader) *plainLines {
	p := &plainLines{ctx, make(chan struct{}), make(chan string), make(chan error, 1)}
	go func() {
		r := bufio.NewReader(io.LimitReader(in, maxStream+1))
		n := 0
		for range p.ask {
			text, err := r.ReadString('\n')
			n += len(text)
			switch {
			case n > maxStream:
				err = wrong("standard input is too large").say("dspi reads at most %d MiB of it.", maxStream>>20)
			case text != "" && !utf8.ValidString(text):
				err = wrong("standard input is not text in UTF-8")
			case text != "":
				err = nil
			}
			if err != nil {
				p.end <- err
				return
			}
			select {
			case p.text <- strings.TrimRight(text, "\r\n"):
			case <-ctx.Done():
				return
			}
		}
	}()
	return p
}

func (p *plainLines) line(_ string, goesOn func(string) bool) (string, error) {
	var whole string
	for {
		select {
		case p.ask <- struct{}{}:
		case err := <-p.end:
			p.end <- err
			return whole, err
		case <-p.ctx.Done():
			return "", &exit{code: exitInterrupted}
		}
		select {
		case text := <-p.text:
			whole += text
			if goesOn == nil || text == "" || !goesOn(whole) {
				return whole, nil
			}
			whole += "\n"
		case err := <-p.end:
			p.end <- err
			if whole != "" && errors.Is(err, io.EOF) {
				return whole, nil
			}
			return "", err
		case <-p.ctx.Done():
			return "", &exit{code: exitInterrupted}
		}
	}
}

func (p *plainLines) secret(prompt string) (string, error) { return p.line(prompt, nil) }

// terminalLines reads lines from a terminal, with editing, history, completion.
type terminalLines struct {
	shell     *readline.Instance
	complete  func(line string, cursor int) (start int, found []candidate)
	listening bool // for commands, so that Tab completes
}

func newTerminalLines(a *app, h *history, complete func(string, int) (int, []candidate)) (*terminalLines, error) {
	t := &terminalLines{complete: complete}
	shell, err := readline.NewEx(&readline.Config{
		Stdin: readline.NewCancelableStdin(a.in), Stdout: a.out, Stderr: a.err,
		AutoComplete: t, HistoryLimit: historyAtMost, DisableAutoSaveHistory: true, HistorySearchFold: true,
		FuncGetWidth: func() int {
			if w := a.width(a.outFile); w > 0 {
				return w
			}
			return 80 // the terminal does not say
		},
	})
	if err != nil {
		return nil, err
	}
	t.shell = shell
	for _, line := range h.lines {
		if err := shell.SaveHistory(line); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// remember puts a line to those that the arrow keys bring back.
func (t *terminalLines) remember(line string) { _ = t.shell.SaveHistory(line) }

func (t *terminalLines) close() { t.shell.Close() }

func (t *terminalLines) line(prompt string, goesOn func(string) bool) (string, error) {
	t.listening = prompt == sessionPrompt
	var whole string
	for {
		t.shell.SetPrompt(prompt)
		text, err := t.shell.Readline()
		if errors.Is(err, readline.ErrInterrupt) {
			return "", errInterrupted
		}
		if err != nil {
			return "", err
		}
		whole += text
		if goesOn == nil || strings.TrimSpace(text) == "" || !goesOn(whole) {
			return whole, nil
		}
		whole += "\n"
		prompt = "  ... "
	}
}

// secret reads a line without showing it.
func (t *terminalLines) secret(prompt string) (string, error) {
	c := t.shell.GenPasswordConfig()
	c.Prompt, c.DisableAutoSaveHistory, c.FuncGetWidth = prompt, true, t.shell.Config.FuncGetWidth
	text, err := t.shell.ReadPasswordWithConfig(c)
	if errors.Is(err, readline.ErrInterrupt) {
		return "", errInterrupted
	}
	return string(text), err
}

// Do is called when Tab is pressed. It returns what may follow the cursor, and
// how many characters before the cursor belong to it.
func (t *terminalLines) Do(line []rune, cursor int) (rest [][]rune, length int) {
	if !t.listening {
		return nil, 0
	}
	before := string(line[:cursor])
	start, found := t.complete(before, len(before))
	for _, c := range found {
		tail := strings.TrimPrefix(c.value, before[start:])
		if !strings.ContainsAny(tail[max(0, len(tail)-1):], "=/.(") {
			tail += " "
		}
		rest = append(rest, []rune(tail))
	}
	return rest, utf8.RuneCountInString(before[start:])
}
