package align

import (
	"strings"
	"unicode"
)

// thoughts are the tags between which models think before they answer.
var thoughts = []struct{ open, end string }{
	{"<think>", "</think>"}, {"<thinking>", "</thinking>"}, {"<thought>", "</thought>"}, {"<thoughts>", "</thoughts>"},
	{"<reasoning>", "</reasoning>"}, {"<reflection>", "</reflection>"}, {"<scratchpad>", "</scratchpad>"},
	{"[think]", "[/think]"}, {"◁think▷", "◁/think▷"},
	{"<|channel|>analysis<|message|>", "<|message|>"},
}

// unthink cuts what a model thought from the start of a reply. Thoughts that do not
// end are all that there is: the rest is empty.
func unthink(text string) (rest string, cut bool) {
	if strings.IndexByte(text, '<') < 0 && strings.IndexByte(text, '[') < 0 && !strings.Contains(text, "◁") {
		return text, false
	}
	rest = text
	for {
		start := strings.TrimLeftFunc(rest, unicode.IsSpace)
		found := false
		for _, tag := range thoughts {
			if len(start) < len(tag.open) || !strings.EqualFold(start[:len(tag.open)], tag.open) {
				continue
			}
			after, ok := cutFold(start[len(tag.open):], tag.end)
			if !ok {
				after = ""
			}
			rest, found, cut = strings.TrimSpace(after), true, true
			break
		}
		if !found {
			break
		}
	}
	if !cut && strings.Contains(text, "</think>") { // templates write the first tag themselves
		if i := strings.LastIndex(text, "</think>"); i >= 0 && !strings.Contains(text[:i], "<think>") {
			return strings.TrimSpace(text[i+len("</think>"):]), true
		}
	}
	return rest, cut
}

// cutFold returns what stands behind the first end in s, in whatever capitals.
func cutFold(s, end string) (string, bool) {
	for i := 0; ; {
		n := strings.IndexByte(s[i:], end[0])
		if n < 0 {
			return "", false
		}
		i += n
		if len(s)-i >= len(end) && strings.EqualFold(s[i:i+len(end)], end) {
			return s[i+len(end):], true
		}
		i++
	}
}
