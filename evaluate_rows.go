package dspi

import (
	"math"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

var nan = math.NaN()

// typedRow brings a row into the types of a program: its columns that are inputs,
// and those that are labels, which have an output's name. What is neither stays as
// it is. Cells are texts. The error is a diag.List.
func typedRow(prog *program.Program, row *value.Object, cells bool) (example *value.Object, inputs map[string]any, err error) {
	example, inputs = value.MakeObject(row.Len()), map[string]any{}
	var diags diag.List
	for name, v := range row.All() {
		if f, ok := prog.Signature.Input(name); ok {
			raw, given := v, true
			if cells {
				raw, given = CellInput(f, v.(string))
			}
			if given {
				inputs[name] = raw
			}
			example.Set(name, v)
			continue
		}
		f, isLabel := prog.Signature.Output(name)
		if !isLabel {
			example.Set(name, v)
			continue
		}
		label, faults := readLabel(f, v, cells)
		if len(faults) > 0 {
			diags = append(diags, diag.New("E0610", prog.Place, "an output of `"+prog.Name+"`").
				Say("The label `%s` does not fit.\n\n    needs     %s\n%s", f.Name, f.Type, faultLines(faults)))
		}
		example.Set(name, label)
	}
	checked, err := CheckInputs(prog, inputs)
	if err != nil {
		diags = append(diags, err.(diag.List)...)
	} else {
		for name, v := range checked.All() {
			example.Set(name, v)
		}
	}
	return example, inputs, diags.Err()
}

// CellInput reads a cell of a table for an input. An empty one is an empty text for
// a type that holds text; for others it is null, or nothing where there is a
// default.
func CellInput(f *types.Field, cell string) (v any, given bool) {
	if strings.TrimSpace(cell) == "" && !types.Fits(types.String, f.Type) {
		switch {
		case f.HasDefault:
			return nil, false
		case types.Nullable(f.Type):
			return nil, true
		}
	}
	return Text(cell), true
}

// readLabel reads a value for an output. None, and an empty cell for what holds no
// text, is null: the row has no label.
func readLabel(f *types.Field, v any, cells bool) (any, []value.Fault) {
	if v == nil {
		return nil, nil
	}
	if !cells {
		return value.Check(f.Type, v, value.Lax)
	}
	text := v.(string)
	if strings.TrimSpace(text) == "" && !types.Fits(types.String, f.Type) {
		return nil, nil
	}
	return value.ParseText(f.Type, text)
}

// pairsOf returns, of each output that can be one of a few classes and has a label,
// the class of the row and the one that it was given.
func pairsOf(prog *program.Program, example, outputs *value.Object) map[string]evaluate.Pair {
	var pairs map[string]evaluate.Pair
	for _, f := range prog.Signature.Outputs {
		label, ok := example.Get(f.Name)
		if !ok || label == nil || !classes(f.Type) {
			continue
		}
		got := evaluate.NoAnswer
		if outputs != nil {
			v, _ := outputs.Get(f.Name)
			got = class(v)
		}
		if pairs == nil {
			pairs = map[string]evaluate.Pair{}
		}
		pairs[f.Name] = evaluate.Pair{Want: class(label), Got: got}
	}
	return pairs
}

func class(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(value.EncodeJSON(v))
}

// classes reports whether values of a type are few: choices, true and false.
func classes(t types.Type) bool {
	switch t := t.(type) {
	case *types.Enum, *types.Literal:
		return true
	case *types.Optional:
		return classes(t.Elem)
	case *types.Union:
		for _, m := range t.Members {
			if !classes(m) {
				return false
			}
		}
		return true
	case *types.Primitive:
		return t.Row.Base == types.BoolBase
	}
	return false
}

// scrub takes the values of sensitive variables out of what is kept of a row.
func (v *evaluation) scrub(row *evaluate.Row) {
	if len(v.secrets) == 0 {
		return
	}
	var pairs []string
	for _, s := range v.secrets {
		pairs = append(pairs, s, "[secret]")
	}
	r := strings.NewReplacer(pairs...)
	row.Outputs, _ = scrubbed(r, row.Outputs).(*value.Object)
	row.Example, _ = scrubbed(r, row.Example).(*value.Object)
	for name, words := range row.Feedback {
		row.Feedback[name] = r.Replace(words)
	}
}

func scrubbed(r *strings.Replacer, v any) any {
	switch v := v.(type) {
	case string:
		return r.Replace(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = scrubbed(r, x)
		}
		return out
	case *value.Object:
		if v == nil {
			return v
		}
		out := value.MakeObject(v.Len())
		for name, x := range v.All() {
			out.Set(name, scrubbed(r, x))
		}
		return out
	}
	return v
}
