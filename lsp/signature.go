package lsp

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// Signature returns the parameters of the function in whose call a byte stands, or
// of the type whose constraints are being written; nil where it is neither.
func Signature(v *View, offset int32) *protocol.SignatureHelp {
	name, n, ok := callAt(v.src().Text[:offset])
	if !ok {
		return nil
	}
	if r, found := types.Lookup(name); found && len(r.Allows) > 0 {
		return help(name, strings.Join(r.Allows, " = …, ")+" = …", "", r.Doc, 0)
	}
	functions := expr.Functions()
	for _, f := range v.check().Facts(v.tree()) {
		functions = append(functions, f.Scope.Own...)
		break
	}
	for _, f := range functions {
		if f.Name == name {
			return help(name, f.Params, ": "+f.Result, f.Doc, n)
		}
	}
	return nil
}

func help(name, params, result, doc string, n int) *protocol.SignatureHelp {
	info := protocol.SignatureInformation{
		Label:         name + "(" + params + ")" + result,
		Documentation: protocol.String(doc),
	}
	for _, p := range strings.Split(params, ",") {
		p = strings.Trim(strings.TrimSpace(p), "[] ")
		info.Parameters = append(info.Parameters, protocol.ParameterInformation{Label: protocol.String(p)})
	}
	active := uint32(min(n, max(len(info.Parameters)-1, 0)))
	return &protocol.SignatureHelp{
		Signatures: []protocol.SignatureInformation{info}, ActiveSignature: ptr(uint32(0)),
		ActiveParameter: protocol.Nullable(active),
	}
}

// callAt finds the innermost call that is open at the end of a text: its name and
// how many commas stand before the end. It looks at the last few lines.
func callAt(text string) (name string, comma int, ok bool) {
	if n := len(text) - 4000; n > 0 {
		text = text[n:]
	}
	depth := 0
	for i := len(text) - 1; i >= 0; i-- {
		switch text[i] {
		case ')', ']', '}':
			depth++
		case '"':
			j := strings.LastIndexByte(text[:i], '"')
			if j < 0 || strings.Contains(text[j:i], "\n") {
				continue // the cursor stands in a string
			}
			i = j
		case '(':
			if depth > 0 {
				depth--
				continue
			}
			w := word(text, int32(i))
			name = text[w.Start:i]
			return name, comma, name != ""
		case '[', '{':
			if depth > 0 {
				depth--
				continue
			}
			if text[i] == '{' && !(i > 0 && text[i-1] == '$') && strings.Contains(text[i:], "\n") {
				return "", 0, false // the block around
			}
			comma = 0
		case ',':
			if depth == 0 {
				comma++
			}
		}
	}
	return "", 0, false
}
