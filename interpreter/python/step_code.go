package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/value"
)

// OpenCode starts what runs Python that the model of a call wrote, confined as the
// settings of the call say. It fails where nothing can be confined.
type OpenCode func(ctx context.Context, call *module.Call, o CodeOptions) (Code, error)

// CodeOptions are what code finds beside the tools of its step.
type CodeOptions struct {
	Functions []CodeFunction // that the worker answers
	Outputs   []string       // what SUBMIT takes by name; none: one value
	// Call calls one of the Functions. Its error is raised in the code.
	Call func(ctx context.Context, name string, args []any, named *value.Object) (any, error)
}

// CodeFunction is a function of the worker's that code may call.
type CodeFunction struct {
	Name       string          `json:"name"`
	Parameters []CodeParameter `json:"parameters"` // nil: it takes anything
}

// CodeParameter is a parameter of a CodeFunction.
type CodeParameter struct {
	Name    string          `json:"name"`
	Default json.RawMessage `json:"default"` // nil: it must be given
}

// Code runs one piece of Python after another and keeps its variables. It is for one
// goroutine at a time.
type Code interface {
	// Run runs a piece. The error is one that ends the step.
	Run(ctx context.Context, piece Piece) (*Outcome, error)
	Close()
}

// Piece is a piece of code.
type Piece struct {
	Text string
	// Variables are what this and each further piece begins with, by name: JSON, or
	// Python's own notation behind a `=`. Nil: those of the piece before.
	Variables map[string]string
}

// Outcome is what a piece of code came to.
type Outcome struct {
	Value string // as JSON
	Final bool   // the code gave it to SUBMIT
	Fault string // why there is no value, for the model; "" where there is one
}

// codeSession is a Code, and the piece that it runs. A piece may call functions of the
// worker's: then what asked for it is answered with the call, and asks again with what
// came of it. It goes on with the next worker where one ends in between.
type codeSession struct {
	code    Code
	happens chan codeEvent  // in the piece that runs
	answers chan codeAnswer // to the call that waits

	mu      sync.Mutex
	running bool
	text    string // of the piece that runs
	calls   int    // of the session, so far
	waiting int    // the number of the call that the worker was told of; 0: none
	resumed int    // that of the last one that was answered
}

// codeEvent is a call, or the end of a piece.
type codeEvent struct {
	call *codeCall
	out  *Outcome
	err  error
}

type codeCall struct {
	id    int
	name  string
	args  []any
	named *value.Object
}

type codeAnswer struct {
	value any
	fault string
}

// openCode starts a session for DSPy's interpreter_factory; it lasts as long as the
// run of the step, also where the worker ends and another takes over.
func (h *stepHost) openCode(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
	if h.step == nil || h.step.open == nil {
		return nil, errors.New("no code is run here")
	}
	var a struct {
		Functions []CodeFunction `json:"functions"`
		Outputs   []string       `json:"outputs"`
	}
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, fmt.Errorf("the functions of the code cannot be read: %w", err)
	}
	s := &codeSession{happens: make(chan codeEvent), answers: make(chan codeAnswer, 1)}
	var err error
	if s.code, err = h.step.open(ctx, h.call, CodeOptions{a.Functions, a.Outputs, s.call}); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.codes = append(h.codes, s)
	return json.Marshal(map[string]int{"code": len(h.codes)})
}

func (h *stepHost) session(number int) (*codeSession, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if number < 1 || number > len(h.codes) {
		return nil, fmt.Errorf("there is no session %d of code", number)
	}
	return h.codes[number-1], nil
}

// runCode runs one piece of code in a session, until it ends or calls a function of
// the worker's. One that an earlier worker asked for, and did not see the end of, is
// not begun again.
func (h *stepHost) runCode(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
	var a struct {
		Code      int               `json:"code"`
		Text      string            `json:"text"`
		Variables map[string]string `json:"variables"`
	}
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, fmt.Errorf("the code to run cannot be read: %w", err)
	}
	s, err := h.session(a.Code)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	switch {
	case s.running && (s.text != a.Text || s.waiting != 0):
		s.mu.Unlock()
		return nil, fmt.Errorf("session %d of code is at work: a function that code calls cannot run code in it", a.Code)
	case !s.running:
		s.running, s.text = true, a.Text
		h.running.Go(func() {
			out, err := s.code.Run(h.code, Piece{a.Text, a.Variables})
			select {
			case s.happens <- codeEvent{out: out, err: err}:
			case <-h.code.Done():
			}
		})
	}
	s.mu.Unlock()
	return s.next(ctx)
}

// resumeCode gives a piece of code what came of its call.
func (h *stepHost) resumeCode(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
	v, err := value.DecodeJSON(args)
	o, ok := v.(*value.Object)
	if err != nil || !ok {
		return nil, errors.New("what a function gave to code cannot be read")
	}
	var (
		number, _ = o.Get("code")
		id, _     = o.Get("id")
		answer    codeAnswer
	)
	answer.value, _ = o.Get("value")
	if fault, ok := o.Get("fault"); ok {
		answer.fault = fmt.Sprint(fault)
	}
	n, _ := number.(int)
	s, err := h.session(n)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	switch {
	case s.waiting != 0 && id == s.waiting:
		s.waiting, s.resumed = 0, s.waiting
		s.answers <- answer
	case !s.running || s.waiting != 0 || id != s.resumed: // else an earlier worker gave the answer
		s.mu.Unlock()
		return nil, fmt.Errorf("no code in session %d waits for the answer to call %v", n, id)
	}
	s.mu.Unlock()
	return s.next(ctx)
}

// next waits for what happens next in the piece that runs, and says it as JSON.
func (s *codeSession) next(ctx context.Context) (json.RawMessage, error) {
	var e codeEvent
	select {
	case e = <-s.happens:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := e.call; c != nil {
		s.waiting = c.id
		call := value.NewObject("id", c.id, "name", c.name, "args", c.args, "named", c.named)
		return value.EncodeJSON(value.NewObject("call", call)), nil
	}
	s.running = false
	switch {
	case e.err != nil:
		return nil, e.err
	case e.out.Fault != "":
		return json.Marshal(map[string]string{"fault": e.out.Fault})
	case e.out.Final:
		return json.Marshal(map[string]any{"value": json.RawMessage(e.out.Value), "final": true})
	}
	return json.Marshal(map[string]json.RawMessage{"value": json.RawMessage(e.out.Value)})
}

// call hands a call of the code over to the worker and waits for what comes of it.
func (s *codeSession) call(ctx context.Context, name string, args []any, named *value.Object) (any, error) {
	s.mu.Lock()
	s.calls++
	c := &codeCall{s.calls, name, args, named}
	s.mu.Unlock()
	if c.args == nil {
		c.args = []any{}
	}
	select {
	case s.happens <- codeEvent{call: c}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case a := <-s.answers:
		if a.fault != "" {
			return nil, errors.New(a.fault)
		}
		return a.value, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// closeCode ends the code of the run, wherever it is, and its sessions.
func (h *stepHost) closeCode() {
	h.endCode()
	h.running.Wait()
	h.mu.Lock()
	codes := h.codes
	h.mu.Unlock()
	for _, s := range codes {
		s.code.Close()
	}
}

// codeless says that no piece of code gave an answer: what DSPy says of it, without
// the frames.
type codeless struct{ fault string }

// maxHops is how DSPy's ProgramOfThought gives up.
const maxHops = "Max hops reached. Failed to run ProgramOfThought: "

func gaveUp(e *RemoteError) (*codeless, bool) {
	_, fault, ok := strings.Cut(e.Message, maxHops)
	return &codeless{fault}, ok
}

func (e *codeless) Error() string {
	return "none of the pieces of code that the model wrote gave an answer; the last failed: " + e.fault
}

// Advice is a way out.
func (*codeless) Advice() string {
	return "let it write more often with `max_iters`, or give the code more with `timeout` and `memory`"
}
