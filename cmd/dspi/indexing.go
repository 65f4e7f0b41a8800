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
	const clear = "\r\x1b[J"
	var mu sync.Mutex
	var shown time.Time
	return func(p retrieve.Progress) {
		mu.Lock()
		defer mu.Unlock()
		switch now := time.Now(); {
		case p.Doing == retrieve.Ready && !shown.IsZero():
			shown = time.Time{}
			fmt.Fprint(a.err, clear)
		case p.Doing != retrieve.Ready && now.Sub(shown) >= 100*time.Millisecond:
			shown = now
			fmt.Fprint(a.err, clear+fitLine(indexingLine(p), a.width(a.errFile)))
		}
	}
}

// indexingLine says how far an index is: `retriever.wiki: embedding 120 of 500
// passages`.
func indexingLine(p retrieve.Progress) string {
	if p.Total == 0 {
		return fmt.Sprintf("%s: %s, %s", p.Retriever, p.Doing, plural(p.Done, "passage"))
	}
	return fmt.Sprintf("%s: %s %d of %s", p.Retriever, p.Doing, p.Done, plural(p.Total, "passage"))
}
