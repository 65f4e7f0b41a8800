package interpreter_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
)

// wide is a program of twenty steps: one, eighteen that wait for it, and one that
// waits for all of them.
func wide() string {
	var b strings.Builder
	b.WriteString("program wide {\n  topic: string -> end: string\n\n  predict first { topic: string -> out: string }\n")
	var parts []string
	for i := range 18 {
		fmt.Fprintf(&b, "  predict middle%d {\n    from: string -> out: string\n    inputs { from = first.out }\n  }\n", i)
		parts = append(parts, fmt.Sprintf("middle%d.out", i))
	}
	fmt.Fprintf(&b, "  predict last {\n    parts: list[string] -> end: string\n    inputs { parts = [%s] }\n  }\n}\n", strings.Join(parts, ", "))
	return b.String()
}

const each = `
program each {
  topics: list[string] -> outs: list[string]

  predict one {
    for_each    = topics
    concurrency = 100
    topic: string -> out: string
    inputs { topic = each.value }
  }
  outputs { outs = one.out }
}
`

// slow answers every request after a pause, with the outputs that it asks for.
func slow(pause time.Duration) lm.LM {
	return answering(func(ctx context.Context, req *lm.Request) (string, error) {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		if strings.Contains(req.Messages[0].Content, "`end`") {
			return field("end", "x"), nil
		}
		return field("out", "x"), nil
	})
}

// parallel are programs with the longest path through each.
func parallel() map[string]struct {
	text   string
	inputs *value.Object
	path   int // in calls
} {
	topics := make([]any, 1000)
	for i := range topics {
		topics[i] = fmt.Sprint("topic ", i)
	}
	return map[string]struct {
		text   string
		inputs *value.Object
		path   int
	}{
		"wide": {wide(), value.NewObject("topic", "rivers"), 3},
		"each": {each, value.NewObject("topics", topics), 10},
	}
}

// TestCriticalPath: in fake time, a program takes just as long as its longest path.
func TestCriticalPath(t *testing.T) {
	for name, test := range parallel() {
		p := makePlan(t, test.text, name)
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			if _, err := interpreter.Run(t.Context(), p, env(slow(100*time.Millisecond), nil), test.inputs); err != nil {
				t.Fatal(err)
			}
			if took, want := time.Since(start), time.Duration(test.path)*100*time.Millisecond; took != want {
				t.Errorf("%s took %v, its longest path %v", name, took, want)
			}
		})
	}
}

// TestCancelStopsAll: all calls of a run that is cancelled end at once, and none
// is begun afterwards.
func TestCancelStopsAll(t *testing.T) {
	for name, test := range parallel() {
		p := makePlan(t, test.text, name)
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(150*time.Millisecond, cancel)
			start, late := time.Now(), 0
			sink := func(e trace.Event) {
				if e.Kind == trace.CallStart && ctx.Err() != nil {
					late++
				}
			}
			_, err := interpreter.Run(ctx, p, env(slow(100*time.Millisecond), sink), test.inputs)
			if err == nil || !strings.Contains(err.Error(), "E0617") {
				t.Errorf("%s ended with %v", name, err)
			}
			if took := time.Since(start); took != 150*time.Millisecond || late > 0 {
				t.Errorf("%s ended after %v, and began %d calls after it was stopped", name, took, late)
			}
		})
	}
}

// BenchmarkCriticalPath says how much longer programs take than their longest path
// of calls of 100 ms: 1.00 is no longer.
func BenchmarkCriticalPath(b *testing.B) {
	for name, test := range parallel() {
		b.Run(name, func(b *testing.B) {
			p := makePlan(b, test.text, name)
			e := env(slow(100*time.Millisecond), nil)
			for b.Loop() {
				if _, err := interpreter.Run(b.Context(), p, e, test.inputs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/(float64(test.path)/10), "x_path")
		})
	}
}
