package python

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// signature writes the signature class of a step, its records and enums first.
func (w *writer) signature(name string, op *plan.Op, sig *program.Signature) {
	c := &classes{exporter: w.exporter, names: prompt.ClassNames(sig), at: op.Step.Place}
	outputs := sig.Outputs
	if op.Module == "chain_of_thought" {
		outputs = slices.DeleteFunc(slices.Clone(outputs), func(f types.Field) bool {
			_, written := op.Step.Declared.Output(f.Name)
			return f.Name == "reasoning" && !written
		})
	}
	var lines strings.Builder
	for i, side := range [][]types.Field{sig.Inputs, outputs} {
		kind := []string{"InputField", "OutputField"}[i]
		for _, f := range side {
			w.pythonName(f.Name, op.Step.Place, "the field")
			fmt.Fprintf(&lines, "    %s: %s = dspy.%s(%s)\n", f.Name, c.python(f.Type), kind, strings.Join(c.arguments(f, "desc"), ", "))
			if i == 0 {
				c.meanings(f)
			}
		}
	}
	b := &w.body
	c.flush(b)
	fmt.Fprintf(b, "\n\nclass %s(dspy.Signature):\n", name)
	plain := program.Signature{Inputs: sig.Inputs, Outputs: outputs}
	if sig.Instructions != plain.DefaultInstructions() {
		b.WriteString(docstring(sig.Instructions))
	}
	b.WriteString(lines.String())
}

// docstring writes a text as the docstring of a class, from which DSPy takes a
// signature's instructions.
func docstring(text string) string {
	lines := strings.Split(text, "\n")
	simple := !strings.ContainsAny(text, "\\\r\t\x00") && !strings.Contains(text, `"""`) && !strings.HasSuffix(text, `"`) && text == strings.TrimSpace(text)
	for _, line := range lines {
		simple = simple && line == strings.TrimRight(line, " ")
	}
	if len(lines) > 1 && simple {
		// Python takes away the indent that all lines but the first have.
		least := -1
		for _, line := range lines[1:] {
			if line != "" {
				if n := len(line) - len(strings.TrimLeft(line, " ")); least < 0 || n < least {
					least = n
				}
			}
		}
		simple = least == 0
	}
	if !simple {
		return "    __doc__ = " + pythonText(text) + "\n\n"
	}
	for i := 1; i < len(lines); i++ {
		if lines[i] != "" {
			lines[i] = "    " + lines[i]
		}
	}
	return `    """` + strings.Join(lines, "\n") + "\"\"\"\n\n"
}

// classes writes types for one signature.
type classes struct {
	*exporter
	names map[types.Type]string
	at    source.Place
	order []types.Type // records and enums, those that others need first
	open  map[types.Type]bool
}

// arguments are those of a field: its description, default and limits.
func (c *classes) arguments(f types.Field, description string) []string {
	var out []string
	if f.Description != "" {
		out = append(out, description+"="+pythonText(f.Description))
	}
	if f.HasDefault {
		text, ok := c.literal(f.Type, f.Default, c.names)
		if !ok {
			c.refuse(c.at, "the default of `"+f.Name+"`", "The default of `%s` holds a record, which has no simple form in Python.", f.Name)
		}
		out = append(out, "default="+text)
	}
	return append(out, c.limits(f.Type, f.Name)...)
}

// limits are the constraints of a type as pydantic's arguments.
func (c *classes) limits(t types.Type, field string) []string {
	t, _ = types.Unwrap(t)
	var out []string
	number := func(name string, v *float64) {
		if v != nil {
			out = append(out, name+"="+types.FormatFloat(*v))
		}
	}
	count := func(name string, v *int) {
		if v != nil {
			out = append(out, name+"="+strconv.Itoa(*v))
		}
	}
	var x types.Constraints
	switch t := t.(type) {
	case *types.Primitive:
		x = t.Constraints
		x.Min, x.Max = t.Bounds()
	case *types.List:
		x = t.Constraints
	case *types.Map:
		x = t.Constraints
	}
	number("ge", x.Min)
	number("le", x.Max)
	number("multiple_of", x.MultipleOf)
	count("min_length", x.MinLength)
	count("max_length", x.MaxLength)
	count("min_length", x.MinItems)
	count("max_length", x.MaxItems)
	if x.Pattern != nil {
		out = append(out, "pattern="+pythonText(*x.Pattern))
		c.note("the pattern of `%s`: DSPy does not tell the model of it", field)
	}
	if x.Format != nil || x.Unique {
		c.note("`format` and `unique` of `%s` are not exported", field)
	}
	return out
}

// meanings notes what dspi says of an input's type and DSPy does not.
func (c *classes) meanings(f types.Field) {
	t, _ := types.Unwrap(f.Type)
	if e, ok := t.(*types.Enum); ok && slices.ContainsFunc(e.Members, func(m types.Member) bool { return m.Description != "" }) {
		c.note("the meanings of the values of `%s`: DSPy has no place for them", e.Name)
	}
}

// python returns a type as an annotation.
func (c *classes) python(t types.Type) string {
	all := func(ts []types.Type) string {
		parts := make([]string, len(ts))
		for i, t := range ts {
			parts[i] = c.python(t)
		}
		return strings.Join(parts, ", ")
	}
	switch t := t.(type) {
	case *types.Primitive:
		return c.primitive(t)
	case *types.Literal:
		if t.Value == nil {
			return "None"
		}
		return "Literal[" + pythonValue(t.Value) + "]"
	case *types.List:
		return "list[" + c.python(t.Elem) + "]"
	case *types.Map:
		return "dict[str, " + c.python(t.Elem) + "]"
	case *types.Tuple:
		return "tuple[" + all(t.Elems) + "]"
	case *types.Optional:
		return "Optional[" + c.python(t.Elem) + "]"
	case *types.Union:
		var parts, literals []string
		at := -1
		for _, m := range t.Members {
			l, ok := m.(*types.Literal)
			if !ok {
				parts = append(parts, c.python(m))
				continue
			}
			if at < 0 {
				at = len(parts)
				parts = append(parts, "")
			}
			literals = append(literals, pythonValue(l.Value))
		}
		if at >= 0 {
			parts[at] = "Literal[" + strings.Join(literals, ", ") + "]"
		}
		if len(parts) == 1 {
			return parts[0]
		}
		return "Union[" + strings.Join(parts, ", ") + "]"
	case *types.Record, *types.Enum:
		return c.class(t)
	}
	return "Any"
}

func (c *classes) primitive(t *types.Primitive) string {
	switch t.Row.Name {
	case "date", "datetime":
		c.used.datetime = true
		return "datetime." + t.Row.Name
	case "duration":
		c.used.datetime = true
		return "datetime.timedelta"
	case "image", "audio", "file", "history":
		return "dspy." + strings.ToUpper(t.Row.Name[:1]) + t.Row.Name[1:]
	case "code":
		if t.Constraints.Lang != nil {
			return "dspy.Code[" + pythonText(*t.Constraints.Lang) + "]"
		}
		return "dspy.Code"
	}
	switch t.Row.Python {
	case "str", "int", "float", "bool", "Any":
		return t.Row.Python
	}
	c.refuse(c.at, "a field of the type `"+t.Row.Name+"`", "DSPy has no type for `%s` that is known here.", t.Row.Name)
	return "Any"
}

// class returns the name of a record or enum, in quotes where the class is still
// being written.
func (c *classes) class(t types.Type) string {
	name := c.names[t]
	if c.open[t] {
		return `"` + name + `"`
	}
	if c.classes[name] == t || slices.Contains(c.order, t) {
		return name
	}
	if c.open == nil {
		c.open = map[types.Type]bool{}
	}
	c.open[t] = true
	if r, ok := t.(*types.Record); ok {
		for i := range r.Fields {
			c.python(r.Fields[i].Type)
		}
	}
	delete(c.open, t)
	c.order = append(c.order, t)
	return name
}

// flush writes the classes that the signature needs and that are not there yet.
func (c *classes) flush(b *strings.Builder) {
	var early []string // that speak of classes which are written later
	for i, t := range c.order {
		name := c.names[t]
		if slices.Contains(imported, name) {
			c.refuse(c.at, "the type `"+name+"`", "`%s` is the name of something that the module needs from Python's own. The name is shown to the model, so it is not changed.", name)
		}
		switch t := t.(type) {
		case *types.Enum:
			c.used.enum = true
			fmt.Fprintf(b, "\n\nclass %s(enum.Enum):\n", name)
			for _, m := range t.Members {
				c.pythonName(m.Name, c.at, "the enum value")
				fmt.Fprintf(b, "    %s = %s\n", m.Name, pythonText(m.Shown))
			}
		case *types.Record:
			c.used.pydantic = true
			fmt.Fprintf(b, "\n\nclass %s(BaseModel):\n", name)
			if len(t.Fields) == 0 {
				b.WriteString("    pass\n")
			}
			for _, f := range t.Fields {
				c.pythonName(f.Name, c.at, "the field")
				annotation := c.later(f.Type, i)
				if strings.HasPrefix(annotation, `"`) && !slices.Contains(early, name) {
					early = append(early, name)
				}
				fmt.Fprintf(b, "    %s: %s", f.Name, annotation)
				if args := c.arguments(f, "description"); len(args) > 0 {
					fmt.Fprintf(b, " = Field(%s)", strings.Join(args, ", "))
				}
				b.WriteString("\n")
			}
		}
		c.classes[name] = t
	}
	for _, name := range early {
		fmt.Fprintf(b, "\n\n%s.model_rebuild()\n", name)
	}
}

// later returns the annotation of a field of the i-th class: in quotes where it
// speaks of a class that is not written yet.
func (c *classes) later(t types.Type, i int) string {
	text := c.python(t)
	for _, other := range c.order[i:] {
		if mentions(t, other, map[types.Type]bool{}) {
			return `"` + strings.ReplaceAll(text, `"`, "'") + `"`
		}
	}
	return text
}

// mentions reports whether a type names a record or enum itself, not through
// another one.
func mentions(t, class types.Type, seen map[types.Type]bool) bool {
	switch t := t.(type) {
	case *types.List:
		return mentions(t.Elem, class, seen)
	case *types.Map:
		return mentions(t.Elem, class, seen)
	case *types.Optional:
		return mentions(t.Elem, class, seen)
	case *types.Tuple:
		return slices.ContainsFunc(t.Elems, func(e types.Type) bool { return mentions(e, class, seen) })
	case *types.Union:
		return slices.ContainsFunc(t.Members, func(e types.Type) bool { return mentions(e, class, seen) })
	}
	return t == class
}

// literal returns a value of a type in Python. It reports whether there is a
// simple form.
func (e *exporter) literal(t types.Type, v any, names map[types.Type]string) (string, bool) {
	t, _ = types.Unwrap(t)
	if enum, ok := t.(*types.Enum); ok {
		if s, ok := v.(string); ok {
			if m, ok := enum.Member(s); ok && names[t] != "" {
				return names[t] + "." + m.Name, true
			}
			return pythonValue(v), true
		}
	}
	if _, ok := t.(*types.Record); ok && v != nil {
		return "None", false
	}
	return pythonValue(v), true
}

// pythonValue returns a value as Python writes it.
func pythonValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		return pythonText(v)
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = pythonValue(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *value.Object:
		var parts []string
		for name, x := range v.All() {
			parts = append(parts, pythonText(name)+": "+pythonValue(x))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return string(value.EncodeJSON(v))
}

// pythonText returns a text in double quotes. What JSON escapes Python reads alike,
// but for a surrogate pair, which is written as the character it stands for.
func pythonText(s string) string { return string(value.EncodeJSON(s)) }
