package expr

import (
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"
)

// `x != null && …` and `x != null ? … : …` tell that x is not null in what
// follows. What can be told so about has a key: a name, or a chain of names.

// key returns the key of a node, or "".
func (c *checker) key(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		for i := len(c.locals) - 1; i >= 0; i-- {
			if c.locals[i].name == n.Value {
				return "let " + strconv.Itoa(c.locals[i].id) + " " + n.Value
			}
		}
		return n.Value
	case *ast.PointerNode:
		return "it " + strconv.Itoa(len(c.loops)) + " " + n.Name
	case *ast.ChainNode:
		return c.key(n.Node)
	case *ast.MemberNode:
		if p, ok := n.Property.(*ast.StringNode); ok {
			if k := c.key(n.Node); k != "" {
				return k + "\x00" + p.Value
			}
		}
	}
	return ""
}

func (c *checker) isKnown(key string) bool { return slices.Contains(c.known, key) }

// given runs f with what is known when cond is true, or false.
func (c *checker) given(cond ast.Node, truth bool, f func()) {
	before := len(c.known)
	c.learn(cond, truth)
	f()
	c.known = c.known[:before]
}

// learn adds what is known not to be null when n is true, or false.
func (c *checker) learn(n ast.Node, truth bool) {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			c.learn(n.Node, !truth)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "and":
			if truth {
				c.learn(n.Left, true)
				c.learn(n.Right, true)
			}
		case "||", "or":
			if !truth {
				c.learn(n.Left, false)
				c.learn(n.Right, false)
			}
		case "!=", "==":
			if (n.Operator == "!=") != truth {
				return
			}
			if _, ok := n.Right.(*ast.NilNode); ok {
				c.notNull(n.Left)
			} else if _, ok := n.Left.(*ast.NilNode); ok {
				c.notNull(n.Right)
			}
		}
	}
}

// notNull adds a node, and what `?.` was asked of in it: where `a?.b` is not
// null, `a` is not.
func (c *checker) notNull(n ast.Node) {
	if k := c.key(n); k != "" {
		c.known = append(c.known, k)
	}
	if ch, ok := n.(*ast.ChainNode); ok {
		n = ch.Node
	}
	for {
		m, ok := n.(*ast.MemberNode)
		if !ok {
			return
		}
		if m.Optional {
			c.notNull(m.Node)
			return
		}
		n = m.Node
		if ch, ok := n.(*ast.ChainNode); ok {
			n = ch.Node
		}
	}
}
