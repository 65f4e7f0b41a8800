package metrics

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/value"
)

// BLEU returns the sentence BLEU of answer, from 0 to 1: sacrebleu's, with its
// tokenizer 13a, orders up to 4 of which those that the answer is too short for do not
// count, and exponential smoothing. expected may be a list of references.
func BLEU(answer, expected any) float64 {
	have := tokens13a(text(answer))
	most := map[string]int{} // of each n-gram, in the reference that has it most often
	closest := -1
	for _, ref := range references(expected) {
		want := tokens13a(text(ref))
		for gram, n := range grams(want) {
			most[gram] = max(most[gram], n)
		}
		far := abs(len(have) - len(want))
		if d := abs(len(have) - closest); closest < 0 || far < d || far == d && len(want) < closest {
			closest = len(want)
		}
	}
	var correct, total [maxGram]int
	for gram, n := range grams(have) {
		order := strings.Count(gram, "\x00")
		correct[order] += min(n, most[gram])
	}
	any := false
	for i := range total {
		total[i] = max(0, len(have)-i)
		any = any || correct[i] > 0
	}
	if !any {
		return 0
	}
	sum, orders, smooth := 0.0, 0, 1.0
	for i, n := range total {
		if n == 0 {
			break
		}
		orders++
		p := float64(correct[i]) / float64(n)
		if correct[i] == 0 {
			smooth *= 2
			p = 1 / (smooth * float64(n))
		}
		sum += math.Log(p)
	}
	brevity := 1.0
	if len(have) < closest {
		brevity = math.Exp(1 - float64(closest)/float64(len(have)))
	}
	return brevity * math.Exp(sum/float64(orders))
}

const maxGram = 4

// grams counts the runs of up to maxGram tokens.
func grams(tokens []string) map[string]int {
	out := map[string]int{}
	for n := 1; n <= maxGram; n++ {
		for i := 0; i+n <= len(tokens); i++ {
			out[strings.Join(tokens[i:i+n], "\x00")]++
		}
	}
	return out
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// The tokenizer 13a of the machine translation campaigns (mteval-v13a), for western
// languages.
var (
	rules13a = []struct {
		find *regexp.Regexp
		put  string
	}{
		{regexp.MustCompile("([\\{-~\\[-` -&\\(-\\+:-@/])"), " $1 "},
		{regexp.MustCompile(`([^0-9])([\.,])`), "$1 $2 "},
		{regexp.MustCompile(`([\.,])([^0-9])`), " $1 $2"},
		{regexp.MustCompile(`([0-9])(-)`), "$1 $2 "},
	}
)

func tokens13a(s string) []string {
	s = strings.ReplaceAll(s, "<skipped>", "")
	s = strings.ReplaceAll(s, "-\n", "")
	s = strings.ReplaceAll(s, "\n", " ")
	if strings.Contains(s, "&") { // one after the other, as &amp;lt; shows
		for _, e := range [][2]string{{"&quot;", `"`}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}} {
			s = strings.ReplaceAll(s, e[0], e[1])
		}
	}
	s = " " + s + " "
	for _, r := range rules13a {
		s = r.find.ReplaceAllString(s, r.put)
	}
	return strings.Fields(s)
}

// RougeL returns the ROUGE-L F-measure of answer, from 0 to 1: how long the longest
// run of words is that both have in the same order, gaps allowed. Words are letters
// a-z and digits, not stemmed, as in rouge-score; the best one when expected is a
// list.
func RougeL(answer, expected any) float64 {
	have := rougeWords(text(answer))
	best := 0.0
	for _, ref := range references(expected) {
		want := rougeWords(text(ref))
		if len(have) == 0 || len(want) == 0 {
			continue
		}
		common := float64(longestCommon(have, want))
		precision, recall := common/float64(len(have)), common/float64(len(want))
		if common > 0 {
			best = max(best, 2*precision*recall/(precision+recall))
		}
	}
	return best
}

func rougeWords(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

// longestCommon returns the length of the longest common subsequence.
func longestCommon(a, b []string) int {
	line := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := line[j+1]
			if x == y {
				line[j+1] = diagonal + 1
			} else {
				line[j+1] = max(line[j+1], line[j])
			}
			diagonal = above
		}
	}
	return line[len(b)]
}

// references returns the texts of which each is right.
func references(expected any) []any {
	if list, ok := expected.([]any); ok {
		return list
	}
	return []any{expected}
}

// ListF1 returns the mean of precision and recall of the items of answer, from 0 to
// 1, whatever their order; an item that stands twice counts twice. Texts are compared
// after Normalize. Two empty lists are the same.
func ListF1(answer, expected any) float64 {
	have, want := references(answer), references(expected)
	if len(have) == 0 && len(want) == 0 {
		return 1
	}
	left := slices.Clone(want)
	common := 0
	for _, x := range have {
		if i := slices.IndexFunc(left, func(y any) bool { return ExactMatch(x, y) }); i >= 0 {
			left = slices.Delete(left, i, i+1)
			common++
		}
	}
	return 2 * float64(common) / float64(len(have)+len(want))
}

// Numbers apart by less than this share of the larger are the same.
const nearly = 1e-6

// NumberMatch reports whether two numbers are the same, to the sixth digit. A text
// is read as the number in it: "$1,234.50" is 1234.5.
func NumberMatch(answer, expected any) bool {
	a, okA := numberIn(answer)
	b, okB := numberIn(expected)
	return okA && okB && math.Abs(a-b) <= nearly*max(math.Abs(a), math.Abs(b))
}

// AbsoluteError returns how far answer is from expected, both read as NumberMatch
// does; NaN where one is no number.
func AbsoluteError(answer, expected any) float64 {
	a, okA := numberIn(answer)
	b, okB := numberIn(expected)
	if !okA || !okB {
		return math.NaN()
	}
	return math.Abs(a - b)
}

// numeral finds numbers in texts, with commas between thousands.
var numeral = regexp.MustCompile(`[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?`)

// numberIn returns the number that a value is, or the last one in a text, where
// answers stand.
func numberIn(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case string:
		found := numeral.FindAllString(v, -1)
		for _, s := range slices.Backward(found) {
			if f, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64); err == nil {
				return f, true
			}
		}
	}
	return 0, false
}

// Same reports whether two values are the same, to the letter.
func Same(answer, expected any) bool { return value.Equal(answer, expected) }
