package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
)

// OpenCode starts what runs Python that the model of a call wrote, confined as the
// settings of the call say. It fails where nothing can be confined.
type OpenCode func(ctx context.Context, call *module.Call) (Code, error)

// Code runs one piece of Python after another and keeps its variables. It is for one
// goroutine at a time.
type Code interface {
	// Run returns the value of a piece of code, as JSON, or the fault that a model
	// is told of. The error is one that ends the step.
	Run(ctx context.Context, text string) (value, fault string, err error)
	Close()
}

// openCode starts a session for DSPy's interpreter_factory; it lasts as long as the
// run of the step, also where the worker ends and another takes over.
func (h *stepHost) openCode(ctx context.Context) (json.RawMessage, error) {
	if h.step == nil || h.step.open == nil {
		return nil, errors.New("no code is run here")
	}
	code, err := h.step.open(ctx, h.call)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.codes = append(h.codes, code)
	return json.Marshal(map[string]int{"code": len(h.codes)})
}

// runCode runs one piece of code in a session.
func (h *stepHost) runCode(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
	var a struct {
		Code int    `json:"code"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, fmt.Errorf("the code to run cannot be read: %w", err)
	}
	h.mu.Lock()
	if a.Code < 1 || a.Code > len(h.codes) {
		h.mu.Unlock()
		return nil, fmt.Errorf("there is no session %d of code", a.Code)
	}
	code := h.codes[a.Code-1]
	h.mu.Unlock()
	v, fault, err := code.Run(ctx, a.Text)
	if err != nil {
		return nil, err
	}
	if fault != "" {
		return json.Marshal(map[string]string{"fault": fault})
	}
	return json.Marshal(map[string]json.RawMessage{"value": json.RawMessage(v)})
}

// closeCode ends the sessions of the run.
func (h *stepHost) closeCode() {
	h.mu.Lock()
	codes := h.codes
	h.mu.Unlock()
	for _, c := range codes {
		c.Close()
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
