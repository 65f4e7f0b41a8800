package mcp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/dspi-lang/dspi/lang/value"
)

// Declare returns tools of a server as `tool` blocks: their signatures are made of
// the schemas that the server gives. Body is what stands in each block's `mcp`:
// `command = […]` or `url = "…"`. What a schema says that no type of ours can is
// json, and a comment says so.
func Declare(tools []*sdk.Tool, body string) (string, error) {
	var b strings.Builder
	for i, t := range tools {
		if i > 0 {
			b.WriteString("\n")
		}
		if err := declare(&b, t, body); err != nil {
			return "", fmt.Errorf("the tool %s: %w", t.Name, err)
		}
	}
	return b.String(), nil
}

// Name is what Declare calls a tool.
func Name(t *sdk.Tool) string { return identifier(t.Name) }

func declare(b *strings.Builder, t *sdk.Tool, body string) error {
	in, err := schemaOf(t.InputSchema)
	if err != nil {
		return err
	}
	name := identifier(t.Name)
	fmt.Fprintf(b, "tool %s {\n", name)
	if t.Description != "" {
		fmt.Fprintf(b, "  description = %s\n", quoted(t.Description))
	}
	d := &declarer{root: in}
	inputs := d.fields(in)
	outputs := []string{"result: string"}
	if t.OutputSchema != nil {
		out, err := schemaOf(t.OutputSchema)
		if err != nil {
			return err
		}
		if o := (&declarer{root: out}).fields(out); len(o) > 0 {
			outputs = o
		}
	}
	for _, f := range inputs {
		fmt.Fprintf(b, "  %s\n", f)
	}
	b.WriteString("  ->\n")
	for _, f := range outputs {
		fmt.Fprintf(b, "  %s\n", f)
	}
	fmt.Fprintf(b, "  mcp {\n    %s\n", body)
	if name != t.Name {
		fmt.Fprintf(b, "    tool = %s\n", quoted(t.Name))
	}
	b.WriteString("  }\n}\n")
	return nil
}

// schemaOf returns a schema whose members have the order in which they were sent,
// as far as the SDK keeps it.
func schemaOf(v any) (*value.Object, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	x, err := value.DecodeJSON(data)
	if err != nil {
		return nil, err
	}
	o, ok := x.(*value.Object)
	if !ok {
		return nil, fmt.Errorf("its schema is no object: %s", data)
	}
	return o, nil
}

type declarer struct {
	root  *value.Object
	depth int
}

// fields returns the fields of an object's schema: those that are needed first.
func (d *declarer) fields(s *value.Object) []string {
	props, _ := get[*value.Object](s, "properties")
	if props == nil {
		return nil
	}
	required := texts(s, "required")
	var needed, optional []string
	for name, v := range props.All() {
		p, _ := v.(*value.Object)
		if p == nil {
			p = &value.Object{}
		}
		field := identifier(name) + ": " + d.typeOf(p)
		must := slices.Contains(required, name)
		if !must && !strings.HasSuffix(field, "?") {
			field += "?"
		}
		if text, ok := get[string](p, "description"); ok && text != "" {
			field += "  " + quoted(text)
		}
		if must {
			needed = append(needed, field)
		} else {
			optional = append(optional, field)
		}
	}
	return append(needed, optional...)
}

// typeOf writes the type of a schema.
func (d *declarer) typeOf(s *value.Object) string {
	if ref, ok := get[string](s, "$ref"); ok {
		if s = d.resolve(ref); s == nil {
			return "json"
		}
	}
	if d.depth++; d.depth > 12 { // a schema that holds itself
		d.depth--
		return "json"
	}
	defer func() { d.depth-- }()
	if list, ok := get[[]any](s, "enum"); ok && len(list) > 0 {
		return literals(list)
	}
	if v, ok := s.Get("const"); ok {
		return literals([]any{v})
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if list, ok := get[[]any](s, word); ok {
			return d.union(list)
		}
	}
	switch t, _ := s.Get("type"); t := t.(type) {
	case string:
		return d.plain(t, s)
	case []any:
		var parts []any
		for _, x := range t {
			one := s.Clone()
			one.Set("type", x)
			parts = append(parts, one)
		}
		return d.union(parts)
	}
	return "json"
}

func (d *declarer) plain(kind string, s *value.Object) string {
	switch kind {
	case "string":
		switch format, _ := get[string](s, "format"); format {
		case "date":
			return "date"
		case "date-time":
			return "datetime"
		}
		return "string" + bounds(s, "min_length", "minLength", "max_length", "maxLength")
	case "integer":
		return "int" + bounds(s, "min", "minimum", "max", "maximum")
	case "number":
		return "float" + bounds(s, "min", "minimum", "max", "maximum")
	case "boolean":
		return "bool"
	case "null":
		return "null"
	case "array":
		elem := "json"
		if items, ok := get[*value.Object](s, "items"); ok {
			elem = d.typeOf(items)
		}
		return "list[" + elem + "]" + bounds(s, "min_items", "minItems", "max_items", "maxItems")
	case "object":
		if fields := d.fields(s); len(fields) > 0 {
			return "{ " + strings.Join(fields, ", ") + " }"
		}
		if of, ok := get[*value.Object](s, "additionalProperties"); ok {
			return "map[string, " + d.typeOf(of) + "]"
		}
	}
	return "json"
}

func (d *declarer) union(list []any) string {
	var parts []string
	null := false
	for _, x := range list {
		s, _ := x.(*value.Object)
		if s == nil {
			return "json"
		}
		switch t := d.typeOf(s); {
		case t == "null":
			null = true
		case t == "json":
			return "json"
		case !slices.Contains(parts, t):
			parts = append(parts, t)
		}
	}
	switch {
	case len(parts) == 0:
		return "null"
	case len(parts) == 1 && null && !strings.Contains(parts[0], "|"):
		return parts[0] + "?"
	case null:
		parts = append(parts, "null")
	}
	return strings.Join(parts, " | ")
}

// resolve finds what `#/…` names in the schema.
func (d *declarer) resolve(ref string) *value.Object {
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil
	}
	at := d.root
	for name := range strings.SplitSeq(path, "/") {
		if at, ok = get[*value.Object](at, name); !ok {
			return nil
		}
	}
	return at
}

// bounds writes the constraints that a schema has.
func bounds(s *value.Object, names ...string) string {
	var args []string
	for i := 0; i < len(names); i += 2 {
		if v, ok := s.Get(names[i+1]); ok && v != nil {
			args = append(args, names[i]+" = "+string(value.EncodeJSON(v)))
		}
	}
	if len(args) == 0 {
		return ""
	}
	return "(" + strings.Join(args, ", ") + ")"
}

// literals writes values that may be literal types.
func literals(list []any) string {
	var parts []string
	for _, v := range list {
		switch v := v.(type) {
		case string:
			parts = append(parts, quoted(v))
		case int, bool, nil:
			parts = append(parts, string(value.EncodeJSON(v)))
		default:
			return "json"
		}
	}
	return strings.Join(parts, " | ")
}

func get[T any](o *value.Object, name string) (T, bool) {
	v, _ := o.Get(name)
	x, ok := v.(T)
	return x, ok
}

func texts(o *value.Object, name string) []string {
	list, _ := get[[]any](o, name)
	var out []string
	for _, x := range list {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// identifier makes a name one of ours.
func identifier(name string) string {
	var b strings.Builder
	for i, r := range name {
		switch {
		case r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && r >= '0' && r <= '9':
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

// quoted writes a text in one line, as a .dsp file has it.
func quoted(s string) string {
	return strings.ReplaceAll(strconv.Quote(strings.Join(strings.Fields(s), " ")), "${", "$${")
}
