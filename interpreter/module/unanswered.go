package module

import "context"

type unansweredKey struct{}

// Unanswered returns a context in which no question is answered: only the first one
// is wanted, as for a preview. A module need not start what works on answers.
func Unanswered(ctx context.Context) context.Context {
	return context.WithValue(ctx, unansweredKey{}, true)
}

// IsUnanswered reports whether no question is answered.
func IsUnanswered(ctx context.Context) bool { return ctx.Value(unansweredKey{}) != nil }
