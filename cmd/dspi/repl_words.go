package main

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// commandOf parts a line such as `:run qa question=x` into the command's name
// and the rest.
func commandOf(text string) (name, rest string, ok bool) {
	text, ok = strings.CutPrefix(strings.TrimSpace(text), ":")
	if !ok {
		return "", "", false
	}
	end := strings.IndexFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' })
	if end < 0 {
		end = len(text)
	}
	return text[:end], strings.TrimSpace(text[end:]), true
}

// quoted returns the length of the text in quotes at the beginning of s; 0 when
// there is none or it does not end.
func quoted(s string) int {
	if s == "" || !strings.ContainsRune("\"'`", rune(s[0])) {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] == '"':
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return 0
}

// outside calls see for each byte of text that is in no quotes and no comment,
// until it returns false.
func outside(text string, see func(i int) bool) {
	for i := 0; i < len(text); i++ {
		if n := quoted(text[i:]); n > 0 {
			i += n - 1
			continue
		}
		if text[i] == '#' || strings.HasPrefix(text[i:], "//") {
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				return
			}
			i += end
			continue
		}
		if !see(i) {
			return
		}
	}
}

// goesOn reports whether a text has brackets that are still open. Of commands
// only those that take values go on.
func goesOn(text string) bool {
	if name, _, ok := commandOf(text); ok && name != "run" && name != "render" {
		return false
	}
	depth := 0
	outside(text, func(i int) bool {
		switch text[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		}
		return depth >= 0
	})
	return depth > 0
}

// hasArrow reports whether a line is a signature: it has an arrow, be it one of
// those that the checker corrects.
func hasArrow(text string) bool {
	found := false
	outside(text, func(i int) bool {
		for _, arrow := range []string{"->", "=>", "→"} {
			found = found || strings.HasPrefix(text[i:], arrow)
		}
		return !found
	})
	return found
}

var declaration = regexp.MustCompile(`^(import\s+"|(program|signature|enum|model|tool|retriever|dataset|metric|evaluate|optimize|test|constraint)(\s+\w+)?\s*\{|(type|variable)\s+\w+\s*[={:])`)

// declares reports whether a line begins a declaration.
func declares(text string) bool { return declaration.MatchString(text) }

// splitWords parts what follows a command: words, and name=value, where a value
// may be a text in quotes, a JSON list or object, or what stands before the next
// space.
func splitWords(s string) ([]string, error) {
	var out []string
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" {
			return out, nil
		}
		name := ""
		if eq := strings.IndexAny(s, "= \t\r\n\"'`"); eq > 0 && s[eq] == '=' {
			name, s = s[:eq+1], s[eq+1:]
		}
		text, n, err := oneWord(s)
		if err != nil {
			return nil, err.say("It begins: %s%s", name, strings.ToValidUTF8(s[:min(len(s), 30)], ""))
		}
		out = append(out, name+text)
		s = s[n:]
	}
}

// oneWord returns the first word of s and its length as written.
func oneWord(s string) (string, int, *usage) {
	end := func(i int) bool { return i == len(s) || strings.ContainsRune(" \t\r\n", rune(s[i])) }
	switch {
	case s == "":
		return "", 0, nil
	case strings.ContainsRune("\"'`", rune(s[0])):
		n := quoted(s)
		if n == 0 {
			return "", 0, wrong("a text in quotes does not end").hint("close it with %c", s[0])
		}
		if !end(n) {
			return "", 0, wrong("a space is missing after a text in quotes")
		}
		if s[0] == '"' {
			text, err := strconv.Unquote(strings.ReplaceAll(s[:n], "\n", `\n`))
			if err != nil {
				return "", 0, wrong("a text in quotes has an unknown escape").hint(`the escapes are \" \\ \n \t \u1234; between ' and ' nothing is one`)
			}
			return text, n, nil
		}
		return s[1 : n-1], n, nil
	case s[0] == '[' || s[0] == '{':
		depth, n := 0, 0
		outside(s, func(i int) bool {
			switch s[i] {
			case '[', '{':
				depth++
			case ']', '}':
				depth--
			}
			n = i + 1
			return depth > 0
		})
		if depth > 0 {
			return "", 0, wrong("a bracket is not closed")
		}
		if end(n) {
			return s[:n], n, nil
		}
	}
	n := strings.IndexAny(s, " \t\r\n")
	if n < 0 {
		n = len(s)
	}
	return s[:n], n, nil
}

// askFor is what is shown when an input is asked for: its name, its type unless
// it is text, and what Enter alone gives.
func askFor(f types.Field) string {
	var about []string
	if f.Type != nil && f.Type.String() != "string" {
		about = append(about, f.Type.String())
	}
	switch {
	case f.HasDefault:
		about = append(about, "Enter for "+string(value.EncodeJSON(f.Default)))
	case types.Nullable(f.Type):
		about = append(about, "Enter for null")
	}
	if len(about) == 0 {
		return "  " + f.Name + ": "
	}
	return "  " + f.Name + " (" + strings.Join(about, "; ") + "): "
}

// mayLack reports whether an input needs no value.
func mayLack(f types.Field) bool { return f.HasDefault || types.Nullable(f.Type) }
