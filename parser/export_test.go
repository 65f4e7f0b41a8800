package parser

import "github.com/alecthomas/participle/v2/lexer"

// Definition is the scanner, for tests.
var Definition lexer.Definition = definition{}

// Made reports whether the scanner made t up.
func Made(t lexer.Token) bool { return t.Pos.Line&markMade != 0 }
