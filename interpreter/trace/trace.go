// Package trace holds the events of a run. Whatever shows a run (progress,
// usage, telemetry, the page of a run) reads these and nothing else.
//
//	Event  one thing that happened: a run, step or call began or ended
//	Sink   takes events; it is called by many goroutines at once
package trace

import (
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/value"
)

// Kind says what happened.
type Kind string

// The kinds of events.
const (
	RunStart  Kind = "run_start"
	RunEnd    Kind = "run_end"
	StepStart Kind = "step_start"
	StepEnd   Kind = "step_end"
	StepSkip  Kind = "step_skip"  // its condition did not hold
	CallStart Kind = "call_start" // a request goes to a model
	CallEnd   Kind = "call_end"   // its reply came, or it failed for good
	Attempt   Kind = "attempt"    // an attempt failed and will be repeated
	Misfit    Kind = "misfit"     // a reply did not fit; the model is asked again, if it may be
	Repaired  Kind = "repaired"   // a reply was repaired so that it fits
	Hedge     Kind = "hedge"      // no reply came for a while, so the request is sent again, too
	Choice    Kind = "choice"     // a route sends a call to Model, or passes it over: Reason says why
	Partial   Kind = "partial"    // a field of a reply has grown while it is written
	ToolStart Kind = "tool_start" // a tool is called: Tool with Inputs
	ToolEnd   Kind = "tool_end"   // its Outputs came, or Err says why not
	Approval  Kind = "approval"   // a person was asked whether Tool may be called: Allowed
	Asserted  Kind = "asserted"   // an assert or suggest did not hold: Assert, Reason
	Note      Kind = "note"       // a module says what it does next: Reason, for people
)

// Event is one thing that happened in a run.
type Event struct {
	Time    time.Time
	Run     string // id of the run
	Kind    Kind
	Address string // program.rag.respond; of a run: program.rag
	// Step tells apart the runs of a step that have one address (the elements of
	// a for_each, the rounds of a repeat), and Call the calls of a model: each is
	// a number that no other in its run has, 0 where there is none.
	Step int
	Call int
	// Parent is the Step within which this one runs: that of the call of a
	// program, 0 for the steps of the run's own program. Path is where a step
	// stands, from the run's own program inwards, with elements and rounds:
	// each_gist[3], improve#2/critique.
	Parent int
	Path   string
	// Element is the index of the for_each element that a step works on; nil:
	// none.
	Element *int

	Model    string        // CallStart, CallEnd, Attempt: the model's address
	Messages []lm.Message  // CallStart
	Request  *lm.Request   // CallStart: all that is sent; its Messages are Messages
	Reply    *lm.Response  // CallEnd
	Cost     *float64      // CallEnd: US dollars; nil: the price is not known
	Resumed  bool          // RunStart: the run was begun before, and goes on
	Inputs   *value.Object // RunStart, StepStart, ToolStart, Approval
	Outputs  *value.Object // RunEnd, StepEnd, ToolEnd
	Number   int           // Attempt: which one, from 1
	Wait     time.Duration // Attempt: until the next
	Duration time.Duration // ends
	Err      error         // ends, Attempt, Misfit
	Reason   string        // Hedge, Choice, Asserted, Note
	Passed   bool          // Choice: Model is passed over
	Tool     string        // ToolStart, ToolEnd, Approval: its name
	Allowed  bool          // Approval
	Assert   string        // Asserted: the name of the assert or suggest
	Suggest  bool          // Asserted: it is a suggest
	Final    bool          // Asserted: the step is not asked again

	// Repairs are what was done to a reply, or to arguments, so that they fit.
	Repairs []value.Repair // Repaired, ToolStart
	Field   string         // Partial: which output
	Value   any            // Partial: the output so far, of the output's type as far as it has come
	Done    bool           // Partial: the output is whole
	Restart bool           // Partial: every field of this call begins again from nothing
}

// Sink takes the events of runs. A nil Sink drops them.
type Sink func(Event)

// Emit gives an event to a sink that may be nil.
func (s Sink) Emit(e Event) {
	if s != nil {
		s(e)
	}
}
