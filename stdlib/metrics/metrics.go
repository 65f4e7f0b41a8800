// Package metrics holds the built-in metrics that compare two values, as
// expressions call them: `exact_match(prediction.answer, example.answer)`.
//
//	ExactMatch    whether two texts are the same after Normalize
//	F1            how many words they have in common
//	PassageMatch  whether a passage holds an answer
//	BLEU, RougeL  how much of their wording they share (overlap.go)
//	ListF1        how many items two lists have in common
//	NumberMatch   whether two numbers are the same; AbsoluteError how far apart
//	Judges        the prompts of the metrics that ask a model (judges.go)
//	Functions     all of them by the names that expressions use
//
// Those that DSPy has compute what DSPy's compute, BLEU what sacrebleu and RougeL what
// rouge-score, so that scores can be compared.
package metrics

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/value"
)

// Functions returns the metrics that expressions can call, by name.
func Functions() map[string]expr.HostFunc {
	two := func(f func(a, b any) (any, error)) expr.HostFunc {
		return func(_ context.Context, args []any) (any, error) {
			if len(args) != 2 {
				return nil, fmt.Errorf("two values are needed, and there are %d", len(args))
			}
			return f(args[0], args[1])
		}
	}
	return map[string]expr.HostFunc{
		"exact_match":  two(func(a, b any) (any, error) { return ExactMatch(a, b), nil }),
		"f1":           two(func(a, b any) (any, error) { return F1(a, b), nil }),
		"bleu":         two(func(a, b any) (any, error) { return BLEU(a, b), nil }),
		"rouge_l":      two(func(a, b any) (any, error) { return RougeL(a, b), nil }),
		"list_f1":      two(func(a, b any) (any, error) { return ListF1(a, b), nil }),
		"number_match": two(func(a, b any) (any, error) { return NumberMatch(a, b), nil }),
		"absolute_error": two(func(a, b any) (any, error) {
			d := AbsoluteError(a, b)
			if d != d {
				return nil, fmt.Errorf("`absolute_error` is of two numbers, and one is none")
			}
			return d, nil
		}),
		"passage_match": two(func(a, b any) (any, error) {
			passages, ok := a.([]any)
			if !ok {
				return nil, fmt.Errorf("`passage_match` looks through a list of passages")
			}
			return PassageMatch(passages, b), nil
		}),
	}
}

// Options returns what an evaluation needs to call the metrics.
func Options() []expr.Option {
	var out []expr.Option
	for name, f := range Functions() {
		out = append(out, expr.WithHost(name, f))
	}
	return out
}

// ExactMatch reports whether answer is expected, or one of it when that is a
// list. Texts are compared after Normalize, anything else as it is.
func ExactMatch(answer, expected any) bool {
	if list, ok := expected.([]any); ok {
		if _, both := answer.([]any); !both {
			return slices.ContainsFunc(list, func(x any) bool { return ExactMatch(answer, x) })
		}
	}
	a, isText := answer.(string)
	b, alsoText := expected.(string)
	switch {
	case isText && alsoText:
		return Normalize(a) == Normalize(b)
	case isText != alsoText && answer != nil && expected != nil:
		return Normalize(text(answer)) == Normalize(text(expected))
	}
	return value.Equal(answer, expected)
}

// F1 returns the mean of precision and recall of the words of answer, from 0 to
// 1; the best one when expected is a list. Two empty texts have none in common.
func F1(answer, expected any) float64 {
	if list, ok := expected.([]any); ok {
		best := 0.0
		for _, x := range list {
			best = max(best, F1(answer, x))
		}
		return best
	}
	have, want := strings.Fields(Normalize(text(answer))), strings.Fields(Normalize(text(expected)))
	left := map[string]int{}
	for _, w := range want {
		left[w]++
	}
	common := 0
	for _, w := range have {
		if left[w] > 0 {
			left[w]--
			common++
		}
	}
	if common == 0 {
		return 0
	}
	precision, recall := float64(common)/float64(len(have)), float64(common)/float64(len(want))
	return 2 * precision * recall / (precision + recall)
}

// PassageMatch reports whether one of the passages holds the words of answer, or
// of one of it when that is a list, next to each other and in order.
func PassageMatch(passages []any, answer any) bool {
	answers, ok := answer.([]any)
	if !ok {
		answers = []any{answer}
	}
	for _, a := range answers {
		want := words(text(a))
		for _, p := range passages {
			if holds(words(text(p)), want) {
				return true
			}
		}
	}
	return false
}

func holds(all, part []string) bool {
	for i := 0; i+len(part) <= len(all); i++ {
		if slices.Equal(all[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// words parts a text into runs of letters and digits and single other signs.
func words(s string) []string {
	var out []string
	var run strings.Builder
	end := func() {
		if run.Len() > 0 {
			out = append(out, run.String())
			run.Reset()
		}
	}
	for _, r := range strings.ToLower(norm.NFD.String(s)) {
		switch {
		case unicode.In(r, unicode.L, unicode.N, unicode.M):
			run.WriteRune(r)
		case unicode.In(r, unicode.Z, unicode.C):
			end()
		default:
			end()
			out = append(out, string(r))
		}
	}
	end()
	return out
}

// Normalize returns a text in small letters, without ASCII punctuation, without
// the articles a, an, the, its words one space apart.
func Normalize(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
			return -1
		}
		return r
	}, strings.ToLower(norm.NFD.String(s)))
	// An article goes where it stands as a word: between what is no letter, digit
	// or underscore, as a pattern's \b sees it.
	var b strings.Builder
	start := -1
	end := func(i int) {
		if start < 0 {
			return
		}
		switch word := s[start:i]; word {
		case "a", "an", "the":
			b.WriteByte(' ')
		default:
			b.WriteString(word)
		}
		start = -1
	}
	for i, r := range s {
		if r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) {
			if start < 0 {
				start = i
			}
			continue
		}
		end(i)
		b.WriteRune(r)
	}
	end(len(s))
	return strings.Join(strings.Fields(b.String()), " ")
}

// text returns a value as text.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	if v == nil {
		return ""
	}
	return string(value.EncodeJSON(v))
}

// Compare returns a metric that compares an answer with what is expected, as a
// number; false for one that does not, or is not known.
func Compare(name string) (func(answer, expected any) (float64, error), bool) {
	if name == "accuracy" {
		return func(answer, expected any) (float64, error) {
			if Same(answer, expected) {
				return 1, nil
			}
			return 0, nil
		}, true
	}
	f, ok := Functions()[name]
	if !ok || name == "passage_match" {
		return nil, false
	}
	return func(answer, expected any) (float64, error) {
		v, err := f(context.Background(), []any{answer, expected})
		switch v := v.(type) {
		case bool:
			if v {
				return 1, err
			}
			return 0, err
		case float64:
			return v, err
		}
		return 0, err
	}, true
}
