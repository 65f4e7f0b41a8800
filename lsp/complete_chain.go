package lsp

import (
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// Chains are names joined by dots, with brackets between them: `find.notes`,
// `passages[0].title`. An element has the name of the brackets, `[]`.

// chain returns the chain that ends at a byte, and where it begins.
func chain(text string, end int32) ([]string, int32) {
	var names []string
	at := end
	for {
		for at > 0 && text[at-1] == ']' {
			open := openBracket(text, at-1)
			if open < 0 {
				return nil, end
			}
			names = append([]string{"[]"}, names...)
			at = open
		}
		w := word(text, at)
		if w.Start >= at {
			return nil, end
		}
		names = append([]string{text[w.Start:at]}, names...)
		if at = w.Start; at == 0 || text[at-1] != '.' {
			return names, at
		}
		at--
	}
}

// openBracket returns where the bracket is opened that is closed at a byte, on the
// same line; -1 where it is not.
func openBracket(text string, closed int32) int32 {
	depth := 0
	for i := closed; i >= 0 && text[i] != '\n'; i-- {
		switch text[i] {
		case ']':
			depth++
		case '[':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// dotted returns the chain before the word at the cursor, and where it begins.
func (c *completer) dotted() ([]string, int32) {
	if at := c.word.Start; at > 0 && c.text[at-1] == '.' {
		if names, from := chain(c.text, at-1); names != nil {
			return names, from
		}
	}
	return nil, c.word.Start
}

// typeOf returns the type of a chain in a scope; nil for a namespace, and for what
// is not known. members are those of a namespace.
func typeOf(scope *expr.Scope, names []string) (t types.Type, members []expr.Member, sym *expr.Symbol) {
	sym, ok := scope.Lookup(names[0])
	if !ok {
		return nil, nil, nil
	}
	t, members = sym.Type, sym.Members
	for _, name := range names[1:] {
		switch {
		case name == "[]":
			t, members = element(t), nil
		case t != nil:
			f, ok := fieldOf(t, name)
			if !ok {
				return nil, nil, sym
			}
			t = f.Type
		default:
			i := slices.IndexFunc(members, func(m expr.Member) bool { return m.Name == name })
			if i < 0 {
				return nil, nil, sym
			}
			t, members = members[i].Type, members[i].Members
		}
		if t == nil && members == nil {
			return nil, nil, sym
		}
	}
	return t, members, sym
}

// element returns the type of the elements of a list or map, nil of anything else.
func element(t types.Type) types.Type {
	if inner, ok := types.Unwrap(t); ok {
		t = inner
	}
	switch t := t.(type) {
	case *types.List:
		return t.Elem
	case *types.Map:
		return t.Elem
	}
	return nil
}

// compared finds what stands on the left of a comparison whose right side begins at
// the end of a text.
var compared = regexp.MustCompile(`([A-Za-z_][\w.\[\]]*)\s*(?:==|!=)\s*$`)

// comparedWith returns the type of what the value at a byte is compared with.
func comparedWith(scope *expr.Scope, text string, at int32) types.Type {
	m := compared.FindStringSubmatchIndex(text[max(0, at-200):at])
	if m == nil {
		return nil
	}
	names, _ := chain(text, max(0, at-200)+int32(m[3]))
	if names == nil {
		return nil
	}
	t, _, _ := typeOf(scope, names)
	return t
}

// elementAt returns the type of `it` at a byte: of the elements of the list that the
// call around goes through.
func elementAt(scope *expr.Scope, text string, at int32) types.Type {
	from := max(0, at-4000)
	depth := 0
	for i := at - 1; i >= from; i-- {
		switch text[i] {
		case ')', ']', '}':
			depth++
		case '[', '{':
			depth--
		case '(':
			if depth--; depth >= 0 {
				continue
			}
			first, _, found := strings.Cut(text[i+1:at], ",")
			name := text[word(text, i).Start:i]
			if !found || !loops(name) {
				depth = 0
				continue
			}
			first = strings.TrimRight(first, " \t\n")
			if names, _ := chain(text, i+1+int32(len(first))); names != nil {
				t, _, _ := typeOf(scope, names)
				return element(t)
			}
			return nil
		}
	}
	return nil
}

// standsIn reports whether a step of a name stands around the cursor.
func standsIn(blocks []*syntax.Block, name string) bool {
	return slices.ContainsFunc(blocks, func(b *syntax.Block) bool { return len(b.Labels) > 0 && b.Labels[0].Name == name })
}
