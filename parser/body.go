package parser

import (
	"slices"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// body reads from a block's `{` to its `}`. kind is the place of the block's
// kind, for the fault when the `}` is missing. A body that was begun without a
// brace has an empty Open.
func (p *parser) body(kind source.Span, enum bool) *syntax.Body {
	b := &syntax.Body{}
	if t := p.peek(0); t.Type == tokOpen {
		b.Open = span(t)
		p.i++
	} else {
		b.Open = source.Span{Start: kind.End, End: kind.End}
	}
	b.Items = p.items(b, kind, enum)
	return b
}

// items reads items to the `}` of b, which it uses up, or to the end of the
// file. With b nil it stops before a `}`.
func (p *parser) items(b *syntax.Body, kind source.Span, enum bool) []syntax.Item {
	var items []syntax.Item
	separated := true
	for {
		p.shift()
		t := p.peek(0)
		switch t.Type {
		case tokNewline, tokComma:
			p.i++
			separated = true
			continue
		case tokClose:
			if b == nil {
				return items
			}
			b.Close = span(t)
			if t.Pos.Line&markMade != 0 {
				p.unclosed(b, kind, t)
			}
			p.i++
			return items
		case lexer.EOF, tokReset:
			if b != nil {
				p.unclosed(b, kind, t)
			}
			return items
		}
		items = p.one(items, separated, enum)
		separated = endsWithArrow(items)
	}
}

// endsWithArrow reports whether the last of items is an arrow: no comma is needed
// behind it.
func endsWithArrow(items []syntax.Item) bool {
	_, ok := items[len(items)-1].(*syntax.Arrow)
	return ok
}

// unclosed records that b has no `}`, unless t says that this is known. Blocks
// around b that t leaves open have the same cause.
func (p *parser) unclosed(b *syntax.Body, kind source.Span, t *lexer.Token) {
	if t.Pos.Line&markQuiet == 0 && b.Open.Len() > 0 {
		p.faults = append(p.faults, syntax.Fault{Kind: syntax.UnclosedBlock, Span: b.Open, Related: kind, Found: "{", Wanted: "`}`"})
	}
	if t.Type != tokClose {
		t.Pos.Line |= markQuiet
	}
}

// one reads one item and appends it to items, and with it another when one
// follows that has no comma before it.
func (p *parser) one(items []syntax.Item, separated, enum bool) []syntax.Item {
	t := p.peek(0)
	var last syntax.Item
	if len(items) > 0 {
		last = items[len(items)-1]
	}
	if bad, ok := last.(*syntax.Bad); ok && p.isBad() && p.nextLine(bad.End, start(t)) {
		more := p.bad(true)
		merged := &syntax.Bad{Span: bad.Span.To(more.Span)}
		items[len(items)-1] = merged
		return items
	}
	if !separated && t.Type == tokIdent {
		if line := int32(strings.LastIndexByte(p.src[:start(t)], '\n')); line != p.comma {
			p.comma = line
			p.faults = append(p.faults, syntax.Fault{Kind: syntax.MissingComma, Span: span(t), Found: t.Value, Wanted: "a comma or a new line"})
		}
	}
	return append(items, p.item(enum))
}

// nextLine reports whether at most one line ends between a and b.
func (p *parser) nextLine(a, b int32) bool {
	return a <= b && strings.Count(p.src[a:b], "\n") <= 1
}

// isBad reports whether no item begins with the next token.
func (p *parser) isBad() bool {
	switch p.peek(0).Type {
	case tokIdent, tokArrow, tokSkipped:
		return false
	}
	return true
}

// item reads one item. Two tokens tell which it is.
func (p *parser) item(enum bool) syntax.Item {
	t := p.peek(0)
	switch t.Type {
	case tokIdent:
	case tokArrow:
		p.i++
		return &syntax.Arrow{Span: span(t), Text: t.Value}
	case tokSkipped:
		p.i++
		return &syntax.Bad{Span: span(t)}
	default:
		return p.bad(false)
	}
	word := t.Value
	switch second := p.peek(1).Type; second {
	case tokEquals:
		if enum {
			return p.enumMember()
		}
		return p.attribute()
	case tokColon, tokQuestion:
		return p.field()
	case tokOpen:
		return p.block()
	case tokComma, tokArrow, tokClose, tokCloseRecord, tokReset, lexer.EOF, tokSkipped:
		return p.bare(enum)
	case tokNewline:
		if !enum && (p.braceFollows(1) || p.bodyFollows(1)) {
			return p.block()
		}
		return p.bare(enum)
	case tokString, tokSingle:
		if word == "import" {
			return p.imports()
		}
		if enum {
			return p.enumMember()
		}
		switch p.peek(2).Type {
		case tokOpen, tokIdent, tokString, tokSingle, tokColon:
			return p.block()
		case tokNewline:
			if p.braceFollows(2) || p.bodyFollows(2) {
				return p.block()
			}
		}
		return p.field()
	case tokIdent:
		third := p.peek(2).Type
		switch {
		case enum:
			return p.bare(enum)
		case word == "let":
			return p.let()
		case word == "type" && third == tokEquals:
			return p.alias()
		case word == "import":
			return p.imports()
		case word == "variable" && third == tokColon:
			return p.block()
		case third == tokArrow, third == tokComma, third == tokColon, third == tokQuestion, third == tokEquals, third == tokDot:
			return p.bare(enum)
		}
		return p.block()
	case tokDot:
		if p.peek(2).Type == tokIdent {
			switch p.peek(3).Type {
			case tokIdent, tokString, tokSingle, tokOpen:
				return p.block()
			}
		}
	}
	if enum {
		return p.enumMember()
	}
	p.unexpected(p.peek(1), "`:`, `=` or `{`")
	return p.bad(true)
}

// bare reads a name that stands alone.
func (p *parser) bare(enum bool) syntax.Item {
	t := p.take()
	name := ident(&t)
	if enum {
		return &syntax.EnumMember{Span: name.Span, Name: name}
	}
	return &syntax.Field{Span: name.Span, Name: name}
}

// attribute reads `name = expression`. Its tokens are few and fixed, so no
// production is needed.
func (p *parser) attribute() syntax.Item {
	name, eq := p.take(), p.take()
	a := &syntax.Attribute{Name: ident(&name)}
	a.Value = p.value(&eq)
	a.Span = source.Span{Start: start(&name), End: end(&eq)}
	if a.Value != nil {
		a.Span.End = a.Value.End
	}
	return a
}

// let reads `let name = expression`.
func (p *parser) let() syntax.Item {
	word, name := p.take(), p.take()
	l := &syntax.Let{Name: ident(&name), Span: source.Span{Start: start(&word), End: end(&name)}}
	t := p.peek(0)
	if t.Type != tokEquals {
		p.unexpected(t, "`=`")
		l.Span.End = max(l.Span.End, p.skipItem())
		return l
	}
	eq := p.take()
	l.Value = p.value(&eq)
	l.Span.End = end(&eq)
	if l.Value != nil {
		l.Span.End = l.Value.End
	}
	return l
}

// value reads the expression behind eq.
func (p *parser) value(eq *lexer.Token) *syntax.Expr {
	t := p.peek(0)
	if t.Type == tokRaw {
		p.i++
		return &syntax.Expr{Text: t.Value, Span: span(t), Broken: t.Pos.Line&markBroken != 0}
	}
	if endsItem(t.Type) && t.Type != tokOpen {
		p.faults = append(p.faults, syntax.Fault{Kind: syntax.MissingValue, Span: span(eq), Found: "=", Wanted: "a value"})
		return nil
	}
	// The line was taken for a field's: a comma is missing before this item.
	s := span(t)
	s.End = max(s.End, p.skipItem())
	return &syntax.Expr{Text: p.src[s.Start:s.End], Span: s}
}

// skipItem uses up the rest of an item, to the end of its line or the next
// comma, and returns where it ends; 0 if there is none.
func (p *parser) skipItem() (last int32) {
	depth, bodies := 0, 0
	for {
		t := p.peek(0)
		switch t.Type {
		case lexer.EOF, tokReset:
			return last
		case tokOpen:
			bodies++
		case tokClose:
			if bodies == 0 {
				return last
			}
			if bodies--; bodies == 0 {
				last = max(last, end(t))
				p.i++
				continue
			}
		case tokOpenParen, tokOpenBracket, tokOpenRecord:
			depth++
		case tokCloseParen, tokCloseBracket, tokCloseRecord:
			depth--
		case tokNewline, tokComma:
			if depth <= 0 && bodies == 0 {
				return last
			}
		}
		if t.Type != tokNewline {
			last = max(last, end(t))
		}
		p.i++
		p.shift()
	}
}

// bad reads a line in which no item begins.
func (p *parser) bad(quiet bool) *syntax.Bad {
	t := p.take()
	s := span(&t)
	if !quiet {
		p.unexpected(&t, "an item: `name: type`, `name = value` or `kind name {`")
	}
	if t.Type == tokOpen { // a block without a name
		b := &syntax.Body{Open: s}
		n := len(p.faults)
		p.items(b, s, false)
		p.faults = p.faults[:n]
		s.End = max(s.End, b.Close.End, int32(p.lastBefore()))
		return &syntax.Bad{Span: s}
	}
	n := len(p.faults)
	s.End = max(s.End, p.skipLine())
	if n < len(p.faults) {
		p.faults = append(p.faults[:n], slices.DeleteFunc(slices.Clone(p.faults[n:]), sameLine)...)
	}
	return &syntax.Bad{Span: s}
}

// sameLine reports whether f is of a kind that concerns its own line only, so
// that in a line that is not understood anyway it need not be told.
func sameLine(f syntax.Fault) bool {
	switch f.Kind {
	case syntax.MismatchedCloser, syntax.BadCharacter, syntax.SingleQuotes:
		return true
	case syntax.UnclosedString:
		return f.Found != "" && (f.Found[0] == '"' || f.Found[0] == '\'')
	}
	return false
}

// skipLine uses up the rest of a line, and returns where it ends; 0 if there is
// none.
func (p *parser) skipLine() (last int32) {
	for {
		last = max(last, p.skipItem())
		if p.peek(0).Type != tokComma {
			return last
		}
		p.i++
	}
}

// lastBefore returns where the text before the next token ends.
func (p *parser) lastBefore() int {
	t := p.peek(0)
	return len(strings.TrimRight(p.src[:t.Pos.Offset], " \t\r\n"))
}

// unexpected records a fault at a token that cannot stand where it does.
func (p *parser) unexpected(t *lexer.Token, wanted string) {
	if t.Pos.Line&markQuiet != 0 {
		return
	}
	f := syntax.Fault{Kind: syntax.Unexpected, Span: span(t), Found: clip(t.Value), Wanted: wanted}
	switch t.Type {
	case tokSkipped:
		return
	case tokInvalid:
		f.Kind = syntax.BadCharacter
	case tokClose, tokCloseParen, tokCloseBracket:
		f.Kind, f.Wanted = syntax.StrayCloser, ""
	case tokNewline, lexer.EOF, tokReset:
		f.Found = ""
		f.Start = int32(p.lastBeforeToken(t))
		f.End = f.Start
	}
	p.faults = append(p.faults, f)
}

func (p *parser) lastBeforeToken(t *lexer.Token) int {
	return len(strings.TrimRight(p.src[:t.Pos.Offset], " \t\r\n"))
}

// braceFollows reports whether the line after the newline that is the k-th token
// begins with a `{`. No token behind it is read.
func (p *parser) braceFollows(k int) bool {
	return p.lastPulled(k) && p.pos < len(p.src) && p.src[p.pos] == '{'
}

// bodyFollows reports whether that line looks like the first of a body whose
// brace was forgotten: it is indented further, and an item begins there.
func (p *parser) bodyFollows(k int) bool {
	if !p.lastPulled(k) || p.pos >= len(p.src) {
		return false
	}
	first := p.peek(0)
	return p.column(p.pos) > p.indentOf(first.Pos.Offset) && p.lookAt(p.pos) != looksOther && p.lookAt(p.pos) != looksArrow
}

func (p *parser) lastPulled(k int) bool {
	return p.i+k == p.n-1 && p.head == len(p.queue)
}

// indentOf returns the indentation of the line that holds i.
func (p *parser) indentOf(i int) int {
	from := strings.LastIndexByte(p.src[:i], '\n') + 1
	return len(p.src[from:i]) - len(strings.TrimLeft(p.src[from:i], " \t"))
}
