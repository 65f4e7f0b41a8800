package prompt

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Types as short declarations. A type stands where it is used, unless it is used
// more than once, holds itself, or is an enum whose values mean something: then it
// is declared once, by name, before its first user's object. What a type cannot
// say, a description, a limit, a default, is a comment at the end of its line.

// declarer draws the types of one signature.
type declarer struct {
	names    *typeNames
	declared map[types.Type]bool // drawn by name
	done     map[types.Type]bool // their declarations are written, or waiting
	waiting  []types.Type        // in the order in which they were met
	input    bool                // among inputs, whose values show their form themselves
}

func newDeclarer(sig *program.Signature, n *typeNames) *declarer {
	d := &declarer{names: n, declared: map[types.Type]bool{}, done: map[types.Type]bool{}}
	uses := map[types.Type]int{}
	var open []types.Type
	var visit func(t types.Type)
	visit = func(t types.Type) {
		switch t := t.(type) {
		case *types.Enum:
			uses[t]++
			if uses[t] > 1 || memberMeanings(t) != "" {
				d.declared[t] = true
			}
		case *types.Record:
			uses[t]++
			if uses[t] > 1 || slices.Contains(open, types.Type(t)) {
				d.declared[t] = true
				return
			}
			open = append(open, t)
			for i := range t.Fields {
				visit(t.Fields[i].Type)
			}
			open = open[:len(open)-1]
		default:
			for _, inner := range inside(t) {
				visit(inner)
			}
		}
	}
	for i := range sig.Outputs {
		visit(sig.Outputs[i].Type)
	}
	// An input's value shows its form; it is drawn only where a word is said about
	// something in it.
	clear(uses)
	for i := range sig.Inputs {
		t := sig.Inputs[i].Type
		if n.meanings(&types.Field{Type: t}, true) != "" {
			visit(t)
		}
	}
	for t := range uses {
		if _, ok := t.(*types.Record); ok {
			d.declared[t] = true
		}
	}
	return d
}

// inside returns the types that a type is made of, but for records.
func inside(t types.Type) []types.Type {
	switch t := t.(type) {
	case *types.List:
		return []types.Type{t.Elem}
	case *types.Map:
		return []types.Type{t.Elem}
	case *types.Optional:
		return []types.Type{t.Elem}
	case *types.Tuple:
		return t.Elems
	case *types.Union:
		return t.Members
	}
	return nil
}

// declarations draws the types that are waiting, and those that they need.
func (d *declarer) declarations() string {
	d.input = false
	var b strings.Builder
	for len(d.waiting) > 0 {
		t := d.waiting[0]
		d.waiting = d.waiting[1:]
		b.WriteString("\n" + d.names.named[t] + " =")
		switch t := t.(type) {
		case *types.Record:
			b.WriteString(" " + d.record(t, "") + "\n")
		case *types.Enum:
			b.WriteString(enumLines(t) + "\n")
		}
	}
	return b.String()
}

// enumLines draws the values of an enum: in one line, or each with its meaning.
func enumLines(e *types.Enum) string {
	if memberMeanings(e) == "" {
		return " " + enumValues(e)
	}
	var b strings.Builder
	for _, m := range e.Members {
		b.WriteString("\n  | " + pyJSON(m.Shown))
		if m.Description != "" {
			b.WriteString(" // " + oneLine(m.Description))
		}
	}
	return b.String()
}

func enumValues(e *types.Enum) string {
	values := make([]string, len(e.Members))
	for i, m := range e.Members {
		values[i] = pyJSON(m.Shown)
	}
	return strings.Join(values, " | ")
}

// named draws a type by name and lets its declaration wait for its turn.
func (d *declarer) named(t types.Type) string {
	if !d.done[t] {
		d.done[t] = true
		d.waiting = append(d.waiting, t)
	}
	return d.names.named[t]
}

// object draws the type of a reply, each field on its line.
func (d *declarer) object(fields []types.Field) string {
	return "{\n" + d.fields(fields, "  ", false) + "}"
}

// fields draws fields, each on its line with its words behind it, or above it where
// either has several lines.
func (d *declarer) fields(fields []types.Field, margin string, inputs bool) string {
	var b strings.Builder
	for i := range fields {
		f := &fields[i]
		d.input = inputs
		drawn := f.Name + ": " + d.draw(f.Type, margin)
		words := sentence(pyStrip(description(f)), limits(f.Type))
		above := strings.Contains(drawn, "\n") || strings.Contains(words, "\n")
		if above && words != "" {
			for _, line := range pySplitlines(words) {
				b.WriteString(strings.TrimRight(margin+"// "+line, " ") + "\n")
			}
		}
		b.WriteString(margin + drawn)
		if !above && words != "" {
			b.WriteString(" // " + words)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// draw draws a type. What needs several lines goes on with the margin.
func (d *declarer) draw(t types.Type, margin string) string {
	if d.declared[t] {
		return d.named(t)
	}
	switch t := t.(type) {
	case *types.Primitive:
		switch t.Row.Base {
		case types.StringBase:
			return "string"
		case types.IntBase:
			return "int"
		case types.FloatBase:
			return "float"
		case types.BoolBase:
			return "bool"
		case types.AnyBase:
			return "any"
		}
		return t.Row.Name // image, history: given as what they are
	case *types.Literal:
		return pyJSON(t.Value)
	case *types.Enum:
		return enumValues(t)
	case *types.List:
		return grouped(t.Elem, d.draw(t.Elem, margin)) + "[]"
	case *types.Map:
		return "{ [key: string]: " + d.draw(t.Elem, margin) + " }"
	case *types.Tuple:
		return "[" + strings.Join(d.drawAll(t.Elems, margin), ", ") + "]"
	case *types.Optional:
		return d.draw(t.Elem, margin) + " | null"
	case *types.Union:
		return strings.Join(d.drawAll(t.Members, margin), " | ")
	case *types.Record:
		if d.input {
			return d.names.named[t]
		}
		return d.record(t, margin)
	}
	return "any"
}

func (d *declarer) drawAll(ts []types.Type, margin string) []string {
	out := make([]string, len(ts))
	for i, t := range ts {
		out[i] = d.draw(t, margin)
	}
	return out
}

// grouped puts parentheses around alternatives.
func grouped(t types.Type, text string) string {
	switch t := t.(type) {
	case *types.Optional, *types.Union:
		return "(" + text + ")"
	case *types.Enum:
		if len(t.Members) > 1 && strings.Contains(text, " | ") {
			return "(" + text + ")"
		}
	}
	return text
}

// record draws a record: in one line if nothing is said about its fields and the
// line is short, else each field on its own.
func (d *declarer) record(t *types.Record, margin string) string {
	const width = 72
	if len(t.Fields) == 0 {
		return "{}"
	}
	drawn, plain := make([]types.Field, len(t.Fields)), true
	parts := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		if f.HasDefault {
			f.Description = sentence(f.Description, "default "+pyJSON(shown(f.Type, value.FromGo(f.Default))))
			f.Name += "?"
		}
		parts[i] = f.Name + ": " + d.draw(f.Type, margin+"  ")
		plain = plain && f.Description == "" && limits(f.Type) == "" && !strings.Contains(parts[i], "\n")
		drawn[i] = f
	}
	if line := "{ " + strings.Join(parts, ", ") + " }"; plain && len(line) <= width {
		return line
	}
	return "{\n" + d.fields(drawn, margin+"  ", false) + margin + "}"
}

// sentence joins two remarks.
func sentence(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	case strings.HasSuffix(a, "."):
		return a + " " + b
	}
	return a + "; " + b
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// limits says in a few words what values of a type must keep to, beyond what is
// drawn: `1 to 5`, `at most 140 characters`, `each 0 to 1`. Records and enums say
// theirs where they are declared.
func limits(t types.Type) string {
	var parts []string
	add := func(words ...string) {
		parts = append(parts, slices.DeleteFunc(words, func(w string) bool { return w == "" })...)
	}
	switch t := t.(type) {
	case *types.Primitive:
		if t.Row.Group == types.Media || t.Row.Name == historyRow {
			return ""
		}
		lo, hi := t.Bounds()
		c := t.Constraints
		add(span(number(lo), number(hi), ""))
		if c.MultipleOf != nil {
			add("a multiple of " + number(c.MultipleOf))
		}
		if t.Row.Base == types.StringBase {
			least, most := t.Lengths()
			add(span(count(least), count(most), "character"))
		}
		switch {
		case c.Pattern != nil:
			add("matches " + *c.Pattern)
		case t.Row.Format != "" || t.Row.Pattern != "":
			add(t.Row.Doc) // with an example: a day, written 2026-11-21
		case t.Row.Rule != "":
			add(t.Row.Rule)
		}
		if c.Format != nil {
			add("a valid " + *c.Format)
		}
		if c.Lang != nil {
			add(*c.Lang + " code")
		}
	case *types.Optional:
		return limits(t.Elem)
	case *types.List:
		add(span(count(t.Constraints.MinItems), count(t.Constraints.MaxItems), "item"))
		if t.Constraints.Unique {
			add("no two alike")
		}
		add(each(t.Elem))
	case *types.Map:
		add(span(count(t.Constraints.MinItems), count(t.Constraints.MaxItems), "key"), each(t.Elem))
	case *types.Tuple:
		for i, e := range t.Elems {
			if words := limits(e); words != "" {
				add("item " + strconv.Itoa(i+1) + ": " + words)
			}
		}
	case *types.Union:
		for _, m := range t.Members {
			if words := limits(m); words != "" {
				add(m.String() + ": " + words)
			}
		}
	}
	return strings.Join(parts, ", ")
}

func each(t types.Type) string {
	if words := limits(t); words != "" {
		return "each " + words
	}
	return ""
}

func number(f *float64) string {
	if f == nil {
		return ""
	}
	return pyStr(bound(*f))
}

func count(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// span says from where to where, and of what: `1 to 5 items`, `at least 1 item`.
func span(least, most, of string) string {
	words := least + " to " + most
	switch {
	case least == "" && most == "":
		return ""
	case least == "":
		words = "at most " + most
	case most == "":
		words = "at least " + least
	case least == most:
		words = least
	}
	switch {
	case of == "":
		return words
	case words == "1" || strings.HasSuffix(words, " 1"):
		return words + " " + of
	}
	return words + " " + of + "s"
}
