package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
)

// drawing is a graph under way.
type drawing struct {
	graph
	ids   map[string]bool
	pairs map[pair]*edge
}

// pair is what two labels have in common that stand on one edge.
type pair struct {
	from, to *node
	dashed   bool
}

// drawn is what stands for a name in the graph.
type drawn struct {
	node  *node            // of an input, a step, a value
	parts map[string]*node // of a box: what can be read of it, by name
	ins   map[string]*node // of a called program: its inputs
	entry *node            // where edges go that concern the whole
	exit  *node            // where they come from
}

// names are the names that can be read at one place of a program.
type names struct {
	outer  *names
	inputs map[string]*node
	at     map[string]*drawn
}

// draw makes the graph of a plan.
func draw(p *Plan) *graph {
	d := &drawing{ids: map[string]bool{}, pairs: map[pair]*edge{}}
	d.title = "program " + p.Program
	d.top = &box{}
	d.program(d.top, p, "")
	return &d.graph
}

// program draws a plan with its inputs and outputs into a box. The path tells
// its nodes from those of other programs.
func (d *drawing) program(b *box, p *Plan, path string) *drawn {
	out := &drawn{parts: map[string]*node{}, ins: map[string]*node{}}
	in := &names{inputs: out.ins, at: map[string]*drawn{}}
	for _, f := range p.Checked.Signature.Inputs {
		out.ins[f.Name] = d.node(b, path+"in_"+f.Name, inputShape, fieldLabel(f))
	}
	d.ops(b, p.Ops, in, path)
	for i, f := range p.Checked.Signature.Outputs {
		n := d.node(b, path+"out_"+f.Name, outputShape, fieldLabel(f))
		out.parts[f.Name] = n
		if i < len(p.Checked.Outputs) {
			d.flows(in, p.Checked.Outputs[i].Value, n, f.Name)
		}
		if out.exit == nil {
			out.exit = n
		}
	}
	out.entry = first(b)
	return out
}

// ops draws operations that stand together, then what flows between them.
func (d *drawing) ops(b *box, ops []*Op, in *names, path string) {
	for _, op := range ops {
		in.at[op.Name] = d.op(b, op, in, path)
	}
	for _, op := range ops {
		d.into(op, in)
	}
}

// op draws an operation, and of a box what is in it.
func (d *drawing) op(b *box, op *Op, in *names, path string) *drawn {
	switch op.Kind {
	case ValueOp:
		n := d.node(b, path+"let_"+op.Name, valueShape, "let "+op.Name, "= "+clipped(op.Let.Value.Text()))
		return single(n)
	case StepOp:
		n := d.node(b, path+"step_"+op.Name, stepShape, append([]string{op.Name}, op.labels()...)...)
		n.many = !op.Step.Flow.ForEach.IsZero()
		return single(n)
	}
	inner := &box{id: d.id(path + "box_" + op.Name), title: op.boxTitle()}
	b.items = append(b.items, inner)
	path += op.Name + "_"
	if op.Kind == CallOp {
		return d.program(inner, op.Plan, path)
	}
	return d.repeat(inner, op, in, path)
}

func single(n *node) *drawn { return &drawn{node: n, entry: n, exit: n} }

// repeat draws the state of a `repeat`, a round, and what ends it.
func (d *drawing) repeat(b *box, op *Op, in *names, path string) *drawn {
	r := op.Step.Repeat
	out := &drawn{parts: map[string]*node{}}
	inside := &names{outer: in, at: map[string]*drawn{}}
	for _, f := range r.State {
		n := d.node(b, path+"state_"+f.Name, stateShape, fieldLabel(f))
		out.parts[f.Name] = n
		inside.at[f.Name] = single(n)
	}
	lines := []string{"at most " + clipped(r.MaxRounds.Text()) + " rounds"}
	if !r.Until.IsZero() {
		lines = append([]string{"until " + clipped(r.Until.Text())}, lines...)
	}
	end := &node{id: d.id(path + "end"), shape: endShape, lines: lines}
	inside.at["round"] = single(end)
	d.ops(b, op.Plan.Ops, inside, path)
	b.items = append(b.items, end)
	for _, x := range r.Next {
		d.labelled(inside, x.Value, out.parts[x.Name], func(field string) string { return "next: " + asName(field, x.Name) })
	}
	d.flows(inside, r.Until, end, "")
	d.flows(in, r.MaxRounds, end, "")
	out.parts["round"], out.parts["done"] = end, end
	out.entry, out.exit = first(b), end
	return out
}

// into draws what flows into an operation.
func (d *drawing) into(op *Op, in *names) {
	to := in.at[op.Name]
	if op.Kind == ValueOp {
		d.flows(in, op.Let.Value, to.node, "")
		return
	}
	st := op.Step
	if st.Repeat != nil {
		for _, x := range st.Repeat.Init {
			d.flows(in, x.Value, to.parts[x.Name], x.Name)
		}
	}
	for _, x := range st.Inputs {
		d.flows(in, x.Value, to.input(x.Name), x.Name)
	}
	d.each(st, to, in)
	d.settings(st, to.entry, in)
	d.when(st, to.entry, in)
}

// input returns the node that takes an input: the step itself, or the input of
// the called program.
func (t *drawn) input(name string) *node {
	if n, ok := t.ins[name]; ok {
		return n
	}
	return t.entry
}

// each draws the list of a `for_each`.
func (d *drawing) each(st *program.Step, to *drawn, in *names) {
	f := st.Flow
	if f.ForEach.IsZero() {
		return
	}
	d.flows(in, f.Concurrency, to.entry, "concurrency")
	read := false
	for _, x := range st.Inputs {
		for _, path := range eachRefs(x.Value) {
			word := "each of "
			if path == "index" {
				word = "index in "
			}
			read = true
			d.labelled(in, f.ForEach, to.input(x.Name), func(field string) string { return word + asName(field, x.Name) })
		}
	}
	if !read {
		d.labelled(in, f.ForEach, to.entry, func(field string) string { return "each of " + field })
	}
}

// eachRefs returns what an expression reads of `each`: "value", "index".
func eachRefs(v program.Value) []string {
	var out []string
	references(v, func(root string, path []string) {
		if root == "each" && len(path) > 0 && !slices.Contains(out, path[0]) {
			out = append(out, path[0])
		}
	})
	return out
}

// settings draws the fields that settings read.
func (d *drawing) settings(st *program.Step, to *node, in *names) {
	s := st.Settings
	for _, x := range []struct {
		name  string
		value program.Value
	}{
		{"instructions", s.Instructions}, {"temperature", s.Temperature}, {"top_p", s.TopP}, {"max_tokens", s.MaxTokens},
		{"seed", s.Seed}, {"stop", s.Stop}, {"retries", s.Retries}, {"rollout", s.Rollout}, {"reasoning_effort", s.ReasoningEffort},
	} {
		d.flows(in, x.value, to, x.name)
	}
	for _, o := range st.Options {
		d.flows(in, o.Value, to, o.Name)
	}
}

// when draws what decides whether a step runs. A condition that reads no field
// becomes a line of the label.
func (d *drawing) when(st *program.Step, to *node, in *names) {
	if from, ok := in.at[st.Flow.Otherwise]; ok {
		d.connect(pair{from.exit, to, true}, "otherwise")
	}
	if st.Flow.When.IsZero() {
		return
	}
	label := "when " + clipped(st.Flow.When.Text())
	found := false
	references(st.Flow.When, func(root string, path []string) {
		if n, _, ok := in.find(root, path); ok {
			found = true
			d.connect(pair{n, to, true}, label)
		}
	})
	if !found {
		to.lines = append(to.lines, label)
	}
}

// flows draws the fields that an expression reads as edges to a node, which
// takes them under a name; "" when it has none for them.
func (d *drawing) flows(in *names, v program.Value, to *node, name string) {
	d.labelled(in, v, to, func(field string) string { return asName(field, name) })
}

func asName(field, name string) string {
	if field == name || name == "" {
		return field
	}
	return field + " as " + name
}

func (d *drawing) labelled(in *names, v program.Value, to *node, label func(field string) string) {
	if to == nil {
		return
	}
	references(v, func(root string, path []string) {
		if n, field, ok := in.find(root, path); ok && (n != to || to.shape == stateShape) {
			d.connect(pair{n, to, false}, label(field))
		}
	})
}

// references calls see for each reference of a value in the order of the text.
func references(v program.Value, see func(root string, path []string)) {
	switch {
	case v.Expr != nil:
		for _, r := range v.Expr.Refs() {
			see(r.Root, r.Path)
		}
	case v.Field != "":
		see(v.Root, []string{v.Field})
	case v.Root != "":
		see(v.Root, nil)
	}
}

// find returns the node that a reference reads and the field that it takes from
// there. Variables and values of enums are not in the graph.
func (n *names) find(root string, path []string) (*node, string, bool) {
	for ; n != nil; n = n.outer {
		if x, ok := n.at[root]; ok {
			return x.read(root, path)
		}
		if x, ok := n.inputs[root]; ok {
			return x, root, true
		}
		if n.inputs != nil && root == "inputs" && len(path) > 0 {
			x, ok := n.inputs[path[0]]
			return x, path[0], ok
		}
	}
	return nil, "", false
}

func (t *drawn) read(root string, path []string) (*node, string, bool) {
	switch {
	case t.node != nil && t.node.shape != stepShape: // a value, a state, the round
		return t.node, root, true
	case len(path) == 0:
		return t.exit, root, t.exit != nil
	case t.node != nil:
		return t.node, path[0], true
	}
	n, ok := t.parts[path[0]]
	return n, path[0], ok
}

// connect adds a label to the edge between two nodes.
func (d *drawing) connect(p pair, label string) {
	if p.from == nil || p.to == nil {
		return
	}
	e, ok := d.pairs[p]
	if !ok {
		e = &edge{from: p.from, to: p.to, dashed: p.dashed}
		d.pairs[p] = e
		d.edges = append(d.edges, e)
	}
	if !slices.Contains(e.labels, label) {
		e.labels = append(e.labels, label)
	}
}

// node adds a node to a box.
func (d *drawing) node(b *box, id string, s shape, lines ...string) *node {
	n := &node{id: d.id(id), shape: s, lines: lines}
	b.items = append(b.items, n)
	return n
}

// id makes a name that both languages take as it is: ASCII letters, digits and
// `_`, of no two nodes the same.
func (d *drawing) id(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			b.WriteRune(r)
		case r == '.':
			b.WriteByte('_')
		default:
			b.WriteString("u" + strconv.FormatInt(int64(r), 16))
		}
	}
	id := b.String()
	for n := 2; d.ids[id]; n++ {
		id = b.String() + "_" + strconv.Itoa(n)
	}
	d.ids[id] = true
	return id
}

// first returns the first node of a box.
func first(b *box) *node {
	for _, it := range b.items {
		switch it := it.(type) {
		case *node:
			return it
		case *box:
			if n := first(it); n != nil {
				return n
			}
		}
	}
	return nil
}

func fieldLabel(f types.Field) string { return clipped(f.Name + ": " + f.Type.String()) }
