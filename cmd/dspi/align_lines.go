package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/datasets"
)

// alignLine is one line of `dspi align --jsonl`. A line may hold more; it is not
// looked at.
type alignLine struct {
	ID        json.RawMessage `json:"id"`
	Types     string          `json:"types"`
	Type      string          `json:"type"`
	Signature string          `json:"signature"`
	Form      string          `json:"form"`
	Mode      string          `json:"mode"`
	Raw       *string         `json:"raw"`
}

// The printed forms of a line.
type (
	printedLine struct {
		ID json.RawMessage `json:"id,omitempty"`
		printedReading
	}
	printedBadLine struct {
		ID    json.RawMessage `json:"id,omitempty"`
		Error alignError      `json:"error"`
	}
)

// alignJob is one line on its way.
type alignJob struct {
	text []byte
	long bool
	done chan struct{} // closed when out is there
	out  []byte
	bad  bool
}

// alignLines is `dspi align --jsonl`. One goroutine reads lines, one per processor
// aligns them, and the caller's writes what they gave, in order. The capacity of
// `order` bounds the lines in memory, however slow the first of them is.
func (a *app) alignLines(ctx context.Context, f *alignFlags) error {
	if f.types != "" && (f.typ != "" || f.signature != "") { // a mistake in the flags is no line's
		if _, err := f.wanted(); err != nil {
			return &exit{code: exitUsage, err: err}
		}
	}
	l := &lineAligner{flags: f, cache: map[string]*cachedType{}}
	workers := runtime.GOMAXPROCS(0)
	order := make(chan *alignJob, 4*workers)
	todo := make(chan *alignJob)
	stop := make(chan struct{})
	defer close(stop)
	var readErr error
	go func() {
		defer close(order)
		defer close(todo)
		readErr = readJobs(a.in, order, todo, stop)
	}()
	for range workers {
		go func() {
			for j := range todo {
				l.do(j)
			}
		}()
	}
	lines, bad := 0, 0
	for {
		var j *alignJob
		var ok bool
		select {
		case <-ctx.Done():
			return &exit{code: exitInterrupted}
		case j, ok = <-order:
		}
		if !ok {
			break
		}
		select {
		case <-ctx.Done():
			return &exit{code: exitInterrupted}
		case <-j.done:
		}
		lines++
		if j.bad {
			bad++
		}
		if _, err := a.out.Write(j.out); err != nil {
			return nil // nobody reads on; a.out remembers
		}
	}
	if readErr != nil {
		return wrong("standard input cannot be read further").say("After line %d: %v.", lines, readErr)
	}
	if bad > 0 {
		fmt.Fprintf(a.err, "%d of %d lines were not read: see their \"error\"\n", bad, lines)
		return &exit{code: exitFailed}
	}
	return nil
}

// readJobs gives out the lines of in until it ends or the caller stops. Empty lines
// are none.
func readJobs(in io.Reader, order, todo chan<- *alignJob, stop <-chan struct{}) error {
	r := bufio.NewReaderSize(in, 64<<10)
	for first := true; ; first = false {
		text, long, err := datasets.ReadLine(r)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if first {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(bytes.TrimSpace(text)) == 0 && !long {
			continue
		}
		j := &alignJob{text: text, long: long, done: make(chan struct{})}
		for _, to := range []chan<- *alignJob{order, todo} {
			select {
			case to <- j:
			case <-stop:
				return nil
			}
		}
	}
}

// lineAligner aligns lines. It keeps the types that it has checked.
type lineAligner struct {
	flags *alignFlags

	mu    sync.Mutex
	cache map[string]*cachedType
}

// cachedType is a type that was checked, once.
type cachedType struct {
	find func() (wanted, error)
}

// maxCachedTypes is when the types that were checked are forgotten: lines that
// each have a type of their own must not fill the memory.
const maxCachedTypes = 10_000

// do aligns one line.
func (l *lineAligner) do(j *alignJob) {
	defer close(j.done)
	var line alignLine
	fail := func(e alignError) {
		j.bad = true
		j.out, _ = jsonLine(printedBadLine{line.ID, e})
	}
	defer func() {
		if r := recover(); r != nil {
			fail(alignError{Message: fmt.Sprintf("dspi has a fault of its own: %v\n%s", r, debug.Stack())})
		}
	}()
	switch {
	case j.long:
		fail(alignError{Message: fmt.Sprintf("the line is longer than %d MiB", datasets.MaxRow>>20)})
		return
	case !utf8.Valid(j.text):
		fail(alignError{Message: "the line is not text in UTF-8"})
		return
	}
	if err := json.Unmarshal(j.text, &line); err != nil {
		fail(alignError{Message: "the line is no JSON object such as " +
			`{"id": 1, "type": "list[int]", "raw": "[1, 2]"}: ` + err.Error()})
		return
	}
	j.text = nil
	if line.Raw == nil {
		fail(alignError{Message: `the line has no "raw": the reply`})
		return
	}
	form, mode := or(line.Form, l.flags.form), or(line.Mode, l.flags.mode)
	err := oneOf(`"mode"`, mode, alignModes)
	if err == nil {
		err = oneOf(`"form"`, form, replyForms)
	}
	var w wanted
	if err == nil {
		w, err = l.wanted(&line)
	}
	if err != nil {
		e := alignError{Message: err.Error()}
		if reports := listOf(err); reports != nil {
			e = alignError{Message: "the type is not understood", Reports: reports.Reports()}
		}
		fail(e)
		return
	}
	got := w.read(*line.Raw, form, mode)
	if got.faults != nil {
		fail(refusal(got.faults))
		return
	}
	j.out, _ = jsonLine(printedLine{line.ID, got.printed().(printedReading)})
}

func or(word, otherwise string) string {
	if word == "" {
		return otherwise
	}
	return word
}

// wanted returns what a line's reply is read into. Lines of the same words share it.
func (l *lineAligner) wanted(line *alignLine) (wanted, error) {
	f := *l.flags
	switch {
	case line.Type != "" && line.Signature != "":
		return wanted{}, errors.New(`"type" and "signature" cannot stand together`)
	case line.Type != "":
		f.typ, f.signature = line.Type, ""
	case line.Signature != "":
		f.typ, f.signature = "", line.Signature
	}
	if f.typ == "" && f.signature == "" {
		return wanted{}, errors.New(`the line has no "type", and there is no --type`)
	}
	if f.signature != "" && line.Types != "" {
		return wanted{}, errors.New(`"types" and "signature" cannot stand together`)
	}
	key := f.typ + "\x00" + f.signature + "\x00" + line.Types
	l.mu.Lock()
	c, ok := l.cache[key]
	if !ok {
		if len(l.cache) >= maxCachedTypes {
			clear(l.cache)
		}
		c = &cachedType{find: sync.OnceValues(func() (wanted, error) {
			if line.Types != "" {
				return typeIn(line.Types, f.typ)
			}
			return f.wanted()
		})}
		l.cache[key] = c
	}
	l.mu.Unlock()
	return c.find()
}

// typeIn checks the text of a type that may name what declarations declare. They
// came with data, so they open no file.
func typeIn(declarations, typ string) (wanted, error) {
	name := freeName(declarations + typ)
	text, own := newOwnText(name, typ, declarations)
	file := parser.Parse(source.NewFile("--type", text))
	project, diags := check.Check(file, check.Options{Universe: stdlib.Universe()})
	return typeNamed(project, own.said(diags), name)
}
