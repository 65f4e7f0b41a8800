package scripted

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// RequestID names what a request sends: two that send the same messages, media
// included, for the same sample have the same. Parameters, tools and the form of
// the reply are no part of it, so that a recording outlives a change of them.
func RequestID(req *lm.Request) string {
	h := sha256.New()
	e := json.NewEncoder(h)
	for _, m := range req.Messages {
		_ = e.Encode(m) // a message can always be written, and a hash takes everything
	}
	if req.Rollout != 0 {
		_ = e.Encode(req.Rollout)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Recorder writes the replies of models to a file that Open reads, so that the
// same program with the same inputs gets the same replies without the models. It is
// safe for use by many goroutines.
//
// Each reply is written with the RequestID of its call, so that calls in parallel
// get their own. Calls that send exactly the same get their replies in the order in
// which they were recorded.
type Recorder struct {
	mu       sync.Mutex
	w        *bufio.Writer
	features *lm.Features // what all models that were recorded can do
	lines    bytes.Buffer
	err      error
}

// NewRecorder returns a Recorder that writes to w when it is closed.
func NewRecorder(w io.Writer) *Recorder { return &Recorder{w: bufio.NewWriter(w)} }

// Record returns a model that answers as m does, and whose replies are recorded. It
// belongs outside all other wrappers: what a cache gave or a retry brought is
// recorded as the one reply it is.
func (r *Recorder) Record(m lm.LM) lm.LM {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := m.Features()
	if r.features != nil {
		g := *r.features
		f = lm.Features{
			JSON: f.JSON && g.JSON, Schema: f.Schema && g.Schema, Tools: f.Tools && g.Tools,
			Images: f.Images || g.Images, Audio: f.Audio || g.Audio, Files: f.Files || g.Files,
		}
	}
	r.features = &f
	return &recording{m, r}
}

type recording struct {
	lm.LM
	recorder *Recorder
}

func (r *recording) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	resp, err := r.LM.Generate(ctx, req)
	line := record{Request: RequestID(req)}
	if err != nil {
		e := lm.AsError(err)
		if e == nil || e.Kind == lm.KindCanceled {
			return resp, err // nothing was answered
		}
		line.Error, line.Message, line.Status = e.Kind, e.Message, e.Status
		if !slices.Contains(kinds, e.Kind) {
			line.Error = lm.KindRequest // of a wrapper, which is not tried again
		}
		// A call that was tried again asks again when it is replayed.
		line.Times = max(e.Attempts, 1)
		if line.Times == 1 {
			line.Times = 0
		}
	} else {
		line.Reply, line.Reasoning, line.Finish, line.Usage = &resp.Text, resp.Reasoning, resp.Finish, &resp.Usage
		for _, c := range resp.ToolCalls {
			if !json.Valid(c.Arguments) {
				c.Arguments, _ = json.Marshal(string(c.Arguments))
			}
			line.ToolCalls = append(line.ToolCalls, c)
		}
	}
	r.recorder.write(&line)
	return resp, err
}

// record is a line of the file.
type record struct {
	Request   string        `json:"request"`
	Reply     *string       `json:"reply,omitempty"`
	Reasoning string        `json:"reasoning,omitempty"`
	ToolCalls []lm.ToolCall `json:"tool_calls,omitempty"`
	Finish    lm.Finish     `json:"finish,omitempty"`
	Usage     *lm.Usage     `json:"usage,omitempty"`
	Error     lm.Kind       `json:"error,omitempty"`
	Message   string        `json:"message,omitempty"`
	Status    int           `json:"status,omitempty"`
	Times     int           `json:"times,omitempty"`
}

func (r *Recorder) write(line any) {
	text, err := plainLine(line)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && r.err == nil {
		r.err = err
	}
	r.lines.Write(text)
}

// plainLine returns v as a line of JSON, its < and & as they are.
func plainLine(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// Close writes what was recorded: first what the models can do, then the replies in
// the order in which they came.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	if r.features != nil {
		head, err := plainLine(map[string]any{"features": (*features)(r.features)})
		if err != nil {
			return err
		}
		r.w.Write(head)
	}
	r.w.Write(r.lines.Bytes())
	r.features = nil
	r.lines.Reset()
	return r.w.Flush()
}
