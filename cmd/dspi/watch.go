package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
)

// watch follows one run: which steps are at work, which are done. Its see is the
// run's sink.
type watch struct {
	mu      sync.Mutex
	active  []activity
	ended   int
	total   int
	waiting string // what an attempt that failed is waiting for
	tree    *tree
}

// activity is a step at work.
type activity struct {
	address string
	since   time.Time
}

func newWatch(p *plan.Plan) *watch { return &watch{total: countSteps(p), tree: newTree()} }

func countSteps(p *plan.Plan) int {
	n := 0
	for _, op := range p.Ops {
		switch {
		case op.Plan != nil:
			n += 1 + countSteps(op.Plan)
		case op.Kind == plan.StepOp:
			n++
		}
	}
	return n
}

// see takes an event of the run.
func (w *watch) see(e trace.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tree.see(e)
	switch e.Kind {
	case trace.StepStart:
		w.active = append(w.active, activity{e.Address, e.Time})
	case trace.StepEnd:
		i := slices.IndexFunc(w.active, func(x activity) bool { return x.address == e.Address })
		if i >= 0 {
			w.active = slices.Delete(w.active, i, i+1)
		}
		if e.Err == nil {
			w.ended++
		}
	case trace.Attempt:
		w.waiting = fmt.Sprintf("attempt %d failed, the next in %s", e.Number, duration(e.Wait))
	case trace.Misfit:
		w.waiting = "the reply did not fit, asked again"
	case trace.CallStart, trace.CallEnd:
		w.waiting = ""
	}
}

// done says how far the run came.
func (w *watch) done() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("%d of %s done", w.ended, plural(w.total, "step"))
}

// line is what the terminal shows at a time: for a program of one step a line, for
// one of several a tree.
func (w *watch) line(now time.Time, frame int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.active) == 0 {
		return ""
	}
	if w.total > 1 {
		return strings.Join(w.tree.lines(now, spinner[frame%len(spinner)]), "\n")
	}
	var names []string
	for _, x := range w.active {
		names = append(names, strings.TrimPrefix(x.address, "program."))
	}
	s := fmt.Sprintf("%s %s  %.1f s", spinner[frame%len(spinner)], strings.Join(names, ", "), now.Sub(w.active[0].since).Seconds())
	if w.waiting != "" {
		s += "  " + w.waiting
	}
	return s
}

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// show draws the watch on standard error, if that is a terminal, until the
// function it returns is called.
func (w *watch) show(a *app) (stop func()) {
	frame := 0
	return a.redraw(100*time.Millisecond, func(now time.Time) string { frame++; return w.line(now, frame) })
}

// redraw writes the lines that draw returns over the last ones, again and again,
// until stop is called, which clears them. It does nothing where standard error is
// no terminal.
func (a *app) redraw(every time.Duration, draw func(now time.Time) string) (stop func()) {
	if !a.terminal(a.errFile) {
		return func() {}
	}
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(every)
		defer tick.Stop()
		clear := "\r\x1b[J"
		for {
			select {
			case <-quit:
				fmt.Fprint(a.err, clear)
				return
			case now := <-tick.C:
				lines := strings.Split(draw(now), "\n")
				for i, l := range lines {
					lines[i] = fitLine(l, a.width(a.errFile))
				}
				fmt.Fprint(a.err, clear+strings.Join(lines, "\r\n"))
				clear = "\r\x1b[J"
				if n := len(lines) - 1; n > 0 {
					clear = fmt.Sprintf("\r\x1b[%dA\x1b[J", n)
				}
			}
		}
	}()
	var once sync.Once
	return func() { once.Do(func() { close(quit); <-gone }) }
}

// fitLine cuts a line to the columns of a terminal.
func fitLine(s string, width int) string {
	r := []rune(s)
	if width > 1 && len(r) >= width {
		return string(r[:width-2]) + "…"
	}
	return s
}
