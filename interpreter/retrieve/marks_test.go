package retrieve_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
)

func marked(text string, marks [][2]int) string {
	var b strings.Builder
	at := 0
	for _, m := range marks {
		b.WriteString(text[at:m[0]] + "[" + text[m[0]:m[1]] + "]")
		at = m[1]
	}
	return b.String() + text[at:]
}

func TestMarks(t *testing.T) {
	for _, c := range [][3]string{
		{"An owl hunts; the OWL's prey", "owl prey?", "An [owl] hunts; the [OWL]'s [prey]"},
		{"Éclair, eclair", "ÉCLAIR", "[Éclair], [eclair]"},
		{"naïve \xff naive", "naive", "[naïve] \xff [naive]"},
		{"", "owl", ""},
		{"owls", "owl", "owls"},
	} {
		if got := marked(c[0], retrieve.Marks(c[0], c[1])); got != c[2] {
			t.Errorf("%q in %q: %q, want %q", c[1], c[0], got, c[2])
		}
	}
}

func TestExcerpt(t *testing.T) {
	text := strings.Repeat("nothing here at all. ", 30) + "The owl hunts at night. " + strings.Repeat("owl again and again. ", 30)
	s := retrieve.Excerpt(text, "night owl", 60)
	if got := text[s.Start:s.End]; !strings.Contains(got, "owl hunts at night") || len(got) > 60 {
		t.Errorf("the excerpt is %q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		text, query, most := rapid.String().Draw(t, "text"), rapid.String().Draw(t, "query"), rapid.IntRange(1, 40).Draw(t, "most")
		s := retrieve.Excerpt(text, query, most)
		if s.Start < 0 || s.End > len(text) || s.Start > s.End || s.End-s.Start > most && len(text) > most {
			t.Fatalf("%+v of %d bytes", s, len(text))
		}
		for _, m := range s.Marks {
			if m[0] < s.Start || m[1] > s.End || m[0] >= m[1] {
				t.Fatalf("the mark %v in %+v", m, s)
			}
		}
	})
}

// TestDiverse: with lambda 1 a ranking stays; with less what is like the first comes
// later.
func TestDiverse(t *testing.T) {
	ranking := []retrieve.Ranked{{Key: 1, Score: 1}, {Key: 2, Score: 0.99}, {Key: 3, Score: 0.8}, {Key: 4, Score: 0.1}}
	vectors := [][]float32{{1, 0}, {1, 0}, {0, 1}, nil}
	keys := func(list []retrieve.Ranked) (out []int64) {
		for _, r := range list {
			out = append(out, r.Key)
		}
		return out
	}
	for lambda, want := range map[float64][]int64{1: {1, 2, 3}, 0.5: {1, 3, 4}, 0.99: {1, 2, 3}} {
		if got := keys(retrieve.Diverse(3, lambda, ranking, vectors)); !slices.Equal(got, want) {
			t.Errorf("lambda %v gives %v, want %v", lambda, got, want)
		}
	}
	if got := retrieve.Diverse(9, 0.5, nil, nil); len(got) != 0 {
		t.Errorf("of nothing %v", got)
	}
}
