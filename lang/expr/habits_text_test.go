package expr_test

import (
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// TestDoubleBraces: `{{ name }}` is spoken of where a value of that name can be seen, and
// the fix puts the value in.
func TestDoubleBraces(t *testing.T) {
	scope := expr.NewScope(
		expr.Symbol{Name: "question", Kind: "input", Type: types.String},
		expr.Symbol{Name: "draft", Kind: "step", Members: []expr.Member{{Name: "answer", Type: types.String}}},
		expr.Symbol{Name: "flag", Kind: "input", Type: types.Bool},
	)
	for _, c := range []struct {
		text string
		want []string // after the fix of each warning; none: nothing is said
	}{
		{`"Answer {{ question }}."`, []string{`"Answer ${question}."`}},
		{`"{{question}} and {{- draft.answer -}}"`, []string{`"${question} and {{- draft.answer -}}"`, `"{{question}} and ${draft.answer}"`}},
		{`"é ${question}: {{ flag }}"`, []string{`"é ${question}: ${flag}"`}},
		{`flag ? "no" : upper("ü {{ question }}")`, []string{`flag ? "no" : upper("ü ${question}")`}},
		{"<<EOT\n\"{{ question }}\"\nEOT", []string{"<<EOT\n\"${question}\"\nEOT"}},
		{`"{{ other }}"`, nil},
		{`"{{ draft }}"`, nil},
		{`"{{ draft.other }}"`, nil},
		{`"{ question } {{ }} {{ question | upper }} {{{ 1 }}}"`, nil},
		{"`{{ question }}`", nil},
		{`"$${{ question }}"`, nil},
		{`question`, nil},
	} {
		file := source.NewFile("a.dsp", c.text)
		e, diags := expr.Parse(file, &syntax.Expr{Text: c.text, Span: source.Span{End: int32(len(c.text))}})
		if err := diags.Err(); err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		info, diags := e.Check(scope)
		if types.IsInvalid(info.Type) {
			t.Errorf("%s has no type", c.text)
		}
		var got []string
		for _, d := range diags {
			if d.Code != "W0102" || d.Level != diag.Warning || len(d.Fixes) != 1 {
				t.Errorf("%s: %v", c.text, d)
				continue
			}
			x := d.Fixes[0].Edits[0]
			got = append(got, c.text[:x.Start]+x.Text+c.text[x.End:])
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s becomes\n%s\nwant\n%s", c.text, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}
