package module

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
)

// Exchange sends a request as it is: what another runtime has put together, with its
// parameters and rollout. Trace, usage and journal are those of any call. Where shown
// is set and the call is streamed, the outputs of the call grow with the reply.
func Exchange(ctx context.Context, call *Call, req *lm.Request, shown bool) (*lm.Response, error) {
	c := *call
	if !shown {
		c.Stream, c.Watch = false, nil
	}
	x := &exchange{call: &c, sig: c.Signature, form: c.Adapter.Form(), number: c.Host.NewCall()}
	return x.send(ctx, req)
}

// Refused are the turns that tell a model of an answer that was refused.
func Refused(a prompt.Adapter, sig *program.Signature, f Feedback) []lm.Message {
	return refused(a, sig, f)
}
