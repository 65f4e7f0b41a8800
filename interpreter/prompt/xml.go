package prompt

import (
	"slices"
	"strings"
	"unicode"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// XML returns the adapter that writes as DSPy's XMLAdapter: each field between
// tags of its name; outputs that are lists, maps or records as nested tags.
func XML() Adapter { return xmlAdapter{} }

type xmlAdapter struct{}

func (xmlAdapter) Name() string { return "xml" }

func (xmlAdapter) Form() string { return "xml" }

// Format returns nil: no provider can be held to tags.
func (xmlAdapter) Format(*program.Signature, lm.Features) *lm.Format { return nil }

func (a xmlAdapter) Reply(sig *program.Signature, outputs *value.Object) string {
	return a.assistant(sig, outputs, notSupplied)
}

func (x xmlAdapter) Messages(sig *program.Signature, demos []Demo, inputs *value.Object) []lm.Message {
	return converse(x, sig, demos, inputs)
}

func tagged(name, text string) string { return "<" + name + ">\n" + text + "\n</" + name + ">" }

func (xmlAdapter) system(sig *program.Signature, n *typeNames) string {
	inputs := make([]string, len(sig.Inputs))
	for i := range sig.Inputs {
		inputs[i] = tagged(sig.Inputs[i].Name, "{"+sig.Inputs[i].Name+"}")
	}
	outputs := make([]string, len(sig.Outputs))
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		if nested(f.Type) {
			outputs[i] = outline(f.Name, f.Type, nil)
		} else {
			outputs[i] = tagged(f.Name, "{"+f.Name+"}"+n.note(f))
		}
	}
	return fieldLists(sig, n) + "\n" + structureSentence + "\n\n" + strings.Join(inputs, "\n\n") + "\n\n" +
		strings.Join(outputs, "\n\n") + "\n" + objective(sig)
}

func (xmlAdapter) user(s *scribe, sig *program.Signature, inputs *value.Object, prefix, request string) string {
	var fields []string
	for i := range sig.Inputs {
		f := &sig.Inputs[i]
		if v, ok := inputs.Get(f.Name); ok {
			fields = append(fields, tagged(f.Name, s.format(sig, f.Type, v)))
		}
	}
	parts := []string{prefix, pyStrip(strings.Join(fields, "\n\n"))}
	if request != "" {
		parts = append(parts, request)
	}
	return pyStrip(strings.Join(append(parts, ""), "\n\n"))
}

func (xmlAdapter) assistant(sig *program.Signature, outputs *value.Object, missing any) string {
	parts := make([]string, len(sig.Outputs))
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		v := missing
		if given, ok := outputs.Get(f.Name); ok {
			v = shown(f.Type, given)
		}
		if nested(f.Type) && isStructure(v) {
			parts[i] = element(f.Name, nil, v)
			continue
		}
		text := formatValue(f.Type, v)
		if isPlainText(f.Type) {
			text = escaped(text)
		}
		parts[i] = tagged(f.Name, text)
	}
	return pyStrip(strings.Join(parts, "\n\n"))
}

func (xmlAdapter) request(sig *program.Signature, _ *typeNames) string {
	var tags, schemas []string
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		tags = append(tags, "`<"+f.Name+">`")
		if nested(f.Type) {
			schemas = append(schemas, outline(f.Name, f.Type, nil))
		}
	}
	text := "Respond with the corresponding output fields wrapped in XML tags " + strings.Join(tags, ", then ") + "."
	if schemas != nil {
		text += " Use this nested XML structure: " + strings.Join(schemas, " ")
	}
	return text
}

// nested reports whether an output is written as tags in tags: a list, a map or a
// record, or one of these that may be null.
func nested(t types.Type) bool {
	if o, ok := t.(*types.Optional); ok {
		t = o.Elem
	}
	switch t.(type) {
	case *types.List, *types.Map, *types.Record:
		return true
	}
	return false
}

func isStructure(v any) bool {
	switch v.(type) {
	case []any, *value.Object:
		return true
	}
	return false
}

// outline shows the tags of a type: `<tags><item>...</item></tags>`. A record
// inside itself is not opened again, and of several types the first is shown.
func outline(tag string, t types.Type, open []*types.Record) string {
	inner := "..."
	switch t := t.(type) {
	case *types.Optional:
		return outline(tag, t.Elem, open)
	case *types.Union:
		for _, m := range t.Members {
			if !types.Equal(m, types.Null) {
				return outline(tag, m, open)
			}
		}
	case *types.List:
		inner = outline("item", t.Elem, open)
	case *types.Tuple:
		inner = "<item>...</item>"
	case *types.Record:
		if slices.Contains(open, t) || len(t.Fields) == 0 {
			break
		}
		open = append(open[:len(open):len(open)], t)
		inner = ""
		for i := range t.Fields {
			inner += outline(t.Fields[i].Name, t.Fields[i].Type, open)
		}
	}
	return "<" + tag + ">" + inner + "</" + tag + ">"
}

// element writes a value as tags. A name that can be no tag stands in `key`.
func element(tag string, key *string, v any) string {
	start := "<" + tag
	if key != nil {
		start += " key=" + quotedAttribute(*key)
	}
	var inner strings.Builder
	switch v := v.(type) {
	case nil:
		return start + " />"
	case []any:
		if len(v) == 0 {
			return start + " />"
		}
		for _, x := range v {
			inner.WriteString(element("item", nil, x))
		}
	case *value.Object:
		for name, x := range v.All() {
			if isTag(name) {
				inner.WriteString(element(name, nil, x))
			} else {
				inner.WriteString(element("entry", &name, x))
			}
		}
	default:
		inner.WriteString(escaped(pyStr(v)))
	}
	return start + ">" + inner.String() + "</" + tag + ">"
}

// isTag reports whether a name is one of Python's, or would be without the dashes
// and points after its first character.
func isTag(name string) bool {
	for i, r := range name {
		letter := r == '_' || unicode.IsLetter(r) || unicode.In(r, unicode.Nl, unicode.Other_ID_Start)
		within := i > 0 && (r == '-' || r == '.' ||
			unicode.In(r, unicode.Nd, unicode.Mn, unicode.Mc, unicode.Pc, unicode.Other_ID_Continue))
		if !letter && !within {
			return false
		}
	}
	return name != ""
}

func escaped(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "&", "&amp;"), "<", "&lt;")
}

// quotedAttribute is Python's quoteattr().
func quotedAttribute(s string) string {
	s = strings.NewReplacer("&", "&amp;", ">", "&gt;", "<", "&lt;", "\n", "&#10;", "\r", "&#13;", "\t", "&#9;").Replace(s)
	switch {
	case !strings.Contains(s, `"`):
		return `"` + s + `"`
	case !strings.Contains(s, "'"):
		return "'" + s + "'"
	}
	return `"` + strings.ReplaceAll(s, `"`, "&quot;") + `"`
}
