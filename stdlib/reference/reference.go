// Package reference writes the pages of docs/reference about the names of the
// language. All that is on them comes from tables: stdlib.Universe, types.Table,
// expr.Functions, universe.Project.
//
//	Pages  all pages; a test holds docs/reference to them
//	Page   the name of a file and its text, in Markdown
//
// blocks.go writes blocks, steps, optimizers and settings; types.go types, functions and
// providers. The page about commands is made by cmd/dspi.
package reference

import (
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/stdlib"
)

// Page is one file of docs/reference.
type Page struct {
	Name string // "blocks.md"
	Text string
}

// Pages returns the pages in the order of the index, which is the first.
func Pages() []Page {
	u := stdlib.Universe()
	pages := []Page{
		{"blocks.md", blocks(u)},
		{"steps.md", steps(u)},
		{"types.md", typesPage()},
		{"functions.md", functions()},
		{"providers.md", providers(u)},
		{"optimizers.md", optimizers(u)},
		{"settings.md", settings()},
	}
	return append([]Page{{"README.md", index()}}, pages...)
}

const made = "This page is made from the tables of the code: `go test ./stdlib/reference -update` writes it anew.\n"

func index() string {
	return "# Reference\n\n" + `Every name of the language, and every command. What the words mean is in [the language](../language.md).

| page | |
|---|---|
| [blocks](blocks.md) | what stands at the top of a file |
| [steps](steps.md) | every module, and what every step takes |
| [types](types.md) | what fields may hold |
| [functions](functions.md) | what expressions can call |
| [providers](providers.md) | sources of models |
| [optimizers](optimizers.md) | ways to tune a program |
| [settings](settings.md) | what a dspi.hcl holds |
| [commands](commands.md) | the command line |
| [diagnostics](../diagnostics/README.md) | the codes of messages |
`
}

// page is a Markdown text under way.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	p.WriteString(format + "\n")
}

func (p *page) fence(kind, text string) {
	p.line("\n```%s\n%s\n```", kind, strings.TrimSuffix(text, "\n"))
}

// cell makes a text fit a cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", "\\|"), "\n", " ")
}

func code(text string) string { return "`" + text + "`" }

// settingTable lists settings.
func (p *page) settingTable(settings []universe.Setting) {
	if len(settings) == 0 {
		return
	}
	p.line("\n| setting | value | default | |\n|---|---|---|---|")
	for _, s := range settings {
		p.line("| %s | %s | %s | %s |", code(s.Name), cell(valueOf(s)), cell(defaultOf(s)), cell(aboutSetting(s)))
	}
}

// valueOf says what a setting may be: "int from 1 to 10".
func valueOf(s universe.Setting) string {
	text := string(s.Kind)
	if len(s.Choices) > 0 {
		quoted := make([]string, len(s.Choices))
		for i, c := range s.Choices {
			quoted[i] = code(c)
		}
		text = strings.Join(quoted, ", ")
		if s.Kind == universe.Address {
			text = "address: " + text
		}
	}
	switch number := types.FormatFloat; {
	case s.Min != nil && s.Max != nil:
		text += " from " + number(*s.Min) + " to " + number(*s.Max)
	case s.Min != nil:
		text += ", at least " + number(*s.Min)
	case s.Max != nil:
		text += ", at most " + number(*s.Max)
	}
	return text
}

func defaultOf(s universe.Setting) string {
	switch {
	case s.Required:
		return "must be given"
	case s.Default == "":
		return "none"
	}
	return s.Default
}

func aboutSetting(s universe.Setting) string {
	text := s.Doc
	if s.Fixed {
		text += " *Known before a run.*"
	}
	if s.Secret {
		text += " *May be secret.*"
	}
	if s.Pending != "" {
		text += " *Not obeyed yet: " + s.Pending + " is missing.*"
	}
	return text
}

// fields writes one side of a signature.
func fields(fs []types.Field) string {
	parts := make([]string, len(fs))
	for i, f := range fs {
		parts[i] = f.Name + ": " + f.Type.String()
		if f.Description != "" {
			parts[i] += " " + types.FormatLiteral(f.Description)
		}
	}
	return strings.Join(parts, ", ")
}
