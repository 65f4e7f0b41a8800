package prompt

import (
	"slices"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// An input of type history holds the earlier turns of a conversation. A turn has
// values of the signature's fields by name, as in DSPy: it becomes two messages,
// what the person said and what the model answered. A turn may also be a message
// of its own, {role, content}, and is given as that.

// historyRow is the name of the type.
const historyRow = "history"

// historyOf returns the first input that is a history, which may be optional.
func historyOf(sig *program.Signature) (*types.Field, bool) {
	for i := range sig.Inputs {
		if isHistory(sig.Inputs[i].Type) {
			return &sig.Inputs[i], true
		}
	}
	return nil, false
}

// isHistory reports whether t is a history, or an optional one.
func isHistory(t types.Type) bool {
	t, _ = types.Unwrap(t)
	p, ok := t.(*types.Primitive)
	return ok && p.Row.Name == historyRow
}

// without returns the signature without one of its inputs.
func without(sig *program.Signature, f *types.Field) *program.Signature {
	out := *sig
	out.Inputs = slices.DeleteFunc(slices.Clone(sig.Inputs), func(g types.Field) bool { return g.Name == f.Name })
	return &out
}

// turns returns the turns of a history: a list, or DSPy's {messages: […]}.
func turns(v any) []any {
	if o, ok := v.(*value.Object); ok {
		v, _ = o.Get("messages")
	}
	list, _ := v.([]any)
	return list
}

// asValue is a history that is shown as a value, in a demo: DSPy's {messages: […]}.
func (s *scribe) asValue(sig *program.Signature, history any) *value.Object {
	list := []any{}
	for _, turn := range turns(history) {
		if o, ok := turn.(*value.Object); ok {
			made := &value.Object{}
			for name, v := range o.All() {
				f, ok := sig.Input(name)
				if !ok {
					f, ok = sig.Output(name)
				}
				if ok && !isHistory(f.Type) {
					v = s.shown(f.Type, v)
				}
				made.Set(name, v)
			}
			turn = made
		}
		list = append(list, turn)
	}
	return value.NewObject("messages", list)
}

// earlier writes the turns of a history.
func earlier(l layout, sig *program.Signature, history any) []lm.Message {
	var messages []lm.Message
	for _, turn := range turns(history) {
		o, ok := turn.(*value.Object)
		if !ok {
			continue
		}
		if m, ok := plainMessage(sig, o); ok {
			messages = append(messages, m)
			continue
		}
		user := written(lm.User, func(s *scribe) string { return l.user(s, sig, o, "", "") })
		if user.Content != "" || user.Parts != nil {
			messages = append(messages, user)
		}
		messages = append(messages, lm.Message{Role: lm.Assistant, Content: l.assistant(sig, o, nil)})
	}
	return messages
}

// plainMessage reads a turn that is a message. One whose names are fields of the
// signature is none.
func plainMessage(sig *program.Signature, o *value.Object) (lm.Message, bool) {
	for _, name := range []string{"role", "content"} {
		if _, ok := sig.Input(name); ok {
			return lm.Message{}, false
		}
		if _, ok := sig.Output(name); ok {
			return lm.Message{}, false
		}
	}
	role, _ := o.Get("role")
	v, has := o.Get("content")
	content, isText := v.(string)
	m := lm.Message{Content: content}
	switch role {
	case "user":
		m.Role = lm.User
	case "assistant":
		m.Role = lm.Assistant
	case "system", "developer":
		m.Role = lm.System
	case "tool":
		m.Role = lm.ToolRole
		id, _ := o.Get("tool_call_id")
		m.ToolCallID, _ = id.(string)
	default:
		return lm.Message{}, false
	}
	calls, _ := o.Get("tool_calls")
	list, _ := calls.([]any)
	for _, c := range list {
		if call, ok := toolCall(c); ok {
			m.ToolCalls = append(m.ToolCalls, call)
		}
	}
	if has && v != nil && !isText || m.Content == "" && m.ToolCalls == nil {
		return lm.Message{}, false
	}
	return m, true
}

// toolCall reads a value of the type tool_call.
func toolCall(v any) (lm.ToolCall, bool) {
	row, _ := types.Lookup("tool_call")
	v, faults := value.Check(&types.Primitive{Row: row}, v, value.Lax)
	if faults != nil {
		return lm.ToolCall{}, false
	}
	o := v.(*value.Object)
	var call lm.ToolCall
	text := func(name string) string { v, _ := o.Get(name); s, _ := v.(string); return s }
	call.ID, call.Name = text("id"), text("name")
	arguments, _ := o.Get("arguments")
	call.Arguments = value.EncodeJSON(arguments)
	return call, true
}
