package main

import (
	"bufio"
	"errors"
	"os"

	"github.com/dspi-lang/dspi"
	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
)

// traceTo makes the events of a plan's runs lines of a file: `run --trace`. done
// ends that, when the last run is over.
func traceTo(path string, p *plan.Plan, opt *dspi.Options) (done func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, wrong("the trace cannot be written to %s", path).say("%v.", err)
	}
	out := bufio.NewWriter(file)
	lines := hist.NewLineWriter(out, dspi.About(p))
	next := opt.Trace
	opt.Trace = func(e trace.Event) {
		lines.See(e)
		next.Emit(e)
	}
	return func() error {
		if err := errors.Join(lines.Err(), out.Flush(), file.Close()); err != nil {
			return wrong("the trace cannot be written to %s", path).say("%v.", err)
		}
		return nil
	}, nil
}
