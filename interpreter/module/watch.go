package module

import (
	"context"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/value"
)

// watcher shows what a reply has given so far to the Watch of its call, and ends
// the reply when that refuses it. A nil watcher does nothing.
type watcher struct {
	judge   func(*value.Object, map[string]bool) error
	cancel  context.CancelCauseFunc
	outputs *value.Object
	done    map[string]bool
	text    []byte // of the reply so far

	mu  sync.Mutex
	err error // why the reply was ended
}

// watch returns a context that ends when the reply is refused; nil and ctx where
// nobody watches.
func (c *exchange) watch(ctx context.Context) (context.Context, *watcher) {
	if c.call.Watch == nil {
		return ctx, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watcher{judge: c.call.Watch, cancel: cancel}
	w.restart()
	return ctx, w
}

func (w *watcher) restart() {
	if w != nil {
		w.text = w.text[:0]
		w.outputs, w.done = &value.Object{}, map[string]bool{}
	}
}

func (w *watcher) see(text string, grown []align.Growth) {
	if w == nil {
		return
	}
	w.text = append(w.text, text...)
	if len(grown) == 0 || w.refused() != nil {
		return
	}
	for _, g := range grown {
		w.outputs.Set(g.Field, g.Value)
		if g.Done {
			w.done[g.Field] = true
		}
	}
	if err := w.judge(w.outputs, w.done); err != nil {
		w.mu.Lock()
		w.err = err
		w.mu.Unlock()
		w.cancel(err)
	}
}

func (w *watcher) refused() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// cut is what a reply used that was ended early: providers do not say, so it is
// estimated.
func (c *exchange) cut(req *lm.Request, w *watcher) lm.Spent {
	m := c.call.LM
	usage := lm.EstimateUsage(req.Messages, string(w.text))
	usage.Estimated = true
	return lm.Spent{Address: m.Address(), Usage: usage}
}

// stopped returns why the reply was ended, nil where it was not, and frees what the
// watcher holds.
func (w *watcher) stopped() error {
	if w == nil {
		return nil
	}
	w.cancel(nil)
	return w.refused()
}
