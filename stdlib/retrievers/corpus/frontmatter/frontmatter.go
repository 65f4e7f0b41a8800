// Package frontmatter reads what stands at the start of a Markdown file about it,
// between two lines `---`, in YAML.
//
//	Read    the facts, and how many lines they take
//	Column  the name of a fact as a condition reads it
//	Error   what is wrong, and in which line
//
// Values keep the types that they have in YAML 1.2's core schema: texts, numbers,
// truth values, lists and objects. A date is a text as it is written, `2026-01-20`, so
// that dates of this form compare as they follow each other. Anchors are refused: a
// few lines of them can stand for gigabytes.
package frontmatter

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dspi-lang/dspi/lang/value"
)

// Error is what is wrong with the facts.
type Error struct {
	Line int // of the file, from 1
	Text string
}

// Error returns the text, without the line.
func (e *Error) Error() string { return e.Text }

// Most bytes of a file that are read for its facts.
const Most = 64 << 10

// Read returns the facts at the start of a text, nil where there are none, and how many
// lines they take with those around them. A text between two lines `---` that is not
// in the form `NAME: VALUE` is a part of the text. The error is an *Error.
func Read(lines []string) (facts *value.Object, n int, err error) {
	if len(lines) == 0 || strings.TrimRight(lines[0], " \r") != "---" {
		return nil, 0, nil
	}
	end, size := 0, 0
	for i, l := range lines[1:] {
		if plain := strings.TrimRight(l, " \r"); plain == "---" || plain == "..." {
			end = i + 1
			break
		}
		if size += len(l) + 1; size > Most {
			return nil, 0, nil
		}
	}
	if end == 0 {
		return nil, 0, nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(strings.Join(lines[1:end], "\n")), &doc); err != nil {
		return nil, 0, broken(err)
	}
	if len(doc.Content) == 0 {
		return nil, end + 1, nil // comments alone
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, 0, nil
	}
	v, err := valueOf(top)
	if err != nil {
		return nil, 0, err
	}
	out := &value.Object{}
	for name, x := range v.(*value.Object).All() {
		if name, ok := Column(name); ok {
			out.Set(name, x)
		}
	}
	return out, end + 1, nil
}

var (
	named    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	lineText = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)
)

// Column returns the name that a condition reads a fact by: with `_` for each hyphen.
// A name that is none then, with a blank say, is left out.
func Column(name string) (string, bool) {
	name = strings.ReplaceAll(name, "-", "_")
	return name, named.MatchString(name)
}

// broken takes the line out of an error of the library, whose first line is our second.
func broken(err error) *Error {
	text := err.Error()
	e := &Error{Line: 2, Text: strings.TrimPrefix(text, "yaml: ")}
	if m := lineText.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		e.Line, e.Text = n+1, text[len(m[0]):]
	}
	return e
}

// valueOf returns the value of a node. Its depth is that of the parser, which limits it.
func valueOf(n *yaml.Node) (any, error) {
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		return nil, &Error{n.Line + 1, "anchors and aliases are not read"}
	}
	switch n.Kind {
	case yaml.MappingNode:
		o := &value.Object{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode {
				return nil, &Error{key.Line + 1, "a name is no list and no object"}
			}
			if _, twice := o.Get(key.Value); twice {
				return nil, &Error{key.Line + 1, fmt.Sprintf("`%s` stands there twice", key.Value)}
			}
			v, err := valueOf(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			o.Set(key.Value, v)
		}
		return o, nil
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := valueOf(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		var b bool
		if n.Decode(&b) == nil {
			return b, nil
		}
	case "!!int":
		var i int
		if n.Decode(&i) == nil {
			return i, nil
		}
	case "!!float":
		var f float64
		if n.Decode(&f) == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f, nil
		}
	}
	return n.Value, nil
}
