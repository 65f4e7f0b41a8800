package check

import (
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// Fact is an expression with what names meant where it stands: what an editor
// needs to know beyond the project.
type Fact struct {
	Expr  *expr.Expr
	Scope *expr.Scope
	Want  types.Type // the type that the place wants; nil: any
	Type  types.Type // what it has
}

// Facts returns the expressions of a file as the last check found them, in the
// order in which they were checked. An expression that is checked several times
// is there several times. It needs Options.Facts.
func (s *Session) Facts(file *syntax.File) []Fact {
	if file == nil {
		return nil
	}
	return s.facts[file.Source]
}

// typed, expecting and condition check an expression, and note that they did.

func (c *checker) typed(e *expr.Expr, scope *expr.Scope) (expr.Info, diag.List) {
	info, diags := e.Check(scope)
	c.note(e, scope, nil, info)
	return info, diags
}

func (c *checker) expecting(e *expr.Expr, scope *expr.Scope, want types.Type) (expr.Info, diag.List) {
	info, diags := e.CheckExpecting(scope, want)
	c.note(e, scope, want, info)
	return info, diags
}

func (c *checker) condition(e *expr.Expr, scope *expr.Scope) (expr.Info, diag.List) {
	info, diags := e.CheckCondition(scope)
	c.note(e, scope, types.Bool, info)
	return info, diags
}

func (c *checker) note(e *expr.Expr, scope *expr.Scope, want types.Type, info expr.Info) {
	if !c.opt.Facts {
		return
	}
	if c.facts == nil {
		c.facts = map[*source.File][]Fact{}
	}
	file := e.Place().File
	c.facts[file] = append(c.facts[file], Fact{e, scope, want, info.Type})
}

// keepFacts hands the facts to the session: those of this check, and those of
// files that were not checked anew.
func (s *Session) keepFacts(c *checker) {
	if !c.opt.Facts {
		return
	}
	facts := map[*source.File][]Fact{}
	for tree := range c.files {
		if found, anew := c.facts[tree.Source]; anew {
			facts[tree.Source] = found
		} else if was, ok := s.facts[tree.Source]; ok {
			facts[tree.Source] = was
		}
	}
	s.facts = facts
}
