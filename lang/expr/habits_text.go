package expr

import (
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/dspi-lang/dspi/lang/source"
)

// jinjaHole is `{{ name }}`, as templates of Jinja, Mustache and others have it.
var jinjaHole = regexp.MustCompile(`\{\{-?[ \t]*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)[ \t]*-?\}\}`)

// doubleBraces warns of texts with `{{ name }}` where the name is that of a value: here
// they are plain text. Raw texts are left alone.
func (c *checker) doubleBraces() {
	if !strings.Contains(c.x.text, "{{") {
		return
	}
	v := &textPlaces{}
	root := c.x.root
	ast.Walk(&root, v)
	for _, at := range v.found {
		text := c.textAt(at)
		if strings.HasPrefix(text, "`") {
			continue
		}
		for _, m := range jinjaHole.FindAllStringSubmatchIndex(text, -1) {
			name := text[m[2]:m[3]]
			if m[0] > 0 && text[m[0]-1] == '$' || !c.isValue(name) {
				continue
			}
			hole := source.Span{Start: at.Start + int32(m[0]), End: at.Start + int32(m[1])}
			c.add("W0102", hole, "this is plain text; `${%s}` puts the value in", name).
				Fix("write `${"+name+"}`", c.at(hole), "${"+name+"}")
		}
	}
}

// isValue reports whether a path of names, `question` or `draft.answer`, is a value of
// the scope, as far as its first names tell.
func (c *checker) isValue(path string) bool {
	names := strings.Split(path, ".")
	sym, ok := c.scope.Lookup(names[0])
	if !ok {
		return false
	}
	if sym.Type != nil {
		return true
	}
	members := sym.Members
	for _, n := range names[1:] {
		m, ok := member(members, n)
		if !ok {
			return false
		}
		if m.Type != nil {
			return true
		}
		members = m.Members
	}
	return false
}

// textPlaces are the places of the texts of an expression.
type textPlaces struct{ found []source.Span }

// Visit notes a text.
func (t *textPlaces) Visit(n *ast.Node) {
	if s, ok := (*n).(*ast.StringNode); ok {
		t.found = append(t.found, locSpan(s.Location()))
	}
}
