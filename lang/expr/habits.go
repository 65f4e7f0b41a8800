package expr

import (
	"regexp"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
)

// Whole phrases of other languages, each with the same in dspi. As everywhere,
// verify drops a fix that does not help.

// bracketsAt returns the place and the text of the innermost square brackets
// around a byte of the file.
func (p *reporter) bracketsAt(at int) (source.Span, string, bool) {
	for i := len(p.x.pairs) - 1; i >= 0; i-- {
		o := p.x.pairs[i]
		if o.open < at && at <= o.close && p.textAt(spanAt(o.open, o.open+1)) == "[" {
			s := spanAt(o.open, o.close+1)
			return s, p.textAt(s), true
		}
	}
	return source.Span{}, "", false
}

var (
	forIn     = regexp.MustCompile(`^\[\s*for\s+([A-Za-z_]\w*)\s+in\s+(.+?)\s*:\s*(.+?)(?:\s+if\s+(.+?))?\s*\]$`)
	pythonFor = regexp.MustCompile(`^\[\s*(.+?)\s+for\s+([A-Za-z_]\w*)\s+in\s+(.+?)(?:\s+if\s+(.+?))?\s*\]$`)
)

// loop is `[for x in xs : x + 1]` or `[x + 1 for x in xs if x > 0]`.
func (p *reporter) loop(at source.Span) {
	d := p.add("E0121", at, "dspi has no `for` in expressions; `map` and `filter` go over a list").
		Hint("write `map(LIST, EXPRESSION WITH it)`")
	brackets, text, ok := p.bracketsAt(int(at.Start))
	if !ok {
		return
	}
	var name, list, body, cond string
	if m := forIn.FindStringSubmatch(text); m != nil {
		name, list, body, cond = m[1], m[2], m[3], m[4]
	} else if m := pythonFor.FindStringSubmatch(text); m != nil {
		body, name, list, cond = m[1], m[2], m[3], m[4]
	} else {
		return
	}
	it := func(s string) string {
		return regexp.MustCompile(`\b`+name+`\b`).ReplaceAllString(s, "it")
	}
	if cond != "" {
		list = "filter(" + list + ", " + it(cond) + ")"
	}
	if body = it(body); body != "it" {
		list = "map(" + list + ", " + body + ")"
	}
	d.Fix("use `map` and `it`", p.at(brackets), list)
}

var pythonIf = regexp.MustCompile(`^\s*(.+?)\s+if\s+(.+?)\s+else\s+(.+?)\s*$`)

// thisIfThat is `a if c else b`.
func (p *reporter) thisIfThat(at source.Span, whole source.Span) {
	d := p.add("E0121", at, "dspi writes `condition ? this : that`")
	if m := pythonIf.FindStringSubmatch(p.textAt(whole)); m != nil {
		d.Fix("write it with `?` and `:`", p.at(whole), m[2]+" ? "+m[1]+" : "+m[3])
	}
}

var pythonIs = regexp.MustCompile(`\bis\s+(not\s+)?(None|null|nil)\b`)

// isNull is `x is None`. It reports whether that is what stands here.
func (p *reporter) isNull(at source.Span) bool {
	rest := p.textAt(source.Span{Start: at.Start, End: p.x.span.End})
	m := pythonIs.FindStringSubmatchIndex(rest)
	if m == nil || m[0] != 0 {
		return false
	}
	write := "== null"
	if m[2] >= 0 {
		write = "!= null"
	}
	phrase := source.Span{Start: at.Start, End: at.Start + int32(m[1])}
	p.add("E0121", at, "dspi writes `%s`", write).Fix("write `"+write+"`", p.at(phrase), write)
	return true
}

var pythonHole = regexp.MustCompile(`\{([^{}]*)\}`)

// formatString is `f"Hello {name}"`; at is the string without its f.
func (p *reporter) formatString(f, at source.Span) {
	text := pythonHole.ReplaceAllString(p.textAt(at), "$${$1}")
	p.add("E0121", f, "text needs no `f` here: `${…}` puts a value in").
		Fix("write it with `${…}`", p.at(f.To(at)), text)
}

// equalsInObject is `{a = 1, b = 2}`: one fix for all its names.
func (p *reporter) equalsInObject(s *scanner, i int) {
	d := p.add("E0121", s.span(i, i+1), "an object is written with `:`, as in `{name: value}`")
	fix := diag.Fix{Title: "write `:`"}
	depth := 0
	for j := i; j < len(s.src) && depth >= 0; j++ {
		switch b := s.src[j]; {
		case b == '"':
			end, _, ok := endOfString(s.src, j, 0)
			if !ok {
				depth = -1
			}
			j = end - 1
		case b == '(' || b == '[' || b == '{':
			depth++
		case b == ')' || b == ']' || b == '}':
			depth--
		case b == '=' && depth == 0 && !strings.ContainsRune("=!<>", rune(s.src[j-1])) && (j+1 == len(s.src) || s.src[j+1] != '=' && s.src[j+1] != '>'):
			from := j
			for from > 0 && s.src[from-1] == ' ' {
				from--
			}
			fix.Edits = append(fix.Edits, diag.Edit{Place: p.at(s.span(from, j+1)), Text: ":"})
		}
	}
	d.Fixes = append(d.Fixes, fix)
}

// rootHabits are what other languages call what dspi has under a name of its own.
var rootHabits = map[string]string{
	"variables": "var", "vars": "var", "variable": "var", "params": "var", "settings": "var",
	"self": "inputs", "this": "inputs", "input": "inputs", "args": "inputs", "ctx": "inputs",
}

// memberHabits are the same for members of a kind of name.
var memberHabits = map[string]map[string]string{
	"element": {"key": "index", "i": "index", "item": "value", "val": "value", "element": "value"},
}
