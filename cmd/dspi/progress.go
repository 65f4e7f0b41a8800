package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/lang/diag"
)

// progress counts the rows of a batch and says how it goes.
type progress struct {
	mu    sync.Mutex
	start time.Time
	total int // -1 while it is not known
	done  int
	bad   int
	usage interpreter.Usage
	why   map[diag.Code]*reason
}

// reason is why rows failed, by code.
type reason struct {
	title string
	rows  int
}

// quiet is how often a line says how far a batch is where no terminal is.
const quiet = 5 * time.Second

func newProgress() *progress {
	return &progress{start: time.Now(), total: -1, usage: interpreter.Usage{USD: new(float64)}, why: map[diag.Code]*reason{}}
}

func (p *progress) setTotal(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = n
}

// wrote counts a line of output.
func (p *progress) wrote(bad bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if bad {
		p.bad++
	}
}

// rows returns how many rows have their line.
func (p *progress) rows() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

// used adds what a row used.
func (p *progress) used(u interpreter.Usage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.usage = p.usage.Add(u)
}

// journaled returns how many replies earlier legs of the rows had.
func (p *progress) journaled() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.usage.Journaled
}

// failed notes why a row failed.
func (p *progress) failed(err error) {
	first, _ := firstError(err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.why[first.Code]; r != nil {
		r.rows++
		return
	}
	p.why[first.Code] = &reason{first.Title, 1}
}

// failures says how often what was the reason, the most frequent first.
func (p *progress) failures() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	codes := slices.SortedFunc(maps.Keys(p.why), func(a, b diag.Code) int {
		return cmp.Or(cmp.Compare(p.why[b].rows, p.why[a].rows), cmp.Compare(a, b))
	})
	var out []string
	for _, c := range codes {
		out = append(out, fmt.Sprintf("%s: %s (%s)", plural(p.why[c].rows, "row"), p.why[c].title, c))
	}
	return out
}

// line says how far it is: `120 of 600 rows, 15.3 a second, 31.2 s left, 2 failed`.
func (p *progress) line(now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := plural(p.done, "row")
	if p.total >= 0 {
		s = fmt.Sprintf("%d of %s", p.done, plural(p.total, "row"))
	}
	if elapsed := now.Sub(p.start); p.done > 0 && elapsed > 0 {
		rate := float64(p.done) / elapsed.Seconds()
		s += ", " + perTime(rate)
		if p.total > p.done {
			s += ", " + duration(max(time.Second, time.Duration(float64(p.total-p.done)/rate*float64(time.Second)))) + " left"
		}
	}
	if p.bad > 0 {
		s += fmt.Sprintf(", %d failed", p.bad)
	}
	return s
}

func perTime(perSecond float64) string {
	if perSecond < 1 {
		return fmt.Sprintf("%.1f a minute", perSecond*60)
	}
	return fmt.Sprintf("%.1f a second", perSecond)
}

// summary says how it went.
func (p *progress) summary() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := plural(p.done, "row")
	if p.total > p.done {
		s = fmt.Sprintf("%d of %s", p.done, plural(p.total, "row"))
	}
	if p.bad > 0 {
		s += fmt.Sprintf(", %d failed", p.bad)
	}
	elapsed := time.Since(p.start)
	s += ": " + usageLine(p.usage, elapsed)
	if p.done > 0 && elapsed > 0 {
		s += ", " + perTime(float64(p.done)/elapsed.Seconds())
	}
	return s
}

// show keeps people informed until stop is called: on a terminal by one line that
// changes, elsewhere by a line now and then. Where the rows themselves go to the
// terminal they are what people see.
func (p *progress) show(a *app) (stop func()) {
	switch {
	case a.terminal(a.outFile):
		return func() {}
	case a.terminal(a.errFile):
		return a.redraw(100*time.Millisecond, p.line)
	}
	return a.everyNow(p.line)
}
