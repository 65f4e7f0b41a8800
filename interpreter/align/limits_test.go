package align_test

import (
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// treeType holds itself in every way that a type can.
var treeType = func() *types.Record {
	t := &types.Record{Name: "Tree"}
	leaf := &types.Record{Name: "Leaf", Fields: []types.Field{{Name: "n", Type: types.Int}}}
	one := types.NewUnion(t, leaf, types.String, types.Int)
	t.Fields = []types.Field{
		{Name: "a", Type: types.NewOptional(one)},
		{Name: "b", Type: types.NewOptional(&types.List{Elem: one})},
		{Name: "c", Type: types.NewOptional(&types.Map{Elem: one})},
	}
	return t
}()

// boxType is a record of one field, itself.
var boxType = func() *types.Record {
	t := &types.Record{Name: "Box"}
	t.Fields = []types.Field{{Name: "a", Type: types.NewOptional(types.NewUnion(t, &types.List{Elem: t}))}}
	return t
}()

// hostile are texts that make a careless parser slow: each is repeated.
var hostile = map[string]string{
	"brackets": "[", "braces": "{", "quotes": `"`, "single quotes": "'", "backticks": "`", "curly": "“", "members": `{"a":`,
	"lists of texts": `["`, "bare names": "{a:", "headers": "[[ ## x", "whole headers": "[[ ## x ## ]]", "tags": "<a>", "closing tags": "</a>",
	"pairs of tags": "<a></a>", "alternating": `"'`, "brackets in prose": "see [ the ", "braces in prose": "if { x ", "a link": "[a](b) ",
	"commas": ",", "colons": "{:", "backslashes": `\`, "escaped quotes": `\"`, "comments": "[/*", "lines of comments": "[//\n", "fences": "```\n",
	"fences and brackets": "```[", "objects": `{"a":1} `, "empty lists": "[]", "numbers": "1 ", "commas and digits": "1,", "names": "a: b\n",
	"bullets": "- a\n", "entities": "&lt;", "comments of XML": "<!--", "data": "<![CDATA[", "triple quotes": `"""`, "spaces and quotes": "\"   ", "thoughts": "<think>",
	"inner quotes": `{"a": "b "c" d, "e": `, "missing commas": `{"a": "b" `, "closers": "]}", "negated": "not happy ", "texts in texts": `["[\"`,
	"bold": "**x:** ", "unclosed": `{"a": "b, `, "half a tag": "<a ", "parentheses": "(", "tuples": "(1,", "accents": "é", "words": "happy or angry ",
}

var hostileTypes = map[string]types.Type{
	"json": types.JSON, "list": &types.List{Elem: types.Int}, "texts": &types.List{Elem: types.String}, "tree": treeType, "box": boxType,
	"choice": literals("happy", "angry"), "int": types.Int, "bool": types.Bool, "map": &types.Map{Elem: types.NewOptional(types.Int)},
	"union": types.NewUnion(treeType, &types.List{Elem: types.Int}, types.String), "person": person,
}

// Four times the text takes four times the work, whatever the text is.
func TestWorkGrowsWithTheText(t *testing.T) {
	const size = 6 << 10
	for name, piece := range hostile {
		small := strings.Repeat(piece, size/len(piece))
		large := strings.Repeat(small, 4)
		for typeName, typ := range hostileTypes {
			for _, start := range []string{"", `{"a": `, "so: [\""} {
				a := align.WorkOfValue(typ, start+small, align.Repairing)
				b := align.WorkOfValue(typ, start+large, align.Repairing)
				if b > 5*a+4*size || b > 4*size*300 {
					t.Errorf("%s, %q as %s: %d steps for %d bytes, %d for %d", name, start, typeName, a, len(small), b, len(large))
				}
			}
		}
		sig := &program.Signature{Outputs: []types.Field{{Name: "x", Type: treeType}, {Name: "y", Type: types.String}}}
		for _, form := range []string{"chat", "json", "xml"} {
			a := align.WorkOfRead(sig, form, small, align.Repairing)
			b := align.WorkOfRead(sig, form, large, align.Repairing)
			if b > 5*a+4*size || b > 4*size*300 {
				t.Errorf("%s in the form %s: %d steps for %d bytes, %d for %d", name, form, a, len(small), b, len(large))
			}
		}
	}
}

func TestLimits(t *testing.T) {
	_, _, _, faults := align.Value(types.JSON, strings.Repeat(" ", align.MaxReply)+"1", align.Repairing)
	if len(faults) != 1 || faults[0].Type != "too_long" {
		t.Errorf("a long reply: %v", faults)
	}
	deep := strings.Repeat("[", 300) + strings.Repeat("]", 300)
	for _, typ := range []types.Type{types.JSON, &types.List{Elem: types.JSON}, treeType, types.NewOptional(&types.List{Elem: types.JSON})} {
		for _, mode := range []align.Mode{align.Repairing, align.Lenient} {
			_, _, _, faults = align.Value(typ, deep, mode)
			if len(faults) != 1 || faults[0].Type != "recursion_loop" {
				t.Errorf("%s, %s: deep lists: %v", typ, mode, faults)
			}
		}
	}
	_, repairs, score, faults := align.Value(&types.List{Elem: types.String}, "["+strings.Repeat("'a',", 30_000)+"'b']", align.Repairing)
	if faults != nil || len(repairs) != 20_001 || score != 30_001 || repairs[20_000].Type != "more_repairs" {
		t.Errorf("%d repairs, score %d, %v", len(repairs), score, faults)
	}
	_, _, _, faults = align.Value(&types.List{Elem: types.Int}, "["+strings.Repeat(`"a",`, 3_000)+"1]", align.Repairing)
	if len(faults) != 1001 || faults[1000].Type != "more_faults" {
		t.Errorf("%d faults", len(faults))
	}
}

// A record in a union in a record in a union does not try 2ⁿ ways.
func TestUnionsAreTriedOnce(t *testing.T) {
	text := strings.Repeat(`{"a":`, 150) + "'x'" + strings.Repeat("}", 150)
	v, repairs, _, faults := align.Value(treeType, text, align.Repairing)
	if faults != nil || len(repairs) == 0 {
		t.Fatalf("%v %v", repairs, faults)
	}
	if got := len(repairs[0].Loc); got != 150 {
		t.Errorf("the path of the repair has %d steps", got)
	}
	if _, wrong := value.Check(treeType, v, value.Strict); wrong != nil {
		t.Error(wrong)
	}
	if n := align.WorkOfValue(treeType, text, align.Repairing); n > 1_000_000 {
		t.Errorf("%d steps", n)
	}
}
