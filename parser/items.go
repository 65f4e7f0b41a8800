package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// field reads `name: TYPE = DEFAULT "description"`.
func (p *parser) field() syntax.Item {
	if f := p.plainField(); f != nil {
		return f
	}
	from := p.i
	node, err := run(p, productions().field, true)
	if err == nil {
		if next := p.peek(0).Type; endsItem(next) && next != tokOpen || next == tokIdent && !missingType(node) {
			return p.fieldOf(node)
		}
	}
	complete := err == nil
	p.i = from
	p.rewind()
	tr := findTrouble(p.lex, lexer.RawCursor(from), err)
	tokens := p.restOfItem()
	f := p.brokenField(node, tokens, tr, complete)
	p.i += len(tokens)
	p.afterItem(&f.Span)
	return f
}

// plainField reads the commonest of fields, `name: type` and `name: type
// "description"` with a type of one name, without the grammar: that costs a
// tenth. It returns nil, and reads nothing, for any other.
func (p *parser) plainField() syntax.Item {
	if p.peek(1).Type != tokColon || p.peek(2).Type != tokIdent {
		return nil
	}
	last := 2
	if t := p.peek(3).Type; t == tokString {
		last = 3
	}
	if t := p.peek(last + 1).Type; !endsItem(t) || t == tokOpen {
		return nil
	}
	typ := p.peek(2)
	switch typ.Value {
	case "true", "false", "null":
		return nil
	}
	f := &struct {
		syntax.Field
		typ  syntax.NamedType
		path [1]syntax.Ident
	}{}
	f.path[0] = ident(typ)
	f.typ.Span, f.typ.Path = span(typ), f.path[:]
	f.Name, f.Type = ident(p.peek(0)), &f.typ
	f.Span = source.Span{Start: start(p.peek(0)), End: end(p.peek(last))}
	if last == 3 {
		f.Description = p.str(p.peek(3))
	}
	p.i += last + 1
	return &f.Field
}

func missingType(n *fieldNode) bool { return n.Type == nil && typeMark(n) != nil }

// restOfItem returns the tokens from here to the end of the item.
func (p *parser) restOfItem() []lexer.Token {
	p.fill()
	depth, k := 0, p.i
	for ; k < p.n; k++ {
		switch t := p.window[k].Type; t {
		case tokOpenParen, tokOpenBracket, tokOpenRecord:
			depth++
		case tokCloseParen, tokCloseBracket, tokCloseRecord:
			depth--
		default:
			if depth <= 0 && endsItem(t) {
				return p.window[p.i:k]
			}
		}
	}
	return p.window[p.i:k]
}

// afterItem skips what still stands on the line of a broken item: the body of a
// block, when a `{` follows.
func (p *parser) afterItem(s *source.Span) {
	if p.peek(0).Type == tokOpen {
		s.End = max(s.End, p.skipItem())
	}
}

// enumMember reads `NAME = "shown" "meaning"`.
func (p *parser) enumMember() syntax.Item {
	from := p.i
	name := *p.peek(0)
	node, err := run(p, productions().enum, true)
	m := &syntax.EnumMember{Name: ident(&name)}
	if err == nil && (endsItem(p.peek(0).Type) || p.peek(0).Type == tokIdent) {
		m.Span = spanOf(node.Tokens)
		m.Shown = p.str(&node.Shown)
		m.Description = p.str(&node.Description)
		return m
	}
	if err == nil {
		p.i = from
		_, err = run(p, productions().enum, false)
	}
	p.i = from
	p.rewind()
	tr := troubleAt(p.lex, err)
	wanted := "`=`, a description in quotes, a comma or a new line"
	if tr.After.Type == tokEquals {
		wanted = "a string in quotes"
		if endsItem(tr.Token.Type) {
			p.faults = append(p.faults, syntax.Fault{Kind: syntax.MissingValue, Span: span(&tr.After), Found: "=", Wanted: wanted})
			tr = nil
		}
	}
	if tr != nil {
		p.unexpected(&tr.Token, wanted)
	}
	m.Span = span(&name)
	m.Span.End = max(m.Span.End, p.skipItem())
	return m
}

// alias reads `type NAME = TYPE`.
func (p *parser) alias() syntax.Item {
	from := p.i
	word, name, eq := *p.peek(0), *p.peek(1), *p.peek(2)
	node, err := run(p, productions().alias, true)
	a := &syntax.TypeAlias{Keyword: span(&word), Name: ident(&name)}
	next := p.peek(0).Type
	if err == nil && endsItem(next) && next != tokOpen {
		a.Span = spanOf(node.Tokens)
		if node.Type != nil {
			a.Type = p.typ(node.Type)
		} else {
			p.faults = append(p.faults, syntax.Fault{Kind: syntax.MissingType, Span: span(&eq), Found: "=", Wanted: "a type"})
			a.Type = &syntax.BadType{Span: source.Span{Start: end(&eq), End: end(&eq)}}
		}
		return a
	}
	if err == nil {
		p.i = from
		_, err = run(p, productions().alias, false)
	}
	p.i = from
	p.rewind()
	tr := troubleAt(p.lex, err)
	wanted := wantedAfter(tr.After.Type, true)
	if tr.After.Type == tokEquals {
		wanted = "a type"
	}
	p.unexpected(&tr.Token, wanted)
	tokens := p.restOfItem()
	a.Span = spanOf(tokens)
	a.Type = &syntax.BadType{Span: source.Span{Start: end(&eq), End: end(&eq)}}
	if len(tokens) > 3 {
		a.Type = &syntax.BadType{Span: spanOf(tokens[3:])}
	}
	p.i += len(tokens)
	p.afterItem(&a.Span)
	return a
}

// imports reads `import "path" as NAME`.
func (p *parser) imports() syntax.Item {
	from := p.i
	word := *p.peek(0)
	node, err := run(p, productions().imp, true)
	if err == nil && endsItem(p.peek(0).Type) {
		out := &syntax.Import{Span: spanOf(node.Tokens), Path: p.str(&node.Path)}
		if node.Alias != nil {
			name := ident(&node.Alias.Name)
			out.Alias = &name
		}
		return out
	}
	out := &syntax.Import{Span: span(&word)}
	p.i = from + 1
	t := p.peek(0)
	wanted := "the path of a file, in quotes"
	if t.Type == tokString || t.Type == tokSingle {
		path := p.take()
		out.Path = p.str(&path)
		out.Span.End = end(&path)
		wanted = "`as` and a name, or a new line"
		if t = p.peek(0); t.Type == tokIdent && t.Value == "as" {
			p.i++
			wanted, t = "a name", p.peek(0)
		}
	}
	p.unexpected(t, wanted)
	out.Span.End = max(out.Span.End, p.lastEnd(), p.skipItem())
	return out
}

// lastEnd returns where the token before the next one ends.
func (p *parser) lastEnd() int32 {
	if p.i == 0 {
		return 0
	}
	return end(&p.window[p.i-1])
}

// block reads `KIND NAME {` and the body.
func (p *parser) block() syntax.Item {
	first := *p.peek(0)
	b := &syntax.Block{Span: span(&first)}
	switch {
	case p.peek(1).Type == tokOpen:
		b.Kind = []syntax.Ident{ident(&first)}
		p.i++
	case p.peek(1).Type == tokIdent && p.peek(2).Type == tokOpen:
		b.Kind = []syntax.Ident{ident(&first)}
		b.Labels = []syntax.Label{{Ident: ident(p.peek(1))}}
		b.Span.End = b.Labels[0].End
		p.i += 2
	default:
		p.header(b)
	}
	indent := p.indentOf(int(b.Start))
	enum := b.KindName() == "enum"
	t := p.peek(0)
	switch {
	case t.Type == tokOpen:
	case t.Type == tokNewline && p.braceFollows(0) && p.peek(1).Type == tokOpen:
		p.i++
		p.faults = append(p.faults, syntax.Fault{
			Kind: syntax.BraceOnNextLine, Span: span(p.peek(0)), Related: b.KindSpan(), Found: "{",
			Wanted: "the `{` on the line of `" + b.KindName() + "`",
		})
	case t.Type == tokNewline && p.lastPulled(0) && p.pos < len(p.src) && p.column(p.pos) > indent && p.lookAt(p.pos) != looksOther && len(p.stack) <= maxDepth:
		p.unexpected(t, "`{`")
		p.i++
		kind := inBody
		if enum {
			kind = inEnum
		}
		p.stack = append(p.stack, context{kind: kind, open: b.End, indent: int32(indent), inner: int32(p.column(p.pos))})
	default:
		p.unexpected(t, "`{`")
		b.Span.End = max(b.Span.End, p.skipLine())
		return b
	}
	b.Body = p.body(b.KindSpan(), enum)
	b.Span.End = b.Body.Close.End
	if b.Body.Close.Len() == 0 {
		b.Span.End = max(b.Body.Open.End, b.Body.Close.End)
		if n := len(b.Body.Items); n > 0 {
			b.Span.End = max(b.Span.End, b.Body.Items[n-1].Range().End)
		}
	}
	return b
}

// header reads what precedes a block's `{` when it is more than two names.
func (p *parser) header(b *syntax.Block) {
	from := p.i
	node, err := run(p, productions().head, true)
	if err == nil && (endsItem(p.peek(0).Type)) {
		p.labels(b, node)
		b.Span = spanOf(node.Tokens)
		switch {
		case node.Type != nil:
			b.Type = p.typ(node.Type)
		case node.Colon:
			colon := &node.Tokens[len(node.Tokens)-1]
			p.faults = append(p.faults, syntax.Fault{Kind: syntax.MissingType, Span: span(colon), Found: ":", Wanted: "a type"})
			b.Type = &syntax.BadType{Span: source.Span{Start: end(colon), End: end(colon)}}
		}
		return
	}
	if err == nil {
		p.i = from
		_, err = run(p, productions().head, false)
	}
	p.i = from
	p.rewind()
	tr := troubleAt(p.lex, err)
	wanted := "`{`"
	tokens := p.restOfItem()
	b.Span = spanOf(tokens)
	for i := range tokens {
		switch t := &tokens[i]; {
		case t.Type == tokIdent && (i == 0 || tokens[i-1].Type == tokDot && i == 2):
			b.Kind = append(b.Kind, ident(t))
		case t.Type == tokIdent || t.Type == tokString || t.Type == tokSingle:
			b.Labels = append(b.Labels, p.label(t))
		case t.Type == tokColon:
			if i+1 < len(tokens) {
				b.Type = &syntax.BadType{Span: spanOf(tokens[i+1:])}
			}
			wanted = wantedAfter(tr.After.Type, true)
			if wanted == "the end of the type" {
				wanted = "`{`"
			}
		case t.Type == tokDot && i == 1:
			continue
		}
		if b.Type != nil || tokens[i].Type != tokIdent && tokens[i].Type != tokString && tokens[i].Type != tokSingle && tokens[i].Type != tokDot {
			break
		}
	}
	p.unexpected(&tr.Token, wanted)
	p.i += len(tokens)
}

func (p *parser) labels(b *syntax.Block, node *headNode) {
	b.Kind = path(&node.Kind, &node.Member)
	for _, l := range node.Labels {
		b.Labels = append(b.Labels, p.label(&l.Token))
	}
}

// label returns the block's name t.
func (p *parser) label(t *lexer.Token) syntax.Label {
	if t.Type == tokIdent {
		return syntax.Label{Ident: ident(t)}
	}
	s := p.str(t)
	if s.Template.Len() > 0 {
		p.faults = append(p.faults, syntax.Fault{
			Kind: syntax.Unexpected, Span: s.Template, Found: clip(p.src[s.Template.Start:s.Template.End]),
			Wanted: "a name",
		})
	}
	return syntax.Label{Ident: syntax.Ident{Name: s.Value, Span: s.Span}, Quoted: true}
}
