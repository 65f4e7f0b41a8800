package python

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// reference is `question`, `draft.answer`, `var.k`.
var reference = regexp.MustCompile(`^[\pL_][\pL\pN_]*(\.[\pL_][\pL\pN_]*)*$`)

// expression returns a value in Python, or refuses it: references, fixed values,
// texts with references in them and lists of such are translated, for they mean the
// same on both sides; operators and functions differ in too much.
func (w *writer) expression(v program.Value) (string, bool) {
	if v.Expr == nil {
		path := []string{v.Root}
		if v.Field != "" {
			path = append(path, v.Field)
		}
		return w.reference(path, v.Place)
	}
	text, ok := w.text(strings.TrimSpace(v.Expr.Text()), v.Place)
	if !ok {
		w.refuse(v.Place, "no simple form in Python", "References, fixed values, texts with references in them and lists of these can be exported; operators and functions mean too much else in Python.")
	}
	return text, ok
}

func (w *writer) text(s string, at source.Place) (string, bool) {
	switch {
	case s == "true" || s == "false" || s == "null":
	case reference.MatchString(s):
		return w.reference(strings.Split(s, "."), at)
	case strings.HasPrefix(s, "["):
		parts, ok := elements(s)
		if !ok {
			return "", false
		}
		for i := range parts {
			if parts[i], ok = w.text(parts[i], at); !ok {
				return "", false
			}
		}
		return "[" + strings.Join(parts, ", ") + "]", true
	case strings.HasPrefix(s, `"`) && strings.Contains(s, "${"):
		return w.template(s, at)
	}
	x, ok := fixedText(s)
	return pythonValue(x), ok
}

// fixedText reads a literal.
func fixedText(s string) (any, bool) {
	file := source.NewFile("literal", s)
	x, _, diags := expr.Literal(file, &syntax.Expr{Text: s, Span: source.Span{End: int32(len(s))}})
	return x, !diags.HasErrors()
}

// elements parts a list at its commas; false where it is no list of simple parts.
func elements(s string) ([]string, bool) {
	if !strings.HasSuffix(s, "]") {
		return nil, false
	}
	s = s[1 : len(s)-1]
	var parts []string
	depth, start, quoted := 0, 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{' || c == '(':
			depth++
		case c == ']' || c == '}' || c == ')':
			depth--
			if depth < 0 {
				return nil, false
			}
		case c == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	if last := strings.TrimSpace(s[start:]); last != "" {
		parts = append(parts, last)
	}
	return parts, depth == 0 && !quoted
}

// template translates `"…${reference}…"` into an f-string.
func (w *writer) template(s string, at source.Place) (string, bool) {
	if len(s) < 2 || s[len(s)-1] != '"' {
		return "", false
	}
	inside := s[1 : len(s)-1]
	var b strings.Builder
	b.WriteString(`f"`)
	write := func(text string) {
		quoted := pythonText(text)
		b.WriteString(strings.NewReplacer("{", "{{", "}", "}}").Replace(quoted[1 : len(quoted)-1]))
	}
	add := func(fixed string) bool {
		x, ok := fixedText(`"` + fixed + `"`)
		text, isText := x.(string)
		if !ok || !isText {
			return false
		}
		write(text)
		return true
	}
	start := 0
	for i := 0; i < len(inside); i++ {
		switch {
		case inside[i] == '\\':
			i++
		case inside[i] == '"':
			return "", false // two texts, and something between them
		case strings.HasPrefix(inside[i:], "$${"):
			i += 2
		case strings.HasPrefix(inside[i:], "${"):
			end := strings.IndexByte(inside[i:], '}')
			if end < 0 {
				return "", false
			}
			name := strings.TrimSpace(inside[i+2 : i+end])
			if !reference.MatchString(name) || !add(inside[start:i]) {
				return "", false
			}
			path := strings.Split(name, ".")
			if v, ok := w.plan.Checked.Names.Resolve(path[1:]); ok && path[0] == "var" && !v.Sensitive {
				text, isText := w.values[v.Name].(string) // fixed here
				if !isText {
					text = string(value.EncodeJSON(w.values[v.Name]))
				}
				write(text)
				i += end
				start = i + 1
				continue
			}
			text, ok := w.reference(path, at)
			if !ok {
				return "", false
			}
			if t := w.typeOf(path); !isText(t) {
				if !plain(t) {
					return "", false
				}
				w.used.text = true
				text = "_text(" + text + ")"
			}
			b.WriteString("{" + text + "}")
			i += end
			start = i + 1
		}
	}
	if !add(inside[start:]) {
		return "", false
	}
	return b.String() + `"`, true
}

func isText(t types.Type) bool {
	switch t := t.(type) {
	case *types.Primitive:
		return t.Row.Base == types.StringBase
	case *types.Literal:
		_, ok := t.Value.(string)
		return ok
	case *types.Union:
		return !slices.ContainsFunc(t.Members, func(m types.Type) bool { return !isText(m) })
	}
	return false
}

// plain reports whether values of a type are the same in Python as in JSON.
func plain(t types.Type) bool {
	switch t := t.(type) {
	case *types.Primitive:
		return t.Row.Base != types.ShapedBase && t.Row.Base != types.AnyBase
	case *types.Literal:
		return true
	case *types.List:
		return plain(t.Elem)
	case *types.Map:
		return plain(t.Elem)
	case *types.Union:
		return !slices.ContainsFunc(t.Members, func(m types.Type) bool { return !plain(m) })
	}
	return false
}

// typeOf returns the type of a reference, nil where it is not simple.
func (w *writer) typeOf(path []string) types.Type {
	if path[0] == "inputs" && len(path) > 1 {
		path = path[1:]
	}
	if f, ok := w.plan.Checked.Signature.Input(path[0]); ok && len(path) == 1 {
		return f.Type
	}
	if v, ok := w.plan.Checked.Names.Resolve(path[1:]); ok && path[0] == "var" {
		return v.Type
	}
	for _, op := range w.plan.Ops {
		switch {
		case op.Name != path[0]:
		case op.Let != nil && len(path) == 1:
			return op.Let.Value.Type
		case op.Step != nil && len(path) == 2 && op.Signature != nil:
			if f, ok := op.Signature.Output(path[1]); ok {
				return op.Step.Flow.Seen(f.Type)
			}
		}
	}
	return nil
}

// reference translates a chain of names.
func (w *writer) reference(path []string, at source.Place) (string, bool) {
	switch path[0] {
	case "inputs":
		return strings.Join(path[1:], "."), len(path) > 1
	case "var":
		v, ok := w.plan.Checked.Names.Resolve(path[1:])
		if !ok || v.Sensitive {
			return "", false
		}
		return pythonValue(w.values[v.Name]), true
	case "each":
		if !w.each || len(path) < 2 {
			return "", false
		}
		if path[1] == "index" {
			return "_index", len(path) == 2
		}
		return strings.Join(append([]string{"_each"}, path[2:]...), "."), true
	}
	for _, op := range w.plan.Ops {
		if op.Name == path[0] && op.Step != nil && !op.Step.Flow.ForEach.IsZero() {
			return "[_x." + strings.Join(path[1:], ".") + " for _x in " + path[0] + "]", len(path) == 2
		}
	}
	return strings.Join(path, "."), true
}

// fixed evaluates what depends on variables alone.
func (w *writer) fixed(v program.Value) (any, bool) {
	if v.Expr == nil || slices.ContainsFunc(v.Expr.Refs(), func(r expr.Ref) bool { return r.Root != "var" }) {
		return nil, false
	}
	code, err := v.Expr.Compile()
	if err != nil {
		return nil, false
	}
	x, err := code.Eval(context.Background(), func(root string) (any, bool) {
		return plan.Variables(w.plan.Checked.Names, w.values), root == "var"
	})
	return x, err == nil
}
