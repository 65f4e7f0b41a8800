package align

import (
	"regexp"
	"strings"
	"unicode"
)

// Section is the text under one header of a reply.
type Section struct {
	Name string
	Text string // without space around it, lines ended by \n
	// Start and End are the bytes of Reply where the text stands.
	Start, End int
}

var headerPattern = regexp.MustCompile(`^\[\[ ## ([\pL\pN_]+) ## \]\]`)

// sections cuts a reply at its headers. A header is a line that begins with
// `[[ ## name ## ]]`, space before it not counted; what follows on the line is
// text. Text before the first header is in no section.
func sections(reply string) []Section {
	var out []Section
	start := 0 // of the line
	for start <= len(reply) {
		end := len(reply)
		next := end + 1
		if i := strings.IndexAny(reply[start:], "\r\n"); i >= 0 {
			end = start + i
			next = end + 1
			if reply[end] == '\r' && next < len(reply) && reply[next] == '\n' {
				next++
			}
		}
		line := reply[start:end]
		trimmed := strings.TrimLeftFunc(line, unicode.IsSpace)
		if strings.HasPrefix(trimmed, "[[") {
			if m := headerPattern.FindStringSubmatch(trimmed); m != nil {
				closeLast(reply, out, start)
				from := end - len(trimmed) + len(m[0])
				out = append(out, Section{Name: m[1], Start: from})
			}
		}
		start = next
	}
	closeLast(reply, out, len(reply))
	return out
}

// closeLast ends the last section at a byte of the reply.
func closeLast(reply string, out []Section, end int) {
	if len(out) == 0 {
		return
	}
	s := &out[len(out)-1]
	text := reply[s.Start:end]
	left := strings.TrimLeftFunc(text, unicode.IsSpace)
	s.Start += len(text) - len(left)
	text = strings.TrimRightFunc(left, unicode.IsSpace)
	s.End = s.Start + len(text)
	s.Text = newlines.Replace(text)
}

var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func find(sections []Section, name string) (Section, bool) {
	for _, s := range sections {
		if s.Name == name {
			return s, true
		}
	}
	return Section{}, false
}
