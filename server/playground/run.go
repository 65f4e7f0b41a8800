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
	write := func(line any) {
		mu.Lock()
		defer mu.Unlock()
		if out.Encode(line) != nil || flush.Flush() != nil {
			cancel() // nobody reads it any more
		}
	}
	end := p.opt.Run(ctx, asked, func(line any) { write(map[string]any{"trace": line}) })
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		end = End{Error: "The run took longer than " + p.opt.Timeout.String() + ", the most that the playground gives it; --timeout says another.", Usage: end.Usage}
	}
	write(map[string]any{"end": end})
}
