package search

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestRungs(t *testing.T) {
	tests := []struct {
		o    HalvingOptions
		want string
	}{
		{HalvingOptions{Points: 27, Min: 10, Max: 270}, "[{27 10} {9 30} {3 90} {1 270}]"},
		{HalvingOptions{Points: 16, Min: 10, Max: 100, Eta: 2}, "[{16 10} {8 20} {4 40} {2 80} {1 100}]"},
		{HalvingOptions{Points: 5, Min: 10, Max: 1000}, "[{5 10} {1 1000}]"},
		{HalvingOptions{Points: 100, Min: 20, Max: 50}, "[{100 20} {33 50}]"},
		{HalvingOptions{Points: 1, Min: 20, Max: 20}, "[{1 20}]"},
	}
	for _, test := range tests {
		got, err := Rungs(test.o)
		if err != nil || fmt.Sprint(got) != test.want {
			t.Errorf("%+v: %v, %v, want %s", test.o, got, err, test.want)
		}
	}
	for _, o := range []HalvingOptions{{}, {Points: 3}, {Points: 3, Min: 5, Max: 4}, {Points: 3, Min: 1, Max: 4, Eta: 1}} {
		if _, err := Rungs(o); err == nil {
			t.Errorf("%+v is allowed", o)
		}
	}
}

// TestHalving: what is asked is the plan to the row, the best go on, nothing is asked
// while jobs are out that decide what comes next, and neither the order of telling nor
// how many are asked at once changes anything.
func TestHalving(t *testing.T) {
	run := func(batch int, reverse bool) string {
		p := branin()
		inner, err := NewRandom(p.space, 5)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSuccessiveHalving(inner, HalvingOptions{Points: 27, Min: 4, Max: 200})
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		values := map[int][]float64{}
		for {
			jobs, err := s.Ask(batch)
			if errors.Is(err, ErrExhausted) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(jobs) == 0 {
				t.Fatal("nothing to do and nothing under way")
			}
			if batch >= 27 {
				if more, err := s.Ask(1); err != nil || len(more) > 0 {
					t.Fatalf("%d jobs more than the rung has, %v", len(more), err)
				}
			}
			if reverse {
				slices.Reverse(jobs)
			}
			for _, j := range jobs {
				rows += j.Resource
				v := p.f(j.Point)[0]
				values[j.Rung] = append(values[j.Rung], v)
				s.Tell(j, v, true)
				s.Tell(j, v, true) // a second time counts for nothing
			}
		}
		if want := 27*4 + 9*12 + 3*36 + 200; rows != s.Budget() || rows != want {
			t.Errorf("%d rows were asked, the budget is %d, want %d", rows, s.Budget(), want)
		}
		var order []string
		for r := range s.Rungs() {
			slices.Sort(values[r])
			order = append(order, fmt.Sprintf("%.5f", values[r]))
			if r > 0 && !slices.Equal(values[r], values[r-1][:len(values[r])]) {
				t.Errorf("rung %d has other points than the best of the one before", r)
			}
		}
		return strings.Join(order, " ")
	}
	first := run(27, false)
	for _, other := range []string{run(27, true), run(5, false)} {
		if other != first {
			t.Errorf("in another order:\n%s, not\n%s", other, first)
		}
	}
}

// TestHalvingSmallSpace: a space of fewer points than the first rung is measured whole.
func TestHalvingSmallSpace(t *testing.T) {
	inner, err := NewRandom(&Space{Dimensions: []Dimension{{Name: "x", Kind: Choice, Choices: 4}}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSuccessiveHalving(inner, HalvingOptions{Points: 12, Min: 1, Max: 9})
	if err != nil {
		t.Fatal(err)
	}
	told := map[int]int{}
	var last Point
	for range 100 {
		jobs, err := s.Ask(3)
		if errors.Is(err, ErrExhausted) {
			if told[0] != 4 || last[0] != 2 {
				t.Errorf("%v were told, the last was %v", told, last)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			told[j.Rung]++
			last = j.Point
			// 2 is best; 3 would be, but fails.
			s.Tell(j, math.Abs(j.Point[0]-2.9), j.Point[0] != 3)
		}
	}
	t.Error("it does not end")
}
