// Package module is how a step does its work.
//
//	Module  a step's worker: a Call in, outputs out
//	Call    what one run of a step has: signature, inputs, model, settings
//	Ask     one question to the model: prompt, reply, asked again if it does not fit
//
// Implementations are in stdlib/modules. A module holds no state: a Call has all
// it needs, so that one module serves many runs at once.
package module

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// Module does the work of a step. It is safe for use by many goroutines.
type Module interface {
	// Run returns the outputs of call.Signature, checked against their types.
	Run(ctx context.Context, call *Call) (*value.Object, error)
}

// Call is one run of a step.
type Call struct {
	Address string // program.rag.respond
	// Signature has the instructions of this call and the outputs that the
	// module adds.
	Signature *program.Signature
	Inputs    *value.Object
	Demos     []prompt.Demo
	LM        lm.LM
	Params    lm.Params
	Adapter   prompt.Adapter
	Mode      align.Mode
	Retries   int  // how often to ask again when a reply does not fit
	Rollout   int  // tells apart samples of one call, for the cache
	Stream    bool // outputs are shown as they grow
	Host      Host
}

// Host is what the machine does for a module.
type Host interface {
	// Emit records an event; time, run, address, step and element are filled in.
	Emit(trace.Event)
	// NewCall returns a number for a call of a model: no other call of the run
	// has it.
	NewCall() int
	// Count adds a reply to what the run has used.
	Count(*lm.Response)
	// Lost adds what a call has used that failed in the end.
	Lost([]lm.Spent)
}
