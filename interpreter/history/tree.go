package history

import (
	"cmp"
	"slices"
	"time"
)

// Node is a step with its calls.
type Node struct {
	Step
	Calls []Call
}

// Made is a call that a step made: of a model or, the other nil, of a tool.
type Made struct {
	Call *Call
	Tool *ToolCall
}

func (m Made) number() int {
	if m.Tool != nil {
		return m.Tool.Number
	}
	return m.Call.Number
}

// Made returns the calls of the step, of models and tools, in the order of their
// numbers.
func (n *Node) Made() []Made {
	out := make([]Made, 0, len(n.Calls)+len(n.Tools))
	for i := range n.Calls {
		out = append(out, Made{Call: &n.Calls[i]})
	}
	for i := range n.Tools {
		out = append(out, Made{Tool: &n.Tools[i]})
	}
	slices.SortStableFunc(out, func(a, b Made) int { return cmp.Compare(a.number(), b.number()) })
	return out
}

// Tree returns the steps of a run with their calls, in the order in which they
// began. A step that has no end was not written: what is known of it is what its
// calls say, and its Status is Unended.
func (w *Whole) Tree() []Node {
	at := map[int]int{}
	var nodes []Node
	for _, s := range w.Steps {
		at[s.Number] = len(nodes)
		nodes = append(nodes, Node{Step: s})
	}
	for _, c := range w.Calls {
		i, ok := at[c.Step]
		if !ok {
			i = len(nodes)
			at[c.Step] = i
			status := Unended
			if w.Status == Running {
				status = Running
			}
			nodes = append(nodes, Node{Step: Step{Run: w.ID, Number: c.Step, Address: c.Address, Status: status, Started: c.Started, Inputs: null(), Outputs: null()}})
		}
		n := &nodes[i]
		n.Calls = append(n.Calls, c)
		if n.Status == Unended || n.Status == Running {
			n.Duration = max(n.Duration, c.Started.Add(c.Duration).Sub(n.Started))
		}
	}
	slices.SortStableFunc(nodes, func(a, b Node) int { return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Number, b.Number)) })
	return nodes
}

// Span returns how long what is known of a run took, its end or not.
func (w *Whole) Span() time.Duration {
	d := w.Duration()
	for _, n := range w.Tree() {
		d = max(d, n.Started.Add(n.Duration).Sub(w.Started))
	}
	return d
}
