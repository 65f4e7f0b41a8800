package tools

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// calculator is tool.calculator: arithmetic as Python writes it, read by a parser of
// its own and never run as code. `^` is a power, too, as people write it.
type calculator struct{ builtin }

func (c *calculator) Call(_ context.Context, args *value.Object) (*value.Object, error) {
	v, _ := args.Get("expression")
	text, _ := v.(string)
	f, err := Calculate(text)
	if err != nil {
		return nil, &tool.Error{Tool: c.name, Text: err.Error()}
	}
	return value.NewObject("result", f), nil
}

// The limits of an expression.
const (
	maxExpression = 2000 // characters
	maxBrackets   = 100  // inside each other
)

// Calculate evaluates an arithmetic expression: numbers, + - * / // % ** ^,
// parentheses, the constants pi, e, tau, and functions such as sqrt(2). A result
// that is no finite number is an error.
func Calculate(text string) (float64, error) {
	if n := utf8.RuneCountInString(text); n > maxExpression {
		return 0, fmt.Errorf("the expression has %d characters; at most %d are read", n, maxExpression)
	}
	p := &arithmetic{text: signs.Replace(text)}
	p.next()
	if p.token == "" {
		return 0, fmt.Errorf("the expression is empty; write one such as (3 + 4) * 2.5")
	}
	f, err := p.sum()
	if err == nil && p.token != "" {
		err = p.unexpected()
	}
	if err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
		err = fmt.Errorf("the result is no finite number")
	}
	if err != nil {
		return 0, err
	}
	return f, nil
}

// signs are what people and models write for the signs that are read.
var signs = strings.NewReplacer("×", "*", "·", "*", "÷", "/", "−", "-", "–", "-", "π", "pi", "√", "sqrt")

// arithmetic reads and evaluates at once.
type arithmetic struct {
	text  string
	at    int // behind token
	start int // of token
	token string
	depth int
}

func (p *arithmetic) unexpected() error {
	if p.token == "" {
		return fmt.Errorf("the expression ends too early")
	}
	if p.token == "=" {
		return fmt.Errorf("`=` is no arithmetic: write what is to be computed, without a name for it")
	}
	return fmt.Errorf("`%s` cannot stand at character %d of the expression", p.token, utf8.RuneCountInString(p.text[:p.start])+1)
}

// next reads a token: a number, a name, an operator; "" at the end.
func (p *arithmetic) next() {
	rest := strings.TrimLeftFunc(p.text[p.at:], unicode.IsSpace)
	p.start = len(p.text) - len(rest)
	n := 0
	switch {
	case rest == "":
	case isDigit(rest[0]) || rest[0] == '.' && len(rest) > 1 && isDigit(rest[1]):
		n = numberLength(rest)
	case isLetter(rest[0]):
		for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n])) {
			n++
		}
	case strings.HasPrefix(rest, "**"), strings.HasPrefix(rest, "//"):
		n = 2
	default:
		_, n = utf8.DecodeRuneInString(rest)
	}
	p.token, p.at = rest[:n], p.start+n
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

// numberLength is how much of a text is a number: 12, 1_000, 2.5, 1e-3.
func numberLength(s string) int {
	n := 0
	digits := func() {
		for n < len(s) && (isDigit(s[n]) || s[n] == '_' && n > 0 && n+1 < len(s) && isDigit(s[n-1]) && isDigit(s[n+1])) {
			n++
		}
	}
	digits()
	if n < len(s) && s[n] == '.' {
		n++
		digits()
	}
	if n < len(s) && s[n]|0x20 == 'e' {
		before := n
		n++
		if n < len(s) && (s[n] == '+' || s[n] == '-') {
			n++
		}
		if n == len(s) || !isDigit(s[n]) {
			return before
		}
		digits()
	}
	return n
}

func (p *arithmetic) sum() (float64, error) {
	if p.depth++; p.depth > maxBrackets {
		return 0, fmt.Errorf("the expression is nested more than %d deep", maxBrackets)
	}
	defer func() { p.depth-- }()
	f, err := p.product()
	for err == nil && (p.token == "+" || p.token == "-") {
		op := p.token
		p.next()
		var g float64
		if g, err = p.product(); op == "+" {
			f += g
		} else {
			f -= g
		}
	}
	return f, err
}

func (p *arithmetic) product() (float64, error) {
	f, err := p.signed()
	for err == nil {
		op := p.token
		if op != "*" && op != "/" && op != "//" && op != "%" {
			break
		}
		p.next()
		var g float64
		if g, err = p.signed(); err != nil {
			break
		}
		if g == 0 && op != "*" {
			return 0, fmt.Errorf("division by zero")
		}
		switch op {
		case "*":
			f *= g
		case "/":
			f /= g
		case "//":
			f = math.Floor(f / g)
		case "%": // the sign of the divisor, as in Python
			f -= g * math.Floor(f/g)
		}
	}
	return f, err
}

func (p *arithmetic) signed() (float64, error) {
	minus := false
	for p.token == "-" || p.token == "+" {
		minus = minus != (p.token == "-")
		p.next()
	}
	f, err := p.power()
	if minus {
		f = -f
	}
	return f, err
}

// power reads from the right: 2 ** 3 ** 2 is 2 ** 9, and -2 ** 2 is -4.
func (p *arithmetic) power() (float64, error) {
	f, err := p.atom()
	if err != nil || p.token != "**" && p.token != "^" {
		return f, err
	}
	if p.depth++; p.depth > maxBrackets {
		return 0, fmt.Errorf("the expression is nested more than %d deep", maxBrackets)
	}
	defer func() { p.depth-- }()
	p.next()
	g, err := p.signed()
	if err != nil {
		return 0, err
	}
	if f == 0 && g < 0 {
		return 0, fmt.Errorf("division by zero")
	}
	return math.Pow(f, g), nil
}

func (p *arithmetic) atom() (float64, error) {
	token := p.token
	switch {
	case token == "(":
		p.next()
		f, err := p.sum()
		if err == nil && p.token != ")" {
			err = p.unclosed()
		}
		p.next()
		return f, err
	case token != "" && (isDigit(token[0]) || token[0] == '.' && len(token) > 1):
		f, err := strconv.ParseFloat(strings.ReplaceAll(token, "_", ""), 64)
		if err != nil {
			return 0, fmt.Errorf("the number %s is too large", token)
		}
		p.next()
		if p.token == "," && p.depth == 1 {
			return 0, fmt.Errorf("write numbers without commas: 1000, not 1,000")
		}
		return f, nil
	case token != "" && isLetter(token[0]):
		p.next()
		if token == "math" && p.token == "." { // math.sqrt
			p.next()
			return p.atom()
		}
		if p.token == "(" {
			return p.call(token)
		}
		if f, ok := constants[strings.ToLower(token)]; ok {
			return f, nil
		}
		if _, ok := functions[token]; ok {
			return 0, fmt.Errorf("`%s` is a function: %s(2)", token, token)
		}
		return 0, unknownName(token)
	}
	return 0, p.unexpected()
}

func (p *arithmetic) unclosed() error {
	if p.token == "" {
		return fmt.Errorf("a `(` is not closed")
	}
	return p.unexpected()
}

func (p *arithmetic) call(name string) (float64, error) {
	f, ok := functions[strings.ToLower(name)]
	if !ok {
		return 0, unknownName(name)
	}
	p.next()
	var args []float64
	for p.token != ")" {
		x, err := p.sum()
		if err != nil {
			return 0, err
		}
		args = append(args, x)
		if p.token == "," {
			p.next()
			continue
		}
		if p.token != ")" {
			return 0, p.unclosed()
		}
	}
	p.next()
	if len(args) < f.least || len(args) > f.most {
		return 0, fmt.Errorf("`%s` takes %s, got %d", name, f.takes(), len(args))
	}
	out := f.do(args)
	if math.IsNaN(out) {
		return 0, fmt.Errorf("`%s` has no value there", name)
	}
	return out, nil
}

func unknownName(name string) error {
	known := slices.Concat(slices.Sorted(maps.Keys(functions)), slices.Sorted(maps.Keys(constants)))
	if near, ok := diag.Nearest(name, known); ok {
		return fmt.Errorf("`%s` is not known; did you mean `%s`?", name, near)
	}
	return fmt.Errorf("`%s` is not known: an expression is made of numbers, and of functions such as sqrt", name)
}

var constants = map[string]float64{"pi": math.Pi, "e": math.E, "tau": 2 * math.Pi}

type function struct {
	least, most int
	do          func([]float64) float64
}

func (f function) takes() string {
	switch {
	case f.least == f.most && f.least == 1:
		return "one number"
	case f.least == f.most:
		return strconv.Itoa(f.least) + " numbers"
	case f.most > 2:
		return "at least " + strconv.Itoa(f.least) + " numbers"
	}
	return "one number or two"
}

func one(f func(float64) float64) function {
	return function{1, 1, func(a []float64) float64 { return f(a[0]) }}
}

func two(f func(a, b float64) float64) function {
	return function{2, 2, func(a []float64) float64 { return f(a[0], a[1]) }}
}

func many(f func(a, b float64) float64) function {
	return function{1, maxExpression, func(a []float64) float64 {
		out := a[0]
		for _, x := range a[1:] {
			out = f(out, x)
		}
		return out
	}}
}

var functions = map[string]function{
	"sqrt": one(math.Sqrt), "cbrt": one(math.Cbrt), "exp": one(math.Exp), "ln": one(math.Log), "log10": one(math.Log10), "log2": one(math.Log2),
	"log": {1, 2, func(a []float64) float64 {
		if len(a) == 2 {
			return math.Log(a[0]) / math.Log(a[1])
		}
		return math.Log(a[0])
	}},
	"sin": one(math.Sin), "cos": one(math.Cos), "tan": one(math.Tan), "asin": one(math.Asin), "acos": one(math.Acos), "atan": one(math.Atan),
	"sinh": one(math.Sinh), "cosh": one(math.Cosh), "tanh": one(math.Tanh), "atan2": two(math.Atan2),
	"degrees": one(func(x float64) float64 { return x * 180 / math.Pi }), "radians": one(func(x float64) float64 { return x * math.Pi / 180 }),
	"abs": one(math.Abs), "floor": one(math.Floor), "ceil": one(math.Ceil), "trunc": one(math.Trunc), "int": one(math.Trunc), "float": one(func(x float64) float64 { return x }),
	"round": {1, 2, func(a []float64) float64 {
		if len(a) == 1 {
			return math.RoundToEven(a[0])
		}
		scale := math.Pow(10, math.Trunc(a[1]))
		return math.RoundToEven(a[0]*scale) / scale
	}},
	"pow": two(math.Pow), "hypot": two(math.Hypot), "mod": two(func(a, b float64) float64 { return a - b*math.Floor(a/b) }),
	"min": many(math.Min), "max": many(math.Max), "sum": many(func(a, b float64) float64 { return a + b }),
	"factorial": one(func(x float64) float64 {
		if x < 0 || x != math.Trunc(x) {
			return math.NaN()
		}
		return math.Round(math.Gamma(x + 1))
	}),
	"gcd": two(func(a, b float64) float64 {
		for b != 0 {
			a, b = b, math.Mod(a, b)
		}
		return math.Abs(a)
	}),
}
