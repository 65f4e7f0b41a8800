package prompt

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Modules that talk with a model in their own way, turn by turn, take the pieces of
// an adapter's messages from here.

// User returns the message in which a shows the inputs of sig, without any words
// around them: DSPy's format_user_message_content.
func User(a Adapter, sig *program.Signature, inputs *value.Object) lm.Message {
	l, ok := a.(layout)
	if !ok {
		l = chat{}
	}
	return written(lm.User, func(s *scribe) string { return l.user(s, sig, inputs, "", "") })
}

// Opening returns what comes before the inputs of a call, but for the system
// message: demos, each written by demo from its inputs and outputs, and the turns of
// a history; then the inputs. Demos that lack something come first and say so.
func Opening(a Adapter, sig *program.Signature, demos []Demo, inputs *value.Object, demo func(user lm.Message, d Demo) []lm.Message) []lm.Message {
	l, ok := a.(layout)
	if !ok {
		l = chat{}
	}
	sig = structured(sig)
	var complete, incomplete []lm.Message
	for _, d := range demos {
		switch {
		case isComplete(sig, d):
			complete = append(complete, demo(User(a, sig, d), d)...)
		case hasAny(sig.Inputs, d) && hasAny(sig.Outputs, d):
			user := written(lm.User, func(s *scribe) string { return l.user(s, sig, d, incompleteSentence, "") })
			incomplete = append(incomplete, demo(user, d)...)
		}
	}
	messages := append(incomplete, complete...)
	inputs = withDefaults(sig, inputs)
	if f, ok := historyOf(sig); ok {
		sig = without(sig, f)
		v, _ := inputs.Get(f.Name)
		messages = append(messages, earlier(l, sig, v)...)
	}
	return append(messages, User(a, sig, inputs))
}

// InputList is the numbered list of the inputs of a signature: name, type,
// description, constraints.
func InputList(sig *program.Signature) string {
	sig = structured(sig)
	return fieldList(sig.Inputs, nameTypes(sig), true)
}

// Instructions are the instructions of a signature as they stand in a prompt.
func Instructions(sig *program.Signature) string { return strings.Join(instructionsOf(sig), "\n") }

// Drawn draws fields as one object, as the adapter compact draws outputs, with the
// types that it names behind it.
func Drawn(fields []types.Field) string {
	sig := structured(&program.Signature{Outputs: fields})
	d := newDeclarer(sig, nameTypes(sig))
	text := d.record(&types.Record{Fields: sig.Outputs}, "")
	if more := d.declarations(); more != "" {
		text += "\n" + strings.TrimRight(more, "\n")
	}
	return text
}

// ToolLine is what DSPy says of a tool in a prompt: str() of its Tool.
func ToolLine(name, description string, inputs []types.Field) string {
	sig := structured(&program.Signature{Outputs: inputs})
	n := nameTypes(sig)
	args := &value.Object{}
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		s := &schemas{names: n, defs: &value.Object{}, open: map[types.Type]bool{}}
		arg := asPydantic(resolved(s.root(f.Type), s.defs)).(*value.Object)
		if f.HasDefault {
			arg.Set("default", shown(f.Type, value.FromGo(f.Default)))
		}
		if f.Description != "" {
			arg.Set("description", f.Description)
		}
		args.Set(f.Name, arg)
	}
	text := name
	if description != "" {
		text += strings.ReplaceAll(", whose description is <desc>"+description+"</desc>.", "\n", "  ")
	} else {
		text += "."
	}
	return text + " It takes arguments " + pyRepr(args) + "."
}

// resolved puts definitions in the place of references to them, but for those in
// themselves.
func resolved(v any, defs *value.Object) any {
	var walk func(v any, open []string) any
	walk = func(v any, open []string) any {
		switch v := v.(type) {
		case []any:
			out := make([]any, len(v))
			for i, x := range v {
				out[i] = walk(x, open)
			}
			return out
		case *value.Object:
			if ref, ok := v.Get("$ref"); ok {
				name := strings.TrimPrefix(ref.(string), "#/$defs/")
				if def, ok := defs.Get(name); ok && !slices.Contains(open, name) {
					return walk(def, append(open[:len(open):len(open)], name))
				}
			}
			out := &value.Object{}
			for name, x := range v.All() {
				out.Set(name, walk(x, open))
			}
			return out
		}
		return v
	}
	return walk(v, nil)
}

// asPydantic sorts names by alphabet, as pydantic does: not those of properties.
func asPydantic(v any) any {
	var sorted func(v any, keep bool) any
	sorted = func(v any, keep bool) any {
		switch v := v.(type) {
		case []any:
			out := make([]any, len(v))
			for i, x := range v {
				out[i] = sorted(x, false)
			}
			return out
		case *value.Object:
			names := slices.Clone(v.Names())
			if !keep {
				slices.Sort(names)
			}
			out := &value.Object{}
			for _, name := range names {
				x, _ := v.Get(name)
				out.Set(name, sorted(x, name == "properties" && !keep))
			}
			return out
		}
		return v
	}
	return sorted(v, false)
}
