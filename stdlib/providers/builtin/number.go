package builtin

import (
	"encoding/json"
	"math/big"
	"strings"
)

// maxBits bounds exact numbers: 9 ** 9 ** 9 has no place in a reply.
const maxBits = 1 << 14

// A number is exact.
type number struct{ rat *big.Rat }

// decimals is how many digits after the point a fraction is written with when it
// does not end.
const decimals = 12

// String writes an integer whole, and a fraction as a decimal without needless zeros.
func (n number) String() string {
	if n.rat.IsInt() {
		return n.rat.Num().String()
	}
	s := strings.TrimRight(n.rat.FloatString(decimals), "0")
	s = strings.TrimSuffix(s, ".")
	if s == "0" || s == "-0" {
		f, _ := n.rat.Float64()
		b, err := json.Marshal(f)
		if err != nil {
			return "0"
		}
		return string(b)
	}
	return s
}

// Float writes the number as a float always: `4.0`.
func (n number) Float() string {
	s := n.String()
	if !strings.ContainsAny(s, ".eE") {
		s += ".0"
	}
	return s
}

// operate applies a binary operator; false for what has no value or is too large.
func operate(op string, a, b *big.Rat) (*big.Rat, bool) {
	r := new(big.Rat)
	switch op {
	case "+":
		r.Add(a, b)
	case "-":
		r.Sub(a, b)
	case "*":
		r.Mul(a, b)
	case "/":
		if b.Sign() == 0 {
			return nil, false
		}
		r.Quo(a, b)
	case "//", "%":
		if b.Sign() == 0 {
			return nil, false
		}
		floor := floorOf(new(big.Rat).Quo(a, b))
		if op == "//" {
			r.SetInt(floor)
		} else {
			r.Sub(a, new(big.Rat).Mul(new(big.Rat).SetInt(floor), b))
		}
	case "**":
		return power(a, b)
	default:
		return nil, false
	}
	return r, fits(r)
}

func fits(r *big.Rat) bool { return r.Num().BitLen() <= maxBits && r.Denom().BitLen() <= maxBits }

func floorOf(r *big.Rat) *big.Int {
	return new(big.Int).Div(r.Num(), r.Denom()) // rounds down: a denominator is positive
}

// power raises to a whole power, or to a half as a root.
func power(a, b *big.Rat) (*big.Rat, bool) {
	if b.Cmp(big.NewRat(1, 2)) == 0 {
		return root(a)
	}
	if !b.IsInt() || !b.Num().IsInt64() {
		return nil, false
	}
	e := b.Num().Int64()
	inverse := e < 0
	if inverse {
		if a.Sign() == 0 {
			return nil, false
		}
		e = -e
	}
	bits := int64(max(a.Num().BitLen(), a.Denom().BitLen()))
	if e > maxBits || bits*e > maxBits {
		return nil, false
	}
	exp := big.NewInt(e)
	num := new(big.Int).Exp(a.Num(), exp, nil)
	den := new(big.Int).Exp(a.Denom(), exp, nil)
	if inverse {
		num, den = den, num
	}
	return new(big.Rat).SetFrac(num, den), true
}

// root is the square root: exact for squares, else to the digits that are written.
func root(a *big.Rat) (*big.Rat, bool) {
	if a.Sign() < 0 {
		return nil, false
	}
	num, den := new(big.Int).Sqrt(a.Num()), new(big.Int).Sqrt(a.Denom())
	if r := new(big.Rat).SetFrac(num, den); new(big.Rat).Mul(r, r).Cmp(a) == 0 {
		return r, true
	}
	f := new(big.Float).SetPrec(256).SetRat(a)
	r, _ := f.Sqrt(f).Rat(nil)
	return r, r != nil
}
