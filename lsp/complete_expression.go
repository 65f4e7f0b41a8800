package lsp

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// dummy is the name that stands for what has not been typed yet.
const dummy = "dspi_cursor"

// expression offers what may stand in an expression: the text is tried with a
// name at the cursor, and what the checker knew of that place is offered. wants is
// the type of the place, for those of which the checker does not say it.
func (c *completer) expression(blocks []*syntax.Block, wants types.Type) {
	text := c.text[:c.word.Start] + dummy + c.text[c.word.End:]
	snap := c.v.Snap.With(map[string]string{c.v.File.Path: text})
	fact, found := factAt(factsOf(snap, c.v.File.Path), c.word.Start, blocks)
	names, _ := c.dotted()
	if !found {
		if len(names) == 0 {
			c.functions(expr.NewScope())
		}
		return
	}
	want := fact.Want
	if want == nil {
		want = wants
	}
	if !whole(fact.Expr, c.word.Start) {
		want = nil
	}
	_, from := c.dotted()
	if t := comparedWith(fact.Scope, c.text, from); t != nil {
		want = t
	}
	if len(names) > 0 {
		c.members(fact.Scope, names, want)
		return
	}
	for _, s := range fact.Scope.Symbols() {
		if s.Kind == "step" && standsIn(blocks, s.Name) {
			continue // it does not wait for itself
		}
		it := Item{Label: s.Name, Kind: protocol.ItemVariable, Detail: s.Kind, Rank: 5}
		switch {
		case s.Type != nil && types.IsInvalid(s.Type):
			it.Rank = 6
		case s.Type != nil:
			it.Detail, it.Rank = s.Type.String(), rankOf(s.Type, want, 2)
		case anyFits(s.Members, want):
			it.Rank = 3
		}
		if s.Kind == "step" {
			it.Kind = protocol.ItemModule
		}
		c.add(it)
	}
	if name, n, ok := callAt(c.text[:c.word.Start]); ok && n > 0 && loops(name) {
		c.add(Item{Label: "it", Kind: protocol.ItemVariable, Detail: "the element", Doc: "The element of the list that is looked at.", Rank: 1})
	}
	if want == nil || types.Fits(types.Bool, want) {
		for _, w := range []string{"true", "false"} {
			c.add(Item{Label: w, Kind: protocol.ItemKeyword, Rank: 7})
		}
	}
	if e := enumOf(want); e != nil {
		for _, m := range e.Members {
			c.add(Item{Label: e.Name + "." + m.Name, Kind: protocol.ItemEnumMember, Detail: e.Name, Doc: m.Description})
		}
	}
	for _, l := range literalsOf(want) {
		c.add(Item{Label: l, Kind: protocol.ItemEnumMember, Detail: "value"})
	}
	c.functions(fact.Scope)
}

// functions offers the functions that may be called where a scope holds.
func (c *completer) functions(scope *expr.Scope) {
	for _, f := range append(expr.Functions(), scope.Own...) {
		if f.Host && !slices.Contains(scope.Host, f.Name) {
			continue
		}
		c.add(Item{Label: f.Name, Kind: protocol.ItemFunction, Detail: "(" + f.Params + "): " + f.Result, Doc: joined(f.Doc, code(f.Example+"  # gives "+f.Gives)), Insert: f.Name + "($0)", Snippet: true, Rank: 8})
	}
}

// isBool reports whether a type is that of conditions.
func isBool(t types.Type) bool { return t != nil && t.String() == "bool" }

// loops reports whether a function looks at each element of a list.
func loops(name string) bool {
	for _, f := range expr.Functions() {
		if f.Name == name {
			return strings.HasPrefix(f.Params, "list, ") && strings.Contains(f.Example, "it")
		}
	}
	return false
}

// factsOf returns what is known of the expressions of a text that is tried: of the
// program alone that is another than it was, where that is all.
func factsOf(s *snapshot.Snapshot, path string) []check.Fact {
	if r, ok := s.Recheck(path); ok {
		return r.Facts
	}
	checked, err := s.Try(path)
	if err != nil {
		return nil
	}
	return checked.Facts(checked.File.Tree)
}

// factAt returns what is known of the expression at an offset; where none was
// checked there, of another in the same blocks.
func factAt(facts []check.Fact, offset int32, blocks []*syntax.Block) (check.Fact, bool) {
	var near check.Fact
	found := false
	for _, f := range facts {
		if f.Expr.Range().Contains(offset) {
			return f, true
		}
		if len(blocks) > 0 && f.Expr.Range().Start >= blocks[0].Start && f.Expr.Range().Start <= blocks[0].End && !found {
			near, found = check.Fact{Expr: f.Expr, Scope: f.Scope}, true
		}
	}
	return near, found
}

// whole reports whether the name at an offset is all of an expression, so that
// the type that the place wants is the name's.
func whole(e *expr.Expr, offset int32) bool {
	rest := strings.TrimSpace(e.Text())
	for _, r := range e.Refs() {
		if r.Contains(offset) {
			return int(r.End-r.Start) == len(rest)
		}
	}
	return false
}

func rankOf(t, want types.Type, fits int) int {
	switch {
	case want == nil || types.IsInvalid(want):
		return fits + 1
	case types.Fits(t, want):
		return 0
	}
	return fits + 4
}

func anyFits(ms []expr.Member, want types.Type) bool {
	return want != nil && slices.ContainsFunc(ms, func(m expr.Member) bool { return m.Type != nil && types.Fits(m.Type, want) })
}

// members offers what may follow a dot.
func (c *completer) members(scope *expr.Scope, names []string, want types.Type) {
	t, members, sym := typeOf(scope, names)
	if names[0] == "it" && sym == nil {
		t = elementAt(scope, c.text, c.word.Start)
		for _, name := range names[1:] {
			f, ok := fieldOf(t, name)
			if !ok {
				return
			}
			t = f.Type
		}
	}
	if t != nil {
		for _, f := range fieldsOf(t) {
			c.add(Item{Label: f.Name, Kind: protocol.ItemField, Detail: f.Type.String(), Doc: f.Description, Rank: rankOf(f.Type, want, 2)})
		}
		return
	}
	for _, m := range members {
		it := Item{Label: m.Name, Kind: protocol.ItemField, Doc: m.Doc, Rank: 3}
		if m.Type != nil {
			it.Detail, it.Rank = m.Type.String(), rankOf(m.Type, want, 2)
		}
		if sym != nil && sym.Kind == "enum" {
			it.Kind = protocol.ItemEnumMember
		}
		c.add(it)
	}
}

func enumOf(t types.Type) *types.Enum {
	if inner, ok := types.Unwrap(t); ok {
		t = inner
	}
	e, _ := t.(*types.Enum)
	return e
}

// literalsOf returns the fixed values that a type has.
func literalsOf(t types.Type) []string {
	var out []string
	if inner, ok := types.Unwrap(t); ok {
		t = inner
	}
	switch t := t.(type) {
	case *types.Literal:
		out = append(out, types.FormatLiteral(t.Value))
	case *types.Union:
		for _, m := range t.Members {
			out = append(out, literalsOf(m)...)
		}
	}
	return out
}
