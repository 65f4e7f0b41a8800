package lsp

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// The legend of semantic tokens: only types that every editor knows.
var (
	TokenTypes     = []string{"keyword", "type", "enum", "enumMember", "function", "variable", "parameter", "property", "namespace", "string", "number", "operator", "class", "method", "comment"}
	TokenModifiers = []string{"declaration", "readonly", "defaultLibrary"}
)

const (
	declaration uint32 = 1 << iota
	readonly
	builtIn
)

type token struct {
	source.Span
	kind string
	mods uint32
}

// Tokens returns the names of a file with what they are, in LSP's form: five
// numbers for each.
func Tokens(v *View) *protocol.SemanticTokens {
	return &protocol.SemanticTokens{Data: encodeTokens(v, tokens(v))}
}

func tokens(v *View) []token {
	var out []token
	add := func(s source.Span, kind string, mods uint32) {
		if s.Len() > 0 {
			out = append(out, token{s, kind, mods})
		}
	}
	for _, d := range v.index().Defs {
		if d.Name != "" {
			add(d.Place.Span, tokenKind(d.Kind), declaration)
		}
	}
	for _, u := range v.index().Uses {
		if d, ok := v.check().Def(u.Target); ok {
			add(u.Place.Span, tokenKind(d.Kind), 0)
		}
	}
	isProgram := v.programs()
	for _, it := range v.tree().Items {
		if imp, ok := it.(*syntax.Import); ok {
			add(source.Span{Start: imp.Start, End: imp.Start + 6}, "keyword", 0)
		}
		syntax.Walk(it, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.TypeAlias:
				add(n.Keyword, "keyword", 0)
			case *syntax.Block:
				kind, mods := "keyword", uint32(0)
				if _, ok := v.u().Module(n.KindName()); ok {
					kind, mods = "class", builtIn
				}
				if !isProgram(n.KindName()) {
					add(n.KindSpan(), kind, mods)
				}
			case *syntax.Let:
				add(source.Span{Start: n.Start, End: n.Start + 3}, "keyword", 0)
			case *syntax.Attribute:
				add(n.Name.Span, "property", 0)
			case *syntax.Arrow:
				add(n.Span, "operator", 0)
			case *syntax.NamedType:
				if _, ok := types.Lookup(n.Name()); ok || n.Name() == "list" || n.Name() == "map" || n.Name() == "tuple" {
					add(n.Path[0].Span, "type", builtIn)
				}
			}
			return true
		})
	}
	slices.SortStableFunc(out, func(a, b token) int { return int(a.Start - b.Start) })
	// Of tokens in one place the first counts: what is declared and used is
	// better known than what merely stands there.
	kept := out[:0]
	end := int32(-1)
	for _, t := range out {
		if t.Start >= end {
			kept, end = append(kept, t), t.End
		}
	}
	return kept
}

func tokenKind(kind string) string {
	switch kind {
	case "type", "signature":
		return "type"
	case "enum":
		return "enum"
	case "member":
		return "enumMember"
	case "program", "tool", "metric":
		return "function"
	case "step":
		return "method"
	case "input", "state":
		return "parameter"
	case "output", "field":
		return "property"
	case "import":
		return "namespace"
	}
	return "variable"
}

func encodeTokens(v *View, list []token) []uint32 {
	data := []uint32{}
	var line, column uint32
	for _, t := range list {
		a, b := v.Position(t.Start), v.Position(t.End)
		if a.Line != b.Line {
			continue // a name stands on one line
		}
		if a.Line != line {
			column = 0
		}
		data = append(data, a.Line-line, a.Character-column, b.Character-a.Character, uint32(slices.Index(TokenTypes, t.kind)), t.mods)
		line, column = a.Line, a.Character
	}
	return data
}
