package dspi_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/stdlib/stores/sqlite"
)

const eachText = `program p {
  list: list[string] -> out: list[string]
  predict each_one {
    q: string -> a: string
    for_each    = list
    concurrency = 100
    inputs { q = each.value }
  }
  outputs { out = each_one.a }
}`

// wideText is a program of twenty steps: one, eighteen that wait for it, and one
// that waits for all of them.
func wideText() string {
	var b strings.Builder
	b.WriteString("program p {\n  list: list[string] -> out: string\n\n  predict first {\n    list: list[string] -> a: string\n  }\n")
	var parts []string
	for i := range 18 {
		fmt.Fprintf(&b, "  predict middle%d {\n    from: string -> a: string\n    inputs { from = first.a }\n  }\n", i)
		parts = append(parts, fmt.Sprintf("middle%d.a", i))
	}
	fmt.Fprintf(&b, "  predict last {\n    parts: list[string] -> a: string\n    inputs { parts = [%s] }\n  }\n  outputs { out = last.a }\n}\n", strings.Join(parts, ", "))
	return b.String()
}

// BenchmarkJournal runs 1,000 elements of a for_each, 100 at once, and a diamond of
// twenty steps, without a history, with one, and with its journal. x_path says how
// much longer that takes than the longest path of calls: 1.00 is no longer.
func BenchmarkJournal(b *testing.B) {
	list := make([]any, 1000)
	for i := range list {
		list[i] = fmt.Sprint("question ", i)
	}
	for _, program := range []struct {
		name, text string
		path       int // calls, one after another
	}{{"each", eachText, 10}, {"diamond", wideText(), 3}} {
		p := planText(b, program.text)
		for _, takes := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond} {
			model := lmtest.Func(func(ctx context.Context, _ int, req *lm.Request) (*lm.Response, error) {
				if takes > 0 {
					select {
					case <-time.After(takes):
					case <-ctx.Done():
					}
				}
				return lmtest.Text(req, "[[ ## a ## ]]\nfine\n\n[[ ## completed ## ]]"), nil
			})
			for _, what := range []string{"off", "history", "journal"} {
				b.Run(fmt.Sprintf("%s/reply=%v/%s", program.name, takes, what), func(b *testing.B) {
					var o dspi.Options
					if what != "off" {
						store, err := sqlite.Open(filepath.Join(b.TempDir(), "runs.db"))
						if err != nil {
							b.Fatal(err)
						}
						defer store.Close()
						recorder := history.NewRecorder(store, dspi.About(p))
						defer recorder.Close()
						o.Trace = recorder.See
						if what == "journal" {
							o.Journal = dspi.JournalOf(store, recorder)
						}
					}
					runtime := dspi.NewRuntime(o)
					defer runtime.Close()
					for _, op := range p.Ops {
						runtime.Use(op.Model, model)
					}
					for b.Loop() {
						if _, err := runtime.Run(b.Context(), p, map[string]any{"list": list}); err != nil {
							b.Fatal(err)
						}
					}
					if takes > 0 {
						b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/(float64(program.path)*takes.Seconds()), "x_path")
					}
				})
			}
		}
	}
}
