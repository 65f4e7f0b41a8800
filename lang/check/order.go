package check

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
)

// The order of steps.
//
// A step waits for the steps and named values that its inputs and settings read.
// What is read is known from the expressions, so the order needs no words of its
// own. A program is a graph whose edges are these waits; where the graph has a
// ring, no step of the ring can start. Rings are found as strongly connected
// components (Tarjan, "Depth-first search and linear graph algorithms", 1972);
// each is reported once, along one shortest way round it.

// wait is one edge of the graph: who waits reads `root.field` at a place.
type wait struct {
	on    string
	text  string
	place source.Place
}

// orderProgram fills Needs of steps and named values and reports rings.
func (c *checker) orderProgram(b *body) {
	waits := map[string][]wait{}
	names := []string{}
	nodes := map[string]bool{}
	for _, s := range b.steps {
		nodes[s.step.Name] = true
		names = append(names, s.step.Name)
	}
	for _, l := range b.lets {
		nodes[l.value.Name] = true
		names = append(names, l.value.Name)
	}
	collect := func(who string, values ...program.Value) []string {
		var needs []string
		for _, v := range values {
			for _, w := range waitsOf(v) {
				if !nodes[w.on] {
					continue
				}
				waits[who] = append(waits[who], w)
				if !slices.Contains(needs, w.on) {
					needs = append(needs, w.on)
				}
			}
		}
		return needs
	}
	for _, s := range b.steps {
		st := s.step
		values := []program.Value{}
		for _, in := range st.Inputs {
			if !in.Auto {
				values = append(values, in.Value)
			}
		}
		values = append(values, settingValues(st)...)
		if s.repeat != nil {
			values = append(values, c.orderRepeat(s)...)
		}
		if st.Flow.Otherwise != "" {
			values = append(values, program.Value{Root: st.Flow.Otherwise, Place: s.settings["otherwise"].at})
		}
		st.Needs = collect(st.Name, values...)
	}
	for _, l := range b.lets {
		l.value.Needs = collect(l.value.Name, l.value.Value)
	}
	for _, ring := range rings(names, waits) {
		c.report(c.stepRing(b, ring))
	}
}

// settingValues are the values in a step beside its inputs.
func settingValues(st *program.Step) []program.Value {
	k := st.Settings
	values := []program.Value{k.Instructions, k.Temperature, k.TopP, k.MaxTokens, k.Seed, k.Stop, k.Retries, k.Rollout, k.ReasoningEffort,
		st.Flow.When, st.Flow.Concurrency}
	if st.Flow.ForEach.Expr != nil {
		values = append(values, st.Flow.ForEach)
	}
	for _, o := range st.Options {
		if !o.Value.IsZero() {
			values = append(values, o.Value)
		}
	}
	if st.Inner != nil {
		values = append(values, settingValues(st.Inner)...)
	}
	for _, p := range st.Parts {
		values = append(values, settingValues(p)...)
	}
	return values
}

// orderRepeat orders the steps of a `repeat` and returns all values in it: what
// they read outside, the `repeat` waits for.
func (c *checker) orderRepeat(s *stepNode) []program.Value {
	c.orderProgram(s.repeat)
	r := s.step.Repeat
	values := []program.Value{r.MaxRounds, r.Until}
	for _, b := range append(slices.Clone(r.Init), r.Next...) {
		values = append(values, b.Value)
	}
	for _, l := range r.Lets {
		values = append(values, l.Value)
	}
	for _, x := range s.repeat.steps {
		for _, in := range x.step.Inputs {
			if !in.Auto {
				values = append(values, in.Value)
			}
		}
		values = append(values, settingValues(x.step)...)
		if x.repeat != nil {
			values = append(values, x.inside...)
		}
	}
	s.inside = values
	return values
}

// waitsOf returns what a value reads.
func waitsOf(v program.Value) []wait {
	if v.Expr == nil {
		if v.Root == "" {
			return nil
		}
		return []wait{{v.Root, v.Text(), v.Place}}
	}
	var out []wait
	for _, r := range v.Expr.Refs() {
		at := source.Place{File: v.Place.File, Span: r.Span}
		out = append(out, wait{r.Root, at.Text(), at})
	}
	return out
}

// link is one step of a ring: from waits for the next link's from, at wait.
type link struct {
	from string
	wait wait
}

// rings returns one shortest ring of each strongly connected component.
func rings(names []string, waits map[string][]wait) [][]link {
	var out [][]link
	for _, comp := range components(names, waits) {
		if ring := shortestRing(comp, waits); ring != nil {
			out = append(out, ring)
		}
	}
	return out
}

func components(names []string, waits map[string][]wait) [][]string {
	var (
		index   = map[string]int{}
		low     = map[string]int{}
		onStack = map[string]bool{}
		stack   []string
		out     [][]string
		visit   func(v string)
	)
	visit = func(v string) {
		index[v] = len(index) + 1
		low[v] = index[v]
		stack, onStack[v] = append(stack, v), true
		for _, w := range waits[v] {
			if index[w.on] == 0 {
				visit(w.on)
				low[v] = min(low[v], low[w.on])
			} else if onStack[w.on] {
				low[v] = min(low[v], index[w.on])
			}
		}
		if low[v] != index[v] {
			return
		}
		var comp []string
		for {
			w := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			onStack[w] = false
			comp = append(comp, w)
			if w == v {
				break
			}
		}
		out = append(out, comp)
	}
	for _, n := range names {
		if index[n] == 0 {
			visit(n)
		}
	}
	return out
}

// shortestRing returns a shortest ring within a component, nil when it has none.
func shortestRing(comp []string, waits map[string][]wait) []link {
	slices.Sort(comp)
	var best []link
	for _, start := range comp {
		from := map[string]link{} // how each was reached
		queue := []string{start}
		for len(queue) > 0 {
			v := queue[0]
			queue = queue[1:]
			for _, w := range waits[v] {
				if !slices.Contains(comp, w.on) {
					continue
				}
				if w.on == start {
					ring := []link{{v, w}}
					for v != start {
						l := from[v]
						ring = append([]link{l}, ring...)
						v = l.from
					}
					if best == nil || len(ring) < len(best) {
						best = ring
					}
					queue = nil
					break
				}
				if _, seen := from[w.on]; !seen {
					from[w.on] = link{v, w}
					queue = append(queue, w.on)
				}
			}
		}
	}
	return best
}

// stepRing words a ring: steps wait for each other.
func (c *checker) stepRing(b *body, ring []link) *diag.Diagnostic {
	// Begin with the one that stands first in the text.
	first := 0
	for i, l := range ring {
		if l.wait.place.Start < ring[first].wait.place.Start {
			first = i
		}
	}
	ring = append(slices.Clone(ring[first:]), ring[:first]...)
	if len(ring) == 1 {
		l := ring[0]
		return diag.New("E0401", l.wait.place, code(l.from)+" waits for itself").
			Say("A step starts when its inputs are ready, so `%s` can never start: it reads `%s`, which it makes itself.", l.from, l.wait.text)
	}
	d := diag.New("E0401", ring[0].wait.place, code(ring[0].from)+" waits for "+code(ring[0].wait.on)+" ...")
	rest := slices.Clone(ring[1:])
	slices.SortFunc(rest, func(a, b link) int { return int(a.wait.place.Start - b.wait.place.Start) })
	for i, l := range rest {
		text := "... " + code(l.from) + " waits for " + code(l.wait.on) + " ..."
		if i == len(ring)-2 {
			text = "... and " + code(l.from) + " waits for " + code(l.wait.on)
		}
		d.Relate(l.wait.place, "%s", text)
	}
	return d.Say("A step starts when its inputs are ready, so none of these can ever start:\n\n%s", drawRing(ring))
}

// drawRing draws who hands what to whom: what is read comes first.
func drawRing(ring []link) string {
	s := "    ┌─────┐\n"
	for i := len(ring) - 1; i >= 0; i-- {
		l := ring[i]
		s += "    │   " + l.wait.on + "\n"
		if i > 0 {
			s += "    │     ↓  " + l.wait.text + "\n"
		} else {
			s += "    └─────┘  " + l.wait.text
		}
	}
	return s
}

// letRing words a named value that needs itself.
func letRing(b *body, l *letNode, other string, place source.Place) *diag.Diagnostic {
	at := b.fs.place(l.let.Value.Span)
	for _, r := range l.expr.Refs() {
		if r.Root == other {
			at.Span = r.Span
		}
	}
	if l.value.Name == other {
		return diag.New("E0406", at, code(l.value.Name)+" is made of itself")
	}
	return diag.New("E0406", at, code(l.value.Name)+" is made of "+code(other)+" ...").
		Relate(place, "... which is made of %s", code(l.value.Name)).
		Say("A named value is what its expression gives, so it cannot need itself.")
}

// callsIn returns the programs that steps call: by their kind, by `use`, inside a
// `repeat` and inside a wrapping module. A program behind a tool does not: a model
// decides whether to call it, and the machine limits how deep that goes.
func callsIn(b *body, steps []*stepNode) []wait {
	var out []wait
	for _, s := range steps {
		if s.block == nil {
			continue
		}
		at := b.fs.place(s.block.KindSpan())
		if s.step.Program != nil {
			out = append(out, wait{s.step.Program.Name, s.step.Name, at})
		}
		for _, name := range choicesOf(s.step.Use) {
			if d, ok := b.fs.lookup(programKind, name); ok {
				out = append(out, wait{d.full, s.step.Name, at})
			}
		}
		if s.inner != nil {
			out = append(out, callsIn(b, []*stepNode{s.inner})...)
		}
		out = append(out, callsIn(b, s.parts)...)
		if s.repeat != nil {
			out = append(out, callsIn(b, s.repeat.steps)...)
		}
	}
	return out
}

// checkRings reports programs that call each other in a ring.
func (c *checker) checkRings() {
	waits := map[string][]wait{}
	var names []string
	for _, b := range c.bodies {
		if calls := callsIn(b, b.steps); len(calls) > 0 {
			names = append(names, b.prog.Name)
			waits[b.prog.Name] = calls
		}
	}
	for _, ring := range rings(names, waits) {
		d := diag.New("E0405", ring[0].wait.place, code(ring[0].from)+" calls "+code(ring[0].wait.on))
		for _, l := range ring[1:] {
			d.Relate(l.wait.place, "%s calls %s", code(l.from), code(l.wait.on))
		}
		if len(ring) == 1 {
			d.Primary.Text = code(ring[0].from) + " calls itself"
		}
		c.report(d.Say("A program that needs itself to finish never does. Repetition is written with steps that hold a state, not with programs that call each other."))
	}
}
