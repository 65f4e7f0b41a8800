package parser_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"
	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/parser"
)

func seeds(f *testing.F) {
	f.Helper()
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, name := range files {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(ar.Files[0].Data))
	}
	for _, text := range []string{
		"", "\uFEFFa = 1", "a\r\nb {\r\n}", "x = \"${\"${a}\"}\"", "<<", "'", "`", "/*", "type T = {", "x: [T]?", "}", "a -> b => c → d",
	} {
		f.Add(text)
	}
}

func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		file := parser.Parse(source.NewFile("in.dsp", text))
		checkTree(t, file)
		parser.ParseSignature(source.NewFile("in.dsp", text))
		parser.ParseType(source.NewFile("in.dsp", text))
	})
}

// FuzzLex checks that tokens come in the order of the text, do not overlap, are
// the text of their places, leave out nothing but space, commas and comments,
// and end.
func FuzzLex(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		lex, err := parser.Definition.Lex("in.dsp", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		at, count := 0, 0
		for {
			tok, err := lex.Next()
			if err != nil {
				t.Fatal(err)
			}
			if tok.Type == lexer.EOF {
				return
			}
			if count++; count > 4*len(text)+400 {
				t.Fatalf("%q: %d tokens and no end", text, count)
			}
			if tok.Pos.Offset < at || tok.Pos.Offset > len(text) {
				t.Fatalf("%q: token %q at %d after %d", text, tok.Value, tok.Pos.Offset, at)
			}
			at = tok.Pos.Offset
			if !parser.Made(tok) {
				if !strings.HasPrefix(text[at:], tok.Value) && !strings.ContainsAny(tok.Value, ")]") {
					t.Fatalf("%q: token %q at %d is not there", text, tok.Value, at)
				}
				at += len(tok.Value)
			}
		}
	})
}
