package parser

import (
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

func ident(t *lexer.Token) syntax.Ident { return syntax.Ident{Name: t.Value, Span: span(t)} }

// path returns `name` or, with a member, `name.member`.
func path(name, member *lexer.Token) []syntax.Ident {
	if member.Type == 0 {
		return []syntax.Ident{ident(name)}
	}
	return []syntax.Ident{ident(name), ident(member)}
}

// str returns the string literal t, nil if there is none.
func (p *parser) str(t *lexer.Token) *syntax.String {
	if t.Type == 0 {
		return nil
	}
	if t.Type == tokSingle && !p.shortForm && t.Pos.Line&markBroken == 0 {
		p.faults = append(p.faults, syntax.Fault{Kind: syntax.SingleQuotes, Span: span(t), Found: clip(t.Value), Wanted: "a string in `\"…\"`"})
	}
	return p.text(t)
}

// expr returns the text of tokens as an expression, nil if there are none.
func (p *parser) expr(tokens []lexer.Token) *syntax.Expr {
	if len(tokens) == 0 {
		return nil
	}
	s := spanOf(tokens)
	e := &syntax.Expr{Text: p.src[s.Start:s.End], Span: s}
	for i := range tokens {
		e.Broken = e.Broken || tokens[i].Pos.Line&markBroken != 0
	}
	return e
}

// fieldOf lowers a field that the grammar accepted.
func (p *parser) fieldOf(n *fieldNode) *syntax.Field {
	f := &syntax.Field{Span: spanOf(n.Tokens), Name: ident(&n.Name), Optional: n.Optional}
	if n.Type != nil {
		f.Type = p.typ(n.Type)
	} else if mark := typeMark(n); mark != nil && p.deep {
		f.Type = &syntax.BadType{Span: source.Span{Start: end(mark), End: end(mark)}} // what stood there was jumped over
	} else if mark != nil {
		p.faults = append(p.faults, syntax.Fault{Kind: syntax.MissingType, Span: span(mark), Found: mark.Value, Wanted: "a type"})
		f.Type = &syntax.BadType{Span: source.Span{Start: end(mark), End: end(mark)}}
	}
	if n.Default != nil {
		f.Default = p.expr(n.Default.Tokens)
	} else {
		for i := range n.Tokens {
			if t := &n.Tokens[i]; t.Type == tokEquals && (i+1 == len(n.Tokens) || n.Description.Pos == n.Tokens[i+1].Pos && n.Description.Type != 0) {
				p.faults = append(p.faults, syntax.Fault{Kind: syntax.MissingValue, Span: span(t), Found: "=", Wanted: "a value"})
				break
			}
		}
	}
	f.Description = p.str(&n.Description)
	return f
}

// typeMark returns the `:` of a field, or its `?`, when no type follows.
func typeMark(n *fieldNode) *lexer.Token {
	for i := range n.Tokens {
		if i < 3 && n.Tokens[i].Type == tokColon {
			return &n.Tokens[i]
		}
	}
	if n.Optional && len(n.Tokens) > 1 {
		return &n.Tokens[1]
	}
	return nil
}

// brokenField lowers a field of which only the name is sure. tokens are all of
// the item's; complete says that the production accepted what precedes tr.
func (p *parser) brokenField(n *fieldNode, tokens []lexer.Token, tr *trouble, complete bool) *syntax.Field {
	f := &syntax.Field{Span: spanOf(tokens), Name: ident(&tokens[0])}
	colon := 0
	for i := range tokens {
		if tokens[i].Type == tokColon {
			colon = i
			break
		}
		if tokens[i].Type == tokQuestion {
			f.Optional = true
		}
	}
	if complete && n != nil && n.Type != nil {
		f.Type = p.typ(n.Type)
	} else if colon > 0 {
		rest := tokens[colon+1:]
		if k := len(rest) - 1; k > 0 && (rest[k].Type == tokString || rest[k].Type == tokSingle) && rest[k-1].Type != tokPipe && rest[k-1].Type != tokEquals {
			f.Description = p.str(&rest[k])
			rest = rest[:k]
		}
		s := spanOf(rest)
		if len(rest) == 0 {
			s = source.Span{Start: end(&tokens[colon]), End: end(&tokens[colon])}
		}
		f.Type = &syntax.BadType{Span: s}
	}
	p.unexpected(&tr.Token, wantedAfter(tr.After.Type, false))
	return f
}

// wantedAfter says what could stand after a token, in a field or type.
func wantedAfter(t lexer.TokenType, alone bool) string {
	switch t {
	case tokColon, tokPipe, tokOpenBracket:
		return "a type"
	case 0:
		if alone {
			return "a type"
		}
		return "a name"
	case tokOpenParen:
		return "a constraint such as `min = 1`"
	case tokEquals:
		return "a value"
	case tokDot:
		return "a name"
	case tokComma:
		return "a type or a constraint"
	}
	if alone {
		return "the end of the type"
	}
	return "`=`, a description in quotes, a comma or a new line"
}

// typ lowers a type.
func (p *parser) typ(n *unionNode) syntax.TypeExpr {
	if len(n.Members) == 1 {
		return p.postfix(n.Members[0])
	}
	u := &syntax.UnionType{Span: spanOf(n.Tokens), Members: make([]syntax.TypeExpr, len(n.Members))}
	for i, m := range n.Members {
		u.Members[i] = p.postfix(m)
	}
	return u
}

func (p *parser) postfix(n *postfixNode) syntax.TypeExpr {
	t := p.primary(n.Type)
	if len(n.Suffixes) > maxDepth {
		p.faults = append(p.faults, syntax.Fault{Kind: syntax.TooDeep, Span: spanOf(n.Suffixes[maxDepth].Tokens)})
		return &syntax.BadType{Span: spanOf(n.Tokens)}
	}
	for _, suffix := range n.Suffixes {
		s := source.Span{Start: start(&n.Tokens[0]), End: spanOf(suffix.Tokens).End}
		if suffix.Slice {
			t = &syntax.SliceType{Span: s, Elem: t}
		} else {
			t = &syntax.OptionalType{Span: s, Elem: t}
		}
	}
	return t
}

func (p *parser) primary(n *primaryNode) syntax.TypeExpr {
	switch {
	case n.Named != nil:
		return p.named(n.Named)
	case n.Record != nil:
		return p.record(n.Record)
	case n.Literal != nil:
		return p.literalType(n.Literal.Tokens)
	case n.Paren != nil:
		return p.typ(n.Paren)
	}
	return &syntax.BadType{}
}

func (p *parser) named(n *namedNode) syntax.TypeExpr {
	whole := spanOf(n.Tokens)
	if len(n.Tokens) == 1 {
		switch n.Name.Value {
		case "true", "false":
			return &syntax.LiteralType{Span: whole, Value: n.Name.Value == "true"}
		case "null":
			return &syntax.LiteralType{Span: whole}
		}
	}
	t := &syntax.NamedType{Span: whole, Path: path(&n.Name, &n.Member)}
	if n.Params != nil {
		for _, param := range n.Params.Params {
			out := syntax.Param{Span: spanOf(param.Tokens), Value: p.expr(param.Value.Tokens)}
			if param.Name != nil {
				name := ident(&param.Name.Name)
				out.Name = &name
			}
			t.Params = append(t.Params, out)
		}
	}
	if n.Args == nil {
		return t
	}
	if len(n.Args.Types) == 0 && len(t.Path) == 1 && !generic(t.Path[0].Name) {
		t.Span = t.Path[0].Span
		return &syntax.SliceType{Span: whole, Elem: t}
	}
	t.HasArgs = true
	for _, a := range n.Args.Types {
		t.Args = append(t.Args, p.typ(a))
	}
	return t
}

// generic reports whether a type of this name takes arguments, in dspi or in the
// languages people come from: with it, `name[]` lacks an argument, with any
// other `name[]` is a list of them.
func generic(name string) bool {
	switch strings.ToLower(name) {
	case "list", "map", "tuple", "dict", "set", "optional", "union", "literal", "array", "record",
		"sequence", "iterable", "mapping", "frozenset":
		return true
	}
	return false
}

func (p *parser) record(n *recordNode) syntax.TypeExpr {
	r := &syntax.RecordType{Span: spanOf(n.Tokens)}
	for i := range n.Entries {
		e := &n.Entries[i]
		if e.Joined && e.Tokens[0].Type == tokIdent {
			t := &e.Tokens[0]
			p.faults = append(p.faults, syntax.Fault{Kind: syntax.MissingComma, Span: span(t), Found: t.Value, Wanted: "a comma or a new line"})
		}
		switch {
		case e.Trouble == nil:
			r.Items = append(r.Items, p.fieldOf(e.Field))
		case e.Field != nil:
			r.Items = append(r.Items, p.brokenField(e.Field, e.Tokens, e.Trouble, false))
		default:
			p.unexpected(&e.Trouble.Token, "a field: `name: type`")
			r.Items = append(r.Items, &syntax.Bad{Span: spanOf(e.Tokens)})
		}
	}
	return r
}

// literalType lowers a string or number in the place of a type.
func (p *parser) literalType(tokens []lexer.Token) syntax.TypeExpr {
	whole := spanOf(tokens)
	last := &tokens[len(tokens)-1]
	if last.Type != tokNumber {
		s := p.str(last)
		if s.Template.Len() > 0 {
			p.faults = append(p.faults, syntax.Fault{
				Kind: syntax.Unexpected, Span: s.Template, Found: clip(p.src[s.Template.Start:s.Template.End]),
				Wanted: "a string without `${…}`",
			})
		}
		return &syntax.LiteralType{Span: whole, Value: s.Value}
	}
	text := last.Value
	if len(tokens) == 2 {
		if tokens[0].Value != "-" {
			p.unexpected(&tokens[0], "a type")
			return &syntax.BadType{Span: whole}
		}
		text = "-" + text
	}
	text = strings.ReplaceAll(text, "_", "")
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return &syntax.LiteralType{Span: whole, Value: int(n)}
	}
	if x, err := strconv.ParseFloat(text, 64); err == nil && !strings.ContainsAny(text, "xXpP") {
		return &syntax.LiteralType{Span: whole, Value: x}
	}
	p.unexpected(last, "a number")
	return &syntax.BadType{Span: whole}
}
