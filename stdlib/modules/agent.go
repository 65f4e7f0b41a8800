package modules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var agent = Entry{
	Module: universe.Module{
		Name: "agent", Doc: "agents that hand over to each other until one answers", Holds: true,
		Settings: []universe.Setting{
			{Name: "start", Kind: universe.Text, Doc: "The name of the agent that begins.", Default: "the first one", Fixed: true},
			{Name: "max_handovers", Kind: universe.Integer, Doc: "How often the task may change hands.", Default: "5", Min: bound(0), Max: bound(100)},
			{Name: "at_limit", Kind: universe.Choice, Choices: []string{"answer", "fail"}, Doc: "After the last handover, whether the agent must answer itself, or one more ends the run.", Default: "answer", Fixed: true},
		},
		Example: `agent desk {
  max_handovers = 4

  react billing {
    instructions = "Answer questions about bills. Money is paid back by others."
    tools        = [tool.calculator]
  }
  react refunds {
    instructions = "Pay money back. Ask billing what was paid."
    tools        = [tool.calculator]
  }
}`,
	},
	New: func() module.Module { return agents{} },
}

// agents gives a task to one of its agents after another: each can hand over with a
// tool, and the one that answers instead ends the step. All see what was done so far,
// and the notes that any of them wrote down.
type agents struct{}

func (agents) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	d := &desk{call: call, limit: call.Int("max_handovers", 5), fails: call.Text("at_limit", "answer") == "fail"}
	at, err := d.start()
	if err != nil {
		return nil, err
	}
	for {
		part := call.Parts[at]
		d.path = append(d.path, part.Name)
		outputs, err := call.Try(ctx, part, module.Attempt{}, func(c *module.Call) { d.seat(c, part) })
		var over *handover
		switch {
		case errors.As(err, &over):
			at = slices.IndexFunc(call.Parts, func(p *module.Part) bool { return p.Name == over.to })
			if len(d.path) > d.limit {
				return nil, &HandoversError{Limit: d.limit, Path: append(d.path, over.to)}
			}
			d.last = over
			note(call, "`%s` hands over to `%s`", part.Name, over.to)
		case err != nil && (lm.AsError(err) != nil || module.Ends(ctx, err)):
			return nil, err
		case err != nil:
			return nil, fmt.Errorf("the agent `%s`: %w", part.Name, err)
		default:
			return call.Fit(outputs)
		}
	}
}

// desk is what the agents of one run of a step share.
type desk struct {
	call  *module.Call
	limit int
	fails bool
	path  []string // who had the task, the one who has it last
	last  *handover
	done  []string // what was done and said so far
	notes *value.Object
}

// start returns the agent that begins.
func (d *desk) start() (int, error) {
	name := d.call.Text("start", d.call.Parts[0].Name)
	names := make([]string, len(d.call.Parts))
	for i, p := range d.call.Parts {
		if names[i] = p.Name; p.Name == name {
			return i, nil
		}
	}
	return 0, &startError{name, names}
}

// startError is a `start` that names nobody.
type startError struct {
	name   string
	agents []string
}

func (e *startError) Error() string {
	return "no agent is called `" + e.name + "`: they are " + strings.Join(e.agents, ", ")
}

// Advice names the nearest.
func (e *startError) Advice() string {
	if near, ok := diag.Nearest(e.name, e.agents); ok {
		return "did you mean `" + near + "`?"
	}
	return "name one of them in `start`, or leave it out: then `" + e.agents[0] + "` begins"
}

// seat prepares the call of an agent that gets the task: with the tools that all
// have, and what happened before.
func (d *desk) seat(c *module.Call, part *module.Part) {
	if c.LM == nil {
		return // a program: it has its own signature
	}
	c.Host = &clerk{c.Host, d, part.Name}
	var others []*module.Part
	for _, p := range d.call.Parts {
		if p.Name != part.Name {
			others = append(others, p)
		}
	}
	handovers := len(d.path) - 1
	c.Tools = slices.Clone(c.Tools)
	if len(others) > 0 && (handovers < d.limit || d.fails) {
		c.Tools = append(c.Tools, handOver(d, boxOf(c.Tools), part.Name, others))
	}
	if len(others) > 0 {
		c.Tools = append(c.Tools, takeNote(d, boxOf(c.Tools)))
	}
	if d.last == nil {
		return
	}
	sig := *c.Signature
	sig.Inputs = slices.Clone(sig.Inputs)
	c.Inputs = c.Inputs.Clone()
	add := func(name, description string, t types.Type, v any) {
		for {
			if _, taken := sig.Input(name); !taken {
				if _, taken := sig.Output(name); !taken {
					break
				}
			}
			name += "_"
		}
		sig.Inputs = append(sig.Inputs, types.Field{Name: name, Description: description, Type: t})
		c.Inputs.Set(name, v)
	}
	message := d.last.from + ": " + d.last.message
	if handovers >= d.limit && !d.fails {
		message += "\n(The task cannot be handed over again: answer it yourself.)"
	}
	add("handed_over", "who hands the task over to you, and what they say", types.String, message)
	add("done_so_far", "what you and the others have done so far, the oldest first", &types.List{Elem: types.String}, listOf(d.done))
	if d.notes.Len() > 0 {
		add("notes", "what you and the others have noted down", &types.Map{Elem: types.String}, d.notes.Clone())
	}
	c.Signature = &sig
}

func listOf(texts []string) []any {
	out := make([]any, len(texts))
	for i, s := range texts {
		out[i] = s
	}
	return out
}

// clerk is the host of an agent: it records what the agent does.
type clerk struct {
	module.Host
	desk *desk
	name string
}

func (c *clerk) record(a action, told string) {
	const most = 1000
	c.desk.done = append(c.desk.done, c.name+": "+a.line()+" -> "+clipped(told, most))
}

// handover ends the part of an agent.
type handover struct{ from, to, message string }

func (h *handover) Error() string {
	return "`" + h.from + "` hands over to `" + h.to + "`, and nothing here takes it"
}

// HandoversError is a task that changed hands more often than it may.
type HandoversError struct {
	Limit int
	Path  []string // who had it, in order, and who should have had it next
}

// Error shows the path.
func (e *HandoversError) Error() string {
	return fmt.Sprintf("the task changed hands more often than max_handovers = %d allows: %s", e.Limit, strings.Join(e.Path, " -> "))
}

// Advice says what may help.
func (e *HandoversError) Advice() string {
	return "allow more with `max_handovers`, say more clearly in the instructions of each agent what is its own, or write at_limit = \"answer\""
}
