package history

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
)

// Line is an event of a trace as a line of JSON: `dspi run --trace FILE`. What it
// lacks is left out.
type Line struct {
	Time    time.Time  `json:"time"`
	Run     string     `json:"run"`
	Kind    trace.Kind `json:"kind"`
	Address string     `json:"address,omitempty"`
	Path    string     `json:"path,omitempty"`   // where the step stands in the run, with elements and rounds
	Step    int        `json:"step,omitempty"`   // its number
	Parent  int        `json:"parent,omitempty"` // the number of the step around it
	Call    int        `json:"call,omitempty"`   // the number of the call of a model or tool
	Element *int       `json:"element,omitempty"`

	Model    string          `json:"model,omitempty"`
	Tool     string          `json:"tool,omitempty"`
	Request  *Request        `json:"request,omitempty"`
	Reply    *Reply          `json:"reply,omitempty"`
	Inputs   json.RawMessage `json:"inputs,omitempty"`
	Outputs  json.RawMessage `json:"outputs,omitempty"`
	Attempt  int             `json:"attempt,omitempty"`
	Wait     time.Duration   `json:"wait_ns,omitempty"`
	Duration time.Duration   `json:"duration_ns,omitempty"`
	Repairs  []value.Repair  `json:"repairs,omitempty"`
	Assert   string          `json:"assert,omitempty"` // the name of an assert or suggest that does not hold
	Suggest  bool            `json:"suggest,omitempty"`
	Final    bool            `json:"final,omitempty"` // the step is not asked again
	Allowed  *bool           `json:"allowed,omitempty"`
	Passed   bool            `json:"passed,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Error    *Failure        `json:"error,omitempty"`
}

// LineWriter writes the events of runs as lines of JSON, without secrets and without
// the bytes of media. Its See is a trace.Sink. Outputs that grow are left out.
type LineWriter struct {
	lines *Lines

	mu   sync.Mutex
	json *json.Encoder
	err  error
}

// NewLineWriter returns a LineWriter that knows what is secret in about.
func NewLineWriter(w io.Writer, about About) *LineWriter {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return &LineWriter{lines: NewLines(about), json: e}
}

// See writes an event.
func (w *LineWriter) See(e trace.Event) {
	if e.Kind == trace.Partial {
		return
	}
	l := w.lines.Of(e)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = w.json.Encode(l)
	}
}

// Err returns the first error of writing.
func (w *LineWriter) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Lines makes events Lines, without what is secret.
type Lines struct {
	clean Recorder // of which nothing is written
}

// NewLines returns Lines that know what is secret in about.
func NewLines(about About) *Lines {
	return &Lines{Recorder{about: about, clean: cleaner(about.Secrets)}}
}

// Of returns the Line of an event.
func (x *Lines) Of(e trace.Event) *Line {
	r := &x.clean
	l := &Line{
		Time: e.Time, Run: e.Run, Kind: e.Kind, Address: e.Address, Path: e.Path, Step: e.Step, Parent: e.Parent, Call: e.Call, Element: e.Element,
		Model: e.Model, Tool: e.Tool, Attempt: e.Number, Wait: e.Wait, Duration: e.Duration, Assert: e.Assert, Suggest: e.Suggest, Final: e.Final,
		Passed: e.Passed, Reason: r.text(e.Reason), Error: r.failureOf(e.Err),
	}
	if e.Inputs != nil {
		l.Inputs = r.values(e.Address, e.Inputs)
	}
	if e.Outputs != nil {
		l.Outputs = r.values(e.Address, e.Outputs)
	}
	if e.Kind == trace.CallStart {
		q := r.request(e)
		l.Request = &q
	}
	if e.Reply != nil {
		l.Reply = r.reply(e)
	}
	if e.Kind == trace.Approval {
		l.Allowed = &e.Allowed
	}
	for _, x := range e.Repairs {
		l.Repairs = append(l.Repairs, value.Repair{Loc: x.Loc, Type: x.Type, Msg: r.text(x.Msg)})
	}
	return l
}
