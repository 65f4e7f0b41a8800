package estimate

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// call estimates a question that is asked so many times. Bound is where its inputs come
// from.
func (e *estimator) call(op *plan.Op, s *scope, times Range, bound []program.Binding) *Step {
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
	for _, in := range bound {
		if v, ok := s.eval(in.Value); ok {
			given.Set(in.Name, v)
			continue
		}
		given.Set(in.Name, "")
		open = open.add(s.size(in.Value))
	}
	fixed := 0.0
	demos := op.Demos
	if op.Nearest > 0 { // which of them depends on the inputs
		demos = demos[:min(op.Nearest, len(demos))]
	}
	for _, m := range adapter.Messages(&sig, demos, given) {
		fixed += float64(utf8.RuneCountInString(m.Text()))
	}
	in := exactly(fixed).add(open).add(inside(op)).times(exactly(1.0 / perToken))
	reply := replyTokens(op, s)
	asks := Range{1, float64(1 + retries)}
	if retries > 0 {
		x.Why = append(x.Why, fmt.Sprintf("asked again up to %d× when the reply does not fit", retries))
	}
	if _, ok := adapter.(prompt.Extractor); ok {
		asks = asks.add(exactly(1)) // the first answer is free, so it always fits
		x.Why = append(x.Why, "two calls: one to answer, one to read the answer")
	}
	if r := op.Model.Route; r != nil && len(r.Members) > 1 {
		x.Why = append(x.Why, fmt.Sprintf("up to %d models of the route are asked", len(r.Members)))
	}
	if hedges(op.Model) {
		x.Why = append(x.Why, "requests are sent again when no reply comes for a while (hedge)")
	}
	asks.Max *= requests(op.Model)
	x.Calls = asks.times(times)
	// What is asked again holds the reply and what was wrong with it, too.
	k := asks.Max - 1
	more := Range{0, k}.times(in).add(Range{0, k * (k + 1)}.times(reply))
	x.InputTokens = Range{in.Min * asks.Min, in.Max + more.Max}.times(times)
	x.OutputTokens = reply.times(asks).times(times)
	if !reply.Open() && !capped(op, s) {
		e.note(fmt.Sprintf("a reply without max_tokens is taken to have at most %d tokens", UnboundedReply))
	}
	x.USD = cost(op.Model, x.InputTokens, x.OutputTokens)
	return x
}

// requests returns how many requests one call of a model may take: each member of a
// route one, and each with its hedges.
func requests(m *plan.Model) float64 {
	if m.Route == nil {
		if m.Hedge.After > 0 {
			return 1 + float64(m.Hedge.Max)
		}
		return 1
	}
	sum := 0.0
	for _, member := range m.Route.Members {
		sum += requests(member.Model)
	}
	return max(sum, 1)
}

// hedges reports whether a model sends a request again while the first is under way.
func hedges(m *plan.Model) bool {
	if m.Route == nil {
		return m.Hedge.After > 0
	}
	for _, member := range m.Route.Members {
		if hedges(member.Model) {
			return true
		}
	}
	return false
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

// inside is how many characters tuning adds to a question of a predictor inside the
// module: what the predictors have differs, and which of them is asked is not known.
func inside(op *plan.Op) Range {
	var out Range
	first := true
	for _, t := range op.Inner {
		demos := t.Demos
		if t.Nearest > 0 {
			demos = demos[:min(t.Nearest, len(demos))]
		}
		n := float64(utf8.RuneCountInString(t.Instructions))
		for _, d := range demos {
			for _, v := range d.All() {
				n += float64(utf8.RuneCountInString(prompt.Text(v)))
			}
		}
		if first {
			out, first = exactly(n), false
		}
		out = Range{min(out.Min, n), max(out.Max, n)}
	}
	return out
}
