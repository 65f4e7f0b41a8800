package prompt

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
)

// typeNames knows what the types of one signature are called towards the model.
//
// Types are written as Python annotations, the way DSPy prints them. A record
// that has no name of its own is called after the field it stands in, in
// PascalCase (`refund: { … }` is Refund), with the outer record's name before it,
// or a number after it, where that name is taken.
type typeNames struct {
	named map[types.Type]string // of records and enums
	taken map[string]bool
}

func nameTypes(sig *program.Signature) *typeNames {
	n := &typeNames{named: map[types.Type]string{}, taken: map[string]bool{}}
	for _, declared := range []bool{true, false} { // declared names first: they are the author's words
		for _, side := range [][]types.Field{sig.Inputs, sig.Outputs} {
			visited := map[types.Type]bool{}
			for i := range side {
				n.visit(side[i].Type, side[i].Name, "", declared, visited)
			}
		}
	}
	return n
}

// visit gives names to the records and enums in t.
func (n *typeNames) visit(t types.Type, field, outer string, declared bool, visited map[types.Type]bool) {
	switch t := t.(type) {
	case *types.List:
		n.visit(t.Elem, field, outer, declared, visited)
	case *types.Map:
		n.visit(t.Elem, field, outer, declared, visited)
	case *types.Optional:
		n.visit(t.Elem, field, outer, declared, visited)
	case *types.Tuple:
		for _, e := range t.Elems {
			n.visit(e, field, outer, declared, visited)
		}
	case *types.Union:
		for _, m := range t.Members {
			n.visit(m, field, outer, declared, visited)
		}
	case *types.Enum:
		n.give(t, t.Name, "")
	case *types.Record:
		if visited[t] {
			return
		}
		visited[t] = true
		switch {
		case declared && t.Name != "":
			n.give(t, t.Name, "")
		case !declared && t.Name == "":
			n.give(t, pascal(field), outer)
		}
		for i := range t.Fields {
			n.visit(t.Fields[i].Type, t.Fields[i].Name, n.named[t], declared, visited)
		}
	}
}

// give names t, unless it has a name.
func (n *typeNames) give(t types.Type, name, outer string) {
	if _, has := n.named[t]; !has {
		name = n.free(name[strings.LastIndexByte(name, '.')+1:], outer) // rag.Passage of an import is Passage
		n.named[t], n.taken[name] = name, true
	}
}

func (n *typeNames) free(name, outer string) string {
	if n.taken[name] && outer != "" {
		name = outer + name
	}
	if !n.taken[name] {
		return name
	}
	for i := 2; ; i++ {
		if numbered := name + strconv.Itoa(i); !n.taken[numbered] {
			return numbered
		}
	}
}

// pascal turns order_line into OrderLine.
func pascal(field string) string {
	var b strings.Builder
	for _, part := range strings.Split(field, "_") {
		r, size := utf8.DecodeRuneInString(part)
		if size > 0 {
			b.WriteRune(unicode.ToUpper(r))
			b.WriteString(part[size:])
		}
	}
	if b.Len() == 0 {
		return "Record"
	}
	return b.String()
}

// of returns the name of a field's type.
func (n *typeNames) of(f *types.Field) string { return n.python(f.Type) }

func (n *typeNames) python(t types.Type) string {
	switch t := t.(type) {
	case *types.Primitive:
		return strings.TrimPrefix(t.Row.Python, "dspy.") // dspy.Image is Image
	case *types.Literal:
		if t.Value == nil {
			return "NoneType"
		}
		return pythonLiteral(t)
	case *types.List:
		return "list[" + n.python(t.Elem) + "]"
	case *types.Map:
		return "dict[str, " + n.python(t.Elem) + "]"
	case *types.Tuple:
		return "tuple[" + n.pythonAll(t.Elems) + "]"
	case *types.Optional:
		members := alternatives(t.Elem)
		parts := make([]string, 0, len(members)+1)
		for _, m := range members {
			parts = append(parts, n.alternative(m))
		}
		return "Union[" + strings.Join(append(parts, "NoneType"), ", ") + "]"
	case *types.Union:
		members := alternatives(t)
		if len(members) == 1 {
			return n.alternative(members[0])
		}
		parts := make([]string, len(members))
		for i, m := range members {
			parts[i] = n.alternative(m)
		}
		return "Union[" + strings.Join(parts, ", ") + "]"
	case *types.Record, *types.Enum:
		return n.named[t]
	}
	return "Any"
}

func (n *typeNames) pythonAll(ts []types.Type) string {
	parts := make([]string, len(ts))
	for i, t := range ts {
		parts[i] = n.python(t)
	}
	return strings.Join(parts, ", ")
}

// alternative is a member of a Python Union: one type, or all literals together.
type alternative []types.Type

func (a alternative) literals() ([]*types.Literal, bool) {
	out := make([]*types.Literal, len(a))
	for i, t := range a {
		l, ok := t.(*types.Literal)
		if !ok {
			return nil, false
		}
		out[i] = l
	}
	return out, true
}

// alternatives returns the members of t as Python has them: `"a" | int | "b"` is
// Union[Literal['a', 'b'], int].
func alternatives(t types.Type) []alternative {
	u, ok := t.(*types.Union)
	if !ok {
		return []alternative{{t}}
	}
	var out []alternative
	literals := -1
	for _, m := range u.Members {
		if _, ok := m.(*types.Literal); !ok {
			out = append(out, alternative{m})
			continue
		}
		if literals < 0 {
			literals = len(out)
			out = append(out, nil)
		}
		out[literals] = append(out[literals], m)
	}
	return out
}

func (n *typeNames) alternative(a alternative) string {
	if ls, ok := a.literals(); ok {
		return pythonLiteral(ls...)
	}
	return n.python(a[0])
}

func pythonLiteral(ls ...*types.Literal) string {
	parts := make([]string, len(ls))
	for i, l := range ls {
		if s, ok := l.Value.(string); ok {
			parts[i] = quoteLiteral(s)
		} else {
			parts[i] = pyStr(l.Value)
		}
	}
	return "Literal[" + strings.Join(parts, ", ") + "]"
}

// quoteLiteral quotes a text of a Literal as DSPy does: single quotes, unless
// only those occur in it.
func quoteLiteral(s string) string {
	single, double := strings.Contains(s, "'"), strings.Contains(s, `"`)
	switch {
	case single && !double:
		return `"` + s + `"`
	case single && double:
		return "'" + strings.ReplaceAll(s, "'", `\'`) + "'"
	}
	return "'" + s + "'"
}

// ClassNames returns the names that the records and enums of a signature have in
// prompts: those of the Python classes that DSPy would show alike.
func ClassNames(sig *program.Signature) map[types.Type]string { return nameTypes(sig).named }
