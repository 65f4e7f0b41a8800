package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/dspi-lang/dspi"
	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/stdlib/telemetry"
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

// telemetryWait is how long the end of a run waits for spans to be sent.
const telemetryWait = 5 * time.Second

// telemetryOf makes the events of a plan's runs OpenTelemetry spans, where the
// settings or the environment name a collector. That one cannot be reached is
// noted, and stops nothing.
func (a *app) telemetryOf(settings *dspi.Settings, p *plan.Plan, opt *dspi.Options) (done func()) {
	c := telemetry.Config{Version: moduleVersion(), Content: a.getenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT") == "true"}
	if v, ok := settings.Value("telemetry.otlp"); ok {
		c.Endpoint, _ = v.Value.(string)
	}
	if v, ok := settings.Value("telemetry.content"); ok {
		c.Content, _ = v.Value.(bool)
	}
	named := c.Endpoint != "" || a.getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || a.getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
	if !named || a.getenv("OTEL_SDK_DISABLED") == "true" {
		return func() {}
	}
	var once sync.Once
	c.Failed = func(err error) {
		once.Do(func() { a.note("the run is not sent to the OpenTelemetry collector: %v", err) })
	}
	x, err := telemetry.New(context.Background(), c, dspi.About(p))
	if err != nil {
		c.Failed(err)
		return func() {}
	}
	next := opt.Trace
	opt.Trace = func(e trace.Event) {
		x.See(e)
		next.Emit(e)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), telemetryWait)
		defer cancel()
		if err := x.Close(ctx); err != nil {
			c.Failed(err)
		}
	}
}
