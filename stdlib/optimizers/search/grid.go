package search

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// GridOptions are the settings of NewGrid.
type GridOptions struct {
	Points int // how many values of a dimension without a step are tried, its ends among them; 0: 5
	Max    int // the most points that a grid may have; 0: 1,000
}

// grid is the search of NewGrid.
type grid struct {
	history
	points []Point
	next   int // all before it are known
}

// NewGrid tries every combination of values once, in the order of the dimensions,
// the last one changing fastest. It refuses a grid of more points than
// options.Max, and says how many it has.
func NewGrid(space *Space, options GridOptions) (Sampler, error) {
	if options.Points == 0 {
		options.Points = 5
	}
	if options.Max == 0 {
		options.Max = 1000
	}
	if options.Points < 2 {
		return nil, fmt.Errorf("a grid has 2 points at least in a dimension without a step, and not %d", options.Points)
	}
	h, err := newHistory(space, 0)
	if err != nil {
		return nil, err
	}
	count := func(i int) int {
		if n := space.Dimensions[i].Values(); !math.IsInf(n, 1) {
			return int(n)
		}
		return options.Points
	}
	at := func(d *Dimension, k, n int) float64 {
		if d.step() > 0 {
			return d.grid(float64(k))
		}
		low, high := d.ends()
		if k == n-1 {
			return high
		}
		u := 0.0
		if n > 1 {
			u = float64(k) / float64(n-1)
		}
		if k == 0 {
			return low
		}
		return d.value(u)
	}
	product := 1.0
	for i := range space.Dimensions {
		n := space.Dimensions[i].Values()
		if math.IsInf(n, 1) {
			n = float64(options.Points)
		}
		product *= n
	}
	// A grid with conditions has fewer points than combinations, and one walk tells.
	if product > float64(options.Max) && !(conditional(space) && product <= countable*10) {
		return nil, fmt.Errorf("the grid has %.0f points, and no more than %d are allowed; coarser steps or fewer variables make it smaller", product, options.Max)
	}
	g := &grid{history: h}
	space.points(space.first(), 0, count, at, func(p Point) bool {
		g.points = append(g.points, p)
		return true
	})
	switch {
	case len(g.points) == 0:
		return nil, fmt.Errorf("%w: none of the %.0f points of the grid does", ErrNoValidPoint, product)
	case len(g.points) > options.Max:
		return nil, fmt.Errorf("the grid has %d points, and no more than %d are allowed; coarser steps or fewer variables make it smaller", len(g.points), options.Max)
	}
	return g, nil
}

// conditional says whether a walk may find fewer points than the product says.
func conditional(s *Space) bool {
	for i := range s.Dimensions {
		if s.Dimensions[i].Active != nil {
			return true
		}
	}
	return s.Valid != nil
}

// Ask implements Sampler.
func (g *grid) Ask(n int) ([]Point, error) {
	return g.ask(n, func(*rand.Rand) (Point, error) {
		for ; g.next < len(g.points); g.next++ {
			if p := g.points[g.next]; g.seen[p.key()] == 0 {
				return p, nil
			}
		}
		return nil, ErrExhausted
	})
}
