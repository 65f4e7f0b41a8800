package builtin

import (
	"math/big"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A result is the value of an expression found in a question.
type result struct {
	number
	expression string // as it was read: `17 * 23`
}

const (
	maxExpression = 4096 // characters of a question that may be an expression
	maxNesting    = 100
)

// calculate reads the whole text as one arithmetic question, `What is 17 * 23?`,
// `the sum of 3 and 4`, and works it out. It is false for any other text, and for
// what has no value, such as a division by zero.
func calculate(text string) (result, bool) {
	if len(text) > maxExpression {
		return result{}, false
	}
	if looksLikeCode.MatchString(strings.TrimSpace(text)) {
		return result{}, false
	}
	text, ok := askedExpression(text)
	if !ok {
		return result{}, false
	}
	tokens, ok := readExpression(text)
	if !ok {
		return result{}, false
	}
	p := &expressionParser{tokens: tokens}
	r, ok := p.sum(0)
	if !ok || p.at < len(p.tokens) || p.operators == 0 {
		return result{}, false
	}
	return result{number{r}, strings.Join(tokens, " ")}, true
}

// looksLikeCode fits dates and telephone numbers: 2024-01-31, 555-1234.
var looksLikeCode = regexp.MustCompile(`^(?:[0-9]+(?:[-/][0-9]+){2,}|[0-9]{3}-[0-9]{4}|0[0-9]+[-/][0-9]+)$`)

var (
	leadIn = regexp.MustCompile(`^(?:(?:hi|hello|hey|please|kindly|so|and|ok|okay|question|q|can you|could you|would you|can anyone|tell me|i want to know|let me know|` +
		`what is|what's|whats|what are|what does|what do you get for|what do you get if you|how much is|how much does|how much are|how many is|calculate|compute|evaluate|solve|simplify|work out|find|determine|give me|do|` +
		`the value of|the result of|the answer to|the exact value of|the)[\s,:]+|[:,]\s*)`)
	leadOut = regexp.MustCompile(`(?:\s*[?.!=]|\s+(?:please|equal|equals|equal to|equals to|make|makes|is|exactly|thanks|thank you|worth))+\s*$`)
)

// askedExpression takes off what stands around the expression in a question.
func askedExpression(text string) (string, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if !strings.ContainsFunc(text, unicode.IsDigit) && !hasNumberWord(text) {
		return "", false
	}
	for range 8 {
		cut := leadIn.ReplaceAllString(text, "")
		if cut == text {
			break
		}
		text = strings.TrimSpace(cut)
	}
	text = leadOut.ReplaceAllString(text, "")
	return text, text != ""
}

var numberWords = map[string]int64{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	"eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
	"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}

func hasNumberWord(text string) bool {
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if _, ok := numberWords[w]; ok {
			return true
		}
	}
	return false
}

// phrases that stand for operators, longest first.
var operatorWords = []struct{ words, op string }{
	{"to the power of", "**"}, {"raised to the power of", "**"}, {"raised to", "**"}, {"multiplied by", "*"}, {"divided by", "/"},
	{"the square root of", "sqrt"}, {"square root of", "sqrt"}, {"the sum of", "sum"}, {"sum of", "sum"}, {"the product of", "product"}, {"product of", "product"},
	{"the difference between", "difference"}, {"difference between", "difference"}, {"the difference of", "difference"}, {"difference of", "difference"},
	{"the quotient of", "quotient"}, {"quotient of", "quotient"}, {"remainder of", "remainder"}, {"percent of", "%of"}, {"per cent of", "%of"}, {"half of", "half"},
	{"squared", "squared"}, {"cubed", "cubed"}, {"plus", "+"}, {"added to", "+"}, {"minus", "-"}, {"times", "*"}, {"over", "/"},
	{"modulo", "%"}, {"mod", "%"}, {"sqrt", "sqrt"}, {"twice", "twice"}, {"double", "twice"}, {"and", "and"}, {"by", "by"}, {"of", "of"}, {"x", "*"},
}

var numeral = regexp.MustCompile(`^(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9](?:_?[0-9])*(?:\.[0-9]+)?|\.[0-9]+)(?:e[-+]?[0-9]{1,3})?`)

// readExpression cuts an expression into numbers and operators; false when anything
// else stands in it.
func readExpression(s string) ([]string, bool) {
	var tokens []string
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case unicode.IsSpace(r):
			s = s[size:]
			continue
		case numeral.MatchString(s):
			n := numeral.FindString(s)
			s = s[len(n):]
			if next, _ := utf8.DecodeRuneInString(s); unicode.IsLetter(next) && next != 'x' {
				return nil, false
			}
			tokens = append(tokens, strings.NewReplacer(",", "", "_", "").Replace(n))
			continue
		case strings.HasPrefix(s, "**"), strings.HasPrefix(s, "//"):
			tokens, s = append(tokens, s[:2]), s[2:]
			continue
		case r == ',':
			tokens, s = append(tokens, "and"), s[1:]
			continue
		case strings.ContainsRune("+-*/%()", r):
			tokens, s = append(tokens, s[:1]), s[1:]
			continue
		}
		if op, ok := map[rune]string{'×': "*", '·': "*", '÷': "/", '−': "-", '–': "-", '^': "**", '√': "sqrt", '²': "squared", '³': "cubed"}[r]; ok {
			tokens, s = append(tokens, op), s[size:]
			continue
		}
		token, rest, ok := readOperatorWord(s)
		if !ok {
			return nil, false
		}
		tokens, s = append(tokens, token), rest
	}
	return tokens, len(tokens) > 1
}

func readOperatorWord(s string) (token, rest string, ok bool) {
	for _, o := range operatorWords {
		if rest, ok := strings.CutPrefix(s, o.words); ok {
			next, _ := utf8.DecodeRuneInString(rest)
			if rest == "" || !unicode.IsLetter(next) {
				return o.op, rest, true
			}
		}
	}
	end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
	if end < 0 {
		end = len(s)
	}
	n, known := numberWords[s[:end]]
	if !known {
		return "", "", false
	}
	rest = s[end:]
	if n >= 20 { // forty-two
		if tail := strings.TrimLeft(rest, "- "); len(tail) < len(rest) {
			unit := strings.IndexFunc(tail, func(r rune) bool { return !unicode.IsLetter(r) })
			if unit < 0 {
				unit = len(tail)
			}
			if u := numberWords[tail[:unit]]; u > 0 && u < 10 {
				n, rest = n+u, tail[unit:]
			}
		}
	}
	return big.NewInt(n).String(), rest, true
}

// An expressionParser works the tokens out as it reads them: sums of products of powers.
type expressionParser struct {
	tokens    []string
	at        int
	operators int
}

func (p *expressionParser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *expressionParser) take(options ...string) string {
	for _, o := range options {
		if p.at < len(p.tokens) && p.tokens[p.at] == o {
			p.at++
			return o
		}
	}
	return ""
}

func (p *expressionParser) sum(depth int) (*big.Rat, bool) {
	a, ok := p.product(depth)
	for ok {
		op := p.take("+", "-")
		if op == "" {
			return a, true
		}
		var b *big.Rat
		if b, ok = p.product(depth); ok {
			p.operators++
			a, ok = operate(op, a, b)
		}
	}
	return nil, false
}

func (p *expressionParser) product(depth int) (*big.Rat, bool) {
	a, ok := p.signed(depth)
	for ok {
		op := p.take("*", "/", "//", "%", "%of")
		if op == "" {
			return a, true
		}
		if op == "%" && (p.peek() == "of" || strings.Contains("+-*/)", p.peek())) {
			p.operators++
			a = new(big.Rat).Quo(a, big.NewRat(100, 1)) // a percentage, not a remainder
			if p.take("of") == "" {
				continue
			}
			op = "*"
		}
		if op == "%of" {
			op, a = "*", new(big.Rat).Quo(a, big.NewRat(100, 1))
		}
		var b *big.Rat
		if b, ok = p.signed(depth); ok {
			p.operators++
			a, ok = operate(op, a, b)
		}
	}
	return nil, false
}

func (p *expressionParser) signed(depth int) (*big.Rat, bool) {
	if depth > maxNesting {
		return nil, false
	}
	switch p.take("-", "+") {
	case "-":
		a, ok := p.signed(depth + 1)
		if !ok {
			return nil, false
		}
		return new(big.Rat).Neg(a), true
	case "+":
		return p.signed(depth + 1)
	}
	a, ok := p.primary(depth)
	for ok {
		switch p.take("squared", "cubed", "**") {
		case "squared":
			p.operators++
			a, ok = operate("**", a, big.NewRat(2, 1))
		case "cubed":
			p.operators++
			a, ok = operate("**", a, big.NewRat(3, 1))
		case "**":
			p.operators++
			var b *big.Rat
			if b, ok = p.signed(depth + 1); ok {
				a, ok = operate("**", a, b)
			}
		default:
			return a, true
		}
	}
	return nil, false
}

// named are the operators that stand before their two numbers: `sum of 3 and 4`.
var named = map[string]string{"sum": "+", "product": "*", "difference": "-", "quotient": "/", "remainder": "%"}

func (p *expressionParser) primary(depth int) (*big.Rat, bool) {
	t := p.peek()
	p.at++
	switch t {
	case "":
		return nil, false
	case "(":
		a, ok := p.sum(depth + 1)
		if !ok || p.take(")") == "" {
			return nil, false
		}
		return a, true
	case "sqrt":
		a, ok := p.signed(depth + 1)
		p.operators++
		if !ok {
			return nil, false
		}
		return root(a)
	case "half", "twice":
		a, ok := p.signed(depth + 1)
		p.operators++
		if !ok {
			return nil, false
		}
		if t == "half" {
			return operate("/", a, big.NewRat(2, 1))
		}
		return operate("*", a, big.NewRat(2, 1))
	}
	if op, ok := named[t]; ok {
		return p.listed(op, depth)
	}
	if strings.ContainsAny(t[:1], ".0123456789") {
		if _, exp, ok := strings.Cut(t, "e"); ok && len(strings.Trim(exp, "+-")) > 3 {
			return nil, false
		}
		a, ok := new(big.Rat).SetString(t)
		return a, ok && fits(a)
	}
	return nil, false
}

// listed reads `3, 4 and 5` after a named operator.
func (p *expressionParser) listed(op string, depth int) (*big.Rat, bool) {
	a, ok := p.signed(depth + 1)
	if !ok || p.take("and", "by") == "" {
		return nil, false
	}
	p.take("and") // after a comma
	for {
		b, ok := p.signed(depth + 1)
		if !ok {
			return nil, false
		}
		p.operators++
		if a, ok = operate(op, a, b); !ok {
			return nil, false
		}
		if p.take("and") == "" {
			return a, true
		}
		p.take("and") // after a comma
	}
}
