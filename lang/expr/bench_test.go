package expr

import (
	"context"
	"testing"

	"github.com/expr-lang/expr/parser"

	"github.com/dspi-lang/dspi/lang/syntax"
)

// mix is what the expressions of programs look like.
var mix = []string{
	`question`, `draft.answer`, `"gpt-4o-mini"`, `0.2`, `true`, `var.k`, `len(question) <= 280`,
	`"Answer in at most 280 characters; this answer has ${len(draft.answer)}."`, `draft.confidence > 0.5 && question != ""`,
	`note ?? "none"`, `map(passages, it.text)`, `n + 1`, `flag ? 1.0 : 0.2`, `[1, 2, 3]`, `"Hello ${question}, ${n}"`, `mood == "angry"`,
}

func BenchmarkParseAndCheck(b *testing.B) {
	s := testScope()
	f, _ := in("")
	exprs := make([]*syntax.Expr, len(mix))
	for i, m := range mix {
		_, e := in(m)
		exprs[i] = e
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range exprs {
			x, _ := Parse(f, e)
			if _, ds := x.Check(s); len(ds) > 0 {
				b.Fatal(e.Text, report(ds))
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(mix)), "ns/expression")
}

// BenchmarkParserOnly is expr's own parser on the same texts, for comparison.
func BenchmarkParserOnly(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range mix {
			if _, err := parser.Parse(m); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(mix)), "ns/expression")
}

func BenchmarkEach(b *testing.B) {
	s := testScope()
	for _, m := range mix {
		b.Run(m, func(b *testing.B) {
			f, e := in(m)
			b.ReportAllocs()
			for b.Loop() {
				x, _ := Parse(f, e)
				x.Check(s)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	f, e := in(`draft.confidence > 0.5 && question != ""`)
	x, _ := Parse(f, e)
	x.Check(testScope())
	for b.Loop() {
		if _, err := x.Compile(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	for _, m := range []string{`draft.answer`, `"Hello ${question}"`, `draft.confidence > 0.5 && question != ""`, `map(filter(passages, it.score > 0.5), it.text)`} {
		b.Run(m, func(b *testing.B) {
			p, _ := compiled(b, m, testScope())
			env := lookup(testEnv())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Eval(context.Background(), env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
