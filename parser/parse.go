package parser

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// Parse reads a file. It returns a tree whatever the text is: the tree's faults
// say what was not understood, in the order of the text.
func Parse(src *source.File) *syntax.File {
	f := &syntax.File{Source: src}
	if i := strings.IndexByte(src.Text, 0); i >= 0 {
		whole := source.Span{Start: 0, End: int32(len(src.Text))}
		f.Items = []syntax.Item{&syntax.Bad{Span: whole}}
		f.Faults = []syntax.Fault{{
			Kind: syntax.BadCharacter, Span: source.Span{Start: int32(i), End: int32(i) + 1},
			Found: "\x00", Wanted: "text",
		}}
		return f
	}
	p := newParser(src)
	f.Items = p.fileItems()
	f.Comments = p.comments
	f.Faults = p.sortedFaults()
	return f
}

// ParseSignature reads the short form of a signature, `question, context:
// list[str] -> answer: float`: fields and an arrow, names without a type
// allowed, strings in either quotes.
func ParseSignature(src *source.File) (items []syntax.Item, comments []syntax.Comment, faults []syntax.Fault) {
	p := newParser(src)
	p.shortForm = true
	items = p.items(nil, source.Span{}, false)
	for p.peek(0).Type != lexer.EOF { // a closing brace too many
		items = append(items, p.bad(false))
		items = append(items, p.items(nil, source.Span{}, false)...)
	}
	return items, p.comments, p.sortedFaults()
}

// ParseType reads one type, `list[string](max_items = 3)?`. The type is never nil.
func ParseType(src *source.File) (syntax.TypeExpr, []syntax.Fault) {
	p := newParser(src)
	p.top().typed = true
	p.prev, p.fresh = tokColon, false // so that a brace opens a record
	p.fill()
	all := source.Span{Start: 0, End: int32(len(src.Text))}
	node, err := run(p, productions().typ, true)
	next := p.peek(0)
	if next.Type == tokNewline {
		next = p.peek(1)
	}
	if err == nil && next.Type == lexer.EOF {
		return p.typ(node), p.sortedFaults()
	}
	if err == nil {
		p.i = 0
		_, err = run(p, productions().typ, false)
	}
	p.i = 0
	p.rewind()
	tr := troubleAt(p.lex, err)
	p.unexpected(&tr.Token, wantedAfter(tr.After.Type, true))
	return &syntax.BadType{Span: all}, p.sortedFaults()
}

// parser turns the scanner's tokens into items. The tokens of the item being
// read stand in a window that participle reads too.
type parser struct {
	scanner
	window []lexer.Token // the tokens of lex itself
	n, i   int           // how many there are, and how many are used up
	lex    *lexer.PeekingLexer
	begin  lexer.Checkpoint
	comma  int32 // the line in which a missing comma was last reported
}

func newParser(src *source.File) *parser {
	p := &parser{scanner: *newScanner(src.LF()), comma: -2}
	if !utf8.ValidString(src.Text) {
		i := invalidByte(src.Text)
		p.faults = append(p.faults, syntax.Fault{
			Kind: syntax.BadCharacter, Span: source.Span{Start: int32(i), End: int32(i) + 1},
			Found: src.Text[i : i+1], Wanted: "text in UTF-8",
		})
	}
	p.grow(64)
	return p
}

func invalidByte(text string) int {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return i
			}
		}
	}
	return 0
}

// blanksOf gives a PeekingLexer its room.
type blanksOf struct{ n int }

// Next returns n empty tokens, then the end.
func (b *blanksOf) Next() (lexer.Token, error) {
	if b.n == 0 {
		return lexer.EOFToken(lexer.Position{}), nil
	}
	b.n--
	return lexer.Token{Type: tokNewline}, nil
}

// grow makes a window of n tokens. PeekingLexer.Range gives out its own slice:
// tokens written there are what it reads, so that one is enough for a file.
func (p *parser) grow(n int) {
	lex, _ := lexer.Upgrade(&blanksOf{n})
	p.lex, p.begin = lex, lex.MakeCheckpoint()
	window := lex.Range(0, lexer.RawCursor(n+1))
	copy(window, p.window[:p.n])
	p.window = window
}

// shift drops the tokens that are used up.
func (p *parser) shift() {
	if p.i > 0 {
		p.n = copy(p.window, p.window[p.i:p.n])
		p.i = 0
	}
}

// peek returns the k-th token from here on.
func (p *parser) peek(k int) *lexer.Token {
	for p.i+k >= p.n {
		p.pull()
	}
	return &p.window[p.i+k]
}

func (p *parser) pull() {
	if p.n+2 > len(p.window) { // one place is for the end
		p.grow(2 * len(p.window))
	}
	p.next(&p.window[p.n])
	p.n++
}

// take uses up the next token and returns a copy.
func (p *parser) take() lexer.Token {
	t := *p.peek(0)
	p.i++
	return t
}

// fill pulls the tokens of the item that begins here.
func (p *parser) fill() {
	depth := 0
	for k := 0; ; k++ {
		switch t := p.peek(k).Type; t {
		case tokOpenParen, tokOpenBracket, tokOpenRecord:
			depth++
		case tokCloseParen, tokCloseBracket, tokCloseRecord:
			depth--
		case lexer.EOF, tokReset:
			return
		default:
			if depth <= 0 && endsItem(t) {
				return
			}
		}
		if k == maxParts && !p.deep {
			p.tooDeep(p.last)
		}
	}
}

// rewind puts participle's cursor where ours is.
func (p *parser) rewind() {
	p.lex.LoadCheckpoint(p.begin)
	if p.i > 0 {
		p.lex.FastForward(lexer.RawCursor(p.i - 1))
	}
}

// run parses a production at the next token, in the tokens of this item.
func run[G any](p *parser, g *participle.Parser[G], trailing bool) (*G, error) {
	p.fill()
	p.window[p.n] = lexer.EOFToken(lexer.Position{Offset: p.last})
	p.rewind()
	node, err := g.ParseFromLexer(p.lex, participle.AllowTrailing(trailing))
	p.i = int(p.lex.RawCursor())
	return node, err
}

// fileItems reads the items of a file.
func (p *parser) fileItems() []syntax.Item {
	var items []syntax.Item
	separated := true
	for {
		p.shift()
		t := p.peek(0)
		switch t.Type {
		case lexer.EOF:
			return items
		case tokNewline, tokReset, tokComma:
			p.i++
			separated = true
			continue
		}
		items = p.topItem(items, separated)
		separated = endsWithArrow(items)
	}
}

// topItem reads one item of a file, a second time when its braces do not balance,
// and appends it to items.
func (p *parser) topItem(items []syntax.Item, separated bool) []syntax.Item {
	at, n := p.peek(0).Pos.Offset, len(items)
	var last syntax.Item // replaced when what follows is merged with it
	if n > 0 {
		last = items[n-1]
	}
	p.unbalanced, p.deep = false, false
	items = p.one(items, separated, false)
	if (p.unbalanced && !p.deep) || p.closedEarly(items[len(items)-1]) {
		items = items[:n]
		if n > 0 {
			items[n-1] = last
		}
		p.again(at)
		p.guided = true
		items = p.one(items, separated, false)
		p.guided = false
	}
	return items
}

// again forgets what was read from pos on, where a top-level item begins.
func (p *parser) again(pos int) {
	p.faults = slices.DeleteFunc(p.faults, func(f syntax.Fault) bool { return int(f.Start) >= pos && !invalidText(f) })
	p.comments = slices.DeleteFunc(p.comments, func(c syntax.Comment) bool { return int(c.Start) >= pos })
	p.waste += p.pos - pos
	p.restart(pos)
	p.n, p.i = 0, 0
	p.comma = -2
}

func invalidText(f syntax.Fault) bool {
	return f.Kind == syntax.BadCharacter && f.Wanted == "text in UTF-8"
}

// closedEarly reports whether the block's `}` looks as if it were meant for an
// inner block, and one too many follows.
func (p *parser) closedEarly(it syntax.Item) bool {
	b, ok := it.(*syntax.Block)
	if !ok || b.Body == nil || b.Body.Close.Len() == 0 || p.waste > 4*len(p.src)+1<<16 {
		return false
	}
	i := int(b.Body.Close.Start)
	col, indent := p.column(i), p.column(int(b.Start))
	if col <= indent || strings.TrimSpace(p.src[i-col:i]) != "" {
		return false
	}
	s := newScanner(p.src)
	s.restart(int(b.Body.Close.End))
	s.fresh = false
	defer func() { p.waste += s.pos - i }()
	depth := 0
	for {
		var t lexer.Token
		s.next(&t)
		switch t.Type {
		case lexer.EOF, tokReset:
			return false
		case tokOpen:
			depth++
		case tokClose:
			if depth--; depth < 0 {
				return true
			}
		case tokIdent:
			if depth == 0 && s.column(t.Pos.Offset) == 0 && s.resets(t.Pos.Offset) {
				return false
			}
		}
	}
}

func (p *parser) sortedFaults() []syntax.Fault {
	slices.SortStableFunc(p.faults, func(a, b syntax.Fault) int { return int(a.Start) - int(b.Start) })
	return p.faults
}
