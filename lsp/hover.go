package lsp

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// Hover returns what is to be known of the name at a byte, nil where there is
// nothing.
func Hover(v *View, offset int32) *protocol.Hover {
	text, at := hover(v, offset)
	if text == "" {
		return nil
	}
	r := v.Range(at)
	return &protocol.Hover{Contents: &protocol.MarkupContent{Kind: protocol.Markdown, Value: text}, Range: &r}
}

func hover(v *View, offset int32) (string, source.Span) {
	if snapshot.IsConfig(v.File.Path) {
		return hoverConfig(v, offset)
	}
	if inComment(v.tree(), offset) {
		return "", source.Span{}
	}
	if text, at := hoverExpr(v, offset); text != "" {
		return text, at
	}
	if target, at, ok := v.index().Target(offset); ok {
		if d, ok := v.check().Def(target); ok {
			return describe(v, d), at.Span
		}
	}
	return hoverBuiltin(v, offset)
}

func inComment(tree *syntax.File, offset int32) bool {
	for _, c := range tree.Comments {
		if c.Start <= offset && offset < c.End {
			return true
		}
	}
	return false
}

// hoverExpr describes a reference of an expression, with its type there.
func hoverExpr(v *View, offset int32) (string, source.Span) {
	for _, f := range v.check().Facts(v.tree()) {
		if !f.Expr.Range().Contains(offset) {
			continue
		}
		for _, r := range f.Expr.Refs() {
			for i, part := range r.Parts {
				if !part.Contains(offset) {
					continue
				}
				names := append([]string{r.Root}, r.Path...)[:i+1]
				kind, t, note, ok := meaning(f.Scope, names)
				if !ok {
					return "", source.Span{}
				}
				head := strings.Join(names, ".")
				if t != nil && !types.IsInvalid(t) {
					head += ": " + t.String()
				}
				text := code("(" + kind + ") " + head)
				if target, _, ok := v.index().Target(part.Start + 1); ok {
					if d, ok := v.check().Def(target); ok {
						if t == nil {
							return describe(v, d), part
						}
						if fd, ok := d.Item.(*syntax.Field); ok && fd.Description != nil {
							note = joined(note, fd.Description.Value)
						}
					}
				}
				return joined(text, note), part
			}
		}
	}
	return "", source.Span{}
}

// meaning returns what a chain of names is in a scope: its kind for people, its
// type (nil for a namespace) and a remark.
func meaning(scope *expr.Scope, names []string) (kind string, t types.Type, note string, ok bool) {
	sym, ok := scope.Lookup(names[0])
	if !ok {
		return "", nil, "", false
	}
	kind, t = sym.Kind, sym.Type
	members, noun := sym.Members, sym.Noun
	for _, name := range names[1:] {
		found := false
		if t == nil {
			for _, m := range members {
				if m.Name == name {
					kind, t, note, members, found = noun, m.Type, m.Doc, m.Members, true
					noun = m.Noun
					break
				}
			}
		} else if f, ok := fieldOf(t, name); ok {
			kind, t, note, found = "field", f.Type, f.Description, true
		}
		if !found {
			return "", nil, "", false
		}
	}
	if kind == "" {
		kind = "value"
	}
	return kind, t, note, true
}

// fieldsOf returns the fields of a value of a type; those of what may be null,
// too.
func fieldsOf(t types.Type) []types.Field {
	if inner, ok := types.Unwrap(t); ok {
		t = inner
	}
	if r, ok := types.Structure(t).(*types.Record); ok {
		return r.Fields
	}
	if r, ok := t.(*types.Record); ok {
		return r.Fields
	}
	return nil
}

func fieldOf(t types.Type, name string) (types.Field, bool) {
	for _, f := range fieldsOf(t) {
		if f.Name == name {
			return f, true
		}
	}
	return types.Field{}, false
}

// hoverBuiltin describes a word of the language: a block, a module, a setting, a
// type, a function.
func hoverBuiltin(v *View, offset int32) (string, source.Span) {
	w := word(v.src().Text, offset)
	name := v.src().Slice(w)
	if name == "" {
		return "", w
	}
	var found string
	for _, it := range v.tree().Items {
		syntax.Walk(it, func(n syntax.Node) bool {
			if found != "" || !n.Range().Contains(offset) {
				return false
			}
			switch n := n.(type) {
			case *syntax.Block:
				if n.KindSpan().Contains(offset) {
					found = hoverKind(v, n)
				}
			case *syntax.Attribute:
				if n.Name.Contains(offset) {
					if t := table(v.u(), around(v.tree(), n.Start), v.programs()); t != nil {
						if s, ok := t.Setting(name); ok {
							found = describeSetting(s)
						}
					}
				}
			case *syntax.NamedType:
				if len(n.Path) == 1 && n.Path[0].Contains(offset) {
					found = hoverType(name)
				}
			case *syntax.Import:
				if offset <= n.Start+6 {
					if b, ok := v.u().Block("import"); ok {
						found = describeBlock(b.Name, b.Doc, b.Example)
					}
				}
			case *syntax.TypeAlias:
				if n.Keyword.Contains(offset) {
					if b, ok := v.u().Block("type"); ok {
						found = describeBlock(b.Name, b.Doc, b.Example)
					}
				}
			case *syntax.Expr:
				found = hoverExprWord(v, name, w)
			}
			return true
		})
	}
	return found, w
}

func hoverKind(v *View, n *syntax.Block) string {
	blocks := around(v.tree(), n.Start)
	kind := n.KindName()
	if len(blocks) == 0 {
		if b, ok := v.u().Block(kind); ok {
			return describeBlock(b.Name, b.Doc, b.Example)
		}
		return ""
	}
	if m, ok := v.u().Module(kind); ok {
		return describeBlock(m.Name, m.Doc, m.Example)
	}
	if t := table(v.u(), append(blocks, n), v.programs()); t != nil {
		return describeBlock(kind, t.Doc, t.Example)
	}
	return ""
}

func hoverType(name string) string {
	if r, ok := types.Lookup(name); ok {
		text := strings.ToUpper(r.Doc[:1]) + r.Doc[1:] + "."
		if len(r.Allows) > 0 {
			text += " It takes `" + strings.Join(r.Allows, "`, `") + "`."
		}
		return joined(code("(type) "+r.Name), text, r.Rule)
	}
	for _, c := range types.Composite {
		if strings.HasPrefix(c.Form, name) {
			return joined(code("(type) "+c.Form), c.Doc)
		}
	}
	return ""
}

func hoverExprWord(v *View, name string, w source.Span) string {
	text := v.src().Text
	if int(w.End) < len(text) && text[w.End] == '(' {
		for _, f := range expr.Functions() {
			if f.Name == name {
				return joined(code(f.Name+"("+f.Params+"): "+f.Result), strings.ToUpper(f.Doc[:1])+f.Doc[1:]+".", code(f.Example+"  # gives "+f.Gives))
			}
		}
	}
	if w.Start > 0 && text[w.Start-1] == '.' {
		kind := v.src().Slice(word(text, w.Start-1))
		for _, b := range v.u().Builtins {
			if b.Name == name && b.Kind == kind {
				return joined(code("(built-in "+b.Kind+") "+b.Name), b.Doc)
			}
		}
		if m, ok := v.u().Module(name); ok && kind == "module" {
			return describeBlock(m.Name, m.Doc, m.Example)
		}
	}
	return ""
}
