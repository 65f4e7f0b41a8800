package expr

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

func textFunctions() []Function {
	one := []param{pText}
	two := func(name string) []param { return []param{pText, {name: name, takes: text_}} }
	maybe := func(name string) []param { return []param{pText, {name: name, takes: text_, optional: true}} }
	// text makes a row's run of a function on texts.
	text := func(f func(s ...string) any) func(*run, []any) (any, error) {
		return func(r *run, a []any) (any, error) {
			in := make([]string, len(a))
			size := 0
			for i, x := range a {
				s, err := asText(x)
				if err != nil {
					return nil, err
				}
				in[i] = s
				size += len(s)
			}
			if err := r.spend(1 + size/64); err != nil {
				return nil, err
			}
			if err := r.grow(size); err != nil {
				return nil, err
			}
			return f(in...), nil
		}
	}
	return []Function{
		{Name: "upper", Params: "text", Result: "string", Doc: "in capital letters", Example: `upper("abc")`, Gives: `"ABC"`,
			params: one, result: gives(types.String), run: text(func(s ...string) any { return strings.ToUpper(s[0]) })},
		{Name: "lower", Params: "text", Result: "string", Doc: "in small letters", Example: `lower("ABC")`, Gives: `"abc"`,
			params: one, result: gives(types.String), run: text(func(s ...string) any { return strings.ToLower(s[0]) })},
		{Name: "trim", Params: "text[, characters]", Result: "string", Doc: "without space, or without the given characters, at both ends",
			Example: `trim("  abc ")`, Gives: `"abc"`, params: maybe("characters"), result: gives(types.String),
			run: text(func(s ...string) any {
				if len(s) == 1 {
					return strings.TrimSpace(s[0])
				}
				return strings.Trim(s[0], s[1])
			})},
		{Name: "trimPrefix", Params: "text, prefix", Result: "string", Doc: "without the prefix, if it has it", Example: `trimPrefix("re: hello", "re: ")`, Gives: `"hello"`,
			params: two("prefix"), result: gives(types.String), run: text(func(s ...string) any { return strings.TrimPrefix(s[0], s[1]) })},
		{Name: "trimSuffix", Params: "text, suffix", Result: "string", Doc: "without the suffix, if it has it", Example: `trimSuffix("a.txt", ".txt")`, Gives: `"a"`,
			params: two("suffix"), result: gives(types.String), run: text(func(s ...string) any { return strings.TrimSuffix(s[0], s[1]) })},
		{Name: "hasPrefix", Params: "text, prefix", Result: "bool", Doc: "whether the text begins so, as `startsWith`", Example: `hasPrefix("abc", "ab")`, Gives: "true",
			params: two("prefix"), result: gives(types.Bool), run: text(func(s ...string) any { return strings.HasPrefix(s[0], s[1]) })},
		{Name: "hasSuffix", Params: "text, suffix", Result: "bool", Doc: "whether the text ends so, as `endsWith`", Example: `hasSuffix("abc", "bc")`, Gives: "true",
			params: two("suffix"), result: gives(types.Bool), run: text(func(s ...string) any { return strings.HasSuffix(s[0], s[1]) })},
		{Name: "indexOf", Params: "text, part", Result: "int", Doc: "the position of the first place where the part stands, or -1", Example: `indexOf("banana", "na")`, Gives: "2",
			params: two("part"), result: gives(types.Int), run: text(func(s ...string) any { return characters(s[0], strings.Index(s[0], s[1])) })},
		{Name: "lastIndexOf", Params: "text, part", Result: "int", Doc: "the position of the last place where the part stands, or -1", Example: `lastIndexOf("banana", "na")`, Gives: "4",
			params: two("part"), result: gives(types.Int), run: text(func(s ...string) any { return characters(s[0], strings.LastIndex(s[0], s[1])) })},
		{Name: "split", Params: "text, between", Result: "list[string]", Doc: "the parts of a text between the places where the second stands",
			Example: `split("a,b", ",")`, Gives: `["a","b"]`, params: two("between"), result: gives(&types.List{Elem: types.String}), run: runSplit},
		{Name: "replace", Params: "text, old, new", Result: "string", Doc: "the text with every old part replaced", Example: `replace("a-b-c", "-", "+")`, Gives: `"a+b+c"`,
			params: []param{pText, {name: "old", takes: text_}, {name: "new", takes: text_}}, result: gives(types.String), run: runReplace},
		{Name: "repeat", Params: "text, n", Result: "string", Doc: "the text n times", Example: `repeat("ab", 3)`, Gives: `"ababab"`,
			params: []param{pText, {name: "n", takes: whole}}, result: gives(types.String), run: runRepeat},
		{Name: "urlencode", Params: "text", Result: "string", Doc: "the text as it stands in a URL's query", Example: `urlencode("a b&c")`, Gives: `"a+b%26c"`,
			params: one, result: gives(types.String), run: text(func(s ...string) any { return url.QueryEscape(s[0]) })},
		{Name: "toBase64", Params: "text", Result: "string", Doc: "the bytes of the text in base 64", Example: `toBase64("hi")`, Gives: `"aGk="`,
			params: one, result: gives(types.String), run: text(func(s ...string) any { return base64.StdEncoding.EncodeToString([]byte(s[0])) })},
		{Name: "fromBase64", Params: "text", Result: "string", Doc: "the text that stands there in base 64", Example: `fromBase64("aGk=")`, Gives: `"hi"`,
			params: one, result: gives(types.String), run: func(r *run, a []any) (any, error) {
				s, err := asText(a[0])
				if err != nil {
					return nil, err
				}
				b, err := base64.StdEncoding.DecodeString(s)
				if err != nil {
					return nil, failed("%s is not base 64", quote(s))
				}
				if !utf8.Valid(b) {
					return nil, failed("what %s holds in base 64 is not text", quote(s))
				}
				return string(b), nil
			}},
	}
}

// characters turns an offset in bytes into one in characters.
func characters(s string, i int) int {
	if i < 0 {
		return -1
	}
	return utf8.RuneCountInString(s[:i])
}

func runeCount(s string) int { return utf8.RuneCountInString(s) }

func runSplit(r *run, a []any) (any, error) {
	s, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	sep, err := asText(a[1])
	if err != nil {
		return nil, err
	}
	n := strings.Count(s, sep) + 1
	if err := r.spend(n); err != nil {
		return nil, err
	}
	if err := r.grow(2 * elementSize * n); err != nil {
		return nil, err
	}
	parts := strings.Split(s, sep)
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out, nil
}

func runReplace(r *run, a []any) (any, error) {
	var in [3]string
	for i := range in {
		s, err := asText(a[i])
		if err != nil {
			return nil, err
		}
		in[i] = s
	}
	n := strings.Count(in[0], in[1])
	if err := r.spend(1 + n + len(in[0])/64); err != nil {
		return nil, err
	}
	if err := r.growBy(n, len(in[2])); err != nil {
		return nil, err
	}
	if err := r.grow(len(in[0])); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(in[0], in[1], in[2]), nil
}

func runRepeat(r *run, a []any) (any, error) {
	s, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	n, err := asInt(a[1])
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, failed("`repeat` is asked for %d copies", n)
	}
	if err := r.growBy(n, len(s)); err != nil {
		return nil, err
	}
	if s == "" {
		return "", nil
	}
	return strings.Repeat(s, n), nil
}

func valueFunctions() []Function {
	return []Function{
		{Name: "string", Params: "value", Result: "string", Doc: "the value as text, as `${…}` writes it: lists and objects as JSON", Example: `string([1, 2])`, Gives: `"[1,2]"`,
			params: []param{{name: "value", takes: anything}}, result: gives(types.String),
			run: func(r *run, a []any) (any, error) { return r.text(a) }},
		{Name: "toJSON", Params: "value", Result: "string", Doc: "the value as JSON", Example: `toJSON({a: "x"})`, Gives: `"{\"a\":\"x\"}"`,
			params: []param{{name: "value", takes: anything}}, result: gives(types.String),
			run: func(r *run, a []any) (any, error) {
				b := value.EncodeJSON(a[0])
				return string(b), r.grow(len(b))
			}},
		{Name: "fromJSON", Params: "text", Result: "json", Doc: "the value that a JSON text holds", Example: `fromJSON("[1, 2]")`, Gives: "[1,2]",
			params: []param{pText}, result: gives(types.JSON),
			run: func(r *run, a []any) (any, error) {
				s, err := asText(a[0])
				if err != nil {
					return nil, err
				}
				if err := r.spend(1 + len(s)/8); err != nil {
					return nil, err
				}
				if err := r.grow(8 * len(s)); err != nil {
					return nil, err
				}
				v, err := value.DecodeJSON([]byte(s))
				if err != nil {
					return nil, failed("%s is not JSON: %v", quote(s), err)
				}
				return v, nil
			}},
		{Name: "one_of", Params: "text", Result: "T?", Doc: "the text as one of the values that the place wants, or null if it is none of them",
			Example: `one_of("b")`, Gives: `"b"`, params: []param{pText}, result: oneOfResult,
			run: func(*run, []any) (any, error) { return nil, failed("`one_of` was not checked before it ran") }},
		{Name: "env", Params: "name", Result: "string", Doc: "an environment variable; only where a variable's default stands", Host: true,
			Example: `env("HOME")`, params: []param{{name: "name", takes: text_}}, result: gives(types.String)},
	}
}

// oneOfResult takes the values from what the place wants.
func oneOfResult(c *checker, x *call, _ []types.Type, want types.Type) types.Type {
	inner, _ := types.Unwrap(orInvalid(want))
	if !closed(inner) {
		if l, ok := inner.(*types.Literal); !ok || l.Value == nil {
			c.oneOfWhat(x)
			return types.Invalid{}
		}
	}
	c.target(x.node, inner)
	return types.NewOptional(inner)
}
