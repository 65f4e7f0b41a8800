package expr

import (
	"github.com/expr-lang/expr/ast"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// Literal reads the value of a place where only a literal may stand, such as a
// default or a constraint: a text, a number, true, false, null, or a list or record
// of these. The type is that of the value as it stands: `5` has the literal type 5.
// With errors the value is nil and the type Invalid.
func Literal(file *source.File, e *syntax.Expr) (any, types.Type, diag.List) {
	x, diags := Parse(file, e)
	if len(diags) > 0 || x.root == nil {
		return nil, types.Invalid{}, diags
	}
	l := &literals{reporter{x: x}}
	l.check(x.root)
	if len(l.diags) > 0 {
		l.diags.Sort()
		return nil, types.Invalid{}, l.diags
	}
	info, diags := x.Check(nil)
	if diags.HasErrors() {
		return nil, types.Invalid{}, diags
	}
	return info.Constant, info.Type, diags
}

// literals looks for what is no literal.
type literals struct{ reporter }

func (l *literals) check(n ast.Node) {
	switch n := n.(type) {
	case *ast.NilNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.StringNode:
		return
	case *ast.UnaryNode:
		switch n.Node.(type) {
		case *ast.IntegerNode, *ast.FloatNode:
			if n.Operator == "-" || n.Operator == "+" {
				return
			}
		}
	case *ast.ArrayNode:
		for _, m := range n.Nodes {
			l.check(m)
		}
		return
	case *ast.MapNode:
		for _, p := range n.Pairs {
			p := p.(*ast.PairNode)
			if _, fixed := p.Key.(*ast.StringNode); !fixed {
				l.notFixed(p.Key)
			}
			l.check(p.Value)
		}
		return
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok && id.Value == textCall {
			l.templateInLiteral(n)
			return
		}
	}
	l.notFixed(n)
}
