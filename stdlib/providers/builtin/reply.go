package builtin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// writeReply writes the outputs in the format that the prompt asks for.
func writeReply(t *task, values []any) string {
	var b strings.Builder
	switch t.format {
	case jsonObject:
		r := &record{}
		for i, f := range t.outputs {
			r.names, r.values = append(r.names, f.name), append(r.values, values[i])
		}
		return writeJSON(r)
	case xmlTags:
		for i, f := range t.outputs {
			if i > 0 {
				b.WriteString("\n\n")
			}
			fmt.Fprintf(&b, "<%s>\n%s\n</%s>", f.name, writeXML(values[i]), f.name)
		}
	case words:
		for i, f := range t.outputs {
			fmt.Fprintf(&b, "%s: %s\n\n", f.name, writeChat(values[i]))
		}
	default:
		for i, f := range t.outputs {
			fmt.Fprintf(&b, "[[ ## %s ## ]]\n%s\n\n", f.name, writeChat(values[i]))
		}
		b.WriteString("[[ ## completed ## ]]\n")
	}
	return b.String()
}

var headerStart = regexp.MustCompile(`(?m)^([ \t]*)\[\[ ##`)

// writeChat writes one value: text as it is, True and False, other values as JSON.
func writeChat(v any) string {
	switch v := v.(type) {
	case string:
		return headerStart.ReplaceAllString(v, "$1[ [ ##") // text must not look like a field's heading
	case bool:
		if v {
			return "True"
		}
		return "False"
	}
	return writeJSON(v)
}

func writeJSON(v any) string {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = writeJSON(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *record:
		parts := make([]string, len(v.names))
		for i, n := range v.names {
			parts[i] = writeJSON(n) + ": " + writeJSON(v.values[i])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return "null"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

var escapeXML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// writeXML writes a value as nested tags: <item> for the elements of a list.
func writeXML(v any) string {
	switch v := v.(type) {
	case string:
		return escapeXML.Replace(v)
	case []any:
		var b strings.Builder
		for _, e := range v {
			b.WriteString("<item>" + writeXML(e) + "</item>")
		}
		return b.String()
	case *record:
		var b strings.Builder
		for i, n := range v.names {
			fmt.Fprintf(&b, "<%s>%s</%s>", n, writeXML(v.values[i]), n)
		}
		return b.String()
	}
	return escapeXML.Replace(writeChat(v))
}
