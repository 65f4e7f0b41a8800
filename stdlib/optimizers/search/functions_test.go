package search

import (
	"fmt"
	"math"
)

// problem is a function to be minimized whose least value is 0, or several
// functions. testdata/generate_optuna.py has the same ones for Optuna.
type problem struct {
	name  string
	space *Space
	f     func(Point) []float64
}

func unitBox(n int) []Dimension {
	out := make([]Dimension, n)
	for i := range out {
		out[i] = Dimension{Name: fmt.Sprintf("x%d", i), High: 1}
	}
	return out
}

func branin() problem {
	return problem{"branin", &Space{Dimensions: []Dimension{{Name: "x", Low: -5, High: 10}, {Name: "y", High: 15}}}, func(p Point) []float64 {
		x, y := p[0], p[1]
		a := y - 5.1/(4*math.Pi*math.Pi)*x*x + 5/math.Pi*x - 6
		return []float64{a*a + 10*(1-1/(8*math.Pi))*math.Cos(x) + 10 - 0.39788735772973816}
	}}
}

func hartmann6() problem {
	a := [4][6]float64{{10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}}
	m := [4][6]float64{{1312, 1696, 5569, 124, 8283, 5886}, {2329, 4135, 8307, 3736, 1004, 9991}, {2348, 1451, 3522, 2883, 3047, 6650}, {4047, 8828, 8732, 5743, 1091, 381}}
	c := [4]float64{1, 1.2, 3, 3.2}
	return problem{"hartmann6", &Space{Dimensions: unitBox(6)}, func(p Point) []float64 {
		sum := 0.0
		for i := range c {
			e := 0.0
			for j := range p {
				d := p[j] - m[i][j]/10_000
				e += a[i][j] * d * d
			}
			sum += c[i] * math.Exp(-e)
		}
		return []float64{3.322368011391339 - sum}
	}}
}

func mixed() problem {
	is := func(kind float64) func(Point) bool { return func(p Point) bool { return p[0] == kind } }
	space := &Space{Dimensions: []Dimension{
		{Name: "kind", Kind: Choice, Choices: 3},
		{Name: "depth", Kind: Int, Low: 1, High: 20},
		{Name: "rate", Low: 1e-5, High: 1e-1, Log: true},
		{Name: "warmth", High: 2, Step: 0.1},
		{Name: "momentum", High: 1, Active: is(1)},
		{Name: "width", Kind: Int, Low: 1, High: 8, Active: is(2)},
	}}
	return problem{"mixed", space, func(p Point) []float64 {
		square := func(x float64) float64 { return x * x }
		value := 0.02*square(p[1]-12) + 0.5*square(math.Log10(p[2])+3) + 0.5*square(p[3]-0.7)
		switch p[0] {
		case 0:
			value += 0.6
		case 1:
			value += 2 * square(p[4]-0.8)
		default:
			value += 0.2 + 0.05*math.Abs(p[5]-5)
		}
		return []float64{value}
	}}
}

// prompts is the usual space of a program: three steps with instructions and demos
// to choose, and a temperature. Some go well together and some do not.
func prompts() problem {
	var dims []Dimension
	for step := range 3 {
		dims = append(dims,
			Dimension{Name: fmt.Sprintf("instructions%d", step), Kind: Choice, Choices: 10},
			Dimension{Name: fmt.Sprintf("demos%d", step), Kind: Choice, Choices: 9})
	}
	dims = append(dims, Dimension{Name: "temperature", High: 1.5, Step: 0.1})
	loss := func(step, i, n int) float64 { return float64((i*37+step*11)%n) / float64(n) }
	one := func(step, i, d int) float64 {
		v := loss(step, i, 10) + 0.7*loss(step+5, d, 10)
		if (i+d)%3 == 1 {
			v += 0.2
		}
		return v
	}
	least := math.Inf(1)
	for first := range 2 {
		for last := range 2 {
			v := 0.0
			for step := range 3 {
				low := math.Inf(1)
				for i := range 10 {
					for d := range 9 {
						if step == 0 && i%2 != first || step == 2 && i%2 != last {
							continue
						}
						low = min(low, one(step, i, d))
					}
				}
				v += low
			}
			if first != last {
				v += 0.3
			}
			least = min(least, v)
		}
	}
	return problem{"prompts", &Space{Dimensions: dims}, func(p Point) []float64 {
		v := (p[6] - 0.6) * (p[6] - 0.6)
		for step := range 3 {
			v += one(step, int(p[2*step]), int(p[2*step+1]))
		}
		if int(p[0])%2 != int(p[4])%2 {
			v += 0.3
		}
		return []float64{v - least}
	}}
}

func zdt1(n int) problem {
	return problem{fmt.Sprintf("zdt1_%d", n), &Space{Dimensions: unitBox(n)}, func(p Point) []float64 {
		g := 0.0
		for _, x := range p[1:] {
			g += x
		}
		g = 1 + 9*g/float64(n-1)
		return []float64{p[0], g * (1 - math.Sqrt(p[0]/g))}
	}}
}

// tune runs a search and returns all that it asked and was told.
func tune(s Sampler, p problem, trials int) ([]Point, [][]float64) {
	var points []Point
	var values [][]float64
	for range trials {
		ps, err := s.Ask(1)
		if err != nil {
			break
		}
		v := p.f(ps[0])
		s.Tell(ps[0], v, true)
		points, values = append(points, ps[0]), append(values, v)
	}
	return points, values
}

// least is the best value of the first objective.
func least(values [][]float64) float64 {
	out := math.Inf(1)
	for _, v := range values {
		out = min(out, v[0])
	}
	return out
}
