package lm

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"
)

// Limits bounds how a model is used at one time.
type Limits struct {
	Concurrency int // calls in flight; zero or less means no limit
}

// WithLimits keeps at most l.Concurrency calls of m in flight. Further calls wait
// for a place in the order they came, as long as their context lives. All users of
// one model must share the LM that WithLimits returns.
func WithLimits(m LM, l Limits) LM {
	if l.Concurrency <= 0 {
		return m
	}
	return &limited{m, l.Concurrency, semaphore.NewWeighted(int64(l.Concurrency))}
}

type limited struct {
	LM
	size   int
	places *semaphore.Weighted
}

func (l *limited) Generate(ctx context.Context, req *Request) (*Response, error) {
	began := time.Now()
	if l.places.Acquire(ctx, 1) != nil {
		e := ContextError(ctx, l.Address())
		e.Message += fmt.Sprintf(" (it waited %s for one of the %d calls that may run at once)",
			brief(time.Since(began)), l.size)
		return nil, e
	}
	defer l.places.Release(1)
	return l.LM.Generate(ctx, req)
}
