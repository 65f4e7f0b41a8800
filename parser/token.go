package parser

import (
	"io"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/dspi-lang/dspi/lang/source"
)

// The kinds of token. A brace that opens a body is not the brace of a record
// type: the scanner tells them apart, so that the grammar need not.
const (
	tokIdent lexer.TokenType = iota + 1
	tokNumber
	tokString   // "…", a raw string in backticks, or a heredoc
	tokSingle   // '…'
	tokRaw      // a whole expression
	tokLiteral  // a list or object in brackets, as a default or constraint
	tokArrow    // -> and what people write for it
	tokNewline  // the end of an item's line
	tokComma    // ,
	tokEquals   // =
	tokColon    // :
	tokQuestion // ?
	tokDot      // .
	tokPipe     // |
	tokOperator // any other character of ASCII that expressions know
	tokOpen     // { of a body
	tokClose    // } of a body
	tokOpenRecord
	tokCloseRecord
	tokOpenParen
	tokCloseParen
	tokOpenBracket
	tokCloseBracket
	tokInvalid // a character that begins nothing
	tokSkipped // text that was jumped over; its fault is already recorded
	tokReset   // a line that ends everything open; empty
)

// Marks on a token. They travel in Pos.Line, which has no other use here: places
// are byte offsets.
const (
	markMade   = 1 << iota // not in the text: the scanner closed a bracket itself
	markQuiet              // the fault that goes with it is already recorded
	markBroken             // a fault lies inside
)

var symbols = map[string]lexer.TokenType{
	"EOF": lexer.EOF, "Ident": tokIdent, "Number": tokNumber, "String": tokString,
	"Single": tokSingle, "Raw": tokRaw, "Literal": tokLiteral, "Arrow": tokArrow,
	"Newline": tokNewline, "Comma": tokComma, "Equals": tokEquals, "Colon": tokColon,
	"Question": tokQuestion, "Dot": tokDot, "Pipe": tokPipe, "Operator": tokOperator,
	"Open": tokOpen, "Close": tokClose, "OpenRecord": tokOpenRecord,
	"CloseRecord": tokCloseRecord, "OpenParen": tokOpenParen, "CloseParen": tokCloseParen,
	"OpenBracket": tokOpenBracket, "CloseBracket": tokCloseBracket,
	"Invalid": tokInvalid, "Skipped": tokSkipped, "Reset": tokReset,
}

// definition is the scanner as participle knows it.
type definition struct{}

// Symbols returns the names under which the grammar knows the kinds of token.
func (definition) Symbols() map[string]lexer.TokenType { return symbols }

// Lex returns the tokens of what r holds. The only error is one of reading.
func (d definition) Lex(name string, r io.Reader) (lexer.Lexer, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return d.LexString(name, string(text))
}

// LexString returns the tokens of text. The error is always nil.
func (definition) LexString(_, text string) (lexer.Lexer, error) {
	return newScanner(text), nil
}

// Next returns the next token, or the end of the file. The error is always nil:
// what cannot be read is a token too.
func (s *scanner) Next() (lexer.Token, error) {
	var t lexer.Token
	s.next(&t)
	return t, nil
}

func start(t *lexer.Token) int32 { return int32(t.Pos.Offset) }

func end(t *lexer.Token) int32 {
	if t.Pos.Line&markMade != 0 {
		return int32(t.Pos.Offset)
	}
	return int32(t.Pos.Offset + len(t.Value))
}

func span(t *lexer.Token) source.Span { return source.Span{Start: start(t), End: end(t)} }

// spanOf returns the bytes from the first of the tokens to the last.
func spanOf(tokens []lexer.Token) source.Span {
	if len(tokens) == 0 {
		return source.Span{}
	}
	return source.Span{Start: start(&tokens[0]), End: end(&tokens[len(tokens)-1])}
}
