package parser

import (
	"errors"
	"sync"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// The productions of one item, for participle. A field Tokens receives the
// tokens of its node, and with them its place.

// fieldNode is `name?: TYPE = DEFAULT "description"`.
type fieldNode struct {
	Tokens      []lexer.Token
	Name        lexer.Token  `parser:"@Ident"`
	Optional    bool         `parser:"@Question?"`
	Type        *unionNode   `parser:"( Colon @@? )?"`
	Default     *defaultNode `parser:"( Equals @@? )?"`
	Description lexer.Token  `parser:"@( String | Single )?"`
}

// unionNode is `A | B`.
type unionNode struct {
	Tokens  []lexer.Token
	Members []*postfixNode `parser:"Pipe? @@ ( Pipe @@ )*"`
}

// postfixNode is `T?` or `T[]`, any number of times.
type postfixNode struct {
	Tokens   []lexer.Token
	Type     *primaryNode  `parser:"@@"`
	Suffixes []*suffixNode `parser:"@@*"`
}

// suffixNode is `?` or `[]`.
type suffixNode struct {
	Tokens []lexer.Token
	Slice  bool `parser:"Question | @OpenBracket CloseBracket"`
}

// primaryNode is a type without its suffixes.
type primaryNode struct {
	Named   *namedNode   `parser:"  @@"`
	Record  *recordNode  `parser:"| @@"`
	Literal *literalNode `parser:"| @@"`
	Paren   *unionNode   `parser:"| OpenParen @@ CloseParen"`
}

// namedNode is `list[T](max_items = 3)` or `rag.Passage`.
type namedNode struct {
	Tokens []lexer.Token
	Name   lexer.Token `parser:"@Ident"`
	Member lexer.Token `parser:"( Dot @Ident )?"`
	Args   *argsNode   `parser:"@@?"`
	Params *paramsNode `parser:"@@?"`
}

// argsNode is `[T, U]`.
type argsNode struct {
	Tokens []lexer.Token
	Types  []*unionNode `parser:"OpenBracket ( @@ ( Comma @@ )* Comma? )? CloseBracket"`
}

// paramsNode is `(min = 1, max = 5)`.
type paramsNode struct {
	Tokens []lexer.Token
	Params []*paramNode `parser:"OpenParen ( @@ ( Comma @@ )* Comma? )? CloseParen"`
}

// paramNode is `min = 1` or `1536`.
type paramNode struct {
	Tokens []lexer.Token
	Name   *nameNode `parser:"( @@ Equals )?"`
	Value  *runNode  `parser:"@@"`
}

// nameNode is a name.
type nameNode struct {
	Name lexer.Token `parser:"@Ident"`
}

// literalNode is `"angry"`, `1` or `-1` in the place of a type. The words true,
// false and null are names to the grammar.
type literalNode struct {
	Tokens []lexer.Token
	Value  string `parser:"@( String | Single | Number | Operator Number )"`
}

// enumNode is `NAME = "shown" "meaning"`.
type enumNode struct {
	Tokens      []lexer.Token
	Name        lexer.Token `parser:"@Ident"`
	Shown       lexer.Token `parser:"( Equals @( String | Single ) )?"`
	Description lexer.Token `parser:"@( String | Single )?"`
}

// headNode is what precedes a block's `{`.
type headNode struct {
	Tokens []lexer.Token
	Kind   lexer.Token  `parser:"@Ident"`
	Member lexer.Token  `parser:"( Dot @Ident )?"`
	Labels []*labelNode `parser:"@@*"`
	Colon  bool         `parser:"( @Colon"`
	Type   *unionNode   `parser:"  @@? )?"`
}

// labelNode is a block's name.
type labelNode struct {
	Token lexer.Token `parser:"@( Ident | String | Single )"`
}

// importNode is `import "path" as NAME`.
type importNode struct {
	Tokens []lexer.Token
	Word   lexer.Token `parser:"@Ident"`
	Path   lexer.Token `parser:"@( String | Single )"`
	Alias  *nameNode   `parser:"( 'as' @@ )?"`
}

// aliasNode is `type NAME = TYPE`.
type aliasNode struct {
	Tokens []lexer.Token
	Word   lexer.Token `parser:"@Ident"`
	Name   lexer.Token `parser:"@Ident Equals"`
	Type   *unionNode  `parser:"@@?"`
}

// runNode is a constraint's value: every token to the next comma or closing
// bracket. Only a literal is right there, and the checker says so.
type runNode struct{ Tokens []lexer.Token }

// Parse implements participle.Parseable.
func (n *runNode) Parse(lex *lexer.PeekingLexer) error {
	from := lex.RawCursor()
	n.take(lex, func(depth int, t *lexer.Token) bool {
		return depth == 0 && (t.Type == tokComma || t.Type == tokCloseParen || t.Type == tokCloseBracket)
	})
	n.Tokens = lex.Range(from, lex.RawCursor())
	if len(n.Tokens) == 0 {
		return participle.NextMatch
	}
	return nil
}

// take consumes tokens until stop says so or the item ends.
func (n *runNode) take(lex *lexer.PeekingLexer, stop func(depth int, t *lexer.Token) bool) {
	depth := 0
	for {
		t := lex.Peek()
		if t.EOF() || stop(depth, t) || depth == 0 && endsItem(t.Type) {
			return
		}
		switch t.Type {
		case tokOpenParen, tokOpenBracket, tokOpenRecord:
			depth++
		case tokCloseParen, tokCloseBracket, tokCloseRecord:
			if depth == 0 {
				return
			}
			depth--
		}
		lex.Next()
	}
}

// endsItem reports whether an item ends before a token of type t, outside of brackets.
func endsItem(t lexer.TokenType) bool {
	switch t {
	case tokNewline, tokComma, tokArrow, tokOpen, tokClose, tokCloseRecord, tokReset, tokSkipped, lexer.EOF:
		return true
	}
	return false
}

// defaultNode is a field's default: a literal. More than one token is taken when
// it cannot be the description, so that the checker can say what belongs there.
type defaultNode struct{ Tokens []lexer.Token }

// Parse implements participle.Parseable.
func (n *defaultNode) Parse(lex *lexer.PeekingLexer) error {
	from := lex.RawCursor()
	last := tokEquals
	(&runNode{}).take(lex, func(depth int, t *lexer.Token) bool {
		operand := last == tokIdent || last == tokNumber || last == tokString || last == tokSingle ||
			last == tokLiteral || last == tokCloseParen || last == tokCloseBracket
		last = t.Type
		return depth == 0 && operand && (t.Type == tokString || t.Type == tokSingle || t.Type == tokIdent || t.Type == tokNumber)
	})
	n.Tokens = lex.Range(from, lex.RawCursor())
	if len(n.Tokens) == 0 {
		return participle.NextMatch
	}
	return nil
}

// recordNode is `{ asked: bool, amount: float? }`. Its items are read one by one,
// as a body's are, so that a mistake in one leaves the others whole.
type recordNode struct {
	Tokens  []lexer.Token
	Entries []entryNode
}

// entryNode is an item of a record: a field, or tokens that are none.
type entryNode struct {
	Field   *fieldNode
	Tokens  []lexer.Token // all of the item's
	Trouble *trouble
	Joined  bool // no comma before it
}

// trouble is a token that cannot stand where it does.
type trouble struct {
	Token lexer.Token
	After lexer.Token // the token before it
}

var errRecord = errors.New("the record is not closed")

// Parse implements participle.Parseable.
func (n *recordNode) Parse(lex *lexer.PeekingLexer) error {
	if lex.Peek().Type != tokOpenRecord {
		return participle.NextMatch
	}
	begin := lex.RawCursor()
	lex.Next()
	separated := true
	for {
		t := lex.Peek()
		switch t.Type {
		case tokNewline, tokComma:
			lex.Next()
			separated = true
			continue
		case tokCloseRecord:
			lex.Next()
			n.Tokens = lex.Range(begin, lex.RawCursor())
			return nil
		case lexer.EOF:
			return errRecord
		}
		from := lex.RawCursor()
		e := entryNode{Joined: !separated}
		separated = false
		if t.Type == tokIdent {
			before := lex.MakeCheckpoint()
			field, err := productions().field.ParseFromLexer(lex, participle.AllowTrailing(true))
			e.Field = field
			next := lex.Peek()
			if err != nil || !endsItem(next.Type) && next.Type != tokIdent {
				lex.LoadCheckpoint(before)
				e.Trouble = findTrouble(lex, from, err)
			}
		} else {
			e.Trouble = &trouble{Token: *t}
		}
		if e.Trouble != nil {
			run := &runNode{}
			run.take(lex, func(depth int, t *lexer.Token) bool { return false })
			if lex.RawCursor() == from {
				lex.Next() // a token that ends items but cannot stand in a record
			}
		}
		e.Tokens = lex.Range(from, lex.RawCursor())
		n.Entries = append(n.Entries, e)
	}
}

// findTrouble returns the token at which a field, that begins at from, stops
// making sense. lex stands at from and is left there.
func findTrouble(lex *lexer.PeekingLexer, from lexer.RawCursor, err error) *trouble {
	before := lex.MakeCheckpoint()
	defer lex.LoadCheckpoint(before)
	if err == nil {
		_, err = productions().field.ParseFromLexer(lex)
		lex.LoadCheckpoint(before)
	}
	return troubleAt(lex, err)
}

// troubleAt finds the token at which err says that a production failed. lex
// stands before it.
func troubleAt(lex *lexer.PeekingLexer, err error) *trouble {
	at := -1
	var perr participle.Error
	if errors.As(err, &perr) {
		at = perr.Position().Offset
	}
	var prev lexer.Token
	for {
		t := lex.Peek()
		if t.EOF() || t.Pos.Offset >= at && t.Pos.Line&markMade == 0 {
			return &trouble{Token: *t, After: prev}
		}
		prev = *lex.Next()
	}
}

// grammars are the parsers of the productions.
type grammars struct {
	field *participle.Parser[fieldNode]
	typ   *participle.Parser[unionNode]
	enum  *participle.Parser[enumNode]
	head  *participle.Parser[headNode]
	imp   *participle.Parser[importNode]
	alias *participle.Parser[aliasNode]
}

// productions builds the parsers, once. They cannot be package variables:
// their initialisation would precede that of the table of symbols.
var productions func() *grammars

func init() {
	productions = sync.OnceValue(func() *grammars {
		lex := participle.Lexer(definition{})
		return &grammars{
			field: participle.MustBuild[fieldNode](lex),
			typ:   participle.MustBuild[unionNode](lex),
			enum:  participle.MustBuild[enumNode](lex),
			head:  participle.MustBuild[headNode](lex),
			imp:   participle.MustBuild[importNode](lex),
			alias: participle.MustBuild[aliasNode](lex),
		}
	})
}
