package diag

import (
	"embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"
)

// Each code has a page, pages/CODE.md, in Markdown without a heading: what is
// wrong and why it matters; a fenced example that goes wrong; the way out; the
// example put right. The fence's words say what the example is:
//
//	```dsp wrong     a whole file that gives this code and no other
//	```dsp right     a whole file that gives none
//	```txtar run     a command, `$ dspi …`, and the files it reads; it gives this code
//	```txtar show    the same, where the code depends on a server or a person
//	```txtar right   the same, put right
//
//go:embed pages/*.md
var pageFiles embed.FS

// Example is a fenced block of a page.
type Example struct {
	Format string // "dsp": Text is a file; "txtar": a command line, then files
	Kind   string // "wrong", "right", "run" or "show"
	Text   string
}

var pages = sync.OnceValue(func() map[Code]string {
	m := make(map[Code]string, len(catalogue))
	for _, e := range catalogue {
		if text, err := pageFiles.ReadFile("pages/" + string(e.Code) + ".md"); err == nil {
			m[e.Code] = strings.ReplaceAll(string(text), "\r\n", "\n")
		}
	}
	return m
})

// Page returns the page of a code in Markdown, with its heading.
func Page(code Code) (string, bool) {
	e, ok := Lookup(code)
	if !ok {
		return "", false
	}
	text, ok := pages()[code]
	return "# " + string(e.Code) + " " + e.Title + "\n\n" + text, ok
}

// Examples returns the examples of a code's page, in order.
func Examples(code Code) []Example {
	var out []Example
	for _, p := range parts(pages()[code]) {
		if p.fence != "" {
			format, kind, _ := strings.Cut(p.fence, " ")
			out = append(out, Example{format, kind, p.text})
		}
	}
	return out
}

// part is a run of prose, or a fenced block.
type part struct {
	fence string // what stands behind the ```; "" for prose
	text  string // whole lines
}

func parts(page string) []part {
	var out []part
	var b strings.Builder
	fence := ""
	end := func() {
		if b.Len() > 0 || fence != "" {
			out = append(out, part{fence, b.String()})
		}
		b.Reset()
	}
	for line := range strings.Lines(page) {
		if info, ok := strings.CutPrefix(line, "```"); ok {
			end()
			fence = strings.TrimSpace(info)
			continue
		}
		b.WriteString(line)
	}
	end()
	return out
}

// Explain returns the page of a code for a terminal: `dspi explain E0401`. Case
// does not matter. The error of an unknown code names the nearest one, or the
// areas.
func Explain(code Code) (string, error) {
	e, ok := Lookup(Code(strings.ToUpper(strings.TrimSpace(string(code)))))
	if !ok {
		return "", unknownCode(string(code))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s[%s]: %s\n\n", e.Level(), e.Code, e.Title)
	for _, p := range parts(pages()[e.Code]) {
		if p.fence == "" {
			b.WriteString(p.text)
			continue
		}
		for line := range strings.Lines(p.text) {
			if line != "\n" {
				b.WriteString("    ")
			}
			b.WriteString(line)
		}
	}
	return b.String(), nil
}

func unknownCode(code string) error {
	code = strings.TrimSpace(code)
	digits := strings.TrimLeftFunc(code, unicode.IsLetter)
	// The digits without their letter, with another one, or without their zero.
	var near []string
	for _, e := range catalogue {
		if digits != "" && (string(e.Code[1:]) == digits || string(e.Code[2:]) == digits) {
			near = append(near, fmt.Sprintf("%s (%s)", e.Code, e.Title))
		}
	}
	if len(near) > 0 {
		return fmt.Errorf("there is no code %q; did you mean %s?", clean(code), strings.Join(near, " or "))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "there is no code %q; a code is a letter, E for errors and W for warnings, and four digits. ", clean(code))
	area := ""
	for _, a := range Areas() {
		if len(digits) >= 2 && digits[:2] == a.Prefix {
			area = a.Title
			fmt.Fprintf(&b, "These are about %s:\n", a.Title)
			for _, e := range catalogue {
				if string(e.Code[1:3]) == a.Prefix {
					fmt.Fprintf(&b, "\n    %s  %s", e.Code, e.Title)
				}
			}
		}
	}
	if area == "" {
		b.WriteString("They are:\n")
		for _, a := range Areas() {
			fmt.Fprintf(&b, "\n    E%sxx  %s", a.Prefix, a.Title)
		}
	}
	return errors.New(b.String())
}
