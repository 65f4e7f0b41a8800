package dspi_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/stdlib/stores/sqlite"
)

// BenchmarkJournal runs 1,000 elements of a for_each, 100 at once, whose model
// answers in no time, and in 20 ms: without a history, with one, and with its
// journal.
func BenchmarkJournal(b *testing.B) {
	p := planText(b, `program p {
  list: list[string] -> out: list[string]
  predict each_one {
    q: string -> a: string
    for_each    = list
    concurrency = 100
    inputs { q = each.value }
  }
  outputs { out = each_one.a }
}`)
	list := make([]any, 1000)
	for i := range list {
		list[i] = fmt.Sprint("question ", i)
	}
	for _, takes := range []time.Duration{0, 20 * time.Millisecond} {
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
			b.Run(fmt.Sprintf("reply=%v/%s", takes, what), func(b *testing.B) {
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
				runtime.Use(p.Ops[0].Model, model)
				for b.Loop() {
					if _, err := runtime.Run(b.Context(), p, map[string]any{"list": list}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
