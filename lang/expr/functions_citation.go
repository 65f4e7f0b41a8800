package expr

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// A citation is right when its words stand in a passage, verbatim but for case, blanks
// and the kind of quotes, and the passage is the one that it names. An answer that is a
// text cites by marks, [1] for the first passage or [id].

func citationFunctions() []Function {
	params := []param{{name: "answer", takes: anything}, {name: "passages", takes: texts}, {name: "ids", takes: texts, optional: true}}
	checked := func(t types.Type) resultFunc {
		return func(c *checker, x *call, args []types.Type, _ types.Type) types.Type {
			if !cites(args[0]) {
				c.wrongArgument(x, 0, args[0], "a citation, a list of citations or a text with marks such as [1]")
				return types.Invalid{}
			}
			return t
		}
	}
	return []Function{
		{Name: "cited", Params: "answer, passages[, ids]", Result: "bool", Doc: "whether an answer cites passages, and each of its citations is right: the words stand in the passage that it names, or a mark such as [1] names a passage, counted from 1, or its id",
			Example: `cited("It flows through Paris [1].", ["The Seine flows through Paris."])`, Gives: "true", params: params, result: checked(types.Bool),
			run: func(r *run, a []any) (any, error) {
				faults, err := citationFaults(r, a)
				return len(faults) == 0, err
			}},
		{Name: "citation_faults", Params: "answer, passages[, ids]", Result: "list[string]", Doc: "what is wrong with the citations of an answer, in words, for the message of an assertion; none where `cited` is true",
			Example: `citation_faults("It flows through Paris [3].", ["The Seine flows through Paris."])`, Gives: `["[3] names none of the 1 passages"]`,
			params: params, result: checked(&types.List{Elem: types.String}),
			run: func(r *run, a []any) (any, error) {
				faults, err := citationFaults(r, a)
				out := make([]any, len(faults))
				for i, f := range faults {
					out[i] = f
				}
				return out, err
			}},
	}
}

// cites reports whether a value of a type can hold citations.
func cites(t types.Type) bool {
	switch t := t.(type) {
	case *types.List:
		return cites(t.Elem)
	case *types.Primitive:
		return t.Row.Name == "citation" || t.Row.Base == types.StringBase || t.Row.Base == types.AnyBase
	case types.Invalid:
		return true
	case *types.Record:
		return slices.ContainsFunc(t.Fields, func(f types.Field) bool { return f.Name == "text" })
	}
	b, ok := base(t)
	return ok && (b == types.StringBase || b == types.AnyBase)
}

// cited is a passage as citations are compared with it.
type cited struct {
	id, whole string
	title     string // "" for none
	plain     string // whole, folded
	body      string // what stands behind the title
}

// citationFaults says what is wrong with citations; nothing where all are right.
func citationFaults(r *run, a []any) ([]string, error) {
	list, _ := a[1].([]any)
	var ids []any
	if len(a) > 2 {
		ids, _ = a[2].([]any)
	}
	sources := make([]cited, len(list))
	for i, x := range list {
		s, err := asText(x)
		if err != nil {
			return nil, err
		}
		if err := r.spend(1 + len(s)/16); err != nil {
			return nil, err
		}
		if err := r.grow(2 * len(s)); err != nil {
			return nil, err
		}
		sources[i] = cited{whole: s, plain: folded(s), body: s}
		if title, body, ok := strings.Cut(s, " | "); ok {
			sources[i].title, sources[i].body = title, body
		}
		if i < len(ids) {
			sources[i].id, _ = ids[i].(string)
		}
	}
	given, isList := a[0].([]any)
	if !isList {
		given = []any{a[0]}
	}
	var out []string
	some := false
	for _, x := range given {
		if err := r.spend(1 + len(sources)); err != nil {
			return nil, err
		}
		switch x := x.(type) {
		case *value.Object:
			some = true
			if f := citationFault(x, sources, len(ids) > 0); f != "" {
				out = append(out, f)
			}
		case string:
			marks, faults := markFaults(x, sources)
			some = some || marks > 0
			out = append(out, faults...)
		case nil:
		default:
			return nil, failed("%s is no citation", quote(string(value.EncodeJSON(x))))
		}
	}
	if !some {
		out = append(out, "nothing is cited")
	}
	return out, nil
}

// citationFault says what is wrong with a citation; "" where it is right.
func citationFault(o *value.Object, sources []cited, known bool) string {
	field := func(name string) string {
		v, _ := o.Get(name)
		s, _ := v.(string)
		return strings.TrimSpace(s)
	}
	text := field("text")
	words := folded(strings.Trim(text, " \t\n\"'“”‘’«»„…"))
	if strings.IndexFunc(words, wordly) < 0 {
		return "a citation has no words"
	}
	said := "“" + shortened(text) + "”"
	among := sources
	if name := field("source"); name != "" {
		i := named(name, sources, known)
		if i < 0 {
			return said + " names the source " + strconv.Quote(shortened(name)) + ", which is none of the passages"
		}
		among = sources[i : i+1]
	}
	stands := false
	for _, s := range among {
		if !holds(s.plain, words) {
			continue
		}
		stands = true
		if title := field("title"); title != "" && s.title != "" && folded(title) != folded(s.title) {
			continue
		}
		if placed(o, s, words) {
			return ""
		}
	}
	switch {
	case stands && field("title") != "":
		return said + " stands in a passage, but not under the title or at the place that the citation names"
	case stands:
		return said + " stands in a passage, but not at the place that the citation names"
	case len(among) < len(sources):
		return said + " does not stand in the passage that the citation names"
	}
	return said + " stands in none of the passages"
}

// named returns the passage that a citation names: by its id, its number from 1, or
// its title; -1 for none.
func named(name string, sources []cited, known bool) int {
	name = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"))
	if i := slices.IndexFunc(sources, func(s cited) bool { return s.id != "" && s.id == name }); i >= 0 {
		return i
	}
	if n, err := strconv.Atoi(name); err == nil {
		if n >= 1 && n <= len(sources) {
			return n - 1
		}
		return -1
	}
	return slices.IndexFunc(sources, func(s cited) bool { return s.title != "" && folded(s.title) == folded(name) })
}

// placed reports whether the words stand where a citation says, if it does: counted in
// characters of the passage, with its title or without.
func placed(o *value.Object, s cited, words string) bool {
	from, _ := o.Get("start")
	to, _ := o.Get("end")
	start, ok := from.(int)
	end, ok2 := to.(int)
	if !ok || !ok2 {
		return true
	}
	for _, text := range []string{s.whole, s.body} {
		if r := []rune(text); start >= 0 && start <= end && end <= len(r) && strings.Contains(folded(string(r[start:end])), words) && end-start <= utf8.RuneCountInString(words)+20 {
			return true
		}
	}
	return false
}

// mark is [1], [1, 3], [id]: not a link, [text](address).
var mark = regexp.MustCompile(`\[([^\[\]\n]{1,200})\](\()?`)

// markFaults returns how many marks a text has, and what is wrong with them.
func markFaults(text string, sources []cited) (n int, out []string) {
	for _, m := range mark.FindAllStringSubmatch(text, -1) {
		if m[2] != "" {
			continue
		}
		if i := named(m[1], sources, false); i >= 0 { // an id may hold a comma
			n++
			continue
		}
		for _, part := range strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ';' }) {
			n++
			if part = strings.TrimSpace(part); named(part, sources, false) < 0 {
				out = append(out, fmt.Sprintf("[%s] names none of the %d passages", shortened(part), len(sources)))
			}
		}
	}
	return n, out
}

// holds reports whether words stand in a text, and not in the middle of a word.
func holds(text, words string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], words)
		if i < 0 {
			return false
		}
		i += at
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		behind, _ := utf8.DecodeRuneInString(text[i+len(words):])
		first, _ := utf8.DecodeRuneInString(words)
		last, _ := utf8.DecodeLastRuneInString(words)
		if !(wordly(before) && wordly(first)) && !(wordly(behind) && wordly(last)) {
			return true
		}
		at = i + 1
	}
}

func wordly(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsNumber(r)) }

// plainQuotes writes quotes and dashes as a keyboard does.
var plainQuotes = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`, "‘", "'", "’", "'", "–", "-", "—", "-", "\u00a0", " ", "\u00ad", "")

// folded writes a text as it is compared: in small letters, with single blanks.
func folded(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(plainQuotes.Replace(s)), " "))
}

// shortened cuts a text for a message.
func shortened(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return string(r)
}
