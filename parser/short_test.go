package parser_test

import (
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser"
)

func TestParseSignature(t *testing.T) {
	tests := []struct{ in, want, faults string }{
		{"question -> answer", "field question; arrow ->; field answer", ""},
		{"question, context: list[str] -> answer: float", "field question; field context: list[str]; arrow ->; field answer: float", ""},
		{"text -> label: Literal['a', \"b\"], why: str | None", `field text; arrow ->; field label: Literal["a", "b"]; field why: (str | None)`, ""},
		{"a: dict[str, int], b: Optional[dspy.Image] -> c: { d: int }", "field a: dict[str, int]; field b: Optional[dspy.Image]; arrow ->; field c: {field d: int}", ""},
		{" a ->\n b: int(min = 1) = 2 'how many' # c\n", `field a; arrow ->; field b: int(min = "1") = "2" "how many"`, ""},
		{"question => answer", "field question; arrow =>; field answer", ""},
		{"question answer", "block question answer (no body)", "Unexpected"},
		{"question -> answer: [str]", "field question; arrow ->; field answer: BADTYPE", "Unexpected"},
		{"a -> b }", "field a; arrow ->; field b; bad", "StrayCloser"},
		{"a -> b: list[str", "field a; arrow ->; field b: list[str]", "UnclosedBracket"},
		{"", "", ""},
	}
	for _, tt := range tests {
		src := source.NewFile("-s", tt.in)
		items, _, faults := parser.ParseSignature(src)
		f := &syntax.File{Source: src, Items: items}
		if got := strings.ReplaceAll(strings.TrimSpace(dump(f)), "\n", "; "); got != tt.want {
			t.Errorf("%q is\n  %s, want\n  %s", tt.in, got, tt.want)
		}
		checkKinds(t, tt.in, faults, tt.faults)
	}
}

func TestParseType(t *testing.T) {
	tests := []struct{ in, want, faults string }{
		{"list[string](max_items = 3)?", `optional<list[string](max_items = "3")>`, ""},
		{"{ a: int, b: string? }", "{field a: int, field b: optional<string>}", ""},
		{"\"a\"\n | \"b\"", `("a" | "b")`, ""},
		{" string \n", "string", ""},
		{"", "BADTYPE", "Unexpected"},
		{"list[", "list[]", "UnclosedBracket"},
		{"string string", "BADTYPE", "Unexpected"},
		{"'a'", `"a"`, "SingleQuotes"},
	}
	for _, tt := range tests {
		typ, faults := parser.ParseType(source.NewFile("type", tt.in))
		if got := dumpType(typ); got != tt.want {
			t.Errorf("%q is %s, want %s", tt.in, got, tt.want)
		}
		checkKinds(t, tt.in, faults, tt.faults)
	}
}

// checkKinds compares the kinds of faults with a list of names.
func checkKinds(t *testing.T, in string, faults []syntax.Fault, want string) {
	t.Helper()
	var kinds []string
	for _, f := range faults {
		kinds = append(kinds, kindNames[f.Kind])
	}
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("%q has the faults %q, want %q", in, got, want)
	}
}

// What is no text at all is one fault.
func TestEncodings(t *testing.T) {
	tests := []struct {
		name, in, want, faults string
	}{
		{"byte order mark", "\uFEFFa = 1\n", `attr a = "1"`, ""},
		{"carriage returns", "a = 1\r\nb {\r\n  c: int \"d\"\r\n}\r\n", `attr a = "1"; block b {;   field c: int "d"`, ""},
		{"carriage returns alone", "a = 1\rb {\r  c: int # x\r  d: int\r}\r# y\re = 2", `attr a = "1"; block b {;   field c: int;   field d: int; attr e = "2"`, ""},
		{"carriage returns alone in a text", "a = <<EOT\rx\r\ny\rEOT\r", `attr a = "<<EOT\nx\ny\nEOT"`, ""},
		{"carriage returns in a list", "a = [\r\n  1,\r\n]\r\nb = 2\r\n", `attr a = "[\n  1,\n]"; attr b = "2"`, ""},
		{"latin 1", "a = \"caf\xe9\"\nb = \"\xe9\"\nc = 1\n", `attr a = "\"caf\xe9\""; attr b = "\"\xe9\""; attr c = "1"`, "BadCharacter"},
		{"binary", "a = 1\n\x00\x01\x02 }{\x00", "bad", "BadCharacter"},
		{"names in other scripts", "größe: int\nनाम = 1\n", `field größe: int; attr नाम = "1"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := parser.Parse(source.NewFile("in.dsp", tt.in))
			if got := strings.ReplaceAll(strings.TrimSpace(dump(f)), "\n", "; "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			checkKinds(t, tt.in, f.Faults, tt.faults)
			checkTree(t, f)
		})
	}
}

// Places are those of the words themselves.
func TestPlaces(t *testing.T) {
	text := "# é\nprogram p {\n  name?: list[int](min = 1)? = 3   \"d\" # c\n  x = a +  b   # c\n}\n"
	f := parser.Parse(source.NewFile("in.dsp", text))
	var got []string
	syntax.Walk(f.Items[0], func(n syntax.Node) bool {
		got = append(got, f.Source.Slice(n.Range()))
		return true
	})
	want := []string{
		strings.TrimSpace(text[strings.Index(text, "program"):]),
		`name?: list[int](min = 1)? = 3   "d"`, `list[int](min = 1)?`, `list[int](min = 1)`, `int`, `1`, `3`, `"d"`,
		`x = a +  b`, `a +  b`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	b := f.Items[0].(*syntax.Block)
	if got := f.Source.Slice(b.Body.Open) + f.Source.Slice(b.Body.Close); got != "{}" {
		t.Errorf("the braces are %q", got)
	}
	var comments []string
	for _, c := range f.Comments {
		comments = append(comments, f.Source.Slice(c.Span))
	}
	if got := strings.Join(comments, "|"); got != "# é|# c|# c" {
		t.Errorf("the comments are %s", got)
	}
}
