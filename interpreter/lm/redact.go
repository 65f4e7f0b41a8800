package lm

import (
	"cmp"
	"slices"
)

// Redactor returns a function that takes secrets, in every form in which JSON,
// HTML and URLs write them, out of a text. It returns nil when there is none that
// is long enough to be told from an ordinary word.
func Redactor(secrets []string) func(string) string {
	d := &discreet{}
	for _, s := range secrets {
		if len(s) < shortestInReply {
			continue
		}
		for _, form := range forms(s) {
			if !slices.Contains(d.secrets, form) {
				d.secrets = append(d.secrets, form)
			}
		}
	}
	if d.secrets == nil {
		return nil
	}
	slices.SortFunc(d.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return func(text string) string { return d.without(text, 0) }
}
