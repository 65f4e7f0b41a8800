package lsp

import (
	"path/filepath"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/parser/config"
)

// valued returns the places where files of values give a variable its value: those
// that stand beside a program in which it is seen.
func valued(v *View, target source.Place) []source.Place {
	d, ok := v.check().Def(target)
	if !ok || d.Kind != "variable" {
		return nil
	}
	var out []source.Place
	done := map[string]bool{}
	for _, c := range reaching(v, target.File.Name) {
		dir := filepath.Dir(c.File.Path)
		if done[dir] {
			continue
		}
		done[dir] = true
		for _, path := range v.Snap.Beside(c.File.Path) {
			if !strings.HasSuffix(path, ".dspvars") {
				continue
			}
			values, err := Look(v.Snap, path)
			if err != nil {
				continue
			}
			p := values.project()
			if p == nil {
				continue
			}
			given, _ := config.Vars(source.NewFile(path, values.src().Text), p) // reading it marks its secrets
			for _, x := range given {
				if x.Variable != nil && x.Variable.Place == target {
					out = append(out, values.src().Place(x.At.Span))
				}
			}
		}
	}
	return out
}
