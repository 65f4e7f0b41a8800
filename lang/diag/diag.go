// Package diag holds what dspi says about a program: diagnostics.
//
//	Diagnostic  one message: a code, a primary place, other places, facts, ways out
//	Label       a place and what is said about it
//	Fix         a way out that is an edit
//	Code        names a kind of diagnostic; the catalogue (catalogue.go) lists them
//	Report      a Diagnostic as JSON for machines (json.go); the text for people
//	            (text.go) is made from it
//	Page        explains a code, with an example that a test runs (page.go)
//	Nearest     finds the name that a misspelt one was meant to be, AllNear all that
//	            it may be (suggest.go)
//
// A diagnostic is made with New, which takes level and title from the catalogue,
// so that people learn to know the titles.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
)

// Level tells an error from a warning.
type Level string

const (
	// Error stops a program from running.
	Error Level = "error"
	// Warning does not.
	Warning Level = "warning"
)

// Code names a kind of diagnostic: `E0201`, `W0301`.
type Code string

// Label is a place and a few words about it, lower case, without full stop.
type Label struct {
	source.Place
	Text string
}

// Edit replaces the text at a place.
type Edit struct {
	source.Place
	Text string
}

// Fix is a way out that is an edit: offered by the editor, shown as `help:`.
// Title says what it does: "did you mean `answer`?".
type Fix struct {
	Title string
	Edits []Edit
}

// Diagnostic is one message about a program. Make one with New.
type Diagnostic struct {
	Code    Code
	Level   Level
	Title   string // constant words, from the catalogue
	Primary Label
	Related []Label  // the other places that matter
	Detail  string   // a paragraph of facts; lines indented by four are shown as they are
	Fixes   []Fix    // ways out that are edits
	Help    []string // ways out that are not: "to list every module: dspi doc modules"
}

// New returns a diagnostic of the given code at a place. It panics on a code
// that the catalogue does not have.
func New(code Code, at source.Place, label string) *Diagnostic {
	e, ok := Lookup(code)
	if !ok {
		panic("diag: no such code: " + string(code))
	}
	return &Diagnostic{Code: code, Level: e.Level(), Title: e.Title, Primary: Label{at, label}}
}

// Relate adds a place that matters.
func (d *Diagnostic) Relate(at source.Place, format string, args ...any) *Diagnostic {
	if !at.IsZero() {
		d.Related = append(d.Related, Label{at, fmt.Sprintf(format, args...)})
	}
	return d
}

// Say sets the paragraph of facts.
func (d *Diagnostic) Say(format string, args ...any) *Diagnostic {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	d.Detail = strings.TrimRight(format, "\n")
	return d
}

// Fix adds a way out that replaces the text at a place.
func (d *Diagnostic) Fix(title string, at source.Place, text string) *Diagnostic {
	d.Fixes = append(d.Fixes, Fix{title, []Edit{{at, text}}})
	return d
}

// Hint adds a way out that is not an edit.
func (d *Diagnostic) Hint(format string, args ...any) *Diagnostic {
	d.Help = append(d.Help, fmt.Sprintf(format, args...))
	return d
}

// Error returns the diagnostic in one line, so that it can be an error in Go.
func (d *Diagnostic) Error() string {
	var b strings.Builder
	if d.Primary.File != nil {
		p := d.Primary.File.Position(d.Primary.Start)
		fmt.Fprintf(&b, "%s:%d:%d: ", d.Primary.File.Name, p.Line, p.Column)
	}
	fmt.Fprintf(&b, "%s[%s]: %s", d.Level, d.Code, d.Title)
	if d.Primary.Text != "" {
		b.WriteString(": " + d.discreet()(d.Primary.Text))
	}
	return b.String()
}

// List is what a stage had to say. The nil List is nothing.
type List []*Diagnostic

// HasErrors reports whether an error is in l.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d *Diagnostic) bool { return d.Level == Error })
}

// Sort puts l in the order of files and places and removes repetitions.
func (l *List) Sort() {
	slices.SortStableFunc(*l, func(a, b *Diagnostic) int {
		return cmp.Or(
			strings.Compare(fileName(a), fileName(b)),
			cmp.Compare(a.Primary.Start, b.Primary.Start),
			cmp.Compare(a.Code, b.Code),
		)
	})
	*l = slices.CompactFunc(*l, func(a, b *Diagnostic) bool {
		return a.Code == b.Code && a.Primary == b.Primary && a.Detail == b.Detail
	})
}

// Error returns the first error and how many there are, so that a List can be
// an error in Go.
func (l List) Error() string {
	var first *Diagnostic
	n := 0
	for _, d := range l {
		if d.Level == Error {
			if first == nil {
				first = d
			}
			n++
		}
	}
	switch {
	case first == nil:
		return "no errors"
	case n == 1:
		return first.Error()
	}
	return fmt.Sprintf("%s (and %d more)", first.Error(), n-1)
}

// Err returns l as an error when it has errors, else nil.
func (l List) Err() error {
	if l.HasErrors() {
		return l
	}
	return nil
}

func fileName(d *Diagnostic) string {
	if d.Primary.File == nil {
		return ""
	}
	return d.Primary.File.Name
}
