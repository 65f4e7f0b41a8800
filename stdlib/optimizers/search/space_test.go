package search

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSize(t *testing.T) {
	on := func(p Point) bool { return p[0] == 1 }
	tests := []struct {
		name string
		s    Space
		want float64
	}{
		{"range", Space{Dimensions: []Dimension{{Name: "x", High: 1}}}, math.Inf(1)},
		{"one value", Space{Dimensions: []Dimension{{Name: "x", Low: 3, High: 3}}}, 1},
		{"step", Space{Dimensions: []Dimension{{Name: "x", High: 1, Step: 0.1}}}, 11},
		{"step that does not end at the end", Space{Dimensions: []Dimension{{Name: "x", High: 1, Step: 0.3}}}, 4},
		{"int", Space{Dimensions: []Dimension{{Name: "x", Kind: Int, Low: -2, High: 2}}}, 5},
		{"int with step", Space{Dimensions: []Dimension{{Name: "x", Kind: Int, Low: 1, High: 10, Step: 4}}}, 3},
		{"choice", Space{Dimensions: []Dimension{{Name: "x", Kind: Choice, Choices: 3}, {Name: "y", Kind: Choice, Choices: 4}}}, 12},
		{"conditional", Space{Dimensions: []Dimension{{Name: "x", Kind: Choice, Choices: 2}, {Name: "y", Kind: Choice, Choices: 4, Active: on}}}, 5},
		{"constraint", Space{
			Dimensions: []Dimension{{Name: "x", Kind: Int, Low: 1, High: 4}, {Name: "y", Kind: Int, Low: 1, High: 4}},
			Valid:      func(p Point) bool { return p[0] < p[1] },
		}, 6},
		{"too many to count", Space{
			Dimensions: []Dimension{{Name: "x", Kind: Int, Low: 1, High: 1e6}},
			Valid:      func(p Point) bool { return p[0] < 3 },
		}, 1e6},
	}
	for _, test := range tests {
		if got := test.s.Size(); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestSpaceFaults(t *testing.T) {
	tests := []struct {
		d    Dimension
		want string
	}{
		{Dimension{Name: "x", Low: 2, High: 1}, "x: its lower end 2 is above its upper end 1"},
		{Dimension{Name: "x", High: 1, Log: true}, "x: a log scale begins above 0"},
		{Dimension{Name: "x", High: 1, Step: -1}, "x: its step -1 is below 0"},
		{Dimension{Name: "x", High: math.Inf(1)}, "x: its ends and its step have to be finite"},
		{Dimension{Name: "x", Kind: Int, High: 1.5}, "x: the ends and the step of a whole number are whole numbers"},
		{Dimension{Name: "x", Kind: Choice}, "x: a choice has one value at least"},
	}
	for _, test := range tests {
		if _, err := NewRandom(&Space{Dimensions: []Dimension{test.d}}, 1); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.d, err, test.want)
		}
	}
	if err := (&Space{}).Check(); err == nil {
		t.Error("a space without dimensions has no fault")
	}
}

// anySpace draws a space of up to five dimensions of all kinds.
func anySpace(t *rapid.T) *Space {
	s := &Space{}
	for i := range rapid.IntRange(1, 5).Draw(t, "dimensions") {
		d := Dimension{Name: string(rune('a' + i)), Kind: rapid.SampledFrom([]Kind{Float, Int, Choice}).Draw(t, "kind")}
		switch d.Kind {
		case Choice:
			d.Choices = rapid.IntRange(1, 7).Draw(t, "choices")
			d.Ordered = rapid.Bool().Draw(t, "ordered")
		case Int:
			d.Low = float64(rapid.IntRange(-5, 5).Draw(t, "low"))
			d.High = d.Low + float64(rapid.IntRange(0, 30).Draw(t, "width"))
			d.Step = float64(rapid.IntRange(0, 4).Draw(t, "step"))
		default:
			d.Low = rapid.Float64Range(-3, 3).Draw(t, "low")
			d.High = d.Low + rapid.Float64Range(0, 10).Draw(t, "width")
			d.Step = rapid.SampledFrom([]float64{0, 0.1, 0.25, 3}).Draw(t, "step")
		}
		if d.Kind != Choice && d.Low > 0 {
			d.Log = rapid.Bool().Draw(t, "log")
		}
		if i > 0 && rapid.Bool().Draw(t, "conditional") {
			before := i - 1
			at, _ := s.Dimensions[before].ends()
			d.Active = func(p Point) bool { return p[before] != at }
		}
		s.Dimensions = append(s.Dimensions, d)
	}
	return s
}

// TestDimensionsFit: a value is where its unit says, and each value of a dimension
// with a step has a cell of its own.
func TestDimensionsFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, d := range anySpace(t).Dimensions {
			u := rapid.Float64Range(0, 1).Draw(t, "u")
			x := d.value(u)
			if low, high := d.ends(); x < low || x > high || d.clip(x) != x {
				t.Fatalf("%v at %v: %v", d, u, x)
			}
			if back := d.value(d.unit(x)); math.Abs(back-x) > 1e-9*(1+math.Abs(x)) {
				t.Fatalf("%v: %v comes back as %v", d, x, back)
			}
			if d.step() > 0 && d.Values() > 1 {
				sum := 0.0
				for k := range int(d.Values()) {
					from, to := d.cell(d.grid(float64(k)))
					sum += to - from
				}
				if math.Abs(sum-1) > 1e-9 {
					t.Fatalf("%v: the cells are %v together", d, sum)
				}
			}
		}
	})
}

// TestDensity: the mass of all values of a finite space is 1.
func TestDensity(t *testing.T) {
	s := &Space{Dimensions: []Dimension{
		{Name: "c", Kind: Choice, Choices: 3},
		{Name: "i", Kind: Int, Low: 1, High: 9, Log: true},
		{Name: "f", High: 1, Step: 0.25, Active: func(p Point) bool { return p[0] == 1 }},
		{Name: "o", Kind: Choice, Choices: 4, Ordered: true},
	}}
	points := []Point{{0, 3, 0, 1}, {1, 4, 0.5, 3}, {1, 9, 1, 0}, {2, 1, 0, 2}}
	for _, n := range []int{0, 1, 4} {
		e := newParzen(s, points[:n], []float64{1, 0.5, 1, 1}[:n], parzenOptions{prior: 0.5, finest: 3})
		for _, together := range []bool{true, false} {
			m := &density{s, together, []*parzen{e, e, e, e}}
			sum := 0.0
			for p := range s.Points() {
				sum += math.Exp(m.log(p))
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Errorf("%d points, together %v: the mass is %v", n, together, sum)
			}
		}
	}
}
