package module

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// MisfitError is a reply that did not fit the signature, after every retry.
type MisfitError struct {
	Misfits []*align.Misfit // one for each reply, in order
	Model   string
	Finish  lm.Finish // why the last reply ended
}

// Error returns the faults of the last reply in one line.
func (e *MisfitError) Error() string {
	last := e.Misfits[len(e.Misfits)-1]
	return fmt.Sprintf("reply %d of %d does not fit: %s", len(e.Misfits), len(e.Misfits), last.Error())
}

// Ask writes the prompt of a call, sends it, and reads the reply into the
// signature's outputs. A reply that does not fit is sent back with what is wrong
// with it, up to call.Retries times; each is a call of its own in trace and usage.
func Ask(ctx context.Context, call *Call) (*value.Object, error) {
	call = hinted(ctx, call.tuned())
	outputs, err := ask(ctx, call)
	if err == nil {
		record(ctx, call, outputs)
	}
	return outputs, err
}

// tuned returns the call of a predictor inside a module as tuning has it.
func (c *Call) tuned() *Call {
	t := c.Inner[c.Predictor]
	if t == nil {
		return c
	}
	own, sig := *c, *t.Signature(c.Signature)
	if t.Instructions != "" {
		sig.Instructions = t.Instructions
	}
	own.Signature, own.Demos = &sig, t.Demos
	if t.Nearest > 0 {
		own.Demos = prompt.Nearest(&sig, t.Demos, c.Inputs, t.Nearest)
	}
	return &own
}

func ask(ctx context.Context, call *Call) (*value.Object, error) {
	q := &question{call: call, adapter: call.Adapter, sig: call.Signature, demos: call.Demos, inputs: call.Inputs}
	free, ok := call.Adapter.(prompt.Extractor)
	if !ok {
		return q.ask(ctx)
	}
	first := &exchange{call: call, sig: q.sig, number: call.Host.NewCall()}
	reply, err := first.send(ctx, q.request())
	if err != nil {
		return nil, err
	}
	sig, inputs := free.Extraction(q.sig, reply.Text)
	q = &question{call: call, adapter: free.Then(), sig: sig, inputs: inputs}
	return q.ask(ctx)
}

// question is what a model is asked in one form.
type question struct {
	call    *Call
	adapter prompt.Adapter
	sig     *program.Signature
	demos   []prompt.Demo
	inputs  *value.Object
}

func (q *question) request() *lm.Request {
	messages := q.adapter.Messages(q.sig, q.demos, q.inputs)
	for _, f := range q.call.Feedback {
		messages = append(messages, refused(q.adapter, q.sig, f)...)
	}
	return &lm.Request{
		Messages: messages,
		Params:   q.call.Params,
		Format:   q.adapter.Format(q.sig, q.call.LM.Features()),
		Rollout:  q.call.Rollout,
	}
}

// ask asks until a reply fits, or no ask is left.
func (q *question) ask(ctx context.Context) (*value.Object, error) {
	req := q.request()
	failed := &MisfitError{Model: q.call.LM.Address()}
	for try := 0; ; try++ {
		c := &exchange{call: q.call, sig: q.sig, form: q.adapter.Form(), number: q.call.Host.NewCall()}
		reply, err := c.send(ctx, req)
		if err != nil {
			return nil, err
		}
		reading, misfit := c.read(c.form, reply.Text, reply.Finish)
		if misfit == nil {
			return reading.Outputs, nil
		}
		failed.Misfits = append(failed.Misfits, misfit)
		failed.Finish = reply.Finish
		if try >= q.call.Retries {
			return nil, failed
		}
		again := *req
		again.Messages = append(req.Messages[:len(req.Messages):len(req.Messages)],
			lm.Message{Role: lm.Assistant, Content: reply.Text},
			lm.Message{Role: lm.User, Content: feedback(misfit)})
		req = &again
	}
}

// refused are the turns that tell of an answer that was refused.
func refused(a prompt.Adapter, sig *program.Signature, f Feedback) []lm.Message {
	user := lm.Message{Role: lm.User, Content: f.Text()}
	if f.Outputs == nil {
		return []lm.Message{user}
	}
	return []lm.Message{{Role: lm.Assistant, Content: a.Reply(sig, f.Outputs)}, user}
}

// feedback tells the model what is wrong with its reply.
func feedback(m *align.Misfit) string {
	var b strings.Builder
	b.WriteString("This reply does not fit:\n\n")
	for _, f := range m.Faults {
		b.WriteString("- " + f.String() + "\n")
	}
	b.WriteString("\nGive the whole reply again, in the same form, with this put right.")
	return b.String()
}

// exchange is one request to a model and its reply.
type exchange struct {
	call   *Call
	sig    *program.Signature
	form   string
	number int  // of the call in its run
	talk   bool // the reply may be something else than the outputs
	shown  bool // pieces of outputs were shown
}

func (c *exchange) emit(e trace.Event) {
	e.Call = c.number
	c.call.Host.Emit(e)
}

// send sends a request. What the model writes is shown while it does, if the call
// is to be streamed.
func (c *exchange) send(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	model := c.call.LM.Address()
	start := time.Now()
	c.emit(trace.Event{Kind: trace.CallStart, Model: model, Messages: req.Messages, Request: req})
	ctx = lm.WithObserver(ctx, func(a lm.Attempt) {
		switch {
		case a.Event == lm.HedgeSent:
			c.emit(trace.Event{Kind: trace.Hedge, Model: a.Model, Number: a.Number, Reason: a.Reason})
		case a.Event == lm.Chosen || a.Event == lm.Passed:
			c.emit(trace.Event{Kind: trace.Choice, Model: a.Model, Reason: a.Reason, Passed: a.Event == lm.Passed})
		case a.Err != nil && a.Wait > 0:
			c.emit(trace.Event{Kind: trace.Attempt, Model: a.Model, Number: a.Number, Wait: a.Wait, Duration: a.Duration, Err: a.Err})
		}
	})
	ctx = lm.WithJudge(ctx, c.judge)
	var watch *watcher
	if c.call.Stream {
		streamed := *req
		ctx, watch = c.watch(ctx)
		streamed.OnDelta = c.show(watch)
		req = &streamed
	}
	reply, err := c.call.Host.Generate(ctx, c.call.LM, req)
	if refused := watch.stopped(); err != nil && refused != nil {
		err = refused
		c.call.Host.Lost([]lm.Spent{c.cut(req, watch)})
	}
	if err != nil {
		if e := lm.AsError(err); e != nil {
			c.call.Host.Lost(e.Spent)
		}
		c.emit(trace.Event{Kind: trace.CallEnd, Model: model, Err: err, Duration: time.Since(start)})
		return nil, err
	}
	c.call.Host.Count(reply)
	c.emit(trace.Event{Kind: trace.CallEnd, Model: model, Reply: reply, Cost: reply.Cost, Duration: time.Since(start)})
	return reply, nil
}

// judge returns the number that a reply gives for an output, for routes that send a
// call on when a reply is not sure.
func (c *exchange) judge(reply *lm.Response, output string) (float64, bool) {
	reading, misfit := align.Read(c.sig, c.form, reply.Text, c.call.Mode)
	if misfit != nil {
		return 0, false
	}
	v, _ := reading.Outputs.Get(output)
	switch x := v.(type) {
	case float64:
		return x, true
	case int:
		return float64(x), true
	}
	return 0, false
}

// show returns what takes the pieces of a reply: it reads them and emits the
// outputs that have grown.
func (c *exchange) show(w *watcher) func(lm.Delta) {
	stream := align.NewStream(c.sig, c.form)
	open := opening{form: c.form, talk: c.talk}
	return func(d lm.Delta) {
		if d.Restart {
			stream.Restart()
			w.restart()
			open.restart()
			c.emit(trace.Event{Kind: trace.Partial, Restart: true})
		}
		grown := stream.Add(open.pass(d.Text))
		for _, g := range grown {
			c.shown = true
			c.emit(trace.Event{Kind: trace.Partial, Field: g.Field, Value: g.Value, Done: g.Done})
		}
		w.see(d.Text, grown)
	}
}

// read reads the text of a reply, and records what was repaired or does not fit.
func (c *exchange) read(form, text string, finish lm.Finish) (*align.Reading, *align.Misfit) {
	reading, misfit := align.Read(c.sig, form, text, c.call.Mode)
	switch {
	case misfit != nil:
		c.emit(trace.Event{Kind: trace.Misfit, Model: c.call.LM.Address(), Err: misfit})
		return nil, misfit
	case finish == lm.FinishLength:
		reading.Repairs = append(reading.Repairs, value.Repair{
			Loc: []any{}, Type: "cut_reply",
			Msg: "the reply ends where max_tokens was reached; what fits of it was taken",
		})
	}
	if len(reading.Repairs) > 0 {
		c.emit(trace.Event{Kind: trace.Repaired, Model: c.call.LM.Address(), Repairs: reading.Repairs})
	}
	return reading, nil
}
