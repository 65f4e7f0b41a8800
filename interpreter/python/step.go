package python

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
)

// Runs are the modules that DSPy does the work of where a step says
// `backend = "python"`.
var runs = []string{"predict", "chain_of_thought", "react", "multi_chain_comparison", "best_of_n", "refine", "program_of_thought", "code_act"}

// codes reports whether a module runs code that a model wrote.
func codes(name string) bool { return name == "program_of_thought" || name == "code_act" }

// Runs reports whether DSPy can do the work of a module.
func Runs(name string) bool { return slices.Contains(runs, name) }

// Wanted reports whether the work of an operation is done in Python.
func Wanted(op *plan.Op) bool {
	switch op.Module {
	case "python", "dspy":
		return true
	}
	return op.Backend == "python" && Runs(op.Module)
}

// Step does the work of one operation in Python. It implements module.Module.
type Step struct {
	pool *Pool
	op   *plan.Op
	open OpenCode
}

// NewStep returns the module of an operation that wants Python. Open starts what runs
// code that a model wrote; nil where no step of the program does.
func NewStep(p *Pool, op *plan.Op, open OpenCode) *Step { return &Step{p, op, open} }

// executeArgs are those of the command execute_program.
type executeArgs struct {
	ID       string          `json:"id"`
	Inputs   *value.Object   `json:"-"`
	Values   jsonText        `json:"inputs"`
	Address  string          `json:"address"`
	Model    string          `json:"model,omitempty"`
	Features map[string]bool `json:"features,omitempty"`
	Rollout  int             `json:"rollout,omitempty"`

	limit time.Duration
}

// jsonText is JSON that is ready to be sent.
type jsonText []byte

// MarshalJSON returns the text.
func (t jsonText) MarshalJSON() ([]byte, error) { return t, nil }

// Run calls the operation in a worker. The outputs are checked against their types.
func (s *Step) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	call = module.Hinted(ctx, call)
	made, err := s.describe(call)
	if err != nil {
		return nil, err
	}
	inputs, err := inputsOf(made.inputs, call.Inputs)
	if err != nil {
		return nil, err
	}
	args := executeArgs{ID: made.id, Values: inputs, Address: call.Address, Rollout: 0}
	if call.LM != nil {
		f := call.LM.Features()
		args.Model = call.LM.Address()
		args.Features = map[string]bool{"json": f.JSON, "schema": f.Schema, "tools": f.Tools}
	}
	if limit, ok := call.Settings.Get("timeout"); ok && !codes(s.op.Module) { // of code it is another
		if text, ok := limit.(string); ok {
			args.limit, _ = time.ParseDuration(text) // the checker has read it
		}
	}
	h := &stepHost{step: s, call: call, made: made}
	h.code, h.endCode = context.WithCancel(nested(context.WithoutCancel(ctx))) // it outlives a worker
	defer h.closeCode()
	folder := s.folder()
	for asks, deaths, unsent := 0, 0, 0; ; {
		h.begin(asks)
		result, err := s.pool.run(ctx, folder, call.Address, made, args, h)
		var died *DiedError
		switch {
		case err == nil:
			outputs, err := s.outputs(call, result)
			if err == nil {
				module.Answered(ctx, call, outputs)
			}
			return outputs, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.As(err, &died) && died.Unsent && unsent < 3:
			unsent++
			continue
		case errors.As(err, &died) && !died.Unsent && s.idempotent(call) && deaths < 1:
			deaths++
			call.Host.Emit(trace.Event{Kind: trace.Note, Reason: "the Python worker ended (" + died.How + "); the step is done again"})
			continue
		case isParse(err) && asks < call.Retries:
			asks++
			continue
		}
		return nil, s.fault(call, h, err)
	}
}

// idempotent reports whether a call may be made again that was cut off. What the
// worker asked of dspi before is answered again from memory, so that a module of
// DSPy's pays nothing twice; what other code does is not known.
func (s *Step) idempotent(call *module.Call) bool {
	switch s.op.Module {
	case "python", "dspy":
		return call.Bool("idempotent", s.op.Module == "dspy")
	}
	return true
}

func isParse(err error) bool {
	var remote *RemoteError
	return errors.As(err, &remote) && remote.Kind == "parse"
}

// stepHost answers what Python asks for during one run of a step.
type stepHost struct {
	step *Step
	call *module.Call
	made *spec

	told confided

	code    context.Context // of code that the model wrote
	endCode context.CancelFunc
	running sync.WaitGroup // pieces of it

	mu     sync.Mutex
	past   map[string][]*answer // what was answered in the earlier try, by question
	asked  map[string]int       // how many equal questions this try has asked
	redone int                  // how often it is asked again from the start
	codes  []*codeSession       // what runs code that the model wrote, by its number less one
}

// answer is what the host said to one question.
type answer struct {
	done   chan struct{}
	result []byte
	err    error
}

// begin starts a try; those after a misfit ask anew, those after a death of the
// worker do not.
func (h *stepHost) begin(asks int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.past == nil || asks != h.redone {
		h.past = map[string][]*answer{}
	}
	h.redone, h.asked = asks, map[string]int{}
}
