package builtin

import (
	"bytes"
	"encoding/json"
	"strings"
)

// schemaDepth is how deep a schema may nest before a place counts as "anything":
// recursive types would never end.
const schemaDepth = 12

// A schemaNode is a JSON Schema as far as it is read, with its properties in order.
type schemaNode struct {
	Ref                  string          `json:"$ref"`
	Type                 json.RawMessage `json:"type"`
	Enum                 []any           `json:"enum"`
	Const                any             `json:"const"`
	AnyOf                []*schemaNode   `json:"anyOf"`
	OneOf                []*schemaNode   `json:"oneOf"`
	AllOf                []*schemaNode   `json:"allOf"`
	Properties           ordered         `json:"properties"`
	Required             []string        `json:"required"`
	Items                json.RawMessage `json:"items"`
	PrefixItems          []*schemaNode   `json:"prefixItems"`
	AdditionalProperties json.RawMessage `json:"additionalProperties"`
	Minimum              *float64        `json:"minimum"`
	Maximum              *float64        `json:"maximum"`
	ExclusiveMinimum     *float64        `json:"exclusiveMinimum"`
	ExclusiveMaximum     *float64        `json:"exclusiveMaximum"`
	MultipleOf           *float64        `json:"multipleOf"`
	MinLength            *int            `json:"minLength"`
	MaxLength            *int            `json:"maxLength"`
	MinItems             *int            `json:"minItems"`
	MaxItems             *int            `json:"maxItems"`
	MinProperties        *int            `json:"minProperties"`
	MaxProperties        *int            `json:"maxProperties"`
	Pattern              string          `json:"pattern"`
	Format               string          `json:"format"`
	Description          string          `json:"description"`
	Defs                 ordered         `json:"$defs"`
	Definitions          ordered         `json:"definitions"`
}

// ordered is a JSON object of schemas that keeps its order.
type ordered struct {
	names []string
	nodes map[string]*schemaNode
}

// UnmarshalJSON reads the object; members that are no schema are left out.
func (o *ordered) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return err
	}
	o.nodes = map[string]*schemaNode{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		name, _ := t.(string)
		if n := decodeNode(raw); n != nil {
			if _, seen := o.nodes[name]; !seen {
				o.names = append(o.names, name)
			}
			o.nodes[name] = n
		}
	}
	return nil
}

func decodeNode(raw []byte) *schemaNode {
	n := &schemaNode{}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(n) != nil {
		return nil
	}
	return n
}

// readSchema reads a JSON Schema; nil when the text is not one.
func readSchema(text string) *shape {
	root := decodeNode([]byte(strings.TrimSpace(text)))
	if root == nil {
		return nil
	}
	r := schemaReader{root: root, done: map[string]*shape{}, open: map[string]bool{}}
	return r.shape(root, 0)
}

// A schemaReader reads each definition once: one that refers to itself is "anything"
// inside itself.
type schemaReader struct {
	root *schemaNode
	done map[string]*shape
	open map[string]bool
}

func (r schemaReader) shape(n *schemaNode, depth int) *shape {
	if n == nil || depth > schemaDepth {
		return &shape{kind: anyKind}
	}
	s := r.bare(n, depth)
	if n.Description != "" {
		s.about = strings.TrimSpace(s.about + "\n" + n.Description)
		if s.kind == choiceKind {
			s.explain(n.Description)
		}
	}
	return s
}

func (r schemaReader) bare(n *schemaNode, depth int) *shape {
	if n.Ref != "" {
		name := n.Ref[strings.LastIndexByte(n.Ref, '/')+1:]
		if s := r.done[name]; s != nil {
			return copyOf(s)
		}
		for _, defs := range []ordered{r.root.Defs, r.root.Definitions} {
			if d := defs.nodes[name]; d != nil && !r.open[name] {
				r.open[name] = true
				s := r.shape(d, depth+1)
				r.open[name] = false
				r.done[name] = s
				return copyOf(s)
			}
		}
		return &shape{kind: anyKind}
	}
	if n.Const != nil {
		return choicesOf([]any{n.Const})
	}
	if len(n.Enum) > 0 {
		return choicesOf(n.Enum)
	}
	if alternatives := append(append([]*schemaNode{}, n.AnyOf...), n.OneOf...); len(alternatives) > 0 {
		var members []*shape
		for _, a := range alternatives {
			members = append(members, r.shape(a, depth+1))
		}
		return unionOf(members)
	}
	if len(n.AllOf) > 0 {
		return r.shape(n.AllOf[0], depth+1)
	}
	return r.typed(n, depth)
}

func copyOf(s *shape) *shape { c := *s; return &c }

// choicesOf makes a choice of JSON constants; null makes it optional.
func choicesOf(values []any) *shape {
	s := &shape{kind: choiceKind}
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			s.optional = true
		case string:
			s.choices = append(s.choices, choice{value: v, text: v})
		default:
			text, _ := json.Marshal(v)
			s.choices = append(s.choices, choice{value: v, text: string(text)})
		}
	}
	if len(s.choices) == 0 {
		return &shape{kind: nullKind, optional: true}
	}
	return s
}

func (r schemaReader) typed(n *schemaNode, depth int) *shape {
	var names []string
	if one := ""; json.Unmarshal(n.Type, &one) == nil && one != "" {
		names = []string{one}
	} else {
		_ = json.Unmarshal(n.Type, &names) // a type that is neither stays unknown
	}
	var members []*shape
	for _, name := range names {
		members = append(members, r.named(n, name, depth))
	}
	if len(members) > 0 {
		return unionOf(members)
	}
	if len(n.Properties.names) > 0 {
		return r.named(n, "object", depth)
	}
	return &shape{kind: anyKind}
}

func (r schemaReader) named(n *schemaNode, name string, depth int) *shape {
	s := &shape{kind: anyKind, format: n.Format, pattern: n.Pattern, limits: limits{
		min: n.Minimum, max: n.Maximum, multiple: n.MultipleOf,
		minLength: n.MinLength, maxLength: n.MaxLength, minItems: n.MinItems, maxItems: n.MaxItems,
	}}
	if n.ExclusiveMinimum != nil {
		s.limits.min, s.limits.minOpen = n.ExclusiveMinimum, true
	}
	if n.ExclusiveMaximum != nil {
		s.limits.max, s.limits.maxOpen = n.ExclusiveMaximum, true
	}
	switch name {
	case "string":
		s.kind = stringKind
	case "integer":
		s.kind = intKind
	case "number":
		s.kind = floatKind
	case "boolean":
		s.kind = boolKind
	case "null":
		s.kind = nullKind
	case "array":
		s.kind = listKind
		if len(n.PrefixItems) > 0 {
			s.kind = tupleKind
			for _, p := range n.PrefixItems {
				s.elems = append(s.elems, r.shape(p, depth+1))
			}
		} else if item := decodeNode(n.Items); item != nil {
			s.elems = []*shape{r.shape(item, depth+1)}
		}
	case "object":
		s.kind = mapKind
		if len(n.Properties.names) > 0 {
			s.kind = recordKind
			required := map[string]bool{}
			for _, name := range n.Required {
				required[name] = true
			}
			for _, name := range n.Properties.names {
				s.properties = append(s.properties, property{name, r.shape(n.Properties.nodes[name], depth+1), required[name]})
			}
		} else {
			s.limits.minItems, s.limits.maxItems = n.MinProperties, n.MaxProperties
			if elem := decodeNode(n.AdditionalProperties); elem != nil {
				s.elems = []*shape{r.shape(elem, depth+1)}
			}
		}
	}
	return s
}
