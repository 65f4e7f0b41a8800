// Package gateway serves models as an OpenAI-compatible endpoint, so that other
// programs, the real DSPy among them, get the limits, routes, cache and counts
// that dspi's own runs have.
//
//	Gateway  an http.Handler over a closed list of models (gateway.go)
//	request  what a client sends, as an lm.Request (request.go)
//	reply    what a client gets, whole or as a stream of events (reply.go)
//	failure  what went wrong, with the status that clients know (failure.go)
//
// It serves GET /v1/models, GET /v1/models/NAME and POST /v1/chat/completions.
// Whatever a client asks for that would change the reply and cannot be done is
// refused with 400 and its name: nothing is ignored in silence.
package gateway

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// MaxBody is the largest request that is read, in bytes.
const MaxBody = 64 << 20

// MaxChoices is the largest `n` of a request: how many replies it asks for.
const MaxChoices = 32

// Model is a model that is served.
type Model struct {
	Name string // what clients call it
	LM   lm.LM
	// Params are used where a request leaves a parameter open.
	Params lm.Params
}

// Done is a request that was served, for the log. It holds no prompt, no reply and
// no key.
type Done struct {
	Model    string
	Status   int
	Duration time.Duration
	Replies  []*lm.Response // one for each choice that was answered
	Err      error
	Stream   bool
}

// Gateway is an http.Handler. It is safe for use by many goroutines.
type Gateway struct {
	models []Model
	token  string
	done   func(Done)
	mux    *http.ServeMux
}

// New returns a Gateway for models, which clients reach with the bearer token; ""
// lets everybody in. done is told of each request that was served, by many
// goroutines at once; it may be nil.
func New(models []Model, token string, done func(Done)) *Gateway {
	if done == nil {
		done = func(Done) {}
	}
	g := &Gateway{models: models, token: token, done: done, mux: http.NewServeMux()}
	for _, prefix := range []string{"/v1", ""} { // clients are told the base URL with /v1 or without
		g.mux.HandleFunc("GET "+prefix+"/models", g.list)
		g.mux.HandleFunc("GET "+prefix+"/models/{name...}", g.show)
		g.mux.HandleFunc("POST "+prefix+"/chat/completions", g.complete)
	}
	g.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, &problem{status: http.StatusNotFound, kind: "invalid_request_error", code: "unknown_url",
			message: fmt.Sprintf("there is nothing at %s %s; served are GET /v1/models and POST /v1/chat/completions", r.Method, r.URL.Path)})
	})
	return g
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.token != "" {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(strings.TrimSpace(given)), []byte(g.token)) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, &problem{status: http.StatusUnauthorized, kind: "invalid_request_error", code: "invalid_api_key",
				message: "this gateway wants its own token as api_key; it was printed when the gateway began"})
			return
		}
	}
	g.mux.ServeHTTP(w, r)
}

type modelEntry struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int    `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func entryOf(m Model) modelEntry {
	owner, _, _ := strings.Cut(m.LM.Address(), "/")
	return modelEntry{ID: m.Name, Object: "model", OwnedBy: owner}
}

func (g *Gateway) list(w http.ResponseWriter, _ *http.Request) {
	entries := make([]modelEntry, len(g.models))
	for i, m := range g.models {
		entries[i] = entryOf(m)
	}
	write(w, http.StatusOK, map[string]any{"object": "list", "data": entries})
}

func (g *Gateway) show(w http.ResponseWriter, r *http.Request) {
	m, p := g.model(r.PathValue("name"))
	if p != nil {
		refuse(w, p)
		return
	}
	write(w, http.StatusOK, entryOf(m))
}

// model finds a model by its name.
func (g *Gateway) model(name string) (Model, *problem) {
	i := slices.IndexFunc(g.models, func(m Model) bool { return m.Name == name })
	if i >= 0 {
		return g.models[i], nil
	}
	names := make([]string, len(g.models))
	for i, m := range g.models {
		names[i] = m.Name
	}
	return Model{}, &problem{
		status: http.StatusNotFound, kind: "invalid_request_error", code: "model_not_found", param: "model",
		message: fmt.Sprintf("no model is called %q here; served are: %s", name, strings.Join(names, ", ")),
	}
}

// complete serves POST /v1/chat/completions.
func (g *Gateway) complete(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	log := Done{Status: http.StatusOK}
	defer func() {
		log.Duration = time.Since(start)
		g.done(log)
	}()
	fail := func(p *problem) {
		log.Status, log.Err = p.status, p
		refuse(w, p)
	}
	var c completion
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBody))
	if err := dec.Decode(&c); err != nil {
		fail(unreadable(err))
		return
	}
	m, p := g.model(c.Model)
	if p != nil {
		fail(p)
		return
	}
	log.Model, log.Stream = m.Name, c.Stream
	req, p := c.request(m)
	if p != nil {
		fail(p)
		return
	}
	if c.Stream {
		g.stream(w, r, m, &c, req, &log)
		return
	}
	replies, err := sample(r.Context(), m.LM, req, c.choices())
	log.Replies = replies
	if err != nil {
		if r.Context().Err() != nil {
			log.Status, log.Err = 499, err // the client has gone
			return
		}
		fail(problemOf(err))
		return
	}
	write(w, http.StatusOK, whole(m.Name, replies, req))
}

// sample asks for n replies at once. The first failure ends all.
func sample(ctx context.Context, model lm.LM, req *lm.Request, n int) ([]*lm.Response, error) {
	if n == 1 {
		reply, err := model.Generate(ctx, req)
		if err != nil {
			return nil, err
		}
		return []*lm.Response{reply}, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	replies := make([]*lm.Response, n)
	errs := make(chan error, n)
	for i := range n {
		go func() {
			one := *req
			one.Rollout = i // each has a reply of its own, although replies are cached
			reply, err := model.Generate(ctx, &one)
			replies[i] = reply
			errs <- err
		}()
	}
	var failed error
	for range n {
		if err := <-errs; err != nil && failed == nil {
			failed = err
			cancel()
		}
	}
	return slices.DeleteFunc(replies, func(r *lm.Response) bool { return r == nil }), failed
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // who does not read any more is not told
}
