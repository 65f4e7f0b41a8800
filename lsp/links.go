package lsp

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// Links returns the files that a file names: imports, and files of data, code and
// passages.
func Links(v *View) []protocol.DocumentLink {
	out := []protocol.DocumentLink{}
	add := func(at source.Span, path string) {
		target := protocol.Address(path)
		out = append(out, protocol.DocumentLink{Range: v.Range(at), Target: &target})
	}
	for _, it := range v.tree().Items {
		syntax.Walk(it, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Import:
				if n.Path != nil && n.Path.Len() > 2 {
					if path, err := snapshot.Resolve(v.src().Name, n.Path.Value); err == nil {
						add(source.Span{Start: n.Path.Start + 1, End: n.Path.End - 1}, path)
					}
				}
			case *syntax.Attribute:
				if n.Value == nil || n.Name.Name != "file" && n.Name.Name != "save_to" {
					return true
				}
				var path string
				if json.Unmarshal([]byte(n.Value.Text), &path) == nil && path != "" && !strings.Contains(path, "${") {
					if !filepath.IsAbs(path) {
						path = filepath.Join(filepath.Dir(v.src().Name), filepath.FromSlash(path))
					}
					add(source.Span{Start: n.Value.Start + 1, End: n.Value.End - 1}, path)
				}
			}
			return true
		})
	}
	return out
}

// Lenses returns what can be done with a file's declarations: run a program, run a
// test. The editor's extension knows the commands.
func Lenses(v *View) []protocol.CodeLens {
	out := []protocol.CodeLens{}
	add := func(at source.Span, title, command string, args ...string) {
		c := protocol.Command{Title: title, Command: command}
		for _, a := range append([]string{v.File.Path}, args...) {
			text, _ := json.Marshal(a) // a string always can be
			c.Arguments = append(c.Arguments, protocol.Any(text))
		}
		out = append(out, protocol.CodeLens{Range: v.Range(at), Command: c})
	}
	for _, d := range v.index().Defs {
		if d.Parent != nil {
			continue
		}
		switch d.Kind {
		case "program":
			add(d.Place.Span, "run", "dspi.run", d.Name)
		case "test":
			add(d.Place.Span, "test", "dspi.test", d.Name)
		}
	}
	return out
}
