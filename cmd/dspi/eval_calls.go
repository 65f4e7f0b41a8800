package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/evaluate/report"
	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
)

// rowCalls finds the calls of rows for a page of results: in the history, or with
// --no-history in one in the process.
type rowCalls struct {
	memory   *hist.Memory // nil: they are in the history
	recorder *hist.Recorder
}

// newRowCalls returns nil where no page is to be written. The options get a trace.
func newRowCalls(saves []string, noHistory bool, p *plan.Plan, o *dspi.Options) *rowCalls {
	isPage := func(path string) bool { return strings.ToLower(filepath.Ext(path)) == ".html" }
	if !slices.ContainsFunc(saves, isPage) {
		return nil
	}
	if !noHistory {
		return &rowCalls{}
	}
	c := &rowCalls{memory: &hist.Memory{}}
	c.recorder = hist.NewRecorder(c.memory, dspi.About(p))
	next := o.Trace
	o.Trace = func(e trace.Event) {
		c.recorder.See(e)
		next.Emit(e)
	}
	return c
}

// source returns where the calls are found, when all rows are measured.
func (c *rowCalls) source(ctx context.Context, s *session) report.Source {
	if c == nil {
		return nil
	}
	var store hist.Store = c.memory
	switch {
	case c.memory != nil:
		_ = c.recorder.Close() // a history in the process does not fail
	case s.kept == nil || s.kept.recorder.Flush(ctx) != nil:
		return nil
	default:
		store = s.kept.store
	}
	return func(run string) []hist.Call {
		if w, err := store.Run(ctx, run); err == nil && w.ID == run {
			return w.Calls
		}
		return nil
	}
}
