package search

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"
)

// Kind says what values a dimension has.
type Kind uint8

// The kinds of dimensions.
const (
	Float  Kind = iota // numbers from Low to High
	Int                // whole numbers from Low to High
	Choice             // the indexes 0 … Choices-1
)

func (k Kind) String() string {
	switch k {
	case Float:
		return "float"
	case Int:
		return "int"
	case Choice:
		return "choice"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Dimension is one thing that can vary.
type Dimension struct {
	Name string
	Kind Kind
	// Low and High are the ends of a Float or an Int; both belong to it.
	Low, High float64
	// Log measures distances by the ratio of two values; Low is above 0 then.
	Log bool
	// Step is the distance of two values; 0 is none for a Float and 1 for an Int.
	// The values are Low, Low+Step, … up to High.
	Step float64
	// Choices is how many values a Choice has.
	Choices int
	// Ordered says that neighbours among the choices are alike.
	Ordered bool
	// Active says of a point whether it has this dimension; nil: every point has
	// it. Only dimensions before this one may be looked at.
	Active func(Point) bool
}

// Point is one value for each dimension of a space; for a Choice it is the
// index. A dimension that is not active has its first value.
type Point []float64

// key tells points apart.
func (p Point) key() string {
	b := make([]byte, 0, 8*len(p))
	for _, x := range p {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x+0)) // -0 is 0
	}
	return string(b)
}

// Space is where is searched: its dimensions, and what is allowed among them.
type Space struct {
	Dimensions []Dimension
	// Valid says whether a point fulfils the constraints; nil: all do. It is asked
	// for normal points only, and has to answer the same for the same point.
	Valid func(Point) bool
}

// Faults of a space.
var (
	// ErrNoValidPoint: nothing was found that fulfils the constraints.
	ErrNoValidPoint = errors.New("no point was found that fulfils the constraints")
	// ErrExhausted: every point of the space has been asked already, or the plan of
	// the search is at its end.
	ErrExhausted = errors.New("there is nothing left to try")
)

// Check says what is wrong with the space, with the dimension's name.
func (s *Space) Check() error {
	if len(s.Dimensions) == 0 {
		return errors.New("the space has no dimension, so there is nothing to search")
	}
	for i := range s.Dimensions {
		if err := s.Dimensions[i].check(); err != nil {
			return fmt.Errorf("%s: %w", s.Dimensions[i].Name, err)
		}
	}
	return nil
}

func (d *Dimension) check() error {
	if d.Kind == Choice {
		if d.Choices < 1 {
			return errors.New("a choice has one value at least")
		}
		return nil
	}
	for _, x := range []float64{d.Low, d.High, d.Step} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return errors.New("its ends and its step have to be finite")
		}
	}
	switch {
	case d.Low > d.High:
		return fmt.Errorf("its lower end %v is above its upper end %v", d.Low, d.High)
	case d.Step < 0:
		return fmt.Errorf("its step %v is below 0", d.Step)
	case d.Log && d.Low <= 0:
		return fmt.Errorf("a log scale begins above 0, and not at %v", d.Low)
	case d.Kind == Int && (d.Low != math.Trunc(d.Low) || d.High != math.Trunc(d.High) || d.Step != math.Trunc(d.Step)):
		return errors.New("the ends and the step of a whole number are whole numbers")
	}
	return nil
}

// step is the distance of two values, 0 where there are values in between.
func (d *Dimension) step() float64 {
	if d.Kind == Choice || d.Kind == Int && d.Step == 0 {
		return 1
	}
	return d.Step
}

// ends returns the first and the last value.
func (d *Dimension) ends() (low, high float64) {
	if d.Kind == Choice {
		return 0, float64(d.Choices - 1)
	}
	if st := d.step(); st > 0 {
		return d.Low, d.grid(math.Floor((d.High-d.Low)/st + 1e-9))
	}
	return d.Low, d.High
}

// grid is the value number i.
func (d *Dimension) grid(i float64) float64 {
	if d.Kind == Choice {
		return i
	}
	if i == 0 {
		return d.Low
	}
	return min(tidy(d.Low+i*d.step()), d.High)
}

// tidy leaves out the last two digits of a float64, which sums of steps spoil: a
// step of 0.1 has the value 0.3 and not 0.30000000000000004.
func tidy(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 14, 64), 64)
	if err != nil {
		return x
	}
	return y
}

// Values is how many values the dimension has, +Inf for a range without a step.
func (d *Dimension) Values() float64 {
	low, high := d.ends()
	if d.step() == 0 && low < high {
		return math.Inf(1)
	}
	if low == high {
		return 1
	}
	return math.Round((high-low)/d.step()) + 1
}

// clip returns the value of the dimension that is nearest to x.
func (d *Dimension) clip(x float64) float64 {
	low, high := d.ends()
	if math.IsNaN(x) {
		return low
	}
	x = min(max(x, low), high)
	if st := d.step(); st > 0 {
		return min(d.grid(math.Round((x-low)/st)), high)
	}
	return x
}

// scale maps a value to where distances are measured.
func (d *Dimension) scale(x float64) float64 {
	if d.Log {
		return math.Log(x)
	}
	return x
}

// bounds are the ends of the unit interval, scaled. A dimension with a step has
// half a step on either side, so that each value has a cell of its own.
func (d *Dimension) bounds() (low, high float64) {
	low, high = d.ends()
	half := d.step() / 2
	return d.scale(below(low, half, d.Log)), d.scale(high + half)
}

// below goes half a step down, but not out of what has a logarithm.
func below(x, half float64, log bool) float64 {
	if log {
		return max(x-half, x/2)
	}
	return x - half
}

// unit returns where x lies in the unit interval.
func (d *Dimension) unit(x float64) float64 {
	low, high := d.bounds()
	if low == high {
		return 0.5
	}
	return min(max((d.scale(x)-low)/(high-low), 0), 1)
}

// value returns the value at u of the unit interval: the inverse of unit.
func (d *Dimension) value(u float64) float64 {
	low, high := d.bounds()
	x := low + u*(high-low)
	if d.Log {
		x = math.Exp(x)
	}
	return d.clip(x)
}

// cell returns the part of the unit interval whose value is x, for a dimension
// with a step.
func (d *Dimension) cell(x float64) (from, to float64) {
	half := d.step() / 2
	return d.unit(below(x, half, d.Log)), d.unit(x + half)
}

// active says whether p has dimension i.
func (s *Space) active(i int, p Point) bool {
	f := s.Dimensions[i].Active
	return f == nil || f(p)
}

// Normalize returns the nearest point of the space: each value clipped to its
// range and its step, and the first value for dimensions that are not active.
func (s *Space) Normalize(p Point) Point {
	out := s.first()
	for i := range s.Dimensions {
		if i < len(p) && s.active(i, out) {
			out[i] = s.Dimensions[i].clip(p[i])
		}
	}
	return out
}

// first is the point of all first values.
func (s *Space) first() Point {
	p := make(Point, len(s.Dimensions))
	for i := range p {
		p[i], _ = s.Dimensions[i].ends()
	}
	return p
}

// Contains says whether p is a point of the space: in range, on the steps,
// nothing set that is not active, and valid.
func (s *Space) Contains(p Point) bool {
	if len(p) != len(s.Dimensions) {
		return false
	}
	n := s.Normalize(p)
	for i := range p {
		if p[i] != n[i] {
			return false
		}
	}
	return s.Valid == nil || s.Valid(n)
}

// countable is up to how many combinations are counted one by one.
const countable = 100_000

// Size is how many points the space has, +Inf where a dimension is a range without
// a step. Conditional dimensions and constraints are taken into account up to
// 100,000 combinations; above that it is how many there are at most.
func (s *Space) Size() float64 {
	product, plain := 1.0, s.Valid == nil
	for i := range s.Dimensions {
		product *= s.Dimensions[i].Values()
		plain = plain && s.Dimensions[i].Active == nil
	}
	if plain || product > countable {
		return product
	}
	n := 0.0
	for range s.Points() {
		n++
	}
	return n
}

// Points yields every valid point of a space without continuous dimensions once,
// the last dimension changing fastest. It yields none where one is continuous.
func (s *Space) Points() iter.Seq[Point] {
	return func(yield func(Point) bool) {
		for i := range s.Dimensions {
			if math.IsInf(s.Dimensions[i].Values(), 1) {
				return
			}
		}
		s.points(s.first(), 0, func(i int) int { return int(s.Dimensions[i].Values()) }, func(d *Dimension, k, _ int) float64 { return d.grid(float64(k)) }, yield)
	}
}

// points walks over the values of the dimensions from i on: count says how many
// a dimension has, at which they are.
func (s *Space) points(p Point, i int, count func(i int) int, at func(d *Dimension, k, n int) float64, yield func(Point) bool) bool {
	if i == len(p) {
		if s.Valid != nil && !s.Valid(p) {
			return true
		}
		return yield(append(Point(nil), p...))
	}
	d := &s.Dimensions[i]
	low, _ := d.ends()
	p[i] = low
	if !s.active(i, p) {
		return s.points(p, i+1, count, at, yield)
	}
	n := count(i)
	for k := range n {
		p[i] = d.clip(at(d, k, n))
		if !s.points(p, i+1, count, at, yield) {
			return false
		}
	}
	p[i] = low
	return true
}
