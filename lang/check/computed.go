package check

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// A computed variable, `variable words: int { value = var.pages * 300 }`, is what
// its expression makes of other variables. They are typed in the order in which
// they read each other; a ring of them is reported once.

// computation is a computed variable under check.
type computation struct {
	decl    *decl
	setting *setting
	typed   bool // its type is written
	state   int  // 0 not begun, 1 under way, 2 done
}

// computed notes a variable's `value` for checkComputed and reports settings
// that exclude it.
func (c *checker) computed(fs *fileScope, d *decl, s map[string]*setting) bool {
	x, ok := s["value"]
	if !ok {
		return false
	}
	for _, name := range []string{"default", "choices", "scale"} {
		if other := s[name]; other != nil {
			c.report(diag.New("E0511", fs.place(other.attr.Name.Span), code(d.name)+" has a "+code("value")+" already").
				Relate(fs.place(x.attr.Name.Span), "here").
				Say("A variable with a `value` is made of others and cannot be set from outside, so it has no `%s`.", name))
		}
	}
	if c.computations == nil {
		c.computations = map[*decl]*computation{}
	}
	c.computations[d] = &computation{decl: d, setting: x, typed: d.block().Type != nil}
	return true
}

// checkComputed types the computed variables of all files.
func (c *checker) checkComputed() {
	for _, fs := range c.order {
		fs.each(variableKind, func(d *decl, _ *syntax.Block) { d.variable.Names = c.variableNames(fs) })
	}
	if len(c.computations) == 0 {
		return
	}
	for _, fs := range c.order {
		for _, d := range fs.own {
			if x, ok := c.computations[d]; ok {
				c.compute(x)
			}
		}
	}
}

func (c *checker) compute(x *computation) {
	if x.state != 0 {
		return
	}
	x.state = 1
	defer func() {
		x.state = 2
		for _, fs := range c.order {
			fs.forgetFixed() // made anew, now that one more type is known
		}
	}()
	s, d := x.setting, x.decl
	if s.expr == nil || s.bad {
		return
	}
	for _, r := range s.expr.Refs() {
		other, ok := c.variableOf(d.scope, r)
		if !ok {
			continue
		}
		next, computed := c.computations[other]
		if !computed {
			continue
		}
		if next.state == 1 {
			c.report(computedRing(s, d, next, r))
			return
		}
		c.compute(next)
	}
	v := d.variable
	info, diags := c.expecting(s.expr, c.within(d.scope), wanted(v.Type))
	c.add(diags)
	if diags.HasErrors() {
		return
	}
	if !x.typed {
		v.Type = expr.Widen(info.Type)
	} else if !types.Fits(info.Type, v.Type) {
		c.report(diag.New("E0306", s.at, "this is "+article(info.Type.String())).
			Relate(d.place, "%s is %s", code(d.name), article(v.Type.String())).
			Say("    needs     %s\n    receives  %s", v.Type, info.Type))
		return
	}
	v.Sensitive = v.Sensitive || info.Sensitive
	v.Computed = program.Value{Expr: s.expr, Type: v.Type, Sensitive: v.Sensitive, Place: s.at}
}

func wanted(t types.Type) types.Type {
	if types.IsInvalid(t) {
		return nil
	}
	return t
}

// variableOf returns the variable that a reference `var.NAME` reads.
func (c *checker) variableOf(fs *fileScope, r expr.Ref) (*decl, bool) {
	if r.Root != "var" || len(r.Path) == 0 {
		return nil, false
	}
	if d, ok := fs.lookup(variableKind, r.Path[0]); ok {
		return d, true
	}
	if len(r.Path) < 2 {
		return nil, false
	}
	return fs.lookup(variableKind, strings.Join(r.Path[:2], "."))
}

func computedRing(s *setting, d *decl, other *computation, r expr.Ref) *diag.Diagnostic {
	at := source.Place{File: s.at.File, Span: r.Span}
	if other.decl == d {
		return diag.New("E0406", at, code(d.name)+" is made of itself").
			Say("A variable with a `value` is what the expression makes of other variables.")
	}
	return diag.New("E0406", at, code(d.name)+" is made of "+code(other.decl.name)+" ...").
		Relate(other.setting.at, "... which is made of %s", code(d.name)).
		Say("A variable is what its expression gives, so it cannot need itself.")
}
