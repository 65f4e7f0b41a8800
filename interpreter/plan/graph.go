package plan

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/program"
)

// A plan drawn as a graph: inputs, operations and outputs are nodes, and an edge
// is a field that flows from one to another. Called programs and `repeat` are
// boxes with nodes of their own. What reads a field decides the edges, so they
// are taken from the references of the checked expressions. graph_draw.go makes
// the graph, Mermaid (graph_mermaid.go) and DOT (graph_dot.go) write it down; all
// three keep the order of the plan.

// graph is a plan as nodes, boxes and edges.
type graph struct {
	title string
	top   *box
	edges []*edge
}

// box is a part of the graph with a frame around it; the whole is one without.
type box struct {
	id    string
	title string
	items []any // *node and *box, in the order of the plan
}

// shape tells what a node stands for.
type shape int

const (
	inputShape shape = iota
	outputShape
	stepShape
	valueShape // `let`
	stateShape // a field of the state of a `repeat`
	endShape   // what ends a `repeat`
)

// node is one input, operation or output.
type node struct {
	id    string
	shape shape
	many  bool     // `for_each`: once for each element
	lines []string // its label
}

// edge is what flows from one node to another. A dashed one carries no value: it
// says whether the operation runs.
type edge struct {
	from, to *node
	dashed   bool
	labels   []string
}

func (e *edge) label() string { return strings.Join(e.labels, ", ") }

// maxLabel is how many characters of an expression a label shows.
const maxLabel = 60

// clipped returns a text in one line, cut to maxLabel characters.
func clipped(s string) string {
	s = oneLine(s)
	if utf8.RuneCountInString(s) <= maxLabel {
		return s
	}
	return string([]rune(s)[:maxLabel-1]) + "…"
}

// holding says what the module of a step holds: ` of majority of predict`.
func holding(st *program.Step) string {
	names := make([]string, 0, len(parts(st)))
	for _, p := range parts(st) {
		name := p.Module
		if p.Program != nil {
			name = p.Program.Name
		}
		names = append(names, name+holding(p))
	}
	if len(names) == 0 {
		return ""
	}
	return " of " + strings.Join(names, ", ")
}

// labels returns the lines of an operation's label but its name.
func (op *Op) labels() []string {
	var out []string
	st := op.Step
	module := op.Module + holding(st)
	if st.Use.Variable != nil && op.Kind == StepOp {
		module += " (var." + st.Use.Variable.Name + ")"
	}
	out = append(out, module)
	if op.Model != nil {
		out = append(out, op.modelName())
	}
	if !st.Flow.ForEach.IsZero() {
		out = append(out, eachLabel(st.Flow))
	}
	for _, a := range st.Asserts {
		word := "assert "
		if a.Suggest {
			word = "suggest "
		}
		out = append(out, word+a.Name)
	}
	return out
}

// modelName returns the model as a label shows it: the declared name and the
// address. A plan that is only a sketch may not know the address.
func (op *Op) modelName() string {
	m := op.Model
	switch {
	case m.Name != "" && m.Provider != "":
		return "model." + m.Name + " (" + m.Address + ")"
	case m.Name != "":
		return "model." + m.Name
	case m.Address != "":
		return m.Address
	case len(op.Choices) > 0:
		return op.Choices[0].Name
	}
	return "no model"
}

// eachLabel says how often a step runs.
func eachLabel(f program.Flow) string {
	s := "for each of " + clipped(f.ForEach.Text())
	if !f.Concurrency.IsZero() {
		s += ", " + f.Concurrency.Text() + " at once"
	}
	if f.NullOnError {
		s += ", null where one fails"
	}
	return s
}

// boxTitle returns what stands over the box of a called program or a `repeat`.
func (op *Op) boxTitle() string {
	if op.Kind == RepeatOp {
		return "repeat " + op.Name
	}
	s := fmt.Sprintf("%s: program %s", op.Name, op.Plan.Program)
	if !op.Step.Flow.ForEach.IsZero() {
		s += ", " + eachLabel(op.Step.Flow)
	}
	return s
}
