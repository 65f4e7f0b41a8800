package modules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// toolbox holds the tools of a step. Of two with one name the later counts, in the
// place of the earlier, as in DSPy.
type toolbox struct{ tools []tool.Tool }

func boxOf(tools []tool.Tool) *toolbox {
	b := &toolbox{}
	for _, t := range tools {
		if i := slices.IndexFunc(b.tools, func(x tool.Tool) bool { return x.Name() == t.Name() }); i >= 0 {
			b.tools[i] = t
		} else {
			b.tools = append(b.tools, t)
		}
	}
	return b
}

func (b *toolbox) names() []string {
	out := make([]string, len(b.tools))
	for i, t := range b.tools {
		out[i] = t.Name()
	}
	return out
}

// find returns the tool that a model means by a name: also with other capitals, and
// behind the words that models like to put before it.
func (b *toolbox) find(name string) (tool.Tool, bool) {
	for _, prefix := range []string{"", "tool.", "tools.", "functions."} {
		short, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		if i := slices.Index(b.names(), short); i >= 0 {
			return b.tools[i], true
		}
		if i := slices.IndexFunc(b.tools, func(t tool.Tool) bool {
			return wireName(t.Name()) == short || strings.EqualFold(t.Name(), short)
		}); i >= 0 {
			return b.tools[i], true
		}
	}
	return nil, false
}

// unknown tells the model that there is no such tool, and which there are.
func (b *toolbox) unknown(name string, also ...string) string {
	names := append(b.names(), also...)
	text := "There is no tool `" + name + "`"
	if near, ok := diag.Nearest(name, names); ok {
		text += "; did you mean `" + near + "`?"
	} else {
		text += "."
	}
	return text + " The tools are: " + strings.Join(names, ", ") + "."
}

// action is a call of a tool that a model asks for.
type action struct {
	id   string // of a native call
	tool string
	args *value.Object
	bad  string // why it cannot be made; "" when it can
}

// line is the action in one line, for people and for other agents.
func (a action) line() string {
	var parts []string
	if a.args != nil {
		for name, v := range a.args.All() {
			parts = append(parts, name+" = "+string(value.EncodeJSON(v)))
		}
	}
	return a.tool + "(" + strings.Join(parts, ", ") + ")"
}

// own is a tool of a module itself: it changes only what the module holds, so that no
// journal keeps it and nobody is asked. ended says with what the conversation ends
// once it was called, nil where it goes on.
type own interface {
	tool.Tool
	ended() error
}

// act calls tools, all at once, and returns what the model is told of each in their
// order. The error is one that ends the run: a call that waits for a person, an
// interruption, a budget that is used up.
func (b *toolbox) act(ctx context.Context, call *module.Call, actions []action, also ...string) ([]string, error) {
	told := make([]string, len(actions))
	errs := make([]error, len(actions))
	one := func(ctx context.Context, i int, mine bool) {
		a := actions[i]
		t, ok := b.find(a.tool)
		if _, isOwn := t.(own); isOwn != mine {
			return
		}
		switch {
		case a.bad != "":
			told[i] = a.bad
		case !ok:
			told[i] = b.unknown(a.tool, also...)
			missing(call, a, told[i])
		default:
			told[i], errs[i] = callTool(ctx, call, t, withoutNulls(t, a.args))
		}
	}
	err := module.Together(ctx, len(actions), func(ctx context.Context, i int) error {
		one(ctx, i, false)
		return nil // one that waits for a person does not stop the others
	})
	for i := range actions {
		one(ctx, i, true) // in order: they share what the module holds
	}
	if err != nil {
		return nil, err
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	for i, a := range actions {
		t, _ := b.find(a.tool)
		mine, ok := t.(own)
		if !ok {
			recorded(call, a, told[i])
		} else if err := mine.ended(); err != nil {
			return nil, err
		}
	}
	return told, nil
}

// minutes is a host that is told of each action and what came of it, in their order.
type minutes interface{ record(action, string) }

func recorded(call *module.Call, a action, told string) {
	if m, ok := call.Host.(minutes); ok {
		m.record(a, told)
	}
}

// callTool calls one tool and returns what the model is told of it: its outputs, or
// why it failed.
func callTool(ctx context.Context, call *module.Call, t tool.Tool, args *value.Object) (string, error) {
	outputs, err := called(ctx, call, t, args)
	if err == nil {
		return observation(t, outputs), nil
	}
	if module.Ends(ctx, err) {
		return "", err
	}
	return failure(err), nil
}

// called calls a tool: through the machine, unless it is a module's own.
func called(ctx context.Context, call *module.Call, t tool.Tool, args *value.Object) (out *value.Object, err error) {
	if _, mine := t.(own); !mine {
		return call.Host.CallTool(ctx, t, args)
	}
	number := call.Host.NewCall()
	call.Host.Emit(trace.Event{Kind: trace.ToolStart, Call: number, Tool: t.Name(), Inputs: args})
	out, err = t.Call(ctx, args)
	call.Host.Emit(trace.Event{Kind: trace.ToolEnd, Call: number, Tool: t.Name(), Outputs: out, Err: err})
	return out, err
}

// missing records a call of a tool that is not there.
func missing(call *module.Call, a action, told string) {
	number := call.Host.NewCall()
	call.Host.Emit(trace.Event{Kind: trace.ToolStart, Call: number, Tool: a.tool, Inputs: a.args})
	call.Host.Emit(trace.Event{Kind: trace.ToolEnd, Call: number, Tool: a.tool, Err: &tool.Error{Tool: a.tool, Text: told}})
	note(call, "the model asked for a tool that is not there: %s", a.tool)
}

// failure is what a model is told of a tool that failed.
func failure(err error) string {
	if e, ok := errors.AsType[*tool.Error](err); ok {
		return e.Text
	}
	return err.Error()
}

// observed is what a tool gave as one value: that of its output, where it has only
// one, else the object of them.
func observed(t tool.Tool, outputs *value.Object) any {
	if sig := t.Signature(); sig != nil && len(sig.Outputs) == 1 && outputs.Len() == 1 {
		v, _ := outputs.Get(outputs.Names()[0])
		return v
	}
	return outputs
}

// observation is what a tool gave as text: a text as it is, anything else as JSON.
func observation(t tool.Tool, outputs *value.Object) string {
	v := observed(t, outputs)
	if s, ok := v.(string); ok {
		return s
	}
	return string(value.EncodeJSON(v))
}

// withoutNulls leaves out arguments that are null where the input has a default: in
// a strict schema null is how a model leaves an argument out.
func withoutNulls(t tool.Tool, args *value.Object) *value.Object {
	out := &value.Object{}
	if args == nil {
		return out
	}
	for name, v := range args.All() {
		if f, ok := t.Signature().Input(name); v == nil && ok && f.HasDefault {
			if _, optional := f.Type.(*types.Optional); !optional {
				continue
			}
		}
		out.Set(name, v)
	}
	return out
}

// nativeAction reads a native call of a tool.
func nativeAction(c lm.ToolCall, place int) action {
	a := action{id: c.ID, tool: c.Name}
	if a.id == "" {
		a.id = callID("call", place)
	}
	a.args, a.bad = readArguments(string(c.Arguments))
	return a
}

// callID is the id of a call that has none of its provider: nine letters and digits,
// which all of them take.
func callID(word string, n int) string { return fmt.Sprintf("%s%0*d", word, 9-len(word), n) }

// wireName is a tool's name as providers take it: letters, digits, _ and -.
func wireName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
	return name[:min(len(name), 64)]
}

// readArguments reads arguments that were written as JSON, or nearly so.
func readArguments(text string) (args *value.Object, bad string) {
	if strings.TrimSpace(text) == "" {
		return &value.Object{}, ""
	}
	v, err := value.DecodeJSON([]byte(text))
	if err != nil {
		v, _, _, _ = align.Value(types.JSON, text, align.Repairing)
	}
	switch v := v.(type) {
	case *value.Object:
		return v, ""
	case nil:
		if err == nil {
			return &value.Object{}, "" // null: no arguments
		}
	}
	return &value.Object{}, "The arguments are no JSON object: " + text
}
