// Package playground serves a page on which programs are written, looked at and run:
// an editor with the language server, and beside it the plan, the messages, the
// outputs and the trace of a run.
//
//	Playground  an http.Handler for one person on this machine (playground.go)
//	Options     what it serves: the files, the language server, who runs programs
//	Request     a run that the page asks for, or tests; End is how it ended (run.go)
//	assets      the page, made of web/ by `make playground` (assets.go)
//
// Any page of the web can send requests to this machine. So the Playground answers
// only under an address that no name of the web can take, only to its own page, and
// what knows the files or runs something only with the token of the printed URL. It
// writes no file.
package playground

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// MaxBody is the largest request that is read, in bytes.
const MaxBody = 1 << 20

// MaxRuns is how many programs are run at the same time.
const MaxRuns = 4

// Options are what a Playground serves.
type Options struct {
	Token string // what the page must send; the page has it from its URL
	// Root is the URI of the folder of the files; "" where they are in none.
	Root string
	// Model names what answers, for people.
	Model string
	// Files returns what can be chosen. It is asked each time the page is opened.
	Files func() ([]File, error)
	// Language serves the language server over a websocket. It ends with the context
	// of its request.
	Language http.Handler
	// Run runs a program. It tells each line of the trace, from many goroutines, and
	// none after it returned. Its context ends after Timeout, and when the page stops
	// the run or is closed.
	Run func(ctx context.Context, r Request, trace func(line any)) End
	// Test runs tests of a file, one after another and all within one Timeout.
	Test    func(ctx context.Context, r Request, trace func(line any), tested func(Tested)) End
	Timeout time.Duration
}

// File is a program that can be chosen.
type File struct {
	Name string `json:"name"`
	URI  string `json:"uri"`
	Text string `json:"text"`
}

// Playground is an http.Handler. It is safe for use by many goroutines.
type Playground struct {
	opt   Options
	runs  chan struct{} // one for each run
	mux   *http.ServeMux
	calls sync.RWMutex // held by each request while it lasts
}

// New returns a Playground.
func New(opt Options) *Playground {
	p := &Playground{opt: opt, runs: make(chan struct{}, MaxRuns), mux: http.NewServeMux()}
	p.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { asset(w, r, "index.html") })
	p.mux.HandleFunc("GET /assets/{name}", func(w http.ResponseWriter, r *http.Request) { asset(w, r, r.PathValue("name")) })
	p.mux.HandleFunc("GET /api/start", p.own(p.start))
	p.mux.HandleFunc("POST /api/run", p.own(p.run))
	p.mux.HandleFunc("POST /api/test", p.own(p.test))
	p.mux.HandleFunc("GET /lsp", p.own(p.opt.Language.ServeHTTP))
	return p
}

// Serve serves until the context ends, and then ends the runs and sessions that are
// left before it returns. The error is that of the listener.
func (p *Playground) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	s := &http.Server{Handler: p, ReadHeaderTimeout: 30 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = s.Close()
	})
	err := s.Serve(l)
	cancel()
	if !stop() {
		<-closed
	}
	p.calls.Lock() // the runs and sessions have ended
	p.calls.Unlock()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// ServeHTTP answers one request.
func (p *Playground) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.calls.RLock()
	defer p.calls.RUnlock()
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; "+
		"font-src 'self'; img-src 'self' data:; connect-src 'self' ws://"+r.Host+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
	if !here(r.Host) {
		http.Error(w, "The playground is reached as 127.0.0.1 or localhost.", http.StatusForbidden)
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
		http.Error(w, "The playground is not for other pages.", http.StatusForbidden)
		return
	}
	p.mux.ServeHTTP(w, r)
}

// here reports whether a host is a name of this machine that no name of the web can
// point at.
func here(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// own lets only those in who know the token. A websocket of a page can send no header,
// so it has the token in its URL.
func (p *Playground) own(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok && r.URL.Path == "/lsp" {
			given = r.URL.Query().Get("token")
		}
		if p.opt.Token == "" || subtle.ConstantTimeCompare([]byte(given), []byte(p.opt.Token)) != 1 {
			http.Error(w, "Open the playground by the URL that `dspi playground` prints: it ends with a token.", http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

// start answers what the page begins with.
func (p *Playground) start(w http.ResponseWriter, _ *http.Request) {
	files, err := p.opt.Files()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var root *string
	if p.opt.Root != "" {
		root = &p.opt.Root
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(struct {
		Root  *string `json:"root"`
		Model string  `json:"model"`
		Files []File  `json:"files"`
	}{root, p.opt.Model, files}) // who has left does not read it
}
