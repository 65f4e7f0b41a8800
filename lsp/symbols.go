package lsp

import (
	"strings"

	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// Symbols returns the outline of a file.
func Symbols(v *View) []protocol.DocumentSymbol {
	out := symbolsIn(v, nil)
	if out == nil {
		out = []protocol.DocumentSymbol{}
	}
	return out
}

func symbolsIn(v *View, parent *snapshot.Def) []protocol.DocumentSymbol {
	var out []protocol.DocumentSymbol
	for _, d := range v.index().Inside(parent) {
		if d.Name == "" {
			continue
		}
		s := protocol.DocumentSymbol{
			Name: d.Name, Kind: symbolKind(d.Kind),
			Range: v.Range(d.Whole.Span), SelectionRange: v.Range(d.Place.Span),
			Children: symbolsIn(v, d),
		}
		if detail := detail(v, d); detail != "" {
			s.Detail = &detail
		}
		out = append(out, s)
	}
	return out
}

func symbolKind(kind string) protocol.SymbolKind {
	switch kind {
	case "program", "tool":
		return protocol.SymbolFunction
	case "step", "test":
		return protocol.SymbolMethod
	case "type":
		return protocol.SymbolStruct
	case "enum":
		return protocol.SymbolEnum
	case "signature":
		return protocol.SymbolInterface
	case "variable", "let", "state":
		return protocol.SymbolVariable
	case "member":
		return protocol.SymbolEnumMember
	case "input", "output", "field":
		return protocol.SymbolField
	case "import":
		return protocol.SymbolModule
	case "assertion", "constraint":
		return protocol.SymbolEvent
	case "model":
		return protocol.SymbolConstant
	}
	return protocol.SymbolObject
}

// maxSymbols is the most symbols of the workspace that are listed.
const maxSymbols = 500

// WorkspaceSymbols returns the declarations of all files whose names hold the
// letters of a query, in its order.
func WorkspaceSymbols(s *snapshot.Snapshot, query string) []protocol.WorkspaceSymbol {
	out := []protocol.WorkspaceSymbol{}
	for _, path := range s.Files() {
		v, err := Look(s, path)
		if err != nil {
			continue
		}
		for _, d := range snapshot.Declared(v.tree()) {
			if d.Name == "" || d.Parent != nil && d.Kind != "step" || !holds(d.Name, query) {
				continue
			}
			loc := location(s, d.Place)
			w := protocol.WorkspaceSymbol{
				BaseSymbolInformation: protocol.BaseSymbolInformation{Name: d.Name, Kind: symbolKind(d.Kind)},
				Location:              &loc,
			}
			if d.Parent != nil {
				w.ContainerName = &d.Parent.Name
			}
			if out = append(out, w); len(out) == maxSymbols {
				return out
			}
		}
	}
	return out
}

// holds reports whether a name holds the letters of a query in its order.
func holds(name, query string) bool {
	name = strings.ToLower(name)
	for _, r := range strings.ToLower(query) {
		i := strings.IndexRune(name, r)
		if i < 0 {
			return false
		}
		name = name[i+len(string(r)):]
	}
	return true
}
