package prompt

import (
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
)

// note says, beside an output's place in the form, what a value looks like.
func (n *typeNames) note(f *types.Field) string {
	want := n.wanted(f.Type)
	if want == "" {
		return ""
	}
	return indent + "# note: the value you produce " + want
}

func (n *typeNames) wanted(t types.Type) string {
	if isPlainText(t) {
		return ""
	}
	if p, ok := t.(*types.Primitive); ok {
		switch p.Row.Python {
		case "bool":
			return "must be True or False"
		case "int", "float":
			return "must be a single " + p.Row.Python + " value"
		}
	}
	if e, ok := t.(*types.Enum); ok {
		shown := make([]string, len(e.Members))
		for i, m := range e.Members {
			shown[i] = m.Shown
		}
		return "must be one of: " + strings.Join(shown, "; ")
	}
	if members := alternatives(t); len(members) == 1 && !types.Equal(t, types.Null) {
		if ls, ok := members[0].literals(); ok {
			texts := make([]string, len(ls))
			for i, l := range ls {
				texts[i] = pyStr(l.Value)
			}
			return "must exactly match (no extra characters) one of: " + strings.Join(texts, "; ")
		}
	}
	return "must adhere to the JSON schema: " + pyJSON(n.schema(t))
}

// constraints says the limits of a field in DSPy's words. Those inside a list, a
// map or a record stand in the JSON schema instead. A pattern is our addition:
// DSPy does not tell it.
func constraints(t types.Type) string {
	t, _ = types.Unwrap(t)
	var parts []string
	number := func(words string, v *float64) {
		if v != nil {
			parts = append(parts, words+": "+pyStr(bound(*v)))
		}
	}
	count := func(words string, v *int) {
		if v != nil {
			parts = append(parts, words+": "+strconv.Itoa(*v))
		}
	}
	var c types.Constraints
	switch t := t.(type) {
	case *types.Primitive:
		c = t.Constraints
		c.Min, c.Max = t.Bounds()
	case *types.List:
		c = t.Constraints
	case *types.Map:
		c = t.Constraints
	}
	number("greater than or equal to", c.Min)
	number("less than or equal to", c.Max)
	number("a multiple of the given number", c.MultipleOf)
	count("minimum length", c.MinLength)
	count("maximum length", c.MaxLength)
	count("minimum length", c.MinItems)
	count("maximum length", c.MaxItems)
	if c.Pattern != nil {
		parts = append(parts, "matching the pattern: "+*c.Pattern)
	}
	return strings.Join(parts, ", ")
}

// bound is a limit as people write it: 1, not 1.0.
func bound(f float64) any {
	if i := int(f); float64(i) == f && f > -1e15 && f < 1e15 {
		return i
	}
	return f
}

// meanings returns what the members of enums and the fields of records mean, where
// nothing else in the prompt says so: in DSPy's line for a type's description.
// An output's JSON schema holds those of its records and inner enums; an input has
// no schema, and an enum as an output has only its values.
func (n *typeNames) meanings(f *types.Field, input bool) string {
	var b strings.Builder
	visited := map[types.Type]bool{}
	var visit func(t types.Type)
	visit = func(t types.Type) {
		if visited[t] {
			return
		}
		switch t := t.(type) {
		case *types.List:
			visit(t.Elem)
		case *types.Map:
			visit(t.Elem)
		case *types.Optional:
			visit(t.Elem)
		case *types.Tuple:
			for _, e := range t.Elems {
				visit(e)
			}
		case *types.Union:
			for _, m := range t.Members {
				visit(m)
			}
		case *types.Enum:
			visited[t] = true
			if m := memberMeanings(t); m != "" {
				b.WriteString("\n    Type description of " + n.named[t] + ": " + m)
			}
		case *types.Record:
			visited[t] = true
			if m := fieldMeanings(t); m != "" {
				b.WriteString("\n    Type description of " + n.named[t] + ": " + m)
			}
			for i := range t.Fields {
				visit(t.Fields[i].Type)
			}
		}
	}
	if _, enum := f.Type.(*types.Enum); enum || input {
		visit(f.Type)
	}
	return b.String()
}

// memberMeanings is `lost card: a card is lost; other: anything else`, "" if no
// member has a description.
func memberMeanings(e *types.Enum) string {
	parts := make([]string, 0, len(e.Members))
	any := false
	for _, m := range e.Members {
		part := m.Shown
		if m.Description != "" {
			part += ": " + m.Description
			any = true
		}
		parts = append(parts, part)
	}
	if !any {
		return ""
	}
	return strings.Join(parts, "; ")
}

func fieldMeanings(r *types.Record) string {
	var parts []string
	for _, f := range r.Fields {
		if f.Description != "" {
			parts = append(parts, "`"+f.Name+"`: "+f.Description)
		}
	}
	return strings.Join(parts, "; ")
}
