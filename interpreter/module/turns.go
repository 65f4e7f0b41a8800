package module

import (
	"context"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
)

// A module that talks with a model in several turns words its requests itself. Send
// does for it what Ask does for one question: trace, usage, pieces of outputs while
// they are written.

// Explained is why a module gives no answer although its model replied, with a way
// out: raise a limit, name another part.
type Explained interface {
	error
	Advice() string
}

// Hinted returns a call with the hint that the attempt has for it that it stands in:
// what Ask does before it asks.
func Hinted(ctx context.Context, call *Call) *Call { return hinted(ctx, call) }

// Answered tells the attempts around a call what came of it: what Ask does behind.
func Answered(ctx context.Context, call *Call, outputs *value.Object) { record(ctx, call, outputs) }

// Reply is what a model answered to a request that a module worded.
type Reply struct {
	*lm.Response
	exchange *exchange
}

// Send sends a request of a module's own. The parameters, the rollout and the pieces
// are those of the call. Where the call is streamed, a reply in the adapter's form
// shows the outputs that grow; one that turns out to be something else must be
// withdrawn.
func Send(ctx context.Context, call *Call, req *lm.Request) (*Reply, error) {
	sent := *req
	sent.Params, sent.Rollout = call.Params, call.Rollout
	c := &exchange{call: call, sig: call.Signature, form: call.Adapter.Form(), number: call.Host.NewCall(), talk: true}
	resp, err := c.send(ctx, &sent)
	if err != nil {
		return nil, err
	}
	return &Reply{resp, c}, nil
}

// Read reads a text of the reply, in a form that package align knows, into the
// outputs of the call. What was repaired, or does not fit, is recorded.
func (r *Reply) Read(form, text string) (*align.Reading, *align.Misfit) {
	return r.exchange.read(form, text, r.Finish)
}

// Withdraw says that what was shown of the reply counts no more.
func (r *Reply) Withdraw() {
	if r.exchange.shown {
		r.exchange.shown = false
		r.exchange.emit(trace.Event{Kind: trace.Partial, Restart: true})
	}
}

// Show shows outputs that came as a whole, unless they were shown as they grew.
func (r *Reply) Show(outputs *value.Object) {
	if !r.exchange.call.Stream || r.exchange.shown {
		return
	}
	r.exchange.shown = true
	for name, v := range outputs.All() {
		r.exchange.emit(trace.Event{Kind: trace.Partial, Field: name, Value: v, Done: true})
	}
}

// Text tells the model that an answer is refused.
func (f Feedback) Text() string {
	var b strings.Builder
	if f.Outputs != nil {
		b.WriteString("This answer is not accepted:\n\n")
	} else {
		b.WriteString("An earlier answer was not accepted:\n\n")
	}
	for _, m := range f.Messages {
		b.WriteString("- " + m + "\n")
	}
	b.WriteString("\nGive another one, in the same form, with this put right.")
	return b.String()
}

// opening decides by the beginning of a reply whether it is to be shown: one in the
// form json only when it begins as an object, since the braces of an action would
// be taken for it otherwise. In the other forms headings say where outputs are.
type opening struct {
	form string
	talk bool // the reply may be an action
	free bool // it is an answer
	shut bool // it is none
	held string
}

func (o *opening) restart() { *o = opening{form: o.form, talk: o.talk} }

// pass returns what of the reply may be shown now.
func (o *opening) pass(piece string) string {
	switch {
	case !o.talk || o.form != "json" || o.free:
		return piece
	case o.shut:
		return ""
	}
	o.held += piece
	text := strings.TrimLeft(o.held, " \t\r\n")
	switch {
	case strings.HasPrefix(text, "{") || strings.HasPrefix(text, "```"):
		o.free = true
		return text
	case text != "" && !strings.HasPrefix("```", text):
		o.shut, o.held = true, ""
	}
	return ""
}
