// Package estimate says before a run how many calls, tokens and dollars it will
// take.
//
//	Estimate  what a run of a plan takes, step by step and in all
//	Step      what one step takes
//	Range     from the least to the most (range.go)
//
// The number of calls is certain as far as the plan tells: each asks at least once
// where it cannot be skipped, and at most once more for each of its `retries`. A
// `when` may skip it; a `repeat` does from one round to `max_rounds`; a `for_each`
// runs once for each element, whose number is known where the list follows from the
// inputs that are given or its type bounds it, and is otherwise open. Tokens are
// reckoned: the prompt is written with what is known of its inputs and counted at
// four characters a token; what other steps will have written is taken as up to
// the longest that they may write.
package estimate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
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
	e := &estimator{notes: map[string]bool{}}
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
}

func (e *estimator) note(text string) { e.notes[text] = true }

// scope is what is known of the names in a plan.
type scope struct {
	plan  *plan.Plan
	known map[string]any   // values
	sizes map[string]Range // lengths in characters, by name or STEP.FIELD
}

func newScope(p *plan.Plan, outer *scope) *scope {
	s := &scope{plan: p, known: map[string]any{}, sizes: map[string]Range{}}
	if outer != nil {
		for n, v := range outer.known {
			s.known[n] = v
		}
		for n, v := range outer.sizes {
			s.sizes[n] = v
		}
	}
	return s
}

// ops estimates operations that happen so many times.
func (e *estimator) ops(p *plan.Plan, s *scope, times Range) {
	for _, op := range p.Ops {
		switch {
		case op.Kind == plan.ValueOp:
			if v, ok := s.eval(op.Let.Value); ok {
				s.known[op.Name] = v
			}
			s.sizes[op.Name] = s.size(op.Let.Value)
		case op.Kind == plan.RepeatOp:
			e.repeat(op, s, times)
		default:
			e.step(op, s, times)
		}
	}
}

func (e *estimator) step(op *plan.Op, s *scope, times Range) {
	st := op.Step
	var why []string
	inner := s
	elements := exactly(1)
	if !st.Flow.ForEach.IsZero() {
		inner = newScope(s.plan, s)
		elements = s.length(st.Flow.ForEach)
		if elements.Min != elements.Max {
			why = append(why, "once for each element of "+st.Flow.ForEach.Text())
		}
		times = times.times(elements)
		inner.sizes["each"] = s.size(st.Flow.ForEach).maybe()
	}
	if st.Flow.Conditional() {
		times = times.maybe()
		why = append(why, "it may be skipped")
	}
	wrote := func(name string, one Range) {
		if !st.Flow.ForEach.IsZero() {
			one = one.times(elements)
		}
		s.sizes[op.Name+"."+name] = one
		s.sizes[op.Name] = s.sizes[op.Name].add(one)
	}
	if op.Plan != nil {
		called := newScope(op.Plan, nil)
		for _, in := range st.Inputs {
			if v, ok := inner.eval(in.Value); ok && st.Flow.ForEach.IsZero() {
				called.known[in.Name] = v
			}
			called.sizes[in.Name] = inner.size(in.Value)
		}
		e.ops(op.Plan, called, times)
		for _, out := range op.Plan.Checked.Outputs {
			wrote(out.Name, called.size(out.Value))
		}
		return
	}
	if len(op.Pending) > 0 {
		e.note("the step `" + op.Name + "` cannot run in this version: " + op.Pending[0].Missing)
	}
	x := e.call(op, inner, times)
	x.Why = append(why, x.Why...)
	e.steps = append(e.steps, x)
	for _, f := range op.Signature.Outputs {
		wrote(f.Name, bounds(f.Type, replyTokens(op, inner).Max*perToken))
	}
}

func (e *estimator) repeat(op *plan.Op, s *scope, times Range) {
	r := op.Step.Repeat
	rounds := Range{1, math.Inf(1)}
	if v, ok := s.eval(r.MaxRounds); ok {
		if n, ok := v.(int); ok {
			rounds.Max = float64(n)
		}
	}
	if r.Until.IsZero() {
		rounds.Min = rounds.Max
	}
	if op.Step.Flow.Conditional() {
		times = times.maybe()
	}
	inner := newScope(op.Plan, s)
	for _, f := range r.State {
		delete(inner.known, f.Name)
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

// call estimates the calls of a step that happens so many times.
func (e *estimator) call(op *plan.Op, s *scope, times Range) *Step {
	x := &Step{Address: op.Address, Model: op.Model.Address}
	st := op.Step
	retries := plan.DefaultRetries
	if v, ok := s.eval(st.Settings.Retries); ok {
		if n, ok := v.(int); ok {
			retries = n
		}
	}
	adapter, ok := prompt.Lookup(st.Settings.Adapter)
	if !ok {
		adapter = prompt.Chat()
	}
	sig := *op.Signature
	if op.Instructions != "" {
		sig.Instructions = op.Instructions
	}
	if sig.Instructions == "" {
		sig.Instructions = st.Declared.DefaultInstructions()
	}
	given := &value.Object{}
	open := Range{}
	for _, in := range st.Inputs {
		if v, ok := s.eval(in.Value); ok {
			given.Set(in.Name, v)
			continue
		}
		given.Set(in.Name, "")
		open = open.add(s.size(in.Value))
	}
	fixed := 0.0
	for _, m := range adapter.Messages(&sig, op.Demos, given) {
		fixed += float64(utf8.RuneCountInString(m.Text()))
	}
	in := exactly(fixed).add(open).times(exactly(1.0 / perToken))
	reply := replyTokens(op, s)
	asks := Range{1, float64(1 + retries)}
	if retries > 0 {
		x.Why = append(x.Why, fmt.Sprintf("asked again up to %d× when the reply does not fit", retries))
	}
	if _, ok := adapter.(prompt.Extractor); ok {
		asks = Range{2, 2 * asks.Max}
		x.Why = append(x.Why, "two calls: one to answer, one to read the answer")
	}
	if r := op.Model.Route; r != nil && len(r.Members) > 1 {
		asks.Max *= float64(len(r.Members))
		x.Why = append(x.Why, fmt.Sprintf("up to %d models of the route are asked", len(r.Members)))
	}
	x.Calls = asks.times(times)
	// What is asked again holds the reply and what was wrong with it, too.
	again := in.Max
	more := 0.0
	for range int(asks.Max) - 1 {
		again += 2 * reply.Max
		more += again
	}
	x.InputTokens = Range{in.Min * asks.Min, in.Max + more}.times(times)
	x.OutputTokens = reply.times(asks).times(times)
	if !reply.Open() && !capped(op, s) {
		e.note(fmt.Sprintf("a reply without max_tokens is taken to have at most %d tokens", UnboundedReply))
	}
	x.USD = cost(op.Model, x.InputTokens, x.OutputTokens)
	return x
}

// cost returns what tokens cost; nil when a price is not known.
func cost(m *plan.Model, in, out Range) *Range {
	price := func(p *lm.Price) Range {
		return Range{(in.Min*p.Input + out.Min*p.Output) / 1e6, times0(in.Max, p.Input)/1e6 + times0(out.Max, p.Output)/1e6}
	}
	if m.Route == nil {
		if m.Price == nil {
			return nil
		}
		r := price(m.Price)
		return &r
	}
	all := Range{math.Inf(1), 0}
	for _, member := range m.Route.Members {
		r := cost(member.Model, in, out)
		if r == nil {
			return nil
		}
		all.Min, all.Max = min(all.Min, r.Min), max(all.Max, r.Max)
	}
	return &all
}

func times0(tokens, price float64) float64 {
	if price == 0 {
		return 0
	}
	return tokens * price
}

// capped reports whether max_tokens bounds the replies of a step.
func capped(op *plan.Op, s *scope) bool {
	if _, ok := s.eval(op.Step.Settings.MaxTokens); ok {
		return true
	}
	return op.Model.Params.MaxTokens != nil
}

// replyTokens is how long a reply may be.
func replyTokens(op *plan.Op, s *scope) Range {
	most := float64(UnboundedReply)
	if op.Model.Params.MaxTokens != nil {
		most = float64(*op.Model.Params.MaxTokens)
	}
	if v, ok := s.eval(op.Step.Settings.MaxTokens); ok {
		if n, ok := v.(int); ok {
			most = float64(n)
		}
	}
	return Range{1, most}
}

// eval returns a value that follows from what is known.
func (s *scope) eval(v program.Value) (any, bool) {
	switch {
	case v.IsZero():
		return nil, false
	case v.Expr == nil:
		if v.Field != "" {
			return nil, false
		}
		x, ok := s.known[v.Root]
		return x, ok
	}
	code, err := v.Expr.Compile()
	if err != nil {
		return nil, false
	}
	lacking := false
	x, err := code.Eval(context.Background(), func(root string) (any, bool) {
		if x, ok := s.known[root]; ok {
			return x, true
		}
		if root == "var" {
			return plan.Variables(s.plan.Checked.Names, s.plan.Values), true
		}
		lacking = true
		return nil, false
	})
	return x, err == nil && !lacking
}

// size returns how many characters a value has.
func (s *scope) size(v program.Value) Range {
	if x, ok := s.eval(v); ok {
		return exactly(size(x))
	}
	if v.Expr == nil {
		name := v.Root
		if v.Field != "" {
			name += "." + v.Field
		}
		if r, ok := s.sizes[name]; ok {
			return r
		}
		return Range{0, math.Inf(1)}
	}
	sum := Range{0, 0}
	for _, ref := range v.Expr.Refs() {
		name := ref.Root
		if len(ref.Path) > 0 {
			if r, ok := s.sizes[name+"."+ref.Path[0]]; ok {
				sum.Max += r.Max
				continue
			}
		}
		if r, ok := s.sizes[name]; ok {
			sum.Max += r.Max
		} else if x, ok := s.known[name]; ok {
			sum.Max += size(x)
		} else if name != "var" {
			sum.Max = math.Inf(1)
		}
	}
	return Range{0, sum.Max + float64(utf8.RuneCountInString(v.Text()))}
}

// length returns how many elements a list has.
func (s *scope) length(v program.Value) Range {
	if x, ok := s.eval(v); ok {
		if list, ok := x.([]any); ok {
			return exactly(float64(len(list)))
		}
	}
	r := Range{0, math.Inf(1)}
	inner, _ := types.Unwrap(v.Type)
	if list, ok := inner.(*types.List); ok {
		if n := list.Constraints.MinItems; n != nil {
			r.Min = float64(*n)
		}
		if n := list.Constraints.MaxItems; n != nil {
			r.Max = float64(*n)
		}
	}
	return r
}

// size is how many characters a value has in a prompt.
func size(v any) float64 {
	if text, ok := v.(string); ok {
		return float64(utf8.RuneCountInString(text))
	}
	return float64(utf8.RuneCount(value.EncodeJSON(v)))
}

// bounds is how many characters a value of a type may have, at most most.
func bounds(t types.Type, most float64) Range {
	inner, _ := types.Unwrap(t)
	r := Range{0, most}
	switch t := inner.(type) {
	case *types.Primitive:
		switch {
		case t.Constraints.MaxLength != nil:
			r.Max = min(most, float64(*t.Constraints.MaxLength))
		case t.Row.Base == types.IntBase || t.Row.Base == types.FloatBase || t.Row.Base == types.BoolBase:
			r.Max = min(most, 24)
		}
	case *types.Enum, *types.Literal:
		r.Max = min(most, 200)
	}
	return r
}
