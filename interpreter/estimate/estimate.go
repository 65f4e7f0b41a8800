// Package estimate says before a run how many calls, tokens and dollars it will
// take.
//
//	Estimate  what a run of a plan takes, step by step and in all
//	Step      what one step takes
//	Range     from the least to the most (range.go)
//
// steps.go holds what the flow of a program makes of a step, modules.go how often each
// module asks, calls.go what one question takes, search.go what a search takes, known.go
// what is known before a run.
//
// The number of calls is certain as far as the plan tells: each asks at least once
// where it cannot be skipped, and at most once more for each of its `retries`. A
// `when` may skip it; a `repeat` does from one round to `max_rounds`; a `for_each`
// runs once for each element, whose number is known where the list follows from the
// inputs that are given or its type bounds it, and is otherwise open. An assert may
// have its step done again, and a module may ask several times, as each says. Tokens are
// reckoned: the prompt is written with what is known of its inputs and counted at
// four characters a token; what other steps will have written is taken as up to
// the longest that they may write.
package estimate

import (
	"math"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/value"
)

// UnboundedReply is how many tokens a reply is taken to have at most when no
// max_tokens bounds it.
const UnboundedReply = 1000

// perToken is how many characters are taken for a token.
const perToken = 4

// Estimate is what a run of a plan takes.
type Estimate struct {
	Program string  `json:"program"`
	Steps   []*Step `json:"steps"`
	Total   Total   `json:"total"`
	// Notes say how it was reckoned and what it does not know.
	Notes []string `json:"notes"`
}

// Step is what all runs of one step together take.
type Step struct {
	Address string `json:"address"`
	Model   string `json:"model"` // its address
	Total
	Why []string `json:"why,omitempty"` // what makes it a range
}

// Total is an amount of calls, tokens and dollars.
type Total struct {
	Calls        Range  `json:"calls"`
	InputTokens  Range  `json:"input_tokens"`
	OutputTokens Range  `json:"output_tokens"`
	USD          *Range `json:"usd"` // nil: a price is not known
}

// Of estimates a run of p with inputs, of which some may be missing.
func Of(p *plan.Plan, inputs *value.Object) *Estimate {
	e := &estimator{notes: map[string]bool{}, reranking: map[*plan.Retriever]bool{}}
	out := &Estimate{Program: p.Program}
	s := newScope(p, nil)
	for _, f := range p.Checked.Signature.Inputs {
		if v, ok := inputs.Get(f.Name); ok {
			s.known[f.Name] = v
			s.sizes[f.Name] = exactly(size(v))
		} else {
			s.sizes[f.Name] = bounds(f.Type, math.Inf(1))
			e.note("the input `" + f.Name + "` is not given, so its length is not known")
		}
	}
	e.ops(p, s, exactly(1))
	out.Steps = e.steps
	zero := Range{}
	out.Total.USD = &zero
	for _, st := range e.steps {
		out.Total.Calls = out.Total.Calls.add(st.Calls)
		out.Total.InputTokens = out.Total.InputTokens.add(st.InputTokens)
		out.Total.OutputTokens = out.Total.OutputTokens.add(st.OutputTokens)
		switch {
		case st.USD == nil:
			out.Total.USD = nil
			e.note("the price of " + st.Model + " is not known")
		case out.Total.USD != nil:
			sum := out.Total.USD.add(*st.USD)
			out.Total.USD = &sum
		}
	}
	e.note("tokens are reckoned at four characters each; replies from a cache and requests that fail and are repeated are not counted")
	for n := range e.notes {
		out.Notes = append(out.Notes, n)
	}
	slices.Sort(out.Notes)
	return out
}

type estimator struct {
	steps []*Step
	notes map[string]bool
	// reranking are the retrievers whose reranking is being estimated.
	reranking map[*plan.Retriever]bool
}

func (e *estimator) note(text string) { e.notes[text] = true }
