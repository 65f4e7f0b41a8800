package prompt

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// Nearest returns the k demos whose inputs are most like inputs, the nearest first; of
// those that are as near, the earlier. Where there are no more than k, they keep their
// order. What is compared are the words of the inputs, of which a rare one weighs more
// than a common one (tf-idf and the cosine).
func Nearest(sig *program.Signature, demos []Demo, inputs *value.Object, k int) []Demo {
	if len(demos) <= k {
		return demos
	}
	texts := make([]map[string]float64, len(demos))
	in := map[string]int{} // in how many demos a word occurs
	for i, d := range demos {
		texts[i] = inputWords(sig, d)
		for w := range texts[i] {
			in[w]++
		}
	}
	weigh := func(words map[string]float64) map[string]float64 {
		length := 0.0
		for _, w := range sortedWords(words) {
			words[w] *= math.Log(float64(1+len(demos))/float64(1+in[w])) + 1
			length += words[w] * words[w]
		}
		for w := range words {
			words[w] /= math.Sqrt(length)
		}
		return words
	}
	asked := weigh(inputWords(sig, inputs))
	type near struct {
		demo Demo
		to   float64
	}
	all := make([]near, len(demos))
	for i, words := range texts {
		all[i].demo = demos[i]
		weigh(words)
		for _, w := range sortedWords(words) {
			all[i].to += words[w] * asked[w]
		}
	}
	slices.SortStableFunc(all, func(a, b near) int { return cmp.Compare(b.to, a.to) })
	out := make([]Demo, k)
	for i := range out {
		out[i] = all[i].demo
	}
	return out
}

// inputWords counts the words of the inputs, in small letters.
func inputWords(sig *program.Signature, o *value.Object) map[string]float64 {
	counts := map[string]float64{}
	for i := range sig.Inputs {
		v, ok := o.Get(sig.Inputs[i].Name)
		if !ok || v == nil {
			continue
		}
		text, ok := v.(string)
		if !ok {
			text = string(value.EncodeJSON(v))
		}
		for w := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			counts[w]++
		}
	}
	return counts
}

// sortedWords are the words in one order, so that sums are the same each time.
func sortedWords(words map[string]float64) []string {
	out := make([]string, 0, len(words))
	for w := range words {
		out = append(out, w)
	}
	slices.Sort(out)
	return out
}
