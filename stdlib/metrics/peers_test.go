package metrics

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

func read(t *testing.T, name string, to any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err == nil {
		err = json.Unmarshal(data, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestDSPy compares the metrics with DSPy's on 1,000 random pairs.
func TestDSPy(t *testing.T) {
	var made struct {
		Pairs []struct {
			Answer       string
			Expected     []any
			Passages     []any
			EM           bool
			F1           float64
			PassageMatch bool `json:"passage_match"`
		}
	}
	read(t, "dspy.json", &made)
	if len(made.Pairs) != 1000 {
		t.Fatalf("%d pairs", len(made.Pairs))
	}
	hits := 0
	for _, c := range made.Pairs {
		if c.EM {
			hits++
		}
		if got := ExactMatch(c.Answer, c.Expected); got != c.EM {
			t.Errorf("ExactMatch(%q, %q) = %v", c.Answer, c.Expected, got)
		}
		if got := F1(c.Answer, c.Expected); math.Abs(got-c.F1) > 1e-12 {
			t.Errorf("F1(%q, %q) = %v, and DSPy's %v", c.Answer, c.Expected, got, c.F1)
		}
		if got := PassageMatch(c.Passages, c.Expected); got != c.PassageMatch {
			t.Errorf("PassageMatch(%q, %q) = %v", c.Passages, c.Expected, got)
		}
	}
	if hits < 100 || hits > 900 {
		t.Errorf("%d of the pairs match", hits)
	}
}

// TestPeers compares BLEU with sacrebleu and ROUGE-L with rouge-score.
func TestPeers(t *testing.T) {
	var made []struct {
		Answer   string
		Expected []any
		BLEU     float64
		RougeL   float64 `json:"rouge_l"`
	}
	read(t, "peers.json", &made)
	if len(made) != 1000 {
		t.Fatalf("%d pairs", len(made))
	}
	for _, c := range made {
		if got := BLEU(c.Answer, c.Expected); math.Abs(got-c.BLEU) > 1e-9 {
			t.Errorf("BLEU(%q, %q) = %v, and sacrebleu's %v", c.Answer, c.Expected, got, c.BLEU)
		}
		if got := RougeL(c.Answer, c.Expected); math.Abs(got-c.RougeL) > 1e-12 {
			t.Errorf("RougeL(%q, %q) = %v, and rouge-score's %v", c.Answer, c.Expected, got, c.RougeL)
		}
	}
}

func TestListsAndNumbers(t *testing.T) {
	list := func(xs ...any) []any { return xs }
	for _, c := range []struct {
		got, want any
	}{
		{ListF1(list("A cat", "dog"), list("cat", "bird")), 0.5},
		{ListF1(list("a1", "a1"), list("a1")), 2.0 / 3},
		{ListF1(list(), list()), 1.0},
		{ListF1(list(), list("x")), 0.0},
		{ListF1(list(1, 2), list(2, 1)), 1.0},
		{NumberMatch("It costs $1,234.50.", 1234.5), true},
		{NumberMatch("first 3, then 7", 7), true},
		{NumberMatch(1.0000001, 1), true},
		{NumberMatch(1.001, 1), false},
		{NumberMatch("none", 1), false},
		{NumberMatch("-3", "-3.0"), true},
		{AbsoluteError("2.5", 2), 0.5},
		{math.IsNaN(AbsoluteError("x", 2)), true},
	} {
		if c.got != c.want {
			t.Errorf("%v, and %v is wanted", c.got, c.want)
		}
	}
}
