package align

// slab hands out slices that share a few arrays, so that many small ones cost a few
// allocations. Its arrays double in size up to maxSlab; the first has room for
// minSlab.
type slab[T any] struct {
	free []T
	size int // of the last array
}

const (
	minSlab = 8
	maxSlab = 512
)

// take returns n new elements, to which none can be appended in place.
func (s *slab[T]) take(n int) []T {
	if n > len(s.free) {
		if n > maxSlab/2 {
			return make([]T, n)
		}
		s.size = max(min(2*s.size, maxSlab), minSlab, n)
		s.free = make([]T, s.size)
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	return out
}

// one returns a new element.
func (s *slab[T]) one() *T { return &s.take(1)[0] }

// keep returns a copy of list.
func (s *slab[T]) keep(list []T) []T {
	out := s.take(len(list))
	copy(out, list)
	return out
}
