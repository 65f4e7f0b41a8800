package interpreter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// toolArguments brings what a model wrote into the inputs of a tool's signature, in
// their order and with defaults. A value that does not fit is read again as a reply
// would be, so that "3" is the number 3. The error is a *tool.Error that lists
// every fault and shows the signature: a model can try again with it. Then the
// arguments come back as they were given.
func toolArguments(t tool.Tool, given *value.Object) (*value.Object, []value.Repair, error) {
	sig := t.Signature()
	args := value.MakeObject(len(sig.Inputs))
	var faults []value.Fault
	var repairs []value.Repair
	for i := range sig.Inputs {
		field := &sig.Inputs[i]
		v, ok := given.Get(field.Name)
		if !ok || v == nil && !types.Nullable(field.Type) {
			switch {
			case field.HasDefault:
				args.Set(field.Name, value.FromGo(field.Default))
			case types.Nullable(field.Type):
				args.Set(field.Name, nil)
			default:
				faults = append(faults, value.Fault{Loc: []any{field.Name}, Type: "missing", Msg: "a `" + field.Type.String() + "` is missing here"})
			}
			continue
		}
		fits, fixed, wrong := toolArgument(field.Type, v)
		for _, f := range wrong {
			f.Loc = slices.Insert(slices.Clone(f.Loc), 0, any(field.Name))
			faults = append(faults, f)
		}
		for _, r := range fixed {
			r.Loc = slices.Insert(slices.Clone(r.Loc), 0, any(field.Name))
			repairs = append(repairs, r)
		}
		args.Set(field.Name, fits)
	}
	for _, name := range given.Names() {
		if _, ok := sig.Input(name); !ok {
			faults = append(faults, value.Fault{Loc: []any{name}, Type: "extra_forbidden", Msg: noArgument(sig, name)})
		}
	}
	if faults == nil {
		return args, repairs, nil
	}
	if given == nil {
		given = &value.Object{}
	}
	return given, nil, &tool.Error{Tool: t.Name(), Text: "these arguments do not fit:\n\n" + faultLines(faults) + "\n" + callForm(t)}
}

func toolArgument(t types.Type, v any) (any, []value.Repair, []value.Fault) {
	fits, faults := value.Check(t, v, value.Fitting)
	if faults == nil {
		return fits, nil, nil
	}
	text, ok := v.(string)
	if !ok {
		text = string(value.EncodeJSON(v))
	}
	if fits, repairs, _, again := align.Value(t, text, align.Repairing); again == nil {
		return fits, repairs, nil
	}
	return nil, nil, faults
}

func noArgument(sig *program.Signature, name string) string {
	names := make([]string, len(sig.Inputs))
	for i, f := range sig.Inputs {
		names[i] = f.Name
	}
	if near, ok := diag.Nearest(name, names); ok {
		return "there is no argument of this name; did you mean `" + near + "`?"
	}
	return "there is no argument of this name"
}

func faultLines(faults []value.Fault) string {
	var b strings.Builder
	for _, f := range faults {
		b.WriteString("- " + f.String() + "\n")
	}
	return b.String()
}

// callForm shows what a tool takes.
func callForm(t tool.Tool) string {
	sig := t.Signature()
	if len(sig.Inputs) == 0 {
		return t.Name() + " takes no arguments"
	}
	parts := make([]string, len(sig.Inputs))
	for i, f := range sig.Inputs {
		parts[i] = f.Name + ": " + f.Type.String()
		if f.HasDefault {
			parts[i] += " = " + string(value.EncodeJSON(value.FromGo(f.Default)))
		}
	}
	return t.Name() + " takes: " + strings.Join(parts, ", ")
}

// toolOutputs brings what a tool gives into the outputs of its signature.
func toolOutputs(t tool.Tool, given *value.Object) (*value.Object, error) {
	sig := t.Signature()
	if len(sig.Outputs) == 0 {
		return given, nil
	}
	out := value.MakeObject(len(sig.Outputs))
	var faults []value.Fault
	for i := range sig.Outputs {
		field := &sig.Outputs[i]
		v, ok := given.Get(field.Name)
		switch {
		case ok:
		case field.HasDefault:
			v = value.FromGo(field.Default)
		case types.Nullable(field.Type):
		default:
			faults = append(faults, value.Fault{Loc: []any{field.Name}, Type: "missing", Msg: "a `" + field.Type.String() + "` is missing here"})
			continue
		}
		fits, wrong := value.Check(field.Type, v, value.Lax)
		for _, f := range wrong {
			f.Loc = slices.Insert(slices.Clone(f.Loc), 0, any(field.Name))
			faults = append(faults, f)
		}
		out.Set(field.Name, fits)
	}
	if faults != nil {
		return nil, &tool.Error{Tool: t.Name(), Text: fmt.Sprintf("it answered with something else than it promises:\n\n%s", faultLines(faults))}
	}
	return out, nil
}
