package expr

import (
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

func located[N ast.Node](n N, l file.Location) N {
	n.SetLocation(l)
	return n
}

func spanAt(from, to int) source.Span { return source.Span{Start: int32(from), End: int32(to)} }

func locSpan(l file.Location) source.Span { return spanAt(l.From, l.To) }

// read turns a text that stands at base in the file into a resolved tree. It
// returns nil and sets fatal when it cannot.
func (r *reader) read(src string, base int) ast.Node {
	if n := r.simple(src, base); n != nil {
		return n
	}
	before := len(r.diags)
	out, c, ok := r.scan(src, base)
	if !ok {
		r.fatal = true
		return nil
	}
	if strings.TrimSpace(out) == "" {
		r.empty(spanAt(base, base+len(src)))
		r.fatal = true
		return nil
	}
	tree, err := parser.Parse(out)
	if err != nil {
		if len(r.diags) == before { // a habit that was named already explains the rest
			r.unreadable(err, src, c)
		}
		r.fatal = true
		return nil
	}
	r.resolve(&tree.Node, c)
	return tree.Node
}

// simple reads what most expressions are: a literal, a name, a chain of names.
// It returns nil for anything else.
func (r *reader) simple(src string, base int) ast.Node {
	trimmed := strings.TrimLeft(src, " \t\r\n")
	base += len(src) - len(trimmed)
	src = strings.TrimRight(trimmed, " \t\r\n")
	if src == "" {
		return nil
	}
	loc := file.Location{From: base, To: base + len(src)}
	switch b := src[0]; {
	case b == '"':
		end, _, ok := endOfString(src, 0, r.brackets)
		if !ok || end != len(src) {
			return nil
		}
		return r.literal(src, text{0, end, quoted}, base)
	case isDigit(b):
		return numeral(src, loc)
	case b == '_' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z':
		return r.chain(src, loc)
	case b == '<':
		if end, found, is := endOfHeredoc(src, 0); is && found && end == len(src) {
			return r.literal(src, text{0, end, heredoc}, base)
		}
	}
	return nil
}

// numeral reads a plain decimal number; others are expr's.
func numeral(src string, loc file.Location) ast.Node {
	point := false
	for i := 0; i < len(src); i++ {
		switch {
		case src[i] == '.' && !point && i+1 < len(src):
			point = true
		case src[i] == '_' && i+1 < len(src):
		case !isDigit(src[i]):
			return nil
		}
	}
	if src[0] == '0' && len(src) > 1 && !point {
		return nil
	}
	v, err := value.Number(strings.ReplaceAll(src, "_", ""))
	if err != nil {
		return nil
	}
	switch v := v.(type) {
	case int:
		return located(&ast.IntegerNode{Value: v}, loc)
	case float64:
		return located(&ast.FloatNode{Value: v}, loc)
	}
	return nil
}

// operatorWords cannot be used as bare names: they are words of the syntax.
var operatorWords = map[string]bool{
	"not": true, "in": true, "or": true, "and": true, "matches": true, "contains": true,
	"startsWith": true, "endsWith": true, "let": true, "if": true, "else": true,
}

// chain reads `name` or `name.name.name`.
func (r *reader) chain(src string, loc file.Location) ast.Node {
	var n ast.Node
	for i, names := 0, 0; ; names++ {
		if names > maxDepth {
			return nil
		}
		j := i
		for j < len(src) && isWord(src[j]) && src[j] < 0x80 {
			j++
		}
		if j == i || isDigit(src[i]) {
			return nil
		}
		name := src[i:j]
		at := file.Location{From: loc.From + i, To: loc.From + j}
		switch {
		case n != nil:
			n = located(&ast.MemberNode{Node: n, Property: located(&ast.StringNode{Value: name}, at)}, at)
		case operatorWords[name]:
			return nil
		case name == "true" || name == "false":
			if j < len(src) {
				return nil
			}
			return located(&ast.BoolNode{Value: name == "true"}, at)
		case name == "nil":
			return nil
		default:
			n = located(&ast.IdentifierNode{Value: name}, at)
		}
		if j == len(src) {
			break
		}
		if src[j] != '.' {
			return nil
		}
		i = j + 1
	}
	r.resolve(&n, &chunk{plain: true})
	return n
}
