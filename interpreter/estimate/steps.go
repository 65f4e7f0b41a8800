package estimate

import (
	"fmt"
	"math"

	"github.com/dspi-lang/dspi/interpreter/plan"
)

// ops estimates operations that happen so many times.
func (e *estimator) ops(p *plan.Plan, s *scope, times Range) {
	for _, op := range p.Ops {
		switch {
		case op.Kind == plan.ValueOp:
			if v, ok := s.eval(op.Let.Value); ok {
				s.known[op.Name] = v
			}
			s.sizes[op.Name] = s.size(op.Let.Value)
			s.counts[op.Name] = s.length(op.Let.Value)
		case op.Kind == plan.RepeatOp:
			e.repeat(op, s, times)
		default:
			e.step(op, s, times)
		}
	}
}

// step estimates a step that happens so many times.
func (e *estimator) step(op *plan.Op, s *scope, times Range) {
	st := op.Step
	var why []string
	inner := s
	elements := exactly(1)
	runs := e.condition(op, s)
	if runs.Min != runs.Max {
		why = append(why, "it may be skipped")
	}
	times = times.times(runs)
	if !st.Flow.ForEach.IsZero() {
		inner = newScope(s.plan, s)
		elements = s.length(st.Flow.ForEach)
		if elements.Min != elements.Max {
			why = append(why, "once for each element of "+st.Flow.ForEach.Text())
		}
		times = times.times(elements)
		inner.sizes["each"] = s.size(st.Flow.ForEach).maybe()
	}
	sizes := e.work(op, inner, times, st.Inputs, why)
	for _, f := range sizes {
		if !st.Flow.ForEach.IsZero() {
			f.size, f.count = f.size.times(elements), elements
		}
		if runs.Min != runs.Max {
			f.size, f.count = f.size.maybe(), f.count.maybe()
		}
		s.counts[op.Name+"."+f.name] = f.count
		s.sizes[op.Name+"."+f.name] = f.size
		s.sizes[op.Name] = s.sizes[op.Name].add(f.size)
	}
}

// condition returns how often a step happens that `when` or `otherwise` may skip: once,
// not at all, or either, where it is not known.
func (e *estimator) condition(op *plan.Op, s *scope) Range {
	flow := op.Step.Flow
	runs := exactly(1)
	if !flow.When.IsZero() {
		runs = Range{0, 1}
		if v, ok := s.eval(flow.When); ok {
			runs = exactly(0)
			if v == true {
				runs = exactly(1)
			}
		}
	}
	if flow.Otherwise != "" {
		other, ok := s.runs[flow.Otherwise]
		if !ok {
			other = Range{0, 1}
		}
		runs = runs.times(Range{1 - other.Max, 1 - other.Min})
	}
	s.runs[op.Name] = runs
	return runs
}

// repeat estimates rounds of steps.
func (e *estimator) repeat(op *plan.Op, s *scope, times Range) {
	r := op.Step.Repeat
	rounds := Range{1, math.Inf(1)}
	if v, ok := s.eval(r.MaxRounds); ok {
		if n, ok := v.(int); ok {
			rounds.Max = float64(n)
		}
	}
	if r.Until.IsZero() && !rounds.Open() {
		rounds.Min = rounds.Max
	}
	times = times.times(e.condition(op, s))
	inner := newScope(op.Plan, s)
	for _, f := range r.State {
		delete(inner.known, f.Name)
		delete(inner.counts, f.Name)
		inner.sizes[f.Name] = bounds(f.Type, math.Inf(1))
	}
	before := len(e.steps)
	e.ops(op.Plan, inner, times.times(rounds))
	for _, x := range e.steps[before:] {
		if rounds.Min != rounds.Max {
			x.Why = append(x.Why, fmt.Sprintf("from 1 to %s rounds", number(rounds.Max)))
		}
	}
	for _, f := range r.State {
		s.sizes[op.Name+"."+f.Name] = inner.sizes[f.Name]
	}
	s.sizes[op.Name] = Range{0, math.Inf(1)}
}
