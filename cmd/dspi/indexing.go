package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
)

// indexing returns what shows on a terminal how far the index of a retriever is, in
// one line that goes when the index is ready; nil where no terminal is.
func (a *app) indexing() func(retrieve.Progress) {
	if !a.terminal(a.errFile) {
		return nil
	}
	return newIndexProgress(a).see
}

// indexProgress shows how far an index is: on a terminal in one line that goes when
// it is ready, else by a line every few seconds.
type indexProgress struct {
	a        *app
	terminal bool

	mu    sync.Mutex
	shown time.Time // when the last line was
	begin time.Time // of the part under way
	doing retrieve.Doing
}

func newIndexProgress(a *app) *indexProgress {
	return &indexProgress{a: a, terminal: a.terminal(a.errFile), shown: time.Now()}
}

const clearLine = "\r\x1b[J"

// see takes what the making of an index tells.
func (x *indexProgress) see(p retrieve.Progress) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := time.Now()
	if p.Doing != x.doing {
		x.doing, x.begin = p.Doing, now
	}
	every := quiet
	if x.terminal {
		every = 100 * time.Millisecond
	}
	switch {
	case p.Doing == retrieve.Ready:
		x.clear()
	case now.Sub(x.shown) < every && p.Doing != retrieve.Waiting:
	case x.terminal:
		x.shown = now
		fmt.Fprint(x.a.err, clearLine+fitLine(indexingLine(p, now.Sub(x.begin)), x.a.width(x.a.errFile)))
	default:
		x.shown = now
		fmt.Fprintln(x.a.err, indexingLine(p, now.Sub(x.begin)))
	}
}

// end takes the line away.
func (x *indexProgress) end() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.clear()
}

func (x *indexProgress) clear() {
	if x.terminal {
		fmt.Fprint(x.a.err, clearLine)
	}
}

// indexingLine says how far an index is: `retriever.wiki: embedding 120 of 500
// passages, 40.0 a second, 9.5 s left`. Since is how long this part has taken.
func indexingLine(p retrieve.Progress, since time.Duration) string {
	if p.Doing == retrieve.Waiting {
		return p.Retriever + ": waiting, because another process makes the index"
	}
	if p.Total == 0 {
		return fmt.Sprintf("%s: %s, %s", p.Retriever, p.Doing, plural(p.Done, "passage"))
	}
	s := fmt.Sprintf("%s: %s %d of %s", p.Retriever, p.Doing, p.Done, plural(p.Total, "passage"))
	if p.Done > 0 && since > 0 {
		rate := float64(p.Done) / since.Seconds()
		s += ", " + perTime(rate)
		if left := p.Total - p.Done; left > 0 {
			s += ", " + duration(max(time.Second, time.Duration(float64(left)/rate*float64(time.Second)))) + " left"
		}
	}
	return s
}
