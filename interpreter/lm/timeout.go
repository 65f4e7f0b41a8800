package lm

import (
	"context"
	"time"
)

// WithTimeout bounds every single Generate of m: no whole reply within d is a
// KindTimeout whose message names d. Inside WithRetry it bounds each attempt, which
// is what the setting `timeout` of a model means; all attempts together are bounded
// by the context's deadline. A d of zero or less means no limit.
func WithTimeout(m LM, d time.Duration) LM {
	if d <= 0 {
		return m
	}
	return &timed{m, d}
}

type timed struct {
	LM
	limit time.Duration
}

func (t *timed) Generate(ctx context.Context, req *Request) (*Response, error) {
	within, cancel := context.WithTimeoutCause(ctx, t.limit, timeLimit(t.limit))
	defer cancel()
	resp, err := t.LM.Generate(within, req)
	if err == nil {
		return resp, nil
	}
	if context.Cause(within) != error(timeLimit(t.limit)) {
		return nil, err
	}
	// The limit has passed. A provider's own answer (a refused key, say) that
	// arrived in the same moment stays what it is.
	e := asError(within, t.LM, err)
	switch e.Kind {
	case KindCanceled, KindUnreachable, KindTimeout:
		e.Kind, e.Message, e.Err = KindTimeout, timeLimit(t.limit).Error(), timeLimit(t.limit)
	}
	return nil, e
}

// timeLimit is the cause of a context that WithTimeout ended. It is a
// context.DeadlineExceeded.
type timeLimit time.Duration

func (l timeLimit) Error() string { return "no whole reply within " + short(time.Duration(l)) }

func (l timeLimit) Is(target error) bool { return target == context.DeadlineExceeded }
