package evaluate

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

func results(scores ...float64) *Results {
	r := &Results{Version: Version, Evaluation: "e"}
	for i, s := range scores {
		r.Rows = append(r.Rows, &Row{N: i + 1, Example: value.NewObject("text", fmt.Sprint(i)), Scores: map[string]float64{"right": s}})
	}
	r.N = len(r.Rows)
	r.Metrics = []*Summary{Summarize("right", "", r.Scores("right"), 0)}
	return r
}

func TestCompare(t *testing.T) {
	var as, bs []float64
	for i := range 40 {
		as, bs = append(as, float64(i%2)), append(bs, 1)
	}
	c := Compare(results(as...), results(bs...))[0]
	if !c.Clear() || c.Difference != 0.5 || c.Better != 20 || c.Worse != 0 || c.Test != "mcnemar" || c.Interval.Low <= 0.3 {
		t.Errorf("%+v", c)
	}
	same := Compare(results(as...), results(as...))[0]
	if same.Clear() || same.P != 1 || same.Interval.Low > 0 || same.Interval.High < 0 {
		t.Errorf("%+v", same)
	}
	few := Compare(results(0, 0, 1), results(1, 1, 1))[0]
	if few.Clear() {
		t.Errorf("three rows tell two apart: %+v", few)
	}
}

func TestMatched(t *testing.T) {
	a, b := results(1, 0, 1), results(1, 1)
	b.Rows[1].Example = value.NewObject("text", "another")
	if same, other := Matched(a, b); same != 1 || other != 1 {
		t.Errorf("Matched = %d, %d", same, other)
	}
}

func TestRead(t *testing.T) {
	a := results(1, 0, 1)
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	if same, other := Matched(a, b); same != 3 || other != 0 {
		t.Errorf("what was saved is not what was read: %d, %d", same, other)
	}
	for text, want := range map[string]string{
		`{}`:                           "not what an evaluation saves",
		`[]`:                           "cannot unmarshal",
		`{"version":99,"metrics":[]}`:  "the form 99",
		`{"version":1,"metrics":null}`: "not what",
	} {
		if _, err := Read([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Read(%s): %v", text, err)
		}
	}
}

func TestConfusion(t *testing.T) {
	c := NewConfusion("kind", []Pair{{"a", "a"}, {"a", "b"}, {"b", "b"}, {"b", "b"}, {"c", NoAnswer}})
	if c.Accuracy != 0.6 || strings.Join(c.Classes, " ") != "a b c "+NoAnswer {
		t.Errorf("%+v", c)
	}
	// F1 of a is 2/3, of b 4/5, of c 0.
	if want := (2.0/3 + 0.8) / 3; !close(c.MacroF1, want, 1e-12) || c.Macro.Low > want || c.Macro.High < want {
		t.Errorf("macro F1 %v in %v, not %v", c.MacroF1, c.Macro, want)
	}
	one := NewConfusion("kind", []Pair{{"a", "a"}, {"a", "a"}})
	if one.MacroF1 != 1 || one.Macro.Low != 1 {
		t.Errorf("one class: %+v", one)
	}
	var many []Pair
	for i := range MostClasses + 1 {
		many = append(many, Pair{fmt.Sprint(i), "x"})
	}
	if NewConfusion("kind", many) != nil || NewConfusion("kind", nil) != nil {
		t.Error("a table of too many classes, or of none")
	}
}

func TestSummarize(t *testing.T) {
	if s := Summarize("m", "", nil, 3); s.N != 0 || s.Interval != nil || s.Missing != 3 || s.Proportion {
		t.Errorf("%+v", s)
	}
	if s := Summarize("m", "", []float64{0.5}, 0); s.Interval != nil {
		t.Errorf("one value has an interval: %+v", s)
	}
	if s := Summarize("m", "US dollars", []float64{0, 0}, 0); s.Proportion || s.Interval.Method != "bca" {
		t.Errorf("costs of 0 are a share: %+v", s)
	}
	if s := Summarize("m", "", []float64{0, 1}, 0); !s.Proportion || s.Interval.Method != "wilson" {
		t.Errorf("%+v", s)
	}
}

func TestWorst(t *testing.T) {
	r := results(1, 0, 1, 0.5)
	r.Rows[2].Error = &diag.Report{Title: "failed"}
	var order []int
	for _, row := range Worst(r) {
		order = append(order, row.N)
	}
	if fmt.Sprint(order) != "[3 2 4 1]" {
		t.Errorf("the worst first: %v", order)
	}
	if n := len(Imperfect(r)); n != 3 {
		t.Errorf("%d rows could be better", n)
	}
	if n := len(Imperfect(results(1, 1))); n != 0 {
		t.Errorf("%d rows could be better where all are the best", n)
	}
}

func TestRunning(t *testing.T) {
	var r Running
	for _, x := range []float64{1, 2, 3, 4} {
		r.Add(x)
	}
	if r.N() != 4 || r.Mean() != 2.5 || !close(r.Half(), 1.959963984540054*1.2909944487358056/2, 1e-12) {
		t.Errorf("%d, %v, %v", r.N(), r.Mean(), r.Half())
	}
}
