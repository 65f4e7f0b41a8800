package align

// slab hands out slices that share a few arrays, so that many small ones cost few
// allocations. Its arrays double in size up to maxSlab; reset keeps the last for
// the next reading.
type slab[T any] struct {
	last []T
	used int // of last
}

const (
	minSlab = 16
	maxSlab = 512
)

// take returns n new elements, to which none can be appended in place.
func (s *slab[T]) take(n int) []T {
	from := s.used
	if from+n > len(s.last) {
		if n > maxSlab/2 {
			return make([]T, n)
		}
		s.last = make([]T, max(min(2*len(s.last), maxSlab), minSlab, n))
		from = 0
	}
	s.used = from + n
	return s.last[from:s.used:s.used]
}

// one returns a new element.
func (s *slab[T]) one() *T { return &s.take(1)[0] }

// reset makes the elements new again. Nobody may hold any of them.
func (s *slab[T]) reset() {
	clear(s.last[:s.used])
	s.used = 0
}
