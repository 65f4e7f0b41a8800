package python

import (
	"context"
	"errors"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/tool"
)

// confided are errors of the host that Python was told of. Python gives their numbers
// back, so that an error which comes out of Python is the host's own, with all it says.
type confided struct {
	mu   sync.Mutex
	errs []error // by their number less one
}

// tell numbers an error and says what Python may know of it; nil for nil.
func (c *confided) tell(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	c.mu.Lock()
	c.errs = append(c.errs, err)
	number := len(c.errs)
	c.mu.Unlock()
	e := &RemoteError{Kind: "host", Message: err.Error(), Number: number}
	var failed *tool.Error
	model := lm.AsError(err)
	switch {
	case module.Ends(ctx, err):
		e.Kind = "ended"
	case model != nil && model.ContextFull():
		e.Kind = "context"
	case model != nil:
		e.Kind = string(model.Kind)
	case errors.As(err, &failed):
		e.Kind, e.Message = "tool", failed.Text
	}
	return e
}

// known returns the host's own error that Python gives back; nil where it is another.
func (c *confided) known(e *RemoteError) error {
	if e.Kind != "host" && e.Kind != "ended" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.Number > 0 && e.Number <= len(c.errs) {
		return c.errs[e.Number-1]
	}
	return nil
}
