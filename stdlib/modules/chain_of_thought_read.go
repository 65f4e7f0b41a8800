package modules

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Steps in a text, as models write them. One kind of mark begins all steps of a text:
// the first of the table that is used. What stands before the first mark is a step of
// its own, and lines without a mark go on with the step above.
//
//	Step 1: …             the number is read
//	1. …   2) …           the number is read
//	- …   * …   • …
//	First, …   Then …   Therefore, …

// thought is a step as it was written.
type thought struct {
	text       string
	confidence *float64
	given      *value.Object // of a list of objects
}

// marks are the kinds of marks; least is how many there must be for a text to be
// written with it.
var marks = sync.OnceValue(func() []mark {
	line := func(pattern string) *regexp.Regexp { return regexp.MustCompile("(?mi)^[ \t#>*_]*" + pattern) }
	return []mark{
		{line(`step[ \t]+(\d+)[ \t*_]*[:.)\-–—][ \t*_]*`), 1},
		{line(`(\d+)[ \t]*[.)][ \t*_]+`), 2},
		{regexp.MustCompile("(?m)^[ \t]*[-*•][ \t]+"), 2},
		{regexp.MustCompile(`(?m)^[ \t]*(?:First|Firstly|Second|Secondly|Third|Thirdly|Next|Then|Finally|Lastly|Therefore|Thus|Hence|So|Consequently)\b`), 1},
	}
})

type mark struct {
	at    *regexp.Regexp
	least int
}

var (
	// connectives begin steps within one paragraph.
	connectives = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`([.!?;])[ \t]+((?:First|Firstly|Second|Secondly|Third|Thirdly|Next|Then|Finally|Lastly|Therefore|Thus|Hence|So|Consequently)\b)`)
	})
	sureness = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)[ \t]*[(\[]?[ \t]*confidence[ \t]*(?:of|is)?[ \t]*[:=]?[ \t]*([0-9]*\.?[0-9]+)[ \t]*(%)?[ \t]*[)\]]?[.]?[ \t]*$`)
	})
	stepRef = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)\bsteps?[ \t]+(\d+)\b`) })
)

// readSteps reads the steps of a text, and the numbers that stand before them where
// all have one.
func readSteps(text string) (steps []thought, numbers []int) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "[") {
		if v, _, _, faults := align.Value(types.JSON, text, align.Repairing); faults == nil {
			if list, ok := v.([]any); ok && len(list) > 0 {
				return listedSteps(list), nil
			}
		}
	}
	if !strings.Contains(text, "\n") {
		text = connectives().ReplaceAllString(text, "$1\n$2")
	}
	for kind, m := range marks() {
		found := m.at.FindAllStringSubmatchIndex(text, -1)
		if len(found) < m.least {
			continue
		}
		if before := text[:found[0][0]]; strings.TrimSpace(before) != "" {
			steps = append(steps, newThought(before))
		}
		implicit := len(steps) > 0
		for i, at := range found {
			end := len(text)
			if i+1 < len(found) {
				end = found[i+1][0]
			}
			begin := at[1]
			if kind == len(marks())-1 {
				begin = at[0] // the word belongs to the step
			}
			steps = append(steps, newThought(text[begin:end]))
			if len(at) > 2 && at[2] >= 0 {
				if n, err := strconv.Atoi(text[at[2]:at[3]]); err == nil {
					numbers = append(numbers, n)
				}
			}
		}
		if implicit || len(numbers) != len(steps) {
			numbers = nil
		}
		return steps, numbers
	}
	if text == "" {
		return nil, nil
	}
	return []thought{newThought(text)}, nil
}

// newThought joins the lines of a step and reads how sure it is.
func newThought(text string) thought {
	t := thought{text: strings.Join(strings.Fields(text), " ")}
	if m := sureness().FindStringSubmatchIndex(t.text); m != nil {
		f, err := strconv.ParseFloat(t.text[m[2]:m[3]], 64)
		if m[4] >= 0 {
			f /= 100
		}
		if err == nil && f >= 0 && f <= 1 {
			t.confidence = &f
			t.text = strings.TrimSpace(t.text[:m[0]])
		}
	}
	t.text = strings.TrimSpace(strings.TrimRight(t.text, "*_"))
	return t
}

// listedSteps reads steps that were written as a list in JSON.
func listedSteps(list []any) []thought {
	var steps []thought
	for _, v := range list {
		switch v := v.(type) {
		case string:
			steps = append(steps, newThought(v))
		case *value.Object:
			t := thought{given: v}
			for _, name := range []string{"thought", "step", "text"} {
				if s, ok := v.Get(name); ok && t.text == "" {
					t.text, _ = s.(string)
				}
			}
			switch c, _ := v.Get("confidence"); c := c.(type) {
			case float64:
				t.confidence = &c
			case int:
				f := float64(c)
				t.confidence = &f
			}
			steps = append(steps, t)
		default:
			steps = append(steps, newThought(string(value.EncodeJSON(v))))
		}
	}
	return steps
}
