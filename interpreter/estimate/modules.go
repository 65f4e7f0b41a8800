package estimate

import (
	"fmt"
	"math"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
)

// written is how many characters an output will have.
type written struct {
	name  string
	size  Range
	count Range // of a list, how many elements it will have
}

// work estimates what a step, or a module that another holds, does so many times:
// with its asserts, its module, and what that holds and calls. Bound is where its
// inputs come from.
func (e *estimator) work(op *plan.Op, s *scope, times Range, bound []program.Binding, why []string) []written {
	again := 0
	for _, a := range op.Step.Asserts {
		again += a.Retries
	}
	if again > 0 {
		times = times.times(Range{1, float64(1 + again)})
		why = append(why, fmt.Sprintf("done again up to %d× when an assert or suggest does not hold", again))
	}
	if len(op.Step.Inputs) > 0 {
		bound = op.Step.Inputs
	}
	if op.Plan != nil {
		return e.called(op.Plan, s, times, bound, why)
	}
	if len(op.Pending) > 0 {
		e.note("the step `" + op.Name + "` cannot run in this version: " + op.Pending[0].Missing)
	}
	h := habitOf(op, s)
	why = append(why, h.why...)
	var out []written
	for _, part := range op.Parts {
		out = e.work(part, s, times.times(h.parts), bound, why)
	}
	if h.asks.Max > 0 && op.Model == nil {
		e.note("the code of `" + op.Name + "` may call models; how often is not known")
		some := Range{0, math.Inf(1)}.times(times)
		e.merge(&Step{Address: op.Address, Model: "models of its own", Total: Total{Calls: some, InputTokens: some, OutputTokens: some}, Why: why})
	}
	if h.asks.Max > 0 && op.Model != nil {
		x := e.call(op, s, times.times(h.asks), bound)
		x.Why = append(why[:len(why):len(why)], x.Why...)
		e.merge(x)
	}
	for _, t := range op.Tools {
		often := []string{"as often as a model calls " + t.Address}
		if t.Plan != nil {
			e.called(t.Plan, s, times.times(h.tools), nil, often)
		}
		if t.Retriever != nil {
			e.search(op.Address, t.Retriever, s, times.times(h.tools), nil, defaultWanted(t.Retriever), often)
		}
	}
	if op.Retriever != nil {
		e.search(op.Address, op.Retriever, s, times, query(bound), s.wanted(op), why)
	}
	if op.Signature == nil {
		return out
	}
	return outputs(op, s)
}

// outputs is what a module writes.
func outputs(op *plan.Op, s *scope) []written {
	most := math.Inf(1) // what no model writes may be of any length
	if op.Model != nil {
		most = replyTokens(op, s).Max * perToken
	}
	var out []written
	for _, f := range op.Signature.Outputs {
		x := written{name: f.Name, size: bounds(f.Type, most), count: Range{0, math.Inf(1)}}
		if op.Retriever != nil {
			x.count = s.wanted(op).maybe()
		}
		out = append(out, x)
	}
	return out
}

// called estimates a program that is called with inputs; nil: nothing is known of them.
func (e *estimator) called(p *plan.Plan, s *scope, times Range, bound []program.Binding, why []string) []written {
	inner := newScope(p, nil)
	given := map[string]bool{}
	for _, in := range bound {
		if v, ok := s.eval(in.Value); ok {
			inner.known[in.Name] = v
		}
		inner.sizes[in.Name] = s.size(in.Value)
		inner.counts[in.Name] = s.length(in.Value)
		given[in.Name] = true
	}
	for _, f := range p.Checked.Signature.Inputs {
		switch {
		case given[f.Name]:
		case f.HasDefault && bound != nil:
			inner.known[f.Name] = f.Default
			inner.sizes[f.Name] = exactly(size(f.Default))
		default:
			inner.sizes[f.Name] = bounds(f.Type, math.Inf(1))
		}
	}
	return e.inside(p, inner, times, why)
}

// inside estimates a program in which so much is known.
func (e *estimator) inside(p *plan.Plan, inner *scope, times Range, why []string) []written {
	before := len(e.steps)
	e.ops(p, inner, times)
	for _, x := range e.steps[before:] {
		x.Why = append(why[:len(why):len(why)], x.Why...)
	}
	var out []written
	for _, o := range p.Checked.Outputs {
		out = append(out, written{name: o.Name, size: inner.size(o.Value), count: inner.length(o.Value)})
	}
	return out
}

// merge adds what a step takes to what is known of it already: a module and what it
// holds are one step.
func (e *estimator) merge(x *Step) {
	for _, y := range e.steps {
		if y.Address != x.Address || y.Model != x.Model {
			continue
		}
		y.Calls, y.InputTokens, y.OutputTokens = y.Calls.add(x.Calls), y.InputTokens.add(x.InputTokens), y.OutputTokens.add(x.OutputTokens)
		if y.USD != nil && x.USD != nil {
			sum := y.USD.add(*x.USD)
			y.USD = &sum
		} else {
			y.USD = nil
		}
		for _, w := range x.Why {
			y.because(w)
		}
		return
	}
	why := x.Why
	x.Why = nil
	for _, w := range why {
		x.because(w)
	}
	e.steps = append(e.steps, x)
}

// because adds a reason, unless it is there.
func (s *Step) because(why string) {
	for _, w := range s.Why {
		if w == why {
			return
		}
	}
	s.Why = append(s.Why, why)
}

// habit is how often a module asks in one run of its step.
type habit struct {
	asks  Range // questions of its own
	parts Range // runs of each module that it holds
	tools Range // calls of each of its tools
	why   []string
}

// habitOf returns how often the module of an operation asks. A module that is not
// known here may ask any number of times.
func habitOf(op *plan.Op, s *scope) habit {
	any := Range{0, math.Inf(1)}
	once := exactly(1)
	samples := func(n Range, what string) habit {
		h := habit{parts: n}
		if n != once {
			h.why = []string{what + " " + n.String() + "×"}
		}
		return h
	}
	switch op.Module {
	case "predict":
		return habit{asks: once}
	case "chain_of_thought":
		h := habit{asks: s.option(op, "samples", 1)}
		if h.asks != once {
			h.why = []string{"sampled " + h.asks.String() + "×"}
		}
		return h
	case "retrieve":
		return habit{}
	case "best_of_n":
		n := s.option(op, "n", 5)
		if has(op, "threshold") {
			n.Min = 1
		}
		return samples(n, "sampled")
	case "majority":
		return samples(s.option(op, "n", 5), "sampled")
	case "refine":
		n := s.option(op, "n", 3)
		h := samples(Range{1, n.Max}, "tried")
		h.asks = Range{0, max(n.Max-1, 0)}
		h.why = append(h.why, "advice is asked for after each try but the last")
		return h
	case "retry":
		return samples(Range{1, s.option(op, "attempts", 3).Max}, "tried")
	case "multi_chain_comparison":
		h := samples(s.option(op, "m", 3), "sampled")
		h.asks = once
		return h
	case "react":
		n := s.option(op, "max_iters", 20)
		h := habit{asks: Range{1, n.Max + 1}, tools: any, why: []string{fmt.Sprintf("up to %s actions, and the answer", number(n.Max))}}
		if s.word(op, "style") == "dspy" {
			h.asks.Min, h.tools = 2, Range{0, n.Max}
		}
		return h
	case "program_of_thought":
		n := s.option(op, "max_iters", 3)
		if s.word(op, "language") == "python" {
			return habit{asks: Range{2, n.Max + 1}, why: []string{fmt.Sprintf("up to %s programs, and the answer", number(n.Max))}}
		}
		return habit{asks: Range{1, n.Max}, why: []string{fmt.Sprintf("up to %s programs", number(n.Max))}}
	case "code_act":
		n := s.option(op, "max_iters", 5)
		h := habit{asks: Range{1, n.Max + 1}, tools: any, why: []string{fmt.Sprintf("up to %s programs, and the answer", number(n.Max))}}
		if s.word(op, "language") == "python" {
			h.asks.Min = 2
		}
		return h
	case "parallel":
		return habit{parts: once}
	case "ensemble":
		h := habit{parts: once}
		if n := s.option(op, "size", float64(len(op.Parts))); n.Min < float64(len(op.Parts)) {
			h.parts = Range{0, 1} // which of them are asked is drawn
			h.why = []string{n.String() + " of its modules are asked"}
		}
		return h
	}
	return habit{asks: any, parts: any, tools: any, why: []string{"`" + op.Module + "` decides how often it asks"}}
}

// option returns a setting of a module that is a number.
func (s *scope) option(op *plan.Op, name string, otherwise float64) Range {
	for _, o := range op.Step.Options {
		if o.Name != name {
			continue
		}
		if v, ok := s.eval(o.Value); ok {
			switch n := v.(type) {
			case int:
				return exactly(float64(n))
			case nil:
				return exactly(otherwise)
			}
		}
		return Range{1, bounded(o.Value.Type)}
	}
	return exactly(otherwise)
}

// bounded returns the most that a number of a type can be.
func bounded(t types.Type) float64 {
	inner, _ := types.Unwrap(t)
	if p, ok := inner.(*types.Primitive); ok && p.Constraints.Max != nil {
		return *p.Constraints.Max
	}
	return math.Inf(1)
}

// has reports whether a setting of a module is written.
func has(op *plan.Op, name string) bool {
	for _, o := range op.Step.Options {
		if o.Name == name {
			return true
		}
	}
	return false
}

// word returns a setting of a module that is one of several words; "" where it is not
// written.
func (s *scope) word(op *plan.Op, name string) string {
	for _, o := range op.Step.Options {
		if o.Name == name {
			v, _ := s.eval(o.Value)
			text, _ := v.(string)
			return text
		}
	}
	return ""
}
