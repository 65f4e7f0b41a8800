package starlark

import (
	"strconv"

	"go.starlark.net/syntax"
)

// mark begins the names that rewriting adds. No name of a program can begin so.
const mark = "·"

// The functions that rewritten code calls, beside one for each operator.
const (
	attrFunc   = mark + "attr"   // x.name
	enterFunc  = mark + "enter"  // the first thing that a function does
	keyFunc    = mark + "key"    // what stands in brackets, and before the colon of a dict
	keepFunc   = mark + "keep"   // around what makes a value: slices, lists, dicts, lambdas
	spreadFunc = mark + "spread" // around *x and **x
)

// operators are those that go through a function: `·+`, and `·+=` for assignments.
var operators = map[syntax.Token]bool{
	syntax.PLUS: true, syntax.MINUS: true, syntax.STAR: true, syntax.SLASH: true, syntax.SLASHSLASH: true, syntax.PERCENT: true,
	syntax.AMP: true, syntax.PIPE: true, syntax.CIRCUMFLEX: true, syntax.LTLT: true, syntax.GTGT: true,
	syntax.EQL: true, syntax.NEQ: true, syntax.LT: true, syntax.GT: true, syntax.LE: true, syntax.GE: true, syntax.IN: true, syntax.NOT_IN: true,
}

// compares are the operators that need no guard beside a literal.
var compares = map[syntax.Token]bool{
	syntax.EQL: true, syntax.NEQ: true, syntax.LT: true, syntax.GT: true, syntax.LE: true, syntax.GE: true,
}

// assigning are the operators behind +=, -= and so on.
var assigning = map[syntax.Token]syntax.Token{
	syntax.PLUS_EQ: syntax.PLUS, syntax.MINUS_EQ: syntax.MINUS, syntax.STAR_EQ: syntax.STAR, syntax.SLASH_EQ: syntax.SLASH,
	syntax.SLASHSLASH_EQ: syntax.SLASHSLASH, syntax.PERCENT_EQ: syntax.PERCENT, syntax.AMP_EQ: syntax.AMP, syntax.PIPE_EQ: syntax.PIPE,
	syntax.CIRCUMFLEX_EQ: syntax.CIRCUMFLEX, syntax.LTLT_EQ: syntax.LTLT, syntax.GTGT_EQ: syntax.GTGT,
}

// rewriter puts guards into a tree.
type rewriter struct{ temps int }

func rewrite(f *syntax.File) {
	r := &rewriter{}
	f.Stmts = r.stmts(f.Stmts)
}

func call(name string, at syntax.Position, args ...syntax.Expr) *syntax.CallExpr {
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: at, Name: name}, Lparen: at, Args: args, Rparen: at}
}

func (r *rewriter) stmts(in []syntax.Stmt) []syntax.Stmt {
	var out []syntax.Stmt
	for _, s := range in {
		out = append(out, r.stmt(s)...)
	}
	return out
}

func (r *rewriter) stmt(s syntax.Stmt) []syntax.Stmt {
	switch s := s.(type) {
	case *syntax.AssignStmt:
		return r.assign(s)
	case *syntax.DefStmt:
		r.params(s.Params)
		s.Body = append([]syntax.Stmt{&syntax.ExprStmt{X: call(enterFunc, s.Def)}}, r.stmts(s.Body)...)
	case *syntax.ExprStmt:
		s.X = r.expr(s.X)
	case *syntax.ForStmt:
		s.Vars, s.X, s.Body = r.target(s.Vars), r.expr(s.X), r.stmts(s.Body)
	case *syntax.WhileStmt:
		s.Cond, s.Body = r.expr(s.Cond), r.stmts(s.Body)
	case *syntax.IfStmt:
		s.Cond, s.True = r.expr(s.Cond), r.stmts(s.True)
		if s.False != nil {
			s.False = r.stmts(s.False)
		}
	case *syntax.ReturnStmt:
		if s.Result != nil {
			s.Result = r.expr(s.Result)
		}
	}
	return []syntax.Stmt{s}
}

// assign rewrites `x += y` as `x = ·+=(x, y)`; what stands before a bracket, and in
// it, is evaluated once.
func (r *rewriter) assign(s *syntax.AssignStmt) []syntax.Stmt {
	op, inPlace := assigning[s.Op]
	if !inPlace {
		s.LHS, s.RHS = r.target(s.LHS), r.expr(s.RHS)
		return []syntax.Stmt{s}
	}
	apply := func(lhs, read syntax.Expr) *syntax.AssignStmt {
		return &syntax.AssignStmt{OpPos: s.OpPos, Op: syntax.EQ, LHS: lhs, RHS: call(mark+op.String()+"=", s.OpPos, read, r.expr(s.RHS))}
	}
	switch x := unparen(s.LHS).(type) {
	case *syntax.Ident:
		return []syntax.Stmt{apply(x, &syntax.Ident{NamePos: x.NamePos, Name: x.Name})}
	case *syntax.IndexExpr:
		of, set := r.temp(x.Lbrack, r.expr(x.X))
		key, setKey := r.temp(x.Lbrack, call(keyFunc, x.Lbrack, r.expr(x.Y)))
		at := func() *syntax.IndexExpr {
			return &syntax.IndexExpr{X: of(), Lbrack: x.Lbrack, Y: key(), Rbrack: x.Rbrack}
		}
		return []syntax.Stmt{set, setKey, apply(at(), at())}
	}
	s.LHS, s.RHS = r.target(s.LHS), r.expr(s.RHS)
	return []syntax.Stmt{s}
}

// temp returns a statement that keeps a value, and what reads it.
func (r *rewriter) temp(at syntax.Position, v syntax.Expr) (read func() syntax.Expr, set syntax.Stmt) {
	r.temps++
	name := mark + "t" + strconv.Itoa(r.temps)
	read = func() syntax.Expr { return &syntax.Ident{NamePos: at, Name: name} }
	return read, &syntax.AssignStmt{OpPos: at, Op: syntax.EQ, LHS: read(), RHS: v}
}

func unparen(x syntax.Expr) syntax.Expr {
	for {
		p, ok := x.(*syntax.ParenExpr)
		if !ok {
			return x
		}
		x = p.X
	}
}

// target rewrites what is assigned to.
func (r *rewriter) target(x syntax.Expr) syntax.Expr {
	switch x := x.(type) {
	case *syntax.ParenExpr:
		x.X = r.target(x.X)
	case *syntax.TupleExpr:
		for i := range x.List {
			x.List[i] = r.target(x.List[i])
		}
	case *syntax.ListExpr:
		for i := range x.List {
			x.List[i] = r.target(x.List[i])
		}
	case *syntax.IndexExpr:
		x.X, x.Y = r.expr(x.X), r.key(x.Y)
	case *syntax.DotExpr:
		x.X = r.expr(x.X)
	}
	return x
}

// params rewrites the defaults of parameters.
func (r *rewriter) params(ps []syntax.Expr) {
	for _, p := range ps {
		if b, ok := p.(*syntax.BinaryExpr); ok {
			b.Y = r.expr(b.Y)
		}
	}
}

func (r *rewriter) key(x syntax.Expr) syntax.Expr {
	if _, fixed := unparen(x).(*syntax.Literal); fixed {
		return x
	}
	return call(keyFunc, syntax.Start(x), r.expr(x))
}

func (r *rewriter) exprs(xs []syntax.Expr) {
	for i := range xs {
		xs[i] = r.expr(xs[i])
	}
}

func (r *rewriter) optional(x syntax.Expr) syntax.Expr {
	if x == nil {
		return nil
	}
	return r.expr(x)
}

func (r *rewriter) expr(x syntax.Expr) syntax.Expr {
	switch x := x.(type) {
	case *syntax.ParenExpr:
		x.X = r.expr(x.X)
	case *syntax.BinaryExpr:
		return r.binary(x)
	case *syntax.UnaryExpr:
		x.X = r.optional(x.X)
		_, fixed := x.X.(*syntax.Literal)
		if (x.Op == syntax.MINUS || x.Op == syntax.TILDE) && !fixed {
			return call(keepFunc, x.OpPos, x)
		}
	case *syntax.CallExpr:
		x.Fn = r.expr(x.Fn)
		for i, a := range x.Args {
			switch a := a.(type) {
			case *syntax.BinaryExpr:
				if a.Op == syntax.EQ {
					a.Y = r.expr(a.Y)
					continue
				}
			case *syntax.UnaryExpr:
				if a.Op == syntax.STAR || a.Op == syntax.STARSTAR {
					a.X = call(spreadFunc, a.OpPos, r.expr(a.X))
					continue
				}
			}
			x.Args[i] = r.expr(a)
		}
	case *syntax.DotExpr:
		name := &syntax.Literal{Token: syntax.STRING, TokenPos: x.NamePos, Raw: strconv.Quote(x.Name.Name), Value: x.Name.Name}
		return call(attrFunc, x.Dot, r.expr(x.X), name)
	case *syntax.Comprehension:
		for _, c := range x.Clauses {
			switch c := c.(type) {
			case *syntax.ForClause:
				c.Vars, c.X = r.target(c.Vars), r.expr(c.X)
			case *syntax.IfClause:
				c.Cond = r.expr(c.Cond)
			}
		}
		x.Body = r.expr(x.Body)
		return call(keepFunc, x.Lbrack, x)
	case *syntax.DictEntry:
		x.Key, x.Value = r.key(x.Key), r.expr(x.Value)
	case *syntax.DictExpr:
		r.exprs(x.List)
		return call(keepFunc, x.Lbrace, x)
	case *syntax.ListExpr:
		r.exprs(x.List)
		return call(keepFunc, x.Lbrack, x)
	case *syntax.TupleExpr:
		r.exprs(x.List)
		return call(keepFunc, syntax.Start(x), x)
	case *syntax.CondExpr:
		x.Cond, x.True, x.False = r.expr(x.Cond), r.expr(x.True), r.expr(x.False)
	case *syntax.IndexExpr:
		x.X, x.Y = r.expr(x.X), r.key(x.Y)
	case *syntax.SliceExpr:
		x.X, x.Lo, x.Hi, x.Step = r.expr(x.X), r.optional(x.Lo), r.optional(x.Hi), r.optional(x.Step)
		return call(keepFunc, x.Lbrack, x)
	case *syntax.LambdaExpr:
		r.params(x.Params)
		at := syntax.Start(x.Body)
		x.Body = &syntax.CondExpr{If: at, Cond: call(enterFunc, at), True: r.expr(x.Body), ElsePos: at, False: &syntax.Ident{NamePos: at, Name: "None"}}
		return call(keepFunc, x.Lambda, x)
	}
	return x
}

func (r *rewriter) binary(x *syntax.BinaryExpr) syntax.Expr {
	x.X, x.Y = r.expr(x.X), r.expr(x.Y)
	if !operators[x.Op] {
		return x
	}
	if compares[x.Op] {
		for _, side := range []syntax.Expr{x.X, x.Y} {
			if _, fixed := unparen(side).(*syntax.Literal); fixed {
				return x
			}
		}
	}
	return call(mark+x.Op.String(), x.OpPos, x.X, x.Y)
}
