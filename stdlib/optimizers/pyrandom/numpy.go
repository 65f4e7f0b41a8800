package pyrandom

import (
	"math"
	"math/bits"
)

// NumPy is the source of chance of numpy.random.default_rng: the generator PCG64
// (XSL-RR) of Melissa E. O'Neill (2014, Harvey Mudd College HMC-CS-2014-0905), seeded
// by numpy's SeedSequence. It is not for use by several goroutines at once.
type NumPy struct{ state, inc word128 }

// word128 is a whole number of 128 bits.
type word128 struct{ high, low uint64 }

func (a word128) plus(b word128) word128 {
	low, carry := bits.Add64(a.low, b.low, 0)
	high, _ := bits.Add64(a.high, b.high, carry)
	return word128{high, low}
}

func (a word128) times(b word128) word128 {
	high, low := bits.Mul64(a.low, b.low)
	return word128{high + a.high*b.low + a.low*b.high, low}
}

// NewNumPy returns numpy.random.default_rng(seed).
func NewNumPy(seed uint64) *NumPy {
	key := seedSequence(seed)
	r := &NumPy{inc: word128{key[2]<<1 | key[3]>>63, key[3]<<1 | 1}}
	r.advance()
	r.state = r.state.plus(word128{key[0], key[1]})
	r.advance()
	return r
}

// seedSequence spreads a seed over 256 bits.
func seedSequence(seed uint64) [4]uint64 {
	entropy := []uint32{uint32(seed)}
	if seed>>32 != 0 {
		entropy = append(entropy, uint32(seed>>32))
	}
	factor := uint32(0x43b0d7e5)
	hash := func(v uint32) uint32 {
		v ^= factor
		factor *= 0x931e8875
		v *= factor
		return v ^ v>>16
	}
	mix := func(x, y uint32) uint32 {
		v := 0xca01f9dd*x - 0x4973f715*y
		return v ^ v>>16
	}
	var pool [4]uint32
	for i := range pool {
		var v uint32
		if i < len(entropy) {
			v = entropy[i]
		}
		pool[i] = hash(v)
	}
	for from := range pool {
		for to := range pool {
			if from != to {
				pool[to] = mix(pool[to], hash(pool[from]))
			}
		}
	}
	factor = 0x8b51f9dd
	var words [8]uint32
	for i := range words {
		v := pool[i%4] ^ factor
		factor *= 0x58f38ded
		v *= factor
		words[i] = v ^ v>>16
	}
	var out [4]uint64
	for i := range out {
		out[i] = uint64(words[2*i]) | uint64(words[2*i+1])<<32
	}
	return out
}

func (r *NumPy) advance() {
	r.state = r.state.times(word128{0x2360ed051fc65da4, 0x4385df649fccf645}).plus(r.inc)
}

// Uint64 returns 64 bits.
func (r *NumPy) Uint64() uint64 {
	r.advance()
	return bits.RotateLeft64(r.state.high^r.state.low, -int(r.state.high>>58))
}

// Float64 is random(): a number from 0, below 1.
func (r *NumPy) Float64() float64 { return float64(r.Uint64()>>11) / (1 << 53) }

// Poisson is poisson(mean) for a mean below 10, where numpy multiplies as D. E. Knuth
// does (The Art of Computer Programming, volume 2, 3.4.1). From 10 on the numbers are
// drawn likewise, and are others than numpy's.
func (r *NumPy) Poisson(mean float64) int {
	if mean <= 0 {
		return 0
	}
	n := 0
	for mean > 500 { // exp(-mean) is too small a number from about 700 on
		n += r.Poisson(500)
		mean -= 500
	}
	least, product := math.Exp(-mean), 1.0
	for {
		product *= r.Float64()
		if product <= least {
			return n
		}
		n++
	}
}
