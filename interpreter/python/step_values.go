package python

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// inputsOf writes the inputs of a call as Python takes them.
func inputsOf(fields []types.Field, inputs *value.Object) (jsonText, error) {
	o := value.MakeObject(inputs.Len())
	for i := range fields {
		if v, ok := inputs.Get(fields[i].Name); ok {
			o.Set(fields[i].Name, toPython(fields[i].Type, v))
		}
	}
	return value.EncodeJSON(o), nil
}

// toPython returns a value as the worker reads it for a type: enums as what the model
// sees, durations as ISO 8601 has them, media marked.
func toPython(t types.Type, v any) any {
	if v == nil {
		return nil
	}
	switch t := t.(type) {
	case *types.Optional:
		return toPython(t.Elem, v)
	case *types.Enum:
		if name, ok := v.(string); ok {
			if m, ok := t.Member(name); ok {
				return m.Shown
			}
		}
	case *types.List:
		if list, ok := v.([]any); ok {
			out := make([]any, len(list))
			for i, x := range list {
				out[i] = toPython(t.Elem, x)
			}
			return out
		}
	case *types.Tuple:
		if list, ok := v.([]any); ok && len(list) == len(t.Elems) {
			out := make([]any, len(list))
			for i, x := range list {
				out[i] = toPython(t.Elems[i], x)
			}
			return out
		}
	case *types.Map:
		if o, ok := v.(*value.Object); ok {
			out := value.MakeObject(o.Len())
			for name, x := range o.All() {
				out.Set(name, toPython(t.Elem, x))
			}
			return out
		}
	case *types.Record:
		if o, ok := v.(*value.Object); ok {
			out := value.MakeObject(o.Len())
			for name, x := range o.All() {
				var of types.Type = types.JSON
				if f, ok := t.Field(name); ok {
					of = f.Type
				}
				out.Set(name, toPython(of, x))
			}
			return out
		}
	case *types.Union:
		for _, m := range t.Members {
			if _, faults := value.Check(m, v, value.Strict); len(faults) == 0 {
				return toPython(m, v)
			}
		}
	case *types.Primitive:
		return primitiveToPython(t, v)
	}
	return v
}

func primitiveToPython(t *types.Primitive, v any) any {
	text, isText := v.(string)
	o, isObject := v.(*value.Object)
	switch {
	case t.Row.Group == types.Media && isObject:
		out := value.NewObject("$media", t.Row.Name)
		for _, name := range []string{"url", "data", "media_type"} {
			if x, ok := o.Get(name); ok {
				out.Set(name, x)
			}
		}
		if path, ok := o.Get("path"); ok {
			if p, ok := path.(string); ok {
				out.Set("name", p[strings.LastIndexAny(p, `/\`)+1:])
			}
		}
		return out
	case t.Row.Name == "duration" && isText:
		d, err := types.ParseDuration(text, true)
		if err != nil {
			return v
		}
		sign := ""
		if d < 0 {
			sign, d = "-", -d
		}
		return fmt.Sprintf("%sPT%d.%06dS", sign, d/time.Second, d%time.Second/time.Microsecond)
	case t.Row.Name == "history":
		if list, ok := v.([]any); ok {
			return value.NewObject("messages", list)
		}
	}
	return v
}

// outputs reads what a program gave into the outputs of the step.
func (s *Step) outputs(call *module.Call, result json.RawMessage) (*value.Object, error) {
	v, err := value.DecodeJSON(result)
	if err != nil {
		return nil, fmt.Errorf("what Python gave cannot be read: %w", err)
	}
	o, _ := v.(*value.Object)
	x, _ := o.Get("outputs")
	given, _ := x.(*value.Object)
	out := value.MakeObject(len(call.Signature.Outputs))
	var said strings.Builder
	for i := range call.Signature.Outputs {
		f := &call.Signature.Outputs[i]
		v, _ := given.Get(f.Name)
		fit, faults := value.Check(f.Type, v, value.Lax)
		if len(faults) == 0 {
			out.Set(f.Name, fit)
			continue
		}
		fmt.Fprintf(&said, "    %s: needs %s\n", f.Name, f.Type)
		for _, x := range faults {
			said.WriteString("        " + x.String() + "\n")
		}
	}
	if said.Len() > 0 {
		return nil, diag.New("E0652", s.op.Step.Place, "what Python gave does not fit").
			Say("The outputs of `%s` that Python gave do not fit the signature:\n\n%s", s.op.Name, said.String()).
			Hint("let %s return values of these types, or change the signature", s.what(call))
	}
	return out, nil
}

// what names what the step calls in Python.
func (s *Step) what(call *module.Call) string {
	switch s.op.Module {
	case "python":
		return "`" + call.Text("call", "") + "`"
	case "dspy":
		return "`" + call.Text("class", "") + "`"
	}
	return "DSPy"
}
