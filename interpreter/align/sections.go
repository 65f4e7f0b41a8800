package align

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/program"
)

// Section is the text of one field of a reply.
type Section struct {
	Name string
	Text string // without space around it, lines ended by \n
	// Start and End are the bytes of Reply where the text stands.
	Start, End int
}

// header is `[[ ## name ## ]]` somewhere in a reply.
type header struct {
	name     string
	from, to int  // its bytes
	exact    bool // as it was asked for: alone at the start of a line
}

// maxHeader is the length of the longest header.
const maxHeader = 160

// headers finds all headers of a reply, those that are written loosely, too:
// `[[## Name ##]]`, in bold, in mid-line.
func headersOf(reply string, steps *int) []header {
	var out []header
	*steps += len(reply)
	lineStart := true // nothing but space since the line began
	for i := 0; i < len(reply); {
		c := reply[i]
		if c == '[' && strings.HasPrefix(reply[i:], "[[") {
			if name, size, exact := headerAt(reply[i:]); size > 0 {
				h := header{name: name, from: i, to: i + size, exact: exact && lineStart}
				if !h.exact {
					h.widen(reply)
				}
				out = append(out, h)
				i = h.to
				lineStart = false
				continue
			}
		}
		switch {
		case c == '\n' || c == '\r':
			lineStart = true
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(reply[i:])
			lineStart = lineStart && unicode.IsSpace(r)
			i += size
			continue
		case c != ' ' && c != '\t' && c != '\v' && c != '\f':
			lineStart = false
		}
		i++
	}
	return out
}

// headerAt reads a header at the start of s.
func headerAt(s string) (name string, size int, exact bool) {
	limit := s[:min(len(s), maxHeader)]
	end := strings.Index(limit, "]]")
	if end < 0 {
		return "", 0, false
	}
	inner := limit[2:end]
	name = strings.TrimSpace(strings.Trim(inner, " #*\t"))
	if name == "" || strings.ContainsAny(name, "[]\n\r\"{},:") || !strings.Contains(inner, "#") {
		return "", 0, false
	}
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_- .`", r) {
			return "", 0, false
		}
	}
	return name, end + 2, inner == " ## "+name+" ## " && !strings.ContainsAny(name, " -.`")
}

// widen makes the marks of bold text, and of a heading, part of a header.
func (h *header) widen(reply string) {
	for h.from > 0 && strings.IndexByte("*#`_", reply[h.from-1]) >= 0 {
		h.from--
	}
	for _, mark := range []string{"- ", "* ", "• "} {
		if before, ok := strings.CutSuffix(reply[:h.from], mark); ok && startsLine(reply, len(before)) {
			h.from = len(before)
		}
	}
	for h.to < len(reply) && strings.IndexByte("*`_:", reply[h.to]) >= 0 {
		h.to++
	}
}

// cut is a reply that was cut at its headers.
type cut struct {
	sections []Section
	loose    map[string]bool // fields whose header is not exact
	before   bool            // words stand before the first header
}

// cutAt cuts a reply into the sections of a signature. Every exact header counts;
// of those that are written loosely, the first of each output that has no exact
// one. (So a header that is mentioned in an answer stays in it.)
func cutAt(sig *program.Signature, reply string, found []header) cut {
	c := cut{loose: map[string]bool{}}
	given := map[string]bool{}
	for _, h := range found {
		if h.exact {
			given[h.name] = true
		}
	}
	plain := map[string]string{"completed": "completed"}
	for i := range sig.Outputs {
		plain[plainForm(sig.Outputs[i].Name)] = sig.Outputs[i].Name
	}
	for _, h := range found {
		if !h.exact {
			name, known := plain[plainForm(h.name)]
			if !known || given[name] || name == "completed" && !startsLine(reply, h.from) && strings.TrimSpace(reply[h.to:]) != "" {
				continue
			}
			given[name] = true
			c.loose[name] = true
			h.name = name
		}
		if len(c.sections) == 0 {
			c.before = strings.TrimSpace(reply[:h.from]) != ""
		} else {
			closeSection(reply, &c.sections[len(c.sections)-1], h.from)
		}
		c.sections = append(c.sections, Section{Name: h.name, Start: h.to})
	}
	if n := len(c.sections); n > 0 {
		closeSection(reply, &c.sections[n-1], len(reply))
	}
	return c
}

func startsLine(reply string, at int) bool {
	before := strings.TrimRight(reply[:at], " \t")
	return before == "" || strings.HasSuffix(before, "\n")
}

// closeSection ends a section at a byte of the reply.
func closeSection(reply string, s *Section, end int) {
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
