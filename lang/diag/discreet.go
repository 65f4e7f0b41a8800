package diag

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
)

// shortestSecret is the length in bytes from which a hidden text is masked
// wherever it stands in words. A shorter one could be part of any word.
const shortestSecret = 4

// discreet returns a function that masks in words what the files of d hide.
func (d *Diagnostic) discreet() func(string) string {
	var files []*source.File
	see := func(p source.Place) {
		if p.File != nil && !slices.Contains(files, p.File) {
			files = append(files, p.File)
		}
	}
	see(d.Primary.Place)
	for _, l := range d.Related {
		see(l.Place)
	}
	for _, f := range d.Fixes {
		for _, e := range f.Edits {
			see(e.Place)
		}
	}
	var secrets []string
	for _, f := range files {
		for _, s := range f.Hidden() {
			text := f.Slice(s)
			for _, form := range append(strings.FieldsFunc(text, isPunctuation), text, strings.TrimFunc(text, isPunctuation)) {
				if len(form) >= shortestSecret && !slices.Contains(secrets, form) {
					secrets = append(secrets, form)
				}
			}
		}
	}
	if secrets == nil {
		return func(s string) string { return s }
	}
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return func(s string) string {
		for _, secret := range secrets {
			s = strings.ReplaceAll(s, secret, Mask)
		}
		return s
	}
}

// isPunctuation reports whether r parts the texts in a value from each other.
func isPunctuation(r rune) bool { return strings.ContainsRune("\"'`[]{}(), \t\r\n", r) }

// hidden reports whether f edits something that is not to be shown.
func (f Fix) hidden() bool {
	return slices.ContainsFunc(f.Edits, func(e Edit) bool { return e.File != nil && e.File.Hides(e.Span) })
}
