package lmtest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// Recorder is a model in the process that answers as a test prepared it and keeps
// what it was asked. It implements lm.LM and is safe for use by many goroutines.
type Recorder struct {
	answer func(ctx context.Context, n int, req *lm.Request) (*lm.Response, error)

	mu       sync.Mutex
	requests []lm.Request
}

// Scripted returns a Recorder that gives replies in order, one a call, and after the
// last fails with KindRequest.
func Scripted(replies ...string) *Recorder {
	return Func(func(_ context.Context, n int, req *lm.Request) (*lm.Response, error) {
		if n > len(replies) {
			return nil, &lm.Error{Kind: lm.KindRequest, Model: address, Message: fmt.Sprintf("call %d, and the test prepared %d replies", n, len(replies))}
		}
		return Text(req, replies[n-1]), nil
	})
}

// Func returns a Recorder that answers its nth call, counted from 1, with what
// answer returns. It is called by the goroutine that makes the call.
func Func(answer func(ctx context.Context, n int, req *lm.Request) (*lm.Response, error)) *Recorder {
	return &Recorder{answer: answer}
}

// Text returns a whole reply to req with an estimated usage.
func Text(req *lm.Request, text string) *lm.Response {
	return &lm.Response{Text: text, Finish: lm.FinishStop, Usage: lm.EstimateUsage(req.Messages, text), Model: address}
}

const address = "test/scripted"

// Address returns test/scripted.
func (r *Recorder) Address() string { return address }

// Features says that everything can be sent: what comes of it is the test's matter.
func (r *Recorder) Features() lm.Features {
	return lm.Features{JSON: true, Schema: true, Tools: true, Images: true, Audio: true, Files: true}
}

// Generate keeps a copy of req and answers it.
func (r *Recorder) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	if end := lm.ContextError(ctx, address); end != nil {
		return nil, end
	}
	kept := *req
	kept.Messages = slices.Clone(req.Messages)
	kept.Stop = slices.Clone(req.Stop)
	r.mu.Lock()
	r.requests = append(r.requests, kept)
	n := len(r.requests)
	r.mu.Unlock()
	return r.answer(ctx, n, req)
}

// Requests returns what the model was asked, in the order in which the calls arrived.
func (r *Recorder) Requests() []lm.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Calls returns how often the model was asked.
func (r *Recorder) Calls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.requests)
}
