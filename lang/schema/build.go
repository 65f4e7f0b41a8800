package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// builder is one schema under way. A named record or enum is written where it
// stands if it stands there only; one that stands in several places, or holds
// itself, becomes a definition.
type builder struct {
	Options
	notes  []Note
	strict bool

	root     *types.Record // the whole document, when it holds itself: `#`
	uses     map[types.Type]int
	circular map[*types.Record]bool
	defs     *value.Object
	names    map[types.Type]string
	inside   []*types.Record // those being written, where there are no references
	path     []string

	properties, enums, depth, deepest int
}

func newBuilder(opt Options) *builder {
	return &builder{Options: opt, strict: true, uses: map[types.Type]int{}, circular: map[*types.Record]bool{},
		defs: &value.Object{}, names: map[types.Type]string{}}
}

func (b *builder) needsObject() bool { return b.Dialect == OpenAI || b.Dialect == Anthropic }

// note records something that cannot be said here.
func (b *builder) note(format string, args ...any) {
	n := Note{strings.TrimPrefix(strings.Join(b.path, ""), "."), fmt.Sprintf(format, args...)}
	if !slices.Contains(b.notes, n) {
		b.notes = append(b.notes, n)
	}
}

// in runs f one step deeper in the path.
func (b *builder) in(step string, f func() *value.Object) *value.Object {
	b.path = append(b.path, step)
	o := f()
	b.path = b.path[:len(b.path)-1]
	return o
}

// survey counts where named types stand and finds records that hold themselves.
func (b *builder) survey(t types.Type) {
	var open []*types.Record
	var visit func(t types.Type)
	visit = func(t types.Type) {
		switch t := types.Structure(t).(type) {
		case *types.List:
			visit(t.Elem)
		case *types.Map:
			visit(t.Elem)
		case *types.Optional:
			visit(t.Elem)
		case *types.Tuple:
			for _, e := range t.Elems {
				visit(e)
			}
		case *types.Union:
			for _, m := range t.Members {
				visit(m)
			}
		case *types.Enum:
			b.uses[t]++
		case *types.Record:
			b.uses[t]++
			if i := slices.Index(open, t); i >= 0 {
				b.circular[t] = true
				return
			}
			if b.uses[t] > 1 {
				return
			}
			open = append(open, t)
			for i := range t.Fields {
				visit(t.Fields[i].Type)
			}
			open = open[:len(open)-1]
		}
	}
	visit(t)
}

func (b *builder) of(t types.Type) *value.Object {
	switch t := t.(type) {
	case *types.Primitive:
		return b.primitive(t)
	case *types.Literal:
		return b.literals([]*types.Literal{t})
	case *types.Enum:
		return b.named(t, t.Name, func() *value.Object { return b.enum(t) })
	case *types.Optional:
		return b.nullable(b.union(t.Elem))
	case *types.Union:
		return b.union(t)
	case *types.List:
		return b.list(t)
	case *types.Tuple:
		return b.tuple(t)
	case *types.Map:
		return b.mapping(t)
	case *types.Record:
		return b.named(t, t.Name, func() *value.Object { return b.record(t) })
	case types.Model, types.Module:
		return value.NewObject("type", b.kind("string"))
	}
	return &value.Object{}
}

// kind is the name of a JSON type in the dialect.
func (b *builder) kind(name string) string {
	if b.Dialect == Gemini {
		return strings.ToUpper(name)
	}
	return name
}

// named writes a record or an enum in its place, or as a definition.
func (b *builder) named(t types.Type, name string, write func() *value.Object) *value.Object {
	r, isRecord := t.(*types.Record)
	switch {
	case b.Dialect == Gemini:
		if isRecord && b.circular[r] && slices.Contains(b.inside, r) {
			b.note("%s holds itself, which Gemini cannot be told; deeper than this it is any object", name)
			return value.NewObject("type", "OBJECT")
		}
		if isRecord {
			b.inside = append(b.inside, r)
			defer func() { b.inside = b.inside[:len(b.inside)-1] }()
		}
		return write()
	case isRecord && r == b.root:
		if len(b.path) > 0 {
			return value.NewObject("$ref", "#")
		}
		return write()
	case name == "" || b.uses[t] < 2 && !(isRecord && b.circular[r]):
		return write()
	}
	def, done := b.names[t]
	if !done {
		def = b.free(name)
		b.names[t] = def
		b.defs.Set(def, nil) // its place in the order
		depth := b.depth
		b.depth = 0
		b.defs.Set(def, write())
		b.depth = depth
	}
	return value.NewObject("$ref", "#/$defs/"+def)
}

// free returns a name that no definition has: rag.Passage of an import is Passage.
func (b *builder) free(name string) string {
	name = name[strings.LastIndexByte(name, '.')+1:]
	for try, i := name, 2; ; i++ {
		if _, taken := b.defs.Get(try); !taken {
			return try
		}
		try = fmt.Sprint(name, i)
	}
}

func (b *builder) enum(e *types.Enum) *value.Object {
	all := make([]any, len(e.Members))
	for i, m := range e.Members {
		all[i] = m.Name
		if b.Shown {
			all[i] = m.Shown
		}
	}
	b.enums += len(all)
	o := value.NewObject("type", b.kind("string"))
	if b.Dialect == Gemini {
		o.Set("format", "enum")
	}
	o.Set("enum", all)
	return described(o, enumWords(e, b.Shown))
}

// nullable adds null to what a schema accepts.
func (b *builder) nullable(o *value.Object) *value.Object {
	if b.Dialect == Gemini {
		o.Set("nullable", true)
		return o
	}
	kind, plain := get[string](o, "type")
	_, isConst := o.Get("const")
	if plain && !isConst && kind != "object" && kind != "array" && kind != "null" {
		o.Set("type", []any{kind, "null"})
		if all, ok := get[[]any](o, "enum"); ok {
			o.Set("enum", append(slices.Clone(all), nil))
		}
		return o
	}
	if o.Len() == 0 {
		return o // anything may be null
	}
	null := value.NewObject("type", "null")
	words, _ := get[string](o, "description")
	if members, ok := get[[]any](o, "anyOf"); ok {
		o.Set("anyOf", append(slices.Clone(members), null))
		return o
	}
	return described(value.NewObject("anyOf", []any{without(o, "description"), null}), words)
}

// union writes alternatives; all literals together are one of them.
func (b *builder) union(t types.Type) *value.Object {
	u, ok := t.(*types.Union)
	if !ok {
		return b.of(t)
	}
	var members []any
	var fixed []*types.Literal
	place := -1
	for _, m := range u.Members {
		if l, ok := m.(*types.Literal); ok {
			if place < 0 {
				place = len(members)
				members = append(members, nil)
			}
			fixed = append(fixed, l)
			continue
		}
		members = append(members, b.of(m))
	}
	if place >= 0 {
		members[place] = b.literals(fixed)
	}
	if len(members) == 1 {
		return members[0].(*value.Object)
	}
	return value.NewObject("anyOf", members)
}

// literals writes fixed values.
func (b *builder) literals(ls []*types.Literal) *value.Object {
	b.enums += len(ls)
	var all, kinds []any
	for _, l := range ls {
		all = append(all, number(l.Value))
		if k := b.kind(kindOf(l.Value)); !slices.Contains(kinds, any(k)) {
			kinds = append(kinds, k)
		}
	}
	if b.Dialect == Gemini {
		return b.geminiLiterals(ls, all, kinds)
	}
	o := value.NewObject("type", any(kinds))
	if len(kinds) == 1 {
		o.Set("type", kinds[0])
	}
	switch {
	case len(all) == 1 && all[0] == nil:
	case len(all) == 1:
		o.Set("const", all[0])
	default:
		o.Set("enum", all)
	}
	return o
}

// geminiLiterals writes fixed values for Gemini, whose enum holds only texts: a
// number is a range of one.
func (b *builder) geminiLiterals(ls []*types.Literal, all, kinds []any) *value.Object {
	if len(kinds) == 1 && kinds[0] == "STRING" {
		return value.NewObject("type", "STRING", "format", "enum", "enum", all)
	}
	members := make([]any, len(ls))
	for i, l := range ls {
		kind := b.kind(kindOf(l.Value))
		o := value.NewObject("type", kind)
		switch kind {
		case "STRING":
			o.Set("format", "enum")
			o.Set("enum", []any{l.Value})
		case "BOOLEAN":
			words := "always " + types.FormatLiteral(l.Value)
			o = described(o, words)
			b.note("%s, which Gemini cannot be told", words)
		case "INTEGER", "NUMBER":
			o.Set("minimum", all[i])
			o.Set("maximum", all[i])
		}
		members[i] = o
	}
	if len(members) == 1 {
		return members[0].(*value.Object)
	}
	return value.NewObject("anyOf", members)
}

func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case int:
		return "integer"
	case float64:
		if v == float64(int(v)) {
			return "integer"
		}
		return "number"
	}
	return "null"
}

// number writes a whole number without a point: 1, not 1.0.
func number(v any) any {
	if f, ok := v.(float64); ok && f == float64(int(f)) && f > -1e15 && f < 1e15 {
		return int(f)
	}
	return v
}

func get[T any](o *value.Object, name string) (T, bool) {
	v, _ := o.Get(name)
	t, ok := v.(T)
	return t, ok
}

func without(o *value.Object, name string) *value.Object {
	out := &value.Object{}
	for n, v := range o.All() {
		if n != name {
			out.Set(n, v)
		}
	}
	return out
}
