package search

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// searches makes every sampler of a space that chance has a part in.
var searches = map[string]func(*Space, uint64) (Sampler, error){
	"random": NewRandom,
	"tpe":    func(s *Space, seed uint64) (Sampler, error) { return NewTPE(s, seed, TPEOptions{Startup: 5}) },
	"nsga2": func(s *Space, seed uint64) (Sampler, error) {
		return NewNSGA2(s, seed, NSGA2Options{Population: 6})
	},
}

// worth is a score for any point.
func worth(p Point, objectives int) []float64 {
	out := make([]float64, objectives)
	for m := range out {
		for i, x := range p {
			out[m] += math.Sin(x*float64(m+1) + float64(i))
		}
	}
	return out
}

// TestPointsFit: whatever is asked lies in the space, on its steps, is valid, and
// comes once, in batches or one by one, with failures among what is told.
func TestPointsFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySpace(t)
		if rapid.Bool().Draw(t, "constrained") {
			last := len(s.Dimensions) - 1
			low, _ := s.Dimensions[last].ends()
			s.Valid = func(p Point) bool { return p[last] == low || p[0] <= p[last]+100 }
		}
		name := rapid.SampledFrom([]string{"random", "tpe", "nsga2"}).Draw(t, "search")
		objectives := rapid.IntRange(1, 3).Draw(t, "objectives")
		search, err := searches[name](s, rapid.Uint64().Draw(t, "seed"))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for range 6 {
			points, err := search.Ask(rapid.IntRange(1, 5).Draw(t, "batch"))
			if errors.Is(err, ErrExhausted) {
				if float64(len(seen)) != s.Size() {
					t.Fatalf("%s: exhausted after %d of %v points", name, len(seen), s.Size())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range points {
				if !s.Contains(p) {
					t.Fatalf("%s: %v is not in the space", name, p)
				}
				// Where conditions leave few points of an endless space, they may.
				if seen[p.key()] && !math.IsInf(s.Size(), 1) {
					t.Fatalf("%s: %v comes twice", name, p)
				}
				seen[p.key()] = true
				search.Tell(p, worth(p, objectives), rapid.IntRange(0, 4).Draw(t, "fails") > 0)
			}
		}
	})
}

// TestSameSeed: the same seed gives the same points, another one gives others, and a
// search that is only told goes on as the one that asked.
func TestSameSeed(t *testing.T) {
	for name, make := range searches {
		for _, p := range []problem{mixed(), prompts(), zdt1(4)} {
			run := func(seed uint64, batches int, told [][]Point) [][]Point {
				s, err := make(p.space, seed)
				if err != nil {
					t.Fatal(err)
				}
				for _, batch := range told {
					for _, q := range batch {
						s.Tell(q, p.f(q), true)
					}
				}
				var out [][]Point
				for range batches {
					points, err := s.Ask(4)
					if err != nil {
						t.Fatal(err)
					}
					for _, q := range points {
						s.Tell(q, p.f(q), true)
					}
					out = append(out, points)
				}
				return out
			}
			a := run(1, 8, nil)
			if b := run(1, 8, nil); fmt.Sprint(a) != fmt.Sprint(b) {
				t.Errorf("%s, %s: the same seed gives other points", name, p.name)
			}
			if b := run(2, 8, nil); fmt.Sprint(a) == fmt.Sprint(b) {
				t.Errorf("%s, %s: another seed gives the same points", name, p.name)
			}
			if b := run(1, 3, a[:5]); fmt.Sprint(a[5:]) != fmt.Sprint(b) {
				t.Errorf("%s, %s: told again, it goes on with\n%v, not\n%v", name, p.name, b, a[5:])
			}
		}
	}
}

// TestBatch: points asked at once differ, at the start and later.
func TestBatch(t *testing.T) {
	for name, make := range searches {
		p := hartmann6()
		s, err := make(p.space, 3)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			points, err := s.Ask(8)
			if err != nil || len(points) != 8 {
				t.Fatal(err, len(points))
			}
			keys := map[string]bool{}
			for _, q := range points {
				keys[q.key()] = true
				s.Tell(q, p.f(q), true)
			}
			if len(keys) != 8 {
				t.Errorf("%s: %d different points of 8", name, len(keys))
			}
		}
	}
}

func TestGrid(t *testing.T) {
	s := &Space{Dimensions: []Dimension{
		{Name: "c", Kind: Choice, Choices: 2},
		{Name: "i", Kind: Int, Low: 1, High: 3, Active: func(p Point) bool { return p[0] == 1 }},
		{Name: "f", Low: 0.01, High: 1, Log: true},
	}}
	g, err := NewGrid(s, GridOptions{Points: 3})
	if err != nil {
		t.Fatal(err)
	}
	var got []Point
	for {
		points, err := g.Ask(5)
		if errors.Is(err, ErrExhausted) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, points...)
	}
	var want []Point
	for _, head := range [][2]float64{{0, 1}, {1, 1}, {1, 2}, {1, 3}} {
		for _, f := range []float64{0.01, 0.1, 1} {
			want = append(want, Point{head[0], head[1], f})
		}
	}
	if !slices.EqualFunc(got, want, func(a, b Point) bool {
		return a[0] == b[0] && a[1] == b[1] && math.Abs(a[2]-b[2]) < 1e-12
	}) {
		t.Errorf("the grid is %v, want %v", got, want)
	}
	for _, test := range []struct {
		s    *Space
		o    GridOptions
		want string
	}{
		{prompts().space, GridOptions{}, "the grid has 11664000 points, and no more than 1000 are allowed"},
		{s, GridOptions{Max: 11, Points: 3}, "the grid has 12 points, and no more than 11 are allowed"},
		{s, GridOptions{Points: 1}, "2 points at least"},
	} {
		if _, err := NewGrid(test.s, test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
}

// TestImpossible: constraints that leave nothing are said to, and those that leave
// little of a small space are met.
func TestImpossible(t *testing.T) {
	small := []Dimension{{Name: "x", Kind: Int, Low: 1, High: 300}, {Name: "y", Kind: Int, Low: 1, High: 300}}
	wide := []Dimension{{Name: "x", High: 1}}
	for name, make := range searches {
		for _, d := range [][]Dimension{small, wide} {
			s, err := make(&Space{Dimensions: d, Valid: func(Point) bool { return false }}, 1)
			if err != nil {
				t.Fatal(err)
			}
			points, err := s.Ask(2)
			if !errors.Is(err, ErrNoValidPoint) || len(points) > 0 {
				t.Errorf("%s: %v, %v", name, points, err)
			}
		}
		// Two points of 90,000.
		s, err := make(&Space{Dimensions: small, Valid: func(p Point) bool { return p[0] == 7 && p[1] > 298 }}, 1)
		if err != nil {
			t.Fatal(err)
		}
		points, err := s.Ask(3)
		if err != nil || len(points) != 2 {
			t.Errorf("%s: %v, %v", name, points, err)
		}
		if _, err := s.Ask(1); !errors.Is(err, ErrExhausted) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewGrid(&Space{Dimensions: small, Valid: func(Point) bool { return false }}, GridOptions{Max: 100_000}); !errors.Is(err, ErrNoValidPoint) {
		t.Error(err)
	}
}

// TestAllFailed: a search of which nothing has worked goes on.
func TestAllFailed(t *testing.T) {
	for name, make := range searches {
		s, err := make(mixed().space, 1)
		if err != nil {
			t.Fatal(err)
		}
		for range 30 {
			points, err := s.Ask(1)
			if err != nil {
				t.Fatal(name, err)
			}
			s.Tell(points[0], []float64{math.NaN()}, true)
		}
	}
}

func TestOptions(t *testing.T) {
	s := mixed().space
	for _, o := range []TPEOptions{{Gamma: 1}, {Gamma: -0.1}, {Prior: -1}, {Candidates: -1}} {
		if _, err := NewTPE(s, 1, o); err == nil {
			t.Errorf("%+v is allowed", o)
		}
	}
	for _, o := range []NSGA2Options{{Population: 3}, {Crossover: 1.5}, {Mutation: 2}, {MutationEta: -1}} {
		if _, err := NewNSGA2(s, 1, o); err == nil {
			t.Errorf("%+v is allowed", o)
		}
	}
}
