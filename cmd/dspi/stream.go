package main

import (
	"fmt"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
)

// streamed shows the outputs of steps on standard output while models write
// them: `run --stream`. Its see is a run's sink.
//
// For people one output is shown at a time, and it grows where it stands; the
// others wait until it is whole, and begin with what they have by then. With
// --json each growth is a line.
type streamed struct {
	app  *app
	json bool
	bare bool // there is one step with one output: its name is not shown

	mu      sync.Mutex
	order   []*growing // in the order in which they appeared
	outputs map[growthKey]*growing
	current *growing
	printed int
}

// growthKey names an output of one call of a run.
type growthKey struct {
	call  int
	field string
}

// growing is an output that is shown.
type growing struct {
	title string
	value any
	done  bool
	shown int // bytes of it that are printed
	over  bool
}

// growthLine is a growth of an output with --json.
type growthLine struct {
	Step    string `json:"step"` // address
	Element *int   `json:"element,omitempty"`
	Call    int    `json:"call"`
	Field   string `json:"field,omitempty"`
	Value   any    `json:"value,omitempty"`
	Done    bool   `json:"done,omitempty"`
	Restart bool   `json:"restart,omitempty"`
}

func newStreamed(a *app, p *plan.Plan, asJSON bool) *streamed {
	bare := len(p.Ops) == 1 && p.Ops[0].Plan == nil && len(p.Ops[0].Outputs) == 1
	return &streamed{app: a, json: asJSON, bare: bare, outputs: map[growthKey]*growing{}}
}

// see takes an event of the run.
func (s *streamed) see(e trace.Event) {
	if e.Kind != trace.Partial {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.json {
		line := growthLine{Step: e.Address, Element: e.Element, Call: e.Call, Field: e.Field, Value: e.Value, Done: e.Done, Restart: e.Restart}
		_ = s.app.writeJSON(line)
		return
	}
	if e.Restart {
		s.restart(e.Call)
		return
	}
	key := growthKey{e.Call, e.Field}
	g := s.outputs[key]
	if g == nil {
		g = &growing{title: strings.TrimPrefix(e.Address, "program.") + "." + e.Field}
		if e.Element != nil {
			g.title = fmt.Sprintf("%s[%d]", g.title, *e.Element)
		}
		s.outputs[key] = g
		s.order = append(s.order, g)
	}
	g.value, g.done = e.Value, e.Done
	s.advance()
}

// restart forgets the outputs of a call that begins again.
func (s *streamed) restart(call int) {
	for key, g := range s.outputs {
		if key.call != call {
			continue
		}
		if g == s.current {
			fmt.Fprint(s.app.out, " …\n(the reply broke off and is written again)\n")
			s.current = nil
		}
		g.over = true
		delete(s.outputs, key)
	}
	s.advance()
}

// advance prints what has come of the current output, and of the next ones while
// they are whole.
func (s *streamed) advance() {
	for {
		if s.current == nil {
			if s.current = s.next(); s.current == nil {
				return
			}
			if !s.bare {
				fmt.Fprintf(s.app.out, "%s: ", s.current.title)
			}
		}
		g := s.current
		text := sure(g.value, g.done)
		if s.app.terminal(s.app.outFile) {
			text = harmless(text)
		}
		if len(text) > g.shown {
			fmt.Fprint(s.app.out, text[g.shown:])
			g.shown = len(text)
		}
		if !g.done {
			return
		}
		fmt.Fprintln(s.app.out)
		g.over = true
		s.printed++
		s.current = nil
	}
}

func (s *streamed) next() *growing {
	for len(s.order) > 0 {
		g := s.order[0]
		s.order = s.order[1:]
		if !g.over {
			return g
		}
	}
	return nil
}

// sure returns as much of a value's text as further growth cannot change.
func sure(v any, done bool) string {
	if text, ok := v.(string); ok {
		return text
	}
	text := string(value.EncodeJSON(v))
	if done {
		return text
	}
	return strings.TrimRight(text, `"]}`)
}

// finish ends the view and reports whether it has shown each of the outputs, whole
// and under its own name.
func (s *streamed) finish(outputs *value.Object) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.json {
		return false
	}
	if s.current != nil {
		fmt.Fprintln(s.app.out)
		return false
	}
	if outputs.Len() == 0 || s.printed != outputs.Len() || len(s.outputs) != outputs.Len() {
		return false
	}
	for name, v := range outputs.All() {
		found := false
		for key, g := range s.outputs {
			found = found || key.field == name && value.Equal(g.value, v)
		}
		if !found {
			return false
		}
	}
	return true
}
