package lsp_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lsp"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/parser/format"
)

// laid lays a text out behind what was typed before its mark, and returns what an
// editor then shows, with the mark where the cursor stands.
func laid(t testing.TB, text string, ask func(v *lsp.View, at int32) []protocol.TextEdit) string {
	t.Helper()
	text, marks := unmarked(text)
	s := snapshot.NewSession(options())
	s.Open("untitled:a", 1, text)
	v, err := lsp.Look(s.Snapshot(), "untitled:a")
	if err != nil {
		t.Fatal(err)
	}
	at := marks[0]
	edits := ask(v, at)
	end := int32(len(text))
	for _, e := range slices.Backward(edits) {
		span := v.Span(e.Range)
		if span.End > end {
			t.Errorf("%q: edits touch each other: %v", text, edits)
		}
		end = span.Start
		text = text[:span.Start] + e.NewText + text[span.End:]
		switch {
		case span.End <= at:
			at += int32(len(e.NewText)) - int32(span.Len())
		case span.Start < at: // the cursor stood in what is replaced
			at = span.Start + min(at-span.Start, int32(len(e.NewText)))
		}
	}
	return text[:at] + mark + text[at:]
}

func onType(v *lsp.View, at int32) []protocol.TextEdit {
	c := v.File.Source().Text[at-1 : at]
	if at > 0 && c == "\r" || c == " " || c == "\t" {
		c = "\n"
	}
	return lsp.FormatOnType(v, at, c)
}

// TestTyped types a brace or a new line at odd places: what was written stays, and the
// cursor stands where one goes on.
func TestTyped(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"new line in a block", "program p {\n  a: string -> b: string\n·\n}\n",
			"program p {\n  a: string -> b: string\n  ·\n}\n"},
		{"new line in an unclosed block", "program p {\n  a: string -> b: string\n  predict x {\n·",
			"program p {\n  a: string -> b: string\n  predict x {\n    ·"},
		{"unclosed block before others", "program p {\n·\nprogram q {\n  a: string -> b: string\n}\n",
			"program p {\n  ·\nprogram q {\n  a: string -> b: string\n}\n"},
		{"text behind the cursor", "program p {\n  a: string -> b: string\n  inputs { x = y\n·}\n}\n",
			"program p {\n  a: string -> b: string\n  inputs { x = y\n  ·}\n}\n"},
		{"brace behind the cursor", "program p {\n  a: string -> b: string\n  predict x {\n·}\n}\n",
			"program p {\n  a: string -> b: string\n  predict x {\n  ·}\n}\n"},
		{"a list is open", "program p {\n  a: string -> b: string\n  react x {\n    tools = [\n      ·\n  }\n}\n",
			"program p {\n  a: string -> b: string\n  react x {\n    tools = [\n      ·\n  }\n}\n"},
		{"a list that is closed", "program p {\n  a: string -> b: string\n  react x {\n    tools = [\n      ·\n    ]\n  }\n}\n",
			"program p {\n  a: string -> b: string\n  react x {\n    tools = [\n      ·\n    ]\n  }\n}\n"},
		{"heredoc without its end", "program p {\n  a: string -> b: string\n  predict x {\n    instructions = <<-EOT\n      ·\n  }\n}\n",
			"program p {\n  a: string -> b: string\n  predict x {\n    instructions = <<-EOT\n      ·\n  }\n}\n"},
		{"heredoc without its end at the end", "program p {\n  predict x {\n    instructions = <<-EOT\n      Two  words\n        ·",
			"program p {\n  predict x {\n    instructions = <<-EOT\n      Two  words\n        ·"},
		{"in a heredoc", "program p {\n  a: string -> b: string\n  predict x {\n    instructions = <<-EOT\n        a\n        ·\n      b\n    EOT\n  }\n}\n",
			"program p {\n  a: string -> b: string\n  predict x {\n    instructions = <<-EOT\n        a\n        ·\n      b\n    EOT\n  }\n}\n"},
		{"behind a heredoc", "program p {\n  a: string -> b: string\n  predict x {\n    instructions = <<-EOT\n      a  b\n    EOT\n·\n  }\n}\n",
			"program p {\n  a: string -> b: string\n  predict x {\n    instructions = <<-EOT\n      a  b\n    EOT\n    ·\n  }\n}\n"},
		{"CRLF", "program p {\r\n  a:string->b: string\r\n·\r\n}\r\n",
			"program p {\r\n  a: string -> b: string\r\n  ·\r\n}\r\n"},
		{"CRLF in a nested block", "program p {\r\n  a: string -> b: string\r\n  predict x {\r\n·\r\n  }\r\n}\r\n",
			"program p {\r\n  a: string -> b: string\r\n  predict x {\r\n    ·\r\n  }\r\n}\r\n"},
		{"tabs", "program p {\n\ta: string -> b: string\n\tpredict x {\n\t\ttemperature=0.5\n\t\t·\n\t}\n}\n",
			"program p {\n\ta: string -> b: string\n\tpredict x {\n    temperature = 0.5\n    ·\n\t}\n}\n"},
		{"comment at the end of the line", "program p {\n  a:string->b: string # why\n·\n}\n",
			"program p {\n  a: string -> b: string  # why\n  ·\n}\n"},
		{"in a comment", "program p {\n  /* a\n     ·\n  b */\n  a: string -> b: string\n}\n",
			"program p {\n  /* a\n     ·\n  b */\n  a: string -> b: string\n}\n"},
		{"comment without its end", "program p {\n  /* a\n     ·",
			"program p {\n  /* a\n     ·"},
		{"texts that differ in spaces", "program p {\n  q: string -> a: string\n  let   x = \"ab\"\n  let   x = \"a b\"\n·\n}\n",
			"program p {\n  q: string -> a: string\n  let   x = \"ab\"\n  let x = \"a b\"\n  ·\n}\n"},
		{"empty line twice", "program p {\n  q: string -> a: string\n  \n  ·\n}\n",
			"program p {\n  q: string -> a: string\n\n  ·\n}\n"},
		{"top level", "variable   k: int { default=4 }\n·",
			"variable k: int { default = 4 }\n·"},
		{"middle of a line", "program p {\n  question: string\n·-> answer: string\n}\n",
			"program p {\n  question: string\n  ·-> answer: string\n}\n"},
		{"middle of an expression", "program p {\n  a: int -> b: int\n  outputs {\n    b = a +\n·a\n  }\n}\n",
			"program p {\n  a: int -> b: int\n  outputs {\n    b = a +\n·a\n  }\n}\n"},
		{"union", "type Mood =\n  ·\"a\" | \"b\"\n",
			"type Mood =\n  ·\"a\" | \"b\"\n"},
		{"union goes on", "type Mood = \"a\"\n  ·| \"b\"\n",
			"type Mood = \"a\"\n  ·| \"b\"\n"},
		{"closing brace", "program p {\n  a: string -> b: string\n  predict x {\n  temperature=0.5\n    }·\n}\n",
			"program p {\n  a: string -> b: string\n  predict x {\n    temperature = 0.5\n  }·\n}\n"},
		{"closing brace of all", "program   p {\na: string->b: string\n    }·\n\n\n\nprogram   q {\n}\n",
			"program p {\n  a: string -> b: string\n}·\n\n\n\nprogram   q {\n}\n"},
		{"closing brace in a text", "program p {\n  a: string -> b: string\n  let   x = \"${a}·\"\n}\n",
			"program p {\n  a: string -> b: string\n  let   x = \"${a}·\"\n}\n"},
		{"closing brace beside another block", "program p {\n  a: string -> b: string\n  predict x {} predict y {}·\n}\n",
			"program p {\n  a: string -> b: string\n  predict x {} predict y {}·\n}\n"},
		{"closing brace with CRLF", "program p {\r\n  a: string -> b: string\r\n  predict x {\r\n  temperature=0.5\r\n    }·\r\n}\r\n",
			"program p {\r\n  a: string -> b: string\r\n  predict x {\r\n    temperature = 0.5\r\n  }·\r\n}\r\n"},
		{"closing brace and a comment", "program p {\n  a: string -> b: string\n  predict x {\n  temperature=0.5 # cool\n    }· # done\n}\n",
			"program p {\n  a: string -> b: string\n  predict x {\n    temperature = 0.5  # cool\n  }· # done\n}\n"},
		{"one line", "program p { a: string->b: string }·",
			"program p { a: string -> b: string }·"},
		{"stray brace", "program p {\n  a: string -> b: string\n}\n}·\n",
			"program p {\n  a: string -> b: string\n}\n}·\n"},
		{"lone CR", "program p {\r  a:string->b: string\r·\r}\r",
			"program p {\r  a: string -> b: string\r  ·\r}\r"},
		{"emoji", "program p {\n  a: string \"😀  x\"->b: string\n·\n}\n",
			"program p {\n  a: string \"😀  x\" -> b: string\n  ·\n}\n"},
	} {
		got := laid(t, test.text, onType)
		if got != test.want {
			t.Errorf("%s\n%q\nbecomes\n%q\nnot\n%q", test.name, test.text, got, test.want)
		}
	}
}

// rangeTexts are texts that are not laid out, in odd ways.
var rangeTexts = []string{
	"program   p {\na: string->b: string\n    }\n\n\n\nprogram   q {\n}\n",
	"program p {\r\n\ta:string->b: string,\r\n\r\n\r\n\tlet   x = \"a  b\" # why\r\n\t}",
	"program p {\r a:string->b: string\r\r\r let   x = <<-EOT\r   a  b\r  EOT\r}\r",
	"type Mood =\n  \"a\"|  (\"b\")\ntype   N {a:int,b:((int|string))?}\n",
	"program p {\n  predict x {\n  temperature=0.5\n\n\nprogram q {\na:int->b:int}\n# end   ",
	"  /* a\n b */ program p { a: int => b: int, }  // c\nenum   E {a,b\n\n\n c}",
	"let x = \"a\n  y=1\n\uFEFFz\n",
	"\uFEFFprogram   p {\n\n\n  inputs:json, -> b :int }\n\n\n",
	"program p {\n  a: string -> b: string\n  predict x {\n    instructions = <<EOT\n   a  ${ a }\n  }\n",
}

// TestRanges lays out any lines of texts: laid out whole, the texts are then what they
// would have been at once, and no word of theirs is lost.
func TestRanges(t *testing.T) {
	for _, text := range rangeTexts {
		whole := laid(t, text+mark, func(v *lsp.View, _ int32) []protocol.TextEdit { return lsp.Format(v) })
		whole = strings.TrimSuffix(whole, mark)
		want := string(format.File(parser.Parse(source.NewFile("a.dsp", text))))
		if whole != want {
			t.Errorf("%q\nis laid out as\n%q\nnot\n%q", text, whole, want)
		}
		words := strings.Join(strings.FieldsFunc(text, space), "")
		f := source.NewFile("a.dsp", text)
		for a := 1; a <= f.Lines(); a++ {
			for b := a; b <= f.Lines(); b++ {
				span := source.Span{Start: f.LineStart(a), End: f.LineStart(b) + int32(len(f.Line(b)))}
				part := strings.TrimSuffix(laid(t, text+mark, func(v *lsp.View, _ int32) []protocol.TextEdit { return lsp.FormatRange(v, span) }), mark)
				if got := strings.Join(strings.FieldsFunc(part, space), ""); got != words && (a > 1 || b < f.Lines()) {
					t.Errorf("lines %d to %d of\n%q\nbecome\n%q", a, b, text, part)
				}
				if again := string(format.File(parser.Parse(source.NewFile("a.dsp", part)))); again != want && len(parser.Parse(f).Faults) == 0 {
					t.Errorf("lines %d to %d of\n%q\nbecome\n%q\nwhich is laid out as\n%q\nnot\n%q", a, b, text, part, again, want)
				}
			}
		}
	}
}

func space(r rune) bool { return strings.ContainsRune(" \t\r\n\v\f,", r) }
