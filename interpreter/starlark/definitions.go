package starlark

import (
	"strings"

	"go.starlark.net/syntax"
)

// Definitions returns the functions that code defines at its top, as text: what must
// stand before other code that is to call them. It is "" where the code cannot be
// read.
func Definitions(code string) string {
	f, err := options.Parse("code", code, 0)
	if err != nil {
		return ""
	}
	lines := strings.SplitAfter(code, "\n")
	var b strings.Builder
	for _, s := range f.Stmts {
		if _, ok := s.(*syntax.DefStmt); !ok {
			continue
		}
		from, to := s.Span()
		last := min(int(to.Line), len(lines))
		text := strings.Join(lines[from.Line-1:last], "")
		b.WriteString(text)
		if !strings.HasSuffix(text, "\n") {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
