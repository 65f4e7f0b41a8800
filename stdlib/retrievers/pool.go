package retrievers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// again is how long a Pool trusts that a corpus has not changed.
const again = time.Second

// Pool opens each retriever once. The zero Pool is ready; it is safe for use by
// many goroutines.
type Pool struct {
	mu      sync.Mutex
	entries map[string]*entry
}

type entry struct {
	turn    chan struct{}
	open    *Retriever
	checked time.Time
}

// Open returns the retriever of a configuration. One that is open already is brought
// up to date when its corpus has changed; that is looked at once a second at most.
func (p *Pool) Open(ctx context.Context, c Config) (*Retriever, error) {
	weight := 0.5
	if c.VectorWeight != nil {
		weight = *c.VectorWeight
	}
	key := fmt.Sprintf("%s %s %s %d %g %g", c.Store, c.Path(), c.method(), c.K, weight, c.Diversity)
	p.mu.Lock()
	if p.entries == nil {
		p.entries = map[string]*entry{}
	}
	e := p.entries[key]
	if e == nil {
		e = &entry{turn: make(chan struct{}, 1)}
		p.entries[key] = e
	}
	p.mu.Unlock()
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	switch {
	case e.open == nil:
		x, err := Open(ctx, c)
		if err != nil {
			return nil, err
		}
		e.open = x
	case time.Since(e.checked) > again:
		if err := e.open.Refresh(ctx); err != nil {
			return nil, err
		}
	default:
		return e.open, nil
	}
	e.checked = time.Now()
	return e.open, nil
}

// Close closes all that was opened. Searches must have ended.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, e := range p.entries {
		if e.open != nil {
			errs = append(errs, e.open.Close())
		}
	}
	p.entries = nil
	return errors.Join(errs...)
}
