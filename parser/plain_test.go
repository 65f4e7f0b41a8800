package parser

import (
	"reflect"
	"testing"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// The short way for plain fields must say what the grammar says.
func TestPlainFieldsAreTheGrammars(t *testing.T) {
	for _, text := range []string{"a: string", "a: Thing \"what it is\\n\"", "a: b,", "a: b -> c", "a: int \"${x}\"\n"} {
		p := newParser(source.NewFile("in.dsp", text))
		short := p.plainField()
		if short == nil {
			t.Errorf("%q is not read the short way", text)
			continue
		}
		g := newParser(source.NewFile("in.dsp", text))
		node, err := run(g, productions().field, true)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if long := syntax.Item(g.fieldOf(node)); !reflect.DeepEqual(short, long) || p.i != g.i {
			t.Errorf("%q is %#v the short way, %#v by the grammar", text, short, long)
		}
	}
	for _, text := range []string{"a: true", "a: b?", "a: b[c]", "a: b = 1", "a?: b", "a: 'b'", "a:"} {
		if p := newParser(source.NewFile("in.dsp", text)); p.plainField() != nil || p.i != 0 {
			t.Errorf("%q is read the short way", text)
		}
	}
}
