package main

import (
	"slices"
	"sync"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/spf13/cobra"
)

// callFlags say what stands around the calls of a command.
type callFlags struct {
	noCache bool
}

func (f *callFlags) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.noCache, "no-cache", false, "send every call, also those whose reply is kept")
}

// session is a Runtime with what stands around it.
type session struct {
	*dspi.Runtime
	app    *app
	kept   *kept          // nil: the runs are not kept
	closes []func() error // the last one first
	trace  trace.Sink     // what takes the events of runs
}

// openSession opens a Runtime as flags and settings say. The plan is that of its
// runs, which are kept as keep says; nil for a command whose calls are no runs. The
// error is about what was asked for; what only would have been good to have is
// noted.
func (a *app) openSession(f callFlags, k keepFlags, settings *dspi.Settings, p *plan.Plan, o dspi.Options) (*session, error) {
	s := &session{app: a}
	if !f.noCache {
		if err := s.openCache(settings, &o); err != nil {
			return nil, err
		}
	}
	if p != nil {
		kept, done, err := a.keep(k, settings, p, &o)
		s.kept, s.trace = kept, o.Trace
		if err != nil {
			_ = s.close() // of what was only read
			return nil, err
		}
		s.closes = append(s.closes, done)
	}
	if o.Indexing == nil {
		o.Indexing = a.indexing()
	}
	a.withPython(&o, settings, p)
	s.Runtime = dspi.NewRuntime(o)
	s.closes = append(s.closes, s.Runtime.Close)
	return s, nil
}

// openCache opens the cache that the settings name, else the user's own. One that
// the settings name must open; without the user's own the calls are just sent.
func (s *session) openCache(settings *dspi.Settings, o *dspi.Options) error {
	at := s.app.cacheAt("", settings)
	named := at.Source != "built in"
	o.CacheTTL = at.TTL
	c, err := at.Open(s.app.getenv)
	switch {
	case err != nil && named:
		return wrong("the cache cannot be opened").say("%s.", err.Error()).hint("it is named by %s; --no-cache goes without", at.Source)
	case err != nil || c == nil:
		return nil
	}
	o.Cache = c
	s.closes = append(s.closes, c.Close)
	var once sync.Once
	o.CacheFailed = func(err error) {
		once.Do(func() { s.app.note("the cache fails, so calls go on without it: %v", err) })
	}
	return nil
}

// close writes what is left, and returns what could not be written although it was
// asked for.
func (s *session) close() error {
	var first error
	for _, c := range slices.Backward(s.closes) {
		if err := c(); err != nil && first == nil {
			first = err
		}
	}
	s.closes = nil
	return first
}
