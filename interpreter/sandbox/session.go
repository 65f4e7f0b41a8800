package sandbox

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/lang/value"
)

// maxFrame is the longest thing that the process may say at once.
const maxFrame = 16 << 20

// startTime is how long Python may take to start.
const startTime = 30 * time.Second

// Session is a Python that runs one piece of code after another and keeps its
// variables. After a limit of time, or when its process ended, the next piece finds
// a new one, without them. It is not for several goroutines.
type Session struct {
	options Options
	facts   *facts
	way     Way
	process *process // nil: none is running
	reader  *bufio.Reader
	kept    *value.Object // variables; nil: none
	fresh   bool          // the process has them as they are
	closed  bool
}

// Way returns how the session is confined.
func (s *Session) Way() Way { return s.way }

// start starts the process and waits until Python is ready. A *refusal says that the
// way does not work.
func (s *Session) start(ctx context.Context) error {
	l := s.options.Limits
	p, err := launch(s.way, s.facts, l)
	if err != nil {
		return err
	}
	s.process, s.reader, s.fresh = p, bufio.NewReader(p.out), false
	first := value.NewObject("memory", l.Memory, "output", l.Output, "value", l.Value, "file", l.Files,
		"cpu", int(math.Ceil(l.Time.Seconds()))+2, "functions", s.functions(), "outputs", toAny(s.options.Outputs))
	var ready struct{ Ready string }
	err = s.within(ctx, startTime, func() error {
		if err := s.send(first); err != nil {
			return err
		}
		return s.receive(&ready)
	})
	if err != nil {
		said := s.end()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errTime):
			return refused("Python did not start within %s", startTime)
		case said != "":
			return refused("%s", said)
		}
		return refused("Python ended at once")
	}
	return nil
}

// functions are those of the host, as the driver makes them.
func (s *Session) functions() []any {
	var out []any
	for _, name := range slices.Sorted(maps.Keys(s.options.Functions)) {
		f := value.NewObject("name", name)
		if declared, ok := s.options.Parameters[name]; ok {
			parameters := make([]any, len(declared))
			for i, p := range declared {
				x := value.NewObject("name", p.Name)
				if !p.Needed {
					x.Set("default", p.Default)
				}
				parameters[i] = x
			}
			f.Set("parameters", parameters)
		}
		out = append(out, f)
	}
	return out
}

// Keep sets variables that each further piece of code finds as they are here, whatever
// an earlier one did to them, also in a new process. A text is JSON, or Python's own
// notation behind a `=`.
func (s *Session) Keep(texts map[string]string) {
	s.kept, s.fresh = value.MakeObject(len(texts)), false
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		s.kept.Set(name, texts[name])
	}
}

// Run runs code. The error is an *Error, one that holds a *Stop, an *UnavailableError
// where no new process could be started, or that of ctx.
func (s *Session) Run(ctx context.Context, code string) (*Outcome, error) {
	if s.closed {
		return nil, errors.New("the session is closed")
	}
	if s.process == nil {
		if err := s.start(ctx); err != nil {
			if no, ok := errors.AsType[*refusal](err); ok {
				err = &UnavailableError{[]Reason{{s.way, no.why}}}
			}
			return nil, err
		}
	}
	d, err := s.run(ctx, code)
	if err != nil {
		said := s.end()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if _, ok := errors.AsType[*Stop](err); ok {
			return nil, err
		}
		const lost = ". Its variables are lost."
		switch {
		case errors.Is(err, errTime):
			return nil, &Error{Kind: Time, Message: fmt.Sprintf("the code takes longer than %s%s", s.options.Limits.Time, lost)}
		case errors.Is(err, errFrame):
			return nil, &Error{Kind: Value, Message: "the code gives more than can be read" + lost}
		case said != "":
			return nil, &Error{Kind: Died, Message: "the Python process ended: " + said + lost}
		}
		return nil, &Error{Kind: Died, Message: "the Python process ended" + lost}
	}
	switch {
	case d.Limit == string(Memory):
		return nil, &Error{Memory, fmt.Sprintf("MemoryError: the code needs more than %d MB of memory", s.options.Limits.Memory>>20), d.Printed}
	case d.Limit != "":
		return nil, &Error{Kind(d.Limit), d.Error, d.Printed}
	case d.Error != "":
		return nil, &Error{Failed, d.Error, d.Printed}
	}
	return &Outcome{Value: d.Value, Submitted: d.Final, Printed: d.Printed}, nil
}

// done is what the driver says of a piece of code.
type done struct {
	Value, Error, Limit, Printed string
	Final                        bool
}

// run sends the code and answers its calls until it is done. The time of the calls
// does not count.
func (s *Session) run(ctx context.Context, code string) (*done, error) {
	left := s.options.Limits.Time
	next := value.NewObject("run", code)
	if s.kept != nil && !s.fresh {
		next.Set("variables", s.kept)
		s.fresh = true
	}
	for {
		var said struct {
			Call  string
			Args  json.RawMessage
			Named json.RawMessage
			Done  *done
		}
		began := time.Now()
		err := s.within(ctx, left, func() error {
			if err := s.send(next); err != nil {
				return err
			}
			return s.receive(&said)
		})
		if err != nil {
			return nil, err
		}
		if said.Done != nil {
			return said.Done, nil
		}
		if left -= time.Since(began); left <= 0 {
			return nil, errTime
		}
		if next, err = s.call(ctx, said.Call, said.Args, said.Named); err != nil {
			return nil, err
		}
	}
}

// call calls a function of the host and returns the frame that answers.
func (s *Session) call(ctx context.Context, name string, args, named json.RawMessage) (*value.Object, error) {
	f, ok := s.options.Functions[name]
	if !ok {
		return value.NewObject("error", "there is no function "+name), nil
	}
	list, err := value.DecodeJSON(args)
	if err != nil {
		return value.NewObject("error", "the arguments cannot be read: "+err.Error()), nil
	}
	object, err := value.DecodeJSON(named)
	if err != nil {
		return value.NewObject("error", "the arguments cannot be read: "+err.Error()), nil
	}
	positional, _ := list.([]any)
	byName, _ := object.(*value.Object)
	if byName == nil {
		byName = &value.Object{}
	}
	v, err := f(ctx, positional, byName)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if _, ok := errors.AsType[*Stop](err); ok {
			return nil, err
		}
		return value.NewObject("error", err.Error()), nil
	}
	return value.NewObject("value", v), nil
}

var (
	errTime  = errors.New("the time is up")
	errFrame = errors.New("the frame is too long")
)

// within does something with the process that ends when the process does, and ends
// the process when the time is up or the context done.
func (s *Session) within(ctx context.Context, most time.Duration, do func() error) error {
	timed, cancel := context.WithTimeoutCause(ctx, most, errTime)
	defer cancel()
	stop := context.AfterFunc(timed, s.process.kill)
	err := do()
	if !stop() && timed.Err() != nil {
		return context.Cause(timed)
	}
	return err
}

func (s *Session) send(o *value.Object) error {
	data := value.EncodeJSON(o)
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(data)), uint32(len(data)))
	_, err := s.process.in.Write(append(frame, data...))
	return err
}

func (s *Session) receive(into any) error {
	var head [4]byte
	if _, err := io.ReadFull(s.reader, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return errFrame
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(s.reader, data); err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return errFrame
	}
	return nil
}

// end ends the process and returns what is known of its end.
func (s *Session) end() string {
	if s.process == nil {
		return ""
	}
	p := s.process
	s.process, s.reader = nil, nil
	return p.end()
}

// Close ends the session and its process.
func (s *Session) Close() {
	s.closed = true
	s.end()
}

func toAny(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// head keeps the first bytes of what is written to it.
type head struct {
	mu   sync.Mutex
	text []byte
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if room := 4096 - len(h.text); room > 0 {
		h.text = append(h.text, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.text)
}
