package align

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// number reads an int or a float.
func (r *run) number(t *types.Primitive, n *node, at *loc) (any, bool) {
	whole := t.Row.Base == types.IntBase
	switch n.kind {
	case numberNode:
		return r.numeral(t, whole, n.text, n, at)
	case boolNode:
		if t.Row != types.Int.Row && t.Row != types.Float.Row {
			return r.misfit(t, n, at)
		}
		r.fix(numberFromBool, at, "")
		v := 0
		if n.truth {
			v = 1
		}
		return r.check(t, v, at)
	case textNode, bareNode:
	default:
		return r.misfit(t, n, at)
	}
	text, how, ok := readNumber(n.text)
	if ok && how&(1<<percent) != 0 {
		if _, hi := t.Bounds(); hi != nil && *hi <= 1 {
			if f, err := strconv.ParseFloat(text, 64); err == nil {
				text = value.FormatFloat(f / 100)
			}
		}
	}
	if !ok {
		return r.misfit(t, n, at)
	}
	if n.kind == textNode {
		r.fix(numberFromText, at, took(t, n.text, n.plainNumber(text)))
	}
	for k, left := kind(0), how; left != 0; k, left = k+1, left>>1 {
		if left&1 != 0 {
			r.fix(k, at, took(t, n.text, n.plainNumber(text)))
		}
	}
	return r.numeral(t, whole, text, n, at)
}

func (*node) plainNumber(text string) any {
	v, err := value.Number(text)
	if err != nil {
		return text
	}
	return v
}

// numeral reads a number in JSON's form.
func (r *run) numeral(t *types.Primitive, whole bool, text string, n *node, at *loc) (any, bool) {
	v, err := value.Number(text)
	f, float := v.(float64)
	switch {
	case err != nil && whole:
		return r.fault(at, "int_parsing_size", "expected a whole number of 64 bits, got "+clipped(text), n)
	case err != nil:
		g, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return r.fault(at, "finite_number", "expected a number that a float can hold, got "+clipped(text), n)
		}
		v = g
	case whole && float:
		switch {
		case f >= 1<<63 || f < -1<<63:
			return r.misfit(t, &node{kind: numberNode, text: text}, at)
		case f == math.Trunc(f):
			r.fix(wholeNumber, at, "took "+text+" for "+itoa(int(f)))
		case r.mode == Lenient:
			r.fix(rounded, at, "rounded "+text+" to "+itoa(int(math.Round(f))))
			f = math.Round(f)
		default:
			return r.misfit(t, &node{kind: numberNode, text: text}, at)
		}
		v = int(f)
	}
	if isPlain(t) && t.Constraints.IsZero() {
		if n, is := v.(int); is && !whole {
			v = float64(n)
		}
		return v, true
	}
	return r.check(t, v, at)
}

// currencies are signs and codes that may stand beside an amount.
var currencies = []string{"US$", "A$", "C$", "R$", "$", "€", "£", "¥", "₹", "₽", "₩", "₺", "₴", "₿", "zł", "kr", "Fr.", "CHF",
	"USD", "EUR", "GBP", "JPY", "CNY", "INR", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "BRL", "MXN", "KRW", "RUB", "TRY", "ZAR",
	"euros", "euro", "dollars", "dollar", "pounds"}

// scales are words behind a number that multiply it.
var scales = map[string]int{"thousand": 3, "million": 6, "billion": 9, "trillion": 12, "k": 3, "mn": 6, "mln": 6, "bn": 9}

var numberWords = map[string]int{"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
	"ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
	"nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100}

// maxNumberText is the length of the longest text in which a number is looked for.
const maxNumberText = 1000

// readNumber reads a text that is one number, however it is written, and returns
// it as JSON would write it, with the kinds of repair that it took.
func readNumber(s string) (text string, how uint64, ok bool) {
	if len(s) > maxNumberText {
		return "", 0, false
	}
	s = strings.TrimSpace(s)
	if isJSONNumber(s) {
		return s, 0, true
	}
	if n, ok := foreignNumber(s); ok {
		return n, 1 << numberFormat, true
	}
	s = strings.Trim(strings.TrimRight(s, ".,;!"), "*_`\"' \u00A0")
	if n, ok := wordNumber(strings.ToLower(s)); ok {
		return strconv.Itoa(n), 1 << numberWord, true
	}
	if n, how, ok := amount(s); ok {
		if how == 0 { // 42! and **42** are 42 only without what is around it
			how = 1 << numberFormat
		}
		return n, how, true
	}
	return numberAmong(s)
}

// wordNumber reads "seven", "forty-two", "a hundred".
func wordNumber(s string) (int, bool) {
	s = strings.TrimPrefix(s, "a ")
	if s == "one hundred" {
		return 100, true
	}
	if n, ok := numberWords[s]; ok {
		return n, true
	}
	tens, ones, ok := strings.Cut(strings.ReplaceAll(s, " ", "-"), "-")
	a, isTens := numberWords[tens]
	b, isOnes := numberWords[ones]
	return a + b, ok && isTens && isOnes && a >= 20 && a < 100 && b > 0 && b < 10
}

// amount reads a number with its sign, separators, scale, percent or currency, and
// nothing else.
func amount(s string) (text string, how uint64, ok bool) {
	if rest, cut := cutAny(s, "~", "≈", "about ", "approximately ", "approx. ", "around ", "ca. "); cut {
		s = rest
		how |= 1 << numberInWords
	}
	s, money := withoutCurrency(s)
	if money {
		how |= 1 << currency
	}
	negative := false
	for _, minus := range []string{"-", "−", "–"} {
		if rest, cut := strings.CutPrefix(s, minus); cut {
			s, negative = strings.TrimSpace(rest), true
			how |= 1 << numberFormat
			break
		}
	}
	if !money && negative {
		if s, money = withoutCurrency(s); money {
			how |= 1 << currency
		}
	}
	if rest, cut := cutSuffixAny(s, "%", "percent", "per cent", "٪"); cut {
		s = rest
		how |= 1 << percent
	}
	power := 0
	if i := strings.LastIndexFunc(s, func(c rune) bool { return !unicode.IsLetter(c) }); i >= 0 && i+1 < len(s) {
		_, size := utf8.DecodeRuneInString(s[i:])
		if by, known := scales[strings.ToLower(s[i+size:])]; known {
			s, power = strings.TrimSpace(s[:i+size]), by
			how |= 1 << numberFormat
		} else if by := map[string]int{"M": 6, "m": 6, "B": 9, "b": 9}[s[i+size:]]; by > 0 && money {
			s, power = strings.TrimSpace(s[:i+size]), by
			how |= 1 << numberFormat
		}
	}
	text, form, ok := plainAmount(s)
	if !ok {
		return "", 0, false
	}
	if power > 0 {
		f, err := strconv.ParseFloat(text+"e"+strconv.Itoa(power), 64)
		if err != nil || strings.ContainsAny(text, "eE") {
			return "", 0, false
		}
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if negative {
		if strings.HasPrefix(text, "-") {
			return "", 0, false
		}
		text = "-" + text
	}
	return text, how | form, true
}

func cutAny(s string, prefixes ...string) (string, bool) {
	for _, p := range prefixes {
		if len(s) >= len(p) && strings.EqualFold(s[:len(p)], p) {
			return strings.TrimSpace(s[len(p):]), true
		}
	}
	return s, false
}

func cutSuffixAny(s string, suffixes ...string) (string, bool) {
	for _, p := range suffixes {
		if len(s) > len(p) && strings.EqualFold(s[len(s)-len(p):], p) {
			return strings.TrimSpace(s[:len(s)-len(p)]), true
		}
	}
	return s, false
}

func withoutCurrency(s string) (string, bool) {
	if rest, cut := cutAny(s, currencies...); cut && rest != "" {
		return rest, true
	}
	return cutSuffixAny(s, currencies...)
}

// plainAmount reads digits with separators, a fraction, or a power of ten.
func plainAmount(s string) (string, uint64, bool) {
	if len(s) > 1 && s[0] == ',' && len(s) != 4 && strings.Trim(s[1:], "0123456789") == "" {
		return "0." + s[1:], 1 << numberFormat, true // ,89
	}
	if s == "" || !isDigit(s[0]) && s[0] != '.' && !strings.ContainsAny(s, "½¼¾⅓⅔⅛") {
		return "", 0, false
	}
	if isJSONNumber(s) {
		return s, 0, true
	}
	if n, ok := foreignNumber(s); ok {
		return n, 1 << numberFormat, true
	}
	if n, ok := separated(s); ok {
		return n, 1 << numberFormat, true
	}
	if n, ok := powerOfTen(s); ok {
		return n, 1 << numberFormat, true
	}
	if n, ok := ratio(s); ok {
		return n, 1 << fraction, true
	}
	return "", 0, false
}

// separated reads 1,234.5 and 1.234,5 and 1 234 and 12,5: the last of two kinds of
// marks is the point, a mark that stands before exactly three digits each time
// separates them, and one comma before any other number of digits is the point.
func separated(s string) (string, bool) {
	s = strings.NewReplacer("\u00A0", " ", "\u202F", " ", "\u2009", " ", "’", "'", "_", " ").Replace(s)
	var marks []byte
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
		case strings.IndexByte(",. '", c) >= 0 && i > 0 && i < len(s)-1:
			marks = append(marks, c)
		default:
			return "", false
		}
	}
	if len(marks) == 0 {
		return strings.TrimLeft(s, "0") + strings.Repeat("0", b2i(strings.Trim(s, "0") == "")), true // 007
	}
	last := marks[len(marks)-1]
	point := -1
	switch count := strings.Count(s, string(last)); {
	case last == ' ' || last == '\'':
	case count == 1 && count < len(marks):
		point = strings.LastIndexByte(s, last)
	case count == 1 && last == '.':
		point = strings.IndexByte(s, last)
	case count == 1 && (len(s)-strings.IndexByte(s, last) != 4 || s[0] == '0' || strings.IndexByte(s, last) > 3):
		point = strings.IndexByte(s, last)
	}
	whole, rest := s, ""
	if point >= 0 {
		whole, rest = s[:point], "."+s[point+1:]
	}
	if !grouping(whole) {
		return "", false
	}
	digits := strings.TrimLeft(strings.NewReplacer(",", "", ".", "", " ", "", "'", "").Replace(whole), "0")
	if digits == "" {
		digits = "0"
	}
	return digits + rest, isJSONNumber(digits + rest)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// grouping reports whether one kind of mark parts digits into groups of three; in
// India those before the last are of two.
func grouping(s string) bool {
	i := strings.IndexAny(s, ",. '")
	if i < 0 {
		return true
	}
	groups := strings.Split(s, s[i:i+1])
	n := len(groups) - 1
	indian := s[i] == ','
	for j, g := range groups {
		if strings.Trim(g, "0123456789") != "" || g == "" {
			return false
		}
		switch {
		case j == 0 && len(g) > 3, j == n && len(g) != 3, j > 0 && j < n && len(g) != 3 && !(indian && len(g) == 2 && len(groups[0]) <= 2):
			return false
		}
	}
	return true
}

// powerOfTen reads 1.5×10^3.
func powerOfTen(s string) (string, bool) {
	for _, times := range []string{"×", "x", "*", "·"} {
		a, b, ok := strings.Cut(s, times)
		if !ok {
			continue
		}
		b = strings.NewReplacer("⁰", "0", "¹", "1", "²", "2", "³", "3", "⁴", "4", "⁵", "5", "⁶", "6", "⁷", "7", "⁸", "8", "⁹", "9", "⁻", "-").Replace(b)
		b, is := strings.CutPrefix(strings.TrimSpace(b), "10")
		b = strings.TrimPrefix(strings.TrimPrefix(b, "^"), "**")
		a = strings.TrimSpace(a)
		if n, err := strconv.Atoi(b); is && err == nil && n > -300 && n < 300 && isJSONNumber(a) && !strings.ContainsAny(a, "eE") {
			return a + "e" + strconv.Itoa(n), true
		}
	}
	return "", false
}

var fractionSigns = strings.NewReplacer("½", " 1/2", "¼", " 1/4", "¾", " 3/4", "⅓", " 1/3", "⅔", " 2/3", "⅛", " 1/8", "⁄", "/")

// ratio reads 1/4, 1 1/2 and ½.
func ratio(s string) (string, bool) {
	s = strings.TrimSpace(fractionSigns.Replace(s))
	whole := 0.0
	if w, rest, ok := strings.Cut(s, " "); ok && !strings.Contains(w, "/") && strings.Count(rest, "/") == 1 && !strings.Contains(rest, " ") {
		n, err := strconv.Atoi(w)
		if err != nil {
			return "", false
		}
		whole, s = float64(n), rest
	}
	a, b, ok := strings.Cut(s, "/")
	x, err1 := strconv.ParseFloat(strings.TrimSpace(a), 64)
	y, err2 := strconv.ParseFloat(strings.TrimSpace(b), 64)
	if !ok || err1 != nil || err2 != nil || y == 0 || !isDigit(strings.TrimSpace(b)[0]) || whole != 0 && x >= y {
		return "", false
	}
	f := whole + x/y
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return "", false
	}
	return value.FormatFloat(f), true
}

// numberAmong finds the only number in a text of words. It is no number where a
// sign of order stands: `> 5`, `5+`.
func numberAmong(s string) (string, uint64, bool) {
	if strings.ContainsAny(s, "<>≤≥±=") || strings.Contains(s, "://") {
		return "", 0, false
	}
	var found string
	var how uint64
	n := 0
	for i := 0; i < len(s); {
		if !isDigit(s[i]) {
			i++
			continue
		}
		end := i
		for end < len(s) && (isDigit(s[end]) || strings.IndexByte(".,'_/", s[end]) >= 0 && end+1 < len(s) && isDigit(s[end+1])) {
			end++
		}
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, _ := utf8.DecodeRuneInString(s[end:])
		if i > 0 && (unicode.IsLetter(before) || before == '_') || end < len(s) && (after == '_' || after == '+' || after == ':' || after == '-' && end+1 < len(s) && isDigit(s[end+1])) {
			return "", 0, false // v2, A4, 5+, 10:30, 5-10
		}
		from := i
		if before == '-' || before == '−' {
			if at := i - utf8.RuneLen(before); at == 0 || s[at-1] == ' ' {
				from = at
			}
		} else if r, size := utf8.DecodeLastRuneInString(s[:i]); strings.ContainsRune("$€£¥₹", r) {
			from = i - size
		}
		to := end
		if rest := s[end:]; strings.HasPrefix(rest, "%") {
			to++
		} else if strings.HasPrefix(rest, " ") {
			word, _, _ := strings.Cut(strings.TrimRight(rest[1:], ".,;!"), " ")
			if _, scale := scales[strings.ToLower(word)]; scale && len(word) > 2 {
				to += 1 + len(word)
			}
		}
		text, kinds, ok := amount(s[from:to])
		if !ok {
			return "", 0, false
		}
		if n > 0 && text != found {
			return "", 0, false
		}
		found, how = text, kinds
		n++
		i = max(to, i+1)
	}
	return found, how | 1<<numberInWords, n > 0
}

// truth reads a bool.
func (r *run) truth(t *types.Primitive, n *node, at *loc) (any, bool) {
	switch n.kind {
	case boolNode:
		return n.truth, true
	case numberNode:
		if v, err := value.Number(n.text); err == nil && (value.Equal(v, 0) || value.Equal(v, 1)) {
			r.fix(boolFromNumber, at, "")
			return value.Equal(v, 1), true
		}
	case textNode, bareNode:
		if b, k, ok := readBool(n.text); ok {
			r.fix(k, at, took(t, n.text, b))
			return b, true
		}
	}
	return r.misfit(t, n, at)
}

// readBool reads a word for true or false, or a sentence with one of them.
func readBool(s string) (bool, kind, bool) {
	if len(s) > 400 {
		return false, 0, false
	}
	words := wordsOf(s)
	var yes, no, deny, doubt, wrong bool
	for i, w := range words {
		switch w {
		case "true":
			yes = true
		case "false":
			no, wrong = true, true
		case "yes":
			yes = yes || i == 0 || i == len(words)-1
		case "no": // elsewhere it may belong to another word: no doubt
			no = no || i == 0 || i == len(words)-1
		case "not", "never", "neither", "cannot", "t":
			deny = true
		case "or", "if", "unless", "unclear", "unknown", "maybe", "perhaps", "unsure":
			doubt = true
		}
	}
	if len(words) == 1 {
		switch words[0] {
		case "true", "yes", "y", "t", "on", "1":
			return true, boolFromText, true
		case "false", "no", "n", "f", "off", "0":
			return false, boolFromText, true
		}
	}
	if yes == no || len(words) > 40 {
		return false, 0, false
	}
	first := words[0] == "yes" || words[0] == "no" // what follows explains it
	if !first && (doubt || deny && (yes || wrong)) {
		return false, 0, false
	}
	return yes, boolInWords, true
}
