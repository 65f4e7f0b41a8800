package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/trace"
)

// tree is a run as a terminal shows it: its steps, those of programs that they call
// under them, and what each is doing. The elements of a for_each are one line.
type tree struct {
	branches []*branch // of the run's own program, in the order in which they began
	steps    map[int]*branch
}

// branch is a step, or all elements of one.
type branch struct {
	name     string
	since    time.Time
	took     time.Duration // once nothing of it is at work
	running  int
	ended    int
	failed   int
	each     bool
	doing    string // what was last heard of it
	branches []*branch
}

// maxTree is how many lines of a tree are shown.
const maxTree = 16

func newTree() *tree { return &tree{steps: map[int]*branch{}} }

// see takes an event of the run.
func (t *tree) see(e trace.Event) {
	if e.Kind == trace.StepStart {
		t.begin(e)
		return
	}
	b := t.steps[e.Step]
	if b == nil {
		return
	}
	switch e.Kind {
	case trace.StepEnd:
		delete(t.steps, e.Step)
		b.running--
		b.ended++
		if e.Err != nil {
			b.failed++
		}
		if b.running == 0 {
			b.took, b.doing = e.Time.Sub(b.since), ""
		}
	case trace.CallStart:
		b.doing = "asks " + e.Model
	case trace.CallEnd:
		b.doing = ""
	case trace.ToolStart:
		b.doing = "calls " + e.Tool
	case trace.ToolEnd:
		b.doing = ""
	case trace.Attempt:
		b.doing = fmt.Sprintf("attempt %d failed, the next in %s", e.Number, duration(e.Wait))
	case trace.Misfit:
		b.doing = "the reply did not fit, asked again"
	case trace.Asserted:
		b.doing = e.Assert + " does not hold: " + oneLine(e.Reason)
	case trace.Note:
		b.doing = oneLine(e.Reason)
	}
}

func (t *tree) begin(e trace.Event) {
	of := &t.branches
	if parent := t.steps[e.Parent]; parent != nil {
		if parent.each {
			t.steps[e.Step] = &branch{} // what elements call is not shown
			return
		}
		of = &parent.branches
	}
	name := e.Path[strings.LastIndexByte(e.Path, '/')+1:]
	if up := e.Path[:len(e.Path)-len(name)]; strings.HasSuffix(up, "/") {
		if round := up[strings.LastIndexByte(strings.TrimSuffix(up, "/"), '/')+1:]; strings.Contains(round, "#") {
			name = round + name // improve#2/critique
		}
	}
	each := e.Element != nil && strings.HasSuffix(name, "]")
	if each {
		name = name[:strings.LastIndexByte(name, '[')]
	}
	i := -1
	if each {
		i = slices.IndexFunc(*of, func(b *branch) bool { return b.each && b.name == name })
	}
	if i < 0 {
		*of = append(*of, &branch{name: name, since: e.Time, each: each})
		i = len(*of) - 1
	}
	b := (*of)[i]
	b.running++
	t.steps[e.Step] = b
}

// lines draws the tree: what is at work is always in it, what is done as long as
// there is room.
func (t *tree) lines(now time.Time, spin string) []string {
	type line struct {
		text string
		done bool
	}
	var all []line
	var draw func(bs []*branch, indent string)
	draw = func(bs []*branch, indent string) {
		for _, b := range bs {
			mark, took := spin, now.Sub(b.since)
			switch {
			case b.running == 0 && b.failed > 0:
				mark, took = "✗", b.took
			case b.running == 0:
				mark, took = "✓", b.took
			}
			s := fmt.Sprintf("%s%s %s  %.1f s", indent, mark, b.name, took.Seconds())
			if b.each {
				s += fmt.Sprintf("  %d done, %d at work", b.ended, b.running)
			}
			if b.failed > 0 && b.each {
				s += fmt.Sprintf(", %d failed", b.failed)
			}
			if b.running > 0 && b.doing != "" {
				s += "  " + b.doing
			}
			all = append(all, line{s, b.running == 0})
			if b.running > 0 {
				draw(b.branches, indent+"  ")
			}
		}
	}
	draw(t.branches, "")
	hidden := 0
	for len(all) > maxTree {
		i := slices.IndexFunc(all, func(l line) bool { return l.done })
		if i < 0 {
			hidden += len(all) - maxTree
			all = all[:maxTree]
			break
		}
		all = slices.Delete(all, i, i+1)
		hidden++
	}
	out := make([]string, 0, len(all)+1)
	if hidden > 0 {
		out = append(out, fmt.Sprintf("… %s more", plural(hidden, "step")))
	}
	for _, l := range all {
		out = append(out, l.text)
	}
	return out
}
