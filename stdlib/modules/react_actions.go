package modules

import (
	"regexp"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Actions in text, for models that have no calls of tools of their own:
//
//	Action[weather](city = "Paris", days = 2)
//	Action[weather]({"city": "Paris", "days": 2})
//	Action: weather(city: "Paris")
//	Action: weather
//	Action Input: {"city": "Paris"}
//	Finish[Paris]
//	Finish(answer = "Paris", confidence = 0.9)
//
// Each begins a line. What a model invents as the observation of its own action is
// not read.

// textTurn is what a reply in text asks for.
type textTurn struct {
	said    string // the reply up to what was invented
	actions []action
	finish  *string // what stands in Finish: arguments as JSON, or the outputs' text
	fields  bool    // finish holds an object
	// loose says that nothing in it is surely an action: `Action: word` of no tool, or
	// `Finish: words`, may be a line of an answer.
	loose bool
}

var (
	actionStart = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile("(?m)^[ \t>*`-]*(?:Action\\s*\\[\\s*([^\\]\\n]*?)\\s*\\]|Action\\s*\\d*\\s*:\\s*`?([A-Za-z_][\\w.-]*)`?|(Finish))[ \t]*")
	})
	inventedStart = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)^[ \t*]*Observations?\b[^\n]*:`)
	})
	inputStart = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\s*\n?[ \t*]*Action Input\s*\d*\s*:[ \t]*`)
	})
)

// readActions reads the actions of a reply.
func readActions(text string, box *toolbox, finish string, sig *program.Signature) textTurn {
	t := textTurn{said: text, loose: true}
	if at := inventedStart().FindStringIndex(text); at != nil && actionStart().MatchString(text[:at[0]]) {
		text = text[:at[0]]
		t.said = strings.TrimRight(text, " \t\r\n")
	}
	for at := 0; at < len(text); {
		m := actionStart().FindStringSubmatchIndex(text[at:])
		if m == nil {
			break
		}
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[at+m[2*i] : at+m[2*i+1]]
		}
		rest := text[at+m[1]:]
		name := group(1) + group(2)
		_, known := box.find(name)
		if group(1) != "" || group(3) == "" && (known || strings.EqualFold(name, finish)) || group(3) != "" && (strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, "(")) {
			t.loose = false
		}
		if group(3) != "" || strings.EqualFold(name, finish) {
			used := t.readFinish(rest, group(3) != "", sig)
			at += m[1] + used
			continue
		}
		if name == "" {
			t.actions = append(t.actions, action{bad: "An action names its tool: Action[tool](name = value)."})
			at += m[1]
			continue
		}
		a, used := readCall(name, rest, box)
		t.actions = append(t.actions, a)
		at += m[1] + used
	}
	return t
}

// readFinish reads what stands behind Finish, and returns how long it is.
func (t *textTurn) readFinish(rest string, word bool, sig *program.Signature) int {
	keep := func(text string, fields bool) { t.finish, t.fields = &text, fields }
	switch {
	case strings.HasPrefix(rest, "["):
		inner, used, ok := bracketed(rest)
		if !ok {
			inner, used = rest[1:], len(rest)
		}
		inner = strings.TrimSpace(inner)
		if inner == "" && strings.HasPrefix(rest[used:], "(") {
			return used + t.readFinish(rest[used:], word, sig)
		}
		if args, bad := readFields(inner, sig.Outputs); bad == "" && args.Len() > 0 && knows(args, sig.Outputs) {
			keep(string(value.EncodeJSON(args)), true)
		} else {
			keep(inner, strings.HasPrefix(inner, "{"))
		}
		return used
	case strings.HasPrefix(rest, "("):
		inner, used, ok := bracketed(rest)
		if !ok {
			inner, used = rest[1:], len(rest)
		}
		args, bad := readFields(inner, sig.Outputs)
		if bad != "" {
			keep(strings.TrimSpace(inner), strings.HasPrefix(strings.TrimSpace(inner), "{"))
		} else {
			keep(string(value.EncodeJSON(args)), true)
		}
		return used
	case strings.HasPrefix(rest, ":"):
		keep(strings.TrimSpace(rest[1:]), strings.HasPrefix(strings.TrimSpace(rest[1:]), "{"))
		return len(rest)
	}
	if word {
		return 0 // a sentence that begins with the word
	}
	if m := inputStart().FindString(rest); m != "" {
		text := strings.TrimSpace(rest[len(m):])
		keep(text, strings.HasPrefix(text, "{"))
		return len(rest)
	}
	keep("{}", true)
	return 0
}

// knows reports whether every argument is the name of a field.
func knows(args *value.Object, fields []types.Field) bool {
	for name := range args.All() {
		known := false
		for i := range fields {
			known = known || fields[i].Name == name
		}
		if !known {
			return false
		}
	}
	return true
}

// readCall reads the arguments behind the name of a tool, and returns how long they
// are.
func readCall(name, rest string, box *toolbox) (action, int) {
	a := action{tool: name, args: &value.Object{}}
	var inputs []types.Field
	if t, ok := box.find(name); ok {
		inputs = t.Signature().Inputs
	}
	if m := inputStart().FindString(rest); m != "" {
		text, used := rest[len(m):], len(rest)
		if next := actionStart().FindStringIndex(text); next != nil {
			text, used = text[:next[0]], len(m)+next[0]
		}
		a.args, a.bad = readFields(strings.TrimSpace(text), inputs)
		return a, used
	}
	if rest == "" || rest[0] != '(' && rest[0] != '[' && rest[0] != '{' {
		return a, 0
	}
	if rest[0] == '{' {
		rest = "(" + rest + ")"
		inner, used, _ := bracketed(rest)
		a.args, a.bad = readFields(inner, inputs)
		return a, max(used-2, 0)
	}
	inner, used, ok := bracketed(rest)
	if !ok {
		a.bad = "The arguments of `" + name + "` have no end: a quote or a `)` is missing. Write Action[" + name + "](name = value)."
		return a, len(rest)
	}
	a.args, a.bad = readFields(inner, inputs)
	return a, used
}

// readFields reads `k = v, k2 = "v, w"`, a JSON object, or one value without a name
// for the first field.
func readFields(text string, fields []types.Field) (*value.Object, string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return &value.Object{}, ""
	}
	if strings.HasPrefix(text, "{") {
		return readArguments(text)
	}
	args := &value.Object{}
	parts := split(text)
	if _, _, named := pair(parts[0]); !named && oneText(fields) && !strings.ContainsAny(text[:1], "\"'") {
		args.Set(fields[0].Name, text) // a sentence with commas that nobody quoted
		return args, ""
	}
	for i, part := range parts {
		name, v, named := pair(part)
		if !named && i < len(fields) && args.Len() == i {
			name, named = fields[i].Name, true
		}
		if !named {
			return args, "This argument has no name: " + strings.TrimSpace(part) + ". Write name = value."
		}
		args.Set(name, literal(v, typeOf(fields, name)))
	}
	return args, ""
}

// oneText reports whether the first field is a text and no other must be given.
func oneText(fields []types.Field) bool {
	for i := range fields {
		if i > 0 && !fields[i].HasDefault {
			return false
		}
	}
	return len(fields) > 0 && isText(fields[0].Type)
}

func typeOf(fields []types.Field, name string) types.Type {
	for i := range fields {
		if fields[i].Name == name {
			return fields[i].Type
		}
	}
	return nil
}

// literal reads a value as it is written in an action. A word without quotes is a
// text.
func literal(text string, t types.Type) any {
	text = strings.TrimSpace(text)
	if s, ok := unquoted(text); ok {
		return s
	}
	if isText(t) {
		return text
	}
	switch text {
	case "True":
		return true
	case "False":
		return false
	case "None":
		return nil
	}
	if v, err := value.DecodeJSON([]byte(text)); err == nil {
		return v
	}
	if strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") {
		if v, _, _, faults := align.Value(types.JSON, text, align.Repairing); faults == nil {
			return v
		}
	}
	return text
}

func isText(t types.Type) bool {
	if t == nil {
		return false
	}
	t, _ = types.Unwrap(t)
	p, ok := t.(*types.Primitive)
	return ok && p.Row.Base == types.StringBase
}

// unquoted returns the text between quotes, with escapes read.
func unquoted(text string) (string, bool) {
	if len(text) < 2 || text[0] != '"' && text[0] != '\'' || text[len(text)-1] != text[0] {
		return "", false
	}
	var b strings.Builder
	quote, inner := text[0], text[1:len(text)-1]
	for i := 0; i < len(inner); i++ {
		switch c := inner[i]; {
		case c == quote:
			return "", false
		case c != '\\' || i+1 == len(inner):
			b.WriteByte(c)
		default:
			i++
			switch inner[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			case '"', '\'', '\\', '/':
				b.WriteByte(inner[i])
			default:
				b.WriteByte('\\')
				b.WriteByte(inner[i])
			}
		}
	}
	return b.String(), true
}

var pairStart = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("^\\s*[\"'`]?([A-Za-z_]\\w*)[\"'`]?\\s*[:=]\\s*")
})

// pair cuts `name = value`.
func pair(part string) (name, v string, named bool) {
	m := pairStart().FindStringSubmatchIndex(part)
	if m == nil || strings.HasPrefix(part[m[1]:], "=") || strings.HasPrefix(part[m[1]:], "//") { // a == b, https://…
		return "", strings.TrimSpace(part), false
	}
	return part[m[2]:m[3]], part[m[1]:], true
}

// bracketed returns what stands between the bracket that text begins with and the
// one that closes it, and how long it is with both. Quotes hide brackets.
func bracketed(text string) (inner string, used int, ok bool) {
	end := scan(text, func(i, depth int) bool { return depth == 0 })
	if end < 0 {
		return "", 0, false
	}
	return text[1:end], end + 1, true
}

// split cuts a text at the commas outside of quotes and brackets.
func split(text string) []string {
	var parts []string
	start := 0
	scan(text, func(i, depth int) bool {
		if text[i] == ',' && depth == 0 {
			parts = append(parts, text[start:i])
			start = i + 1
		}
		return false
	})
	if strings.TrimSpace(text[start:]) != "" {
		parts = append(parts, text[start:])
	}
	return parts
}

// scan goes through a text and asks stop at each character outside of quotes, with
// the number of brackets that are open behind it. It returns where it was stopped,
// -1 where it was not. A quote within a word is none: it's.
func scan(text string, stop func(i, depth int) bool) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'':
			if i > 0 && wordByte(text[i-1]) {
				break
			}
			end := closing(text, i)
			if end < 0 {
				break
			}
			i = end
			continue
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		}
		if stop(i, depth) {
			return i
		}
	}
	return -1
}

// closing returns where the quote at i closes, -1 where it does not.
func closing(text string, i int) int {
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\\':
			j++
		case text[i]:
			if j+1 == len(text) || !wordByte(text[j+1]) {
				return j
			}
		}
	}
	return -1
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
