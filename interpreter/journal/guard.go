package journal

import (
	"context"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// Guards say what a Guard looks after.
type Guards struct {
	// Secrets are texts that are written nowhere: an answer that holds one is not
	// kept, and is asked for again when the run is resumed.
	Secrets []string
	// Failed is told when an entry cannot be kept: the run goes on without. It is
	// called by many goroutines; nil drops it.
	Failed func(error)
}

// Guard returns a Journal that keeps what j keeps, but for secrets. A failure to
// write is told and stops no run.
func Guard(j Journal, g Guards) Journal {
	if j == nil {
		return nil
	}
	return &guard{Journal: j, Guards: g, clean: lm.Redactor(g.Secrets)}
}

type guard struct {
	Journal
	Guards
	clean func(string) string // nil: there are no secrets
}

func (g *guard) Write(ctx context.Context, e *Entry) error {
	if g.clean != nil {
		if text := string(e.Data); g.clean(text) != text {
			return nil
		}
	}
	if err := g.Journal.Write(ctx, e); err != nil && g.Failed != nil {
		g.Failed(fmt.Errorf("the journal cannot be written: %w", err))
	}
	return nil
}
