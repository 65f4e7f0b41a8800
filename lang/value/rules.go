package value

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/lang/types"
)

// What the rows of lang/types' table demand in words, beyond base, bounds and
// shape, is done here, by the same names. All functions are pure; those that
// read and rule never change the value they are given.
type rule struct {
	// read takes other forms of a value, in Lax mode only: it returns the value
	// in the row's own form, or as it came.
	read func(v any) any
	// text brings a text into the one form in which it is held. The error says
	// what was expected.
	text func(s string, lax bool) (string, error)
	// holds checks a value of the right shape; it reports each fault.
	holds func(c *checker, v any, at *loc) bool
}

var rules = sync.OnceValue(func() map[string]rule {
	return map[string]rule{
		"date":     {text: types.ReadDate},
		"datetime": {text: types.ReadDateTime},
		"duration": {text: types.ReadDuration},

		"image": {read: readMedia, holds: mediaOf("image/")},
		"audio": {read: readMedia, holds: mediaOf("audio/")},
		"file":  {read: readMedia, holds: mediaOf("")},

		"token_usage":     {read: readUsage, holds: usageAddsUp},
		"reasoning_step":  {read: readStep},
		"reasoning_chain": {read: readChain},
		"citation":        {read: readCitation, holds: citationInOrder},

		"message":        {read: readMessage, holds: messageRoles},
		"history":        {read: readHistory},
		"tool_call":      {read: readToolCall},
		"tool_result":    {holds: resultOrError},
		"model_response": {read: readResponse},

		"tensor":            {holds: regular},
		"attention_weights": {holds: rectangular},

		"code":            {read: readCode},
		"prompt_template": {text: readTemplate},
		"api_key":         {text: readKey},
	}
})

// shaped checks a value of a type with a structure.
func (c *checker) shaped(t *types.Primitive, v any, mode Mode, at *loc, depth int) (any, bool) {
	r := rules()[t.Row.Name]
	if mode == Lax && r.read != nil {
		v = r.read(v)
	}
	shape := c.shapeOf(t)
	if _, isList := shape.(*types.List); isList {
		if _, ok := v.([]any); !ok {
			return c.expected(at, "list_type", "a list ("+t.String()+")", v)
		}
	}
	if text, ok := v.(string); ok && t.Row.Group == types.Media {
		return c.expected(at, "object_type", "an object with url, path or data ("+t.String()+")", text)
	}
	out, ok := c.check(shape, v, mode, at, depth)
	if ok && r.holds != nil {
		ok = r.holds(c, out, at)
	}
	return out, ok
}

// shapeOf returns the shape of t, made once for each Check.
func (c *checker) shapeOf(t *types.Primitive) types.Type {
	if s, ok := c.shapes[t]; ok {
		return s
	}
	s := t.Shape()
	if s != t.Row.Shape {
		if c.shapes == nil {
			c.shapes = make(map[*types.Primitive]types.Type)
		}
		c.shapes[t] = s
	}
	return s
}

func stringOf(o *Object, name string) (string, bool) {
	v, _ := o.Get(name)
	s, ok := v.(string)
	return s, ok
}

func present(o *Object, name string) bool {
	v, ok := o.Get(name)
	return ok && v != nil
}

// renamed returns o with names changed, where the new name is not there already;
// pairs are old and new names in turn.
func renamed(o *Object, pairs ...string) *Object {
	to := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		if _, has := o.Get(pairs[i]); !has {
			continue
		}
		if _, taken := o.Get(pairs[i+1]); !taken {
			to[pairs[i]] = pairs[i+1]
		}
	}
	if len(to) == 0 {
		return o
	}
	out := &Object{}
	for name, v := range o.All() {
		if now, ok := to[name]; ok {
			if _, taken := out.Get(now); taken {
				continue // two old names for one new one: the first counts
			}
			name = now
		}
		out.Set(name, v)
	}
	return out
}

// Media.

var dataURI = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^data:([a-zA-Z0-9.+-]+/[a-zA-Z0-9.+-]+)(?:;[a-zA-Z0-9=.+-]+)*;base64,`)
})

func readMedia(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	s = strings.TrimSpace(s)
	if m := dataURI().FindStringSubmatch(s[:min(len(s), 400)]); m != nil {
		return NewObject("data", s[len(m[0]):], "media_type", strings.ToLower(m[1]))
	}
	if strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") {
		return NewObject("url", s)
	}
	return v
}

// mediaOf checks one place for the bytes, and a media type of a kind: "image/".
func mediaOf(kind string) func(*checker, any, *loc) bool {
	return func(c *checker, v any, at *loc) bool {
		o := v.(*Object)
		n := 0
		for _, name := range []string{"url", "data", "path"} {
			if present(o, name) {
				n++
			}
		}
		if n != 1 {
			c.fault(at, "media_source", v, "expected exactly one of url, data and path, got "+strconv.Itoa(n))
			return false
		}
		ok := true
		given, typed := stringOf(o, "media_type")
		if typed && !strings.HasPrefix(given, kind) {
			c.expected(&loc{at, "media_type"}, "media_type", "a media type such as "+kind+"…", given)
			ok = false
		}
		data, held := stringOf(o, "data")
		if !held {
			return ok
		}
		if !typed {
			c.fault(&loc{at, "media_type"}, "missing", v, "a media type is needed with data")
			ok = false
		}
		if _, err := base64.StdEncoding.DecodeString(data); err != nil {
			c.expected(&loc{at, "data"}, "base64", "bytes in base64", data)
			ok = false
		}
		return ok
	}
}

// Measures.

func readUsage(v any) any {
	o, ok := v.(*Object)
	if !ok {
		return v
	}
	o = renamed(o, "input_tokens", "prompt_tokens", "output_tokens", "completion_tokens")
	if present(o, "total_tokens") {
		return o
	}
	in, _ := o.Get("prompt_tokens")
	out, _ := o.Get("completion_tokens")
	a, fault1 := toInt(in, Lax)
	b, fault2 := toInt(out, Lax)
	if fault1 == "" && fault2 == "" && a >= 0 && b >= 0 && a+b >= 0 {
		o = o.Clone()
		o.Set("total_tokens", a+b)
	}
	return o
}

func usageAddsUp(c *checker, v any, at *loc) bool {
	o := v.(*Object)
	number := func(name string) int { v, _ := o.Get(name); n, _ := v.(int); return n }
	sum, total := number("prompt_tokens")+number("completion_tokens"), number("total_tokens")
	if sum != total {
		c.expected(&loc{at, "total_tokens"}, "sum", "the sum of prompt_tokens and completion_tokens, "+strconv.Itoa(sum), total)
	}
	return sum == total
}

// Reasoning.

func readStep(v any) any {
	switch v := v.(type) {
	case string:
		return NewObject("thought", strings.TrimSpace(v))
	case *Object:
		if _, ok := stringOf(v, "step"); ok {
			return renamed(v, "step", "thought")
		}
		if present(v, "thought") {
			return renamed(v, "step", "step_number")
		}
		return renamed(v, "step", "step_number", "reasoning", "thought")
	}
	return v
}

// readChain makes steps of texts, each with the number of its place.
func readChain(v any) any {
	in, ok := v.([]any)
	if !ok {
		return v
	}
	out := make([]any, len(in))
	for i, x := range in {
		out[i] = x
		if _, text := x.(string); text {
			o := readStep(x).(*Object)
			out[i] = NewObject("step_number", i+1)
			for name, y := range o.All() {
				out[i].(*Object).Set(name, y)
			}
		}
	}
	return out
}

func readCitation(v any) any {
	o, ok := v.(*Object)
	if !ok {
		return v
	}
	return renamed(o, "cited_text", "text", "document_title", "title", "start_char_index", "start",
		"end_char_index", "end", "supported_text", "supports")
}

func citationInOrder(c *checker, v any, at *loc) bool {
	o := v.(*Object)
	from, _ := o.Get("start")
	to, _ := o.Get("end")
	a, begins := from.(int)
	b, ends := to.(int)
	switch {
	case begins != ends:
		c.fault(at, "span", v, "expected both start and end, or neither")
		return false
	case ends && b < a:
		c.expected(&loc{at, "end"}, "span", "a position of at least "+strconv.Itoa(a)+", where the words start", b)
		return false
	}
	return true
}

// Talk.

func readMessage(v any) any {
	o, ok := v.(*Object)
	if content, has := o.Get("content"); ok && has && content == nil {
		o = o.Clone()
		o.Set("content", "")
		return o
	}
	return v
}

func messageRoles(c *checker, v any, at *loc) bool {
	o := v.(*Object)
	role, _ := stringOf(o, "role")
	ok := true
	if calls, _ := o.Get("tool_calls"); calls != nil && role != "assistant" {
		c.fault(&loc{at, "tool_calls"}, "role", calls, "only the assistant calls tools, this message is of "+strconv.Quote(role))
		ok = false
	}
	if id, _ := o.Get("tool_call_id"); id != nil && role != "tool" {
		c.fault(&loc{at, "tool_call_id"}, "role", id, "only a tool answers a call, this message is of "+strconv.Quote(role))
		ok = false
	}
	return ok
}

func readHistory(v any) any {
	if o, ok := v.(*Object); ok && o.Len() == 1 {
		if turns, has := o.Get("messages"); has {
			return turns
		}
	}
	return v
}

func readToolCall(v any) any {
	o, ok := v.(*Object)
	if !ok {
		return v
	}
	if f, _ := o.Get("function"); f != nil {
		inner, ok := f.(*Object)
		if !ok {
			return v
		}
		inner = inner.Clone()
		if id, has := o.Get("id"); has {
			inner.Set("id", id)
		}
		o = inner
	}
	o = renamed(o, "function_name", "name", "args", "arguments", "call_id", "id")
	if text, ok := stringOf(o, "arguments"); ok {
		if args, err := DecodeJSON([]byte(text)); err == nil {
			o = o.Clone()
			o.Set("arguments", args)
		}
	}
	return o
}

func resultOrError(c *checker, v any, at *loc) bool {
	o := v.(*Object)
	success, _ := o.Get("success")
	failure, _ := stringOf(o, "error")
	switch {
	case success == true && failure != "":
		c.fault(&loc{at, "error"}, "success_with_error", failure, "expected no error, since success is true")
		return false
	case success == false && failure == "":
		c.fault(&loc{at, "error"}, "missing", v, "expected the error, since success is false")
		return false
	}
	return true
}

func readResponse(v any) any {
	if s, ok := v.(string); ok {
		return NewObject("text", s)
	}
	return v
}

// Vectors.

// regular checks a tensor: numbers, or lists of one shape.
func regular(c *checker, v any, at *loc) bool {
	_, ok := c.dimensions(v, at)
	return ok
}

// dimensions returns the lengths of nested lists, the outermost first.
func (c *checker) dimensions(v any, at *loc) ([]int, bool) {
	switch v := v.(type) {
	case int, float64:
		return nil, true
	case []any:
		inner, ok := []int(nil), true
		for i, x := range v {
			d, fine := c.dimensions(x, &loc{at, i})
			if !fine {
				return nil, false
			}
			if i > 0 && !sameInts(d, inner) {
				c.fault(&loc{at, i}, "irregular", x, "expected "+dimensionWords(inner)+" as in the items before it, got "+dimensionWords(d))
				return nil, false
			}
			inner = d
		}
		return append([]int{len(v)}, inner...), ok
	}
	c.expected(at, "float_type", "a number or a list of them", v)
	return nil, false
}

func sameInts(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func dimensionWords(d []int) string {
	if len(d) == 0 {
		return "a number"
	}
	parts := make([]string, len(d))
	for i, n := range d {
		parts[i] = strconv.Itoa(n)
	}
	return "a list of " + strings.Join(parts, " × ")
}

func rectangular(c *checker, v any, at *loc) bool {
	rows := v.([]any)
	ok := true
	for i, r := range rows[min(1, len(rows)):] {
		if n, first := len(r.([]any)), len(rows[0].([]any)); n != first {
			c.fault(&loc{at, i + 1}, "irregular", r, "expected a row of "+count(first, "number")+" as the first, got "+strconv.Itoa(n))
			ok = false
		}
	}
	return ok
}
