package expr

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
)

// What is said about expressions that cannot be read; messages.go holds what is
// said about those that can. A fix may be offered freely: verify drops those that
// do not help.

// reporter collects the diagnostics of an expression.
type reporter struct {
	x       *Expr
	diags   diag.List
	unclear bool // what is meant cannot be known: no type is worth a word
}

func (p *reporter) add(code diag.Code, at source.Span, label string, args ...any) *diag.Diagnostic {
	if len(args) > 0 {
		label = fmt.Sprintf(label, args...)
	}
	d := diag.New(code, p.x.file.Place(at), label)
	p.diags = append(p.diags, d)
	return d
}

func (p *reporter) at(s source.Span) source.Place { return p.x.file.Place(s) }

func (p *reporter) textAt(s source.Span) string {
	a, b := int(s.Start-p.x.span.Start), int(s.End-p.x.span.Start)
	a, b = max(a, 0), min(b, len(p.x.text))
	if a >= b {
		return ""
	}
	return p.x.text[a:b]
}

func (p *reporter) textOf(n ast.Node) string { return p.textAt(p.x.rangeOf(n)) }

// short cuts a text for a message.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 48 {
		return string(r[:47]) + "…"
	}
	return s
}

func (p *reporter) tooLong(at source.Span) {
	p.add("E0111", at, "this expression has more than %d words and signs", maxTokens).
		Hint("give parts of it names with `let NAME = …` in the program, or bring the data in as an input")
}

func (p *reporter) tooDeep(at source.Span) {
	p.add("E0111", at, "brackets and templates nest more than %d deep here", maxDepth).
		Hint("give an inner part a name of its own with `let NAME = …`")
}

func (p *reporter) badCharacter(at source.Span, text string) {
	p.add("E0109", at, "`%s` has no meaning in an expression", text).Fix("remove it", p.at(at), "")
}

func (p *reporter) byteLiteral(at, b source.Span) {
	p.add("E0116", at, "dspi has no byte strings; text is written `\"…\"`").Fix("write it as text", p.at(b), "")
}

func (p *reporter) unclosedString(at source.Span, quote byte) {
	switch quote {
	case '<':
		p.add("E0106", at, "this text is never closed; its mark has to stand on a line of its own")
	case '`':
		p.add("E0106", at, "this text is never closed; it ends with a backtick")
	default:
		p.add("E0106", at, "this string is not closed on its line; it ends with `%c`", quote)
	}
}

// touching is a string that a name or number touches.
func (p *reporter) touching(at source.Span) {
	p.add("E0116", at, "an operator is missing beside this text").
		Hint("to put texts together: `\"a ${b}\"`, or `a + b`")
}

func (p *reporter) unclosedComment(at source.Span) {
	p.add("E0107", at, "this comment never ends; it needs `*/`")
}

func (p *reporter) unclosedBracket(open int, b byte) {
	p.add("E0104", spanAt(open, open+1), "this `%c` is never closed; it needs `%c`", b, closerOf(b))
}

func (p *reporter) strayCloser(at source.Span, b byte) {
	p.add("E0105", at, "this `%c` closes nothing", b).Fix("remove it", p.at(at), "")
}

func (p *reporter) wrongCloser(at source.Span, open int, got, want byte) {
	p.add("E0104", at, "`%c` is expected before this `%c`", want, got).
		Relate(p.at(spanAt(open, open+1)), "opened here").
		Fix(fmt.Sprintf("write `%c`", want), p.at(at), string(want))
}

func (p *reporter) habit(at source.Span, found, write, does string) {
	p.add("E0121", at, "dspi writes `%s`; it %s", write, does).Fix("write `"+write+"`", p.at(at), write)
}

func (p *reporter) refused(at source.Span, label, hint string) {
	p.add("E0116", at, label).Hint("%s", hint)
}

func (p *reporter) dollar(at source.Span, name string) {
	d := p.add("E0116", at, "a name cannot begin with `$`")
	if name == "$env" || name == "$" {
		d.Say("There is no object that holds all names; each is written by itself.")
		return
	}
	d.Fix("write the name alone", p.at(at), name[1:])
}

// bareTemplate is `${x}` outside a string.
func (p *reporter) bareTemplate(s *scanner, i int) {
	end, ok := endOfTemplate(s.src, i, 0)
	if !ok {
		end = i + 2
	}
	d := p.add("E0116", s.span(i, end), "`${…}` stands only inside a string")
	if ok {
		d.Fix("write the expression alone", p.at(s.span(i, end)), strings.TrimSpace(s.src[i+2:end-1]))
	}
}

func (p *reporter) assignment(s *scanner, i int) {
	at := s.span(i, i+1)
	if len(s.opens) > 0 && s.src[p.x.pairs[s.opens[len(s.opens)-1]].open-s.base] == '{' {
		p.equalsInObject(s, i)
		return
	}
	p.add("E0121", at, "one `=` gives a value; `==` compares").Fix("write `==`", p.at(at), "==")
}

// lambda is `x => …` or `(x) => …`.
func (p *reporter) lambda(s *scanner, i int) {
	d := p.add("E0121", s.span(i, i+2), "dspi has no `=>`; the element is called `it`")
	m := lambdaParam.FindStringSubmatchIndex(s.src[:i])
	if m == nil {
		d.Hint("write the expression with `it`: `filter(scores, it > 0.5)`")
		return
	}
	name := s.src[m[2]:m[3]]
	// the body ends with the bracket around it
	end, depth := i+2, 0
	for ; end < len(s.src); end++ {
		b := s.src[end]
		if b == '(' || b == '[' || b == '{' {
			depth++
		} else if b == ')' || b == ']' || b == '}' {
			if depth--; depth < 0 {
				break
			}
		}
	}
	body := regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).ReplaceAllString(strings.TrimSpace(s.src[i+2:end]), "it")
	start := m[0] + len(s.src[m[0]:i]) - len(strings.TrimLeft(s.src[m[0]:i], " \t\n"))
	d.Fix("write it with `it`", p.at(s.span(start, end)), body)
}

var lambdaParam = regexp.MustCompile(`\(?\s*([A-Za-z_][A-Za-z_0-9]*)\s*\)?\s*$`)

// splat is `xs[*].a`, from i to j at the brackets.
func (p *reporter) splat(s *scanner, i, j int) {
	d := p.add("E0121", s.span(i, j), "dspi has no `[*]`; `map` goes over a list")
	head := chainBefore.FindString(s.src[:i])
	tail := chainAfter.FindString(s.src[j:])
	if head == "" || tail == "" {
		d.Hint("write `map(LIST, it.NAME)`")
		return
	}
	d.Fix("use `map`", p.at(s.span(i-len(head), j+len(tail))), "map("+head+", it"+tail+")")
}

var (
	chainBefore = regexp.MustCompile(`[A-Za-z_][A-Za-z_0-9]*(\.[A-Za-z_][A-Za-z_0-9]*)*$`)
	chainAfter  = regexp.MustCompile(`^(\.[A-Za-z_][A-Za-z_0-9]*)+`)
)

func (p *reporter) singleQuotes(l file.Location, lit string) {
	inside := strings.ReplaceAll(lit[1:len(lit)-1], `\'`, `'`)
	inside = strings.ReplaceAll(strings.ReplaceAll(inside, `"`, `\"`), "${", "$${")
	p.add("E0110", locSpan(l), "text stands in double quotes").
		Fix("use double quotes", p.at(locSpan(l)), `"`+inside+`"`)
}

func (p *reporter) badEscape(l file.Location, text string) {
	p.add("E0108", locSpan(l), "`%s` means nothing here", text).
		Say("A string knows \\n \\r \\t \\\" \\\\ \\uNNNN and \\UNNNNNNNN. Text in backticks has no escapes, which suits patterns.").
		Fix("write a backslash as `\\\\`", p.at(spanAt(l.From, l.From+1)), `\\`)
}

func (p *reporter) unclosedTemplate(l file.Location) {
	p.add("E0104", locSpan(l), "this `${` is never closed; it needs `}`").
		Hint("to write `${` as text: `$${`")
}

func (p *reporter) emptyTemplate(l file.Location) {
	p.add("E0112", locSpan(l), "an expression is missing between `${` and `}`").
		Hint("to write `${}` as text: `$${}`")
}

func (p *reporter) empty(at source.Span) { p.add("E0112", at, "an expression is missing here") }

func (p *reporter) stringCalled(at source.Span) {
	p.add("E0116", at, "a text cannot be called; a function's name stands without quotes")
}

func (p *reporter) stringAfterDot(at source.Span) {
	p.add("E0116", at, "after `.` stands a name, without quotes; in brackets a text: `x[\"a name\"]`")
}

func (p *reporter) bareDot(at source.Span) {
	p.add("E0121", at, "the element is called `it`").Fix("write `it`", p.at(spanAt(int(at.Start), int(at.Start))), "it")
}

func (p *reporter) reserved(at source.Span, name string) {
	p.add("E0213", at, "`%s` has a meaning of its own in expressions", name).Hint("choose another name")
}

func (p *reporter) sequence(at source.Span) {
	p.add("E0116", at, "an expression has one value; `;` stands only after `let NAME = …`")
}

// elvis is `a ?: b`.
func (p *reporter) elvis(x *ast.ConditionalNode) {
	at := p.x.rangeOf(x)
	d := p.add("E0121", at, "dspi writes `??` for “or else”")
	d.Fix("write `??`", p.at(at), p.textOf(x.Cond)+" ?? "+p.textOf(x.Exp2))
}

func (p *reporter) ifElse(x *ast.ConditionalNode) {
	at := p.x.rangeOf(x.Cond)
	d := p.add("E0121", at, "dspi writes `condition ? this : that`")
	whole := p.x.span
	if strings.HasPrefix(strings.TrimSpace(p.x.text), "if") {
		d.Fix("write it with `?` and `:`", p.at(whole), p.textOf(x.Cond)+" ? "+p.textOf(x.Exp1)+" : "+p.textOf(x.Exp2))
	}
}

func (p *reporter) templateKey(at source.Span) {
	p.add("E0117", at, "the name of a field is fixed text").
		Hint("for a name that is computed, put the expression in parentheses: `{(name): value}`")
}

func (p *reporter) coalesceMixed(op string, at, inner source.Span) {
	d := p.add("E0116", at, "`??` beside `%s` needs parentheses", op)
	d.Say("It cannot be seen which of the two comes first.")
	d.Fix("let `??` come first", p.at(inner), "("+p.textAt(inner)+")")
	p.unclear = true
}

// unreadable turns an error of expr's parser into words.
func (p *reporter) unreadable(err error, src string, c *chunk) {
	var f *file.Error
	if !errors.As(err, &f) {
		p.add("E0116", spanAt(c.base, c.base+len(src)), "this cannot be read as an expression")
		return
	}
	from, to := c.at(f.From), c.at(f.To)
	end := c.base + len(strings.TrimRight(src, " \t\r\n"))
	atEnd := from >= end || strings.Contains(f.Message, "token EOF") || strings.Contains(f.Message, "unexpected end")
	if atEnd {
		from, to = end, end
	}
	at := spanAt(from, max(to, from))
	found := p.textAt(at)
	before := strings.TrimRight(src[:max(0, min(from-c.base, len(src)))], " \t\r\n")
	word := lastWord.FindString(before)
	m := f.Message
	switch {
	case strings.HasPrefix(m, "Operator ("):
		p.coalesceBefore(at, src, from-c.base, c)
	case strings.HasPrefix(m, "bad number syntax"):
		p.add("E0116", p.wordAround(from, to), "this is no number").Hint("a number reads `42`, `1_000`, `0.5` or `1e6`")
	case strings.Contains(m, "literal:") || strings.Contains(m, "is too large"):
		p.add("E0116", p.wordAround(c.base+len(before), c.base+len(before)), "this number does not fit 64 bits")
	case strings.HasPrefix(m, "compilation failed"):
		p.tooLong(spanAt(c.base, end))
	case strings.HasPrefix(m, "expected at least"):
		p.add("E0303", spanAt(max(from-1, c.base), to), "an argument is missing here").
			Hint("such a function takes a list and an expression with `it`: `filter(scores, it > 0.5)`")
	case strings.HasPrefix(m, "a map key must be"):
		p.add("E0116", at, "the name of a field is expected here").Hint("an object reads `{name: value}`")
	case strings.HasPrefix(m, "expected name"):
		p.add("E0116", at, "a name is expected after `.`")
	case strings.HasPrefix(m, "wrap predicate"):
		p.add("E0116", at, "`;` stands only after `let NAME = …`")
	case found == "for":
		p.loop(at)
	case word == "for":
		p.loop(spanAt(c.base+len(before)-len("for"), c.base+len(before)))
	case found == "if" || found == "else":
		p.thisIfThat(at, spanAt(c.base, end))
	case found == "is" && p.isNull(at):
	case found == "let":
		p.add("E0116", at, "`let` stands only at the beginning of an expression or of brackets: `let n = len(x); n * n`")
	case (found == ":" || found == "," || found == "}") && inObjectBody(src[:max(0, min(from-c.base, len(src)))]):
		p.objectBody(at, from)
	case atEnd && (word == "" || isOperatorEnd(before)):
		p.add("E0116", at, "a value is missing here")
	case atEnd:
		p.add("E0116", at, "the expression ends too early")
	case word == "return":
		p.add("E0121", spanAt(from-len("return")-1, from), "an expression needs no `return`: it is its own value")
	case isOperatorEnd(before) && !endsValue(before):
		p.add("E0116", at, "a value is expected before `%s`", short(found))
	default:
		p.add("E0116", at, "`%s` cannot stand here", short(found)).
			Hint("an operator, a comma or the end of the expression is expected after `%s`", short(tailOf(before)))
	}
}

// wordAround returns the word that touches a place.
func (p *reporter) wordAround(from, to int) source.Span {
	base := int(p.x.span.Start)
	from, to = from-base, to-base
	for from > 0 && isWord(p.x.text[from-1]) {
		from--
	}
	for to < len(p.x.text) && isWord(p.x.text[to]) {
		to++
	}
	return spanAt(from+base, to+base)
}

var lastWord = regexp.MustCompile(`[A-Za-z_0-9]+$`)

// tailOf returns the last word or sign of a text, for a message.
func tailOf(s string) string {
	if w := lastWord.FindString(s); w != "" {
		return w
	}
	r := []rune(s)
	if len(r) == 0 {
		return ""
	}
	return string(r[len(r)-1:])
}

func isOperatorEnd(s string) bool {
	if s == "" {
		return true
	}
	if operatorWords[lastWord.FindString(s)] {
		return true
	}
	return strings.ContainsRune("+-*/%^<>=!&|?:.,([{;", rune(s[len(s)-1]))
}

func endsValue(s string) bool { return s != "" && strings.ContainsRune(")]}\"`", rune(s[len(s)-1])) }

// inObjectBody reports whether s ends inside the braces of `map(xs, {`.
func inObjectBody(s string) bool { return objectBody.MatchString(s) }

var objectBody = regexp.MustCompile(`,\s*\{\s*(["A-Za-z_][A-Za-z_0-9"]*\s*)?$`)

// objectBody is `map(xs, {a: it})`: braces after the comma hold an expression, so
// an object needs parentheses.
func (p *reporter) objectBody(at source.Span, from int) {
	d := p.add("E0116", at, "an object that is computed for each element stands in parentheses: `({name: it})`")
	for i := len(p.x.pairs) - 1; i >= 0; i-- {
		o := p.x.pairs[i]
		if o.open < from && from <= o.close && p.textAt(spanAt(o.open, o.open+1)) == "{" {
			at := spanAt(o.open, o.close+1)
			d.Fix("put parentheses around it", p.at(at), "("+p.textAt(at)+")")
			return
		}
	}
}

// coalesceBefore is `a ?? b + c`, where at is the `+`.
func (p *reporter) coalesceBefore(at source.Span, src string, i int, c *chunk) {
	op := short(p.textAt(at))
	d := p.add("E0116", at, "`??` beside `%s` needs parentheses", op)
	d.Say("It cannot be seen which of the two comes first.")
	start, end := c.base, c.base+len(strings.TrimRight(src, " \t\r\n"))
	for _, o := range p.x.pairs { // the innermost brackets around the operator
		if o.open < int(at.Start) && o.close >= int(at.End) && o.open+1 > start && o.close <= end {
			start, end = o.open+1, o.close
		}
	}
	start += len(p.textAt(spanAt(start, int(at.Start)))) - len(strings.TrimLeft(p.textAt(spanAt(start, int(at.Start))), " \t\r\n"))
	left := strings.TrimRight(p.textAt(spanAt(start, int(at.Start))), " \t\r\n")
	d.Fix("let `??` come first", p.at(spanAt(start, start+len(left))), "("+left+")")
	if n := strings.LastIndex(left, "??"); n >= 0 {
		right := spanAt(start+n+2, end)
		text := strings.TrimSpace(p.textAt(right))
		d.Fix("let `"+op+"` come first", p.at(right), " ("+text+")")
	}
}

func (p *reporter) templateInLiteral(n ast.Node) {
	at := p.x.rangeOf(n)
	for _, a := range n.(*ast.CallNode).Arguments {
		if _, fixed := a.(*ast.StringNode); !fixed {
			in := p.x.rangeOf(a)
			if i := strings.LastIndex(p.textAt(spanAt(int(at.Start), int(in.Start))), "${"); i >= 0 {
				if end, ok := endOfTemplate(p.x.text, int(at.Start-p.x.span.Start)+i, 0); ok {
					at = spanAt(int(at.Start)+i, int(p.x.span.Start)+end)
				}
			}
			break
		}
	}
	p.add("E0117", at, "only fixed text may stand here").Hint("to write `${` as text: `$${`")
}

func (p *reporter) notFixed(n ast.Node) {
	d := p.add("E0307", p.x.rangeOf(n), "this is computed; a fixed value is needed here")
	d.Say("A text, a number, true, false, null, or a list or object of these can stand here.")
	if id, ok := n.(*ast.IdentifierNode); ok {
		at := p.at(p.x.rangeOf(n))
		switch id.Value {
		case "None", "undefined", "none":
			d.Fix("write `null`", at, "null")
		case "True", "False", "TRUE", "FALSE":
			d.Fix("write it in small letters", at, strings.ToLower(id.Value))
		default:
			d.Fix("write it as text", at, types.FormatLiteral(id.Value))
		}
	}
}

// patternFault says what is wrong with a pattern.
func patternFault(err error) string {
	return strings.TrimPrefix(err.Error(), "error parsing regexp: ")
}
