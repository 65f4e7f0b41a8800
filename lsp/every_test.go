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
	"github.com/dspi-lang/dspi/parser/benchtext"
	"github.com/dspi-lang/dspi/parser/format"
)

// everything asks every feature of a text at a place.
func everything(t testing.TB, text string, at int32) {
	t.Helper()
	s := snapshot.NewSession(options())
	s.Open("untitled:x", 1, text)
	v, err := lsp.Look(s.Snapshot(), "untitled:x")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("at %d of %q: %v", at, text, r)
		}
	}()
	all := source.Span{End: int32(len(text))}
	lsp.Complete(v, at)
	lsp.Hover(v, at)
	lsp.Signature(v, at)
	lsp.Definition(v, at)
	lsp.TypeDefinition(v, at)
	lsp.References(v, at, true)
	lsp.Highlights(v, at)
	lsp.Selections(v, at)
	if _, err := lsp.Rename(v, at, "other"); err != nil {
		_ = err // it says why
	}
	lsp.Symbols(v)
	lsp.Folds(v)
	lsp.Tokens(v)
	lsp.Hints(v, all)
	lsp.Links(v)
	lsp.Lenses(v)
	laid := text
	for _, e := range slices.Backward(lsp.Format(v)) {
		span := v.Span(e.Range)
		laid = laid[:span.Start] + e.NewText + laid[span.End:]
	}
	if want := string(format.File(v.File.Tree)); laid != want {
		t.Fatalf("the edits make %q of %q, not %q", laid, text, want)
	}
	lsp.FormatRange(v, source.Span{Start: at, End: at})
	lsp.Actions(v, all)
	lsp.Refactorings(v, source.Span{Start: at, End: at}, nil)
	lsp.Refactorings(v, all, []protocol.CodeActionKind{protocol.OrganizeImports})
	lsp.FormatOnType(v, at, "}")
	lsp.FormatOnType(v, at, "\n")
	lsp.Calls(v, at)
	lsp.Incoming(v, at)
	lsp.Outgoing(v, at)
	lsp.TokensIn(v, source.Span{Start: at / 2, End: at})
	lsp.Diagnostics(v)
}

// FuzzFeatures asks every feature of any text at any place.
func FuzzFeatures(f *testing.F) {
	f.Add(good, 40)
	f.Add("program p {\n  a: string -> b: int\n  x y { inputs { a = y. } }\n}", 45)
	f.Add("import \"", 8)
	f.Add("program   p {\r\n\r\n\r\n a:string->b:int\r\n\r\n}", 4)
	f.Add("\xff{", 1)
	f.Fuzz(func(t *testing.T, text string, at int) {
		if len(text) > 2000 {
			return
		}
		text = strings.ToValidUTF8(text, "?")
		text = strings.ReplaceAll(text, "\n\n", "\r\n")
		at = min(max(at, 0), len(text))
		at = runeStart(text, at)
		everything(t, text, int32(at))
		laidOut := func(v *lsp.View, _ int32) []protocol.TextEdit { return lsp.Format(v) }
		if strings.Contains(text, mark) {
			return
		}
		if got, want := laid(t, text+mark, laidOut), string(format.File(parser.Parse(source.NewFile("a.dsp", text)))); strings.TrimSuffix(got, mark) != want {
			t.Errorf("%q is laid out as %q, not %q", text, got, want)
		}
		some := func(v *lsp.View, at int32) []protocol.TextEdit {
			return lsp.FormatRange(v, source.Span{Start: at / 2, End: at})
		}
		got := laid(t, text[:at]+mark+text[at:], some)
		if words := func(s string) string { return strings.Join(strings.FieldsFunc(s, space), "") }; at < len(text) && at > 1 && strings.Contains(text[:at/2], "\n") && words(strings.Replace(got, mark, "", 1)) != words(text) {
			t.Errorf("from %d to %d of %q is laid out as %q", at/2, at, text, got)
		}
	})
}

// The features on a file of 1,000 lines, at a reference in its middle.
func BenchmarkFeatures(b *testing.B) {
	text := benchtext.Generate(1000).DSP
	at := int32(strings.Index(text[len(text)/2:], "inputs {") + len(text)/2 + 12)
	s := snapshot.NewSession(options())
	s.Open("untitled:x", 1, text)
	for name, f := range map[string]func(*lsp.View){
		"complete":   func(v *lsp.View) { lsp.Complete(v, at) },
		"hover":      func(v *lsp.View) { lsp.Hover(v, at) },
		"definition": func(v *lsp.View) { lsp.Definition(v, at) },
		"tokens":     func(v *lsp.View) { lsp.Tokens(v) },
		"format":     func(v *lsp.View) { lsp.Format(v) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				v, err := lsp.Look(s.Snapshot(), "untitled:x")
				if err != nil {
					b.Fatal(err)
				}
				f(v)
			}
		})
	}
}
