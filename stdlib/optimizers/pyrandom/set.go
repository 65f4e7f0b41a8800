package pyrandom

// Set is a Python set of whole numbers from 0, which yields them in the order in which
// CPython does: what is chosen from a list that was made of a set depends on it. The
// zero Set is empty.
//
// Its table and its probes are those of CPython's setobject.c.
type Set struct {
	table []int // a number and 1; 0 is an empty place
	used  int
}

const (
	leastTable   = 8
	linearProbes = 9
	perturbShift = 5
)

// SetOf returns a set to which numbers were added one after another.
func SetOf(numbers ...int) *Set {
	s := &Set{}
	for _, x := range numbers {
		s.Add(x)
	}
	return s
}

// Add is add(x).
func (s *Set) Add(x int) {
	if s.table == nil {
		s.table = make([]int, leastTable)
	}
	at := s.find(x)
	if s.table[at] != 0 {
		return
	}
	s.table[at] = x + 1
	s.used++
	if s.used*5 >= (len(s.table)-1)*3 {
		s.resize(s.used * 4)
	}
}

// find returns the place of a number, or the empty one where it belongs.
func (s *Set) find(x int) int {
	mask, perturb := len(s.table)-1, x
	for i := x & mask; ; {
		probes := 0
		if i+linearProbes <= mask {
			probes = linearProbes
		}
		for at := i; at <= i+probes; at++ {
			if s.table[at] == 0 || s.table[at] == x+1 {
				return at
			}
		}
		perturb >>= perturbShift
		i = (i*5 + 1 + perturb) & mask
	}
}

// resize makes a table with more than so many places.
func (s *Set) resize(more int) {
	size := leastTable
	for size <= more {
		size <<= 1
	}
	old := s.table
	s.table = make([]int, size)
	for _, x := range old {
		if x != 0 {
			s.table[s.find(x-1)] = x
		}
	}
}

// Has is x in s.
func (s *Set) Has(x int) bool { return s.table != nil && s.table[s.find(x)] != 0 }

// Len is len(s).
func (s *Set) Len() int { return s.used }

// List is list(s).
func (s *Set) List() []int {
	out := make([]int, 0, s.used)
	for _, x := range s.table {
		if x != 0 {
			out = append(out, x-1)
		}
	}
	return out
}

// Copy is set(s), which may have another order.
func (s *Set) Copy() *Set {
	c := &Set{table: make([]int, leastTable), used: s.used}
	if s.used*5 >= (leastTable-1)*3 {
		c.resize(s.used * 2)
	}
	if len(c.table) == len(s.table) {
		copy(c.table, s.table)
		return c
	}
	for _, x := range s.table {
		if x != 0 {
			c.table[c.find(x-1)] = x
		}
	}
	return c
}

// And is a & b.
func (s *Set) And(other *Set) *Set {
	if other.used > s.used {
		s, other = other, s
	}
	out := &Set{}
	for _, x := range other.List() {
		if s.Has(x) {
			out.Add(x)
		}
	}
	return out
}
