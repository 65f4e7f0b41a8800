package playground

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
)

// Request is a run that the page asks for.
type Request struct {
	File    string            `json:"file"` // the Name of the File whose text it was
	Text    string            `json:"text"`
	Program string            `json:"program"` // "" for the one that would be run
	Inputs  map[string]string `json:"inputs"`  // as on a command line
	// Test is which test of the file is run where tests are asked for; "" for all.
	Test string `json:"test"`
}

// Tested is what became of a test. It is told twice: that the test runs, before its
// events, and how it ended.
type Tested struct {
	Name   string `json:"name"`
	Status string `json:"status"`          // running; then passed, failed, error or skipped
	Error  string `json:"error,omitempty"` // what does not hold, or why it could not run, for people
	Usage  string `json:"usage,omitempty"`
}

// End is how a run ended: with outputs, or with an error for people.
type End struct {
	Outputs any    `json:"outputs,omitempty"`
	Error   string `json:"error,omitempty"`
	Usage   string `json:"usage,omitempty"` // what it used, for people
}

// run answers a Request with lines of JSON: {"trace": …} for each event while it
// happens, and one {"end": …}.
func (p *Playground) run(w http.ResponseWriter, r *http.Request) {
	p.stream(w, r, func(ctx context.Context, asked Request, write func(map[string]any)) End {
		return p.opt.Run(ctx, asked, func(line any) { write(map[string]any{"trace": line}) })
	})
}

// test does the same for tests: a line {"test": …} stands before and behind the events
// of each.
func (p *Playground) test(w http.ResponseWriter, r *http.Request) {
	p.stream(w, r, func(ctx context.Context, asked Request, write func(map[string]any)) End {
		return p.opt.Test(ctx, asked, func(line any) { write(map[string]any{"trace": line}) },
			func(t Tested) { write(map[string]any{"test": t}) })
	})
}

// stream reads a Request and writes the lines that do writes, and its End.
func (p *Playground) stream(w http.ResponseWriter, r *http.Request, do func(context.Context, Request, func(map[string]any)) End) {
	var asked Request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBody)).Decode(&asked); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			http.Error(w, "The program and its inputs are larger than the 1 MiB that the playground takes.", http.StatusRequestEntityTooLarge)
			return
		}
		http.Error(w, "That is not a run as the page asks for one.", http.StatusBadRequest)
		return
	}
	select {
	case p.runs <- struct{}{}:
		defer func() { <-p.runs }()
	default:
		http.Error(w, "As many programs run already as the playground runs at once. Stop one of them.", http.StatusTooManyRequests)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), p.opt.Timeout)
	defer cancel()

	w.Header().Set("Content-Type", "application/x-ndjson")
	var mu sync.Mutex
	out, flush := json.NewEncoder(w), http.NewResponseController(w)
	write := func(line map[string]any) {
		mu.Lock()
		defer mu.Unlock()
		if out.Encode(line) != nil || flush.Flush() != nil {
			cancel() // nobody reads it any more
		}
	}
	end := do(ctx, asked, write)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		end = End{Error: "The run took longer than " + p.opt.Timeout.String() + ", the most that the playground gives it; --timeout says another.", Usage: end.Usage}
	}
	write(map[string]any{"end": end})
}
