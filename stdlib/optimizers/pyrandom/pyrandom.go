// Package pyrandom is the source of chance that Python programs have in
// random.Random: the Mersenne Twister MT19937 of Makoto Matsumoto and Takuji Nishimura
// (1998, doi:10.1145/272991.272995), seeded and drawn from as CPython does. DSPy's
// optimizers choose rows with it, so that the same seed chooses the same ones here.
//
//	Random  the source: New of a number, NewText of a text
//	Sample, Shuffle, Choice, Choices  what is drawn from a list
//	NumPy   the source that numpy has in default_rng (numpy.go)
//	Set     a set in Python's order: lists to draw from are made of them (set.go)
//
// What is drawn is that of CPython 3.11 and later, in which these did not change.
package pyrandom

import (
	"crypto/sha512"
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"
)

const (
	size  = 624 // words of the state
	shift = 397
)

// Random is a source of chance, not for use by several goroutines at once.
type Random struct {
	state [size]uint32
	next  int // of state; size: all are used
}

// New returns random.Random(seed).
func New(seed int64) *Random {
	n := uint64(seed)
	if seed < 0 {
		n = -n // Python seeds with the absolute value
	}
	key := []uint32{uint32(n)}
	if n>>32 != 0 {
		key = append(key, uint32(n>>32))
	}
	return seeded(key)
}

// NewText returns random.Random(seed) of a str.
func NewText(seed string) *Random {
	sum := sha512.Sum512([]byte(seed))
	b := append([]byte(seed), sum[:]...)
	for len(b)%4 != 0 { // a number, most significant byte first
		b = slices.Insert(b, 0, 0)
	}
	var key []uint32
	for len(b) > 0 {
		key = append(key, binary.BigEndian.Uint32(b[len(b)-4:]))
		b = b[:len(b)-4]
	}
	for len(key) > 1 && key[len(key)-1] == 0 {
		key = key[:len(key)-1]
	}
	return seeded(key)
}

// seeded is init_by_array of the authors' own program.
func seeded(key []uint32) *Random {
	r := &Random{next: size}
	s := &r.state
	s[0] = 19650218
	for i := uint32(1); i < size; i++ {
		s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + i
	}
	i, j := 1, 0
	step := func(factor uint32) uint32 {
		return s[i] ^ (s[i-1]^s[i-1]>>30)*factor
	}
	advance := func() {
		if i++; i >= size {
			s[0], i = s[size-1], 1
		}
	}
	for range max(size, len(key)) {
		s[i] = step(1664525) + key[j] + uint32(j)
		advance()
		j = (j + 1) % len(key)
	}
	for range size - 1 {
		s[i] = step(1566083941) - uint32(i)
		advance()
	}
	s[0] = 1 << 31
	return r
}

// Uint32 returns 32 bits.
func (r *Random) Uint32() uint32 {
	if r.next == size {
		r.refill()
	}
	y := r.state[r.next]
	r.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (r *Random) refill() {
	s := &r.state
	for i := range size {
		y := s[i]&(1<<31) | s[(i+1)%size]&(1<<31-1)
		s[i] = s[(i+shift)%size] ^ y>>1 ^ -(y&1)&0x9908b0df
	}
	r.next = 0
}

// Float64 is random(): a number from 0, below 1.
func (r *Random) Float64() float64 {
	a, b := r.Uint32()>>5, r.Uint32()>>6
	return (float64(a)*(1<<26) + float64(b)) / (1 << 53)
}

// Bits is getrandbits(k), for k from 0 to 64.
func (r *Random) Bits(k int) uint64 {
	switch {
	case k <= 0:
		return 0
	case k <= 32:
		return uint64(r.Uint32() >> (32 - k))
	}
	low := uint64(r.Uint32())
	return low | uint64(r.Uint32()>>(64-k))<<32
}

// Below is randrange(n): a whole number from 0, below n, which must be above 0.
func (r *Random) Below(n int) int {
	if n <= 0 {
		panic("pyrandom: nothing is below 0")
	}
	k := bits.Len(uint(n))
	for {
		if x := r.Bits(k); x < uint64(n) {
			return int(x)
		}
	}
}

// Int is randint(low, high): a whole number from low to high, both included.
func (r *Random) Int(low, high int) int { return low + r.Below(high-low+1) }

// Uniform is uniform(low, high).
func (r *Random) Uniform(low, high float64) float64 { return low + (high-low)*r.Float64() }

// Shuffle is shuffle(list): it brings the list into another order, in place.
func Shuffle[T any](r *Random, list []T) {
	for i := len(list) - 1; i > 0; i-- {
		j := r.Below(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}

// Sample is sample(list, k): k members of the list, which must have as many, each at
// most once.
func Sample[T any](r *Random, list []T, k int) []T {
	n := len(list)
	if k > n || k < 0 {
		panic("pyrandom: a sample is larger than what it is of")
	}
	out := make([]T, 0, k)
	pool := 21 // up to this size a copy of the list is the smaller thing
	if k > 5 {
		table := 1
		for table < 3*k {
			table *= 4
		}
		pool += table
	}
	if n <= pool {
		left := slices.Clone(list)
		for i := range k {
			j := r.Below(n - i)
			out = append(out, left[j])
			left[j] = left[n-i-1]
		}
		return out
	}
	taken := make(map[int]bool, k)
	for range k {
		j := r.Below(n)
		for taken[j] {
			j = r.Below(n)
		}
		taken[j] = true
		out = append(out, list[j])
	}
	return out
}

// Choice is choice(list): a member of the list, which must have one.
func Choice[T any](r *Random, list []T) T { return list[r.Below(len(list))] }

// Choices is choices(list, weights, k=k): k members, each as likely as its weight
// says, and possibly more than once. Without weights all are as likely.
func Choices[T any](r *Random, list []T, weights []float64, k int) []T {
	out := make([]T, k)
	if weights == nil {
		for i := range out {
			out[i] = list[int(r.Float64()*float64(len(list)))]
		}
		return out
	}
	sums := make([]float64, len(weights))
	total := 0.0
	for i, w := range weights {
		total += w
		sums[i] = total
	}
	for i := range out {
		x := r.Float64() * total
		out[i] = list[sort.Search(len(list)-1, func(at int) bool { return sums[at] > x })]
	}
	return out
}
