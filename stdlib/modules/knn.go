package modules

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var knn = Entry{
	Module: universe.Module{
		Name: "knn", Doc: "only the demos that are nearest to the inputs", Wraps: true,
		Settings: []universe.Setting{
			{Name: "k", Kind: universe.Integer, Doc: "How many of the step's demos, those of its saved state, each call is shown.", Default: "3", Min: bound(1), Max: bound(1000)},
		},
		Example: `knn respond {
  k = 3
  chain_of_thought {}
}`,
	},
	New: func() module.Module { return nearest{} },
}

// nearest shows the module that it holds, of all demos that tuning found for it, the
// k whose inputs are most like those of the call, the nearest first: what DSPy's
// KNNFewShot does with the examples of a training set.
type nearest struct{}

func (nearest) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	part := call.Parts[0]
	demos := nearestDemos(part.Call.Signature, part.Call.Demos, call.Inputs, call.Int("k", 3))
	outputs, err := call.Try(ctx, part, module.Attempt{}, func(c *module.Call) { c.Demos = demos })
	if err != nil {
		return nil, err
	}
	return call.Fit(outputs)
}

// nearestDemos returns the k demos whose inputs are most like inputs, the nearest
// first; of those that are as near, the earlier.
func nearestDemos(sig *program.Signature, demos []prompt.Demo, inputs *value.Object, k int) []prompt.Demo {
	if len(demos) <= k {
		return demos
	}
	texts := make([]map[string]float64, len(demos))
	in := map[string]int{} // in how many demos a word occurs
	for i, d := range demos {
		texts[i] = wordsOf(sig, d)
		for w := range texts[i] {
			in[w]++
		}
	}
	weigh := func(words map[string]float64) map[string]float64 {
		length := 0.0
		for _, w := range sortedKeys(words) {
			words[w] *= math.Log(float64(1+len(demos))/float64(1+in[w])) + 1
			length += words[w] * words[w]
		}
		for w := range words {
			words[w] /= math.Sqrt(length)
		}
		return words
	}
	asked := weigh(wordsOf(sig, inputs))
	type near struct {
		demo prompt.Demo
		to   float64
	}
	all := make([]near, len(demos))
	for i, words := range texts {
		all[i].demo = demos[i]
		weigh(words)
		for _, w := range sortedKeys(words) {
			all[i].to += words[w] * asked[w]
		}
	}
	slices.SortStableFunc(all, func(a, b near) int { return cmp.Compare(b.to, a.to) })
	out := make([]prompt.Demo, k)
	for i := range out {
		out[i] = all[i].demo
	}
	return out
}

// wordsOf counts the words of the inputs, in small letters.
func wordsOf(sig *program.Signature, o *value.Object) map[string]float64 {
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

// sortedKeys are the words in one order, so that sums are the same each time.
func sortedKeys(words map[string]float64) []string {
	out := make([]string, 0, len(words))
	for w := range words {
		out = append(out, w)
	}
	slices.Sort(out)
	return out
}
